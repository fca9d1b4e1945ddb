/* vars.c: see vars.h. Only what the mail says (claims) and what the facts prove (findings,
 * refusals) becomes a value. */
#include "abuse/letter/vars.h"

#include <stdlib.h>
#include <string.h>

#include "abuse/mail/text.h"

#define CLAIMS_SHOWN   5u
#define FINDINGS_SHOWN 8u
#define REFUSALS_SHOWN 4u
#define TARGETS_SHOWN  4u
#define VALUES_MAX     40u

struct maker {
	struct arena *arena;
	struct template_value *values;
	size_t count;
};

static struct maker
maker_new(struct arena *a)
{
	return (struct maker){ .arena = a,
		.values = arena_array(a, VALUES_MAX, sizeof(struct template_value)) };
}

static struct template_value *
add(struct maker *m, const char *name, enum template_type type)
{
	if (m->count == VALUES_MAX)
		abort(); /* our own mistake: a scope grew past its room */
	struct template_value *v = &m->values[m->count++];
	*v = (struct template_value){ .name = name, .type = type, .text = "" };
	return v;
}

static void
add_text(struct maker *m, const char *name, const char *text)
{
	add(m, name, TEMPLATE_TEXT)->text = text;
}

static void
add_flag(struct maker *m, const char *name, bool flag)
{
	add(m, name, TEMPLATE_FLAG)->flag = flag;
}

static void
add_list(struct maker *m, const char *name, const struct template_scope *elements, size_t count)
{
	struct template_value *v = add(m, name, TEMPLATE_LIST);

	v->elements = elements;
	v->element_count = count;
}

static struct template_scope
maker_scope(const struct maker *m)
{
	return (struct template_scope){ .values = m->values, .count = m->count };
}

static const char *
number_text(struct arena *a, unsigned long n)
{
	return n == 0 ? "" : arena_printf(a, "%lu", n);
}

static const char *
copy_text(struct arena *a, const char *text)
{
	return arena_str(a, span_of_str(text));
}

static const char *
prefix_text(struct arena *a, const struct prefix *p)
{
	char buf[ADDR_STR_LEN];

	if (p->addr.family == ADDR_NONE)
		return "";
	if (p->bits == addr_len(&p->addr) * 8)
		return copy_text(a, addr_str(&p->addr, buf));
	return copy_text(a, prefix_str(p, buf));
}

static struct template_scope
claim_scope(struct arena *a, const struct incident *it)
{
	struct maker m = maker_new(a);
	char buf[ADDR_STR_LEN], when[WHEN_STR_LEN], zone[ZONE_STR_LEN];
	const struct zone utc = zone_utc();
	bool several = it->has_time && it->last_utc != it->first_utc;
	bool local = it->has_time && zone_offset_at(&it->zone, it->first_utc) != 0;

	add_text(&m, "src", copy_text(a, addr_str(&it->src, buf)));
	add_text(&m, "dst", prefix_text(a, &it->dst));
	add_text(&m, "dport", number_text(a, it->dport));
	add_text(&m, "proto", proto_str(it->proto) == NULL ? "" : proto_str(it->proto));
	add_text(&m, "first",
	    it->has_time ? copy_text(a, when_wall_str(it->first_utc, &utc, when)) : "");
	add_text(&m, "last", several ? copy_text(a, when_wall_str(it->last_utc, &utc, when)) : "");
	add_text(&m, "first_local",
	    local ? copy_text(a, when_wall_str(it->first_utc, &it->zone, when)) : "");
	add_text(&m, "last_local",
	    local && several ? copy_text(a, when_wall_str(it->last_utc, &it->zone, when)) : "");
	add_text(
	    &m, "local_zone", local ? copy_text(a, zone_str(&it->zone, it->first_utc, zone)) : "");
	add_text(&m, "count", it->count > 1 ? number_text(a, it->count) : "");
	return maker_scope(&m);
}

/* What makes two findings alike. */
struct finding {
	struct match match;
	struct addr src;
	uint16_t dport;
	bool has_time;
	int64_t since;
	struct names targets; /* the first few, as text */
	size_t target_count;
};

static int64_t
policy_since(const struct facts_relay *relay, const struct incident *it)
{
	int64_t since = 0;

	for (size_t i = 0; it->has_time && i < relay->policy_count; i++)
		if (relay->policies[i].from_utc <= it->first_utc)
			since = relay->policies[i].from_utc;
	return since;
}

static bool
alike(const struct finding *a, const struct finding *b)
{
	return a->match.relay == b->match.relay && a->match.policy == b->match.policy &&
	       a->match.verdict == b->match.verdict && addr_equal(&a->src, &b->src) &&
	       a->dport == b->dport && a->has_time == b->has_time && a->since == b->since;
}

static const char *
targets_text(struct arena *a, const struct finding *f)
{
	struct arena_text out = { .arena = a };

	for (size_t i = 0; i < f->targets.count; i++) {
		if (i != 0)
			arena_text_add_str(&out, ", ");
		arena_text_add_str(&out, f->targets.name[i]);
	}
	return arena_text_str(&out);
}

static struct template_scope
finding_scope(struct arena *a, const struct finding *f, bool one_of_many)
{
	struct maker m = maker_new(a);
	const struct match *match = &f->match;
	const struct zone utc = zone_utc();
	char buf[ADDR_STR_LEN], when[WHEN_STR_LEN];
	bool unknown = match->policy == POLICY_UNKNOWN;

	add_text(&m, "src", copy_text(a, addr_str(&f->src, buf)));
	add_text(&m, "relay", match->relay->nickname);
	add_text(&m, "port", number_text(a, f->dport));
	add_text(
	    &m, "since", f->since != 0 ? copy_text(a, when_wall_str(f->since, &utc, when)) : "");
	add_text(&m, "targets", one_of_many ? targets_text(a, f) : "");
	add_text(&m, "targets_more", number_text(a, f->target_count - f->targets.count));
	add_text(&m, "verdict", verdict_str(match->verdict));
	add_flag(&m, "accept", match->policy == POLICY_ACCEPT);
	add_flag(&m, "reject", match->policy == POLICY_REJECT);
	add_flag(&m, "excluded", match->verdict == VERDICT_EXCLUDED);
	add_flag(&m, "unlikely", match->verdict == VERDICT_UNLIKELY);
	add_flag(&m, "not_exit", match->policy == POLICY_NOT_EXIT);
	add_flag(&m, "not_tcp", match->policy == POLICY_NOT_TCP);
	add_flag(&m, "no_time", unknown && !f->has_time);
	add_flag(&m, "no_port", unknown && f->has_time && f->dport == 0 && f->since != 0);
	add_flag(&m, "no_policy", unknown && f->has_time && f->since == 0);
	return maker_scope(&m);
}

/* Everything that is collected from the incidents of our own addresses. */
struct tally {
	struct template_scope claims[CLAIMS_SHOWN];
	struct finding findings[FINDINGS_SHOWN];
	struct match refused[REFUSALS_SHOWN];
	size_t claim_count, finding_count, refusal_count, own_count, targets;
	bool time_missing, port_missing, target_missing, some_open, some_exit;
	enum when_basis basis;
	struct zone zone;
	const struct incident *first;
};

static void
tally_refusal(const struct match *match, struct tally *t)
{
	struct match *known = NULL;

	for (size_t i = 0; i < t->refusal_count && known == NULL; i++)
		if (prefix_equal(&t->refused[i].refused_net, &match->refused_net))
			known = &t->refused[i];
	if (known == NULL && t->refusal_count < REFUSALS_SHOWN)
		t->refused[t->refusal_count++] = *match;
	if (known == NULL)
		return;
	if (match->refused_from < known->refused_from)
		known->refused_from = match->refused_from;
	if (match->refused_to > known->refused_to)
		known->refused_to = match->refused_to;
}

static struct template_scope
refusal_scope(struct arena *a, const struct match *match)
{
	struct maker m = maker_new(a);
	const struct zone utc = zone_utc();
	char when[WHEN_STR_LEN];

	add_text(&m, "net", prefix_text(a, &match->refused_net));
	add_text(&m, "from", copy_text(a, when_wall_str(match->refused_from, &utc, when)));
	add_text(&m, "to", copy_text(a, when_wall_str(match->refused_to, &utc, when)));
	return maker_scope(&m);
}

static void
tally_finding(
    struct arena *a, const struct incident *it, const struct finding *found, struct tally *t)
{
	struct finding *f = NULL;

	for (size_t i = 0; i < t->finding_count && f == NULL; i++)
		if (alike(&t->findings[i], found))
			f = &t->findings[i];
	if (f == NULL && t->finding_count == FINDINGS_SHOWN)
		return;
	if (f == NULL) {
		f = &t->findings[t->finding_count++];
		*f = *found;
	}
	if (it->dst.addr.family == ADDR_NONE)
		return;
	f->target_count++;
	if (f->targets.count < TARGETS_SHOWN)
		names_add(&f->targets, prefix_text(a, &it->dst));
}

static void
tally_incident(
    const struct facts *facts, struct arena *a, const struct incident *it, struct tally *t)
{
	struct finding f = { .match = match_incident(facts, it),
		.src = it->src,
		.dport = it->dport,
		.has_time = it->has_time };

	if (f.match.relay == NULL)
		return;
	f.since = policy_since(f.match.relay, it);
	if (t->first == NULL || (it->has_time && !t->first->has_time))
		t->first = it;
	t->own_count++;
	if (t->claim_count < CLAIMS_SHOWN)
		t->claims[t->claim_count++] = claim_scope(a, it);
	tally_finding(a, it, &f, t);
	if (f.match.refused)
		tally_refusal(&f.match, t);
	t->time_missing = t->time_missing || !it->has_time;
	t->port_missing = t->port_missing || (it->dport == 0 && it->proto != PROTO_ICMP);
	t->target_missing = t->target_missing || it->dst.addr.family == ADDR_NONE;
	t->some_exit = t->some_exit || f.match.policy != POLICY_NOT_EXIT;
	t->some_open = t->some_open || f.match.verdict != VERDICT_EXCLUDED;
	if (it->has_time && (t->basis == WHEN_NONE || it->basis < t->basis)) {
		t->basis = it->basis;
		t->zone = it->zone;
	}
}

static const char *
sources_text(struct arena *a, const struct facts *facts, const struct complaint *c, bool relays,
    bool *several)
{
	struct arena_text out = { .arena = a };
	struct names names = { 0 };
	char buf[ADDR_STR_LEN];

	for (size_t i = 0; i < c->incident_count; i++) {
		bool is_exit;
		const struct facts_relay *relay =
		    facts_relay_of(facts, &c->incidents[i].src, &is_exit);

		if (relay == NULL)
			continue;
		const char *name = relays ? relay->nickname : addr_str(&c->incidents[i].src, buf);
		if (names_have(&names, name))
			continue;
		if (out.len != 0)
			arena_text_add_str(&out, ", ");
		arena_text_add_str(&out, name);
		names_add(&names, copy_text(a, name));
	}
	*several = names.count > 1;
	return arena_text_str(&out);
}

static const char *
exonerator_link(struct arena *a, const struct incident *it)
{
	char buf[ADDR_STR_LEN], when[WHEN_STR_LEN];

	if (it == NULL || !it->has_time)
		return "";
	const char *day = when_iso_str(it->first_utc, when);
	return arena_printf(a,
	    "https://metrics.torproject.org/exonerator.html?ip=%s&timestamp=%.10s&lang=en",
	    addr_str(&it->src, buf), day);
}

static void
add_category(struct maker *m, enum category category)
{
	add_flag(m, "is_ssh", category == CATEGORY_SSH);
	add_flag(m, "is_login", category == CATEGORY_LOGIN);
	add_flag(m, "is_web", category == CATEGORY_WEB_LOGIN || category == CATEGORY_WEB_ATTACK);
	add_flag(m, "is_scan", category == CATEGORY_PORT_SCAN);
	add_flag(m, "is_dos", category == CATEGORY_DOS);
	add_flag(m, "is_spam", category == CATEGORY_SPAM || category == CATEGORY_COMMENT_SPAM);
}

static void
add_tally(struct maker *m, const struct tally *t)
{
	struct arena *a = m->arena;
	struct template_scope *claims = arena_array(a, CLAIMS_SHOWN, sizeof(*claims));
	struct template_scope *refusals = arena_array(a, REFUSALS_SHOWN, sizeof(*refusals));
	struct template_scope *findings = arena_array(a, FINDINGS_SHOWN, sizeof(*findings));
	bool doubt = t->basis == WHEN_DATE_HEADER || t->basis == WHEN_ASSUMED_UTC;
	char zone[ZONE_STR_LEN];

	memcpy(claims, t->claims, sizeof(t->claims));
	for (size_t i = 0; i < t->refusal_count; i++)
		refusals[i] = refusal_scope(a, &t->refused[i]);
	for (size_t i = 0; i < t->finding_count; i++)
		findings[i] = finding_scope(a, &t->findings[i], t->finding_count > 1);
	add_list(m, "claims", claims, t->claim_count);
	add_list(m, "findings", findings, t->finding_count);
	add_list(m, "refusals", refusals, t->refusal_count);
	add_text(m, "more_count", number_text(a, t->own_count - t->claim_count));
	add_text(m, "exonerator", exonerator_link(a, t->first));
	add_text(m, "assumed_zone",
	    doubt ? copy_text(a, zone_str(&t->zone, t->first->first_utc, zone)) : "");
	add_text(m, "slack_hours",
	    doubt ? number_text(a, (unsigned long)when_slack_s(t->basis) / 3600) : "");
	add_flag(m, "zone_not_told", doubt);
	add_flag(m, "zone_from_date", t->basis == WHEN_DATE_HEADER);
	add_flag(m, "time_missing", t->time_missing);
	add_flag(m, "port_missing", t->port_missing);
	add_flag(m, "target_missing", t->target_missing);
	add_flag(m, "something_missing", t->time_missing || t->port_missing || t->target_missing);
	add_flag(m, "all_excluded", t->finding_count != 0 && !t->some_open);
	add_flag(m, "some_open", t->some_open);
	add_flag(m, "some_exit", t->some_exit);
}

struct template_scope
letter_scope(const struct facts *facts, const struct complaint *c)
{
	struct arena *a = c->arena;
	struct maker m = maker_new(a);
	struct tally *t = arena_alloc(a, sizeof(*t));
	bool several, several_relays;

	for (size_t i = 0; i < c->incident_count; i++)
		tally_incident(facts, a, &c->incidents[i], t);
	const char *sources = sources_text(a, facts, c, false, &several);
	add_text(&m, "operator", facts->operator_name);
	add_text(&m, "ticket", c->ticket);
	add_text(&m, "sources", sources);
	add_flag(&m, "several_sources", several);
	add_text(&m, "relays", sources_text(a, facts, c, true, &several_relays));
	add_text(&m, "events", c->events > 1 ? number_text(a, c->events) : "");
	add_text(
	    &m, "target_count", t->own_count > CLAIMS_SHOWN ? number_text(a, t->own_count) : "");
	add_flag(&m, "port_by_service", names_have(&c->flags, "port-by-service"));
	add_category(&m, c->category);
	add_tally(&m, t);
	return maker_scope(&m);
}
