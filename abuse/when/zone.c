/* zone.c: see zone.h. */
#include "abuse/when/zone.h"

#include <stdio.h>
#include <string.h>

#include "abuse/mail/text.h"

#define HOUR 3600
#define DAY  86400

/* Longer names first where one begins with another. A name in words (CET in a sentence, a
 * region) follows its summer time; summer names and those in a time stamp are fixed. */
static const struct {
	const char *name;
	int32_t offset_s;
	enum zone_rule rule;
} zones[] = {
	{ "central european summer time", 2 * HOUR, ZONE_FIXED },
	{ "central european daylight time", 2 * HOUR, ZONE_FIXED },
	{ "central european standard time", HOUR, ZONE_FIXED },
	{ "central european time", HOUR, ZONE_EU },
	{ "western european time", 0, ZONE_EU },
	{ "eastern european time", 2 * HOUR, ZONE_EU },
	{ "mitteleuropäische sommerzeit", 2 * HOUR, ZONE_FIXED },
	{ "mitteleuropäischer sommerzeit", 2 * HOUR, ZONE_FIXED },
	{ "mitteleuropäische zeit", HOUR, ZONE_EU },
	{ "mitteleuropäischer zeit", HOUR, ZONE_EU },
	{ "deutsche zeit", HOUR, ZONE_EU },
	{ "deutscher zeit", HOUR, ZONE_EU },
	{ "coordinated universal time", 0, ZONE_FIXED },
	{ "koordinierte weltzeit", 0, ZONE_FIXED },
	{ "greenwich mean time", 0, ZONE_FIXED },
	{ "eastern daylight time", -4 * HOUR, ZONE_FIXED },
	{ "eastern standard time", -5 * HOUR, ZONE_FIXED },
	{ "eastern time", -5 * HOUR, ZONE_US },
	{ "pacific time", -8 * HOUR, ZONE_US },
	{ "europe/london", 0, ZONE_EU },
	{ "europe/dublin", 0, ZONE_EU },
	{ "europe/lisbon", 0, ZONE_EU },
	{ "europe/berlin", HOUR, ZONE_EU },
	{ "europe/vienna", HOUR, ZONE_EU },
	{ "europe/zurich", HOUR, ZONE_EU },
	{ "europe/paris", HOUR, ZONE_EU },
	{ "europe/brussels", HOUR, ZONE_EU },
	{ "europe/amsterdam", HOUR, ZONE_EU },
	{ "europe/luxembourg", HOUR, ZONE_EU },
	{ "europe/madrid", HOUR, ZONE_EU },
	{ "europe/rome", HOUR, ZONE_EU },
	{ "europe/prague", HOUR, ZONE_EU },
	{ "europe/warsaw", HOUR, ZONE_EU },
	{ "europe/budapest", HOUR, ZONE_EU },
	{ "europe/stockholm", HOUR, ZONE_EU },
	{ "europe/oslo", HOUR, ZONE_EU },
	{ "europe/copenhagen", HOUR, ZONE_EU },
	{ "europe/helsinki", 2 * HOUR, ZONE_EU },
	{ "europe/bucharest", 2 * HOUR, ZONE_EU },
	{ "europe/athens", 2 * HOUR, ZONE_EU },
	{ "europe/sofia", 2 * HOUR, ZONE_EU },
	{ "europe/kiev", 2 * HOUR, ZONE_EU },
	{ "europe/kyiv", 2 * HOUR, ZONE_EU },
	{ "europe/riga", 2 * HOUR, ZONE_EU },
	{ "europe/tallinn", 2 * HOUR, ZONE_EU },
	{ "europe/vilnius", 2 * HOUR, ZONE_EU },
	{ "europe/moscow", 3 * HOUR, ZONE_FIXED },
	{ "america/new_york", -5 * HOUR, ZONE_US },
	{ "america/toronto", -5 * HOUR, ZONE_US },
	{ "america/chicago", -6 * HOUR, ZONE_US },
	{ "america/denver", -7 * HOUR, ZONE_US },
	{ "america/los_angeles", -8 * HOUR, ZONE_US },
	{ "america/sao_paulo", -3 * HOUR, ZONE_FIXED },
	{ "asia/tokyo", 9 * HOUR, ZONE_FIXED },
	{ "asia/seoul", 9 * HOUR, ZONE_FIXED },
	{ "asia/shanghai", 8 * HOUR, ZONE_FIXED },
	{ "asia/kolkata", 19800, ZONE_FIXED },
	{ "etc/utc", 0, ZONE_FIXED },
	{ "cest", 2 * HOUR, ZONE_FIXED },
	{ "mesz", 2 * HOUR, ZONE_FIXED },
	{ "mest", 2 * HOUR, ZONE_FIXED },
	{ "cet", HOUR, ZONE_EU },
	{ "mez", HOUR, ZONE_EU },
	{ "met", HOUR, ZONE_EU },
	{ "wet", 0, ZONE_EU },
	{ "west", HOUR, ZONE_FIXED },
	{ "eet", 2 * HOUR, ZONE_EU },
	{ "eest", 3 * HOUR, ZONE_FIXED },
	{ "bst", HOUR, ZONE_FIXED },
	{ "msk", 3 * HOUR, ZONE_FIXED },
	{ "est", -5 * HOUR, ZONE_FIXED },
	{ "edt", -4 * HOUR, ZONE_FIXED },
	{ "cst", -6 * HOUR, ZONE_FIXED },
	{ "cdt", -5 * HOUR, ZONE_FIXED },
	{ "mst", -7 * HOUR, ZONE_FIXED },
	{ "mdt", -6 * HOUR, ZONE_FIXED },
	{ "pst", -8 * HOUR, ZONE_FIXED },
	{ "pdt", -7 * HOUR, ZONE_FIXED },
	{ "jst", 9 * HOUR, ZONE_FIXED },
	{ "kst", 9 * HOUR, ZONE_FIXED },
	{ "hkt", 8 * HOUR, ZONE_FIXED },
	{ "sgt", 8 * HOUR, ZONE_FIXED },
	{ "aest", 10 * HOUR, ZONE_FIXED },
	{ "aedt", 11 * HOUR, ZONE_FIXED },
	{ "brt", -3 * HOUR, ZONE_FIXED },
};

struct zone
zone_fixed(int32_t offset_s)
{
	return (struct zone){ .known = true, .rule = ZONE_FIXED, .offset_s = offset_s };
}

struct zone
zone_utc(void)
{
	return zone_fixed(0);
}

bool
zone_equal(const struct zone *a, const struct zone *b)
{
	return a->known == b->known && a->rule == b->rule && a->offset_s == b->offset_s;
}

int64_t
days_from_date(int year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

void
date_from_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t doe = days - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

unsigned
days_in_month(int year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month < 1 || month > 12)
		return 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

/* The last (which = 0) or which-th Sunday of a month, as days since 1970. */
static int64_t
sunday(int year, unsigned month, unsigned which)
{
	if (which == 0) {
		int64_t last = days_from_date(year, month, days_in_month(year, month));

		return last - (last + 4) % 7; /* 1970-01-01 was a Thursday */
	}
	int64_t first = days_from_date(year, month, 1);
	return first + (7 - (first + 4) % 7) % 7 + 7 * ((int64_t)which - 1);
}

int32_t
zone_offset_at(const struct zone *z, int64_t utc)
{
	int year;
	unsigned month, day;
	int64_t from, to;

	if (z->rule == ZONE_FIXED || utc < 0)
		return z->offset_s;
	date_from_days(utc / DAY, &year, &month, &day);
	if (z->rule == ZONE_EU) {
		from = sunday(year, 3, 0) * DAY + HOUR;
		to = sunday(year, 10, 0) * DAY + HOUR;
	} else {
		from = sunday(year, 3, 2) * DAY + 2 * HOUR - z->offset_s;
		to = sunday(year, 11, 1) * DAY + HOUR - z->offset_s;
	}
	return utc >= from && utc < to ? z->offset_s + HOUR : z->offset_s;
}

int64_t
zone_to_utc(const struct zone *z, int64_t wall_s)
{
	/* In the doubled hour of autumn the first run is taken; in spring's gap either will do. */
	int64_t utc = wall_s - z->offset_s - HOUR;

	if (z->rule != ZONE_FIXED && utc + zone_offset_at(z, utc) == wall_s)
		return utc;
	return wall_s - z->offset_s;
}

const char *
zone_str(const struct zone *z, int64_t utc, char buf[ZONE_STR_LEN])
{
	int32_t offset = zone_offset_at(z, utc);
	unsigned magnitude = (unsigned)(offset < 0 ? -offset : offset) / 60 % 6000;

	if (offset == 0)
		snprintf(buf, ZONE_STR_LEN, "UTC");
	else
		snprintf(buf, ZONE_STR_LEN, "UTC%c%02u:%02u", offset < 0 ? '-' : '+',
		    magnitude / 60, magnitude % 60);
	return buf;
}

/* +0200, +02:00, +2, +10; up to 14 hours. */
static size_t
scan_offset(struct span s, size_t at, struct zone *out)
{
	int sign = text_at(s, at) == '-' ? -1 : text_at(s, at) == '+' ? 1 : 0;
	unsigned long hours = 0, minutes = 0;
	size_t i = at + 1;

	if (sign == 0)
		return 0;
	size_t n = text_digits(s, i, 4, &hours);
	if (n == 4 || n == 3) {
		minutes = hours % 100;
		hours /= 100;
	} else if (n == 0) {
		return 0;
	}
	i += n;
	if (n <= 2 && text_at(s, i) == ':' && text_digits(s, i + 1, 2, &minutes) == 2)
		i += 3;
	if (hours > 14 || minutes > 59 || text_is_alnum(text_at(s, i)))
		return 0;
	*out = zone_fixed(sign * (int32_t)(hours * HOUR + minutes * 60));
	return i - at;
}

static size_t
scan_name(struct span s, size_t at, struct zone *out)
{
	if (text_starts_at_ci(s, at, "utc") || text_starts_at_ci(s, at, "gmt")) {
		size_t sign = text_skip_space(s, at + 3);
		size_t n = sign - at <= 4 ? scan_offset(s, sign, out) : 0;

		if (n > 0)
			return sign + n - at;
		if (text_is_alnum(text_at(s, at + 3)))
			return 0;
		*out = zone_utc();
		return 3;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		size_t len = strlen(zones[i].name);

		if (text_starts_at_ci(s, at, zones[i].name) &&
		    !text_is_alnum(text_at(s, at + len))) {
			*out = (struct zone){ true, zones[i].rule, zones[i].offset_s };
			return len;
		}
	}
	return 0;
}

size_t
zone_scan(struct span text, size_t at, struct zone *out)
{
	bool bracket = text_at(text, at) == '(' || text_at(text, at) == '[';
	size_t i = bracket ? at + 1 : at;
	size_t n = 0;

	if (text_at(text, i) == 'Z' && !text_is_alnum(text_at(text, i + 1))) {
		*out = zone_utc();
		n = 1;
	}
	if (n == 0)
		n = scan_offset(text, i, out);
	if (n == 0)
		n = scan_name(text, i, out);
	if (n == 0)
		return 0;
	i += n;
	if (bracket && (text_at(text, i) == ')' || text_at(text, i) == ']'))
		i++;
	return i - at;
}

/* Words after which a zone is looked for on the same line. */
static const char *const cues[] = { "timezone", "time zone", "time-zone", "time is", "times are",
	"time in", "times in", "timestamps are", "timestamps in", "timestamp is", "timestamp in",
	"times given", "times shown", "times listed", "times below", "times above", "times stated",
	"dates are", "date is", "dates and times", "all times", "all timestamps", "local time",
	"all dates", "system time", "server time", "server clock", "clock is", "zeitzone",
	"zeitangaben", "alle zeiten", "uhrzeiten", "zeitstempel", "zeiten sind", "zeiten in",
	"serverzeit", "ortszeit", "systemzeit", "generated at" };

/* The rest of a sentence: to its line's end and into the next line, so that a zone behind a
 * line break is found; ends at a blank line. */
static struct span
sentence_from(struct span text, size_t at)
{
	struct span s = text_sub(text, at, 160);
	size_t first = text_find_char(s, '\n', 0);

	if (first == TEXT_NONE)
		return s;
	size_t second = text_find_char(s, '\n', first + 1);
	return text_sub(s, 0, second == TEXT_NONE ? s.len : second);
}

static bool
zone_in_sentence(struct span s, struct zone *out)
{
	size_t end = 0;

	for (size_t i = 0; i < s.len; i++) {
		struct zone z;
		int c = text_at(s, i), before = i == 0 ? ' ' : text_at(s, i - 1);

		if (end != 0 && i > end)
			break;
		if (text_is_alnum(before) || before == ':' || before == '-' || before == '.')
			continue;
		if (c == 'Z')
			continue;
		/* An offset in a sentence has four digits or a colon; "+5" alone is no zone. */
		if ((c == '+' || c == '-') && zone_scan(s, i, &z) < 5)
			continue;
		if (zone_scan(s, i, &z) == 0)
			continue;
		*out = z;
		/* "MET / GMT+1", "+0200 (CEST)": a plain offset close behind a name wins. */
		if (z.rule == ZONE_FIXED || end != 0)
			return true;
		end = i + 20;
	}
	return end != 0;
}

bool
zone_in_prose(struct span text, struct zone *out)
{
	size_t best = TEXT_NONE;

	for (size_t i = 0; i < sizeof(cues) / sizeof(cues[0]); i++) {
		size_t at = 0;

		for (unsigned tries = 0; tries < 20; tries++) {
			struct zone z;

			at = text_find_ci(text, cues[i], at);
			if (at == TEXT_NONE || at >= best)
				break;
			if (zone_in_sentence(sentence_from(text, at + strlen(cues[i])), &z)) {
				*out = z;
				best = at;
				break;
			}
			at++;
		}
	}
	return best != TEXT_NONE;
}

bool
zone_in_heading(struct span line, struct zone *out)
{
	static const char *const heads[] = { "timestamp", "time", "datetime", "date", "zeit",
		"zeitpunkt", "zeitstempel", "datum", "uhrzeit" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t at = text_find_ci(line, heads[i], 0);

		if (at == TEXT_NONE)
			continue;
		at += strlen(heads[i]);
		if (text_at(line, at) == '_' || text_at(line, at) == '-')
			at++;
		at = text_skip_space(line, at);
		if (text_starts_at_ci(line, at, "in "))
			at += 3;
		if (text_at(line, at) != '+' && text_at(line, at) != '-' &&
		    zone_scan(line, at, out) != 0)
			return true;
	}
	return false;
}
