/* plan_test.c: sets, elements, the element table and the configuration. */
#include "exitguard/plan/elems.h"
#include "exitguard/plan/plan.h"
#include "exitguard/plan/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/conf.h"

static struct prefix
prefix(const char *text)
{
	struct prefix out;

	assert_int_equal(prefix_parse(span_of_str(text), &out), RC_OK);
	return out;
}

static void
test_sets_come_in_twins(void **state)
{
	(void)state;
	for (int i = 0; i < GUARD_SET_COUNT; i++) {
		size_t len = strlen(guard_sets[i].name);
		char twin[32];
		bool found = false;

		if (guard_sets[i].family != ADDR_IPV4)
			continue;
		snprintf(twin, sizeof(twin), "%.*s6", (int)len - 1, guard_sets[i].name);
		for (int j = 0; j < GUARD_SET_COUNT; j++)
			found |= strcmp(guard_sets[j].name, twin) == 0 &&
				 guard_sets[j].key == guard_sets[i].key &&
				 guard_sets[j].use == guard_sets[i].use;
		assert_true(found);
	}
}

static void
test_detected(void **state)
{
	static const struct {
		const char *prefix;
		uint16_t port;
		enum rc rc;
		enum guard_set set;
	} cases[] = {
		{ "240.1.0.0/16", 8080, RC_OK, SET_WIDE_PORT4 },
		{ "240.1.2.0/24", 22, RC_OK, SET_NET_PORT4 },
		{ "240.1.2.0/24", 0, RC_OK, SET_NET4 },
		{ "240.1.2.3/32", 443, RC_OK, SET_ADDR_PORT4 },
		{ "240.1.2.3/32", 0, RC_OK, SET_ADDR4 },
		{ "2001:db8::/32", 80, RC_OK, SET_WIDE_PORT6 },
		{ "2001:db8:1::/48", 80, RC_OK, SET_NET_PORT6 },
		{ "2001:db8:1::/48", 0, RC_OK, SET_NET6 },
		{ "2001:db8::1/128", 80, RC_OK, SET_ADDR_PORT6 },
		{ "2001:db8::1/128", 0, RC_OK, SET_ADDR6 },
		{ "240.1.0.0/16", 0, RC_UNSUPPORTED, 0 }, /* never all of a /16 */
		{ "240.0.0.0/8", 80, RC_UNSUPPORTED, 0 },
		{ "2001:db8::/64", 80, RC_UNSUPPORTED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix p = prefix(cases[i].prefix);
		struct guard_elem elem;

		assert_int_equal(guard_plan_detected(&p, cases[i].port, 60000, &elem), cases[i].rc);
		if (cases[i].rc != RC_OK)
			continue;
		assert_int_equal(elem.set, cases[i].set);
		assert_int_equal(elem.port, cases[i].port);
		assert_int_equal(elem.timeout_s, 60);
		assert_true(guard_elem_is_valid(&elem));
		struct addr addr = guard_elem_to_addr(&elem);
		assert_true(addr_equal(&addr, &p.addr));
	}
}

static void
test_hold_is_bounded(void **state)
{
	struct prefix p = prefix("240.1.2.3/32");
	struct guard_elem elem;

	(void)state;
	assert_int_equal(guard_plan_detected(&p, 80, 0, &elem), RC_OK);
	assert_int_equal(elem.timeout_s, 1);
	assert_int_equal(guard_plan_detected(&p, 80, 1001, &elem), RC_OK);
	assert_int_equal(elem.timeout_s, 2);
	assert_int_equal(guard_plan_detected(&p, 80, UINT32_MAX, &elem), RC_OK);
	assert_int_equal(elem.timeout_s, GUARD_HOLD_MAX_S);
}

static void
test_lists_are_cut_into_pieces(void **state)
{
	static const struct {
		const char *prefix;
		size_t pieces;
		const char *first, *last;
	} cases[] = {
		{ "203.0.113.9/32", 1, "203.0.113.9", "203.0.113.9" },
		{ "203.0.113.0/24", 1, "203.0.113.0", "203.0.113.0" },
		{ "203.0.113.128/25", 128, "203.0.113.128", "203.0.113.255" },
		{ "203.0.112.0/20", 16, "203.0.112.0", "203.0.127.0" },
		{ "198.18.0.0/16", 256, "198.18.0.0", "198.18.255.0" },
		{ "198.18.0.0/15", 0, NULL, NULL },
		{ "2001:db8:ff00::/40", 256, "2001:db8:ff00::", "2001:db8:ffff::" },
		{ "2001:db8:1::/48", 1, "2001:db8:1::", "2001:db8:1::" },
		{ "2001:db8::/64", 0, NULL, NULL },
		{ "2001:db8::ff00/120", 256, "2001:db8::ff00", "2001:db8::ffff" },
	};
	static struct guard_elem out[GUARD_PIECES_MAX];
	char text[ADDR_STR_LEN];
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix p = prefix(cases[i].prefix);
		enum rc rc = guard_plan_list(GUARD_LIST_BAN, &p, 5, out, &count);

		assert_int_equal(rc, cases[i].pieces != 0 ? RC_OK : RC_RANGE);
		assert_int_equal(count, cases[i].pieces);
		if (count == 0)
			continue;
		struct addr first = guard_elem_to_addr(&out[0]);
		assert_string_equal(addr_str(&first, text), cases[i].first);
		struct addr last = guard_elem_to_addr(&out[count - 1]);
		assert_string_equal(addr_str(&last, text), cases[i].last);
		for (size_t j = 0; j < count; j++)
			assert_true(guard_elem_is_valid(&out[j]));
	}
}

static void
test_wrong_elements_are_known(void **state)
{
	struct addr addr = addr_ipv4(0xf0010203);
	struct guard_elem good = guard_elem_addr(SET_NET_PORT4, &addr, 80, 60), bad;

	(void)state;
	assert_true(guard_elem_is_valid(&good));
	bad = good;
	bad.set = GUARD_SET_COUNT;
	assert_false(guard_elem_is_valid(&bad));
	bad = good;
	bad.key[3] = 1; /* a host bit */
	assert_false(guard_elem_is_valid(&bad));
	bad = good;
	bad.key[4] = 1; /* past the address */
	assert_false(guard_elem_is_valid(&bad));
	bad = good;
	bad.port = 0;
	assert_false(guard_elem_is_valid(&bad));
	bad = good;
	bad.zero = 1;
	assert_false(guard_elem_is_valid(&bad));
	bad = guard_elem_addr(SET_LIMIT4, &addr, 0, 0); /* the kernel's own */
	assert_false(guard_elem_is_valid(&bad));
	bad = guard_elem_addr(SET_RELAYS4, &addr, 9001, 60); /* has no timeouts */
	assert_false(guard_elem_is_valid(&bad));
	bad = guard_elem_u32(SET_EXIT_USERS, 1000);
	assert_true(guard_elem_is_valid(&bad));
	bad.key[5] = 1;
	assert_false(guard_elem_is_valid(&bad));
}

/* Against a plain array: put, delete, expire, at random. */
static void
test_elems_against_a_model(void **state)
{
	enum { KEYS = 500, STEPS = 20000 };
	static const uint8_t key[16] = { 7 };
	static uint32_t model[KEYS]; /* expiry + 1, 0: absent */
	struct elems elems;
	uint32_t random = 1, expires;

	(void)state;
	elems_init(&elems, key);
	for (int step = 0; step < STEPS; step++) {
		random = random * 1664525 + 1013904223;
		uint32_t n = (random >> 8) % KEYS, what = (random >> 20) % 8;
		struct addr addr = addr_ipv4(0xf0000000 + n);
		struct guard_elem elem = guard_elem_addr(n % 2 ? SET_ADDR4 : SET_BAN4, &addr, 0, 0);

		if (what < 5) {
			expires = what == 0 ? 0 : (uint32_t)step + n;
			assert_int_equal(elems_put(&elems, &elem, expires), RC_OK);
			model[n] = expires + 1;
		} else {
			assert_int_equal(elems_del(&elems, &elem), model[n] != 0);
			model[n] = 0;
		}
		if (step % 1000 != 999)
			continue;
		(void)elems_expire(&elems, (uint32_t)step);
		size_t count = 0;
		for (uint32_t i = 0; i < KEYS; i++) {
			if (model[i] > 1 && model[i] - 1 <= (uint32_t)step)
				model[i] = 0;
			addr = addr_ipv4(0xf0000000 + i);
			elem = guard_elem_addr(i % 2 ? SET_ADDR4 : SET_BAN4, &addr, 0, 0);
			assert_int_equal(elems_find(&elems, &elem, &expires), model[i] != 0);
			if (model[i] != 0)
				assert_int_equal(expires, model[i] - 1);
			count += model[i] != 0;
		}
		assert_int_equal(elems.count, count);
	}
	elems_del_set(&elems, SET_ADDR4);
	size_t cursor = 0;
	struct guard_elem elem;
	while (elems_next(&elems, &cursor, &elem))
		assert_int_equal(elem.set, SET_BAN4);
	elems_clear(&elems);
}

static void
test_settings_defaults(void **state)
{
	struct settings_error error;
	struct settings s;

	(void)state;
	assert_int_equal(settings_parse(span_of_str(""), &s, &error), RC_OK);
	assert_int_equal(s.mode, GUARD_OBSERVE);
	assert_int_equal(s.view, GUARD_VIEW_AUTO);
	assert_true(s.nftables);
	assert_int_equal(s.network_limit.per_second, 500);
	assert_int_equal(s.memory_max, 64 * 1024 * 1024);
	assert_int_equal(s.log.count, 1);
	assert_int_equal(s.relay_users.count, 0);
	settings_clear(&s);
}

static void
test_settings_values(void **state)
{
	static const char text[] = "Mode enforce\nView both # comment\nRelayUser 0\nRelayUser 12\n"
				   "Ban 203.0.113.0/24\nNetworkLimit 10 20\nMemoryMax 2 GiB\n"
				   "Log info stderr\nLog err /var/log/x\nNftables off\n";
	struct settings_error error;
	struct settings s;

	(void)state;
	assert_int_equal(settings_parse(span_of_str(text), &s, &error), RC_OK);
	assert_int_equal(s.mode, GUARD_ENFORCE);
	assert_int_equal(s.view, GUARD_VIEW_BOTH);
	assert_int_equal(s.relay_users.count, 2);
	assert_int_equal(s.network_limit.burst, 20);
	assert_true(s.memory_max == (uint64_t)2 << 30);
	assert_int_equal(s.log.count, 2);
	assert_false(s.nftables);
	settings_clear(&s);
}

static void
test_settings_errors(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} cases[] = {
		{ "Mode observe\nMoed enforce\n", 2, "did you mean Mode?" },
		{ "ConsensusFiles /x\n", 1, "did you mean ConsensusFile?" },
		{ "\n\nMode maybe\n", 3, "Mode \"maybe\"" },
		{ "SourceAddress 192.0.2.300\n", 1, "not an address" },
		{ "Ban 192.0.2.1/24\n", 1, "zero host bits" },
		{ "RelayUser nobody-of-that-name\n", 1, "no such user" },
		{ "NflogGroup 0\n", 1, "1 to 65535" },
		{ "NetworkLimit 5\n", 1, "NetworkLimit" },
		{ "NetworkLimit 5 6 7\n", 1, "NetworkLimit" },
		{ "MemoryMax 10\n", 1, "MemoryMax" },
		{ "Log loud stderr\n", 1, "not a log level" },
		{ "Log info\n", 1, "needs a level" },
		{ "RelayMark 0\n", 1, "not a mark" },
		{ "xyzzyxyzzyxyzzy 1\n", 1, "no option is called" },
	};
	struct settings_error error;
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_not_equal(settings_parse(span_of_str(cases[i].text), &s, &error), RC_OK);
		assert_int_equal(error.line, cases[i].line);
		if (strstr(error.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, error.text);
	}
}

/* The manual page has each option once, with its default and its text's first words. */
static void
test_manual_page_has_all_options(void **state)
{
	char *page, want[512];
	size_t len;

	(void)state;
	assert_int_equal(
	    conf_read_file(EXITGATE_SRCDIR "/docs/exitguard.conf.5", 1 << 20, &page, &len), RC_OK);
	for (size_t i = 0; i < settings_option_count; i++) {
		const struct settings_option *option = &settings_options[i];

		snprintf(want, sizeof(want), ".It Cm %s ", option->keyword);
		const char *at = strstr(page, want);
		if (at == NULL)
			fail_msg("%s is not in exitguard.conf.5", option->keyword);
		snprintf(want, sizeof(want), "Default: %s.",
		    option->value[0] != '\0' ? option->value : "none");
		const char *standard = strstr(at, "Default: ");
		if (standard == NULL || strncmp(standard, want, strlen(want)) != 0)
			fail_msg(
			    "%s: the page's default is not \"%s\"", option->keyword, option->value);
	}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets_come_in_twins),
		cmocka_unit_test(test_detected),
		cmocka_unit_test(test_hold_is_bounded),
		cmocka_unit_test(test_lists_are_cut_into_pieces),
		cmocka_unit_test(test_wrong_elements_are_known),
		cmocka_unit_test(test_elems_against_a_model),
		cmocka_unit_test(test_settings_defaults),
		cmocka_unit_test(test_settings_values),
		cmocka_unit_test(test_settings_errors),
		cmocka_unit_test(test_manual_page_has_all_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
