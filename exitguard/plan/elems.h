/* elems.h: a table of set elements with the time each expires. priv keeps what the kernel holds
 * in one, front the operator's bans and allowances. 24 bytes an element, keyed hash. */
#ifndef EXITGUARD_PLAN_ELEMS_H
#define EXITGUARD_PLAN_ELEMS_H

#include "exitguard/plan/plan.h"

struct elems {
	struct guard_elem *slots; /* timeout_s is the expiry; set 0xff: free */
	size_t cap, count;        /* cap is a power of two or 0 */
	uint8_t hash_key[16];
};

void elems_init(struct elems *elems, const uint8_t hash_key[16]);
void elems_clear(struct elems *elems); /* frees; usable again */

/* expires_s: on the caller's clock; 0 for never. An element known already gets the new time. */
enum rc elems_put(struct elems *elems, const struct guard_elem *elem, uint32_t expires_s);
/* False if unknown. expires_s may be NULL. elem->timeout_s does not matter. */
bool elems_find(const struct elems *elems, const struct guard_elem *elem, uint32_t *expires_s);
bool elems_del(struct elems *elems, const struct guard_elem *elem);
void elems_del_set(struct elems *elems, enum guard_set set);
/* Forget what has expired; how many that were. */
size_t elems_expire(struct elems *elems, uint32_t now_s);
/* Walk: start with *cursor 0. The element's timeout_s is its expiry. No changes meanwhile. */
bool elems_next(const struct elems *elems, size_t *cursor, struct guard_elem *out);

#endif
