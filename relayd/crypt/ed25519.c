/* ed25519.c: Ed25519 over a given scalar (RFC 8032), and the way from curve25519 keys to it.
 * Secrets go through libsodium's constant-time scalar and group operations only; the field
 * arithmetic of ed25519_public_from_curve sees public values. */
#include "relayd/crypt/ed25519.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <sodium.h>
#include <string.h>

/* The hash input for the prefix of a converted key; its NUL is part of it. */
static const char convert_label[] = "Derive high part of ed25519 key from curve25519 key";

static void
clamp(uint8_t scalar[32])
{
	scalar[0] &= 248;
	scalar[31] = (uint8_t)((scalar[31] & 127) | 64);
}

void
ed25519_generate(struct ed25519_key *out)
{
	uint8_t seed[32];

	randombytes_buf(seed, sizeof(seed));
	crypto_hash_sha512(out->secret, seed, sizeof(seed));
	clamp(out->secret);
	ed25519_public(out->secret, out->public);
	sodium_memzero(seed, sizeof(seed));
}

void
ed25519_public(const uint8_t secret[64], uint8_t public[32])
{
	/* It fails for a zero scalar only, which has no public key; zeros verify nothing. */
	if (crypto_scalarmult_ed25519_base_noclamp(public, secret) != 0)
		memset(public, 0, 32);
}

/* Hash up to three parts and reduce to a scalar. */
static void
hash_to_scalar(struct span a, struct span b, struct span c, uint8_t scalar[32])
{
	crypto_hash_sha512_state state;
	uint8_t digest[64];

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, a.data, a.len);
	crypto_hash_sha512_update(&state, b.data, b.len);
	crypto_hash_sha512_update(&state, c.data, c.len);
	crypto_hash_sha512_final(&state, digest);
	crypto_core_ed25519_scalar_reduce(scalar, digest);
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(digest, sizeof(digest));
}

void
ed25519_sign(const struct ed25519_key *key, struct span message, uint8_t sig[64])
{
	uint8_t nonce[32], challenge[32], product[32];

	hash_to_scalar(span_of(key->secret + 32, 32), message, span_of(NULL, 0), nonce);
	(void)crypto_scalarmult_ed25519_base_noclamp(sig, nonce); /* R */
	hash_to_scalar(span_of(sig, 32), span_of(key->public, 32), message, challenge);
	crypto_core_ed25519_scalar_mul(product, challenge, key->secret);
	crypto_core_ed25519_scalar_add(sig + 32, nonce, product);
	sodium_memzero(nonce, sizeof(nonce));
	sodium_memzero(product, sizeof(product));
}

bool
ed25519_verify(const uint8_t public[32], struct span message, const uint8_t sig[64])
{
	return crypto_sign_verify_detached(sig, message.data, message.len, public) == 0;
}

void
ed25519_from_curve(const uint8_t curve_secret[32], const uint8_t curve_public[32],
    struct ed25519_key *out, uint8_t *sign_bit)
{
	crypto_hash_sha512_state state;
	uint8_t digest[64];

	(void)curve_public; /* the public half follows from the secret one */
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, curve_secret, 32);
	crypto_hash_sha512_update(&state, (const uint8_t *)convert_label, sizeof(convert_label));
	crypto_hash_sha512_final(&state, digest);
	memcpy(out->secret, curve_secret, 32);
	clamp(out->secret);
	memcpy(out->secret + 32, digest, 32);
	ed25519_public(out->secret, out->public);
	*sign_bit = out->public[31] >> 7;
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(digest, sizeof(digest));
}

/* y = (u - 1) / (u + 1) modulo 2^255 - 19, little-endian in and out. */
static enum rc
u_to_y(const uint8_t u[32], uint8_t y[32])
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *v = BN_lebin2bn(u, 32, NULL), *above = BN_new(), *below = BN_new();
	enum rc rc = RC_NO_MEMORY;

	if (ctx == NULL || p == NULL || v == NULL || above == NULL || below == NULL)
		goto out;
	if (BN_set_bit(p, 255) != 1 || BN_sub_word(p, 19) != 1 || BN_mask_bits(v, 255) < 0 ||
	    BN_nnmod(v, v, p, ctx) != 1 || BN_copy(above, v) == NULL || BN_copy(below, v) == NULL ||
	    BN_add_word(below, 1) != 1)
		goto out;
	if (BN_is_zero(above))
		BN_copy(above, p);
	if (BN_sub_word(above, 1) != 1)
		goto out;
	rc = RC_CRYPTO; /* u = -1 has no inverse below it, and no y */
	ERR_set_mark();
	const BIGNUM *inverse = BN_mod_inverse(below, below, p, ctx);
	ERR_pop_to_mark();
	if (inverse == NULL)
		goto out;
	if (BN_mod_mul(above, above, below, p, ctx) == 1 && BN_bn2lebinpad(above, y, 32) == 32)
		rc = RC_OK;
out:
	BN_free(below);
	BN_free(above);
	BN_free(v);
	BN_free(p);
	BN_CTX_free(ctx);
	return rc;
}

enum rc
ed25519_public_from_curve(const uint8_t curve_public[32], uint8_t sign_bit, uint8_t public[32])
{
	enum rc rc = u_to_y(curve_public, public);

	if (rc != RC_OK)
		return rc;
	public[31] = (uint8_t)(public[31] | (sign_bit & 1) << 7);
	return crypto_core_ed25519_is_valid_point(public) == 1 ? RC_OK : RC_CRYPTO;
}
