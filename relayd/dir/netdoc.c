/* netdoc.c: lines, objects and times of directory documents. Pure. */
#include "relayd/dir/netdoc.h"

#include <stdio.h>
#include <string.h>

struct span
netdoc_from(struct span text, size_t at)
{
	return at < text.len ? span_of(text.data + at, text.len - at) : span_of(NULL, 0);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool
netdoc_word(struct span *line, struct span *word)
{
	size_t start = 0, end;

	while (start < line->len && is_blank(line->data[start]))
		start++;
	for (end = start; end < line->len && !is_blank(line->data[end]); end++)
		;
	*word = start < end ? span_of(line->data + start, end - start) : span_of(NULL, 0);
	*line = netdoc_from(*line, end);
	return word->len != 0;
}

bool
netdoc_keyword(struct span *line, const char *keyword)
{
	struct span rest = *line, word;

	if (line->len == 0 || is_blank(line->data[0]) || !netdoc_word(&rest, &word) ||
	    !span_equal_str(word, keyword))
		return false;
	*line = rest;
	return true;
}

/* Exactly `digits` decimal digits at `at`. */
static unsigned
number_at(struct span text, size_t at, size_t digits, bool *ok)
{
	uint64_t v = 0;

	if (parse_u64(span_of(text.data + at, digits), 9999, &v) != RC_OK)
		*ok = false;
	return (unsigned)v;
}

static bool
is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t
days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	static const unsigned before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t y = (int64_t)year - 1;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 - 719162;

	return days + before[month - 1] + (month > 2 && is_leap(year)) + day - 1;
}

enum rc
netdoc_time_parse(struct span date, struct span clock, time_t *out)
{
	static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool ok = true;

	*out = 0;
	if (date.len != 10 || date.data[4] != '-' || date.data[7] != '-' || clock.len != 8 ||
	    clock.data[2] != ':' || clock.data[5] != ':')
		return RC_SYNTAX;
	unsigned year = number_at(date, 0, 4, &ok), month = number_at(date, 5, 2, &ok);
	unsigned day = number_at(date, 8, 2, &ok), hour = number_at(clock, 0, 2, &ok);
	unsigned minute = number_at(clock, 3, 2, &ok), second = number_at(clock, 6, 2, &ok);
	if (!ok)
		return RC_SYNTAX;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 ||
	    second > 60 || day > lengths[month - 1] + (month == 2 && is_leap(year)))
		return RC_RANGE;
	*out = (time_t)(days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 +
			second);
	return RC_OK;
}

enum rc
netdoc_time_take(struct span *line, time_t *out)
{
	struct span date, clock;

	*out = 0;
	if (!netdoc_word(line, &date) || !netdoc_word(line, &clock))
		return RC_SHORT;
	return netdoc_time_parse(date, clock, out);
}

const char *
netdoc_time_str(time_t t, char buf[NETDOC_TIME_LEN])
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, NETDOC_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(buf, NETDOC_TIME_LEN, "1970-01-01 00:00:00");
	return buf;
}

/* Is the line "-----BEGIN label-----" (or END)? */
static bool
is_fence(struct span line, const char *word, const char *label)
{
	char want[80];
	int n = snprintf(want, sizeof(want), "-----%s %s-----", word, label);

	return n > 0 && (size_t)n < sizeof(want) && span_equal_str(line, want);
}

enum rc
netdoc_object(struct rd *rd, const char *label, struct span *whole, struct span *inner)
{
	struct span first, line;
	struct rd start = *rd;

	*whole = *inner = span_of(NULL, 0);
	if (!rd_line(rd, &first))
		return RC_SHORT;
	if (!is_fence(first, "BEGIN", label))
		return RC_SYNTAX;
	struct rd body = *rd;
	for (unsigned i = 0; i < NETDOC_OBJECT_LINES_MAX; i++) {
		size_t before = rd_left(rd);

		if (!rd_line(rd, &line))
			return RC_SHORT;
		if (!is_fence(line, "END", label))
			continue;
		*whole = rd_span(&start, rd_left(&start) - rd_left(rd));
		*inner = rd_span(&body, rd_left(&body) - before);
		return RC_OK;
	}
	return RC_LIMIT;
}

void
netdoc_object_write(struct wr *wr, const char *label, struct span bytes)
{
	char line[66];

	wr_printf(wr, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < bytes.len; i += 48) {
		size_t n = bytes.len - i < 48 ? bytes.len - i : 48;

		if (base64_encode(span_of(bytes.data + i, n), true, line, sizeof(line)) != RC_OK)
			wr->rc = RC_LIMIT;
		wr_printf(wr, "%s\n", line);
	}
	wr_printf(wr, "-----END %s-----\n", label);
}

size_t
netdoc_find_line(struct span text, const char *begin)
{
	struct rd rd = rd_from(text);
	struct span line;
	size_t len = strlen(begin);

	for (size_t at = 0; rd_line(&rd, &line); at = text.len - rd_left(&rd))
		if (line.len >= len && memcmp(line.data, begin, len) == 0)
			return at;
	return text.len;
}

const char *
netdoc_clean(struct span text, char *buf, size_t len)
{
	size_t n = text.len < len - 1 ? text.len : len - 1;

	for (size_t i = 0; i < n; i++)
		buf[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? (char)text.data[i] : '?';
	buf[n] = '\0';
	return buf;
}
