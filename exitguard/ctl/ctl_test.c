/* ctl_test.c: request lines. */
#include "exitguard/ctl/render.h"
#include "exitguard/ctl/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
test_lines(void **state)
{
	static const struct {
		const char *line;
		enum rc rc;
		enum ctl_command command;
	} cases[] = {
		{ "status", RC_OK, CTL_STATUS },
		{ "  status  ", RC_OK, CTL_STATUS },
		{ "status now", RC_TRAILING, CTL_STATUS },
		{ "", RC_NOT_FOUND, 0 },
		{ "Status", RC_NOT_FOUND, 0 },
		{ "explain 192.0.2.1", RC_OK, CTL_EXPLAIN },
		{ "explain 192.0.2.1:80", RC_OK, CTL_EXPLAIN },
		{ "explain [2001:db8::1]:80", RC_OK, CTL_EXPLAIN },
		{ "explain", RC_SYNTAX, CTL_EXPLAIN },
		{ "explain example.com", RC_SYNTAX, CTL_EXPLAIN },
		{ "mode", RC_OK, CTL_MODE },
		{ "mode enforce", RC_OK, CTL_MODE },
		{ "mode both", RC_SYNTAX, CTL_MODE },
		{ "mode averyveryverylongword", RC_SYNTAX, CTL_MODE },
		{ "ban 192.0.2.0/24", RC_OK, CTL_BAN },
		{ "ban 192.0.2.0/24 15m", RC_OK, CTL_BAN },
		{ "ban 192.0.2.0/24 15", RC_SYNTAX, CTL_BAN },
		{ "ban 192.0.2.1/24", RC_RANGE, CTL_BAN },
		{ "unban 192.0.2.1 15m", RC_SYNTAX, CTL_UNBAN },
		{ "ledger", RC_OK, CTL_LEDGER },
		{ "ledger prefix 192.0.2.1 from 2025-01-01 to 2025-01-01T12:00:00Z", RC_OK,
		    CTL_LEDGER },
		{ "ledger prefix", RC_SHORT, CTL_LEDGER },
		{ "ledger wherever 1", RC_SYNTAX, CTL_LEDGER },
		{ "ledger a a a a a a a a a", RC_LIMIT, CTL_LEDGER },
	};
	struct ctl_request request;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum rc rc = ctl_request_parse(span_of_str(cases[i].line), &request, &why);

		if (rc != cases[i].rc)
			fail_msg("\"%s\": %s", cases[i].line, rc_str(rc));
		if (rc == RC_OK)
			assert_int_equal(request.command, cases[i].command);
	}
}

static void
test_arguments(void **state)
{
	struct ctl_request request;
	const char *why;

	(void)state;
	assert_int_equal(
	    ctl_request_parse(span_of_str("ban 192.0.2.0/24 12h"), &request, &why), RC_OK);
	assert_int_equal(request.duration_s, 12 * 3600);
	assert_int_equal(request.prefix.bits, 24);
	assert_int_equal(
	    ctl_request_parse(span_of_str("explain 192.0.2.9:22"), &request, &why), RC_OK);
	assert_int_equal(request.where.port, 22);
	assert_int_equal(
	    ctl_request_parse(
		span_of_str("ledger from 2025-01-01T00:10:00Z to 1735690000"), &request, &why),
	    RC_OK);
	assert_int_equal(request.from, 1735690200);
	assert_int_equal(request.to, 1735690000);
}

static void
test_durations_and_times(void **state)
{
	uint32_t s;
	int64_t t;

	(void)state;
	assert_int_equal(ctl_duration_parse(span_of_str("7d"), &s), RC_OK);
	assert_int_equal(s, 604800);
	assert_int_equal(ctl_duration_parse(span_of_str("3650d"), &s), RC_OK);
	assert_int_equal(ctl_duration_parse(span_of_str("3651d"), &s), RC_RANGE);
	assert_int_equal(ctl_duration_parse(span_of_str("0s"), &s), RC_RANGE);
	assert_int_equal(ctl_duration_parse(span_of_str("s"), &s), RC_SYNTAX);
	assert_int_equal(ctl_duration_parse(span_of_str("-1s"), &s), RC_SYNTAX);
	assert_int_equal(ctl_time_parse(span_of_str("1970-01-02"), &t), RC_OK);
	assert_int_equal(t, 86400);
	assert_int_equal(ctl_time_parse(span_of_str("2025-13-01"), &t), RC_RANGE);
	assert_int_equal(ctl_time_parse(span_of_str("2025-01-01T00:00:00"), &t), RC_SYNTAX);
	assert_int_equal(ctl_time_parse(span_of_str("2025-01-01T00:00:00+01"), &t), RC_SYNTAX);
}

/* Whatever JSON an answer is, it is shown without reading what is not there. */
static void
test_render_takes_any_answer(void **state)
{
	static const char *const words[] = { "status", "explain", "list", "limits", "ledger", "ban",
		"mode", "reload" };
	static const char *const answers[] = { "{}", "[]",
		"{\"relay\":3,\"kernel\":[],\"entries\":5}",
		"{\"limits\":[1,{}],\"entries\":[null],\"classes\":{\"web\":1}}" };
	FILE *to = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(to);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t j = 0; j < sizeof(answers) / sizeof(answers[0]); j++) {
			json_t *json = json_loads(answers[j], 0, NULL);

			assert_non_null(json);
			render_answer(words[i], json, to);
			json_decref(json);
		}
	fclose(to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_durations_and_times),
		cmocka_unit_test(test_render_takes_any_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
