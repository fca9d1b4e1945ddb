/* when_test.c: time stamps as mails write them, zones told in words, and the ground each
 * resolved time stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abuse/when/when.h"

/* Tue, 07 Apr 2026 10:31:20 +0200 */
static const struct when_context april = {
	.has_date = true, .date_offset_known = true, .date_utc = 1775550680, .date_offset_s = 7200
};
/* Fri, 02 Jan 2026 09:00:00 +0100 */
static const struct when_context january = {
	.has_date = true, .date_offset_known = true, .date_utc = 1767340800, .date_offset_s = 3600
};
static const struct when_context nothing = { .has_date = false };

static const struct {
	const char *text;
	const struct when_context *ctx;
	const char *want; /* NULL: no stamp, or none that can be */
	enum when_basis basis;
} stamps[] = {
	{ "2026-04-07T08:01:10Z", &april, "2026-04-07T08:01:10Z", WHEN_EXPLICIT },
	{ "2026-04-07 08:01:10.123 +02:00 x", &april, "2026-04-07T06:01:10Z", WHEN_EXPLICIT },
	{ "2026-04-07 08:01:10,5 -0430", &april, "2026-04-07T12:31:10Z", WHEN_EXPLICIT },
	{ "2026-04-07T08:01:10+02", &april, "2026-04-07T06:01:10Z", WHEN_EXPLICIT },
	{ "2026-04-07 08:01:10 UTC", &april, "2026-04-07T08:01:10Z", WHEN_EXPLICIT },
	{ "2026-04-07 08:01:10 (CEST)", &april, "2026-04-07T06:01:10Z", WHEN_EXPLICIT },
	{ "2026-02-07 08:01:10 CET", &april, "2026-02-07T07:01:10Z", WHEN_EXPLICIT },
	{ "2026-04-07 08:01:10 EST", &april, "2026-04-07T13:01:10Z", WHEN_EXPLICIT },
	{ "2026-04-07 08:01:10", &april, "2026-04-07T06:01:10Z", WHEN_DATE_HEADER },
	{ "2026-04-07 08:01:10", &nothing, "2026-04-07T08:01:10Z", WHEN_ASSUMED_UTC },
	{ "2026-04-07 08:01:10  22", &april, "2026-04-07T06:01:10Z", WHEN_DATE_HEADER },
	{ "2015-05-06T05-00-00UTC", &april, "2015-05-06T05:00:00Z", WHEN_EXPLICIT },
	{ "2026/04/07 08:01", &april, "2026-04-07T06:01:00Z", WHEN_DATE_HEADER },
	{ "07/Apr/2026:08:01:10 +0200", &april, "2026-04-07T06:01:10Z", WHEN_EXPLICIT },
	{ "Tue, 07 Apr 2026 08:01:10 +0200", &april, "2026-04-07T06:01:10Z", WHEN_EXPLICIT },
	{ "07-Apr-2026 08:01:10 GMT-0400", &april, "2026-04-07T12:01:10Z", WHEN_EXPLICIT },
	{ "Tue Apr  7 08:01:10 2026 TCP", &april, "2026-04-07T06:01:10Z", WHEN_DATE_HEADER },
	{ "Tue Apr  7 08:01:10 CEST 2026", &april, "2026-04-07T06:01:10Z", WHEN_EXPLICIT },
	{ "Thu Nov 13 18:14:27 2025:   a", &april, "2025-11-13T16:14:27Z", WHEN_DATE_HEADER },
	{ "Apr  7 08:01:10 web1 sshd[1]:", &april, "2026-04-07T06:01:10Z", WHEN_DATE_HEADER },
	{ "Dec 31 23:59:59 web1", &january, "2025-12-31T22:59:59Z", WHEN_DATE_HEADER },
	{ "Jan  1 00:00:01 web1", &january, "2025-12-31T23:00:01Z", WHEN_DATE_HEADER },
	{ "Feb 29 12:00:00 web1", &january, "2024-02-29T11:00:00Z", WHEN_DATE_HEADER },
	{ "Apr  7 08:01:10 web1", &nothing, NULL, WHEN_NONE },
	{ "07.04.2026, 08:01 Uhr (MESZ)", &april, "2026-04-07T06:01:00Z", WHEN_EXPLICIT },
	{ "07.04.2026 um 08:01:10", &april, "2026-04-07T06:01:10Z", WHEN_DATE_HEADER },
	{ "7. April 2026 um 08:01 Uhr", &april, "2026-04-07T06:01:00Z", WHEN_DATE_HEADER },
	{ "March 3rd, 2026 at 5:07 PM UTC", &april, "2026-03-03T17:07:00Z", WHEN_EXPLICIT },
	{ "04/07/2026 08:01:10 AM", &april, "2026-04-07T06:01:10Z", WHEN_DATE_HEADER },
	{ "05/04/2026 08:01:10", &april, "2026-04-05T06:01:10Z", WHEN_DATE_HEADER },
	{ "31/03/2026 12:00:00", &april, "2026-03-31T10:00:00Z", WHEN_DATE_HEADER },
	{ "12/31/2025 12:00 AM", &april, "2025-12-30T22:00:00Z", WHEN_DATE_HEADER },
	{ "1775549000", &april, "2026-04-07T08:03:20Z", WHEN_EXPLICIT },
	{ "1775549000.123:45", &april, "2026-04-07T08:03:20Z", WHEN_EXPLICIT },
	{ "2026-04-09 08:01:10", &april, NULL, WHEN_NONE },
	{ "2026-02-30 08:01:10", &april, NULL, WHEN_NONE },
	{ "2026-04-07 24:01:10", &april, NULL, WHEN_NONE },
	{ "2026-04-07", &april, NULL, WHEN_NONE },
	{ "192.0.2.10 22:10", &april, NULL, WHEN_NONE },
	{ "May", &april, NULL, WHEN_NONE },
	{ "", &april, NULL, WHEN_NONE },
};

static void
test_stamps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		struct span text = span_of_str(stamps[i].text);
		char buf[WHEN_STR_LEN] = "none";
		struct when_stamp stamp;
		struct when when = { .basis = WHEN_NONE };
		bool ok = when_scan(text, 0, &stamp) &&
			  when_resolve(&stamp, stamps[i].ctx, &when) == RC_OK;

		if (ok)
			when_iso_str(when.utc, buf);
		const char *want = stamps[i].want == NULL ? "none" : stamps[i].want;
		if (strcmp(buf, want) != 0 || (ok && when.basis != stamps[i].basis))
			fail_msg("\"%s\" is %s (%s), not %s (%s)", stamps[i].text, buf,
			    when_basis_str(when.basis), want, when_basis_str(stamps[i].basis));
	}
}

static void
test_search(void **state)
{
	struct span line =
	    span_of_str("host 192.0.2.10 - - [07/Apr/2026:08:01:10 +0200] \"GET /\"");
	struct when_stamp stamp;

	(void)state;
	assert_true(when_search(line, 0, &stamp));
	assert_int_equal(stamp.at, 21);
	assert_int_equal(stamp.len, 26);
	assert_false(when_search(line, 30, &stamp));
	assert_false(when_search(span_of_str("version 2026.04.07.1 of 10:20"), 0, &stamp));
}

static const struct {
	const char *text;
	bool known;
	int32_t summer_s, winter_s; /* offsets in July and in January */
} prose[] = {
	{ "Note: Local timezone is +0200 (CEST)", true, 7200, 7200 },
	{ "All times are in UTC.", true, 0, 0 },
	{ "Timezone: UTC +0900", true, 32400, 32400 },
	{ "Our Timezone is GMT +8", true, 28800, 28800 },
	{ "timezone is UTC +1:00", true, 3600, 3600 },
	{ "All timestamps are in Central European Time", true, 7200, 3600 },
	{ "time is MET / GMT+1", true, 3600, 3600 },
	{ "Alle Zeitangaben in MEZ.", true, 7200, 3600 },
	{ "Alle Zeiten sind MESZ", true, 7200, 7200 },
	{ "Zeitzone: Europe/Berlin", true, 7200, 3600 },
	{ "The time zone of this log is America/New_York", true, -14400, -18000 },
	{ "all times are\nUTC", true, 0, 0 },
	{ "This time is bad. 192.0.2.10:22", false, 0, 0 },
	{ "The local time was late, we met there", true, 7200, 3600 },
	{ "Nothing about it", false, 0, 0 },
};

static void
test_prose(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(prose) / sizeof(prose[0]); i++) {
		struct zone z = { .known = false };
		bool known = zone_in_prose(span_of_str(prose[i].text), &z);

		/* 2026-07-01 and 2026-01-01 */
		if (known != prose[i].known ||
		    (known && (zone_offset_at(&z, 1782864000) != prose[i].summer_s ||
				  zone_offset_at(&z, 1767225600) != prose[i].winter_s)))
			fail_msg("\"%s\"", prose[i].text);
	}
}

static void
test_heading(void **state)
{
	struct zone z;

	(void)state;
	assert_true(zone_in_heading(span_of_str("TIME (UTC)  SRC  SRC-PORT -> DST"), &z));
	assert_int_equal(z.offset_s, 0);
	assert_true(zone_in_heading(span_of_str("asn|ip|timestamp_utc|port"), &z));
	assert_true(zone_in_heading(span_of_str("Date [CEST] Source"), &z));
	assert_int_equal(z.offset_s, 7200);
	assert_false(zone_in_heading(span_of_str("time protocol src_ip"), &z));
}

/* The turns of summer time, by the EU's rule and that of the US. */
static void
test_summer_time(void **state)
{
	const struct zone berlin = { true, ZONE_EU, 3600 };
	const struct zone new_york = { true, ZONE_US, -18000 };

	(void)state;
	assert_int_equal(zone_offset_at(&berlin, 1774745999), 3600); /* 2026-03-29 00:59:59Z */
	assert_int_equal(zone_offset_at(&berlin, 1774746000), 7200);
	assert_int_equal(zone_offset_at(&berlin, 1792889999), 7200); /* 2026-10-25 00:59:59Z */
	assert_int_equal(zone_offset_at(&berlin, 1792890000), 3600);
	assert_int_equal(zone_offset_at(&new_york, 1772953199), -18000); /* 2026-03-08 06:59:59Z */
	assert_int_equal(zone_offset_at(&new_york, 1772953200), -14400);
	assert_int_equal(zone_offset_at(&new_york, 1793512799), -14400); /* 2026-11-01 05:59:59Z */
	assert_int_equal(zone_offset_at(&new_york, 1793512800), -18000);
	for (int64_t utc = 1767225600; utc < 1798761600; utc += 1799) {
		int64_t wall = utc + zone_offset_at(&berlin, utc);
		int64_t back = zone_to_utc(&berlin, wall);

		/* Only in autumn's doubled hour two moments have one clock time. */
		if (back != utc)
			assert_true(utc >= 1792890000 && utc < 1792890000 + 3600);
	}
}

static void
test_dates(void **state)
{
	int64_t utc;

	(void)state;
	for (int64_t days = -800000; days < 800000; days += 97) {
		int year;
		unsigned month, day;

		date_from_days(days, &year, &month, &day);
		assert_true(month >= 1 && month <= 12);
		assert_true(day >= 1 && day <= days_in_month(year, month));
		assert_true(days_from_date(year, month, day) == days);
	}
	assert_int_equal(when_parse_iso_z(span_of_str("2025-01-01T00:00:00Z"), &utc), RC_OK);
	assert_true(utc == 1735689600);
	assert_int_equal(when_parse_iso_z(span_of_str("2025-01-01T00:00:00"), &utc), RC_SYNTAX);
	assert_int_equal(when_parse_iso_z(span_of_str("2025-13-01T00:00:00Z"), &utc), RC_SYNTAX);
}

/* Where zones are told in several ways the nearest to the time counts. */
static void
test_order_of_zones(void **state)
{
	struct when_context ctx = april;
	struct when_stamp stamp;
	struct when when;

	(void)state;
	ctx.stated = zone_fixed(3600);
	assert_true(when_scan(span_of_str("2026-04-07 08:00:00"), 0, &stamp));
	assert_int_equal(when_resolve(&stamp, &ctx, &when), RC_OK);
	assert_int_equal(when.basis, WHEN_STATED);
	assert_true(when.utc == 1775545200);
	ctx.table = zone_utc();
	assert_int_equal(when_resolve(&stamp, &ctx, &when), RC_OK);
	assert_int_equal(when.basis, WHEN_EXPLICIT);
	assert_true(when.utc == 1775548800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_prose),
		cmocka_unit_test(test_heading),
		cmocka_unit_test(test_summer_time),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_order_of_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
