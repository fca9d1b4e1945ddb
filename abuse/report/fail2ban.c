/* fail2ban.c: mail that a fail2ban action or a tool like it wrote: a sentence that names the
 * address, then lines of the log in which it appears. Pure. */
#include "abuse/report/line.h"

#include <string.h>

#include "abuse/mail/text.h"

/* Behind these stands the accused address. */
static const char *const address_cues[] = { "lines containing failures of",
	"lines containing ip:", "lines matching ip", "abuse from", "abuse report for ip address",
	"the ip", "banned ip", "die ip", "die ip-adresse", "ip address", "ip-adresse" };

/* Any two of these, or one and a line of a log, make the form. */
static const char *const cues[] = { "fail2ban", "lines containing failures of",
	"lines containing ip:", "excerpt from log", "following intrusion attempts",
	"note: local timezone is", "automatic abuse report for ip", "has just been banned",
	"intrusion attempts were detected", "auszug aus dem log", "wurde soeben gesperrt",
	"wurde gerade gesperrt", "log lines are given below", "failures of" };

static size_t
count_cues(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(cues) / sizeof(cues[0]); i++)
		if (text_has_ci(text, cues[i]))
			count++;
	return count;
}

/* The first address behind a cue that is ours, else the first of all. */
static bool
accused_behind_cue(struct span text, const struct report_env *env, struct addr *out)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(address_cues) / sizeof(address_cues[0]); i++) {
		size_t at = 0, len = strlen(address_cues[i]);

		for (; (at = text_find_word_ci(text, address_cues[i], at)) != TEXT_NONE;
		     at += len) {
			struct scan_addr a;

			if (!scan_addr_next(text_sub(text, at + len, 70), 0, &a) || a.at >= 20 ||
			    env->is_mail_hop(env->arg, &a.addr))
				continue;
			if (!found || env->is_own(env->arg, &a.addr))
				*out = a.addr;
			found = true;
			if (env->is_own(env->arg, &a.addr))
				return true;
		}
	}
	return found;
}

static void
take_line(const struct report_input *in, const struct log_line *line, const struct service *jail,
    struct complaint *out)
{
	struct incident sighting = line->incident;
	struct when when;

	if (line->form == LINE_PAIR)
		sighting.dst = prefix_of(&line->other.addr, line->other.bits);
	if (sighting.service[0] == '\0' && jail != NULL)
		sighting.service = jail->name;
	if (when_resolve(&line->stamp, &in->when, &when) != RC_OK) {
		complaint_flag(out, "time-in-future");
		return;
	}
	sighting.has_time = true;
	sighting.first_utc = sighting.last_utc = when.utc;
	sighting.basis = when.basis;
	sighting.zone = when.zone;
	if (sighting.dport == 0 && jail != NULL && jail->port != 0) {
		sighting.dport = jail->port;
		complaint_flag(out, "port-by-service");
	}
	if (sighting.proto == PROTO_NOT_TOLD && sighting.service[0] != '\0' &&
	    strcmp(sighting.service, "sip") != 0)
		sighting.proto = PROTO_TCP;
	complaint_add(out, &sighting);
	if (line->host.len != 0)
		names_add(&out->victim_hosts, arena_str(out->arena, line->host));
	out->events++;
}

/* Lines about the accused address that carry a time. */
static void
read_lines(const struct report_input *in, const struct addr *accused, const struct service *jail,
    struct complaint *out)
{
	struct rd rd = rd_from(in->mail->text);
	struct span text;

	for (unsigned row = 0; row < REPORT_ROWS_MAX && rd_line(&rd, &text); row++) {
		struct log_line line;

		line_parse(text, in->env, &line);
		if (!line.has_stamp || line.form == LINE_NOTHING)
			continue;
		if (line.form == LINE_PAIR && addr_equal(&line.other.addr, accused)) {
			/* "host 198.51.100.7 ... client 192.0.2.10": ours is the second. */
			struct scan_addr first = { .addr = line.incident.src,
				.bits = (uint8_t)(addr_len(&line.incident.src) * 8) };

			line.incident.src = *accused;
			line.incident.src_port = line.other.port;
			line.other = first;
		}
		/* A summary may accuse several; all that are ours count. */
		if (addr_equal(&line.incident.src, accused) ||
		    in->env->is_own(in->env->arg, &line.incident.src))
			take_line(in, &line, jail, out);
	}
}

/* "after 5 attempts", "nach 5 Versuchen"; a line may end between the words. */
static unsigned long
told_attempts(struct span text)
{
	static const char *const words[] = { "after", "nach" };
	static const char *const units[] = { "attempt", "versuch", "failure" };

	for (size_t w = 0; w < 2; w++) {
		size_t at = 0, len = strlen(words[w]);

		for (; (at = text_find_word_ci(text, words[w], at)) != TEXT_NONE; at += len) {
			struct span rest = text_trim(text_sub(text, at + len, 40));
			unsigned long n = 0;
			size_t digits = text_digits(rest, 0, 6, &n);

			rest = text_trim(text_from(rest, digits));
			for (size_t u = 0; digits != 0 && u < 3; u++)
				if (text_starts_ci(rest, units[u]))
					return n;
		}
	}
	return 0;
}

bool
fail2ban_read(const struct report_input *in, struct complaint *out)
{
	struct span prose = text_sub(in->mail->text, 0, REPORT_PROSE_MAX);
	struct span subject = span_of_str(in->mail->subject);
	struct addr accused = { 0 };
	bool subject_form = text_starts_ci(subject, "abuse from ") ||
			    text_has_ci(subject, "automatic abuse report for ip") ||
			    text_has_ci(subject, "[fail2ban]");

	if (count_cues(prose) + (subject_form ? 1 : 0) < 2)
		return false;
	if (!accused_behind_cue(subject, in->env, &accused) &&
	    !accused_behind_cue(prose, in->env, &accused))
		return false;
	const struct service *jail = scan_service(prose);
	if (jail == NULL)
		jail = scan_service(subject);
	out->category = jail != NULL ? jail->category : CATEGORY_LOGIN;
	read_lines(in, &accused, jail, out);
	/* Lines with a target and no service are a packet filter's. */
	if (jail == NULL && out->incident_count != 0 &&
	    out->incidents[0].dst.addr.family != ADDR_NONE)
		out->category = CATEGORY_PORT_SCAN;
	if (out->incident_count == 0) {
		/* Some are sent with an empty log: the address and the mail's own time are all. */
		struct incident sighting = { .src = accused,
			.service = jail ? jail->name : "",
			.dport = jail ? jail->port : 0 };

		if (jail != NULL && jail->port != 0) {
			sighting.proto = PROTO_TCP;
			complaint_flag(out, "port-by-service");
		}
		out->events = told_attempts(prose);
		sighting.count = out->events;
		complaint_add(out, &sighting);
		complaint_flag(out, "no-log-lines");
	}
	out->handling = HANDLING_PROCESS;
	return true;
}
