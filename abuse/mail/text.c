/* text.c: see text.h. */
#include "abuse/mail/text.h"

#include <string.h>

int
text_at(struct span s, size_t i)
{
	return i < s.len ? s.data[i] : -1;
}

int
text_lower_at(struct span s, size_t i)
{
	int c = text_at(s, i);

	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

struct span
text_sub(struct span s, size_t from, size_t len)
{
	if (from >= s.len)
		return span_of("", 0);
	return span_of(&s.data[from], len < s.len - from ? len : s.len - from);
}

struct span
text_from(struct span s, size_t from)
{
	return text_sub(s, from, s.len);
}

bool
text_is_space(int c)
{
	return c == ' ' || c == '\t';
}

bool
text_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

bool
text_is_alnum(int c)
{
	return text_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool
is_blank(int c)
{
	return text_is_space(c) || c == '\r' || c == '\n';
}

struct span
text_trim(struct span s)
{
	size_t from = 0, to = s.len;

	while (from < to && is_blank(text_at(s, from)))
		from++;
	while (to > from && is_blank(text_at(s, to - 1)))
		to--;
	return text_sub(s, from, to - from);
}

bool
text_starts_at_ci(struct span s, size_t at, const char *prefix)
{
	struct span p = span_of_str(prefix);

	if (at > s.len || s.len - at < p.len)
		return false;
	for (size_t i = 0; i < p.len; i++)
		if (text_lower_at(s, at + i) != text_lower_at(p, i))
			return false;
	return true;
}

bool
text_starts_ci(struct span s, const char *prefix)
{
	return text_starts_at_ci(s, 0, prefix);
}

bool
text_equal_ci(struct span a, const char *b)
{
	return a.len == strlen(b) && text_starts_ci(a, b);
}

size_t
text_find_ci(struct span s, const char *needle, size_t from)
{
	int first = text_lower_at(span_of_str(needle), 0);

	for (size_t i = from; i < s.len; i++)
		if (text_lower_at(s, i) == first && text_starts_at_ci(s, i, needle))
			return i;
	return TEXT_NONE;
}

bool
text_has_ci(struct span s, const char *needle)
{
	return text_find_ci(s, needle, 0) != TEXT_NONE;
}

size_t
text_find_word_ci(struct span s, const char *needle, size_t from)
{
	size_t len = strlen(needle), at = from;

	while ((at = text_find_ci(s, needle, at)) != TEXT_NONE) {
		if ((at == 0 || !text_is_alnum(text_at(s, at - 1))) &&
		    !text_is_alnum(text_at(s, at + len)))
			return at;
		at++;
	}
	return TEXT_NONE;
}

bool
text_has_word_ci(struct span s, const char *needle)
{
	return text_find_word_ci(s, needle, 0) != TEXT_NONE;
}

size_t
text_find_char(struct span s, char c, size_t from)
{
	for (size_t i = from; i < s.len; i++)
		if (s.data[i] == (uint8_t)c)
			return i;
	return TEXT_NONE;
}

size_t
text_skip_space(struct span s, size_t at)
{
	while (text_is_space(text_at(s, at)))
		at++;
	return at;
}

size_t
text_digits(struct span s, size_t at, size_t max_digits, unsigned long *out)
{
	unsigned long value = 0;
	size_t n = 0;

	while (n <= max_digits && text_is_digit(text_at(s, at + n))) {
		value = value * 10 + (unsigned long)(text_at(s, at + n) - '0');
		n++;
	}
	if (n > max_digits)
		return 0;
	*out = value;
	return n;
}

struct span
text_field(struct span text, const char *key)
{
	struct rd rd = rd_from(text);
	struct span line;
	size_t key_len = strlen(key);

	while (rd_line(&rd, &line)) {
		size_t at = 0;

		while (text_is_space(text_at(line, at)) || text_at(line, at) == '>' ||
		       text_at(line, at) == '*')
			at++;
		if (!text_starts_at_ci(line, at, key))
			continue;
		at = text_skip_space(line, at + key_len);
		if (text_at(line, at) == ':')
			return text_trim(text_from(line, at + 1));
	}
	return span_of("", 0);
}

/* Length of the UTF-8 sequence at `at`, 0 if it is not valid; *code is the character. */
static size_t
utf8_at(struct span s, size_t at, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int c = text_at(s, at);
	size_t len = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;

	if (c < 0 || c >= 0xf5 || len == 0)
		return 0;
	uint32_t value = len == 1 ? (uint32_t)c : (uint32_t)c & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		int next = text_at(s, at + i);

		if (next < 0x80 || next > 0xbf)
			return 0;
		value = value << 6 | ((uint32_t)next & 0x3f);
	}
	if (len > 1 && (value < least[len] || value > 0x10ffff || (value >> 11) == 0x1b))
		return 0;
	*code = value;
	return len;
}

static bool
may_stay(uint32_t code)
{
	if (code < 0x20)
		return code == '\n' || code == '\t';
	if (code >= 0x7f && code < 0xa0)
		return false;
	/* Zero-width marks and bidirectional controls hide or turn around what follows. */
	if ((code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0x061c)
		return false;
	return (code & 0xfffe) != 0xfffe;
}

struct span
text_clean(struct arena *a, struct span utf8, bool *changed)
{
	char *out = arena_alloc(a, utf8.len + 1);
	size_t len = 0;

	for (size_t at = 0; at < utf8.len;) {
		uint32_t code = 0;
		size_t n = utf8_at(utf8, at, &code);

		if (code == '\r' && n == 1) {
			if (text_at(utf8, at + 1) != '\n')
				out[len++] = '\n';
		} else if (n == 0) {
			out[len++] = '?';
			*changed = true;
		} else if (code == 0xa0) {
			out[len++] = ' ';
		} else if (may_stay(code)) {
			memcpy(&out[len], &utf8.data[at], n);
			len += n;
		} else if (code != 0xfeff || at != 0) {
			*changed = true;
		}
		at += n == 0 ? 1 : n;
	}
	return span_of(out, len);
}

char *
text_one_line(struct arena *a, struct span s, size_t max)
{
	bool changed = false;
	struct span clean = text_trim(text_clean(a, s, &changed));
	struct span cut = text_sub(clean, 0, max);

	while (cut.len < clean.len && cut.len > 0 && (clean.data[cut.len] & 0xc0) == 0x80)
		cut.len--;
	char *out = arena_str(a, cut);
	for (size_t i = 0; i < cut.len; i++)
		if (out[i] == '\n' || out[i] == '\t')
			out[i] = ' ';
	return out;
}
