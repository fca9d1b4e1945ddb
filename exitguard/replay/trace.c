/* trace.c: see trace.h. One pass over the line, no allocation; a key given twice counts once,
 * the last time. */
#include "exitguard/replay/trace.h"

#include <stdlib.h>
#include <string.h>

enum trace_key {
	KEY_EV = 1 << 0,
	KEY_T = 1 << 1,
	KEY_ID = 1 << 2,
	KEY_DST = 1 << 3,
	KEY_PORT = 1 << 4,
	KEY_RES = 1 << 5,
	KEY_CIRC = 1 << 6,
	KEY_HOST = 1 << 7,
};

static const struct {
	const char *name;
	enum trace_key key;
} keys[] = {
	{ "ev", KEY_EV },
	{ "t", KEY_T },
	{ "id", KEY_ID },
	{ "dst", KEY_DST },
	{ "port", KEY_PORT },
	{ "res", KEY_RES },
	{ "circ", KEY_CIRC },
	{ "host", KEY_HOST },
};

#define KEYS_NEW    (KEY_EV | KEY_T | KEY_ID | KEY_DST | KEY_PORT)
#define KEYS_RESULT (KEY_EV | KEY_T | KEY_ID | KEY_RES)

/* A trace of ten years. */
#define TRACE_T_MAX 315360000u

static uint8_t
peek(const struct rd *rd)
{
	return rd->rc == RC_OK && rd->at < rd->end ? *rd->at : 0;
}

static void
skip_blanks(struct rd *rd)
{
	while (peek(rd) == ' ' || peek(rd) == '\t')
		rd_skip(rd, 1);
}

static void
expect(struct rd *rd, uint8_t want)
{
	skip_blanks(rd);
	if (rd_u8(rd) != want && rd->rc == RC_OK)
		rd->rc = RC_SYNTAX;
}

/* A string without escapes or control characters. */
static struct span
read_string(struct rd *rd)
{
	size_t len = 0, left;

	expect(rd, '"');
	left = rd_left(rd);
	if (rd->rc != RC_OK)
		return span_of(NULL, 0);
	while (len < left && rd->at[len] != '"' && rd->at[len] != '\\' && rd->at[len] >= ' ')
		len++;
	struct span text = rd_span(rd, len);
	if (rd_u8(rd) != '"' && rd->rc == RC_OK)
		rd->rc = RC_SYNTAX;
	return text;
}

static struct span
read_number(struct rd *rd)
{
	size_t len = 0, left = rd_left(rd);

	while (len < left && memchr("+-.0123456789eE", rd->at[len], 15) != NULL)
		len++;
	if (len == 0 && rd->rc == RC_OK)
		rd->rc = RC_SYNTAX;
	return rd_span(rd, len);
}

/* Seconds in any form that JSON has for a number, to whole milliseconds. */
static enum rc
parse_time(struct span text, uint64_t *out_ms)
{
	char copy[32], *end;

	if (text.len >= sizeof(copy))
		return RC_RANGE;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	double seconds = strtod(copy, &end);
	if (*end != '\0')
		return RC_SYNTAX;
	if (!(seconds >= 0 && seconds <= TRACE_T_MAX))
		return RC_RANGE;
	*out_ms = (uint64_t)(seconds * 1000 + 1e-4);
	return RC_OK;
}

static enum rc
take_event(struct span value, struct trace_line *out)
{
	if (span_equal_str(value, "new"))
		out->event = TRACE_NEW;
	else if (span_equal_str(value, "res"))
		out->event = TRACE_RESULT;
	else
		return RC_RANGE;
	return RC_OK;
}

static enum rc
take_outcome(struct span value, struct trace_line *out)
{
	if (span_equal_str(value, "ok"))
		out->outcome = REPORT_CONNECTED;
	else if (span_equal_str(value, "refused"))
		out->outcome = REPORT_REFUSED;
	else if (span_equal_str(value, "timeout"))
		out->outcome = REPORT_TIMEOUT;
	else
		return RC_RANGE;
	return RC_OK;
}

static enum rc
take_value(enum trace_key key, struct span value, struct trace_line *out)
{
	uint64_t number = 0;
	enum rc rc;

	switch (key) {
	case KEY_EV:
		return take_event(value, out);
	case KEY_T:
		return parse_time(value, &out->t_ms);
	case KEY_ID:
		return parse_u64(value, UINT64_MAX, &out->id);
	case KEY_DST:
		return addr_parse(value, &out->addr);
	case KEY_RES:
		return take_outcome(value, out);
	case KEY_PORT:
		rc = parse_u64(value, UINT16_MAX, &number);
		out->port = (uint16_t)number;
		return rc;
	case KEY_CIRC:
		rc = parse_u64(value, UINT64_MAX - 1, &number);
		out->circuit = number + 1;
		return rc;
	case KEY_HOST:
		rc = parse_u64(value, 1, &number);
		out->by_name = number != 0;
		return rc;
	}
	return RC_RANGE;
}

static bool
is_string_key(unsigned key)
{
	return key == KEY_EV || key == KEY_DST || key == KEY_RES;
}

static unsigned
key_of(struct span name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (span_equal_str(name, keys[i].name))
			return keys[i].key;
	return 0;
}

static unsigned
read_member(struct rd *rd, struct trace_line *out)
{
	unsigned key = key_of(read_string(rd));
	struct span value;

	expect(rd, ':');
	skip_blanks(rd);
	bool is_string = peek(rd) == '"';
	value = is_string ? read_string(rd) : read_number(rd);
	if (rd->rc != RC_OK || key == 0)
		return 0;
	if (is_string != is_string_key(key))
		rd->rc = RC_SYNTAX;
	else
		rd->rc = take_value((enum trace_key)key, value, out);
	return key;
}

enum rc
trace_parse(struct span line, struct trace_line *out)
{
	struct rd rd = rd_from(line);
	unsigned seen = 0;

	memset(out, 0, sizeof(*out));
	expect(&rd, '{');
	do {
		seen |= read_member(&rd, out);
		skip_blanks(&rd);
	} while (rd.rc == RC_OK && peek(&rd) == ',' && rd_u8(&rd) == ',');
	expect(&rd, '}');
	skip_blanks(&rd);
	enum rc rc = rd_end(&rd);
	if (rc != RC_OK)
		return rc;
	unsigned want = out->event == TRACE_RESULT ? KEYS_RESULT : KEYS_NEW;
	return (seen & want) == want ? RC_OK : RC_SHORT;
}
