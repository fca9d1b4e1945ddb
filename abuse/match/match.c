/* match.c: see match.h. */
#include "abuse/match/match.h"

const char *
policy_str(enum policy_answer policy)
{
	static const char *const names[POLICY_COUNT] = { "unknown", "accept", "reject", "not-exit",
		"not-tcp" };

	return (unsigned)policy < POLICY_COUNT ? names[policy] : "unknown";
}

const char *
verdict_str(enum verdict verdict)
{
	static const char *const names[VERDICT_COUNT] = { "cannot be excluded", "unlikely",
		"excluded" };

	return (unsigned)verdict < VERDICT_COUNT ? names[verdict] : names[0];
}

static bool
accepts_port(const struct facts_policy *policy, uint16_t port)
{
	if (policy->all_but_25)
		return port != 25;
	for (size_t i = 0; i < policy->port_count; i++)
		if (policy->ports[i] == port)
			return true;
	return false;
}

/* A target network is rejected only if all of it is. */
static bool
rejects_net(const struct facts_policy *policy, const struct prefix *dst)
{
	for (size_t i = 0; i < policy->reject_net_count; i++)
		if (policy->reject_nets[i].bits <= dst->bits &&
		    prefix_contains(&policy->reject_nets[i], &dst->addr))
			return true;
	return false;
}

static const struct facts_policy *
policy_at(const struct facts_relay *relay, int64_t utc)
{
	const struct facts_policy *found = NULL;

	for (size_t i = 0; i < relay->policy_count && relay->policies[i].from_utc <= utc; i++)
		found = &relay->policies[i];
	return found;
}

static enum policy_answer
ask(const struct facts_policy *policy, const struct incident *incident)
{
	if (policy == NULL)
		return POLICY_UNKNOWN;
	if (incident->dst.addr.family != ADDR_NONE && rejects_net(policy, &incident->dst))
		return POLICY_REJECT;
	if (incident->dport == 0)
		return POLICY_UNKNOWN;
	return accepts_port(policy, incident->dport) ? POLICY_ACCEPT : POLICY_REJECT;
}

enum policy_answer
match_policy_at(const struct facts_relay *relay, const struct incident *incident, int64_t utc)
{
	return ask(policy_at(relay, utc), incident);
}

/* The verdict must hold at every moment of the span with its doubt on both sides. */
static enum verdict
verdict_over(const struct facts_relay *relay, const struct incident *incident)
{
	int64_t slack = when_slack_s(incident->basis);
	int64_t from = incident->first_utc - slack, to = incident->last_utc + slack;
	bool unknown = false;

	if (match_policy_at(relay, incident, incident->first_utc) != POLICY_REJECT)
		return VERDICT_CANNOT_BE_EXCLUDED;
	if (policy_at(relay, from) == NULL)
		unknown = true;
	for (size_t i = 0; i < relay->policy_count; i++) {
		bool before =
		    i + 1 < relay->policy_count && relay->policies[i + 1].from_utc <= from;

		if (before || relay->policies[i].from_utc > to)
			continue;
		enum policy_answer answer = ask(&relay->policies[i], incident);
		if (answer == POLICY_ACCEPT)
			return VERDICT_CANNOT_BE_EXCLUDED;
		if (answer != POLICY_REJECT)
			unknown = true;
	}
	return unknown ? VERDICT_UNLIKELY : VERDICT_EXCLUDED;
}

static bool
prefixes_touch(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, &b->addr) || prefix_contains(b, &a->addr);
}

/* The guard knows refusals by /24 and /48, however narrow the question was. */
static struct prefix
ledger_net(const struct facts_ledger *span)
{
	uint8_t known = span->prefix.addr.family == ADDR_IPV4 ? 24 : 48;

	return span->prefix.bits <= known ? span->prefix : prefix_of(&span->prefix.addr, known);
}

static void
read_refusals(const struct facts *facts, const struct incident *incident, struct match *out)
{
	for (size_t i = 0; i < facts->ledger_count; i++) {
		const struct facts_ledger *span = &facts->ledger[i];
		struct prefix net = ledger_net(span);

		if (span->from_utc > incident->last_utc || span->to_utc <= incident->first_utc ||
		    span->refused != FACTS_REFUSED_YES || !span->enforce ||
		    !prefixes_touch(&net, &incident->dst))
			continue;
		if (!out->refused || span->from_utc < out->refused_from)
			out->refused_from = span->from_utc;
		if (!out->refused || span->to_utc > out->refused_to)
			out->refused_to = span->to_utc;
		if (!out->refused || net.bits < out->refused_net.bits)
			out->refused_net = net;
		out->refused = true;
	}
}

/* Spans of the ledger that together cover the incident's own span without a gap. */
static void
read_coverage(const struct facts *facts, const struct incident *incident, struct match *out)
{
	int64_t to = incident->last_utc, covered_to = incident->first_utc;
	bool grew = true;

	while (grew && covered_to <= to) {
		grew = false;
		for (size_t i = 0; i < facts->ledger_count; i++) {
			const struct facts_ledger *span = &facts->ledger[i];
			struct prefix net = ledger_net(span);

			if (span->covered && span->from_utc <= covered_to &&
			    span->to_utc > covered_to && prefixes_touch(&net, &incident->dst)) {
				covered_to = span->to_utc;
				grew = true;
			}
		}
	}
	out->ledger_covers = covered_to > to;
}

struct match
match_incident(const struct facts *facts, const struct incident *incident)
{
	struct match out = { .policy = POLICY_UNKNOWN, .verdict = VERDICT_CANNOT_BE_EXCLUDED };
	bool is_exit;

	out.relay = facts_relay_of(facts, &incident->src, &is_exit);
	if (out.relay == NULL)
		return out;
	/* What leaves another address than the exits' is no traffic of Tor's users. */
	if (!is_exit) {
		out.policy = POLICY_NOT_EXIT;
		out.verdict = VERDICT_EXCLUDED;
		return out;
	}
	if (incident->proto == PROTO_UDP || incident->proto == PROTO_ICMP) {
		out.policy = POLICY_NOT_TCP;
		out.verdict = VERDICT_EXCLUDED;
		return out;
	}
	if (!incident->has_time)
		return out;
	out.policy = match_policy_at(out.relay, incident, incident->first_utc);
	out.verdict = verdict_over(out.relay, incident);
	if (incident->dst.addr.family != ADDR_NONE) {
		read_refusals(facts, incident, &out);
		read_coverage(facts, incident, &out);
	}
	return out;
}

static bool
env_is_own(void *arg, const struct addr *addr)
{
	bool is_exit;

	return facts_relay_of(arg, addr, &is_exit) != NULL;
}

static bool
env_is_mail_hop(void *arg, const struct addr *addr)
{
	return facts_is_mail_hop(arg, addr);
}

static bool
env_is_own_mailbox(void *arg, const char *address)
{
	return facts_is_mailbox(arg, address);
}

static bool
env_is_hoster_domain(void *arg, const char *domain)
{
	return facts_is_hoster_domain(arg, domain);
}

struct report_env
match_env(const struct facts *facts)
{
	return (struct report_env){ .is_own = env_is_own,
		.is_mail_hop = env_is_mail_hop,
		.is_own_mailbox = env_is_own_mailbox,
		.is_hoster_domain = env_is_hoster_domain,
		.arg = (void *)(uintptr_t)facts };
}
