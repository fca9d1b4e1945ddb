/* html.c: see html.h. Reads tags one after the other and keeps no tree, so that no nesting
 * costs anything. */
#include "abuse/mail/html.h"

#include <string.h>

#include "abuse/mail/text.h"

static const struct {
	const char *name;
	char becomes;
} blocks[] = {
	{ "br", '\n' },
	{ "p", '\n' },
	{ "div", '\n' },
	{ "tr", '\n' },
	{ "li", '\n' },
	{ "table", '\n' },
	{ "h1", '\n' },
	{ "h2", '\n' },
	{ "h3", '\n' },
	{ "pre", '\n' },
	{ "blockquote", '\n' },
	{ "hr", '\n' },
	{ "td", '\t' },
	{ "th", '\t' },
};

static const struct {
	const char *name, *text;
} entities[] = {
	{ "amp", "&" },
	{ "lt", "<" },
	{ "gt", ">" },
	{ "quot", "\"" },
	{ "apos", "'" },
	{ "nbsp", " " },
	{ "auml", "ä" },
	{ "ouml", "ö" },
	{ "uuml", "ü" },
	{ "Auml", "Ä" },
	{ "Ouml", "Ö" },
	{ "Uuml", "Ü" },
	{ "szlig", "ß" },
	{ "eacute", "é" },
	{ "egrave", "è" },
	{ "rarr", "->" },
	{ "ndash", "-" },
	{ "mdash", "-" },
	{ "hellip", "..." },
};

struct html_reader {
	struct span in;
	size_t at;
	bool preformatted;
	struct arena_text out;
};

static void
add_utf8(struct arena_text *out, unsigned long code)
{
	char b[4];

	if (code < 0x80) {
		arena_text_add_char(out, code == 0 ? '?' : (char)code);
	} else if (code < 0x800) {
		b[0] = (char)(0xc0 | (code >> 6));
		b[1] = (char)(0x80 | (code & 0x3f));
		arena_text_add(out, span_of(b, 2));
	} else if (code < 0x10000 && (code >> 11) != 0x1b) {
		b[0] = (char)(0xe0 | (code >> 12));
		b[1] = (char)(0x80 | ((code >> 6) & 0x3f));
		b[2] = (char)(0x80 | (code & 0x3f));
		arena_text_add(out, span_of(b, 3));
	} else {
		arena_text_add_char(out, '?');
	}
}

static void
read_entity(struct html_reader *r)
{
	size_t end = text_find_char(text_sub(r->in, r->at, 12), ';', 0);

	if (end == TEXT_NONE) {
		arena_text_add_char(&r->out, '&');
		r->at++;
		return;
	}
	struct span name = text_sub(r->in, r->at + 1, end - 1);
	unsigned long code = 0;
	if (text_at(name, 0) == '#' && text_digits(name, 1, 6, &code) == name.len - 1) {
		add_utf8(&r->out, code);
		r->at += end + 1;
		return;
	}
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (span_equal_str(name, entities[i].name)) {
			arena_text_add_str(&r->out, entities[i].text);
			r->at += end + 1;
			return;
		}
	}
	arena_text_add_char(&r->out, '&');
	r->at++;
}

static void
add_link(struct html_reader *r, struct span tag)
{
	size_t at = text_find_ci(tag, "href=", 0);

	if (at == TEXT_NONE)
		return;
	at += strlen("href=");
	int quote = text_at(tag, at);
	if (quote != '"' && quote != '\'')
		return;
	size_t end = text_find_char(tag, (char)quote, at + 1);
	if (end == TEXT_NONE || !text_starts_at_ci(tag, at + 1, "http"))
		return;
	arena_text_add_str(&r->out, " <");
	arena_text_add(&r->out, text_sub(tag, at + 1, end - at - 1));
	arena_text_add_str(&r->out, "> ");
}

/* Skip to behind the closing tag of an element whose content is no text. */
static void
skip_element(struct html_reader *r, const char *closing)
{
	size_t end = text_find_ci(r->in, closing, r->at);

	r->at = end == TEXT_NONE ? r->in.len : end;
}

static void
read_tag(struct html_reader *r)
{
	if (text_starts_at_ci(r->in, r->at, "<!--")) {
		size_t end = text_find_ci(r->in, "-->", r->at);

		r->at = end == TEXT_NONE ? r->in.len : end + 3;
		return;
	}
	int next = text_at(r->in, r->at + 1);
	if (!text_is_alnum(next) && next != '/' && next != '!' && next != '?') {
		arena_text_add_char(&r->out, '<');
		r->at++;
		return;
	}
	size_t end = text_find_char(r->in, '>', r->at);
	struct span tag = text_sub(r->in, r->at + 1, end == TEXT_NONE ? 0 : end - r->at - 1);
	r->at = end == TEXT_NONE ? r->in.len : end + 1;

	bool closing = text_at(tag, 0) == '/';
	struct span name = text_from(tag, closing ? 1 : 0);
	size_t len = 0;
	while (text_is_alnum(text_at(name, len)))
		len++;
	name = text_sub(name, 0, len);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (text_equal_ci(name, blocks[i].name) && (!closing || blocks[i].becomes == '\n'))
			arena_text_add_char(&r->out, blocks[i].becomes);
	if (text_equal_ci(name, "pre"))
		r->preformatted = !closing;
	else if (!closing && text_equal_ci(name, "script"))
		skip_element(r, "</script");
	else if (!closing && text_equal_ci(name, "style"))
		skip_element(r, "</style");
	else if (!closing && text_equal_ci(name, "title"))
		skip_element(r, "</title");
	else if (!closing && text_equal_ci(name, "a"))
		add_link(r, tag);
}

struct span
html_to_text(struct arena *a, struct span html)
{
	struct html_reader r = { .in = html, .out = { .arena = a } };

	while (r.at < html.len) {
		int c = text_at(html, r.at);

		if (c == '<') {
			read_tag(&r);
		} else if (c == '&') {
			read_entity(&r);
		} else {
			bool line_end = (c == '\n' || c == '\r') && !r.preformatted;

			arena_text_add_char(&r.out, line_end ? ' ' : (char)c);
			r.at++;
		}
	}
	return arena_text_span(&r.out);
}
