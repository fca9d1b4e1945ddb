/* feed_test.c: consensus files, log messages and flows. */
#include "exitguard/feed/consensus.h"
#include "exitguard/feed/flows.h"
#include "exitguard/feed/nflog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct addr_port
ap(const char *text)
{
	struct addr_port out;

	assert_int_equal(addr_port_parse(span_of_str(text), &out), RC_OK);
	return out;
}

static bool
have(const struct relays *relays, const char *text)
{
	struct addr_port relay = ap(text);

	return relays_have(relays, &relay.addr, relay.port);
}

static void
test_consensus_of_both_flavours(void **state)
{
	static const char text[] =
	    "network-status-version 3 microdesc\n"
	    "r alder AAAAAAAAAAAAAAAAAAAAAAAAAAA 2025-01-01 00:00:00 192.0.2.10 9001 0\n"
	    "a [2001:db8::10]:9001\n"
	    "m abcdef\n"
	    "s Exit Fast\n"
	    "r birch BBBBBBBBBBBBBBBBBBBBBBBBBBB dddddddddddddddddddddddddddd 2025-01-01 00:00:00 "
	    "192.0.2.11 443 9030\r\n"
	    "r birch BBBBBBBBBBBBBBBBBBBBBBBBBBB 2025-01-01 00:00:00 192.0.2.11 443 9030\n"
	    "r broken BBBBBBBBBBBBBBBBBBBBBBBBBBB 2025-01-01 00:00:00 192.0.2.300 443 9030\n"
	    "a nonsense\n"
	    "r \n"
	    "directory-footer\n";
	struct relays relays = { 0 };
	size_t skipped;

	(void)state;
	assert_int_equal(relays_add_consensus(&relays, span_of_str(text), &skipped), RC_OK);
	relays_sort(&relays);
	assert_int_equal(relays.count, 4);
	assert_int_equal(skipped, 3);
	assert_true(have(&relays, "192.0.2.10:9001"));
	assert_true(have(&relays, "[2001:db8::10]:9001"));
	assert_true(have(&relays, "192.0.2.11:443"));
	assert_true(have(&relays, "192.0.2.11:9030"));
	assert_false(have(&relays, "192.0.2.10:9002"));
	assert_false(have(&relays, "192.0.2.12:443"));
	/* The next file adds to what is there. */
	assert_int_equal(relays_add_consensus(&relays,
			     span_of_str("network-status-version 3\n"
					 "r c C D 2025-01-01 00:00:00 192.0.2.12 1 0\n"),
			     &skipped),
	    RC_OK);
	relays_sort(&relays);
	assert_int_equal(relays.count, 5);
	relays_clear(&relays);
	assert_int_equal(
	    relays_add_consensus(&relays, span_of_str("hello\n"), &skipped), RC_SYNTAX);
	assert_int_equal(relays_add_consensus(&relays, span_of_str(""), &skipped), RC_SYNTAX);
	assert_false(have(&relays, "192.0.2.10:9001"));
}

static size_t
bytes_of(const char *hex, uint8_t *out, size_t cap)
{
	char plain[1024];
	size_t n = 0, len;

	for (; *hex != '\0'; hex++)
		if (*hex != ' ')
			plain[n++] = *hex;
	plain[n] = '\0';
	assert_int_equal(hex_decode(span_of(plain, n), out, cap, &len), RC_OK);
	return len;
}

#define V4(proto) "45000028 00004000 40" proto "0000 c0000201 c6336402"
#define V6(next)                                                    \
	"60000000 0014" next "40 20010db8000000000000000000000001 " \
	"20010db8000000000000000000000002"
#define TCP(flags) " 04d2 0050 00000000 00000000 50" flags

static void
test_packets(void **state)
{
	static const struct {
		const char *what, *hex;
		bool outgoing;
		enum rc rc;
		enum nflog_kind kind;
	} cases[] = {
		{ "SYN out", V4("06") TCP("02"), true, RC_OK, NFLOG_SYN },
		{ "SYN with ECN bits", V4("06") TCP("c2"), true, RC_OK, NFLOG_SYN },
		{ "SYN of IPv6", V6("06") TCP("02"), true, RC_OK, NFLOG_SYN },
		{ "SYN-ACK in", V4("06") TCP("12"), false, RC_OK, NFLOG_SYN_ACK },
		{ "RST in", V4("06") TCP("04"), false, RC_OK, NFLOG_RST },
		{ "RST-ACK in", V6("06") TCP("14"), false, RC_OK, NFLOG_RST },
		{ "ACK out", V4("06") TCP("10"), true, RC_UNSUPPORTED, 0 },
		{ "RST out", V4("06") TCP("04"), true, RC_UNSUPPORTED, 0 },
		{ "SYN in", V4("06") TCP("02"), false, RC_UNSUPPORTED, 0 },
		{ "UDP", V4("11") TCP("02"), true, RC_UNSUPPORTED, 0 },
		{ "a later fragment", "45000028 00002001 40060000 c0000201 c6336402" TCP("02"),
		    true, RC_UNSUPPORTED, 0 },
		{ "IPv4 options", "46000028 00004000 40060000 c0000201 c6336402 01010101" TCP("02"),
		    true, RC_OK, NFLOG_SYN },
		{ "a header shorter than it can be",
		    "44000028 00004000 40060000 c0000201 c6336402" TCP("02"), true, RC_SYNTAX, 0 },
		{ "cut in the TCP header", V4("06") " 04d2 0050 00000000", true, RC_SHORT, 0 },
		{ "cut in the IP header", "45000028 0000", true, RC_SHORT, 0 },
		{ "nothing", "", true, RC_SHORT, 0 },
		{ "IP version 5", "55000028", true, RC_UNSUPPORTED, 0 },
		{ "unreachable",
		    "45000038 00004000 40010000 c6336402 c0000201 030d0000 00000000"
		    "45000028 00004000 40060000 c0000201 c6336402 04d2 0050 00000000",
		    false, RC_OK, NFLOG_UNREACHABLE },
		{ "unreachable, cut",
		    "45000038 00004000 40010000 c6336402 c0000201 030d0000 00000000"
		    "45000028 0000",
		    false, RC_SHORT, 0 },
		{ "echo", "45000038 00004000 40010000 c6336402 c0000201 08000000 00000000", false,
		    RC_UNSUPPORTED, 0 },
	};
	uint8_t buf[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = bytes_of(cases[i].hex, buf, sizeof(buf));
		struct nflog_event event = { 0 };
		enum rc rc = nflog_parse_packet(span_of(buf, len), cases[i].outgoing, &event);

		if (rc != cases[i].rc || (rc == RC_OK && event.kind != cases[i].kind))
			fail_msg("%s: %s, kind %d", cases[i].what, rc_str(rc), event.kind);
		if (rc != RC_OK || event.ours.addr.family != ADDR_IPV4)
			continue;
		assert_int_equal(cases[i].outgoing || event.kind == NFLOG_UNREACHABLE
				     ? event.ours.port
				     : event.theirs.port,
		    1234);
		assert_int_equal(cases[i].outgoing || event.kind == NFLOG_UNREACHABLE
				     ? event.theirs.port
				     : event.ours.port,
		    80);
	}
}

/* A message as the kernel sends it: header, packet header, prefix, sequence, payload. */
static size_t
message(uint8_t *out, uint8_t hook, const char *prefix, const char *packet)
{
	uint8_t payload[256];
	size_t payload_len = bytes_of(packet, payload, sizeof(payload));
	struct wr wr = wr_to(out, 512);
	uint16_t type = 0x0400, len16;
	uint32_t len32;

	wr_zero(&wr, 4);
	wr_bytes(&wr, &type, 2);
	wr_zero(&wr, 2 + 4 + 4);
	wr_zero(&wr, 4);                        /* struct nfgenmsg */
	wr_bytes(&wr, (uint16_t[]){ 8, 1 }, 4); /* NFULA_PACKET_HDR */
	wr_u16(&wr, 0x0800);
	wr_u8(&wr, hook);
	wr_u8(&wr, 0);
	len16 = (uint16_t)(4 + strlen(prefix) + 1);
	wr_bytes(&wr, (uint16_t[]){ len16, 10 }, 4); /* NFULA_PREFIX */
	wr_bytes(&wr, prefix, strlen(prefix) + 1);
	wr_zero(&wr, (4 - len16 % 4) % 4);
	wr_bytes(&wr, (uint16_t[]){ 8, 12 }, 4); /* NFULA_SEQ */
	wr_u32(&wr, 77);
	wr_bytes(&wr, (uint16_t[]){ (uint16_t)(4 + payload_len), 9 }, 4); /* NFULA_PAYLOAD */
	wr_bytes(&wr, payload, payload_len);
	assert_int_equal(wr.rc, RC_OK);
	len32 = (uint32_t)wr_len(&wr);
	memcpy(out, &len32, 4);
	return len32;
}

static void
test_messages(void **state)
{
	uint8_t buf[512], cut[512];
	struct nflog_event event;

	(void)state;
	size_t len = message(buf, 3, "", V4("06") TCP("02"));
	assert_int_equal(nflog_parse(span_of(buf, len), &event), RC_OK);
	assert_int_equal(event.kind, NFLOG_SYN);
	assert_true(event.has_seq);
	assert_int_equal(event.seq, 77);
	len = message(buf, 3, "refused", V4("06") TCP("02"));
	assert_int_equal(nflog_parse(span_of(buf, len), &event), RC_OK);
	assert_int_equal(event.kind, NFLOG_SYN_REFUSED);
	len = message(buf, 1, "", V4("06") TCP("12"));
	assert_int_equal(nflog_parse(span_of(buf, len), &event), RC_OK);
	assert_int_equal(event.kind, NFLOG_SYN_ACK);
	/* Cut anywhere: an error, never a read past the end. */
	for (size_t n = 0; n < len; n++) {
		uint32_t claimed = (uint32_t)n;

		memcpy(cut, buf, n);
		if (n >= 4)
			memcpy(cut, &claimed, 4);
		(void)nflog_parse(span_of(cut, n), &event);
	}
	assert_int_equal(nflog_parse(span_of(buf, 12), &event), RC_SHORT);
}

static void
test_flows(void **state)
{
	static const uint8_t key[16] = { 1 };
	struct addr_port ours = ap("192.0.2.1:1000"), theirs = ap("203.0.113.5:80");
	struct flow flow, evicted;
	struct flows flows;

	(void)state;
	assert_int_equal(flows_init(&flows, 64, key), RC_OK);
	assert_true(flows_open(&flows, 1000, &ours, &theirs, false, &flow, &evicted));
	assert_false(flows_open(&flows, 2000, &ours, &theirs, false, &flow, &evicted));
	assert_true(flows_answer(&flows, &ours, &theirs, &flow));
	assert_int_equal(flow.since_ms, 1000);
	assert_false(flows_answer(&flows, &ours, &theirs, &flow));
	/* Its timeout is told once; the repeated SYN still belongs to it. */
	assert_true(flows_open(&flows, 3000, &ours, &theirs, false, &flow, &evicted));
	assert_false(flows_next_timeout(&flows, 3000 + FLOWS_TIMEOUT_MS - 1, &flow));
	assert_true(flows_next_timeout(&flows, 3000 + FLOWS_TIMEOUT_MS, &flow));
	assert_false(flows_next_timeout(&flows, 3000 + FLOWS_TIMEOUT_MS, &flow));
	assert_false(flows_open(&flows, 40000, &ours, &theirs, false, &flow, &evicted));
	assert_false(flows_answer(&flows, &ours, &theirs, &flow));
	assert_false(flows_next_timeout(&flows, 3000 + FLOWS_FORGET_MS, &flow));
	assert_int_equal(flows.used, 0);
	/* What was refused waits for nothing, but is known again. */
	assert_true(flows_open(&flows, 1000, &ours, &theirs, true, &flow, &evicted));
	assert_false(flows_open(&flows, 2000, &ours, &theirs, true, &flow, &evicted));
	assert_false(flows_answer(&flows, &ours, &theirs, &flow));
	flows_clear(&flows);
}

static void
test_flows_are_bounded(void **state)
{
	static const uint8_t key[16] = { 2 };
	struct addr_port ours = ap("192.0.2.1:1000"), theirs = ap("203.0.113.5:80");
	struct flow flow, evicted;
	struct flows flows;
	size_t gone = 0;

	(void)state;
	assert_int_equal(flows_init(&flows, 64, key), RC_OK);
	for (uint16_t i = 0; i < 1000; i++) {
		ours.port = (uint16_t)(1000 + i);
		assert_true(flows_open(&flows, 1000 + i, &ours, &theirs, false, &flow, &evicted));
		gone += evicted.stream != 0;
	}
	assert_true(flows.used <= 64);
	assert_int_equal(flows.used + gone, 1000);
	assert_int_equal(flows.evicted, gone);
	assert_true(flows_answer(&flows, &ours, &theirs, &flow)); /* the newest is there */
	flows_clear(&flows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consensus_of_both_flavours),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_flows_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
