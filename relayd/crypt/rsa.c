/* rsa.c: RSA keys, raw signatures and their text forms (tor-spec 0.3, cert-spec 2.3). OpenSSL
 * underneath; what it thinks of hostile input does not stay in its error queue, where the next TLS
 * call of this thread would find it. */
#include "relayd/crypt/rsa.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <string.h>

#define RSA_BITS_MAX     4096
#define PEM_BEGIN        "-----BEGIN RSA PUBLIC KEY-----"
#define PEM_END          "-----END RSA PUBLIC KEY-----"
#define PEM_LINE         64
#define CROSS_PREFIX     "Tor TLS RSA/Ed25519 cross-certificate"
#define SECONDS_PER_HOUR 3600

EVP_PKEY *
rsa_generate(int bits)
{
	return EVP_RSA_gen((unsigned)bits); /* its exponent is 65537 */
}

/* A context for raw PKCS#1 type 1: padding set, no digest named. */
static EVP_PKEY_CTX *
raw_ctx(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

	if (ctx == NULL)
		return NULL;
	if (init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1) {
		EVP_PKEY_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

enum rc
rsa_sign_raw(EVP_PKEY *key, struct span digest, uint8_t *sig, size_t *sig_len)
{
	size_t len = RSA_SIG_MAX;

	ERR_set_mark();
	EVP_PKEY_CTX *ctx = raw_ctx(key, EVP_PKEY_sign_init);
	bool ok = ctx != NULL && EVP_PKEY_get_size(key) <= RSA_SIG_MAX &&
		  EVP_PKEY_sign(ctx, sig, &len, digest.data, digest.len) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_pop_to_mark();
	*sig_len = ok ? len : 0;
	return ok ? RC_OK : RC_CRYPTO;
}

enum rc
rsa_open_raw(EVP_PKEY *key, struct span sig, uint8_t *out, size_t cap, size_t *len)
{
	uint8_t opened[RSA_SIG_MAX];
	size_t n = sizeof(opened);

	ERR_set_mark();
	EVP_PKEY_CTX *ctx = raw_ctx(key, EVP_PKEY_verify_recover_init);
	bool ok = ctx != NULL && EVP_PKEY_get_size(key) <= RSA_SIG_MAX &&
		  EVP_PKEY_verify_recover(ctx, opened, &n, sig.data, sig.len) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_pop_to_mark();
	*len = 0;
	if (!ok)
		return RC_CRYPTO;
	if (n > cap)
		return RC_LIMIT;
	memcpy(out, opened, n);
	*len = n;
	return RC_OK;
}

bool
rsa_verify_raw(EVP_PKEY *key, struct span digest, struct span sig)
{
	uint8_t opened[RSA_SIG_MAX];
	size_t len;

	return rsa_open_raw(key, sig, opened, sizeof(opened), &len) == RC_OK &&
	       span_equal_const_time(span_of(opened, len), digest);
}

enum rc
rsa_public_der(EVP_PKEY *key, uint8_t out[RSA_DER_MAX], size_t *len)
{
	unsigned char *der = NULL;
	int n = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? i2d_PublicKey(key, &der) : -1;
	enum rc rc = n <= 0 ? RC_CRYPTO : n > RSA_DER_MAX ? RC_LIMIT : RC_OK;

	*len = 0;
	if (rc == RC_OK) {
		memcpy(out, der, (size_t)n);
		*len = (size_t)n;
	}
	OPENSSL_free(der);
	return rc;
}

EVP_PKEY *
rsa_public_from_der(struct span der)
{
	const unsigned char *at = der.data;

	if (der.len == 0 || der.len > RSA_DER_MAX)
		return NULL;
	ERR_set_mark();
	EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.len);
	ERR_pop_to_mark();
	if (key != NULL && at == der.data + der.len && EVP_PKEY_get_bits(key) <= RSA_BITS_MAX)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

enum rc
rsa_public_pem(EVP_PKEY *key, char *out, size_t cap)
{
	uint8_t der[RSA_DER_MAX];
	char text[RSA_DER_MAX * 4 / 3 + 8];
	struct wr wr = wr_to(out, cap);
	size_t len;
	enum rc rc = rsa_public_der(key, der, &len);

	if (rc == RC_OK)
		rc = base64_encode(span_of(der, len), true, text, sizeof(text));
	if (rc != RC_OK)
		return rc;
	struct rd rd = rd_from(span_of_str(text));
	wr_str(&wr, PEM_BEGIN "\n");
	while (rd_left(&rd) != 0) {
		wr_span(&wr, rd_span(&rd, rd_left(&rd) < PEM_LINE ? rd_left(&rd) : PEM_LINE));
		wr_str(&wr, "\n");
	}
	wr_str(&wr, PEM_END "\n");
	wr_u8(&wr, '\0');
	return wr.rc;
}

EVP_PKEY *
rsa_public_from_pem(struct span pem)
{
	uint8_t der[RSA_DER_MAX];
	char text[RSA_DER_MAX * 4 / 3 + 8];
	struct wr wr = wr_to(text, sizeof(text));
	struct rd rd = rd_from(pem);
	struct span line;
	size_t len;

	if (!rd_line(&rd, &line) || !span_equal_str(line, PEM_BEGIN))
		return NULL;
	while (rd_line(&rd, &line) && !span_equal_str(line, PEM_END))
		wr_span(&wr, line);
	if (wr.rc != RC_OK || !span_equal_str(line, PEM_END) || rd_left(&rd) != 0)
		return NULL;
	if (base64_decode(wr_written(&wr), der, sizeof(der), &len) != RC_OK)
		return NULL;
	return rsa_public_from_der(span_of(der, len));
}

enum rc
rsa_digest_sha1(EVP_PKEY *key, uint8_t out[20])
{
	uint8_t der[RSA_DER_MAX];
	size_t len;
	enum rc rc = rsa_public_der(key, der, &len);

	if (rc == RC_OK)
		SHA1(der, len, out);
	return rc;
}

enum rc
rsa_digest_sha256(EVP_PKEY *key, uint8_t out[32])
{
	uint8_t der[RSA_DER_MAX];
	size_t len;
	enum rc rc = rsa_public_der(key, der, &len);

	if (rc == RC_OK)
		SHA256(der, len, out);
	return rc;
}

/* What the cross-certificate's signature covers. */
static void
cross_digest(struct span signed_part, uint8_t out[32])
{
	uint8_t text[sizeof(CROSS_PREFIX) - 1 + ED25519_LEN + 4];
	struct wr wr = wr_to(text, sizeof(text));

	wr_str(&wr, CROSS_PREFIX);
	wr_span(&wr, signed_part);
	SHA256(text, wr_len(&wr), out);
}

enum rc
rsa_ed_cross_make(
    EVP_PKEY *rsa_id, const uint8_t ed_id[32], time_t expires, uint8_t out[RSA_ED_CROSS_LEN])
{
	uint8_t digest[32], sig[RSA_SIG_MAX];
	struct wr wr = wr_to(out, RSA_ED_CROSS_LEN);
	size_t sig_len;

	wr_bytes(&wr, ed_id, ED25519_LEN);
	wr_u32(&wr, (uint32_t)((expires + SECONDS_PER_HOUR - 1) / SECONDS_PER_HOUR));
	cross_digest(wr_written(&wr), digest);
	enum rc rc = rsa_sign_raw(rsa_id, span_of(digest, sizeof(digest)), sig, &sig_len);
	if (rc != RC_OK)
		return rc;
	if (sig_len != RSA_1024_SIG_LEN)
		return RC_UNSUPPORTED;
	wr_u8(&wr, RSA_1024_SIG_LEN);
	wr_bytes(&wr, sig, sig_len);
	return wr.rc;
}

enum rc
rsa_ed_cross_check(struct span cert, EVP_PKEY *rsa_id, const uint8_t ed_id[32], time_t now)
{
	struct rd rd = rd_from(cert), part = rd;
	uint8_t key[ED25519_LEN], digest[32];

	rd_copy(&rd, key, sizeof(key));
	int64_t expires_hours = rd_u32(&rd);
	struct span sig = rd_span(&rd, rd_u8(&rd));
	if (rd_end(&rd) != RC_OK)
		return rd.rc;
	cross_digest(rd_span(&part, ED25519_LEN + 4), digest);
	if (!rsa_verify_raw(rsa_id, span_of(digest, sizeof(digest)), sig))
		return RC_CRYPTO;
	if (ed_id != NULL && memcmp(key, ed_id, sizeof(key)) != 0)
		return RC_CRYPTO;
	return expires_hours * SECONDS_PER_HOUR > now ? RC_OK : RC_RANGE;
}
