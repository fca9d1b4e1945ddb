/* complaint.c: see complaint.h. */
#include "abuse/report/complaint.h"

#include <string.h>

#include "abuse/mail/text.h"

const char *
handling_str(enum handling handling)
{
	static const char *const names[HANDLING_COUNT] = { "process", "review", "escalate",
		"ignore", "not-ours" };

	return (unsigned)handling < HANDLING_COUNT ? names[handling] : "review";
}

const char *
category_str(enum category category)
{
	static const char *const names[CATEGORY_COUNT] = {
#define X(code, name) [code] = name,
		CATEGORIES
#undef X
	};

	return (unsigned)category < CATEGORY_COUNT ? names[category] : "unknown";
}

const char *
reply_kind_str(enum reply_kind reply)
{
	static const char *const names[REPLY_COUNT] = { "expected", "optional", "useless",
		"never-auto" };

	return (unsigned)reply < REPLY_COUNT ? names[reply] : "never-auto";
}

const char *
proto_str(enum proto proto)
{
	static const char *const names[PROTO_COUNT] = { NULL, "tcp", "udp", "icmp" };

	return (unsigned)proto < PROTO_COUNT ? names[proto] : NULL;
}

const char *
language_str(enum language language)
{
	static const char *const names[LANGUAGE_COUNT] = { "en", "de", "fr", "nl", "es" };

	return (unsigned)language < LANGUAGE_COUNT ? names[language] : "en";
}

void
complaint_init(struct complaint *c, struct arena *a)
{
	*c = (struct complaint){
		.arena = a,
		.handling = HANDLING_REVIEW,
		.format = "unknown",
		.reporter = { "", "" },
		.via = { "", "" },
		.via_kind = "",
		.reply_to = "",
		.reply = REPLY_EXPECTED,
		.reply_form = "",
		.ticket = "",
		.subject_token = "",
		.subject = "",
		.message_id = "",
		.references = "",
	};
	c->incidents = arena_array(a, INCIDENTS_MAX, sizeof(c->incidents[0]));
}

bool
names_have(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->name[i], name) == 0)
			return true;
	return false;
}

void
names_add(struct names *names, const char *name)
{
	if (names->count < NAMES_MAX && !names_have(names, name))
		names->name[names->count++] = name;
}

void
complaint_flag(struct complaint *c, const char *flag)
{
	names_add(&c->flags, flag);
}

static bool
same_target(const struct incident *a, const struct incident *b)
{
	return addr_equal(&a->src, &b->src) && prefix_equal(&a->dst, &b->dst) &&
	       a->dport == b->dport && a->proto == b->proto && a->has_time == b->has_time;
}

static void
fold(struct incident *into, const struct incident *sighting)
{
	into->count += sighting->count;
	if (into->src_port != sighting->src_port)
		into->src_port = 0;
	if (!sighting->has_time)
		return;
	if (sighting->first_utc < into->first_utc)
		into->first_utc = sighting->first_utc;
	if (sighting->last_utc > into->last_utc)
		into->last_utc = sighting->last_utc;
	if (sighting->basis < into->basis)
		into->basis = sighting->basis;
}

void
complaint_add(struct complaint *c, const struct incident *sighting)
{
	/* Newest first: logs repeat themselves, so the match is mostly near the end. */
	for (size_t i = c->incident_count; i-- > 0;) {
		if (same_target(&c->incidents[i], sighting)) {
			fold(&c->incidents[i], sighting);
			return;
		}
	}
	if (c->incident_count == INCIDENTS_MAX) {
		complaint_flag(c, "incidents-cut");
		return;
	}
	c->incidents[c->incident_count++] = *sighting;
}
