/* plan.h: the sets and counters of the table, and how a prefix and a port become an element. */
#ifndef EXITGUARD_PLAN_PLAN_H
#define EXITGUARD_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/rc.h"

#define GUARD_TABLE      "exitguard"
#define GUARD_HOLD_MAX_S 3600   /* a detected element never lives longer (rule 7) */
#define GUARD_PIECES_MAX 256    /* elements one prefix may become */
#define GUARD_BATCH_MAX  262144 /* elements one batch may carry */

/* Keys of the sets that hold a protocol family (linux/netfilter.h). */
#define NFPROTO_IPV4_KEY 2
#define NFPROTO_IPV6_KEY 10

enum guard_set {
#define GUARD_SET(id, name, key, family, bits, use, size) id,
#define GUARD_COUNTER(id, name, text)
#include "exitguard/plan/sets.def"
#undef GUARD_SET
#undef GUARD_COUNTER
	GUARD_SET_COUNT
};

enum guard_counter {
#define GUARD_SET(id, name, key, family, bits, use, size)
#define GUARD_COUNTER(id, name, text) id,
#include "exitguard/plan/sets.def"
#undef GUARD_SET
#undef GUARD_COUNTER
	GUARD_COUNTER_COUNT
};

enum guard_key {
	GUARD_KEY_NFPROTO,
	GUARD_KEY_UID,
	GUARD_KEY_MARK,
	GUARD_KEY_ADDR,
	GUARD_KEY_ADDR_PORT
};
enum guard_use { GUARD_USE_STATIC, GUARD_USE_TIMED, GUARD_USE_LIMIT };

struct guard_set_info {
	const char *name;
	enum guard_key key;
	uint8_t family; /* enum addr_family */
	uint8_t bits;
	enum guard_use use;
	uint32_t size; /* 0: the kernel's own choice */
};

struct guard_counter_info {
	const char *name, *text;
};

extern const struct guard_set_info guard_sets[GUARD_SET_COUNT];
extern const struct guard_counter_info guard_counters[GUARD_COUNTER_COUNT];

/* One element. Bytes of key past the set's key length and the port of a set without one are
 * zero, so that a plain memcmp compares elements. */
struct guard_elem {
	uint8_t set; /* enum guard_set */
	uint8_t zero;
	uint16_t port;      /* host order */
	uint32_t timeout_s; /* 0: for good */
	uint8_t key[16];    /* the masked address; NFPROTO, UID, MARK: 4 bytes in host order */
};

_Static_assert(sizeof(struct guard_elem) == 24, "element has no padding");

/* True if the set exists, may be written from outside the kernel, and the element is in the one
 * form it may have (host bits zero, timeout only where there can be one). */
bool guard_elem_is_valid(const struct guard_elem *elem);
struct guard_elem guard_elem_u32(enum guard_set set, uint32_t key);
struct guard_elem guard_elem_addr(
    enum guard_set set, const struct addr *addr, uint16_t port, uint32_t timeout_s);
/* The element's address; family ADDR_NONE where the key is none. */
struct addr guard_elem_to_addr(const struct guard_elem *elem);

/* What the engine asks for. RC_UNSUPPORTED: no set holds such a pair of length and port. The
 * timeout is cut to GUARD_HOLD_MAX_S, and is at least a second. */
enum rc guard_plan_detected(
    const struct prefix *prefix, uint16_t port, uint32_t hold_ms, struct guard_elem *out);

/* The operator's bans and allowances: any IPv4 prefix of /16 or longer, IPv6 /40 to /48 and
 * /120 to /128, cut into pieces the hash sets can hold. RC_RANGE for others. */
enum guard_list { GUARD_LIST_BAN, GUARD_LIST_ALLOW };
enum rc guard_plan_list(enum guard_list list, const struct prefix *prefix, uint32_t timeout_s,
    struct guard_elem out[GUARD_PIECES_MAX], size_t *count);

#endif
