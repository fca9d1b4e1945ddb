/* handshake.c: CREATE_FAST and ntor (tor-spec, create cells), and what ntor v3 shares with them.
 * Pure but for random ephemeral keys. A request that cannot be answered costs the same work as
 * one that can. */
#include "relayd/crypt/handshake.h"

#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>

#include "relayd/crypt/handshake_internal.h"

#define NTOR_PROTOID  "ntor-curve25519-sha256-1"
#define TOR1_KEYS_LEN 92

void
curve_generate(struct curve_key *out)
{
	randombytes_buf(out->secret, sizeof(out->secret));
	out->secret[0] &= 248;
	out->secret[31] = (uint8_t)((out->secret[31] & 127) | 64);
	(void)crypto_scalarmult_curve25519_base(out->public, out->secret);
}

bool
curve_shared(uint8_t out[32], const uint8_t secret[32], const uint8_t point[32])
{
	if (crypto_scalarmult_curve25519(out, secret, point) == 0)
		return true;
	memset(out, 0, 32); /* libsodium leaves it unwritten for points of small order */
	return false;
}

const struct curve_key *
onion_key_find(const struct onion_keys *own, const uint8_t wanted[32], bool *known)
{
	if (own->has_old && sodium_memcmp(own->onion_old.public, wanted, 32) == 0) {
		*known = true;
		return &own->onion_old;
	}
	*known = sodium_memcmp(own->onion.public, wanted, 32) == 0;
	return &own->onion;
}

void
tor1_keys_from_material(const uint8_t material[92], struct tor1_keys *out)
{
	struct rd rd = rd_from(span_of(material, TOR1_KEYS_LEN));

	rd_copy(&rd, out->forward_digest, sizeof(out->forward_digest));
	rd_copy(&rd, out->backward_digest, sizeof(out->backward_digest));
	rd_copy(&rd, out->forward_key, sizeof(out->forward_key));
	rd_copy(&rd, out->backward_key, sizeof(out->backward_key));
	rd_copy(&rd, out->nonce, sizeof(out->nonce));
}

/* K0 = X | Y; key material is SHA1(K0 | 0), SHA1(K0 | 1) and so on, KH first. */
enum rc
fast_answer_with(
    const uint8_t y[20], struct span request, uint8_t reply[FAST_REPLY_LEN], struct tor1_keys *out)
{
	uint8_t seed[2 * FAST_REQUEST_LEN + 1], material[5 * SHA_DIGEST_LENGTH];
	struct rd rd = rd_from(request);

	rd_copy(&rd, seed, FAST_REQUEST_LEN);
	if (rd_end(&rd) != RC_OK)
		return rd.rc;
	memcpy(seed + FAST_REQUEST_LEN, y, FAST_REQUEST_LEN);
	for (uint8_t i = 0; i < 5; i++) {
		seed[2 * FAST_REQUEST_LEN] = i;
		SHA1(seed, sizeof(seed), material + (size_t)i * SHA_DIGEST_LENGTH);
	}
	rd = rd_from(span_of(material, sizeof(material)));
	rd_copy(&rd, out->nonce, sizeof(out->nonce));
	rd_copy(&rd, out->forward_digest, sizeof(out->forward_digest));
	rd_copy(&rd, out->backward_digest, sizeof(out->backward_digest));
	rd_copy(&rd, out->forward_key, sizeof(out->forward_key));
	rd_copy(&rd, out->backward_key, sizeof(out->backward_key));
	memcpy(reply, y, FAST_REQUEST_LEN);
	memcpy(reply + FAST_REQUEST_LEN, out->nonce, sizeof(out->nonce));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(material, sizeof(material));
	return RC_OK;
}

enum rc
fast_answer(struct span request, uint8_t reply[FAST_REPLY_LEN], struct tor1_keys *out)
{
	uint8_t y[FAST_REQUEST_LEN];

	randombytes_buf(y, sizeof(y));
	return fast_answer_with(y, request, reply, out);
}

/* The tweak is the HMAC key: NTOR_PROTOID and a suffix. */
static void
ntor_hmac(const char *tweak, struct span in, uint8_t out[32])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const uint8_t *)tweak, strlen(tweak));
	crypto_auth_hmacsha256_update(&state, in.data, in.len);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

/* HKDF-Expand (RFC 5869) with HMAC-SHA256. */
static void
ntor_expand(const uint8_t seed[32], uint8_t *out, size_t len)
{
	static const char info[] = NTOR_PROTOID ":key_expand";
	crypto_auth_hmacsha256_state state;
	uint8_t block[32];
	struct wr wr = wr_to(out, len);

	for (uint8_t i = 1; wr_len(&wr) < len; i++) {
		size_t left = len - wr_len(&wr);

		crypto_auth_hmacsha256_init(&state, seed, 32);
		if (i > 1)
			crypto_auth_hmacsha256_update(&state, block, sizeof(block));
		crypto_auth_hmacsha256_update(&state, (const uint8_t *)info, strlen(info));
		crypto_auth_hmacsha256_update(&state, &i, 1);
		crypto_auth_hmacsha256_final(&state, block);
		wr_bytes(&wr, block, left < sizeof(block) ? left : sizeof(block));
	}
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(block, sizeof(block));
}

/* What both sides know once the two secrets are computed. */
struct ntor_facts {
	uint8_t xy[32], xb[32];
	const uint8_t *rsa_id, *b, *x, *y;
};

/* AUTH, and keys_len bytes of key material. */
static void
ntor_derive(const struct ntor_facts *facts, uint8_t auth[32], uint8_t *keys, size_t keys_len)
{
	uint8_t buf[256], seed[32], verify[32];
	struct wr wr = wr_to(buf, sizeof(buf));

	wr_bytes(&wr, facts->xy, 32);
	wr_bytes(&wr, facts->xb, 32);
	wr_bytes(&wr, facts->rsa_id, 20);
	wr_bytes(&wr, facts->b, 32);
	wr_bytes(&wr, facts->x, 32);
	wr_bytes(&wr, facts->y, 32);
	wr_str(&wr, NTOR_PROTOID);
	ntor_hmac(NTOR_PROTOID ":key_extract", wr_written(&wr), seed);
	ntor_hmac(NTOR_PROTOID ":verify", wr_written(&wr), verify);
	ntor_expand(seed, keys, keys_len);

	wr = wr_to(buf, sizeof(buf));
	wr_bytes(&wr, verify, 32);
	wr_bytes(&wr, facts->rsa_id, 20);
	wr_bytes(&wr, facts->b, 32);
	wr_bytes(&wr, facts->y, 32);
	wr_bytes(&wr, facts->x, 32);
	wr_str(&wr, NTOR_PROTOID "Server");
	ntor_hmac(NTOR_PROTOID ":mac", wr_written(&wr), auth);
	sodium_memzero(buf, sizeof(buf));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(verify, sizeof(verify));
}

enum rc
ntor_answer_with(const struct onion_keys *own, const struct curve_key *y, struct span request,
    uint8_t reply[NTOR_REPLY_LEN], uint8_t *keys, size_t keys_len)
{
	struct rd rd = rd_from(request);
	struct ntor_facts facts;
	bool known;

	struct span rsa_id = rd_span(&rd, sizeof(own->rsa_id));
	struct span b = rd_span(&rd, 32), x = rd_span(&rd, 32);
	if (rd_end(&rd) != RC_OK)
		return rd.rc;
	const struct curve_key *key = onion_key_find(own, b.data, &known);
	bool good = known & (sodium_memcmp(rsa_id.data, own->rsa_id, sizeof(own->rsa_id)) == 0);
	good &= curve_shared(facts.xy, y->secret, x.data);
	good &= curve_shared(facts.xb, key->secret, x.data);
	facts.rsa_id = own->rsa_id;
	facts.b = key->public;
	facts.x = x.data;
	facts.y = y->public;
	memcpy(reply, y->public, 32);
	ntor_derive(&facts, reply + 32, keys, keys_len);
	sodium_memzero(&facts, sizeof(facts));
	if (good)
		return RC_OK;
	sodium_memzero(reply, NTOR_REPLY_LEN);
	sodium_memzero(keys, keys_len);
	return RC_CRYPTO;
}

enum rc
ntor_answer(const struct onion_keys *own, struct span request, uint8_t reply[NTOR_REPLY_LEN],
    struct tor1_keys *out)
{
	uint8_t material[TOR1_KEYS_LEN];
	struct curve_key y;

	curve_generate(&y);
	enum rc rc = ntor_answer_with(own, &y, request, reply, material, sizeof(material));
	if (rc == RC_OK)
		tor1_keys_from_material(material, out);
	sodium_memzero(&y, sizeof(y));
	sodium_memzero(material, sizeof(material));
	return rc;
}

/* What the client sends, once its ephemeral key is there. */
static void
ntor_request(const struct ntor_client *c, uint8_t request[NTOR_REQUEST_LEN])
{
	struct wr wr = wr_to(request, NTOR_REQUEST_LEN);

	wr_bytes(&wr, c->rsa_id, sizeof(c->rsa_id));
	wr_bytes(&wr, c->onion, sizeof(c->onion));
	wr_bytes(&wr, c->eph.public, sizeof(c->eph.public));
}

void
ntor_ask(struct ntor_client *c, uint8_t request[NTOR_REQUEST_LEN])
{
	curve_generate(&c->eph);
	ntor_request(c, request);
}

enum rc
ntor_finish_with(const struct ntor_client *c, struct span reply, uint8_t *keys, size_t keys_len)
{
	struct rd rd = rd_from(reply);
	struct ntor_facts facts;
	uint8_t auth[32];

	struct span y = rd_span(&rd, 32), got = rd_span(&rd, 32);
	if (rd_end(&rd) != RC_OK)
		return rd.rc;
	bool good = curve_shared(facts.xy, c->eph.secret, y.data);
	good &= curve_shared(facts.xb, c->eph.secret, c->onion);
	facts.rsa_id = c->rsa_id;
	facts.b = c->onion;
	facts.x = c->eph.public;
	facts.y = y.data;
	ntor_derive(&facts, auth, keys, keys_len);
	good &= sodium_memcmp(auth, got.data, sizeof(auth)) == 0;
	sodium_memzero(&facts, sizeof(facts));
	if (good)
		return RC_OK;
	sodium_memzero(keys, keys_len);
	return RC_CRYPTO;
}

enum rc
ntor_finish(const struct ntor_client *c, struct span reply, struct tor1_keys *out)
{
	uint8_t material[TOR1_KEYS_LEN];
	enum rc rc = ntor_finish_with(c, reply, material, sizeof(material));

	if (rc == RC_OK)
		tor1_keys_from_material(material, out);
	sodium_memzero(material, sizeof(material));
	return rc;
}
