/* mbox.c: see mbox.h. */
#include "abuse/mail/mbox.h"

#include "abuse/mail/text.h"

/* "From sender Tue Aug  7 ..." : two words and a time with colons, so that a sentence which
 * begins with "From" does not part a mail. */
static bool
is_from_line(struct span rest)
{
	if (!span_equal_str(text_sub(rest, 0, 5), "From "))
		return false;
	size_t end = text_find_char(text_sub(rest, 0, 300), '\n', 0);
	struct span line = text_sub(rest, 0, end == TEXT_NONE ? 300 : end);
	size_t colon = text_find_char(line, ':', 5);
	return colon != TEXT_NONE && text_is_digit(text_at(line, colon - 1)) &&
	       text_is_digit(text_at(line, colon + 1)) &&
	       text_find_char(line, ':', colon + 1) != TEXT_NONE;
}

void
mbox_init(struct mbox *box, struct span file)
{
	box->rest = file;
	box->many = is_from_line(file);
}

static struct span
unquote(struct arena *a, struct span mail)
{
	struct arena_text out = { .arena = a };
	size_t from = 0;

	for (size_t at = 0; at < mail.len;) {
		size_t quotes = at;

		while (text_at(mail, quotes) == '>')
			quotes++;
		if (quotes > at && span_equal_str(text_sub(mail, quotes, 5), "From ")) {
			arena_text_add(&out, text_sub(mail, from, at - from));
			from = at + 1;
		}
		size_t end = text_find_char(mail, '\n', at);
		at = end == TEXT_NONE ? mail.len : end + 1;
	}
	if (from == 0)
		return mail;
	arena_text_add(&out, text_from(mail, from));
	return arena_text_span(&out);
}

bool
mbox_next(struct mbox *box, struct arena *a, struct span *mail)
{
	if (box->rest.len == 0)
		return false;
	if (!box->many) {
		*mail = box->rest;
		box->rest = span_of("", 0);
		return true;
	}
	size_t start = text_find_char(box->rest, '\n', 0);
	if (start == TEXT_NONE) {
		box->rest = span_of("", 0);
		return false;
	}
	start++;
	size_t end = box->rest.len;
	for (size_t at = start; (at = text_find_char(box->rest, '\n', at)) != TEXT_NONE; at++) {
		bool blank_before = text_at(box->rest, at - 1) == '\n' ||
				    (text_at(box->rest, at - 1) == '\r' && at >= 2 &&
					text_at(box->rest, at - 2) == '\n');

		if (blank_before && is_from_line(text_from(box->rest, at + 1))) {
			end = at + 1;
			break;
		}
	}
	*mail = unquote(a, text_sub(box->rest, start, end - start));
	box->rest = text_from(box->rest, end);
	return true;
}
