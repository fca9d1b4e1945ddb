/* cell_test.c: link cells and relay messages, from bytes and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "relayd/cell/cell.h"
#include "relayd/cell/relay_msg.h"

/* Hex with blanks, to bytes in a static buffer. */
static struct span
unhex(const char *text)
{
	static uint8_t out[1024];
	char packed[2048];
	size_t n = 0, len;

	for (; *text != '\0'; text++)
		if (*text != ' ')
			packed[n++] = *text;
	assert_int_equal(hex_decode(span_of(packed, n), out, sizeof(out), &len), RC_OK);
	return span_of(out, len);
}

static void
test_framing(void **state)
{
	uint8_t buf[2 * CELL_LEN + 32];
	struct wr wr = wr_to(buf, sizeof(buf));
	struct cell cell;

	(void)state;
	versions_write(&wr);
	cell_write(&wr, 0x80000001, CELL_RELAY, span_of("abc", 3));
	cell_write_var(&wr, 0, CELL_VPADDING, span_of("xy", 2));
	assert_int_equal(wr.rc, RC_OK);
	struct rd rd = rd_from(wr_written(&wr));
	assert_int_equal(cell_next(&rd, true, &cell), RC_OK);
	assert_int_equal(cell.command, CELL_VERSIONS);
	assert_int_equal(cell.body.len, 4);
	assert_int_equal(cell_next(&rd, false, &cell), RC_OK);
	assert_int_equal(cell.circid, 0x80000001);
	assert_int_equal(cell.body.len, CELL_BODY_LEN);
	assert_memory_equal(cell.body.data, "abc\0", 4);
	assert_int_equal(cell_next(&rd, false, &cell), RC_OK);
	assert_int_equal(cell.command, CELL_VPADDING);
	assert_true(span_equal_str(cell.body, "xy"));
	assert_int_equal(cell_next(&rd, false, &cell), RC_AGAIN);

	/* every cut of a fixed cell waits, and takes nothing */
	for (size_t cut = 0; cut < CELL_LEN; cut++) {
		rd = rd_from(span_of(buf + 9, cut));
		assert_int_equal(cell_next(&rd, false, &cell), RC_AGAIN);
		assert_int_equal(rd_left(&rd), cut);
	}
	rd = rd_from(span_of(buf + 9, CELL_LEN));
	assert_int_equal(cell_next(&rd, true, &cell), RC_PROTOCOL); /* not VERSIONS */
}

static void
test_versions(void **state)
{
	static const struct {
		const char *what, *hex;
		enum rc rc;
		uint16_t version;
	} vectors[] = {
		{ "stock", "0003 0004 0005", RC_OK, 5 },
		{ "order does not matter", "0005 0004 0003", RC_OK, 5 },
		{ "only four", "0004", RC_OK, 4 },
		{ "none of ours", "0001 0002 0003 0006", RC_OK, 0 },
		{ "nothing", "", RC_OK, 0 },
		{ "odd length", "0004 00", RC_PROTOCOL, 0 },
	};
	uint16_t version;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(versions_pick(unhex(vectors[i].hex), &version), vectors[i].rc);
		assert_int_equal(version, vectors[i].version);
	}
}

static void
test_certs(void **state)
{
	struct certs certs;

	(void)state;
	assert_int_equal(certs_parse(unhex("02 04 0002 aabb 63 0001 00"), &certs), RC_OK);
	assert_int_equal(certs.cert[4].len, 2);
	assert_null(certs.cert[2].data);
	assert_int_equal(certs_parse(unhex("02 04 0001 aa 04 0001 bb"), &certs), RC_PROTOCOL);
	assert_int_equal(certs_parse(unhex("02 04 0001 aa"), &certs), RC_SHORT);
	assert_int_equal(certs_parse(unhex("01 04 00ff aa"), &certs), RC_SHORT);
}

static void
test_netinfo(void **state)
{
	struct netinfo in = { .timestamp = 7, .other = addr_ipv4(0xc0000201), .own_count = 1 }, out;
	uint8_t buf[64];
	struct wr wr = wr_to(buf, sizeof(buf));

	(void)state;
	in.own[0] = addr_ipv4(0xc0000202);
	netinfo_write_body(&wr, &in);
	assert_int_equal(netinfo_parse(wr_written(&wr), &out), RC_OK);
	assert_int_equal(out.timestamp, 7);
	assert_true(addr_equal(&out.other, &in.other));
	assert_int_equal(out.own_count, 1);
	/* an address of unknown type is skipped by its length */
	assert_int_equal(
	    netinfo_parse(unhex("00000000 09 03 010203 02 08 01 ff 04 04 c0000203"), &out), RC_OK);
	assert_int_equal(out.other.family, ADDR_NONE);
	assert_int_equal(out.own_count, 1);
	assert_int_equal(
	    netinfo_parse(unhex("00000000 04 04 c0000201 02 04 04 c0"), &out), RC_SHORT);
}

static void
test_create2(void **state)
{
	static const struct {
		const char *what, *hex;
		enum rc want;
	} vectors[] = {
		{ "two bytes of onion skin", "0002 0002 aabb 0000", RC_OK },
		{ "length beyond the cell", "0002 0054 aabb", RC_SHORT },
		{ "nothing at all", "", RC_SHORT },
	};
	struct create2 create;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(create2_parse(unhex(vectors[i].hex), &create), vectors[i].want);
}

static void
test_begin(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: strlen and its NUL */
		enum rc rc;
		const char *host;
		uint16_t port;
		bool literal;
	} vectors[] = {
		{ "Example.COM:80", 0, RC_OK, "example.com", 80, false },
		{ "192.0.2.1:443", 0, RC_OK, "192.0.2.1", 443, true },
		{ "[2001:db8::1]:22", 0, RC_OK, "2001:db8::1", 22, true },
		{ "example.com:80", 14, RC_PROTOCOL, "", 0, false }, /* no NUL */
		{ "example.com:0", 0, RC_PROTOCOL, "", 0, false },
		{ "example.com:65536", 0, RC_PROTOCOL, "", 0, false },
		{ "example.com", 0, RC_PROTOCOL, "", 0, false },
		{ ":80", 0, RC_PROTOCOL, "", 0, false },
		{ "[example]:80", 0, RC_PROTOCOL, "", 0, false },
		{ "example.com:+80", 0, RC_PROTOCOL, "", 0, false },
		{ "", 0, RC_PROTOCOL, "", 0, false },
	};
	struct begin begin;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t len = vectors[i].len != 0 ? vectors[i].len : strlen(vectors[i].text) + 1;
		enum rc rc = begin_parse(span_of(vectors[i].text, len), &begin);

		if (rc != vectors[i].rc)
			fail_msg("%s: %s", vectors[i].text, rc_str(rc));
		if (rc != RC_OK)
			continue;
		assert_string_equal(begin.host, vectors[i].host);
		assert_int_equal(begin.port, vectors[i].port);
		assert_int_equal(begin.is_literal, vectors[i].literal);
		assert_int_equal(begin.flags, 0);
	}
	assert_int_equal(begin_parse(span_of("a:1\0\0\0\0\5", 8), &begin), RC_OK);
	assert_int_equal(begin.flags, BEGIN_IPV6_OK | BEGIN_IPV6_PREFERRED);
}

static void
test_extend2(void **state)
{
#define RSA "02 14 0102030405060708090a0b0c0d0e0f1011121314 "
#define ED  "03 20 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
#define V4  "00 06 c0000201 2329 "
	static const struct {
		const char *what, *hex;
		enum rc rc;
	} vectors[] = {
		{ "all there", "03" V4 RSA ED "0002 0002 aabb", RC_OK },
		{ "without Ed25519", "02" V4 RSA "0002 0002 aabb", RC_OK },
		{ "an unknown specifier", "03" V4 RSA "63 01 00 0002 0002 aabb", RC_OK },
		{ "two RSA ids", "03" V4 RSA RSA "0002 0002 aabb", RC_PROTOCOL },
		{ "two Ed25519 ids", "04" V4 RSA ED ED "0002 0002 aabb", RC_PROTOCOL },
		{ "no RSA id", "02" V4 ED "0002 0002 aabb", RC_PROTOCOL },
		{ "no address", "01" RSA "0002 0002 aabb", RC_PROTOCOL },
		{ "port 0", "02 00 06 c0000201 0000" RSA "0002 0002 aabb", RC_PROTOCOL },
		{ "an address too long", "02 00 07 c0000201 2329 00" RSA "0002 0002 aabb",
		    RC_PROTOCOL },
		{ "an all-zero id",
		    "02" V4 "02 14 0000000000000000000000000000000000000000 0002 0000",
		    RC_PROTOCOL },
		{ "cut short", "03" V4 RSA, RC_PROTOCOL },
	};
	struct extend2 e;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		enum rc rc = extend2_parse(unhex(vectors[i].hex), &e);

		if (rc != vectors[i].rc)
			fail_msg("%s: %s", vectors[i].what, rc_str(rc));
	}
	assert_int_equal(extend2_parse(unhex(vectors[0].hex), &e), RC_OK);
	assert_int_equal(e.v4.port, 9001);
	assert_true(e.has_ed_id);
	assert_int_equal(e.create.onion_skin.len, 2);
}

static void
test_relay_message(void **state)
{
	uint8_t body[CELL_BODY_LEN] = { 0 };
	struct relay_msg msg;

	(void)state;
	relay_msg_write_head(body, RELAY_DATA, 7, RELAY_DATA_MAX);
	assert_int_equal(relay_msg_parse(body, &msg), RC_OK);
	assert_int_equal(msg.stream_id, 7);
	assert_int_equal(msg.data.len, RELAY_DATA_MAX);
	relay_msg_write_head(body, RELAY_DATA, 7, RELAY_DATA_MAX + 1);
	assert_int_equal(relay_msg_parse(body, &msg), RC_PROTOCOL);
}

static void
test_answers(void **state)
{
	uint8_t buf[RELAY_DATA_MAX];
	struct wr wr = wr_to(buf, sizeof(buf));
	struct addr v4 = addr_ipv4(0xc0000201);
	uint8_t version;
	struct span tag;

	(void)state;
	end_write(&wr, END_EXITPOLICY, &v4, 300); /* 9 bytes: what path-bias probes want */
	assert_true(span_equal(wr_written(&wr), unhex("04 c0000201 0000012c")));
	wr = wr_to(buf, sizeof(buf));
	end_write(&wr, END_MISC, &v4, 300);
	assert_true(span_equal(wr_written(&wr), unhex("01")));
	wr = wr_to(buf, sizeof(buf));
	connected_write(&wr, &v4, 1800);
	assert_true(span_equal(wr_written(&wr), unhex("c0000201 00000708")));
	wr = wr_to(buf, sizeof(buf));
	sendme_write(&wr, unhex("000102030405060708090a0b0c0d0e0f10111213"));
	assert_int_equal(sendme_parse(wr_written(&wr), &version, &tag), RC_OK);
	assert_int_equal(version, 1);
	assert_int_equal(tag.len, 20);
	assert_int_equal(sendme_parse(span_of(NULL, 0), &version, &tag), RC_OK);
	assert_int_equal(version, 0);
	assert_int_equal(sendme_parse(unhex("01 0014 00"), &version, &tag), RC_SHORT);
	assert_int_equal(sendme_parse(unhex("02 0000"), &version, &tag), RC_UNSUPPORTED);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_certs),
		cmocka_unit_test(test_netinfo),
		cmocka_unit_test(test_create2),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_extend2),
		cmocka_unit_test(test_relay_message),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
