/* ntor3.c: the ntor v3 handshake, both sides (proposal 332). Pure but for random ephemeral keys.
 * A request that is refused before its reply is made always costs one key agreement and one MAC:
 * nobody learns from the time whether the identity, the key or the MAC was wrong. */
#include "relayd/crypt/handshake.h"

#include <sodium.h>
#include <string.h>

#include "relayd/crypt/algs.h"
#include "relayd/crypt/handshake_internal.h"

#define NTOR3_PROTOID      "ntor3-curve25519-sha3_256-1"
#define NTOR3_VERIFICATION "circuit extend"
#define NTOR3_KEY_LEN      32
#define NTOR3_REQUEST_MIN  (32 + 32 + 32 + 32)

/* A hash under way; the first failure sticks. Each begins with its tweak, length first. */
struct hash {
	EVP_MD_CTX *ctx;
	bool ok;
};

static void
hash_put(struct hash *hash, struct span in)
{
	hash->ok = hash->ok && EVP_DigestUpdate(hash->ctx, in.data, in.len) == 1;
}

static void
hash_put_encap(struct hash *hash, struct span in)
{
	uint8_t len[8];
	struct wr wr = wr_to(len, sizeof(len));

	wr_u64(&wr, in.len);
	hash_put(hash, wr_written(&wr));
	hash_put(hash, in);
}

static struct hash
hash_begin(const EVP_MD *md, const char *tweak)
{
	struct hash hash = { EVP_MD_CTX_new(), true };

	hash.ok = hash.ctx != NULL && EVP_DigestInit_ex(hash.ctx, md, NULL) == 1;
	hash_put_encap(&hash, span_of_str(tweak));
	return hash;
}

static enum rc
hash_end(struct hash *hash, uint8_t out[32])
{
	bool ok = hash->ok && EVP_DigestFinal_ex(hash->ctx, out, NULL) == 1;

	EVP_MD_CTX_free(hash->ctx);
	return ok ? RC_OK : RC_NO_MEMORY;
}

/* H(in, tweak) */
static enum rc
hash_of(struct span in, const char *tweak, uint8_t out[32])
{
	struct hash hash = hash_begin(crypt_algs()->sha3_256, tweak);

	hash_put(&hash, in);
	return hash_end(&hash, out);
}

/* KDF(in, tweak), as much as asked for */
static enum rc
kdf_of(struct span in, const char *tweak, uint8_t *out, size_t len)
{
	struct hash hash = hash_begin(crypt_algs()->shake256, tweak);

	hash_put(&hash, in);
	bool ok = hash.ok && EVP_DigestFinalXOF(hash.ctx, out, len) == 1;
	EVP_MD_CTX_free(hash.ctx);
	return ok ? RC_OK : RC_NO_MEMORY;
}

/* AES-256-CTR from a zero counter; in and out may be the same. */
static enum rc
stream_crypt(const uint8_t key[NTOR3_KEY_LEN], struct span in, uint8_t *out)
{
	static const uint8_t iv[16];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool ok = ctx != NULL &&
		  EVP_EncryptInit_ex(ctx, crypt_algs()->aes256_ctr, NULL, key, iv) == 1 &&
		  EVP_EncryptUpdate(ctx, out, &n, in.data, (int)in.len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok ? RC_OK : RC_NO_MEMORY;
}

/* Phase 1: the keys under which the request's message travels. */
struct phase1 {
	uint8_t enc_key[NTOR3_KEY_LEN], mac_key[NTOR3_KEY_LEN];
};

static enum rc
phase1_derive(const uint8_t xb[32], const uint8_t id[32], const uint8_t x[32], const uint8_t b[32],
    struct span verification, struct phase1 *out)
{
	uint8_t keys[2 * NTOR3_KEY_LEN];
	struct hash hash = hash_begin(crypt_algs()->shake256, NTOR3_PROTOID ":kdf_phase1");

	hash_put(&hash, span_of(xb, 32));
	hash_put(&hash, span_of(id, 32));
	hash_put(&hash, span_of(x, 32));
	hash_put(&hash, span_of(b, 32));
	hash_put(&hash, span_of_str(NTOR3_PROTOID));
	hash_put_encap(&hash, verification);
	bool ok = hash.ok && EVP_DigestFinalXOF(hash.ctx, keys, sizeof(keys)) == 1;
	EVP_MD_CTX_free(hash.ctx);
	memcpy(out->enc_key, keys, NTOR3_KEY_LEN);
	memcpy(out->mac_key, keys + NTOR3_KEY_LEN, NTOR3_KEY_LEN);
	sodium_memzero(keys, sizeof(keys));
	return ok ? RC_OK : RC_NO_MEMORY;
}

static enum rc
phase1_mac(const struct phase1 *phase1, const uint8_t id[32], const uint8_t b[32],
    const uint8_t x[32], struct span ciphertext, uint8_t out[32])
{
	struct hash hash = hash_begin(crypt_algs()->sha3_256, NTOR3_PROTOID ":msg_mac");

	hash_put_encap(&hash, span_of(phase1->mac_key, NTOR3_KEY_LEN));
	hash_put(&hash, span_of(id, 32));
	hash_put(&hash, span_of(b, 32));
	hash_put(&hash, span_of(x, 32));
	hash_put(&hash, ciphertext);
	return hash_end(&hash, out);
}

/* Phase 2: what both sides know after both ephemeral keys. */
struct phase2 {
	uint8_t xy[32], xb[32];
	const uint8_t *id, *b, *x, *y;
	const uint8_t *mac; /* of the request */
};

/* verify, the key of the reply's message, and keys_len bytes of key material. */
static enum rc
phase2_derive(const struct phase2 *p, struct span verification, uint8_t verify[32],
    uint8_t enc_key[NTOR3_KEY_LEN], uint8_t *keys, size_t keys_len)
{
	uint8_t secret[512], seed[32], material[NTOR3_KEY_LEN + NTOR3_KEYS_MAX];
	struct wr wr = wr_to(secret, sizeof(secret));

	if (keys_len > NTOR3_KEYS_MAX)
		return RC_LIMIT;
	wr_bytes(&wr, p->xy, 32);
	wr_bytes(&wr, p->xb, 32);
	wr_bytes(&wr, p->id, 32);
	wr_bytes(&wr, p->b, 32);
	wr_bytes(&wr, p->x, 32);
	wr_bytes(&wr, p->y, 32);
	wr_str(&wr, NTOR3_PROTOID);
	wr_u64(&wr, verification.len);
	wr_span(&wr, verification);
	enum rc rc = wr.rc;
	if (rc == RC_OK)
		rc = hash_of(wr_written(&wr), NTOR3_PROTOID ":key_seed", seed);
	if (rc == RC_OK)
		rc = hash_of(wr_written(&wr), NTOR3_PROTOID ":verify", verify);
	if (rc == RC_OK)
		rc = kdf_of(span_of(seed, sizeof(seed)), NTOR3_PROTOID ":kdf_final", material,
		    NTOR3_KEY_LEN + keys_len);
	if (rc == RC_OK) {
		memcpy(enc_key, material, NTOR3_KEY_LEN);
		memcpy(keys, material + NTOR3_KEY_LEN, keys_len);
	}
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(material, sizeof(material));
	return rc;
}

static enum rc
phase2_auth(
    const struct phase2 *p, const uint8_t verify[32], struct span ciphertext, uint8_t out[32])
{
	struct hash hash = hash_begin(crypt_algs()->sha3_256, NTOR3_PROTOID ":auth_final");

	hash_put(&hash, span_of(verify, 32));
	hash_put(&hash, span_of(p->id, 32));
	hash_put(&hash, span_of(p->b, 32));
	hash_put(&hash, span_of(p->y, 32));
	hash_put(&hash, span_of(p->x, 32));
	hash_put(&hash, span_of(p->mac, 32));
	hash_put_encap(&hash, ciphertext);
	hash_put(&hash, span_of_str(NTOR3_PROTOID "Server"));
	return hash_end(&hash, out);
}

enum rc
ntor3_open(const struct onion_keys *own, struct span verification, struct span request,
    struct ntor3_opened *out, uint8_t message[NTOR3_MESSAGE_MAX], size_t *message_len)
{
	struct rd rd = rd_from(request);
	struct phase1 phase1;
	uint8_t mac[32], id[32];
	bool known;

	*message_len = 0;
	if (request.len > NTOR3_REQUEST_MIN + NTOR3_MESSAGE_MAX)
		return RC_LIMIT;
	rd_copy(&rd, id, sizeof(id));
	rd_copy(&rd, out->b, sizeof(out->b));
	rd_copy(&rd, out->x, sizeof(out->x));
	size_t left = rd_left(&rd);
	struct span ciphertext = rd_span(&rd, left > 32 ? left - 32 : 0);
	rd_copy(&rd, out->mac, sizeof(out->mac));
	if (rd_end(&rd) != RC_OK)
		return rd.rc;
	const struct curve_key *key = onion_key_find(own, out->b, &known);
	bool good = known & (sodium_memcmp(id, own->ed_id, sizeof(id)) == 0);
	out->good = curve_shared(out->xb, key->secret, out->x);
	enum rc rc = phase1_derive(out->xb, id, out->x, out->b, verification, &phase1);
	if (rc == RC_OK)
		rc = phase1_mac(&phase1, id, out->b, out->x, ciphertext, mac);
	if (rc == RC_OK && !(good & (sodium_memcmp(mac, out->mac, sizeof(mac)) == 0)))
		rc = RC_CRYPTO;
	if (rc == RC_OK)
		rc = stream_crypt(phase1.enc_key, ciphertext, message);
	if (rc == RC_OK)
		*message_len = ciphertext.len;
	sodium_memzero(&phase1, sizeof(phase1));
	return rc;
}

enum rc
ntor3_seal(const struct onion_keys *own, const struct ntor3_opened *opened,
    const struct curve_key *y, struct span verification, struct span message, struct wr *reply,
    uint8_t *keys, size_t keys_len)
{
	struct phase2 p = {
		.id = own->ed_id, .b = opened->b, .x = opened->x, .y = y->public, .mac = opened->mac
	};
	uint8_t verify[32], enc_key[NTOR3_KEY_LEN], ciphertext[NTOR3_MESSAGE_MAX] = { 0 }, auth[32];

	if (message.len > sizeof(ciphertext))
		return RC_LIMIT;
	memcpy(p.xb, opened->xb, sizeof(p.xb));
	bool good = curve_shared(p.xy, y->secret, opened->x) & opened->good;
	enum rc rc = phase2_derive(&p, verification, verify, enc_key, keys, keys_len);
	if (rc == RC_OK)
		rc = stream_crypt(enc_key, message, ciphertext);
	struct span sealed = span_of(ciphertext, message.len);
	if (rc == RC_OK)
		rc = phase2_auth(&p, verify, sealed, auth);
	if (rc == RC_OK && !good)
		rc = RC_CRYPTO;
	if (rc == RC_OK) {
		wr_bytes(reply, y->public, 32);
		wr_bytes(reply, auth, sizeof(auth));
		wr_span(reply, sealed);
		rc = reply->rc;
	}
	if (rc != RC_OK)
		sodium_memzero(keys, keys_len);
	sodium_memzero(&p, sizeof(p));
	sodium_memzero(verify, sizeof(verify));
	sodium_memzero(enc_key, sizeof(enc_key));
	return rc;
}

enum rc
ntor3_answer(const struct onion_keys *own, struct span request, const struct ntor3_policy *policy,
    struct wr *reply, struct ntor3_outcome *outcome, uint8_t *key_material, size_t keys_len)
{
	struct span verification = span_of_str(NTOR3_VERIFICATION);
	uint8_t message[NTOR3_MESSAGE_MAX], answer[16];
	struct wr wr = wr_to(answer, sizeof(answer));
	struct ntor3_opened opened;
	struct curve_key y;
	size_t message_len;

	memset(outcome, 0, sizeof(*outcome));
	enum rc rc = ntor3_open(own, verification, request, &opened, message, &message_len);
	if (rc == RC_OK)
		rc = ntor3_negotiate(span_of(message, message_len), policy, &wr, outcome);
	if (rc == RC_OK) {
		curve_generate(&y);
		rc = ntor3_seal(
		    own, &opened, &y, verification, wr_written(&wr), reply, key_material, keys_len);
		sodium_memzero(&y, sizeof(y));
	}
	sodium_memzero(&opened, sizeof(opened));
	sodium_memzero(message, sizeof(message));
	return rc;
}

enum rc
ntor3_ask_with(
    struct ntor_client *c, struct span verification, struct span message, struct wr *request)
{
	uint8_t xb[32], ciphertext[NTOR3_MESSAGE_MAX] = { 0 };
	struct phase1 phase1;
	struct span sealed = span_of(ciphertext, message.len);

	if (message.len > sizeof(ciphertext))
		return RC_LIMIT;
	bool good = curve_shared(xb, c->eph.secret, c->onion);
	enum rc rc = phase1_derive(xb, c->ed_id, c->eph.public, c->onion, verification, &phase1);
	if (rc == RC_OK)
		rc = stream_crypt(phase1.enc_key, message, ciphertext);
	if (rc == RC_OK)
		rc = phase1_mac(&phase1, c->ed_id, c->onion, c->eph.public, sealed, c->mac);
	if (rc == RC_OK && !good)
		rc = RC_CRYPTO;
	if (rc == RC_OK) {
		wr_bytes(request, c->ed_id, sizeof(c->ed_id));
		wr_bytes(request, c->onion, sizeof(c->onion));
		wr_bytes(request, c->eph.public, sizeof(c->eph.public));
		wr_span(request, sealed);
		wr_bytes(request, c->mac, sizeof(c->mac));
		rc = request->rc;
	}
	sodium_memzero(xb, sizeof(xb));
	sodium_memzero(&phase1, sizeof(phase1));
	return rc;
}

enum rc
ntor3_ask(struct ntor_client *c, struct span message, struct wr *request)
{
	curve_generate(&c->eph);
	return ntor3_ask_with(c, span_of_str(NTOR3_VERIFICATION), message, request);
}

enum rc
ntor3_finish_with(const struct ntor_client *c, struct span verification, struct span reply,
    uint8_t *message, size_t cap, size_t *message_len, uint8_t *keys, size_t keys_len)
{
	struct rd rd = rd_from(reply);
	struct span y = rd_span(&rd, 32), got = rd_span(&rd, 32), sealed = rd_rest(&rd);
	struct phase2 p = {
		.id = c->ed_id, .b = c->onion, .x = c->eph.public, .y = y.data, .mac = c->mac
	};
	uint8_t verify[32], enc_key[NTOR3_KEY_LEN], auth[32];

	*message_len = 0;
	if (rd.rc != RC_OK)
		return rd.rc;
	if (sealed.len > cap || sealed.len > NTOR3_MESSAGE_MAX)
		return RC_LIMIT;
	bool good = curve_shared(p.xy, c->eph.secret, y.data);
	good &= curve_shared(p.xb, c->eph.secret, c->onion);
	enum rc rc = phase2_derive(&p, verification, verify, enc_key, keys, keys_len);
	if (rc == RC_OK)
		rc = phase2_auth(&p, verify, sealed, auth);
	if (rc == RC_OK && !(good & (sodium_memcmp(auth, got.data, sizeof(auth)) == 0)))
		rc = RC_CRYPTO;
	if (rc == RC_OK)
		rc = stream_crypt(enc_key, sealed, message);
	if (rc == RC_OK)
		*message_len = sealed.len;
	else
		sodium_memzero(keys, keys_len);
	sodium_memzero(&p, sizeof(p));
	sodium_memzero(verify, sizeof(verify));
	sodium_memzero(enc_key, sizeof(enc_key));
	return rc;
}

enum rc
ntor3_finish(const struct ntor_client *c, struct span reply, uint8_t *message, size_t cap,
    size_t *message_len, uint8_t *key_material, size_t keys_len)
{
	return ntor3_finish_with(c, span_of_str(NTOR3_VERIFICATION), reply, message, cap,
	    message_len, key_material, keys_len);
}
