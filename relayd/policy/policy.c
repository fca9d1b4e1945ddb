/* policy.c: a policy put together, trimmed of dead rules, and asked. Pure. */
#include "relayd/policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/policy/policy_parse.h"

struct policy {
	struct policy_rules list;
};

/* Both as stock tor 0.4.9 has them. */
static const char default_entries[] =
    "reject *:25, reject *:119, reject *:135-139, reject *:445, reject *:563, reject *:1214,"
    "reject *:4661-4666, reject *:6346-6429, reject *:6699, reject *:6881-6999, accept *:*";

static const uint16_t reduced_ports[][2] = {
	{ 20, 23 },
	{ 43, 43 },
	{ 53, 53 },
	{ 79, 81 },
	{ 88, 88 },
	{ 110, 110 },
	{ 143, 143 },
	{ 194, 194 },
	{ 220, 220 },
	{ 389, 389 },
	{ 443, 443 },
	{ 464, 464 },
	{ 465, 465 },
	{ 531, 531 },
	{ 543, 544 },
	{ 554, 554 },
	{ 563, 563 },
	{ 587, 587 },
	{ 636, 636 },
	{ 706, 706 },
	{ 749, 749 },
	{ 873, 873 },
	{ 902, 904 },
	{ 981, 981 },
	{ 989, 995 },
	{ 1194, 1194 },
	{ 1220, 1220 },
	{ 1293, 1293 },
	{ 1500, 1500 },
	{ 1533, 1533 },
	{ 1677, 1677 },
	{ 1723, 1723 },
	{ 1755, 1755 },
	{ 1863, 1863 },
	{ 2082, 2083 },
	{ 2086, 2087 },
	{ 2095, 2096 },
	{ 2102, 2104 },
	{ 3128, 3128 },
	{ 3389, 3389 },
	{ 3690, 3690 },
	{ 4321, 4321 },
	{ 4643, 4643 },
	{ 5050, 5050 },
	{ 5190, 5190 },
	{ 5222, 5223 },
	{ 5228, 5228 },
	{ 5900, 5900 },
	{ 6660, 6669 },
	{ 6679, 6679 },
	{ 6697, 6697 },
	{ 8000, 8000 },
	{ 8008, 8008 },
	{ 8074, 8074 },
	{ 8080, 8080 },
	{ 8082, 8082 },
	{ 8087, 8088 },
	{ 8232, 8233 },
	{ 8332, 8333 },
	{ 8443, 8443 },
	{ 8888, 8888 },
	{ 9418, 9418 },
	{ 9999, 9999 },
	{ 10000, 10000 },
	{ 11371, 11371 },
	{ 18080, 18081 },
	{ 18089, 18089 },
	{ 19294, 19294 },
	{ 19638, 19638 },
	{ 50002, 50002 },
	{ 64738, 64738 },
};

static enum rc
add_text(struct policy_rules *list, const char *text)
{
	struct span bad;
	const char *why;

	return policy_entries_parse(span_of_str(text), list, &bad, &why);
}

static enum rc
add_reduced(struct policy_rules *list)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(reduced_ports) / sizeof(reduced_ports[0]); i++) {
		struct policy_rule rule = { .accept = true,
			.port_from = reduced_ports[i][0],
			.port_to = reduced_ports[i][1] };

		for (int six = 0; six < 2 && rc == RC_OK; six++) {
			rule.family = six ? ADDR_IPV6 : ADDR_IPV4;
			rule.prefix.addr.family = rule.family;
			rc = policy_rules_add(list, &rule);
		}
	}
	return rc == RC_OK ? add_text(list, "reject *:*") : rc;
}

/* Our own public addresses; internal ones are among the private networks. */
static enum rc
add_own(struct policy_rules *list, const struct policy_options *options)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < options->own_count && rc == RC_OK; i++) {
		const struct addr *own = &options->own[i];
		struct policy_rule rule = { .family = own->family,
			.prefix = prefix_of(own, (uint8_t)(addr_len(own) * 8)),
			.port_from = 1,
			.port_to = 65535 };

		if (!addr_is_internal(own) && (own->family == ADDR_IPV4 || options->ipv6_exit))
			rc = policy_rules_add(list, &rule);
	}
	return rc;
}

static bool
rule_is_catch_all(const struct policy_rule *r)
{
	return r->prefix.bits == 0 && r->port_from == 1 && r->port_to == 65535;
}

static bool
net_covers(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->prefix.bits <= b->prefix.bits && prefix_contains(&a->prefix, &b->prefix.addr);
}

/* Everything that b matches, a matches. */
static bool
rule_covers(const struct policy_rule *a, const struct policy_rule *b)
{
	return net_covers(a, b) && a->port_from <= b->port_from && a->port_to >= b->port_to;
}

static bool
rule_intersects(const struct policy_rule *a, const struct policy_rule *b)
{
	return (net_covers(a, b) || net_covers(b, a)) && a->port_from <= b->port_to &&
	       b->port_from <= a->port_to;
}

/* Drop each rule that an earlier one covers: it is never reached. */
static void
drop_unreachable(struct policy_rules *list)
{
	bool done_v4 = false, done_v6 = false;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct policy_rule rule = list->rules[i];
		bool dead = rule.family == ADDR_IPV4 ? done_v4 : done_v6;

		for (size_t k = 0; k < kept && !dead; k++)
			dead = rule_covers(&list->rules[k], &rule);
		if (dead)
			continue;
		list->rules[kept++] = rule;
		if (rule_is_catch_all(&rule)) {
			done_v4 |= rule.family == ADDR_IPV4;
			done_v6 |= rule.family == ADDR_IPV6;
		}
	}
	list->count = kept;
}

/* Does a later rule say the same about all of rules[i], with none between that says otherwise
 * about a part of it? */
static bool
rule_is_repeated_later(const struct policy_rules *list, size_t i)
{
	const struct policy_rule *rule = &list->rules[i];

	for (size_t k = i + 1; k < list->count; k++) {
		const struct policy_rule *later = &list->rules[k];

		if (later->accept != rule->accept) {
			if (rule_intersects(rule, later))
				return false;
		} else if (rule_covers(later, rule))
			return true;
	}
	return false;
}

static void
drop_repeated(struct policy_rules *list)
{
	for (size_t i = 0; i < list->count;) {
		if (!rule_is_repeated_later(list, i)) {
			i++;
			continue;
		}
		memmove(&list->rules[i], &list->rules[i + 1],
		    (list->count - i - 1) * sizeof(list->rules[0]));
		list->count--;
	}
}

static enum rc
add_configured(
    struct policy_rules *list, const char *const *values, size_t count, char *why, size_t why_len)
{
	for (size_t i = 0; i < count; i++) {
		const char *reason = NULL;
		struct span bad = { 0 };
		enum rc rc = policy_entries_parse(span_of_str(values[i]), list, &bad, &reason);

		if (rc != RC_OK) {
			snprintf(why, why_len, "\"%.*s\": %s", bad.len < 200 ? (int)bad.len : 200,
			    bad.len != 0 ? (const char *)bad.data : "",
			    reason != NULL ? reason : rc_str(rc));
			return rc;
		}
	}
	return RC_OK;
}

static enum rc
add_all(struct policy_rules *list, const char *const *values, size_t count,
    const struct policy_options *options, char *why, size_t why_len)
{
	enum rc rc = RC_OK;

	if (!options->exit_relay)
		return add_text(list, "reject *:*");
	if (!options->ipv6_exit)
		rc = add_text(list, "reject *6:*");
	if (rc == RC_OK && options->reject_private) {
		rc = add_text(list, "reject private:*");
		if (rc == RC_OK)
			rc = add_own(list, options);
	}
	if (rc == RC_OK)
		rc = add_configured(list, values, count, why, why_len);
	if (rc == RC_OK)
		rc = options->reduced ? add_reduced(list) : add_text(list, default_entries);
	return rc;
}

enum rc
policy_build(const char *const *values, size_t count, const struct policy_options *options,
    struct policy **out, char *why, size_t why_len)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	*out = NULL;
	if (why_len != 0)
		why[0] = '\0';
	if (policy == NULL)
		return RC_NO_MEMORY;
	enum rc rc = add_all(&policy->list, values, count, options, why, why_len);
	if (rc != RC_OK) {
		if (why_len != 0 && why[0] == '\0')
			snprintf(why, why_len, "%s", rc_str(rc));
		policy_free(&policy);
		return rc;
	}
	drop_unreachable(&policy->list);
	drop_repeated(&policy->list);
	*out = policy;
	return RC_OK;
}

void
policy_free(struct policy **policy)
{
	if (*policy == NULL)
		return;
	free((*policy)->list.rules);
	free(*policy);
	*policy = NULL;
}

static bool
first_match(const struct policy *policy, const struct addr *addr, uint16_t port)
{
	for (size_t i = 0; i < policy->list.count; i++) {
		const struct policy_rule *rule = &policy->list.rules[i];

		if (port >= rule->port_from && port <= rule->port_to &&
		    rule->family == addr->family &&
		    (rule->prefix.bits == 0 || prefix_contains(&rule->prefix, addr)))
			return rule->accept;
	}
	return false;
}

bool
policy_allows(const struct policy *policy, const struct addr *addr, uint16_t port)
{
	struct addr plain = addr_unmap(addr);

	if (port == 0 || addr_len(addr) == 0 || !first_match(policy, addr, port))
		return false;
	/* ::ffff:a.b.c.d leads to a.b.c.d, so that it must be allowed as well. */
	return plain.family == addr->family || first_match(policy, &plain, port);
}

bool
policy_is_reject_all(const struct policy *policy)
{
	for (size_t i = 0; i < policy->list.count; i++)
		if (policy->list.rules[i].accept)
			return false;
	return true;
}

static bool
family_may_allow_port(const struct policy *policy, uint8_t family, uint16_t port)
{
	for (size_t i = 0; i < policy->list.count; i++) {
		const struct policy_rule *rule = &policy->list.rules[i];

		if (rule->family != family || port < rule->port_from || port > rule->port_to)
			continue;
		if (rule->accept || rule->prefix.bits == 0)
			return rule->accept;
	}
	return false;
}

bool
policy_may_allow_port(const struct policy *policy, uint16_t port)
{
	return family_may_allow_port(policy, ADDR_IPV4, port) ||
	       family_may_allow_port(policy, ADDR_IPV6, port);
}

size_t
policy_rule_count(const struct policy *policy)
{
	return policy->list.count;
}

const struct policy_rule *
policy_rule(const struct policy *policy, size_t index)
{
	return index < policy->list.count ? &policy->list.rules[index] : NULL;
}
