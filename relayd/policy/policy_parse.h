/* policy_parse.h: entries of an exit policy, text to rules. Within policy/ only. */
#ifndef RELAYD_POLICY_POLICY_PARSE_H
#define RELAYD_POLICY_POLICY_PARSE_H

#include "common/bytes.h"
#include "relayd/policy/policy.h"

#define POLICY_RULES_MAX 4096 /* rules of one policy, after `*` and `private` are spread out */

struct policy_rules {
	struct policy_rule *rules;
	size_t count, cap;
};

/* RC_LIMIT past POLICY_RULES_MAX. */
enum rc policy_rules_add(struct policy_rules *list, const struct policy_rule *rule);
/* One entry without its comma: "accept *:80". Adds one rule or more. */
enum rc policy_entry_parse(struct span entry, struct policy_rules *list, const char **why);
/* Entries with commas between them; empty ones are skipped. On error *bad is the entry. */
enum rc policy_entries_parse(
    struct span text, struct policy_rules *list, struct span *bad, const char **why);
/* Is this prefix, exactly, one of the networks that `private` stands for? */
bool policy_net_is_private(const struct prefix *p);

#endif
