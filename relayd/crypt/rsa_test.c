/* rsa_test.c: raw signatures, text forms, the cross-certificate, X.509 shape. */
#include "relayd/crypt/rsa.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "relayd/crypt/testing.h"

#define NOW 1700000000

static EVP_PKEY *key, *other;

static int
keys_make(void **state)
{
	(void)state;
	key = rsa_generate(RSA_ID_BITS);
	other = rsa_generate(RSA_LINK_BITS);
	return key != NULL && other != NULL ? 0 : -1;
}

static int
keys_free(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}

static void
test_sign_raw(void **state)
{
	uint8_t digest[52], sig[RSA_SIG_MAX], opened[64];
	size_t sig_len, len;

	(void)state;
	for (size_t i = 0; i < sizeof(digest); i++)
		digest[i] = (uint8_t)i;
	for (size_t n = 20; n <= 52; n += 16) {
		struct span in = span_of(digest, n);

		assert_int_equal(rsa_sign_raw(key, in, sig, &sig_len), RC_OK);
		assert_int_equal(sig_len, RSA_1024_SIG_LEN);
		assert_true(rsa_verify_raw(key, in, span_of(sig, sig_len)));
		assert_false(rsa_verify_raw(key, span_of(digest, n - 1), span_of(sig, sig_len)));
		assert_false(rsa_verify_raw(key, in, span_of(sig, sig_len - 1)));
		assert_false(rsa_verify_raw(other, in, span_of(sig, sig_len)));
		assert_int_equal(
		    rsa_open_raw(key, span_of(sig, sig_len), opened, sizeof(opened), &len), RC_OK);
		assert_true(span_equal(span_of(opened, len), in));
		assert_int_equal(
		    rsa_open_raw(key, span_of(sig, sig_len), opened, n - 1, &len), RC_LIMIT);
		sig[5] ^= 1;
		assert_false(rsa_verify_raw(key, in, span_of(sig, sig_len)));
	}
	/* A signature that OpenSSL would make with a DigestInfo does not open to the digest. */
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	sig_len = sizeof(sig);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha1()), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &sig_len, digest, 20), 1);
	assert_false(rsa_verify_raw(key, span_of(digest, 20), span_of(sig, sig_len)));
	EVP_PKEY_CTX_free(ctx);
}

static void
test_der(void **state)
{
	uint8_t der[RSA_DER_MAX + 1], sha1[20], again[20], sha256[32];
	size_t len;

	(void)state;
	assert_int_equal(rsa_public_der(key, der, &len), RC_OK);
	assert_int_equal(len, 140); /* SEQUENCE of a 129 byte and a 3 byte INTEGER */
	EVP_PKEY *back = rsa_public_from_der(span_of(der, len));
	assert_non_null(back);
	assert_int_equal(EVP_PKEY_eq(back, key), 1);
	assert_int_equal(rsa_digest_sha1(key, sha1), RC_OK);
	assert_int_equal(rsa_digest_sha1(back, again), RC_OK);
	assert_memory_equal(sha1, again, 20);
	assert_int_equal(rsa_digest_sha256(key, sha256), RC_OK);
	EVP_PKEY_free(back);
	for (size_t n = 0; n < len; n++)
		assert_null(rsa_public_from_der(span_of(der, n)));
	der[len] = 0;
	assert_null(rsa_public_from_der(span_of(der, len + 1)));
}

static void
test_pem(void **state)
{
	char pem[1024];

	(void)state;
	assert_int_equal(rsa_public_pem(key, pem, sizeof(pem)), RC_OK);
	struct span text = span_of_str(pem);
	EVP_PKEY *back = rsa_public_from_pem(text);
	assert_non_null(back);
	assert_int_equal(EVP_PKEY_eq(back, key), 1);
	EVP_PKEY_free(back);
	assert_int_equal(strncmp(pem, "-----BEGIN RSA PUBLIC KEY-----\nMIGJ", 35), 0);
	assert_int_equal(rsa_public_pem(key, pem, text.len), RC_LIMIT);
	assert_int_equal(rsa_public_pem(key, pem, text.len + 1), RC_OK);
	for (size_t n = 0; n + 1 < text.len; n++)
		assert_null(rsa_public_from_pem(span_of(pem, n)));
	memcpy(pem + text.len, "x", 2);
	assert_null(rsa_public_from_pem(span_of(pem, text.len + 1)));

	BIO *bio = BIO_new_mem_buf(pem, (int)text.len);
	unsigned char *der = NULL;
	char *name = NULL, *header = NULL;
	long len = 0;
	assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &len), 1);
	assert_string_equal(name, "RSA PUBLIC KEY");
	EVP_PKEY *openssl = rsa_public_from_der(span_of(der, (size_t)len));
	assert_int_equal(EVP_PKEY_eq(openssl, key), 1);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	EVP_PKEY_free(openssl);
	BIO_free(bio);
}

static void
test_cross(void **state)
{
	uint8_t id[32] = { 7 }, wrong[32] = { 8 }, cert[RSA_ED_CROSS_LEN] = { 0 };
	struct span in = span_of(cert, sizeof(cert));

	(void)state;
	assert_int_equal(rsa_ed_cross_make(key, id, NOW, cert), RC_OK);
	assert_int_equal(rsa_ed_cross_check(in, key, id, NOW - 1), RC_OK);
	assert_int_equal(rsa_ed_cross_check(in, key, NULL, NOW - 1), RC_OK);
	assert_int_equal(rsa_ed_cross_check(in, key, wrong, NOW - 1), RC_CRYPTO);
	assert_int_equal(rsa_ed_cross_check(in, other, id, NOW - 1), RC_CRYPTO);
	assert_int_equal(rsa_ed_cross_check(in, key, id, NOW + 3600), RC_RANGE);
	for (size_t n = 0; n < sizeof(cert); n++)
		assert_int_equal(rsa_ed_cross_check(span_of(cert, n), key, id, NOW), RC_SHORT);
	cert[35] ^= 1;
	assert_int_equal(rsa_ed_cross_check(in, key, id, NOW - 1), RC_CRYPTO);
	assert_int_equal(rsa_ed_cross_make(other, id, NOW, cert), RC_UNSUPPORTED);
}

static void
test_x509(void **state)
{
	X509 *cert = x509_make(other, key, "www.a.net", "www.b.com", NOW, NOW + 86400);
	char cn[32];
	ASN1_TIME *when = ASN1_TIME_set(NULL, NOW);

	(void)state;
	assert_non_null(cert);
	assert_int_equal(X509_verify(cert, key), 1);
	assert_int_equal(
	    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn, sizeof(cn)),
	    9);
	assert_string_equal(cn, "www.a.net");
	assert_int_equal(
	    X509_NAME_get_text_by_NID(X509_get_issuer_name(cert), NID_commonName, cn, sizeof(cn)),
	    9);
	assert_string_equal(cn, "www.b.com");
	assert_int_equal(ASN1_TIME_compare(X509_get0_notBefore(cert), when), 0);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), other), 1);
	ASN1_TIME_free(when);
	X509_free(cert);
}

/* TLS on the same thread must not find what went wrong here. */
static void
test_error_queue(void **state)
{
	uint8_t junk[140] = { 0x30, 0x81, 0x89 }, sig[RSA_SIG_MAX];
	size_t len;

	(void)state;
	ERR_clear_error();
	assert_null(rsa_public_from_der(span_of(junk, sizeof(junk))));
	assert_int_equal(rsa_open_raw(key, span_of(junk, 128), sig, sizeof(sig), &len), RC_CRYPTO);
	assert_int_equal(rsa_open_raw(key, span_of(junk, 5), sig, sizeof(sig), &len), RC_CRYPTO);
	assert_int_equal(rsa_sign_raw(key, span_of(junk, 140), sig, &len), RC_CRYPTO);
	assert_int_equal(len, 0);
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_raw),
		cmocka_unit_test(test_der),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_cross),
		cmocka_unit_test(test_x509),
		cmocka_unit_test(test_error_queue),
	};

	return crypt_init() == RC_OK ? cmocka_run_group_tests(tests, keys_make, keys_free) : 1;
}
