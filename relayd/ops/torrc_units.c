/* torrc_units.c: numbers with stock tor's units. Pure. */
#include "relayd/ops/torrc_units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/bytes.h"

struct unit {
	const char *name; /* words of three letters and more: with an s too */
	uint64_t times, over;
};

static const struct unit byte_units[] = {
	{ "", 1, 1 },
	{ "b", 1, 1 },
	{ "byte", 1, 1 },
	{ "bit", 1, 8 },
	{ "kb", 1ull << 10, 1 },
	{ "kbyte", 1ull << 10, 1 },
	{ "kilobyte", 1ull << 10, 1 },
	{ "kbit", 1ull << 10, 8 },
	{ "kilobit", 1ull << 10, 8 },
	{ "m", 1ull << 20, 1 },
	{ "mb", 1ull << 20, 1 },
	{ "mbyte", 1ull << 20, 1 },
	{ "megabyte", 1ull << 20, 1 },
	{ "mbit", 1ull << 20, 8 },
	{ "megabit", 1ull << 20, 8 },
	{ "gb", 1ull << 30, 1 },
	{ "gbyte", 1ull << 30, 1 },
	{ "gigabyte", 1ull << 30, 1 },
	{ "gbit", 1ull << 30, 8 },
	{ "gigabit", 1ull << 30, 8 },
	{ "tb", 1ull << 40, 1 },
	{ "tbyte", 1ull << 40, 1 },
	{ "terabyte", 1ull << 40, 1 },
	{ "tbit", 1ull << 40, 8 },
	{ "terabit", 1ull << 40, 8 },
	{ NULL, 0, 0 },
};

static const struct unit second_units[] = {
	{ "", 1, 1 },
	{ "second", 1, 1 },
	{ "minute", 60, 1 },
	{ "hour", 3600, 1 },
	{ "day", 86400, 1 },
	{ "week", 604800, 1 },
	{ "month", 2629728, 1 }, /* 30.437 days, as stock counts */
	{ NULL, 0, 0 },
};

static const struct unit msecond_units[] = {
	{ "", 1, 1 },
	{ "msec", 1, 1 },
	{ "millisecond", 1, 1 },
	{ "second", 1000, 1 },
	{ "minute", 60000, 1 },
	{ NULL, 0, 0 },
};

static const struct unit *
unit_find(const struct unit *units, const char *name)
{
	for (; units->name != NULL; units++) {
		size_t len = strlen(units->name);

		if (strncasecmp(name, units->name, len) != 0)
			continue;
		if (name[len] == '\0' || (len > 2 && strcasecmp(name + len, "s") == 0))
			return units;
	}
	return NULL;
}

static const struct unit *const unit_lists[] = {
	[TORRC_BYTES] = byte_units,
	[TORRC_SECONDS] = second_units,
	[TORRC_MSECONDS] = msecond_units,
};

/* "15" times unit, exactly; "1.5" as near as a double comes. */
static enum rc
number_of(const char *text, size_t len, const struct unit *unit, uint64_t *out)
{
	uint64_t whole;
	enum rc rc = parse_u64(span_of(text, len), UINT64_MAX, &whole);

	if (rc == RC_OK && whole > UINT64_MAX / unit->times)
		return RC_RANGE;
	if (rc == RC_OK)
		*out = whole * unit->times / unit->over;
	if (rc != RC_SYNTAX)
		return rc;
	size_t before = strspn(text, "0123456789");
	if (len == 1 || before + 1 + strspn(text + before + 1, "0123456789") != len)
		return RC_SYNTAX;
	double exact = strtod(text, NULL) * (double)unit->times / (double)unit->over;
	*out = exact < 9e18 ? (uint64_t)exact : UINT64_MAX;
	return RC_OK;
}

enum rc
torrc_quantity(const char *text, enum torrc_quantity kind, uint64_t max, uint64_t *out, char *why,
    size_t why_len)
{
	size_t digits = strspn(text, "0123456789.");
	const char *name = text + digits;
	uint64_t number = 0;

	name += strspn(name, " \t");
	const struct unit *unit = unit_find(unit_lists[kind], name);
	enum rc rc = digits == 0 || digits > 20 ? RC_SYNTAX
		     : unit == NULL             ? RC_NOT_FOUND
						: number_of(text, digits, unit, &number);
	if (rc == RC_OK && number > max)
		rc = RC_RANGE;
	if (rc == RC_OK)
		*out = number;
	else if (rc == RC_NOT_FOUND)
		snprintf(why, why_len, "unknown unit %.20s", name);
	else
		snprintf(why, why_len,
		    rc == RC_RANGE ? "too large" : "must be a number, then perhaps a unit");
	return rc;
}
