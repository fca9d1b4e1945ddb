/* lists.h: the operator's bans and allowances, from the configuration and by exitguardctl, and
 * the file that keeps the latter and the mode over restarts. */
#ifndef EXITGUARD_FRONT_LISTS_H
#define EXITGUARD_FRONT_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "exitguard/plan/elems.h"
#include "exitguard/plan/settings.h"

#define LISTS_MAX 65536

struct list_entry {
	struct prefix prefix;
	enum guard_list list;
	int64_t until; /* UTC seconds; 0: for good */
	bool from_config;
};

struct lists {
	struct list_entry *entries;
	size_t count;
	struct elems lookup; /* the pieces; expiry in UTC seconds */
};

void lists_init(struct lists *lists, const uint8_t hash_key[16]);
void lists_clear(struct lists *lists);

/* An entry known already gets the new end. RC_RANGE: guard_plan_list cannot hold this prefix. */
enum rc lists_put(struct lists *lists, const struct list_entry *entry);
/* RC_NOT_FOUND; RC_DENIED if it comes from the configuration. */
enum rc lists_del(struct lists *lists, enum guard_list list, const struct prefix *prefix);
bool lists_expire(struct lists *lists, int64_t now); /* true if something went */
void lists_drop_config(struct lists *lists);

/* Is the address on that list? An allowance wins over a ban: the caller asks for it first. */
bool lists_have(const struct lists *lists, enum guard_list list, const struct addr *addr);

/* The state file: the same option lines as the configuration. */
enum rc lists_save(const struct lists *lists, enum guard_mode mode, const char *path);
/* has_mode: the file says one. A missing file is RC_OK and empty. Wrong lines are counted. */
enum rc lists_load(struct lists *lists, const char *path, int64_t now, bool *has_mode,
    enum guard_mode *mode, unsigned *wrong);

#endif
