/* draft.c: see draft.h. Whatever came from the mail is one line of clean text by now; it is
 * still encoded, checked or left out here before it becomes part of a header. */
#include "abuse/letter/draft.h"

#include <string.h>

#include <gmime/gmime.h>

#include "abuse/mail/text.h"

#define REFERENCES_MAX 20u
#define SUBJECT_MAX    600u /* bytes of the old subject that are taken over */
#define FOLD_AT        200u

static void
add_header(struct arena_text *out, const char *name, const char *value)
{
	arena_text_add_str(out, name);
	arena_text_add_str(out, ": ");
	arena_text_add_str(out, value);
	arena_text_add_char(out, '\n');
}

/* GMime encodes what is not ASCII, word by word; ASCII stays byte for byte. Lines are folded
 * only where they grow long, so that a token is not torn. */
static void
add_encoded(struct arena_text *out, const char *text)
{
	char *encoded = g_mime_utils_header_encode_text(NULL, text, "utf-8");
	size_t columns = 0;

	for (const char *at = encoded; *at != '\0'; at++, columns++) {
		if (*at == '\n')
			continue;
		if (*at == ' ' && columns > FOLD_AT) {
			arena_text_add_char(out, '\n');
			columns = 0;
		}
		arena_text_add_char(out, *at);
	}
	g_free(encoded);
}

static void
add_mailbox(struct arena_text *out, const char *header, const char *name, const char *address)
{
	InternetAddress *ia = internet_address_mailbox_new(name[0] == '\0' ? NULL : name, address);
	char *text = internet_address_to_string(ia, NULL, TRUE);

	add_header(out, header, text);
	g_free(text);
	g_object_unref(ia);
}

/* "Re: " once; a reply mark of another language counts as one. The token stays whatever the
 * subject's length. */
static const char *
reply_subject(const struct complaint *c)
{
	static const char *const marks[] = { "re:", "aw:", "antw:", "sv:", "rif:" };
	const char *subject = text_one_line(c->arena, span_of_str(c->subject), SUBJECT_MAX);
	const char *mark = "Re: ";

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (text_starts_ci(span_of_str(subject), marks[i]))
			mark = "";
	if (subject[0] == '\0')
		subject = "your abuse report";
	if (strstr(subject, c->subject_token) == NULL)
		subject = arena_printf(c->arena, "%s %s", subject, c->subject_token);
	return arena_printf(c->arena, "%s%s", mark, subject);
}

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] >= 0x80)
			return false;
	return true;
}

/* A token between two encoded words would be drawn into them; it stands by itself where blanks
 * part it from the rest. */
static void
add_subject(struct arena_text *out, const struct complaint *c)
{
	struct span subject = span_of_str(reply_subject(c)), token = span_of_str(c->subject_token);
	size_t at = token.len == 0 ? TEXT_NONE : text_find_ci(subject, c->subject_token, 0);
	bool alone = at != TEXT_NONE && at > 0 && is_ascii(token) &&
		     text_at(subject, at - 1) == ' ' &&
		     (at + token.len == subject.len || text_at(subject, at + token.len) == ' ');

	arena_text_add_str(out, "Subject: ");
	if (!alone) {
		add_encoded(out, arena_str(c->arena, subject));
	} else {
		struct span rest = text_trim(text_from(subject, at + token.len));

		add_encoded(out, arena_str(c->arena, text_sub(subject, 0, at - 1)));
		arena_text_add_char(out, ' ');
		arena_text_add(out, text_sub(subject, at, token.len));
		if (rest.len != 0) {
			arena_text_add_str(out, is_ascii(subject) ? " " : "\n ");
			add_encoded(out, arena_str(c->arena, rest));
		}
	}
	arena_text_add_char(out, '\n');
}

static bool
is_message_id(struct span id)
{
	if (id.len == 0 || id.len > 250)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		int c = text_at(id, i);

		if (c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '(' || c == ')')
			return false;
	}
	return true;
}

/* The last ids of the thread that are well formed, the first one kept, each on a line. */
static void
add_references(struct arena_text *out, struct span references, const char *message_id)
{
	struct span ids[REFERENCES_MAX];
	size_t count = 0, at = 0;

	while ((at = text_find_char(references, '<', at)) != TEXT_NONE) {
		size_t end = text_find_char(references, '>', at);

		if (end == TEXT_NONE)
			break;
		struct span id = text_sub(references, at + 1, end - at - 1);
		at = end;
		if (!is_message_id(id) || span_equal_str(id, message_id))
			continue;
		if (count == REFERENCES_MAX) {
			memmove(&ids[1], &ids[2], (REFERENCES_MAX - 2) * sizeof(ids[0]));
			count--;
		}
		ids[count++] = id;
	}
	arena_text_add_str(out, "References:");
	for (size_t i = 0; i < count; i++) {
		arena_text_add_str(out, i == 0 ? " <" : "\n <");
		arena_text_add(out, ids[i]);
		arena_text_add_char(out, '>');
	}
	arena_text_add_str(out, count == 0 ? " <" : "\n <");
	arena_text_add_str(out, message_id);
	arena_text_add_str(out, ">\n");
}

/* The mailbox of ours that the complaint was sent to, else the first. */
static const char *
own_mailbox(const struct facts *facts, const char *sent_to)
{
	for (size_t i = 0; i < facts->mailbox_count; i++)
		if (text_has_ci(span_of_str(sent_to), facts->mailboxes[i]))
			return facts->mailboxes[i];
	return facts->mailboxes[0];
}

static void
add_date(struct arena_text *out, const struct draft_info *info)
{
	GTimeZone *zone = g_time_zone_new_offset(info->offset_s);
	GDateTime *utc = g_date_time_new_from_unix_utc(info->now_utc);
	GDateTime *local = g_date_time_to_timezone(utc, zone);
	char *text = g_mime_utils_header_format_date(local);

	add_header(out, "Date", text);
	g_free(text);
	g_date_time_unref(local);
	g_date_time_unref(utc);
	g_time_zone_unref(zone);
}

enum rc
draft_write(const struct facts *facts, const struct complaint *c, struct span body,
    const struct draft_info *info, struct arena_text *out)
{
	if (facts->mailbox_count == 0 ||
	    !mail_address_is_valid(span_of_str(own_mailbox(facts, info->sent_to))))
		return RC_RANGE;
	const char *from = own_mailbox(facts, info->sent_to);
	const char *domain = strchr(from, '@') + 1;

	add_date(out, info);
	add_mailbox(out, "From", facts->operator_name, from);
	add_mailbox(out, "To", "", c->reply_to);
	add_subject(out, c);
	add_header(
	    out, "Message-ID", arena_printf(c->arena, "<%s.abuse@%s>", info->unique, domain));
	if (is_message_id(span_of_str(c->message_id))) {
		add_header(out, "In-Reply-To", arena_printf(c->arena, "<%s>", c->message_id));
		add_references(out, span_of_str(c->references), c->message_id);
	}
	add_header(out, "MIME-Version", "1.0");
	add_header(out, "Content-Type", "text/plain; charset=utf-8; format=flowed");
	add_header(out, "Content-Transfer-Encoding", is_ascii(body) ? "7bit" : "8bit");
	arena_text_add_char(out, '\n');
	arena_text_add(out, body);
	return RC_OK;
}
