/* wrap.c: paragraphs for format=flowed. Pure. */
#include "abuse/letter/letter.h"

#include "abuse/mail/text.h"

#define COLUMNS 72u

static size_t
columns_of(struct span s)
{
	size_t columns = 0;

	for (size_t i = 0; i < s.len; i++)
		if ((s.data[i] & 0xc0) != 0x80)
			columns++;
	return columns;
}

/* RFC 3676 asks for a blank before lines that begin with one, with '>' or with "From ". */
static void
stuff(struct span line, struct arena_text *out)
{
	if (text_is_space(text_at(line, 0)) || text_at(line, 0) == '>' ||
	    span_equal_str(text_sub(line, 0, 5), "From ") || span_equal_str(line, "From"))
		arena_text_add_char(out, ' ');
}

struct filler {
	struct arena_text *out;
	size_t columns; /* in the line that is being filled; 0: none */
};

static void
fill_word(struct filler *f, struct span word)
{
	size_t columns = columns_of(word);

	if (f->columns != 0 && f->columns + 1 + columns > COLUMNS) {
		arena_text_add_str(f->out, " \n");
		f->columns = 0;
	} else if (f->columns != 0) {
		arena_text_add_char(f->out, ' ');
		f->columns++;
	}
	if (f->columns == 0)
		stuff(word, f->out);
	arena_text_add(f->out, word);
	f->columns += columns;
}

static void
end_paragraph(struct filler *f)
{
	if (f->columns != 0)
		arena_text_add_char(f->out, '\n');
	f->columns = 0;
}

static void
fill_line(struct filler *f, struct span line)
{
	size_t at = 0;

	while (at < line.len) {
		size_t start = text_skip_space(line, at);

		at = start;
		while (at < line.len && !text_is_space(text_at(line, at)))
			at++;
		if (at > start)
			fill_word(f, text_sub(line, start, at - start));
	}
}

void
letter_wrap(struct span text, struct arena_text *out)
{
	struct filler f = { .out = out };
	struct rd rd = rd_from(text);
	struct span line;
	unsigned blank = 1; /* no blank lines at the start, one between paragraphs */

	while (rd_line(&rd, &line)) {
		if (text_trim(line).len == 0) {
			end_paragraph(&f);
			blank++;
			continue;
		}
		if (blank != 0 && out->len != 0)
			arena_text_add_char(out, '\n');
		blank = 0;
		if (span_equal_str(line, "-- ")) {
			end_paragraph(&f);
			arena_text_add_str(out, "-- \n");
		} else if (text_is_space(text_at(line, 0))) {
			end_paragraph(&f);
			size_t len = line.len;

			while (text_is_space(text_at(line, len - 1)))
				len--;
			stuff(line, out);
			arena_text_add(out, text_sub(line, 0, len));
			arena_text_add_char(out, '\n');
		} else if (text_at(line, line.len - 1) == '\\') {
			fill_line(&f, text_sub(line, 0, line.len - 1));
			end_paragraph(&f);
		} else {
			fill_line(&f, line);
		}
	}
	end_paragraph(&f);
}
