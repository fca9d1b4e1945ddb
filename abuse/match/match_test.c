/* match_test.c: facts read strictly, and verdicts that hold through the whole doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "abuse/match/match.h"

static const char text[] =
    "{ \"operator\": \"x\", \"mailboxes\": [\"a@b.example\"], \"timezone\": \"Europe/Berlin\","
    "\"relays\": [ { \"nickname\": \"alder\", \"hoster\": \"hoster.example\","
    "  \"or_addresses\": [\"192.0.2.9\"], \"exit_addresses\": [\"192.0.2.10\", \"2001:db8::10\"],"
    "  \"policies\": ["
    "    { \"from\": \"2026-01-01T00:00:00Z\", \"accept\": [22, 80] },"
    "    { \"from\": \"2026-02-01T00:00:00Z\", \"accept\": \"all-but-25\","
    "      \"reject_nets\": [\"203.0.113.0/25\"] },"
    "    { \"from\": \"2026-03-01T00:00:00Z\", \"accept\": [80] } ] } ],"
    "\"mail_hop_ranges\": [\"198.51.100.224/27\"],"
    "\"ledger\": ["
    "  { \"from\": \"2026-02-10T00:00:00Z\", \"to\": \"2026-02-10T00:10:00Z\", \"covered\": true,"
    "    \"prefix\": \"203.0.113.0/24\", \"refused\": false, \"mode\": \"enforce\" },"
    "  { \"from\": \"2026-02-10T00:10:00Z\", \"to\": \"2026-02-10T00:20:00Z\", \"covered\": true,"
    "    \"prefix\": \"203.0.113.0/24\", \"refused\": true, \"mode\": \"enforce\","
    "    \"by_reason\": {\"sweep\": 12} },"
    "  { \"from\": \"2026-02-10T00:20:00Z\", \"to\": \"2026-02-10T00:30:00Z\", \"covered\": false,"
    "    \"prefix\": \"203.0.113.0/24\", \"refused\": true, \"mode\": \"observe\" } ] }";

static struct facts facts;

static int
setup(void **state)
{
	char error[FACTS_ERROR_LEN];

	(void)state;
	return facts_parse(span_of_str(text), &facts, error) == RC_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	facts_clear(&facts);
	return 0;
}

static int64_t
at(const char *iso)
{
	int64_t utc = 0;

	assert_int_equal(when_parse_iso_z(span_of_str(iso), &utc), RC_OK);
	return utc;
}

static struct incident
incident(const char *src, const char *dst, uint16_t dport, const char *first, const char *last,
    enum when_basis basis)
{
	struct incident it = {
		.dport = dport, .proto = PROTO_TCP, .has_time = first != NULL, .basis = basis
	};

	assert_int_equal(addr_parse(span_of_str(src), &it.src), RC_OK);
	if (dst != NULL)
		assert_int_equal(prefix_parse(span_of_str(dst), &it.dst), RC_OK);
	if (first != NULL) {
		it.first_utc = at(first);
		it.last_utc = at(last);
	}
	return it;
}

#define JAN  "2026-01-15T12:00:00Z"
#define FEB  "2026-02-15T12:00:00Z"
#define EVE  "2026-02-28T23:58:00Z"
#define DAWN "2026-03-01T02:00:00Z"
#define MAR  "2026-03-15T12:00:00Z"

static const struct {
	const char *what, *src, *dst;
	uint16_t dport;
	enum proto proto;
	const char *first, *last;
	enum when_basis basis;
	enum policy_answer policy;
	enum verdict verdict;
} cases[] = {
	{ "accepted", "192.0.2.10", "203.0.113.200", 22, PROTO_TCP, FEB, FEB, WHEN_EXPLICIT,
	    POLICY_ACCEPT, VERDICT_CANNOT_BE_EXCLUDED },
	{ "refused port", "192.0.2.10", "203.0.113.200", 22, PROTO_TCP, MAR, MAR, WHEN_EXPLICIT,
	    POLICY_REJECT, VERDICT_EXCLUDED },
	{ "refused, target not told", "192.0.2.10", NULL, 22, PROTO_TCP, MAR, MAR, WHEN_EXPLICIT,
	    POLICY_REJECT, VERDICT_EXCLUDED },
	{ "port 25", "2001:db8::10", NULL, 25, PROTO_TCP, FEB, FEB, WHEN_STATED, POLICY_REJECT,
	    VERDICT_EXCLUDED },
	{ "refused network", "192.0.2.10", "203.0.113.5", 443, PROTO_TCP, FEB, FEB, WHEN_EXPLICIT,
	    POLICY_REJECT, VERDICT_EXCLUDED },
	{ "refused network, port not told", "192.0.2.10", "203.0.113.5", 0, PROTO_TCP, FEB, FEB,
	    WHEN_EXPLICIT, POLICY_REJECT, VERDICT_EXCLUDED },
	{ "half the network refused", "192.0.2.10", "203.0.113.0/24", 443, PROTO_TCP, FEB, FEB,
	    WHEN_EXPLICIT, POLICY_ACCEPT, VERDICT_CANNOT_BE_EXCLUDED },
	{ "refused then, accepted within the span", "192.0.2.10", NULL, 443, PROTO_TCP, JAN, FEB,
	    WHEN_EXPLICIT, POLICY_REJECT, VERDICT_CANNOT_BE_EXCLUDED },
	{ "just after the change", "192.0.2.10", NULL, 22, PROTO_TCP, DAWN, DAWN, WHEN_EXPLICIT,
	    POLICY_REJECT, VERDICT_EXCLUDED },
	{ "just after the change, zone in doubt", "192.0.2.10", NULL, 22, PROTO_TCP, DAWN, DAWN,
	    WHEN_DATE_HEADER, POLICY_REJECT, VERDICT_CANNOT_BE_EXCLUDED },
	{ "accepted, refused minutes later", "192.0.2.10", NULL, 22, PROTO_TCP, EVE, EVE,
	    WHEN_EXPLICIT, POLICY_ACCEPT, VERDICT_CANNOT_BE_EXCLUDED },
	{ "before all records", "192.0.2.10", NULL, 443, PROTO_TCP, "2025-12-01T00:00:00Z",
	    "2025-12-01T00:00:00Z", WHEN_EXPLICIT, POLICY_UNKNOWN, VERDICT_CANNOT_BE_EXCLUDED },
	{ "at the edge of the records", "192.0.2.10", NULL, 443, PROTO_TCP, "2026-01-01T00:01:00Z",
	    "2026-01-01T00:01:00Z", WHEN_EXPLICIT, POLICY_REJECT, VERDICT_UNLIKELY },
	{ "no time", "192.0.2.10", NULL, 25, PROTO_TCP, NULL, NULL, WHEN_NONE, POLICY_UNKNOWN,
	    VERDICT_CANNOT_BE_EXCLUDED },
	{ "no port", "192.0.2.10", NULL, 0, PROTO_TCP, MAR, MAR, WHEN_EXPLICIT, POLICY_UNKNOWN,
	    VERDICT_CANNOT_BE_EXCLUDED },
	{ "udp", "192.0.2.10", NULL, 53, PROTO_UDP, FEB, FEB, WHEN_EXPLICIT, POLICY_NOT_TCP,
	    VERDICT_EXCLUDED },
	{ "no exit's address", "192.0.2.9", NULL, 80, PROTO_TCP, FEB, FEB, WHEN_EXPLICIT,
	    POLICY_NOT_EXIT, VERDICT_EXCLUDED },
	{ "not ours", "192.0.2.110", NULL, 80, PROTO_TCP, FEB, FEB, WHEN_EXPLICIT, POLICY_UNKNOWN,
	    VERDICT_CANNOT_BE_EXCLUDED },
};

static void
test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct incident it = incident(cases[i].src, cases[i].dst, cases[i].dport,
		    cases[i].first, cases[i].last, cases[i].basis);

		it.proto = cases[i].proto;
		struct match m = match_incident(&facts, &it);
		if (m.policy != cases[i].policy || m.verdict != cases[i].verdict)
			fail_msg("%s: %s, %s", cases[i].what, policy_str(m.policy),
			    verdict_str(m.verdict));
	}
}

static void
test_ledger(void **state)
{
	static const struct {
		const char *first, *last, *dst;
		bool covers, refused;
	} spans[] = {
		{ "2026-02-10T00:01:00Z", "2026-02-10T00:05:00Z", "203.0.113.9", true, false },
		{ "2026-02-10T00:05:00Z", "2026-02-10T00:15:00Z", "203.0.113.9", true, true },
		{ "2026-02-10T00:15:00Z", "2026-02-10T00:15:00Z", "203.0.114.9", false, false },
		{ "2026-02-10T00:15:00Z", "2026-02-10T00:25:00Z", "203.0.113.9", false, true },
		{ "2026-02-10T00:25:00Z", "2026-02-10T00:25:00Z", "203.0.113.9", false, false },
		{ "2026-02-11T00:00:00Z", "2026-02-11T00:00:00Z", "203.0.113.9", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		struct incident it = incident(
		    "192.0.2.10", spans[i].dst, 443, spans[i].first, spans[i].last, WHEN_EXPLICIT);
		struct match m = match_incident(&facts, &it);

		if (m.ledger_covers != spans[i].covers || m.refused != spans[i].refused)
			fail_msg("span %zu: covers %d, refused %d", i, m.ledger_covers, m.refused);
	}
}

/* The guard's own answers, one after the other, with members that are not needed here. */
static void
test_ledger_file(void **state)
{
	static const char answers[] =
	    "{\"from\":\"2026-02-12T00:00:00Z\",\"to\":\"2026-02-12T00:20:00Z\","
	    "\"mode\":\"enforce\",\"prefix\":\"203.0.113.9/32\",\"refused\":true,"
	    "\"covered\":true,\"spans\":2,\"spans_covered\":2,\"oldest\":1,"
	    "\"classes\":{}}\n"
	    "{\"ledger\":[{\"from\":\"2026-02-13T00:00:00Z\",\"to\":\"2026-02-13T00:20:00Z\","
	    "\"mode\":\"observe\",\"prefix\":\"203.0.113.0/24\",\"refused\":null,"
	    "\"covered\":true}]}\n";
	char error[FACTS_ERROR_LEN], net[ADDR_STR_LEN];
	size_t before = facts.ledger_count;

	(void)state;
	assert_int_equal(facts_parse_ledger(span_of_str(answers), &facts, error), RC_OK);
	assert_int_equal(facts.ledger_count, before + 2);
	struct incident it = incident("192.0.2.10", "203.0.113.77", 443, "2026-02-12T00:05:00Z",
	    "2026-02-12T00:05:00Z", WHEN_EXPLICIT);
	struct match m = match_incident(&facts, &it);
	assert_true(m.refused && m.ledger_covers);
	assert_string_equal(prefix_str(&m.refused_net, net), "203.0.113.0/24");
	assert_true(m.refused_from == at("2026-02-12T00:00:00Z"));
	assert_int_equal(facts_parse_ledger(span_of_str("{} {"), &facts, error), RC_SYNTAX);
	assert_int_equal(facts_parse_ledger(span_of_str(""), &facts, error), RC_SYNTAX);
	assert_int_equal(facts_parse_ledger(span_of_str("[1]"), &facts, error), RC_SYNTAX);
	assert_non_null(strstr(error, "ledger[0]"));
}

static void
test_lookups(void **state)
{
	(void)state;
	assert_true(facts_is_mailbox(&facts, "A@b.example"));
	assert_false(facts_is_mailbox(&facts, "c@b.example"));
	assert_true(facts_is_hoster_domain(&facts, "mail.hoster.example"));
	assert_false(facts_is_hoster_domain(&facts, "nohoster.example"));
	assert_int_equal(facts.timezone.offset_s, 3600);
}

/* Every wrong file is told by its place. */
static void
test_wrong_facts(void **state)
{
	static const struct {
		const char *json, *want;
	} wrong[] = {
		{ "", "line" },
		{ "[]", "an object" },
		{ "{ \"mailboxes\": [] }", "operator: missing" },
		{ "{ \"operator\": 1 }", "operator: a text" },
		{ "{ \"operator\": \"x\", \"operator\": \"y\" }", "line 1" },
		{ "{ \"operator\": \"x\", \"relay\": [] }", "unknown member \"relay\"" },
		{ "{ \"operator\": \"x\", \"relays\": {} }", "relays: a list" },
		{ "{ \"operator\": \"x\", \"relays\": [ {} ] }", "relays[0].nickname: missing" },
		{ "{ \"operator\": \"x\", \"timezone\": \"Mars\" }", "timezone" },
		{ "{ \"operator\": \"x\", \"mailboxes\": [\"x\"] }", "mailboxes[0]" },
		{ "{ \"operator\": \"x\", \"relays\": [ { \"nickname\": \"a\", \"or_addresses\":"
		  "[\"1.2.3\"] } ] }",
		    "relays[0].or_addresses[0]: an IP address" },
		{ "{ \"operator\": \"x\", \"relays\": [ { \"nickname\": \"a\", \"policies\":"
		  "[ { \"from\": \"2026\", \"accept\": [] } ] } ] }",
		    "relays[0].policies[0].from" },
		{ "{ \"operator\": \"x\", \"relays\": [ { \"nickname\": \"a\", \"policies\":"
		  "[ { \"from\": \"2026-01-01T00:00:00Z\", \"accept\": [0] } ] } ] }",
		    "accept" },
		{ "{ \"operator\": \"x\", \"relays\": [ { \"nickname\": \"a\", \"policies\":"
		  "[ { \"from\": \"2026-01-02T00:00:00Z\", \"accept\": [] },"
		  "  { \"from\": \"2026-01-01T00:00:00Z\", \"accept\": [] } ] } ] }",
		    "policies[1]: policies stand in the order" },
		{ "{ \"operator\": \"x\", \"mail_hop_ranges\": [\"198.51.100.1/24\"] }",
		    "mail_hop_ranges[0]" },
		{ "{ \"operator\": \"x\", \"ledger\": [ { \"from\": \"2026-01-01T00:00:00Z\","
		  "\"to\": \"2026-01-01T00:10:00Z\", \"covered\": 1 } ] }",
		    "ledger[0]: \"covered\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char error[FACTS_ERROR_LEN];
		struct facts f;

		assert_int_equal(facts_parse(span_of_str(wrong[i].json), &f, error), RC_SYNTAX);
		if (strstr(error, wrong[i].want) == NULL)
			fail_msg("%s: \"%s\"", wrong[i].json, error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_ledger_file),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_wrong_facts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
