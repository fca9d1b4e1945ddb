/* policy_test.c: policies against those that stock relays published with the same options, the
 * decision, and what is refused as an entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "relayd/policy/policy.h"

static struct policy *
build(const char *value, struct policy_options options)
{
	struct policy *policy = NULL;
	char why[200] = "";

	enum rc rc =
	    policy_build(&value, value != NULL ? 1 : 0, &options, &policy, why, sizeof(why));
	if (rc != RC_OK)
		fail_msg("%s: %s (%s)", value, rc_str(rc), why);
	return policy;
}

static const struct policy_options open_exit = { .exit_relay = true, .ipv6_exit = true };

static struct addr
addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(span_of_str(text), &a), RC_OK);
	return a;
}

static bool
allows(const struct policy *policy, const char *addr, uint16_t port)
{
	struct addr a = addr_of(addr);

	return policy_allows(policy, &a, port);
}

/* The policy lines of a descriptor. */
static void
render(const struct policy *policy, char *out, size_t cap)
{
	char buf[POLICY_RULE_STR_LEN], summary[POLICY_SUMMARY_STR_LEN];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule *rule = policy_rule(policy, i);

		if (rule->family == ADDR_IPV4)
			len += (size_t)snprintf(
			    out + len, cap - len, "%s\n", policy_rule_str(rule, buf, sizeof(buf)));
	}
	assert_int_equal(policy_ipv6_summary(policy, summary, sizeof(summary)), RC_OK);
	if (summary[0] != '\0')
		snprintf(out + len, cap - len, "ipv6-policy %s\n", summary);
}

static void
test_as_stock_publishes(void **state)
{
	static const struct {
		const char *file, *value;
		struct policy_options options;
	} cases[] = {
		{ "reduced", NULL,
		    { .exit_relay = true,
			.ipv6_exit = true,
			.reject_private = true,
			.reduced = true } },
		{ "default", NULL,
		    { .exit_relay = true, .ipv6_exit = true, .reject_private = true } },
		{ "mixed",
		    "accept *:80, reject 11.0.0.0/255.0.0.0:1-1024,accept6 [2001:db8::]/32:443,"
		    "accept private:22, reject *4:23,accept *6:24",
		    { .exit_relay = true,
			.ipv6_exit = true,
			.reject_private = true,
			.reduced = true } },
		{ "closed", "accept *:80,reject *:*, accept *:443",
		    { .exit_relay = true, .reject_private = true } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[512], ours[8192], *want;
		size_t len;
		struct policy *policy = build(cases[i].value, cases[i].options);

		snprintf(path, sizeof(path), "%s/relayd/policy/vectors/%s.policy", EXITGATE_SRCDIR,
		    cases[i].file);
		assert_int_equal(conf_read_file(path, 65536, &want, &len), RC_OK);
		render(policy, ours, sizeof(ours));
		assert_string_equal(ours, want);
		free(want);
		policy_free(&policy);
	}
}

static void
test_first_match_decides(void **state)
{
	struct policy *policy = build("accept 192.0.2.7:25,reject 192.0.2.0/24,accept6 "
				      "[2001:db8::1]:8000-8010,reject6 [2001:db8::]/32:*",
	    open_exit);

	(void)state;
	assert_true(allows(policy, "192.0.2.7", 25));
	assert_false(allows(policy, "192.0.2.7", 80));
	assert_false(allows(policy, "192.0.2.8", 25));
	assert_true(allows(policy, "198.51.100.1", 80));
	assert_false(allows(policy, "198.51.100.1", 25)); /* the default follows */
	assert_false(allows(policy, "198.51.100.1", 0));
	assert_true(allows(policy, "2001:db8::1", 8010));
	assert_false(allows(policy, "2001:db8::1", 8011));
	assert_true(allows(policy, "2001:db9::1", 80));
	assert_false(policy_is_reject_all(policy));
	assert_true(policy_may_allow_port(policy, 25));
	assert_false(policy_may_allow_port(policy, 119));
	policy_free(&policy);
}

static void
test_private_and_own(void **state)
{
	struct addr own[] = { addr_of("203.0.113.9"), addr_of("2001:db8::9"), addr_of("10.1.2.3") };
	struct policy_options options = { .exit_relay = true,
		.ipv6_exit = true,
		.reject_private = true,
		.own = own,
		.own_count = 3 };
	struct policy *policy = build("accept *:*", options);

	(void)state;
	assert_false(allows(policy, "203.0.113.9", 80));
	assert_true(allows(policy, "203.0.113.10", 80));
	assert_false(allows(policy, "2001:db8::9", 80));
	assert_false(allows(policy, "10.1.2.3", 80));
	assert_false(allows(policy, "0.1.2.3", 25)); /* path-bias probes */
	assert_false(allows(policy, "127.0.0.1", 80));
	assert_false(allows(policy, "::1", 80));
	assert_false(allows(policy, "::ffff:127.0.0.1", 80));
	assert_false(allows(policy, "fe80::1", 80));
	policy_free(&policy);

	options.reject_private = false;
	policy = build("reject 127.0.0.0/8:*,accept *:*", options);
	assert_true(allows(policy, "203.0.113.9", 80));
	assert_true(allows(policy, "10.1.2.3", 80));
	assert_false(allows(policy, "::ffff:127.0.0.1", 80)); /* the same place as 127.0.0.1 */
	assert_true(allows(policy, "::ffff:192.0.2.1", 80));
	policy_free(&policy);
}

static void
test_not_an_exit(void **state)
{
	char summary[POLICY_SUMMARY_STR_LEN];
	struct policy *policy = build("accept *:*", (struct policy_options){ .ipv6_exit = true });

	(void)state;
	assert_true(policy_is_reject_all(policy));
	assert_false(allows(policy, "198.51.100.1", 80));
	assert_false(policy_may_allow_port(policy, 80));
	assert_int_equal(policy_rule_count(policy), 2);
	assert_int_equal(policy_ipv6_summary(policy, summary, sizeof(summary)), RC_OK);
	assert_string_equal(summary, "");
	policy_free(&policy);

	policy = build("accept *:*", (struct policy_options){ .exit_relay = true });
	assert_false(allows(policy, "2001:db8::1", 80));
	assert_true(allows(policy, "198.51.100.1", 25));
	policy_free(&policy);
}

static void
test_ipv6_summary(void **state)
{
	static const struct {
		const char *policy, *want;
	} cases[] = {
		{ "accept *:*", "accept 1-65535" },
		{ "reject *:*", "" },
		{ "accept6 *:80,reject *:*", "accept 80" },
		{ "reject6 *:25,accept *:*", "reject 25" },
		{ "accept6 [2001:db8::]/32:80,reject *:*", "" },
		{ "reject6 [2001::]/16:80,accept *:*", "accept 1-65535" },
		{ "reject6 [2000::]/15:80,accept *:*", "reject 80" },
		{ "reject6 [2001::]/16:80,reject6 [2a00::]/16:80,accept *:*", "reject 80" },
		{ "reject private:*,accept *:1-1024,reject *:*", "accept 1-1024" },
		{ "accept *:1-10,accept *:11-20,reject *:*", "accept 1-20" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char summary[POLICY_SUMMARY_STR_LEN];
		struct policy *policy = build(cases[i].policy, open_exit);

		assert_int_equal(policy_ipv6_summary(policy, summary, sizeof(summary)), RC_OK);
		assert_string_equal(summary, cases[i].want);
		policy_free(&policy);
	}
}

static void
test_long_summary_is_cut(void **state)
{
	char value[16384] = "", summary[POLICY_SUMMARY_STR_LEN];
	size_t len = 0;

	(void)state;
	for (unsigned port = 10000; port < 10600; port += 2)
		len += (size_t)snprintf(value + len, sizeof(value) - len, "accept *:%u,", port);
	snprintf(value + len, sizeof(value) - len, "reject *:*");
	struct policy *policy = build(value, open_exit);
	assert_int_equal(policy_ipv6_summary(policy, summary, sizeof(summary)), RC_OK);
	assert_true(strlen(summary) <= 1000);
	assert_memory_equal(summary, "accept 10000,10002,", 19);
	assert_true(summary[strlen(summary) - 1] != ',');
	policy_free(&policy);
}

static void
test_what_is_refused(void **state)
{
	static const char *const bad[] = {
		"allow *:80",
		"accept *:",
		"accept *:0",
		"accept *:70000",
		"accept *:90-80",
		"accept *:80-",
		"accept *:-80",
		"accept *:80x",
		"accept 1.2.3:80",
		"accept 1.2.3.4/33",
		"accept 1.2.3.4/255.0.255.0:*",
		"accept 2001:db8::1:80",
		"accept [2001:db8::1:80",
		"accept [1.2.3.4]:80",
		"accept6 1.2.3.4:80",
		"accept6 *4:80",
		"accept example.com:80",
		"accept",
		"accept7 *:80",
		"accept *:80 reject *:*",
		"accept [2001:db8::]/129:*",
		"accept *:80,reject 300.0.0.0/8:*",
		"reject *5:80",
	};
	static const char *const good[] = {
		"",
		"accept *",
		"accept 1.2.3.4",
		"reject *:0-80",
		"  accept  * : 80 ,, ",
		"accept [2001:db8::]/32",
		"accept 10.0.0.0/255.0.0.0",
		"accept6 private:80",
		"accept [::]/0:80",
		"reject 192.0.2.77/24:80",
	};
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct policy *policy = NULL;

		why[0] = '\0';
		if (policy_build(&bad[i], 1, &open_exit, &policy, why, sizeof(why)) == RC_OK)
			fail_msg("taken: %s", bad[i]);
		assert_null(policy);
		assert_true(strlen(why) > 4);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct policy *policy = build(good[i], open_exit);

		policy_free(&policy);
	}
	const char *two[] = { "accept *:80", "reject 1.2.3.4:99999" };
	struct policy *policy = NULL;
	assert_int_not_equal(policy_build(two, 2, &open_exit, &policy, why, sizeof(why)), RC_OK);
	assert_non_null(strstr(why, "reject 1.2.3.4:99999"));
}

static void
test_too_many_rules(void **state)
{
	size_t cap = 4200 * 32, len = 0;
	char *value = malloc(cap), why[200];
	struct policy *policy = NULL;

	(void)state;
	assert_non_null(value);
	for (unsigned i = 0; i < 4200; i++)
		len += (size_t)snprintf(
		    value + len, cap - len, "reject 11.0.%u.%u:80,", i / 256, i % 256);
	const char *one = value;
	assert_int_equal(policy_build(&one, 1, &open_exit, &policy, why, sizeof(why)), RC_LIMIT);
	free(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_stock_publishes),
		cmocka_unit_test(test_first_match_decides),
		cmocka_unit_test(test_private_and_own),
		cmocka_unit_test(test_not_an_exit),
		cmocka_unit_test(test_ipv6_summary),
		cmocka_unit_test(test_long_summary_is_cut),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_too_many_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
