/* ledger_test.c: spans, gaps, networks, forgetting, and what a stolen file tells. */
#include "exitguard/ledger/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/conf.h"

#define DAY   86400
#define START (20000 * (int64_t)DAY)

static char path[64];

static int
set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/ledger-test.%d", (int)getpid());
	unlink(path);
	return 0;
}

static int
tear_down(void **state)
{
	char aside[80];

	(void)state;
	snprintf(aside, sizeof(aside), "%s.broken", path);
	unlink(aside);
	return unlink(path);
}

static struct ledger *
open_at(int64_t now)
{
	struct ledger *ledger;

	assert_int_equal(ledger_open(path, 30, now, &ledger), RC_OK);
	return ledger;
}

static struct ledger_answer
ask(struct ledger *ledger, int64_t from, int64_t to, const char *network)
{
	struct ledger_answer answer;
	struct addr addr;

	if (network != NULL)
		assert_int_equal(addr_parse(span_of_str(network), &addr), RC_OK);
	assert_int_equal(
	    ledger_ask(ledger, from, to, network != NULL ? &addr : NULL, &answer), RC_OK);
	return answer;
}

static void
count(struct ledger *ledger, const char *text, uint16_t port, uint8_t reason, bool refused)
{
	struct addr addr;

	assert_int_equal(addr_parse(span_of_str(text), &addr), RC_OK);
	ledger_count(ledger, &addr, port, reason, refused);
}

static void
test_counts_and_networks(void **state)
{
	struct ledger *ledger = open_at(START);

	(void)state;
	count(ledger, "203.0.113.5", 443, REPORT_REASON_NONE, false);
	count(ledger, "203.0.113.6", 22, REPORT_REASON_SWEEP, true);
	count(ledger, "198.51.100.7", 22, REPORT_REASON_LOGIN, false); /* observing */
	struct ledger_answer now = ask(ledger, START, START + 1, "203.0.113.200");
	assert_int_equal(now.network_refused, 1);
	assert_false(now.covered);
	assert_int_equal(ledger_tick(ledger, START + 600), RC_OK);
	assert_int_equal(ledger_tick(ledger, START + 1200), RC_OK);
	struct ledger_answer a = ask(ledger, START, START + 1200, "203.0.113.200");
	assert_true(a.covered);
	assert_int_equal(a.spans, 2);
	assert_int_equal(a.network_refused, 1);
	assert_int_equal(a.streams[LEDGER_WEB], 1);
	assert_int_equal(a.streams[LEDGER_LOGIN], 2);
	assert_int_equal(a.refused[LEDGER_LOGIN][REPORT_REASON_SWEEP], 1);
	assert_int_equal(a.matched[LEDGER_LOGIN][REPORT_REASON_LOGIN], 1);
	assert_int_equal(a.refused[LEDGER_LOGIN][REPORT_REASON_LOGIN], 0);
	assert_int_equal(ask(ledger, START, START + 1200, "198.51.100.7").network_refused, 0);
	assert_int_equal(ask(ledger, START + 600, START + 1200, "203.0.113.6").network_refused, 0);
	ledger_close(&ledger, START + 1300);
}

static void
test_gaps_show(void **state)
{
	struct ledger *ledger = open_at(START);

	(void)state;
	(void)ledger_tick(ledger, START + 600);
	ledger_close(&ledger, START + 700);
	ledger = open_at(START + 900); /* within the same span: it is not whole */
	(void)ledger_tick(ledger, START + 1200);
	(void)ledger_tick(ledger, START + 1800);
	ledger_gap(ledger);
	(void)ledger_tick(ledger, START + 2400);
	(void)ledger_tick(ledger, START + 3000);
	assert_true(ask(ledger, START, START + 600, NULL).covered);
	assert_false(ask(ledger, START + 600, START + 1200, NULL).covered);
	assert_true(ask(ledger, START + 1200, START + 1800, NULL).covered);
	assert_false(ask(ledger, START + 1800, START + 2400, NULL).covered);
	assert_true(ask(ledger, START + 2400, START + 3000, NULL).covered);
	assert_false(ask(ledger, START, START + 3000, NULL).covered);
	assert_int_equal(ask(ledger, START, START + 3000, NULL).spans_covered, 3);
	assert_false(ask(ledger, START + 6000, START + 7000, NULL).covered);
	ledger_close(&ledger, START + 3000);
}

static void
test_enforced_only_if_all_of_it_was(void **state)
{
	struct ledger *ledger = open_at(START);

	(void)state;
	count(ledger, "203.0.113.5", 443, REPORT_REASON_NONE, false);
	ledger_set_enforcing(ledger, true); /* in the middle of the first span */
	(void)ledger_tick(ledger, START + 600);
	(void)ledger_tick(ledger, START + 1200);
	ledger_set_enforcing(ledger, false);
	count(ledger, "203.0.113.5", 443, REPORT_REASON_NONE, false);
	ledger_set_enforcing(ledger, true);
	(void)ledger_tick(ledger, START + 1800);
	assert_false(ask(ledger, START, START + 600, NULL).enforced);
	assert_true(ask(ledger, START + 600, START + 1200, NULL).enforced);
	assert_false(ask(ledger, START + 1200, START + 1800, NULL).enforced);
	assert_false(ask(ledger, START + 600, START + 1800, NULL).enforced);
	assert_true(ask(ledger, START + 1800, START + 1900, NULL).enforced); /* running */
	assert_false(ask(ledger, START + 6000, START + 6600, NULL).enforced);
	ledger_close(&ledger, START + 1800);
	/* At the start of the program nothing was counted yet. */
	ledger = open_at(START + 12100);
	ledger_set_enforcing(ledger, true);
	count(ledger, "203.0.113.5", 443, REPORT_REASON_NONE, false);
	assert_true(ask(ledger, START + 12000, START + 12300, NULL).enforced);
	ledger_close(&ledger, START + 12200);
}

static void
test_killed_without_a_word(void **state)
{
	struct ledger *ledger = open_at(START), *after;

	(void)state;
	count(ledger, "203.0.113.6", 22, REPORT_REASON_SWEEP, true);
	(void)ledger_tick(ledger, START + 600);
	count(ledger, "203.0.113.6", 22, REPORT_REASON_SWEEP, true);
	/* A second one opens the file while the first has said nothing. */
	after = open_at(START + 700);
	assert_int_equal(ask(after, START, START + 600, "203.0.113.6").network_refused, 1);
	assert_false(ask(after, START, START + 1200, NULL).covered);
	ledger_close(&after, START + 700);
	ledger_close(&ledger, START + 700);
}

static void
test_old_days_are_forgotten(void **state)
{
	struct ledger *ledger = open_at(START);

	(void)state;
	count(ledger, "203.0.113.6", 22, REPORT_REASON_SWEEP, true);
	(void)ledger_tick(ledger, START + 600);
	assert_int_equal(ask(ledger, START, START + 600, "203.0.113.6").network_refused, 1);
	(void)ledger_tick(ledger, START + 40 * (int64_t)DAY);
	struct ledger_answer a = ask(ledger, START, START + 600, "203.0.113.6");
	assert_int_equal(a.network_refused, 0);
	assert_false(a.covered);
	assert_int_equal(a.streams[LEDGER_LOGIN], 0);
	ledger_close(&ledger, START + 40 * (int64_t)DAY);
}

/* Neither an address nor its bytes are in the file, and the same network gives another mark in
 * each span. */
static void
test_file_does_not_list_destinations(void **state)
{
	static const uint8_t net[] = { 203, 0, 113, 0 };
	struct ledger *ledger = open_at(START);
	uint8_t buf[65536];

	(void)state;
	for (int i = 0; i < 5; i++) {
		count(ledger, "203.0.113.6", 22, REPORT_REASON_SWEEP, true);
		(void)ledger_tick(ledger, START + 600 * (i + 1));
	}
	ledger_close(&ledger, START + 3000);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t n = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	assert_true(n > 4096 && n < sizeof(buf));
	for (size_t i = 0; i + 8 < n; i++) {
		assert_int_not_equal(memcmp(buf + i, net, 4), 0);
		assert_int_not_equal(memcmp(buf + i, "203.0.11", 8), 0);
	}
}

static void
test_broken_file_is_moved_aside(void **state)
{
	FILE *file = fopen(path, "w");
	struct ledger *ledger;

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database", file);
	fclose(file);
	ledger = open_at(START);
	(void)ledger_tick(ledger, START + 600);
	assert_true(ask(ledger, START, START + 600, NULL).covered);
	ledger_close(&ledger, START + 600);
}

static void
test_bad_questions(void **state)
{
	struct ledger *ledger = open_at(START);
	struct ledger_answer answer;

	(void)state;
	assert_int_equal(ledger_ask(ledger, 10, 10, NULL, &answer), RC_RANGE);
	assert_int_equal(ledger_ask(ledger, 20, 10, NULL, &answer), RC_RANGE);
	assert_int_equal(ledger_ask(ledger, 0, INT64_MAX / 2, NULL, &answer), RC_RANGE);
	ledger_close(&ledger, START);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts_and_networks),
		TEST(test_gaps_show),
		TEST(test_enforced_only_if_all_of_it_was),
		TEST(test_killed_without_a_word),
		TEST(test_old_days_are_forgotten),
		TEST(test_file_does_not_list_destinations),
		TEST(test_broken_file_is_moved_aside),
		TEST(test_bad_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
