/* envelope.c: who complains, who passed it on, who gets the answer, under which token, until
 * when. Pure. */
#include "abuse/report/recognise.h"

#include <string.h>

#include "abuse/mail/text.h"
#include "abuse/report/scan.h"

static struct party
party_of(const struct mail_address *a)
{
	return (struct party){ .address = a->address, .name = a->name };
}

static bool
is_unread(struct span address)
{
	static const char *const words[] = { "noreply", "no-reply", "no_reply", "donotreply",
		"do-not-reply", "nicht-antworten", "keine-antwort", "mailer-daemon" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_has_ci(address, words[i]))
			return true;
	return false;
}

static bool
text_says_unread(struct span text)
{
	static const char *const phrases[] = { "replies to this address are not",
		"replies are not read", "do not reply to this", "please do not reply",
		"this mailbox is not monitored", "this mailbox is not read", "unattended mailbox",
		"we do not respond", "nicht auf diese e-mail", "nicht auf diese mail",
		"antworten auf diese", "wird nicht gelesen", "werden nicht gelesen" };

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (text_has_ci(text, phrases[i]))
			return true;
	return false;
}

static bool
text_says_optional(struct span text)
{
	static const char *const phrases[] = { "you do not need to respond",
		"no response is required", "no reply is necessary", "no reply necessary",
		"no action is required", "eine antwort ist nicht erforderlich",
		"keine antwort erforderlich" };

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (text_has_ci(text, phrases[i]))
			return true;
	return false;
}

static bool
may_be_answered(const struct report_env *env, const struct mail_address *a)
{
	return a->address[0] != '\0' && !env->is_own_mailbox(env->arg, a->address);
}

static void
read_reply(const struct mail *outer, const struct report_env *env, struct complaint *out)
{
	struct span text = text_sub(outer->text, 0, REPORT_PROSE_MAX);
	const char *automatic = mail_header(outer, "Auto-Submitted");
	const char *return_path = mail_header(outer, "Return-Path");
	const char *precedence = mail_header(outer, "Precedence");

	if (may_be_answered(env, &outer->reply_to))
		out->reply_to = outer->reply_to.address;
	else if (may_be_answered(env, &outer->from))
		out->reply_to = outer->from.address;
	if (out->reply_to[0] == '\0' || is_unread(span_of_str(out->reply_to)) ||
	    text_says_unread(text))
		out->reply = out->reply_form[0] != '\0' ? REPLY_EXPECTED : REPLY_USELESS;
	else if ((automatic != NULL && text_starts_ci(span_of_str(automatic), "auto-generated")) ||
		 text_says_optional(text))
		out->reply = REPLY_OPTIONAL;
	if (return_path != NULL && span_equal_str(text_trim(span_of_str(return_path)), "<>") &&
	    out->reply == REPLY_EXPECTED)
		out->reply = REPLY_OPTIONAL;
	if (precedence != NULL && text_equal_ci(span_of_str(precedence), "bulk") &&
	    mail_header(outer, "List-Unsubscribe") != NULL)
		out->reply = REPLY_USELESS;
}

static void
read_parties(const struct mail *outer, const struct mail *inner, const struct report_env *env,
    struct complaint *out)
{
	const char *originator = mail_header(outer, "X-RT-Originator");

	out->reporter = party_of(&inner->from);
	if (originator != NULL && mail_address_is_valid(text_trim(span_of_str(originator))))
		out->reporter = (struct party){ .name = "",
			.address = arena_str(out->arena, text_trim(span_of_str(originator))) };
	if (inner != outer && strcmp(inner->from.address, outer->from.address) != 0) {
		out->via = party_of(&outer->from);
		out->via_kind = "isp";
	} else if (text_has_ci(span_of_str(outer->from.name), " via ")) {
		out->via = party_of(&outer->from);
		out->via_kind = "list-rewrite";
		if (outer->reply_to.address[0] != '\0')
			out->reporter = party_of(&outer->reply_to);
	}
	const char *at = strchr(outer->from.address, '@');
	if (at != NULL && env->is_hoster_domain(env->arg, at + 1))
		out->from_hoster = true;
}

/* An id: letters, digits and a few marks, at least one digit. */
static size_t
id_length(struct span s, size_t at)
{
	size_t len = 0;
	bool digit = false;

	while (len < 60 && (text_is_alnum(text_at(s, at + len)) ||
			       (len > 0 && strchr("-:._/", text_at(s, at + len)) != NULL &&
				   text_is_alnum(text_at(s, at + len + 1))))) {
		digit = digit || text_is_digit(text_at(s, at + len));
		len++;
	}
	return digit ? len : 0;
}

/* The id inside "[AbuseID:7C54AE:1C]", "[rt.isp #95348]", "[Ticket ID: M247-44]", "[444261]". */
static struct span
id_in_brackets(struct span inside)
{
	struct scan_addr a;
	size_t at = text_find_char(inside, '#', 0);

	if (at == TEXT_NONE)
		at = text_find_char(inside, ':', 0);
	at = text_skip_space(inside, at == TEXT_NONE ? 0 : at + 1);
	size_t len = id_length(inside, at);
	/* Names of tools with a digit in them are no ids. */
	if (text_equal_ci(text_sub(inside, at, len), "fail2ban"))
		return span_of("", 0);
	if (len == 0 || text_trim(text_from(inside, at + len)).len != 0 ||
	    scan_addr_next(inside, 0, &a))
		return span_of("", 0);
	return text_sub(inside, at, len);
}

static void
read_bracket_tokens(struct span subject, struct complaint *out)
{
	size_t at = 0;

	while ((at = text_find_char(subject, '[', at)) != TEXT_NONE) {
		size_t end = text_find_char(subject, ']', at);

		if (end == TEXT_NONE)
			return;
		struct span id = id_in_brackets(text_sub(subject, at + 1, end - at - 1));
		if (id.len != 0 && out->ticket[0] == '\0') {
			out->ticket = arena_str(out->arena, id);
			out->subject_token =
			    arena_str(out->arena, text_sub(subject, at, end - at + 1));
		} else if (id.len != 0) {
			names_add(&out->other_ids, arena_str(out->arena, id));
		}
		at = end;
	}
}

static void
read_word_token(struct span subject, struct complaint *out)
{
	static const char *const words[] = { "ticket", "case", "abuseid", "abuse-id", "incident",
		"reference", "ref", "vorgang", "vorgangsnummer", "fall", "rid", "id" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct scan_addr a;
		size_t start = text_find_word_ci(subject, words[i], 0);

		if (start == TEXT_NONE)
			continue;
		size_t at = text_skip_space(subject, start + strlen(words[i]));
		if (text_starts_at_ci(subject, at, "id"))
			at = text_skip_space(subject, at + 2);
		while (text_at(subject, at) == ':' || text_at(subject, at) == '#')
			at = text_skip_space(subject, at + 1);
		size_t len = id_length(subject, at);
		struct span id = text_sub(subject, at, len);
		if (len == 0 || (scan_addr_next(id, 0, &a) && a.len == len))
			continue;
		out->ticket = arena_str(out->arena, id);
		out->subject_token =
		    arena_str(out->arena, text_sub(subject, start, at + len - start));
		return;
	}
}

static void
read_ticket(const struct mail *outer, struct complaint *out)
{
	struct span subject = span_of_str(outer->subject);

	read_bracket_tokens(subject, out);
	if (out->ticket[0] == '\0')
		read_word_token(subject, out);
}

/* The address of a form for statements, as written; it is printed and never opened. */
static void
read_form(struct span text, struct complaint *out)
{
	static const char *const in_url[] = { "statement", "stellungnahme", "/respond", "/response",
		"/answer", "/reply" };
	size_t at = 0;

	for (unsigned n = 0; n < 50 && (at = text_find_ci(text, "http", at)) != TEXT_NONE; n++) {
		size_t end = at;

		while (text_at(text, end) > ' ' && text_at(text, end) < 0x7f &&
		       strchr("<>\"'", text_at(text, end)) == NULL && end - at < 500)
			end++;
		while (end > at && strchr(".,;:)", text_at(text, end - 1)) != NULL)
			end--;
		struct span url = text_sub(text, at, end - at);
		size_t before = at > 100 ? at - 100 : 0;
		struct span lead = text_sub(text, before, at - before);
		bool is_form = text_has_word_ci(lead, "form") || text_has_ci(lead, "formular");
		for (size_t i = 0; i < sizeof(in_url) / sizeof(in_url[0]); i++)
			is_form = is_form || text_has_ci(url, in_url[i]);
		if (is_form &&
		    (text_starts_ci(url, "https://") || text_starts_ci(url, "http://"))) {
			out->reply_form = arena_str(out->arena, url);
			return;
		}
		at = end + 1;
	}
}

static void
take_deadline(int64_t utc, struct complaint *out)
{
	if (!out->has_deadline || utc < out->deadline_utc)
		out->deadline_utc = utc;
	out->has_deadline = true;
}

/* "can be blocked after the 2020-12-12 15:08:19 +0100", "bis zum 12.12.2020 15:08 Uhr" */
static void
read_deadline_moment(const struct mail *outer, struct span text, struct complaint *out)
{
	static const char *const cues[] = { "any time after", "blocked after", "locked after",
		"deadline", "no later than", "latest by", "before the", "respond by", "reply by",
		"statement by", "answer by", "until", "bis zum", "bis spätestens", "spätestens",
		"gesperrt werden, nach", "frist" };
	struct when_context ctx = when_context_of(outer);

	if (!outer->has_date)
		return;
	for (size_t i = 0; i < sizeof(cues) / sizeof(cues[0]); i++) {
		struct when_stamp stamp;
		struct when when;
		size_t at = text_find_word_ci(text, cues[i], 0);

		if (at == TEXT_NONE)
			continue;
		at += strlen(cues[i]);
		struct span rest = text_sub(text, at, 80);
		/* A deadline lies ahead of the mail; the future is no fault here. */
		ctx.date_utc = outer->date_utc + 60 * 86400;
		if (when_search(rest, 0, &stamp) && stamp.at < 30 &&
		    when_resolve(&stamp, &ctx, &when) == RC_OK && when.utc > outer->date_utc) {
			take_deadline(when.utc, out);
			return;
		}
	}
}

/* "within 24 hours", "innerhalb von 48 Stunden", "binnen 3 Tagen" */
static void
read_deadline_span(const struct mail *outer, struct span text, struct complaint *out)
{
	static const char *const cues[] = { "within the next", "within", "in the next",
		"innerhalb von", "innerhalb der nächsten", "innerhalb", "binnen" };
	unsigned long n = 0;

	if (!outer->has_date || out->has_deadline)
		return;
	for (size_t i = 0; i < sizeof(cues) / sizeof(cues[0]); i++) {
		size_t at = 0, len = strlen(cues[i]);

		for (; (at = text_find_word_ci(text, cues[i], at)) != TEXT_NONE; at += len) {
			size_t place = text_skip_space(text, at + len);
			size_t digits = text_digits(text, place, 3, &n);
			size_t unit = place + digits;

			if (text_is_space(text_at(text, unit)) || text_at(text, unit) == '\n' ||
			    text_at(text, unit) == '-')
				unit++;
			if (digits == 0 || n == 0)
				continue;
			if (text_starts_at_ci(text, unit, "hour") ||
			    text_starts_at_ci(text, unit, "stunde") ||
			    text_starts_at_ci(text, unit, "h "))
				take_deadline(outer->date_utc + (int64_t)n * 3600, out);
			else if (text_starts_at_ci(text, unit, "day") ||
				 text_starts_at_ci(text, unit, "tag"))
				take_deadline(outer->date_utc + (int64_t)n * 86400, out);
		}
	}
}

static const char *
thread_of(const struct mail *outer)
{
	const char *references = mail_header(outer, "References");

	return references != NULL ? references : "";
}

void
envelope_read(const struct mail *outer, const struct mail *inner, const struct report_env *env,
    struct complaint *out)
{
	struct span text = text_sub(outer->text, 0, REPORT_PROSE_MAX);

	out->subject = outer->subject;
	out->message_id = outer->message_id;
	out->references = thread_of(outer);
	read_parties(outer, inner, env, out);
	read_ticket(outer, out);
	read_form(text, out);
	read_reply(outer, env, out);
	read_deadline_moment(outer, text, out);
	read_deadline_span(outer, text, out);
}
