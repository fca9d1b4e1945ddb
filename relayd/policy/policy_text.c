/* policy_text.c: a policy as text: the lines and the short IPv6 form of a descriptor (dir-spec
 * 2.1.1 and 3.8.2, ipv6-policy). Pure. */
#include "relayd/policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/policy/policy_parse.h"

static void
target_write(struct wr *wr, const struct policy_rule *rule)
{
	char buf[ADDR_STR_LEN];
	bool six = rule->family == ADDR_IPV6;

	if (rule->prefix.bits == 0)
		wr_str(wr, "*");
	else
		wr_printf(wr, six ? "[%s]" : "%s", addr_str(&rule->prefix.addr, buf));
	if (rule->prefix.bits != 0 && rule->prefix.bits != addr_len(&rule->prefix.addr) * 8)
		wr_printf(wr, "/%u", rule->prefix.bits);
}

static void
ports_write(struct wr *wr, uint16_t from, uint16_t to)
{
	wr_printf(wr, "%u", from);
	if (from != to)
		wr_printf(wr, "-%u", to);
}

const char *
policy_rule_str(const struct policy_rule *rule, char *buf, size_t len)
{
	struct wr wr = wr_to(buf, len);

	wr_printf(
	    &wr, "%s%s ", rule->accept ? "accept" : "reject", rule->family == ADDR_IPV6 ? "6" : "");
	target_write(&wr, rule);
	wr_str(&wr, ":");
	if (rule->port_from <= 1 && rule->port_to == 65535)
		wr_str(&wr, "*");
	else
		ports_write(&wr, rule->port_from, rule->port_to);
	wr_u8(&wr, '\0');
	if (wr.rc != RC_OK && len != 0)
		buf[0] = '\0';
	return buf;
}

/* A span of ports that all rules treat alike. Rejected space is counted in /64 networks; past a
 * /16 of it a port no longer counts as open, whatever is accepted later. */
struct summary_part {
	uint32_t from; /* to the next part's from, less one */
	bool accepted;
	uint64_t rejected;
};
#define REJECTED_TOO_MUCH ((uint64_t)1 << 48)

static int
part_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct summary_part *)a)->from;
	uint32_t y = ((const struct summary_part *)b)->from;

	return x < y ? -1 : x > y;
}

/* Cut the ports at each rule's edges. Returns how many parts, the last being a mark at 65536. */
static size_t
summary_cut(const struct policy *policy, struct summary_part *parts)
{
	size_t n = 0, kept = 0;

	parts[n++] = (struct summary_part){ .from = 1 };
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule *rule = policy_rule(policy, i);

		if (rule->family != ADDR_IPV6)
			continue;
		parts[n++] = (struct summary_part){ .from = rule->port_from };
		parts[n++] = (struct summary_part){ .from = rule->port_to + 1u };
	}
	parts[n++] = (struct summary_part){ .from = 65536 };
	qsort(parts, n, sizeof(*parts), part_compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || parts[kept - 1].from != parts[i].from)
			parts[kept++] = parts[i];
	return kept;
}

static void
summary_apply(const struct policy_rule *rule, struct summary_part *parts, size_t count)
{
	uint64_t nets = 0;

	if (rule->accept && rule->prefix.bits != 0)
		return;
	if (!rule->accept) {
		if (rule->prefix.bits > 64 || policy_net_is_private(&rule->prefix))
			return;
		nets =
		    rule->prefix.bits == 0 ? UINT64_MAX : (uint64_t)1 << (64 - rule->prefix.bits);
	}
	for (size_t i = 0; i < count; i++) {
		struct summary_part *part = &parts[i];

		if (part->from < rule->port_from || part->from > rule->port_to)
			continue;
		if (rule->accept)
			part->accepted |= part->rejected <= REJECTED_TOO_MUCH;
		else
			part->rejected =
			    nets > UINT64_MAX - part->rejected ? UINT64_MAX : part->rejected + nets;
	}
}

/* The accepted or the rejected ports as a list. */
static size_t
summary_list(const struct summary_part *parts, size_t count, bool accepted, struct wr *wr)
{
	size_t ranges = 0;

	for (size_t i = 0; i + 1 < count;) {
		size_t end = i + 1;

		while (end + 1 < count && parts[end].accepted == parts[i].accepted)
			end++;
		if (parts[i].accepted == accepted) {
			if (ranges++ != 0)
				wr_str(wr, ",");
			ports_write(wr, (uint16_t)parts[i].from, (uint16_t)(parts[end].from - 1));
		}
		i = end;
	}
	return ranges;
}

/* Stock's rule: the shorter list; if both are over SUMMARY_MAX, as much of the accepted ports as
 * fits. */
#define SUMMARY_MAX 1000
#define LIST_ROOM   (2 * POLICY_RULES_MAX * 12 + 64)

static enum rc
summary_write(const struct summary_part *parts, size_t count, char *lists, struct wr *out)
{
	struct wr accepts = wr_to(lists, LIST_ROOM), rejects = wr_to(lists + LIST_ROOM, LIST_ROOM);
	size_t accept_ranges = summary_list(parts, count, true, &accepts);
	size_t reject_ranges = summary_list(parts, count, false, &rejects);
	struct span shown = wr_written(&accepts);
	bool accept = true;

	if (accepts.rc != RC_OK || rejects.rc != RC_OK)
		return RC_LIMIT;
	if (accept_ranges == 0)
		return RC_OK;
	if (wr_len(&accepts) > SUMMARY_MAX - 7 && wr_len(&rejects) > SUMMARY_MAX - 7) {
		for (shown.len = SUMMARY_MAX - 7; shown.data[shown.len] != ',';)
			shown.len--;
	} else if (reject_ranges != 0 && wr_len(&rejects) < wr_len(&accepts)) {
		shown = wr_written(&rejects);
		accept = false;
	}
	wr_str(out, accept ? "accept " : "reject ");
	wr_span(out, shown);
	return out->rc;
}

enum rc
policy_ipv6_summary(const struct policy *policy, char *buf, size_t len)
{
	size_t room = 2 * policy_rule_count(policy) + 2, count;
	struct summary_part *parts = calloc(room, sizeof(*parts));
	char *lists = malloc(2 * LIST_ROOM);
	struct wr out = wr_to(buf, len);
	enum rc rc = RC_NO_MEMORY;

	if (parts != NULL && lists != NULL) {
		count = summary_cut(policy, parts);
		for (size_t i = 0; i < policy_rule_count(policy); i++)
			if (policy_rule(policy, i)->family == ADDR_IPV6)
				summary_apply(policy_rule(policy, i), parts, count);
		rc = summary_write(parts, count, lists, &out);
	}
	wr_u8(&out, '\0');
	if (rc == RC_OK)
		rc = out.rc;
	if (rc != RC_OK && len != 0)
		buf[0] = '\0';
	free(parts);
	free(lists);
	return rc;
}
