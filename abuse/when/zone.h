/* zone.h: time zones by offset, by abbreviation or told in words; summer time by rule. Pure. */
#ifndef ABUSE_WHEN_ZONE_H
#define ABUSE_WHEN_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

enum zone_rule { ZONE_FIXED, ZONE_EU, ZONE_US };

struct zone {
	bool known;
	enum zone_rule rule;
	int32_t offset_s; /* east of UTC; of standard time where there is a rule */
};

#define ZONE_STR_LEN 16

struct zone zone_fixed(int32_t offset_s);
struct zone zone_utc(void);
bool zone_equal(const struct zone *a, const struct zone *b);
/* Offset in force at that moment, and the moment of a wall clock's seconds since 1970. */
int32_t zone_offset_at(const struct zone *z, int64_t utc);
int64_t zone_to_utc(const struct zone *z, int64_t wall_s);
/* "UTC", "UTC+02:00" at that moment. */
const char *zone_str(const struct zone *z, int64_t utc, char buf[ZONE_STR_LEN]);

/* A zone that starts exactly at `at`: Z, +0200, +02:00, UTC, UTC+1, GMT-0400, CET, (CEST),
 * Europe/Berlin, "Central European Time". Bytes it takes, 0 if there is none. */
size_t zone_scan(struct span text, size_t at, struct zone *out);
/* The zone told in a sentence or note anywhere in the text ("all times are in UTC"). */
bool zone_in_prose(struct span text, struct zone *out);
/* The zone in the head of a table's time column: "Time (UTC)", "timestamp_utc". */
bool zone_in_heading(struct span line, struct zone *out);

/* Days since 1970-01-01 of a date of the Gregorian calendar, and back. */
int64_t days_from_date(int year, unsigned month, unsigned day);
void date_from_days(int64_t days, int *year, unsigned *month, unsigned *day);
unsigned days_in_month(int year, unsigned month);

#endif
