/* ed25519_test.c: published vectors, keys from libsodium, and the way from curve25519. */
#include "relayd/crypt/ed25519.h"

#include <openssl/err.h>
#include <sodium.h>

#include "relayd/crypt/testing.h"

static const struct {
	const char *secret, *public, *curve_public, *self_sig;
} vectors[] = {
#include "relayd/crypt/vectors/ed25519.inc"
};
#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static void
test_published(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		struct ed25519_key key = { 0 };
		uint8_t sig[64];

		unhex(vectors[i].secret, key.secret, sizeof(key.secret));
		ed25519_public(key.secret, key.public);
		assert_hex(key.public, 32, vectors[i].public);
		ed25519_sign(&key, span_of(key.public, 32), sig);
		assert_hex(sig, 64, vectors[i].self_sig);
		assert_true(ed25519_verify(key.public, span_of(key.public, 32), sig));
		sig[i] ^= 1;
		assert_false(ed25519_verify(key.public, span_of(key.public, 32), sig));
	}
}

static void
test_published_curve(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		uint8_t secret[64], curve_public[32], public[32], sign_bit, sig[64];
		struct ed25519_key key;

		unhex(vectors[i].secret, secret, sizeof(secret));
		unhex(vectors[i].curve_public, curve_public, sizeof(curve_public));
		ed25519_from_curve(secret, curve_public, &key, &sign_bit);
		assert_hex(key.public, 32, vectors[i].public);
		assert_int_equal(sign_bit, key.public[31] >> 7);
		assert_int_equal(ed25519_public_from_curve(curve_public, sign_bit, public), RC_OK);
		assert_memory_equal(public, key.public, 32);
		assert_int_equal(ed25519_public_from_curve(curve_public, !sign_bit, public), RC_OK);
		assert_memory_not_equal(public, key.public, 32);
		ed25519_sign(&key, span_of_str("crosscert"), sig);
		assert_true(ed25519_verify(key.public, span_of_str("crosscert"), sig));
	}
}

/* The prefix is SHA-512(secret | label with its NUL), first half. */
static void
test_curve_prefix(void **state)
{
	static const char label[] = "Derive high part of ed25519 key from curve25519 key";
	uint8_t in[32 + sizeof(label)], digest[64], sign_bit;
	struct ed25519_key key;

	(void)state;
	unhex(vectors[0].secret + 0, digest, 64);
	memcpy(in, digest, 32);
	memcpy(in + 32, label, sizeof(label));
	ed25519_from_curve(in, in, &key, &sign_bit);
	crypto_hash_sha512(digest, in, sizeof(in));
	assert_memory_equal(key.secret + 32, digest, 32);
}

/* A seed that libsodium expands must sign the same way there and here. */
static void
test_same_as_libsodium(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 20; i++) {
		uint8_t seed[32], sodium_secret[64], want[64], got[64], message[20];
		struct ed25519_key key;

		memset(seed, i, sizeof(seed));
		memset(message, 255 - i, sizeof(message));
		crypto_sign_seed_keypair(key.public, sodium_secret, seed);
		crypto_hash_sha512(key.secret, seed, sizeof(seed));
		key.secret[0] &= 248;
		key.secret[31] = (uint8_t)((key.secret[31] & 127) | 64);
		crypto_sign_detached(want, NULL, message, i, sodium_secret);
		ed25519_sign(&key, span_of(message, i), got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
test_generate(void **state)
{
	struct ed25519_key a, b;
	uint8_t public[32], sig[64];

	(void)state;
	ed25519_generate(&a);
	ed25519_generate(&b);
	assert_memory_not_equal(a.public, b.public, 32);
	assert_int_equal(a.secret[0] & 7, 0);
	assert_int_equal(a.secret[31] & 192, 64);
	ed25519_public(a.secret, public);
	assert_memory_equal(public, a.public, 32);
	ed25519_sign(&a, span_of(NULL, 0), sig);
	assert_true(ed25519_verify(a.public, span_of(NULL, 0), sig));
	assert_false(ed25519_verify(b.public, span_of(NULL, 0), sig));
}

static void
test_no_such_point(void **state)
{
	static const char *const bad[] = {
		/* u = -1, u = 0, u = 2 (on the twist) */
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0200000000000000000000000000000000000000000000000000000000000000",
	};
	uint8_t curve_public[32], public[32];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unhex(bad[i], curve_public, sizeof(curve_public));
		assert_int_equal(ed25519_public_from_curve(curve_public, 0, public), RC_CRYPTO);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_published_curve),
		cmocka_unit_test(test_curve_prefix),
		cmocka_unit_test(test_same_as_libsodium),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_no_such_point),
	};

	return crypt_init() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
