/* descriptor_test.c: our descriptor, checked item by item as an authority checks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "relayd/dir/dir.h"
#include "relayd/dir/netdoc.h"

#define NOW 1795240292

static struct relay_keys keys;
static struct ed25519_key master;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(crypt_init(), RC_OK);
	keys.rsa_id = rsa_generate(RSA_ID_BITS);
	keys.tap_onion = rsa_generate(RSA_ID_BITS);
	assert_non_null(keys.rsa_id);
	assert_non_null(keys.tap_onion);
	assert_int_equal(rsa_digest_sha1(keys.rsa_id, keys.rsa_id_digest), RC_OK);
	ed25519_generate(&master);
	memcpy(keys.ed_id, master.public, 32);
	ed25519_generate(&keys.ed_signing);
	assert_int_equal(edcert_make(EDCERT_ID_SIGNING, EDCERT_KEY_ED25519, keys.ed_signing.public,
			     NOW + 86400, &master, true, keys.ed_signing_cert),
	    EDCERT_WITH_KEY_LEN);
	curve_generate(&keys.onion.onion);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(keys.rsa_id);
	EVP_PKEY_free(keys.tap_onion);
	return 0;
}

static struct policy *
exit_policy(void)
{
	struct policy_options options = {
		.exit_relay = true, .ipv6_exit = true, .reject_private = true, .reduced = true
	};
	struct policy *policy;
	char why[80];

	assert_int_equal(policy_build(NULL, 0, &options, &policy, why, sizeof(why)), RC_OK);
	return policy;
}

static struct descriptor_info
info_for(const struct policy *policy)
{
	struct descriptor_info info = {
		.nickname = "tester",
		.contact = "nobody <nobody@example.org>",
		.platform = "exitgate 0.1.0 on Linux",
		.proto = "Cons=2 Desc=2 FlowCtrl=1 Link=4-5 LinkAuth=3 Microdesc=2 Relay=2-4",
		.family = "$00112233445566778899AABBCCDDEEFF00112233, "
			  "FFEEDDCCBBAA99887766554433221100FFEEDDCC",
		.or_v4 = { addr_ipv4(0xc0000207), 9001 },
		.bandwidth_rate = 1000000,
		.bandwidth_burst = 2000000,
		.bandwidth_observed = 300000,
		.uptime_s = 77,
		.policy = policy,
	};

	return info;
}

/* The object that follows the line beginning with these words, decoded. */
static size_t
object_after(struct span text, const char *begin, const char *label, uint8_t *out, size_t cap)
{
	struct rd rd = rd_from(netdoc_from(text, netdoc_find_line(text, begin)));
	struct span line, whole, inner;
	size_t len;

	assert_true(rd_line(&rd, &line));
	assert_int_equal(netdoc_object(&rd, label, &whole, &inner), RC_OK);
	assert_int_equal(base64_decode(inner, out, cap, &len), RC_OK);
	return len;
}

static void
check_signatures(struct span text)
{
	static const char prefix[] = "Tor router descriptor signature v1";
	uint8_t digest[32], sig[RSA_SIG_MAX], all[20500];
	size_t ed_at = netdoc_find_line(text, "router-sig-ed25519 ") + 19, len;
	struct wr wr = wr_to(all, sizeof(all));
	struct rd rd = rd_from(netdoc_from(text, ed_at));
	struct span line;

	wr_str(&wr, prefix);
	wr_span(&wr, span_of(text.data, ed_at));
	assert_int_equal(EVP_Digest(all, wr_len(&wr), digest, NULL, EVP_sha256(), NULL), 1);
	assert_true(rd_line(&rd, &line));
	assert_int_equal(base64_decode(line, sig, sizeof(sig), &len), RC_OK);
	assert_int_equal(len, ED25519_SIG_LEN);
	assert_true(ed25519_verify(keys.ed_signing.public, span_of(digest, 32), sig));

	size_t rsa_at = netdoc_find_line(text, "router-signature") + 17;
	assert_int_equal(EVP_Digest(text.data, rsa_at, digest, NULL, EVP_sha1(), NULL), 1);
	len = object_after(text, "router-signature", "SIGNATURE", sig, sizeof(sig));
	assert_true(rsa_verify_raw(keys.rsa_id, span_of(digest, 20), span_of(sig, len)));
}

static void
check_crosscerts(struct span text)
{
	uint8_t bytes[RSA_SIG_MAX], both[52], point[32];
	struct edcert cert;
	size_t len = object_after(text, "onion-key-crosscert", "CROSSCERT", bytes, sizeof(bytes));

	memcpy(both, keys.rsa_id_digest, 20);
	memcpy(both + 20, keys.ed_id, 32);
	assert_true(rsa_verify_raw(keys.tap_onion, span_of(both, 52), span_of(bytes, len)));

	len = object_after(text, "ntor-onion-key-crosscert", "ED25519 CERT", bytes, sizeof(bytes));
	assert_int_equal(edcert_parse(span_of(bytes, len), &cert), RC_OK);
	assert_int_equal(cert.type, EDCERT_NTOR_CROSS);
	assert_memory_equal(cert.key, keys.ed_id, 32);
	size_t bit_at = netdoc_find_line(text, "ntor-onion-key-crosscert ") + 25;
	assert_int_equal(ed25519_public_from_curve(
			     keys.onion.onion.public, (uint8_t)(text.data[bit_at] - '0'), point),
	    RC_OK);
	assert_int_equal(edcert_check(&cert, point, NOW), RC_OK);
}

static void
test_descriptor(void **state)
{
	static const char *const order[] = { "router tester 192.0.2.7 9001 0 0", "identity-ed25519",
		"master-key-ed25519 ", "or-address [2001:db8::7]:9001", "platform exitgate",
		"proto Cons=2", "published 2026-11-21 05:51:32", "fingerprint ", "uptime 77",
		"bandwidth 1000000 2000000 300000", "hibernating 1", "onion-key",
		"onion-key-crosscert", "signing-key", "ntor-onion-key ",
		"ntor-onion-key-crosscert ", "contact nobody",
		"family $00112233445566778899AABBCCDDEEFF00112233 $FFEEDDCC", "reject 0.0.0.0/8:*",
		"accept *:20-23", "reject *:*", "ipv6-policy accept 20-23,", "router-sig-ed25519 ",
		"router-signature" };
	struct policy *policy = exit_policy();
	struct descriptor_info info = info_for(policy);
	char text[20001];
	size_t len, at = 0;

	(void)state;
	assert_int_equal(addr_port_parse(span_of_str("[2001:db8::7]:9001"), &info.or_v6), RC_OK);
	info.hibernating = true;
	assert_int_equal(descriptor_make(&info, &keys, NOW, text, sizeof(text), &len), RC_OK);
	assert_int_equal(strlen(text), len);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct span rest = netdoc_from(span_of(text, len), at);
		size_t found = netdoc_find_line(rest, order[i]);

		if (found == rest.len)
			fail_msg("no \"%s\" behind the one before", order[i]);
		at += found;
	}
	assert_null(strstr(text, "accept6"));
	assert_string_equal(text + len - 25, "\n-----END SIGNATURE-----\n");
	check_signatures(span_of(text, len));
	check_crosscerts(span_of(text, len));
	policy_free(&policy);
}

static void
test_what_cannot_be_written(void **state)
{
	struct policy *policy = exit_policy();
	struct descriptor_info info = info_for(policy);
	char text[20001], small[1000];
	size_t len;

	(void)state;
	assert_int_equal(descriptor_make(&info, &keys, NOW, small, sizeof(small), &len), RC_LIMIT);
	assert_int_equal(len, 0);
	info.contact = "two\nlines";
	assert_int_equal(descriptor_make(&info, &keys, NOW, text, sizeof(text), &len), RC_SYNTAX);
	info.contact = "";
	info.or_v4.addr.family = ADDR_NONE;
	assert_int_equal(descriptor_make(&info, &keys, NOW, text, sizeof(text), &len), RC_RANGE);
	policy_free(&policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_what_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
