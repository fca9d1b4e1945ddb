/* name_test.c: which names are asked for, PTR names, TTLs, names in wire form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "relayd/dns/dns.h"

static void
test_askable(void **state)
{
	static const char *const good[] = { "example.net", "a", "a.b.c.d.e",
		"xn--bcher-kva.example", "_dmarc.example.net", "example.net.", "onion",
		"exit.example", "a--b.example" };
	static const char *const bad[] = { "", ".", "..", "a..b", ".a", "a b", "a@b", "a:b", "a/b",
		"b\xc3\xbc.example", "duck.onion", "DUCK.ONION", "node.exit", "a\n",
		"duck.onion." };
	char label[80], name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!dns_name_is_askable(good[i]))
			fail_msg("%s should be asked for", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (dns_name_is_askable(bad[i]))
			fail_msg("%s should not be asked for", bad[i]);
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_true(dns_name_is_askable(label));
	label[63] = 'a';
	label[64] = '\0';
	assert_false(dns_name_is_askable(label));
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 != 0 ? '.' : 'a';
	name[253] = '\0';
	assert_true(dns_name_is_askable(name));
	name[253] = '.';
	name[254] = 'a';
	name[255] = '\0';
	assert_false(dns_name_is_askable(name));
}

static void
test_ptr(void **state)
{
	static const struct {
		const char *name, *addr;
		enum rc rc;
	} cases[] = {
		{ "7.2.0.192.in-addr.arpa", "192.0.2.7", RC_OK },
		{ "7.2.0.192.IN-ADDR.ARPA", "192.0.2.7", RC_OK },
		{ "255.255.255.255.in-addr.arpa", "255.255.255.255", RC_OK },
		{ "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		    "2001:db8::7", RC_OK },
		{ "example.net", "", RC_NOT_FOUND },
		{ "in-addr.arpa", "", RC_NOT_FOUND },
		{ "2.0.192.in-addr.arpa", "", RC_SYNTAX },
		{ "1.7.2.0.192.in-addr.arpa", "", RC_SYNTAX },
		{ "256.2.0.192.in-addr.arpa", "", RC_SYNTAX },
		{ "07.2.0.192.in-addr.arpa", "", RC_SYNTAX },
		{ "7..2.0.192.in-addr.arpa", "", RC_SYNTAX },
		{ "7.2.0.192..in-addr.arpa", "", RC_SYNTAX },
		{ ".in-addr.arpa", "", RC_SYNTAX },
		{ "7777777.2.0.192.in-addr.arpa", "", RC_SYNTAX },
		{ "7.0.0.0.ip6.arpa", "", RC_SYNTAX },
		{ "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "",
		    RC_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[ADDR_STR_LEN];
		struct addr addr;

		if (dns_parse_ptr_name(cases[i].name, &addr) != cases[i].rc)
			fail_msg("%s", cases[i].name);
		if (cases[i].rc == RC_OK)
			assert_string_equal(addr_str(&addr, text), cases[i].addr);
	}
}

static void
test_ttl(void **state)
{
	uint32_t least = UINT32_MAX, most = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t ttl = dns_clip_ttl(299, i);

		least = ttl < least ? ttl : least;
		most = ttl > most ? ttl : most;
	}
	assert_int_equal(least, 60);
	assert_int_equal(most, 540);
	assert_in_range(dns_clip_ttl(300, UINT32_MAX), 3360, 3840);
	assert_in_range(dns_clip_ttl(UINT32_MAX, 0), 3360, 3840);
}

static void
test_wire(void **state)
{
	static const uint8_t name[] = "\3ptr\7example\3net", root[] = "", odd[] = "\3a b\3net";
	static const uint8_t pointer[] = { 1, 'a', 0xc0, 0x0c }, cut[] = { 5, 'a', 'b' };
	uint8_t longest[300];
	char out[256];

	(void)state;
	assert_int_equal(dns_wire_name(span_of(name, sizeof(name)), out), RC_OK);
	assert_string_equal(out, "ptr.example.net");
	assert_int_equal(dns_wire_name(span_of(root, 1), out), RC_SYNTAX);
	assert_int_equal(dns_wire_name(span_of(odd, sizeof(odd)), out), RC_SYNTAX);
	assert_int_equal(dns_wire_name(span_of(pointer, sizeof(pointer)), out), RC_SYNTAX);
	assert_int_equal(dns_wire_name(span_of(cut, sizeof(cut)), out), RC_SYNTAX);
	assert_int_equal(dns_wire_name(span_of(cut, 0), out), RC_SYNTAX);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 != 0 ? 'a' : 1;
	longest[254] = 0;
	assert_int_equal(dns_wire_name(span_of(longest, 255), out), RC_OK);
	assert_int_equal(strlen(out), 253);
	longest[254] = 1;
	longest[298] = 0;
	assert_int_equal(dns_wire_name(span_of(longest, 299), out), RC_SYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_askable),
		cmocka_unit_test(test_ptr),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
