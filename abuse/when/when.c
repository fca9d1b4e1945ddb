/* when.c: see when.h. */
#include "abuse/when/when.h"

#include <stdio.h>
#include <string.h>

#include "abuse/mail/text.h"

#define DAY      86400
#define YEAR_MIN 1990
#define YEAR_MAX 2100

static const struct {
	const char *name;
	unsigned month;
} months[] = {
	{ "january", 1 },
	{ "januar", 1 },
	{ "jan", 1 },
	{ "jän", 1 },
	{ "february", 2 },
	{ "februar", 2 },
	{ "feb", 2 },
	{ "march", 3 },
	{ "märz", 3 },
	{ "mär", 3 },
	{ "mrz", 3 },
	{ "mar", 3 },
	{ "april", 4 },
	{ "apr", 4 },
	{ "may", 5 },
	{ "mai", 5 },
	{ "june", 6 },
	{ "juni", 6 },
	{ "jun", 6 },
	{ "july", 7 },
	{ "juli", 7 },
	{ "jul", 7 },
	{ "august", 8 },
	{ "aug", 8 },
	{ "september", 9 },
	{ "sept", 9 },
	{ "sep", 9 },
	{ "october", 10 },
	{ "oktober", 10 },
	{ "oct", 10 },
	{ "okt", 10 },
	{ "november", 11 },
	{ "nov", 11 },
	{ "december", 12 },
	{ "dezember", 12 },
	{ "dec", 12 },
	{ "dez", 12 },
};

static const char *const weekdays[] = { "monday", "tuesday", "wednesday", "thursday", "friday",
	"saturday", "sunday", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag",
	"sonntag", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "mo", "di", "mi", "do", "fr",
	"sa", "so" };

const char *
when_basis_str(enum when_basis basis)
{
	static const char *const names[WHEN_BASIS_COUNT] = { "none", "assumed-utc", "date-header",
		"stated", "explicit" };

	return (unsigned)basis < WHEN_BASIS_COUNT ? names[basis] : "none";
}

int64_t
when_slack_s(enum when_basis basis)
{
	switch (basis) {
	case WHEN_EXPLICIT:
	case WHEN_STATED:
		return 300;
	case WHEN_DATE_HEADER:
		return 3 * 3600; /* a summer hour, a server set to UTC */
	default:
		return 14 * 3600;
	}
}

static size_t
scan_month(struct span s, size_t at, unsigned *month)
{
	for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++) {
		size_t len = strlen(months[i].name);

		if (text_starts_at_ci(s, at, months[i].name) &&
		    !((text_lower_at(s, at + len) >= 'a' && text_lower_at(s, at + len) <= 'z'))) {
			*month = months[i].month;
			return len;
		}
	}
	return 0;
}

static size_t
skip_weekday(struct span s, size_t at)
{
	for (size_t i = 0; i < sizeof(weekdays) / sizeof(weekdays[0]); i++) {
		size_t len = strlen(weekdays[i]);

		if (!text_starts_at_ci(s, at, weekdays[i]) || text_is_alnum(text_at(s, at + len)))
			continue;
		at += len;
		if (text_at(s, at) == '.')
			at++;
		if (text_at(s, at) == ',')
			at++;
		return text_skip_space(s, at);
	}
	return at;
}

/* hh:mm[:ss[.frac]], or hh-mm-ss; AM and PM; "Uhr". 0 if there is none. */
static size_t
scan_clock(struct span s, size_t at, struct when_stamp *out)
{
	unsigned long hour = 0, minute = 0, second = 0;
	size_t i = at, n = text_digits(s, i, 2, &hour);
	int separator = text_at(s, i + n);

	if (n == 0 || (separator != ':' && separator != '-'))
		return 0;
	i += n + 1;
	if (text_digits(s, i, 2, &minute) != 2)
		return 0;
	i += 2;
	if (text_at(s, i) == separator) {
		if (text_digits(s, i + 1, 2, &second) != 2)
			return 0;
		i += 3;
		if ((text_at(s, i) == '.' || text_at(s, i) == ',') &&
		    text_is_digit(text_at(s, i + 1))) {
			i++;
			while (text_is_digit(text_at(s, i)))
				i++;
		}
	} else if (separator == '-') {
		return 0;
	}
	size_t next = text_skip_space(s, i);
	bool pm = text_starts_at_ci(s, next, "pm"), am = text_starts_at_ci(s, next, "am");
	if ((am || pm) && !text_is_alnum(text_at(s, next + 2)) && hour >= 1 && hour <= 12) {
		hour = hour % 12 + (pm ? 12 : 0);
		i = next + 2;
	} else if (text_starts_at_ci(s, next, "uhr")) {
		i = next + 3;
	}
	if (hour > 23 || minute > 59 || second > 60)
		return 0;
	out->hour = (unsigned)hour;
	out->minute = (unsigned)minute;
	out->second = second == 60 ? 59 : (unsigned)second;
	return i - at;
}

/* A zone behind a clock: close to it, or after one or two blanks. A one- or two-digit offset
 * must touch the clock, or it is the next column. */
static size_t
scan_zone_behind(struct span s, size_t at, struct zone *out)
{
	size_t start = text_skip_space(s, at);
	struct zone z;
	size_t n = start - at <= 2 ? zone_scan(s, start, &z) : 0;
	int c = text_at(s, start);

	if (n == 0 || (start > at && (c == '+' || c == '-') && n < 5))
		return 0;
	*out = z;
	return start + n - at;
}

/* What may stand between a day and its time. */
static size_t
skip_between(struct span s, size_t at)
{
	static const char *const words[] = { "at ", "um ", "gegen ", "- " };

	if (text_at(s, at) == 'T' || text_at(s, at) == '_' ||
	    (text_at(s, at) == ':' && text_is_digit(text_at(s, at + 1))))
		return at + 1;
	if (text_at(s, at) == ',' || text_at(s, at) == ';')
		at++;
	at = text_skip_space(s, at);
	if (text_at(s, at) == '\n' && text_at(s, at + 1) != '\n')
		at = text_skip_space(s, at + 1); /* a sentence goes on in the next line */
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_starts_at_ci(s, at, words[i]))
			return text_skip_space(s, at + strlen(words[i]));
	return at;
}

static size_t
scan_year(struct span s, size_t at, int *year)
{
	unsigned long value = 0;
	size_t n = text_digits(s, at, 4, &value);

	if (n != 4 || value < YEAR_MIN || value > YEAR_MAX)
		return 0;
	*year = (int)value;
	return n;
}

/* YYYY-MM-DD, YYYY/MM/DD, YYYY.MM.DD */
static size_t
scan_year_first(struct span s, size_t at, struct when_stamp *out)
{
	unsigned long month = 0, day = 0;
	size_t i = at + scan_year(s, at, &out->year);
	int separator = text_at(s, i);

	if (i == at || (separator != '-' && separator != '/' && separator != '.'))
		return 0;
	size_t n = text_digits(s, i + 1, 2, &month);
	if (n == 0 || text_at(s, i + 1 + n) != separator)
		return 0;
	i += n + 2;
	n = text_digits(s, i, 2, &day);
	out->month = (unsigned)month;
	out->day = (unsigned)day;
	return n == 0 ? 0 : i + n - at;
}

/* dd.mm.yyyy, dd/mm/yyyy and mm/dd/yyyy, dd-mm-yyyy; dd.mm.yy */
static size_t
scan_year_last(struct span s, size_t at, struct when_stamp *out)
{
	unsigned long first = 0, second = 0, year = 0;
	size_t i = at, n = text_digits(s, i, 2, &first);
	int separator = text_at(s, i + n);

	if (n == 0 || (separator != '.' && separator != '/' && separator != '-'))
		return 0;
	i += n + 1;
	if (separator == '.')
		i = text_skip_space(s, i);
	n = text_digits(s, i, 2, &second);
	if (n == 0 || text_at(s, i + n) != separator)
		return 0;
	i += n + 1;
	n = scan_year(s, i, &out->year);
	if (n == 0 && separator == '.' && text_digits(s, i, 2, &year) == 2 &&
	    !text_is_digit(text_at(s, i + 2)) && text_at(s, i + 2) != '.') {
		out->year = 2000 + (int)year;
		n = 2;
	}
	out->day = (unsigned)first;
	out->month = (unsigned)second;
	if (separator == '/' && first <= 12) {
		out->month = (unsigned)first;
		out->day = (unsigned)second;
		out->swappable = second <= 12 && first != second;
	}
	return n == 0 ? 0 : i + n - at;
}

/* 7 Aug 2018, 07-Aug-2018, 7. August 2018, 07/Aug/2018 */
static size_t
scan_day_name(struct span s, size_t at, struct when_stamp *out)
{
	unsigned long day = 0;
	size_t n = text_digits(s, at, 2, &day), i = at + n;

	if (n == 0)
		return 0;
	if (text_starts_at_ci(s, i, "st") || text_starts_at_ci(s, i, "nd") ||
	    text_starts_at_ci(s, i, "rd") || text_starts_at_ci(s, i, "th"))
		i += 2;
	if (text_at(s, i) == '.' || text_at(s, i) == '-' || text_at(s, i) == '/')
		i++;
	i = text_skip_space(s, i);
	if (text_starts_at_ci(s, i, "of "))
		i += 3;
	n = scan_month(s, i, &out->month);
	if (n == 0)
		return 0;
	i += n;
	if (text_at(s, i) == '.' || text_at(s, i) == '-' || text_at(s, i) == '/' ||
	    text_at(s, i) == ',')
		i++;
	i = text_skip_space(s, i);
	n = scan_year(s, i, &out->year);
	out->day = (unsigned)day;
	return n == 0 ? 0 : i + n - at;
}

/* Aug  7 [2018] hh:mm:ss [zone] [2018]: syslog and ctime; "August 7, 2018". */
static size_t
scan_name_day(struct span s, size_t at, struct when_stamp *out)
{
	unsigned long day = 0;
	size_t n = scan_month(s, at, &out->month);

	if (n == 0)
		return 0;
	size_t i = at + n;
	if (text_at(s, i) == '.')
		i++;
	i = text_skip_space(s, i);
	n = text_digits(s, i, 2, &day);
	if (n == 0 || text_at(s, i + n) == ':')
		return 0;
	out->day = (unsigned)day;
	i += n;
	if (text_starts_at_ci(s, i, "st") || text_starts_at_ci(s, i, "nd") ||
	    text_starts_at_ci(s, i, "rd") || text_starts_at_ci(s, i, "th"))
		i += 2;
	size_t next = text_skip_space(s, text_at(s, i) == ',' ? i + 1 : i);
	n = scan_year(s, next, &out->year);
	return n == 0 ? i - at : next + n - at;
}

/* 10 digits: seconds since 1970 in this century. */
static bool
scan_epoch(struct span s, size_t at, struct when_stamp *out)
{
	unsigned long value = 0;
	size_t n = text_digits(s, at, 10, &value), len = n;
	int after = text_at(s, at + n);

	if (n != 10 || value < 1100000000ul || value > 4000000000ul)
		return false;
	if (after == '.' && text_is_digit(text_at(s, at + n + 1))) {
		len++;
		while (text_is_digit(text_at(s, at + len)))
			len++;
	} else if (text_is_alnum(after) || after == '-' || after == '@') {
		return false;
	}
	date_from_days((int64_t)value / DAY, &out->year, &out->month, &out->day);
	unsigned left = (unsigned)(value % DAY);
	out->hour = left / 3600;
	out->minute = left / 60 % 60;
	out->second = left % 60;
	out->zone = zone_utc();
	out->at = at;
	out->len = len;
	return true;
}

static bool
is_date(const struct when_stamp *stamp)
{
	int year = stamp->year == 0 ? 2000 : stamp->year;

	return stamp->day >= 1 && stamp->day <= days_in_month(year, stamp->month);
}

bool
when_scan(struct span text, size_t at, struct when_stamp *out)
{
	static size_t (*const forms[])(struct span, size_t, struct when_stamp *) = {
		scan_year_first, scan_day_name, scan_name_day, scan_year_last
	};

	*out = (struct when_stamp){ 0 };
	if (at == 0 || !text_is_digit(text_at(text, at - 1))) {
		if (scan_epoch(text, at, out))
			return true;
	}
	size_t start = skip_weekday(text, at);
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		*out = (struct when_stamp){ 0 };
		size_t n = forms[f](text, start, out);
		if (n == 0 || !is_date(out))
			continue;
		size_t i = skip_between(text, start + n);
		size_t clock = scan_clock(text, i, out);
		if (clock == 0)
			continue;
		i += clock;
		i += scan_zone_behind(text, i, &out->zone);
		if (out->year == 0) {
			size_t next = text_skip_space(text, i);
			size_t year = scan_year(text, next, &out->year);

			/* "2018:" and "2018 " end a ctime; "2018/tcp" or "2020.5" is no year. */
			int after = text_at(text, next + year);
			if (year != 0 && (text_is_alnum(after) || after == '.' || after == '/'))
				out->year = 0;
			else if (year != 0)
				i = next + year;
			if (out->year != 0 && !is_date(out))
				continue;
			if (year != 0 && !out->zone.known)
				i += scan_zone_behind(text, i, &out->zone);
		}
		out->at = at;
		out->len = i - at;
		return true;
	}
	return false;
}

bool
when_search(struct span text, size_t from, struct when_stamp *out)
{
	for (size_t at = from; at < text.len; at++) {
		int c = text_lower_at(text, at), before = at == 0 ? ' ' : text_at(text, at - 1);

		if (text_is_alnum(before) || before == '.' || before == ':' || before == '-')
			continue;
		if (!text_is_digit(c) && !(c >= 'a' && c <= 'z'))
			continue;
		if (when_scan(text, at, out))
			return true;
	}
	return false;
}

static int64_t
wall_seconds(const struct when_stamp *s, int year)
{
	return days_from_date(year, s->month, s->day) * DAY + (int64_t)s->hour * 3600 +
	       (int64_t)s->minute * 60 + s->second;
}

/* A year-less stamp belongs to the latest year that does not put it a day behind the Date. */
static int
year_for(const struct when_stamp *s, const struct zone *z, const struct when_context *ctx)
{
	int year;
	unsigned month, day;

	date_from_days((ctx->date_utc + DAY) / DAY, &year, &month, &day);
	for (int tries = 0; tries < 9; tries++, year--) {
		if (s->day > days_in_month(year, s->month))
			continue;
		if (zone_to_utc(z, wall_seconds(s, year)) <= ctx->date_utc + DAY)
			return year;
	}
	return 0;
}

enum rc
when_resolve(const struct when_stamp *stamp, const struct when_context *ctx, struct when *out)
{
	struct when_stamp s = *stamp;

	if (s.zone.known) {
		out->zone = s.zone;
		out->basis = WHEN_EXPLICIT;
	} else if (ctx->table.known) {
		out->zone = ctx->table;
		out->basis = WHEN_EXPLICIT;
	} else if (ctx->stated.known) {
		out->zone = ctx->stated;
		out->basis = WHEN_STATED;
	} else if (ctx->has_date && ctx->date_offset_known) {
		out->zone = zone_fixed(ctx->date_offset_s);
		out->basis = WHEN_DATE_HEADER;
	} else {
		out->zone = zone_utc();
		out->basis = WHEN_ASSUMED_UTC;
	}
	if (s.year == 0 && !ctx->has_date)
		return RC_RANGE;
	int year = s.year == 0 ? year_for(&s, &out->zone, ctx) : s.year;
	if (year == 0)
		return RC_RANGE;
	out->utc = zone_to_utc(&out->zone, wall_seconds(&s, year));
	if (!ctx->has_date || out->utc <= ctx->date_utc + DAY)
		return RC_OK;
	if (!s.swappable)
		return RC_RANGE;
	unsigned day = s.day;
	s.day = s.month;
	s.month = day;
	out->utc = zone_to_utc(&out->zone, wall_seconds(&s, year));
	return out->utc <= ctx->date_utc + DAY ? RC_OK : RC_RANGE;
}

enum rc
when_parse_iso_z(struct span text, int64_t *out)
{
	struct when_stamp s;

	if (text.len != 20 || text_at(text, 10) != 'T' || text_at(text, 19) != 'Z' ||
	    !when_scan(text, 0, &s) || s.len != 20 || text_at(text, 4) != '-')
		return RC_SYNTAX;
	*out = wall_seconds(&s, s.year);
	return RC_OK;
}

const char *
when_wall_str(int64_t utc, const struct zone *z, char buf[WHEN_STR_LEN])
{
	int64_t wall = utc + zone_offset_at(z, utc);
	int64_t days = (wall >= 0 ? wall : wall - (DAY - 1)) / DAY;
	int64_t left = wall - days * DAY;
	int year;
	unsigned month, day;

	date_from_days(days, &year, &month, &day);
	snprintf(buf, WHEN_STR_LEN, "%04d-%02u-%02u %02d:%02d:%02d", year % 10000, month % 100,
	    day % 100, (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60));
	return buf;
}

const char *
when_iso_str(int64_t utc, char buf[WHEN_STR_LEN])
{
	struct zone z = zone_utc();

	when_wall_str(utc, &z, buf);
	buf[10] = 'T';
	buf[19] = 'Z';
	buf[20] = '\0';
	return buf;
}
