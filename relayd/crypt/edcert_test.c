/* edcert_test.c: certificates made, parsed, checked, and refused. */
#include "relayd/crypt/edcert.h"

#include "relayd/crypt/testing.h"

#define NOW 1700000000

static void
test_round_trip(void **state)
{
	struct ed25519_key id, signing;
	uint8_t out[EDCERT_WITH_KEY_LEN];
	struct edcert cert;

	(void)state;
	ed25519_generate(&id);
	ed25519_generate(&signing);
	for (int with = 0; with < 2; with++) {
		size_t len = edcert_make(EDCERT_ID_SIGNING, EDCERT_KEY_ED25519, signing.public,
		    NOW + 1, &id, with != 0, out);

		assert_int_equal(len, with ? EDCERT_WITH_KEY_LEN : EDCERT_LEN);
		assert_int_equal(edcert_parse(span_of(out, len), &cert), RC_OK);
		assert_int_equal(cert.type, EDCERT_ID_SIGNING);
		assert_int_equal(cert.key_type, EDCERT_KEY_ED25519);
		assert_int_equal(cert.has_signer, with);
		assert_int_equal(cert.expires_hours, NOW / 3600 + 1);
		assert_memory_equal(cert.key, signing.public, 32);
		assert_int_equal(edcert_check(&cert, id.public, NOW), RC_OK);
		assert_int_equal(edcert_check(&cert, NULL, NOW), with ? RC_OK : RC_CRYPTO);
		assert_int_equal(edcert_check(&cert, signing.public, NOW), RC_CRYPTO);
		assert_int_equal(edcert_check(&cert, id.public, NOW + 3600), RC_RANGE);
		out[10] ^= 1;
		assert_int_equal(edcert_parse(span_of(out, len), &cert), RC_OK);
		assert_int_equal(edcert_check(&cert, id.public, NOW), RC_CRYPTO);
	}
}

static void
test_every_length(void **state)
{
	struct ed25519_key id;
	uint8_t out[EDCERT_WITH_KEY_LEN + 1] = { 0 };
	struct edcert cert;

	(void)state;
	ed25519_generate(&id);
	(void)edcert_make(EDCERT_ID_SIGNING, EDCERT_KEY_ED25519, id.public, NOW, &id, true, out);
	for (size_t len = 0; len < EDCERT_WITH_KEY_LEN; len++)
		assert_int_equal(edcert_parse(span_of(out, len), &cert), RC_SHORT);
	assert_int_equal(edcert_parse(span_of(out, sizeof(out)), &cert), RC_TRAILING);
}

#define KEY "0101010101010101010101010101010101010101010101010101010101010101"
#define SIG KEY KEY

static const struct {
	const char *what, *hex;
	enum rc want;
} shapes[] = {
	{ "no extension", "01040000100001" KEY "00" SIG, RC_OK },
	{ "version 2", "02040000100001" KEY "00" SIG, RC_UNSUPPORTED },
	{ "signer",
	    "01040000100001" KEY "01"
	    "00200400" KEY SIG,
	    RC_OK },
	{ "signer, flagged",
	    "01040000100001" KEY "01"
	    "00200401" KEY SIG,
	    RC_OK },
	{ "signer twice",
	    "01040000100001" KEY "02"
	    "00200400" KEY "00200400" KEY SIG,
	    RC_SYNTAX },
	{ "signer of 31 bytes",
	    "01040000100001" KEY "01"
	    "001f0400" KEY SIG,
	    RC_SYNTAX },
	{ "unknown, may be ignored",
	    "01040000100001" KEY "01"
	    "00019900aa" SIG,
	    RC_OK },
	{ "unknown, affects validation",
	    "01040000100001" KEY "01"
	    "00019901aa" SIG,
	    RC_UNSUPPORTED },
	{ "unknown, empty",
	    "01040000100001" KEY "01"
	    "00009900" SIG,
	    RC_OK },
	{ "extension beyond the end",
	    "01040000100001" KEY "01"
	    "ffff9900aa" SIG,
	    RC_SHORT },
	{ "more extensions than there are", "01040000100001" KEY "ff" SIG, RC_SHORT },
};

static void
test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		uint8_t in[512];
		struct edcert cert;
		size_t len;

		assert_int_equal(
		    hex_decode(span_of_str(shapes[i].hex), in, sizeof(in), &len), RC_OK);
		enum rc rc = edcert_parse(span_of(in, len), &cert);
		if (rc != shapes[i].want)
			fail_msg("%s: %s", shapes[i].what, rc_str(rc));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_shapes),
	};

	return crypt_init() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
