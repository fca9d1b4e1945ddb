/* document_test.c: the documents of a private network of stock authorities (vectors/), and changed
 * copies of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "relayd/crypt/ed25519.h"
#include "relayd/dir/consensus_parse.h"
#include "relayd/dir/http.h"
#include "relayd/dir/keycert.h"
#include "relayd/dir/micro.h"
#include "relayd/dir/netdoc.h"

#define FETCHED_AT 1795240292 /* 2026-11-21 05:51:32 UTC */

static struct dir_authority authorities[3];
static char *consensus_text, *certs_text;
static struct span consensus_span, certs_span;

static char *
vector(const char *name, size_t *len)
{
	char path[512], *out = malloc(1 << 20);

	snprintf(path, sizeof(path), "%s/relayd/dir/vectors/%s", EXITGATE_SRCDIR, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_non_null(out);
	*len = fread(out, 1, (1 << 20) - 1, f);
	out[*len] = '\0';
	fclose(f);
	return out;
}

static int
setup(void **state)
{
	size_t len, n = 0;
	char *text = vector("authorities.txt", &len), why[100], *rest = text;

	(void)state;
	assert_int_equal(crypt_init(), RC_OK);
	for (char *line; n < 3 && (line = strtok_r(rest, "\n", &rest)) != NULL;)
		assert_int_equal(
		    dir_authority_parse(line, &authorities[n++], why, sizeof(why)), RC_OK);
	assert_int_equal(n, 3);
	free(text);
	consensus_text = vector("consensus.txt", &len);
	consensus_span = span_of(consensus_text, len);
	certs_text = vector("certs.txt", &len);
	certs_span = span_of(certs_text, len);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(consensus_text);
	free(certs_text);
	return 0;
}

static void
test_times(void **state)
{
	static const struct {
		const char *date, *clock;
		enum rc rc;
		long long want;
	} cases[] = {
		{ "1970-01-01", "00:00:00", RC_OK, 0 },
		{ "2026-11-21", "05:51:32", RC_OK, FETCHED_AT },
		{ "2000-02-29", "23:59:59", RC_OK, 951868799 },
		{ "2038-01-19", "03:14:08", RC_OK, 2147483648 },
		{ "2100-03-01", "00:00:00", RC_OK, 4107542400 },
		{ "2100-02-29", "00:00:00", RC_RANGE, 0 },
		{ "1969-12-31", "23:59:59", RC_RANGE, 0 },
		{ "2026-13-01", "00:00:00", RC_RANGE, 0 },
		{ "2026-00-01", "00:00:00", RC_RANGE, 0 },
		{ "2026-01-01", "24:00:00", RC_RANGE, 0 },
		{ "2026-1-001", "00:00:00", RC_SYNTAX, 0 },
		{ "2026-01-01", "0:000:00", RC_SYNTAX, 0 },
		{ "2026-01-01", "", RC_SYNTAX, 0 },
	};
	char buf[NETDOC_TIME_LEN], both[40];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		time_t t;

		assert_int_equal(
		    netdoc_time_parse(span_of_str(cases[i].date), span_of_str(cases[i].clock), &t),
		    cases[i].rc);
		assert_true(t == (time_t)cases[i].want);
		snprintf(both, sizeof(both), "%s %s", cases[i].date, cases[i].clock);
		if (cases[i].rc == RC_OK)
			assert_string_equal(netdoc_time_str(t, buf), both);
	}
}

static void
test_consensus_is_read(void **state)
{
	static const uint8_t nobody[20] = { 0 };
	struct consensus *c;
	struct addr_port extra = { addr_ipv4(0x7f000101), 9030 }, ap;
	uint8_t exit1[20];
	size_t len;

	(void)state;
	assert_int_equal(consensus_parse(consensus_span, &extra, 1, &c), RC_OK);
	assert_int_equal(consensus_valid_after(c), FETCHED_AT - 2);
	assert_int_equal(consensus_fresh_until(c), FETCHED_AT + 8);
	assert_int_equal(consensus_valid_until(c), FETCHED_AT + 58);
	assert_int_equal(consensus_relay_count(c), 9);
	assert_int_equal(
	    base64_decode(span_of_str("rRzq1qQQ5JHj/u1TayC7SQvo6mM"), exit1, 20, &len), RC_OK);
	const struct consensus_relay *relay = consensus_find(c, exit1);
	assert_non_null(relay);
	assert_string_equal(relay->nickname, "exit1");
	assert_int_equal(relay->flags, RELAY_FLAG_EXIT | RELAY_FLAG_FAST | RELAY_FLAG_RUNNING |
					   RELAY_FLAG_STABLE | RELAY_FLAG_VALID);
	assert_int_equal(relay->or_v4.port, 9001);
	assert_false(relay->has_ed_id);
	assert_null(consensus_find(c, nobody));
	for (size_t i = 0; i < 9; i++)
		assert_ptr_equal(
		    consensus_find(c, consensus_relay_at(c, i)->rsa_id), consensus_relay_at(c, i));
	assert_null(consensus_relay_at(c, 9));

	assert_true(consensus_is_or_port(c, &relay->or_v4));
	assert_true(consensus_is_or_port(c, &extra));
	ap = relay->or_v4;
	ap.port = 80;
	assert_false(consensus_is_or_port(c, &ap));
	assert_true(consensus_has_address(c, &ap.addr));
	ap.addr = addr_ipv4(0xc0000201);
	assert_false(consensus_has_address(c, &ap.addr));
	assert_false(consensus_is_or_port(NULL, &extra));
	assert_int_equal(consensus_param(c, "cc_alg", 2, 0, 3), 2);
	assert_int_equal(consensus_param(NULL, "cc_alg", 1, 0, 3), 1);
	struct consensus *again = consensus_ref(c);
	consensus_unref(&again);
	consensus_unref(&c);
	assert_null(c);
}

/* The captured consensus with one piece of text replaced. */
static struct span
replaced(const char *from, const char *to)
{
	static char buf[65536];
	char *at = strstr(consensus_text, from);

	assert_non_null(at);
	int n = snprintf(buf, sizeof(buf), "%.*s%s%s", (int)(at - consensus_text), consensus_text,
	    to, at + strlen(from));
	return span_of(buf, (size_t)n);
}

static void
test_params(void **state)
{
	struct consensus *c;

	(void)state;
	assert_int_equal(consensus_parse(replaced("dir-source auth1 ",
					     "params zz=7 big=99999999999 aa=-5 noval bb= =3 "
					     "max=2147483647 min=-2147483648\ndir-source auth1 "),
			     NULL, 0, &c),
	    RC_OK);
	assert_int_equal(consensus_param(c, "aa", 0, -10, 10), -5);
	assert_int_equal(consensus_param(c, "aa", 0, 0, 10), 0);
	assert_int_equal(consensus_param(c, "zz", 0, 0, 5), 5);
	assert_int_equal(consensus_param(c, "big", 3, 0, 5), 3);
	assert_int_equal(consensus_param(c, "noval", 3, 0, 5), 3);
	assert_int_equal(consensus_param(c, "max", 0, INT32_MIN, INT32_MAX), INT32_MAX);
	assert_int_equal(consensus_param(c, "min", 0, INT32_MIN, INT32_MAX), INT32_MIN);
	consensus_unref(&c);
}

static void
test_bad_consensus(void **state)
{
	static const struct {
		const char *from, *to;
		enum rc want;
	} cases[] = {
		{ "3 microdesc", "3", RC_SYNTAX }, { "3 microdesc", "4 microdesc", RC_UNSUPPORTED },
		{ "3 microdesc", "3 ns", RC_UNSUPPORTED },
		{ "valid-after 2026", "valid-after 20x6", RC_SYNTAX },
		{ "valid-after 2026", "valid-after 2027", RC_RANGE },
		{ "valid-until ", "valid-unless ", RC_RANGE },
		{ "r auth1 ", "r auth_1 ", RC_SYNTAX },
		{ "r auth1 ", "r aaaaaaaaaaaaaaaaaaaa ", RC_SYNTAX },
		{ "r auth1 ALz6mp", "r auth1 zzz6mp", RC_SYNTAX }, /* out of order */
		{ "127.0.1.1 9001 9030\n", "127.0.1.1 9001\n", RC_SHORT },
		{ "127.0.1.1 9001 9030\n", "127.0.1.1 99001 9030\n", RC_RANGE },
		{ "00:00:00 127.0.1.1 ", "00:00:00 ::1 ", RC_SYNTAX },
		{ "\nm navFMm", "\nm navFM", RC_SYNTAX }, { "\nm navFMm", "\nx navFMm", RC_SYNTAX },
		{ "\ns Authority", "\nx Authority", RC_SYNTAX },
		{ "directory-footer", "directory-boots", RC_OK }, /* unknown words are fine */
	};
	struct consensus *c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum rc rc = consensus_parse(replaced(cases[i].from, cases[i].to), NULL, 0, &c);

		if (rc != cases[i].want)
			fail_msg("%s -> %s: %s", cases[i].from, cases[i].to, rc_str(rc));
		consensus_unref(&c);
	}
	for (size_t len = 0; len < netdoc_find_line(consensus_span, "directory-footer");
	     len += 13) {
		assert_int_not_equal(
		    consensus_parse(span_of(consensus_text, len), NULL, 0, &c), RC_OK);
		assert_null(c);
	}
}

static void
test_certificates(void **state)
{
	struct keycert_set set = { 0 }, none = { 0 };
	size_t added;

	(void)state;
	assert_int_equal(
	    keycert_set_take(&set, certs_span, authorities, 3, FETCHED_AT, &added), RC_OK);
	assert_int_equal(added, 3);
	for (size_t i = 0; i < 3; i++)
		assert_non_null(keycert_set_find(&set, authorities[i].v3_ident,
		    set.certs[memcmp(set.certs[0].identity, authorities[i].v3_ident, 20) == 0   ? 0
			      : memcmp(set.certs[1].identity, authorities[i].v3_ident, 20) == 0 ? 1
												: 2]
			.signing));
	assert_int_equal(
	    keycert_set_take(&set, certs_span, authorities, 3, FETCHED_AT, &added), RC_OK);
	assert_int_equal(added, 0);
	keycert_set_clear(&set);

	/* A newer one for the same keys takes the older one's place. */
	assert_int_equal(
	    keycert_set_take(&set, certs_span, authorities, 3, FETCHED_AT, &added), RC_OK);
	set.certs[1].published--;
	assert_int_equal(
	    keycert_set_take(&set, certs_span, authorities, 3, FETCHED_AT, &added), RC_OK);
	assert_int_equal(added, 1);
	assert_int_equal(set.count, 3);
	keycert_set_clear(&set);

	/* Another network's, outdated, or from the future. */
	assert_int_equal(
	    keycert_set_take(&none, certs_span, authorities, 1, FETCHED_AT, &added), RC_OK);
	assert_int_equal(added, 1);
	keycert_set_clear(&none);
	keycert_set_take(&none, certs_span, authorities, 3, FETCHED_AT + 400 * 86400, &added);
	assert_int_equal(added, 0);
	keycert_set_take(&none, certs_span, authorities, 3, FETCHED_AT - 400 * 86400, &added);
	assert_int_equal(added, 0);
}

static void
test_bad_certificates(void **state)
{
	size_t one =
	    netdoc_find_line(netdoc_from(certs_span, 10), "dir-key-certificate-version") + 10;
	char *copy = malloc(one);
	struct keycert cert;

	(void)state;
	assert_non_null(copy);
	memcpy(copy, certs_text, one);
	assert_int_equal(keycert_parse(span_of(copy, one), &cert), RC_OK);
	assert_int_equal(cert.text_len, one);
	keycert_clear(&cert);
	/* Every byte counts, but for those that do not change a value or an object's bytes. */
	for (size_t i = 0; i < one; i += 7) {
		if (copy[i] == '\n' || copy[i] == '=' || copy[i] == '-')
			continue;
		copy[i] ^= 4;
		if (keycert_parse(span_of(copy, one), &cert) == RC_OK)
			fail_msg("byte %zu changed and still good", i);
		copy[i] ^= 4;
	}
	for (size_t len = 0; len < one; len += 29)
		assert_int_not_equal(keycert_parse(span_of(copy, len), &cert), RC_OK);
	free(copy);
}

static void
test_signatures(void **state)
{
	struct keycert_set set = { 0 };
	struct signature_tally tally;
	struct dir_authority two[2] = { authorities[0], authorities[1] };
	size_t added;

	(void)state;
	assert_int_equal(
	    consensus_check_signatures(consensus_span, &set, authorities, 3, FETCHED_AT, &tally),
	    RC_AGAIN);
	assert_int_equal(tally.unknown_key, 3);
	keycert_set_take(&set, certs_span, two, 1, FETCHED_AT, &added);
	assert_int_equal(
	    consensus_check_signatures(consensus_span, &set, authorities, 3, FETCHED_AT, &tally),
	    RC_AGAIN);
	assert_int_equal(tally.valid, 1);
	assert_int_equal(tally.needed, 2);
	keycert_set_take(&set, certs_span, two, 2, FETCHED_AT, &added);
	assert_int_equal(
	    consensus_check_signatures(consensus_span, &set, authorities, 3, FETCHED_AT, &tally),
	    RC_OK);
	assert_int_equal(tally.valid, 2);
	/* A certificate that ran out does not count. */
	assert_int_equal(consensus_check_signatures(consensus_span, &set, authorities, 3,
			     FETCHED_AT + 400 * 86400, &tally),
	    RC_AGAIN);
	assert_int_equal(tally.valid, 0);
	/* Nor does one changed bit of the text. */
	assert_int_not_equal(consensus_check_signatures(replaced("s Exit Fast", "s Guar Fast"),
				 &set, authorities, 3, FETCHED_AT, &tally),
	    RC_OK);
	assert_int_equal(tally.bad, 2);
	/* The same authority twice is one. */
	char *first = strstr(consensus_text, "directory-signature "), *second,
	     *twice = malloc(32768);
	assert_non_null(first);
	assert_non_null(twice);
	second = strstr(first + 1, "directory-signature ");
	int n = snprintf(twice, 32768, "%.*s%.*s%.*s", (int)(first - consensus_text),
	    consensus_text, (int)(second - first), first, (int)(second - first), first);
	assert_int_equal(consensus_check_signatures(
			     span_of(twice, (size_t)n), &set, authorities, 3, FETCHED_AT, &tally),
	    RC_CRYPTO);
	assert_int_equal(tally.valid, 1);
	free(twice);
	assert_int_equal(
	    consensus_check_signatures(consensus_span, &set, NULL, 0, FETCHED_AT, &tally),
	    RC_CRYPTO);
	keycert_set_clear(&set);
}

static const uint8_t *
find_ed_id(void *arg, const uint8_t digest[32])
{
	const struct micro_entry *entry = micro_table_find(arg, digest);

	return entry != NULL ? entry->ed_id : NULL;
}

static void
test_http_and_micro(void **state)
{
	struct http_response response;
	struct micro_table table = { 0 };
	struct consensus *c, *with;
	struct micro micro;
	size_t len, missing, body_len;
	char *http = vector("micro.http", &len), *body;

	(void)state;
	assert_int_equal(http_response_parse(span_of(http, len), &response), RC_OK);
	assert_int_equal(response.status, 200);
	assert_int_equal(http_body_unpack(&response, 65536, &body, &body_len), RC_OK);
	free(http);
	assert_int_equal(consensus_parse(consensus_span, NULL, 0, &c), RC_OK);
	assert_int_equal(consensus_with_ed_ids(c, find_ed_id, &table, &missing, &with), RC_OK);
	assert_int_equal(missing, 9);
	consensus_unref(&with);
	for (struct span document = span_of(body, body_len); micro_next(&document, &micro);) {
		assert_true(micro.has_ed_id);
		assert_int_equal(micro_table_add(&table, &micro), RC_OK);
		assert_int_equal(micro_table_add(&table, &micro), RC_OK);
	}
	micro_table_sort(&table);
	assert_int_equal(table.count, 9);
	micro_table_retain(&table, c);
	assert_int_equal(table.count, 9);
	assert_int_equal(consensus_with_ed_ids(c, find_ed_id, &table, &missing, &with), RC_OK);
	assert_int_equal(missing, 0);
	assert_true(consensus_relay_at(with, 8)->has_ed_id);
	assert_true(consensus_is_or_port(with, &consensus_relay_at(c, 3)->or_v4));
	micro_table_retain(&table, NULL);
	assert_int_equal(table.count, 0);
	micro_table_clear(&table);
	consensus_unref(&with);
	consensus_unref(&c);
	free(body);
}

static void
test_micro_shapes(void **state)
{
	struct span document = span_of_str("junk\n@last-listed 2026-01-01 00:00:00\nonion-key\nx\n"
					   "@last-listed\nonion-key\nid ed25519 AAAA\nonion-key\n"
					   "ntor-onion-key y\nid rsa1024 z\n");
	struct micro micro;

	(void)state;
	assert_true(micro_next(&document, &micro));
	assert_true(span_equal_str(micro.text, "onion-key\nx\n"));
	assert_false(micro.has_ed_id);
	assert_true(micro_next(&document, &micro)); /* the malformed one is passed over */
	assert_true(span_equal_str(micro.text, "onion-key\nntor-onion-key y\nid rsa1024 z\n"));
	assert_false(micro_next(&document, &micro));
}

static void
test_packed_consensus(void **state)
{
	struct http_response response;
	size_t len, body_len;
	char *http = vector("consensus.http", &len), *body = NULL;

	(void)state;
	assert_int_equal(http_response_parse(span_of(http, len), &response), RC_OK);
	assert_int_equal(response.coding, HTTP_DEFLATE);
	assert_int_equal(http_body_unpack(&response, 1 << 20, &body, &body_len), RC_OK);
	assert_string_equal(body, consensus_text);
	free(body);
	assert_int_equal(http_body_unpack(&response, body_len, &body, &body_len), RC_OK);
	free(body);
	assert_int_equal(http_body_unpack(&response, body_len - 1, &body, &body_len), RC_LIMIT);
	response.body.len -= 10;
	assert_int_equal(http_body_unpack(&response, 1 << 20, &body, &body_len), RC_SHORT);
	response.body.len = 0;
	assert_int_equal(http_body_unpack(&response, 1 << 20, &body, &body_len), RC_SHORT);
	response.body = span_of_str("not packed at all");
	assert_int_equal(http_body_unpack(&response, 1 << 20, &body, &body_len), RC_SYNTAX);
	free(http);
}

static void
test_http_shapes(void **state)
{
	static const struct {
		const char *text;
		enum rc rc;
		unsigned status;
	} cases[] = {
		{ "HTTP/1.0 200 [None]\r\nX-Your-Address-Is: 192.0.2.7\r\n\r\n", RC_OK, 200 },
		{ "HTTP/1.0 200 OK\r\nX-Descriptor-Not-New: Yes\r\n\r\n", RC_OK, 200 },
		{ "HTTP/1.1 404 Not found\n\nbody", RC_OK, 404 },
		{ "HTTP/1.0 503\r\n\r\n", RC_OK, 503 },
		{ "HTTP/2 200 OK\r\n\r\n", RC_SYNTAX, 0 },
		{ "HTTP/1.0 20 OK\r\n\r\n", RC_SYNTAX, 0 },
		{ "HTTP/1.0 200 OK\r\nno colon\r\n\r\n", RC_SYNTAX, 200 },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nbody", RC_SHORT, 200 },
		{ "HTTP/1.0 200 OK\r\nContent-Length: x\r\n\r\nbody", RC_SYNTAX, 200 },
		{ "HTTP/1.0 200 OK\r\nContent-Encoding: x-zstd\r\n\r\n", RC_UNSUPPORTED, 200 },
		{ "HTTP/1.0 200 OK\r\nDate: x\r\n", RC_SHORT, 200 },
		{ "", RC_SHORT, 0 },
	};
	struct http_response response;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum rc rc = http_response_parse(span_of_str(cases[i].text), &response);

		if (rc != cases[i].rc || response.status != cases[i].status)
			fail_msg("%s: %s %u", cases[i].text, rc_str(rc), response.status);
	}
	http_response_parse(span_of_str(cases[0].text), &response);
	assert_int_equal(response.your_address.family, ADDR_IPV4);
	assert_true(span_equal_str(response.reason, "[None]"));
	assert_false(response.not_new);
	http_response_parse(span_of_str(cases[1].text), &response);
	assert_true(response.not_new);
}

static void
test_authority_lines(void **state)
{
	static const char *const bad[] = {
		"",
		"nick",
		"nick orport=0 1.2.3.4:80 "
		"0000000000000000000000000000000000000000",
		"nick v3ident=12 1.2.3.4:80 0000000000000000000000000000000000000000",
		"nick [::1]:80 0000000000000000000000000000000000000000",
		"nick 1.2.3.4:80",
		"nick 1.2.3.4:80 00000000000000000000000000000000000000",
		"nick 1.2.3.4:80 "
		"000000000000000000000000000000000000000000000000000000000000000000",
		"nick frobnicate 1.2.3.4:80 0000000000000000000000000000000000000000",
	};
	const struct dir_authority *list;
	struct dir_authority a;
	char why[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(dir_authority_parse(bad[i], &a, why, sizeof(why)), RC_OK);
		assert_true(why[0] != '\0');
	}
	assert_int_equal(dir_authority_parse(
			     "tor26 orport=443 v3ident=2F3DF9CA0E5D36F2685A2DA67184EB8DCB8CBA8C "
			     "ipv6=[2a02::1]:443 217.196.147.77:80 FAA4 BCA4 A6AC 0FB4 CA2F 8AD5 "
			     "A11D 9E12 2BA8 94F6",
			     &a, why, sizeof(why)),
	    RC_OK);
	assert_string_equal(a.nickname, "tor26");
	assert_int_equal(a.or_port, 443);
	assert_int_equal(a.dir.port, 80);
	assert_int_equal(a.rsa_id[0], 0xfa);
	assert_int_equal(a.rsa_id[19], 0xf6);
	assert_true(a.has_v3_ident);
	assert_int_equal(dir_authority_defaults(&list), 9);
	assert_string_equal(list[8].nickname, "faravahar");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_consensus_is_read),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_bad_consensus),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_bad_certificates),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_http_and_micro),
		cmocka_unit_test(test_micro_shapes),
		cmocka_unit_test(test_packed_consensus),
		cmocka_unit_test(test_http_shapes),
		cmocka_unit_test(test_authority_lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
