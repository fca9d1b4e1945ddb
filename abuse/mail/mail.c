/* mail.c: see mail.h. The MIME tree is GMime's work; here are the limits around it, the way
 * from any charset to clean UTF-8, and the choice of what a person would read. */
#include "abuse/mail/mail.h"

#include <string.h>

#include <gmime/gmime.h>

#include "abuse/mail/decode.h"
#include "abuse/mail/html.h"
#include "abuse/mail/text.h"

struct builder {
	struct arena *arena;
	size_t parts_left, text_left;
	unsigned problems;
};

static void mail_fill(struct builder *b, GMimeMessage *message, unsigned depth, struct mail *out);

void
mail_library_init(void)
{
	g_mime_init();
}

bool
mail_address_is_valid(struct span address)
{
	size_t at = text_find_char(address, '@', 0);

	if (at == TEXT_NONE || at == 0 || at > 64 || address.len > 254 || at + 1 == address.len)
		return false;
	for (size_t i = 0; i < address.len; i++) {
		int c = text_at(address, i);
		const char *others = i < at ? "!#$%&'*+-/=?^_`{|}~." : "-.[]:";

		if (i == at)
			continue;
		if (c >= 0x80 || c == 0 || (!text_is_alnum(c) && strchr(others, c) == NULL))
			return false;
	}
	return text_at(address, 0) != '-' && text_at(address, at + 1) != '.';
}

static char *
clean_value(struct builder *b, const char *value)
{
	return value == NULL ? arena_str(b->arena, span_of("", 0))
			     : text_one_line(b->arena, span_of_str(value), MAIL_VALUE_MAX);
}

static struct mail_address
first_address(struct builder *b, InternetAddressList *list)
{
	struct mail_address out = { "", "" };

	for (int i = 0; list != NULL && i < internet_address_list_length(list) && i < 20; i++) {
		InternetAddress *ia = internet_address_list_get_address(list, i);

		if (!INTERNET_ADDRESS_IS_MAILBOX(ia))
			continue;
		const char *addr =
		    internet_address_mailbox_get_idn_addr(INTERNET_ADDRESS_MAILBOX(ia));
		if (addr == NULL || !mail_address_is_valid(span_of_str(addr)))
			continue;
		out.address = clean_value(b, addr);
		out.name = clean_value(b, internet_address_get_name(ia));
		break;
	}
	return out;
}

static void
fill_headers(struct builder *b, GMimeMessage *message, struct mail *out)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(message));
	int count = g_mime_header_list_get_count(list);

	if (count > (int)MAIL_HEADERS_MAX) {
		count = (int)MAIL_HEADERS_MAX;
		b->problems |= MAIL_OVER_LIMIT;
	}
	out->headers = arena_array(b->arena, (size_t)count + 1, sizeof(out->headers[0]));
	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		struct mail_header *h = &out->headers[out->header_count++];

		h->name = clean_value(b, g_mime_header_get_name(header));
		h->value = clean_value(b, g_mime_header_get_value(header));
	}
}

static void
fill_envelope(struct builder *b, GMimeMessage *message, struct mail *out)
{
	fill_headers(b, message, out);
	out->from = first_address(b, g_mime_message_get_from(message));
	out->reply_to = first_address(b, g_mime_message_get_reply_to(message));
	out->subject = clean_value(b, g_mime_message_get_subject(message));
	out->message_id = clean_value(b, g_mime_message_get_message_id(message));
	if (strpbrk(out->message_id, "<> ") != NULL)
		out->message_id = "";

	GDateTime *date = g_mime_message_get_date(message);
	const char *raw = mail_header(out, "Date");
	if (date == NULL || raw == NULL)
		return;
	int64_t utc = g_date_time_to_unix(date);
	if (utc < 0 || utc > INT64_C(4102444800)) /* 1970 to 2100 */
		return;
	out->has_date = true;
	out->date_utc = utc;
	out->date_offset_s = (int32_t)(g_date_time_get_utc_offset(date) / G_USEC_PER_SEC);
	out->date_offset_known = strstr(raw, "-0000") == NULL;
}

static void
add_text_part(struct builder *b, GMimePart *part, bool is_html, struct mail_part *out)
{
	struct span raw = decode_part(b->arena, part, b->text_left, &b->problems);
	const char *charset =
	    g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
	struct span utf8 = decode_charset(b->arena, raw, charset);
	bool changed = false;

	if (is_html)
		utf8 = html_to_text(b->arena, utf8);
	out->text = text_clean(b->arena, utf8, &changed);
	if (changed)
		b->problems |= MAIL_BAD_BYTES;
	out->kind = is_html ? MAIL_PART_HTML : MAIL_PART_TEXT;
	b->text_left -= out->text.len < b->text_left ? out->text.len : b->text_left;
}

static struct mail_part *
new_part(struct builder *b, struct mail *m, GMimeObject *object)
{
	if (b->parts_left == 0) {
		b->problems |= MAIL_OVER_LIMIT;
		return NULL;
	}
	b->parts_left--;
	struct mail_part *part = &m->parts[m->part_count++];
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *name = g_mime_content_type_get_mime_type(type);
	char *lower = g_ascii_strdown(name == NULL ? "" : name, -1);
	part->type = clean_value(b, lower);
	part->filename = "";
	part->text = span_of("", 0);
	part->kind = MAIL_PART_OTHER;
	g_free(lower);
	g_free(name);
	return part;
}

static void
add_leaf(struct builder *b, GMimeObject *object, unsigned depth, struct mail *m)
{
	struct mail_part *part = new_part(b, m, object);

	if (part == NULL)
		return;
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (inner == NULL)
			return;
		part->kind = MAIL_PART_MAIL;
		part->mail = arena_alloc(b->arena, sizeof(*part->mail));
		mail_fill(b, inner, depth + 1, part->mail);
		return;
	}
	if (!GMIME_IS_PART(object))
		return;
	part->filename = clean_value(b, g_mime_part_get_filename(GMIME_PART(object)));
	if (strcmp(part->type, "text/html") == 0)
		add_text_part(b, GMIME_PART(object), true, part);
	else if (strncmp(part->type, "text/", 5) == 0 ||
		 strcmp(part->type, "message/feedback-report") == 0)
		add_text_part(b, GMIME_PART(object), false, part);
}

static void
add_object(struct builder *b, GMimeObject *object, unsigned depth, struct mail *m)
{
	if (!GMIME_IS_MULTIPART(object)) {
		add_leaf(b, object, depth, m);
		return;
	}
	if (depth >= MAIL_DEPTH_MAX) {
		b->problems |= MAIL_OVER_LIMIT;
		return;
	}
	GMimeMultipart *multipart = GMIME_MULTIPART(object);
	GMimeContentType *type = g_mime_object_get_content_type(object);
	bool alternative = g_mime_content_type_is_type(type, "multipart", "alternative");
	if (GMIME_IS_MULTIPART_ENCRYPTED(object))
		b->problems |= MAIL_ENCRYPTED;
	if (!multipart->write_end_boundary)
		b->problems |= MAIL_CUT_OFF;

	bool has_plain = false;
	int count = g_mime_multipart_get_count(multipart);
	if ((size_t)count > b->parts_left) {
		count = (int)b->parts_left;
		b->problems |= MAIL_OVER_LIMIT;
	}
	for (int i = 0; i < count; i++) {
		size_t first = m->part_count;

		add_object(b, g_mime_multipart_get_part(multipart, i), depth + 1, m);
		if (!alternative || first == m->part_count)
			continue;
		struct mail_part *part = &m->parts[first];
		if (part->kind == MAIL_PART_TEXT && text_trim(part->text).len > 0)
			has_plain = true;
		else if (part->kind == MAIL_PART_HTML)
			part->alternative = has_plain;
	}
}

static void
mail_fill(struct builder *b, GMimeMessage *message, unsigned depth, struct mail *out)
{
	struct arena_text text = { .arena = b->arena };

	fill_envelope(b, message, out);
	out->parts = arena_array(b->arena, b->parts_left + 1, sizeof(out->parts[0]));
	out->text = span_of("", 0);
	GMimeObject *body = g_mime_message_get_mime_part(message);
	if (depth >= MAIL_DEPTH_MAX)
		b->problems |= MAIL_OVER_LIMIT;
	else if (body != NULL)
		add_object(b, body, depth, out);
	for (size_t i = 0; i < out->part_count; i++) {
		if (out->parts[i].alternative || out->parts[i].text.len == 0)
			continue;
		arena_text_add(&text, out->parts[i].text);
		arena_text_add_char(&text, '\n');
	}
	out->text = arena_text_span(&text);
}

/* Cut what is beyond the limits before the library sees it. */
static struct span
within_limits(struct span in, unsigned *problems)
{
	size_t dashes = 0;

	if (in.len > MAIL_SIZE_MAX) {
		in = text_sub(in, 0, MAIL_SIZE_MAX);
		*problems |= MAIL_OVER_LIMIT;
	}
	for (size_t at = 0; (at = text_find_char(in, '\n', at)) != TEXT_NONE; at++) {
		if (text_at(in, at + 1) != '-' || text_at(in, at + 2) != '-')
			continue;
		if (++dashes > MAIL_DASHES_MAX) {
			*problems |= MAIL_OVER_LIMIT;
			return text_sub(in, 0, at + 1);
		}
	}
	return in;
}

static bool
starts_with_header(struct span in)
{
	size_t at = 0;

	while (
	    at < 100 && text_at(in, at) > ' ' && text_at(in, at) < 0x7f && text_at(in, at) != ':')
		at++;
	return at > 0 && text_at(in, text_skip_space(in, at)) == ':';
}

static struct span
skip_blank_lines(struct span in)
{
	size_t at = 0;

	if (text_starts_ci(in, "\xef\xbb\xbf"))
		at = 3;
	while (text_at(in, at) == '\n' || text_at(in, at) == '\r')
		at++;
	return text_from(in, at);
}

enum rc
mail_parse(struct arena *a, struct span bytes, struct mail *out)
{
	struct builder b = { .arena = a, .parts_left = MAIL_PARTS_MAX, .text_left = MAIL_TEXT_MAX };
	enum rc rc = RC_OK;

	*out = (struct mail){
		.from = { "", "" }, .reply_to = { "", "" }, .subject = "", .message_id = ""
	};
	bytes = skip_blank_lines(bytes);
	if (bytes.len == 0)
		return RC_SHORT;
	if (!starts_with_header(bytes))
		return RC_SYNTAX;
	bytes = within_limits(bytes, &b.problems);

	GMimeStream *stream =
	    g_mime_stream_mem_new_with_buffer((const char *)bytes.data, bytes.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	if (message == NULL)
		return RC_SYNTAX;
	mail_fill(&b, message, 0, out);
	g_object_unref(message);
	if (out->part_count == 0 ||
	    (out->part_count == 1 && out->parts[0].mail == NULL && out->text.len == 0 &&
		out->parts[0].kind != MAIL_PART_OTHER))
		b.problems |= MAIL_NO_BODY;
	out->problems = b.problems;
	if (out->header_count == 0)
		rc = RC_SYNTAX;
	return rc;
}

const char *
mail_header(const struct mail *m, const char *name)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (text_equal_ci(span_of_str(m->headers[i].name), name))
			return m->headers[i].value;
	return NULL;
}

const struct mail *
mail_innermost(const struct mail *m)
{
	for (unsigned depth = 0; depth < MAIL_DEPTH_MAX; depth++) {
		const struct mail *inner = NULL;

		for (size_t i = 0; i < m->part_count; i++) {
			if (m->parts[i].kind != MAIL_PART_MAIL)
				continue;
			if (inner != NULL)
				return m;
			inner = m->parts[i].mail;
		}
		if (inner == NULL)
			return m;
		m = inner;
	}
	return m;
}
