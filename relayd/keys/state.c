/* state.c: one line of DataDirectory/state, in UTC: "LastRotatedOnionKey 2026-01-31 12:00:00". */
#include "relayd/keys/state.h"

#include <stdlib.h>
#include <string.h>

#define STATE_MAX (1024 * 1024)
#define KEYWORD   "LastRotatedOnionKey "
#define TIME_LEN  19

static bool
is_ours(struct span line)
{
	struct rd rd = rd_from(line);

	return span_equal_str(rd_span(&rd, strlen(KEYWORD)), KEYWORD);
}

/* A number of n digits, then (unless it is 0) the character `then`. */
static int
take_number(struct rd *rd, size_t n, char then)
{
	uint64_t v;

	if (parse_u64(rd_span(rd, n), 9999, &v) != RC_OK)
		rd->rc = RC_SYNTAX;
	if (then != 0 && rd_u8(rd) != (uint8_t)then)
		rd->rc = RC_SYNTAX;
	return (int)v;
}

/* "2026-01-31 12:00:00" in UTC; 0 if it is not. */
static time_t
time_parse(struct rd *rd)
{
	struct tm tm = { 0 };

	tm.tm_year = take_number(rd, 4, '-') - 1900;
	tm.tm_mon = take_number(rd, 2, '-') - 1;
	tm.tm_mday = take_number(rd, 2, ' ');
	tm.tm_hour = take_number(rd, 2, ':');
	tm.tm_min = take_number(rd, 2, ':');
	tm.tm_sec = take_number(rd, 2, 0);
	if (rd_end(rd) != RC_OK)
		return 0;
	time_t t = timegm(&tm);
	return t > 0 ? t : 0;
}

time_t
state_find(struct span text)
{
	struct rd rd = rd_from(text);
	struct span line;

	while (rd_line(&rd, &line)) {
		struct rd in_line = rd_from(line);

		if (!is_ours(line))
			continue;
		rd_skip(&in_line, strlen(KEYWORD));
		return time_parse(&in_line);
	}
	return 0;
}

enum rc
state_update(struct span text, time_t when, struct wr *out)
{
	struct rd rd = rd_from(text);
	struct span line;
	struct tm tm;
	char stamp[TIME_LEN + 1];

	while (rd_line(&rd, &line)) {
		if (is_ours(line))
			continue;
		wr_span(out, line);
		wr_str(out, "\n");
	}
	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &tm) != TIME_LEN)
		return RC_RANGE;
	wr_str(out, KEYWORD);
	wr_str(out, stamp);
	wr_str(out, "\n");
	return out->rc;
}

time_t
state_onion_rotated(const struct keydir *top)
{
	uint8_t *text = malloc(STATE_MAX);
	size_t len = 0;
	time_t when = 0;

	if (text != NULL &&
	    keyfile_read(top, "state", text, STATE_MAX, &len, &(struct why){ NULL, 0 }) == RC_OK)
		when = state_find(span_of(text, len));
	free(text);
	return when;
}

enum rc
state_set_onion_rotated(const struct keydir *top, time_t when, const struct why *why)
{
	uint8_t *text = malloc(STATE_MAX), *next = malloc(STATE_MAX);
	struct wr wr = wr_to(next, next != NULL ? STATE_MAX : 0);
	size_t len = 0;
	enum rc rc = RC_NO_MEMORY;

	if (text != NULL && next != NULL)
		rc = keyfile_read(top, "state", text, STATE_MAX, &len, why);
	if (rc == RC_OK || rc == RC_NOT_FOUND)
		rc = state_update(span_of(text, len), when, &wr);
	if (rc == RC_OK)
		rc = keyfile_write(top, "state", wr_written(&wr), why);
	free(text);
	free(next);
	if (rc == RC_NO_MEMORY || rc == RC_RANGE)
		return why_set(why, rc, "cannot write %s/state: %s", top->path, rc_str(rc));
	return rc;
}
