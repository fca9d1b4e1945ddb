/* freetext.c: a person's or a monitor's own words, perhaps with lines of a log: an address of
 * ours, a time, what happened. Says nothing where the words do not tell it. Pure. */
#include "abuse/report/line.h"

#include <string.h>

#include "abuse/mail/text.h"

#define STAMP_TAIL 40u

static const struct {
	const char *word;
	enum category category;
} subjects[] = {
	{ "brute force", CATEGORY_LOGIN },
	{ "brute-force", CATEGORY_LOGIN },
	{ "bruteforce", CATEGORY_LOGIN },
	{ "failed login", CATEGORY_LOGIN },
	{ "login attempt", CATEGORY_LOGIN },
	{ "failed password", CATEGORY_SSH },
	{ "anmeldeversuch", CATEGORY_LOGIN },
	{ "login-versuch", CATEGORY_LOGIN },
	{ "loginversuch", CATEGORY_LOGIN },
	{ "einbruchsversuch", CATEGORY_LOGIN },
	{ "passwörter", CATEGORY_LOGIN },
	{ "port scan", CATEGORY_PORT_SCAN },
	{ "portscan", CATEGORY_PORT_SCAN },
	{ "port-scan", CATEGORY_PORT_SCAN },
	{ "network scan", CATEGORY_PORT_SCAN },
	{ "netscan", CATEGORY_PORT_SCAN },
	{ "scanning", CATEGORY_PORT_SCAN },
	{ "scanned", CATEGORY_PORT_SCAN },
	{ "gescannt", CATEGORY_PORT_SCAN },
	{ "scannt", CATEGORY_PORT_SCAN },
	{ "connection attempts", CATEGORY_PORT_SCAN },
	{ "verbindungsversuche", CATEGORY_PORT_SCAN },
	{ "denial of service", CATEGORY_DOS },
	{ "ddos", CATEGORY_DOS },
	{ "dos attack", CATEGORY_DOS },
	{ "syn flood", CATEGORY_DOS },
	{ "sql injection", CATEGORY_WEB_ATTACK },
	{ "sql-injection", CATEGORY_WEB_ATTACK },
	{ "vulnerability scan", CATEGORY_WEB_ATTACK },
	{ "web attack", CATEGORY_WEB_ATTACK },
	{ "exploit attempt", CATEGORY_WEB_ATTACK },
	{ "path traversal", CATEGORY_WEB_ATTACK },
	{ "comment spam", CATEGORY_COMMENT_SPAM },
	{ "forum spam", CATEGORY_COMMENT_SPAM },
	{ "kommentarspam", CATEGORY_COMMENT_SPAM },
	{ "wp-login", CATEGORY_WEB_LOGIN },
	{ "xmlrpc", CATEGORY_WEB_LOGIN },
};

/* Matters in which other words may mislead: any of these decides, and a person answers. */
static const struct {
	const char *word;
	enum category category;
} for_a_person[] = {
	{ "copyright", CATEGORY_COPYRIGHT },
	{ "infring", CATEGORY_COPYRIGHT },
	{ "dmca", CATEGORY_COPYRIGHT },
	{ "urheberrecht", CATEGORY_COPYRIGHT },
	{ "open resolver", CATEGORY_OPEN_SERVICE },
	{ "open relay", CATEGORY_OPEN_SERVICE },
	{ "openly accessible", CATEGORY_OPEN_SERVICE },
	{ "we scanned", CATEGORY_OPEN_SERVICE },
	{ "our scan of", CATEGORY_OPEN_SERVICE },
	{ "vulnerable service", CATEGORY_OPEN_SERVICE },
	{ "is vulnerable to", CATEGORY_OPEN_SERVICE },
	{ "offen erreichbar", CATEGORY_OPEN_SERVICE },
	{ "schwachstelle", CATEGORY_OPEN_SERVICE },
	{ "botnet", CATEGORY_MALWARE },
	{ "sinkhole", CATEGORY_MALWARE },
	{ "malware", CATEGORY_MALWARE },
	{ "infected with", CATEGORY_MALWARE },
	{ "schadsoftware", CATEGORY_MALWARE },
	{ "phishing", CATEGORY_FRAUD },
	{ "credit card", CATEGORY_FRAUD },
	{ "kreditkarte", CATEGORY_FRAUD },
	{ "stolen account", CATEGORY_FRAUD },
	{ "betrug", CATEGORY_FRAUD },
	{ "please block our", CATEGORY_BLOCK },
	{ "block access to our", CATEGORY_BLOCK },
	{ "add our network", CATEGORY_BLOCK },
	{ "sperren sie unser", CATEGORY_BLOCK },
	{ "unsolicited bulk", CATEGORY_SPAM },
	{ "spam trap", CATEGORY_SPAM },
	{ "spamtrap", CATEGORY_SPAM },
};

/* Words before an address which make it the accused, or the target. */
static const char *const source_words[] = { "from", "source", "src", "attacker", "attacking",
	"your ip", "your server", "your address", "your host", "von", "quelle", "ihre ip",
	"ihrer ip", "ihr server", "ihrem server", "angreifer", "ip-adresse", "ip address",
	"originating" };
static const char *const target_words[] = { "to", "target", "targets", "destination", "dst",
	"victim", "against", "our server", "our host", "our network", "our system",
	"our mail server", "ziel", "zielsystem", "auf", "gegen", "an", "unser server",
	"unseren server", "unserem server", "unser netz", "unsere ip" };

static enum category
category_of(struct span text)
{
	const struct service *service = scan_service(text);
	enum category found = CATEGORY_UNKNOWN;
	size_t best = TEXT_NONE;

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		size_t at = text_find_ci(text, subjects[i].word, 0);

		if (at != TEXT_NONE && at < best) {
			best = at;
			found = subjects[i].category;
		}
	}
	if (found == CATEGORY_LOGIN && service != NULL && service->category != CATEGORY_WEB_ATTACK)
		found = service->category;
	return found;
}

/* How near before `at` one of the words ends; TEXT_NONE if none within the last 60 bytes. */
static size_t
word_distance(struct span text, size_t at, const char *const *words, size_t count)
{
	size_t from = at > 60 ? at - 60 : 0, best = TEXT_NONE;
	struct span before = text_sub(text, from, at - from);
	size_t gap = TEXT_NONE;

	/* A word of another paragraph says nothing about this one. */
	while ((gap = text_find_ci(before, "\n\n", 0)) != TEXT_NONE)
		before = text_from(before, gap + 2);
	for (size_t i = 0; i < count; i++) {
		size_t place = 0, len = strlen(words[i]);

		while ((place = text_find_word_ci(before, words[i], place)) != TEXT_NONE) {
			size_t distance = before.len - place - len;

			if (distance < best)
				best = distance;
			place += len;
		}
	}
	return best;
}

enum role { ROLE_NONE, ROLE_SOURCE, ROLE_TARGET };

static enum role
role_of(const struct report_input *in, struct span text, const struct scan_addr *a)
{
	size_t source = word_distance(
	    text, a->at, source_words, sizeof(source_words) / sizeof(source_words[0]));
	size_t target = word_distance(
	    text, a->at, target_words, sizeof(target_words) / sizeof(target_words[0]));

	if (in->env->is_own(in->env->arg, &a->addr))
		return ROLE_SOURCE;
	if (target != TEXT_NONE && (source == TEXT_NONE || target < source))
		return ROLE_TARGET;
	return source == TEXT_NONE ? ROLE_NONE : ROLE_SOURCE;
}

/* Header lines of a quoted mail and Received lines carry times and hops of their own. */
static bool
is_quoted_header(struct span line)
{
	static const char *const names[] = { "received:", "date:", "sent:", "gesendet:", "datum:",
		"on ", "am ",
		"delivery-date:", "x-originating-ip:", "message-id:", "return-path:" };
	size_t at = 0;

	while (text_at(line, at) == '>' || text_is_space(text_at(line, at)))
		at++;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!text_starts_at_ci(line, at, names[i]))
			continue;
		if (names[i][strlen(names[i]) - 1] != ' ')
			return true;
		return text_has_ci(line, "wrote:") || text_has_ci(line, "schrieb");
	}
	return false;
}

/* A line's place in the text: what stands before it belongs to what it says. */
struct span_at {
	size_t from, to;
};

struct words {
	bool toward_us;       /* lines in which we are the target */
	struct incident told; /* put together from sentences */
	bool has_target, several_targets, has_foreign;
	struct addr foreign;
	size_t own_count;
	struct addr own[8];
};

static void
take_addrs(const struct report_input *in, struct span text, struct span_at line, struct words *w)
{
	struct scan_addr a;
	size_t at = line.from;

	while (scan_addr_next(text_sub(text, 0, line.to), at, &a)) {
		at = a.at + a.len;
		if (in->env->is_mail_hop(in->env->arg, &a.addr) || a.addr.bytes[0] == 0)
			continue;
		if (in->env->is_own(in->env->arg, &a.addr)) {
			bool known = false;

			for (size_t i = 0; i < w->own_count; i++)
				known = known || addr_equal(&w->own[i], &a.addr);
			if (!known && w->own_count < 8)
				w->own[w->own_count++] = a.addr;
			continue;
		}
		enum role role = role_of(in, text, &a);
		if (role == ROLE_TARGET) {
			struct prefix net = prefix_of(&a.addr, a.bits);

			if (w->has_target && !prefix_equal(&net, &w->told.dst))
				w->several_targets = true;
			w->has_target = true;
			w->told.dst = net;
			if (w->told.dport == 0)
				w->told.dport = a.port;
		} else if (role == ROLE_SOURCE && !w->has_foreign) {
			w->has_foreign = true;
			w->foreign = a.addr;
		}
	}
}

static void
take_stamps(const struct report_input *in, struct span text, struct span_at line, struct words *w,
    struct complaint *out)
{
	struct when_stamp stamp;
	size_t at = line.from;

	/* A stamp that begins in this line may end in the next one. */
	text = text_sub(text, 0, line.to + STAMP_TAIL);
	for (unsigned n = 0; n < 10 && when_search(text, at, &stamp) && stamp.at < line.to; n++) {
		struct when when;

		at = stamp.at + stamp.len;
		if (when_resolve(&stamp, &in->when, &when) != RC_OK) {
			complaint_flag(out, "time-in-future");
			continue;
		}
		struct incident *told = &w->told;
		if (!told->has_time || when.utc < told->first_utc)
			told->first_utc = when.utc;
		if (!told->has_time || when.utc > told->last_utc)
			told->last_utc = when.utc;
		if (!told->has_time || when.basis < told->basis)
			told->basis = when.basis;
		told->zone = when.zone;
		told->has_time = true;
	}
}

/* Logs put the time first, or in brackets ("- - [07/Apr/2026:..."), or name their program
 * ("sshd[3121]: "); sentences do not. */
static bool
looks_like_log(struct span text, const struct log_line *line)
{
	struct span before = text_sub(text, 0, line->stamp.at);

	for (size_t i = 0; i < before.len; i++)
		if (text_is_alnum(text_at(before, i)))
			return text_has_ci(text, "]: ") || text_has_ci(before, " [");
	return true;
}

/* A log's line with a time and an address of ours as the source is an incident by itself. */
static bool
take_log_line(
    const struct report_input *in, struct span text, struct words *w, struct complaint *out)
{
	struct log_line line;
	struct when when;

	line_parse(text, in->env, &line);
	if (!line.has_stamp || line.form == LINE_NOTHING)
		return false;
	struct incident *sighting = &line.incident;
	const struct report_env *env = in->env;
	/* Sentences, and two addresses, are left to the words around them. */
	if (line.form == LINE_PAIR || (line.form == LINE_LOG && !looks_like_log(text, &line)))
		return false;
	if (!env->is_own(env->arg, &sighting->src)) {
		bool toward_us =
		    line.form == LINE_FLOW && env->is_own(env->arg, &sighting->dst.addr);

		w->toward_us = w->toward_us || toward_us;
		return toward_us;
	}
	if (when_resolve(&line.stamp, &in->when, &when) != RC_OK) {
		complaint_flag(out, "time-in-future");
		return false;
	}
	sighting->has_time = true;
	sighting->first_utc = sighting->last_utc = when.utc;
	sighting->basis = when.basis;
	sighting->zone = when.zone;
	complaint_add(out, sighting);
	if (line.host.len != 0)
		names_add(&out->victim_hosts, arena_str(out->arena, line.host));
	out->events++;
	return true;
}

/* What the sentences tell fills what the lines leave open, and never overrides it. */
static void
complete(const struct words *w, uint16_t port, enum proto proto, struct complaint *out)
{
	for (size_t i = 0; i < out->incident_count; i++) {
		struct incident *it = &out->incidents[i];

		if (it->dport == 0)
			it->dport = port;
		if (it->proto == PROTO_NOT_TOLD)
			it->proto = proto;
		if (it->dst.addr.family == ADDR_NONE && w->has_target && !w->several_targets)
			it->dst = w->told.dst;
	}
}

static void
add_told(const struct words *w, uint16_t port, enum proto proto, struct complaint *out)
{
	struct incident it = w->told;

	it.service = "";
	it.proto = proto;
	if (port != 0)
		it.dport = port;
	if (w->several_targets)
		it.dst = (struct prefix){ 0 };
	for (size_t i = 0; i < w->own_count; i++) {
		it.src = w->own[i];
		complaint_add(out, &it);
	}
	if (w->own_count == 0 && w->has_foreign) {
		it.src = w->foreign;
		complaint_add(out, &it);
	}
}

/* Forms whose own recogniser is not here: their fields must not be guessed from their text. */
static bool
is_structured(const struct mail *mail)
{
	if (mail_header(mail, "X-ARF") != NULL || mail_header(mail, "X-XARF") != NULL ||
	    text_has_ci(text_sub(mail->text, 0, REPORT_PROSE_MAX), "x-xarf:") ||
	    text_has_ci(mail->text, "<infringement") || text_has_ci(mail->text, "start acns xml"))
		return true;
	for (size_t i = 0; i < mail->part_count; i++) {
		const struct mail_part *part = &mail->parts[i];

		if (strcmp(part->type, "message/feedback-report") == 0 ||
		    strcmp(part->type, "application/json") == 0 ||
		    strcmp(part->type, "application/xml") == 0 ||
		    strcmp(part->type, "text/csv") == 0 ||
		    strcmp(part->type, "application/zip") == 0 ||
		    strcmp(part->type, "application/gzip") == 0)
			return true;
	}
	return false;
}

static void
port_by_service(struct complaint *out, struct span prose, uint16_t *port, enum proto *proto)
{
	const struct service *service = scan_service(prose);

	if (*port != 0 || out->category != CATEGORY_SSH || service == NULL)
		return;
	*port = service->port;
	*proto = PROTO_TCP;
	complaint_flag(out, "port-by-service");
}

/* Free text is answered by a letter only where its matter is plain. */
static void
decide(const struct words *w, struct span prose, struct complaint *out)
{
	out->handling = out->category == CATEGORY_UNKNOWN ? HANDLING_REVIEW : HANDLING_PROCESS;
	for (size_t i = 0; i < sizeof(for_a_person) / sizeof(for_a_person[0]); i++) {
		if (text_has_ci(prose, for_a_person[i].word)) {
			out->category = for_a_person[i].category;
			out->handling = HANDLING_REVIEW;
			return;
		}
	}
	/* Others attacked us, as far as the lines tell: that is no complaint about us. */
	if (w->toward_us && out->events == 0) {
		out->category = CATEGORY_UNKNOWN;
		out->handling = HANDLING_REVIEW;
	}
}

bool
free_text_read(const struct report_input *in, struct complaint *out)
{
	struct words w = { 0 };
	struct rd rd = rd_from(in->mail->text);
	struct span line, prose = text_sub(in->mail->text, 0, REPORT_PROSE_MAX);

	if (is_structured(in->mail))
		return false;
	struct span subject = span_of_str(in->mail->subject);
	take_addrs(in, subject, (struct span_at){ 0, subject.len }, &w);
	size_t next = 0;
	for (unsigned row = 0; row < REPORT_ROWS_MAX && rd_line(&rd, &line); row++) {
		struct span_at place = { .from = next };

		next += line.len + 1;
		line = text_sub(line, 0, REPORT_LINE_MAX);
		place.to = place.from + line.len;
		if (is_quoted_header(line) || take_log_line(in, line, &w, out))
			continue;
		take_addrs(in, in->mail->text, place, &w);
		take_stamps(in, in->mail->text, place, &w, out);
	}
	if (out->incident_count == 0 && w.own_count == 0 && !w.has_foreign)
		return false;
	enum proto proto = scan_proto(prose);
	bool several_ports;
	uint16_t port = scan_named_port(prose, &proto, &several_ports);
	out->category = category_of(span_of_str(in->mail->subject));
	if (out->category == CATEGORY_UNKNOWN)
		out->category = category_of(prose);
	if (several_ports)
		complaint_flag(out, "several-ports");
	else
		port_by_service(out, prose, &port, &proto);
	if (out->incident_count == 0)
		add_told(&w, port, proto, out);
	else
		complete(&w, port, proto, out);
	decide(&w, prose, out);
	return true;
}
