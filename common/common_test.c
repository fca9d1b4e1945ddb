/* common_test.c: the readers, texts and records that everything else stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/report.h"

static void
test_reader_keeps_first_error(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
	struct rd rd = rd_from(span_of(bytes, sizeof(bytes)));

	(void)state;
	assert_int_equal(rd_u16(&rd), 0x0102);
	assert_int_equal(rd_u32(&rd), 0); /* only three left */
	assert_int_equal(rd.rc, RC_SHORT);
	assert_int_equal(rd_u8(&rd), 0);
	assert_int_equal(rd_left(&rd), 0);

	rd = rd_from(span_of(bytes, sizeof(bytes)));
	struct rd sub = rd_sub(&rd, 2);
	assert_int_equal(rd_u16(&sub), 0x0102);
	assert_int_equal(rd_u8(&sub), 0);
	assert_int_equal(sub.rc, RC_SHORT);
	assert_int_equal(rd_end(&rd), RC_TRAILING);
}

static void
test_reader_lines(void **state)
{
	struct rd rd = rd_from(span_of_str("a\r\n\nlast"));
	struct span line;

	(void)state;
	assert_true(rd_line(&rd, &line) && span_equal_str(line, "a"));
	assert_true(rd_line(&rd, &line) && line.len == 0);
	assert_true(rd_line(&rd, &line) && span_equal_str(line, "last"));
	assert_false(rd_line(&rd, &line));
}

static void
test_writer_stops_at_its_end(void **state)
{
	uint8_t buf[6];
	struct wr wr = wr_to(buf, sizeof(buf));

	(void)state;
	wr_u32(&wr, 0x01020304);
	wr_u32(&wr, 5);
	wr_u8(&wr, 9);
	assert_int_equal(wr.rc, RC_LIMIT);
	assert_int_equal(wr_len(&wr), 4);
	wr = wr_to(buf, sizeof(buf));
	wr_printf(&wr, "%d", 12345);
	assert_int_equal(wr.rc, RC_OK);
	wr = wr_to(buf, sizeof(buf));
	wr_printf(&wr, "%d", 1234567);
	assert_int_equal(wr.rc, RC_LIMIT);
}

static void
test_text_forms(void **state)
{
	static const struct {
		const char *plain, *padded;
	} b64[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foobar", "Zm9vYmFy" } };
	uint8_t out[32];
	char text[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(b64) / sizeof(b64[0]); i++) { /* RFC 4648 section 10 */
		assert_int_equal(base64_encode(span_of_str(b64[i].plain), true, text, 64), RC_OK);
		assert_string_equal(text, b64[i].padded);
		assert_int_equal(base64_decode(span_of_str(text), out, 32, &len), RC_OK);
		assert_true(span_equal_str(span_of(out, len), b64[i].plain));
		assert_int_equal(base64_encode(span_of_str(b64[i].plain), false, text, 64), RC_OK);
		assert_int_equal(base64_decode(span_of_str(text), out, 32, &len), RC_OK);
		assert_true(span_equal_str(span_of(out, len), b64[i].plain));
	}
	assert_int_equal(base64_decode(span_of_str("Zm9v"), out, 2, &len), RC_LIMIT);
	assert_int_equal(base64_decode(span_of_str("Zm=v"), out, 32, &len), RC_SYNTAX);
	assert_int_equal(base64_decode(span_of_str("Z"), out, 32, &len), RC_SYNTAX);
	assert_int_equal(hex_decode(span_of_str("0aFf"), out, 32, &len), RC_OK);
	assert_int_equal(len, 2);
	assert_int_equal(out[1], 0xff);
	assert_int_equal(hex_decode(span_of_str("0aF"), out, 32, &len), RC_SYNTAX);
	assert_int_equal(hex_decode(span_of_str("0x"), out, 32, &len), RC_SYNTAX);
}

static void
test_numbers(void **state)
{
	uint64_t u;
	int64_t i;

	(void)state;
	assert_int_equal(parse_u64(span_of_str("18446744073709551615"), UINT64_MAX, &u), RC_OK);
	assert_true(u == UINT64_MAX);
	assert_int_equal(parse_u64(span_of_str("18446744073709551616"), UINT64_MAX, &u), RC_RANGE);
	assert_int_equal(parse_u64(span_of_str("65536"), 65535, &u), RC_RANGE);
	assert_int_equal(parse_u64(span_of_str("+1"), 9, &u), RC_SYNTAX);
	assert_int_equal(parse_u64(span_of_str(""), 9, &u), RC_SYNTAX);
	assert_int_equal(parse_i64(span_of_str("-5"), -10, 10, &i), RC_OK);
	assert_int_equal(i, -5);
	assert_int_equal(parse_i64(span_of_str("--5"), -10, 10, &i), RC_SYNTAX);
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *text;
		enum rc want;
	} vectors[] = { { "192.0.2.1", RC_OK }, { "192.0.2.01", RC_SYNTAX },
		{ "192.0.2", RC_SYNTAX }, { "2001:db8::1", RC_OK }, { "[2001:db8::1]", RC_SYNTAX },
		{ "fe80::1%lo", RC_SYNTAX }, { "", RC_SYNTAX }, { "192.0.2.256", RC_SYNTAX } };
	struct addr a;
	struct addr_port ap;
	struct prefix p;
	char buf[ADDR_STR_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(addr_parse(span_of_str(vectors[i].text), &a), vectors[i].want);
	assert_int_equal(addr_parse(span_of("192.0.2.1\0x", 11), &a), RC_SYNTAX);
	assert_int_equal(addr_port_parse(span_of_str("[2001:db8::1]:443"), &ap), RC_OK);
	assert_string_equal(addr_port_str(&ap, buf), "[2001:db8::1]:443");
	assert_int_equal(addr_port_parse(span_of_str("192.0.2.1:80"), &ap), RC_OK);
	assert_int_equal(addr_port_parse(span_of_str("2001:db8::1:443"), &ap), RC_SYNTAX);
	assert_int_equal(addr_port_parse(span_of_str("192.0.2.1:0"), &ap), RC_RANGE);
	assert_int_equal(addr_port_parse(span_of_str(":80"), &ap), RC_SYNTAX);
	assert_int_equal(prefix_parse(span_of_str("192.0.2.0/24"), &p), RC_OK);
	assert_int_equal(addr_parse(span_of_str("192.0.2.255"), &a), RC_OK);
	assert_true(prefix_contains(&p, &a));
	assert_int_equal(prefix_parse(span_of_str("192.0.2.1/24"), &p), RC_RANGE);
	assert_int_equal(prefix_parse(span_of_str("192.0.2.0/33"), &p), RC_RANGE);
	assert_int_equal(prefix_parse(span_of_str("2001:db8::/32"), &p), RC_OK);
	assert_string_equal(prefix_str(&p, buf), "2001:db8::/32");
}

static void
test_internal_addresses(void **state)
{
	static const struct {
		const char *text;
		bool internal;
	} vectors[] = { { "10.1.2.3", true }, { "100.64.0.1", true }, { "100.128.0.1", false },
		{ "172.31.0.1", true }, { "172.32.0.1", false }, { "169.254.169.254", true },
		{ "0.1.2.3", true }, { "8.8.8.8", false }, { "224.0.0.1", true }, { "::1", true },
		{ "::", true }, { "fd00::1", true }, { "fe80::1", true }, { "ff02::1", true },
		{ "::ffff:10.0.0.1", true }, { "::ffff:8.8.8.8", false }, { "2600::1", false } };
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(addr_parse(span_of_str(vectors[i].text), &a), RC_OK);
		if (addr_is_internal(&a) != vectors[i].internal)
			fail_msg("addr_is_internal(%s)", vectors[i].text);
	}
}

static void
test_private_addresses_are_scrubbed(void **state)
{
	struct private_addr p = { { addr_ipv4(0xc0000201), 80 } };
	char buf[ADDR_STR_LEN];

	(void)state;
	assert_string_equal(private_addr_str(&p, buf), "[scrubbed]");
}

static void
test_option_lines(void **state)
{
	static struct conf_line line;
	struct conf_reader reader;

	(void)state;
	conf_reader_init(&reader, span_of_str("# head\n"
					      "ORPort 9001 # tail\n"
					      "\n"
					      "  Contact \"a \\\"b\\\" # c\\x21\"\n"
					      "Long one,\\\n"
					      "  # between\n"
					      "  two # end\n"
					      "Flag\n"
					      "Bad \"open\n"
					      "After 1"));
	assert_int_equal(conf_next(&reader, &line), RC_OK);
	assert_string_equal(line.key, "ORPort");
	assert_string_equal(line.value, "9001");
	assert_int_equal(line.number, 2);
	assert_int_equal(conf_next(&reader, &line), RC_OK);
	assert_string_equal(line.value, "a \"b\" # c!");
	assert_int_equal(conf_next(&reader, &line), RC_OK);
	assert_string_equal(line.value, "one,two");
	assert_int_equal(line.number, 5);
	assert_int_equal(conf_next(&reader, &line), RC_OK);
	assert_string_equal(line.key, "Flag");
	assert_string_equal(line.value, "");
	assert_int_equal(conf_next(&reader, &line), RC_SYNTAX);
	assert_int_equal(line.number, 9);
	assert_int_equal(conf_next(&reader, &line), RC_OK);
	assert_string_equal(line.key, "After");
	assert_int_equal(conf_next(&reader, &line), RC_NOT_FOUND);
}

static void
test_report_hello(void **state)
{
	struct report_hello hello = report_hello_make(1), out;

	(void)state;
	assert_int_equal(report_hello_parse(span_of(&hello, sizeof(hello)), &out), RC_OK);
	assert_int_equal(out.enforce, 1);
	assert_int_equal(report_hello_parse(span_of(&hello, 15), &out), RC_SHORT);
	hello.version = 2;
	assert_int_equal(report_hello_parse(span_of(&hello, sizeof(hello)), &out), RC_UNSUPPORTED);
	hello = report_hello_make(0);
	hello.magic ^= 1;
	assert_int_equal(report_hello_parse(span_of(&hello, sizeof(hello)), &out), RC_PROTOCOL);
}

static void
test_report_records(void **state)
{
	struct report_record r[2] = { { .type = REPORT_OPEN, .family = ADDR_IPV4, .port = 80 },
		{ .type = REPORT_CLOSED, .stream = 7 } };
	struct addr a = addr_ipv4(0xc0000201), back;
	size_t count;

	(void)state;
	report_set_addr(&r[0], &a);
	assert_int_equal(
	    report_packet_check(span_of(r, sizeof(r)), REPORT_FROM_RELAYD, &count), RC_OK);
	assert_int_equal(count, 2);
	back = report_addr(&r[0]);
	assert_true(addr_equal(&back, &a));
	/* half a record, the wrong side, a bad family, dirt behind the address, no port */
	assert_int_equal(report_packet_check(span_of(r, sizeof(r) - 1), REPORT_FROM_RELAYD, &count),
	    RC_PROTOCOL);
	assert_int_equal(
	    report_packet_check(span_of(r, sizeof(r)), REPORT_FROM_EXITGUARD, &count), RC_PROTOCOL);
	r[0].family = 5;
	assert_int_equal(
	    report_packet_check(span_of(r, sizeof(r)), REPORT_FROM_RELAYD, &count), RC_PROTOCOL);
	r[0].family = ADDR_IPV4;
	r[0].addr[9] = 1;
	assert_int_equal(
	    report_packet_check(span_of(r, sizeof(r)), REPORT_FROM_RELAYD, &count), RC_PROTOCOL);
	r[0].addr[9] = 0;
	r[0].port = 0;
	assert_int_equal(
	    report_packet_check(span_of(r, sizeof(r)), REPORT_FROM_RELAYD, &count), RC_PROTOCOL);
	r[0].port = 80;
	r[1].type = 99;
	assert_int_equal(
	    report_packet_check(span_of(r, sizeof(r)), REPORT_FROM_RELAYD, &count), RC_PROTOCOL);
	assert_int_equal(report_packet_check(span_of(r, 0), REPORT_FROM_RELAYD, &count), RC_SHORT);
}

static void
test_log_limit(void **state)
{
	struct log_limit limit = { 0 };
	unsigned swallowed;

	(void)state;
	assert_true(log_limit_ok(&limit, 2, 1000, &swallowed));
	assert_true(log_limit_ok(&limit, 2, 1001, &swallowed));
	assert_false(log_limit_ok(&limit, 2, 1002, &swallowed));
	assert_false(log_limit_ok(&limit, 2, 60999, &swallowed));
	assert_true(log_limit_ok(&limit, 2, 61000, &swallowed));
	assert_int_equal(swallowed, 2);
}

/* A peer's newline must not make a second log line. */
static void
test_log_lines_cannot_be_forged(void **state)
{
	char path[] = "log_test_XXXXXX", *text;
	int fd = mkstemp(path);
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	log_init("test");
	assert_int_equal(log_add_file(LOG_LEVEL_WARN, path), RC_OK);
	log_warn(LOG_LINK, "peer says %s", "hello\nNov 21 [err] forged");
	log_notice(LOG_LINK, "not at this level");
	log_clear_outputs();
	assert_int_equal(conf_read_file(path, 4096, &text, &len), RC_OK);
	assert_non_null(strstr(text, "[warn] test link: peer says hello?Nov 21"));
	assert_null(strstr(text, "not at this level"));
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	free(text);
	unlink(path);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_keeps_first_error),
		cmocka_unit_test(test_reader_lines),
		cmocka_unit_test(test_writer_stops_at_its_end),
		cmocka_unit_test(test_text_forms),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_internal_addresses),
		cmocka_unit_test(test_private_addresses_are_scrubbed),
		cmocka_unit_test(test_option_lines),
		cmocka_unit_test(test_report_hello),
		cmocka_unit_test(test_report_records),
		cmocka_unit_test(test_log_limit),
		cmocka_unit_test(test_log_lines_cannot_be_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
