/* record.c: see record.h. Pure. */
#include "abuse/case/record.h"

#include <stdlib.h>
#include <string.h>

/* What is known of ours and of others, collected from the incidents. */
struct summary {
	json_t *sources, *foreign, *victims, *ports, *incidents;
	bool has_time;
	int64_t first_utc, last_utc;
	enum when_basis basis;
};

static json_t *
text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *
number_or_null(unsigned long n)
{
	return n == 0 ? json_null() : json_integer((json_int_t)n);
}

static json_t *
time_or_null(bool has, int64_t utc)
{
	char buf[WHEN_STR_LEN];

	return has ? json_string(when_iso_str(utc, buf)) : json_null();
}

static json_t *
prefix_or_null(const struct prefix *p)
{
	char buf[ADDR_STR_LEN];

	if (p->addr.family == ADDR_NONE)
		return json_null();
	if (p->bits == addr_len(&p->addr) * 8)
		return json_string(addr_str(&p->addr, buf));
	return json_string(prefix_str(p, buf));
}

static json_t *
list_of(const struct names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(list, json_string(names->name[i]));
	return list;
}

/* True if an earlier incident names the same target, port and protocol. */
static bool
is_known_victim(const struct complaint *c, size_t index)
{
	const struct incident *it = &c->incidents[index];

	for (size_t i = 0; i < index; i++)
		if (c->incidents[i].dport == it->dport && c->incidents[i].proto == it->proto &&
		    prefix_equal(&c->incidents[i].dst, &it->dst))
			return true;
	return false;
}

static json_t *
incident_of(const struct incident *it, const struct match *match)
{
	char buf[ADDR_STR_LEN];

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "src",
	    addr_str(&it->src, buf), "src_port", number_or_null(it->src_port), "dst",
	    prefix_or_null(&it->dst), "dport", number_or_null(it->dport), "proto",
	    text_or_null(proto_str(it->proto)), "first_utc",
	    time_or_null(it->has_time, it->first_utc), "last_utc",
	    time_or_null(it->has_time, it->last_utc), "count", number_or_null(it->count), "service",
	    text_or_null(it->service), "policy", policy_str(match->policy));
}

static void
summarise(struct summary *s, const struct complaint *c, size_t index, const struct match *match)
{
	const struct incident *it = &c->incidents[index];

	if (it->dst.addr.family != ADDR_NONE && !is_known_victim(c, index))
		json_array_append_new(s->victims,
		    json_pack("{s:o, s:o, s:o}", "ip", prefix_or_null(&it->dst), "port",
			number_or_null(it->dport), "proto", text_or_null(proto_str(it->proto))));
	json_array_append_new(s->incidents, incident_of(it, match));
	if (match->relay == NULL || !it->has_time)
		return;
	if (!s->has_time || it->first_utc < s->first_utc)
		s->first_utc = it->first_utc;
	if (!s->has_time || it->last_utc > s->last_utc)
		s->last_utc = it->last_utc;
	if (!s->has_time || it->basis < s->basis)
		s->basis = it->basis;
	s->has_time = true;
}

static int
compare_addrs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

static void
add_ports(const struct complaint *c, struct summary *s)
{
	bool *seen = arena_array(c->arena, 65536, sizeof(*seen));

	for (size_t i = 0; i < c->incident_count; i++)
		seen[c->incidents[i].dport] = true;
	for (unsigned port = 1; port < 65536; port++)
		if (seen[port])
			json_array_append_new(s->ports, json_integer(port));
}

static void
add_sources(const struct facts *facts, const struct complaint *c, struct summary *s)
{
	struct addr *all = arena_array(c->arena, c->incident_count + 1, sizeof(*all));
	char buf[ADDR_STR_LEN];

	for (size_t i = 0; i < c->incident_count; i++)
		all[i] = c->incidents[i].src;
	qsort(all, c->incident_count, sizeof(all[0]), compare_addrs);
	for (size_t i = 0; i < c->incident_count; i++) {
		bool is_exit;

		if (i > 0 && addr_equal(&all[i], &all[i - 1]))
			continue;
		bool ours = facts_relay_of(facts, &all[i], &is_exit) != NULL;
		json_array_append_new(
		    ours ? s->sources : s->foreign, json_string(addr_str(&all[i], buf)));
	}
}

json_t *
record_of(const struct facts *facts, const struct complaint *c)
{
	struct summary s = { .sources = json_array(),
		.foreign = json_array(),
		.victims = json_array(),
		.ports = json_array(),
		.incidents = json_array() };
	const char *domain = strchr(c->via.address, '@');

	for (size_t i = 0; i < c->incident_count; i++) {
		struct match match = match_incident(facts, &c->incidents[i]);

		summarise(&s, c, i, &match);
	}
	add_sources(facts, c, &s);
	add_ports(c, &s);
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:o}", "handling", handling_str(c->handling),
	    "category", category_str(c->category), "format", c->format, "language",
	    language_str(c->language), "languages", list_of(&c->languages));
	json_object_set_new(out, "reporter",
	    json_pack("{s:o, s:o}", "address", text_or_null(c->reporter.address), "name",
		text_or_null(c->reporter.name)));
	json_object_set_new(out, "via",
	    json_pack("{s:o, s:o, s:o}", "address", text_or_null(c->via.address), "org",
		text_or_null(domain == NULL ? "" : domain + 1), "kind", text_or_null(c->via_kind)));
	json_object_set_new(out, "reply_to", text_or_null(c->reply_to));
	json_object_set_new(out, "reply", json_string(reply_kind_str(c->reply)));
	json_object_set_new(out, "reply_form", text_or_null(c->reply_form));
	json_object_set_new(out, "ticket", text_or_null(c->ticket));
	json_object_set_new(out, "subject_token", text_or_null(c->subject_token));
	json_object_set_new(out, "other_ids", list_of(&c->other_ids));
	json_object_set_new(out, "deadline_utc", time_or_null(c->has_deadline, c->deadline_utc));
	json_object_set_new(out, "sources", s.sources);
	json_object_set_new(out, "foreign_sources", s.foreign);
	json_object_set_new(out, "victims", s.victims);
	json_object_set_new(out, "victim_hosts", list_of(&c->victim_hosts));
	json_object_set_new(out, "ports", s.ports);
	json_object_set_new(out, "events", number_or_null(c->events));
	json_object_set_new(out, "first_utc", time_or_null(s.has_time, s.first_utc));
	json_object_set_new(out, "last_utc", time_or_null(s.has_time, s.last_utc));
	json_object_set_new(
	    out, "time_basis", json_string(when_basis_str(s.has_time ? s.basis : WHEN_NONE)));
	json_object_set_new(out, "incidents", s.incidents);
	json_object_set_new(out, "requested", json_null());
	json_object_set_new(out, "duplicate_of", json_null());
	json_object_set_new(out, "flags", list_of(&c->flags));
	return out;
}
