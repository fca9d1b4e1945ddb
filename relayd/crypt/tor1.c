/* tor1.c: relay cell crypto: AES-128-CTR and a running SHA-1 a direction. No allocation after
 * tor1_new.
 *
 * SHA-1 goes through OpenSSL's old SHA1_ functions: the state of a cell that proves to be not for
 * us must be thrown away, for every cell, and SHA_CTX is a plain struct that a struct assignment
 * copies. EVP_MD_CTX_copy_ex allocates. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "relayd/crypt/tor1.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/crypt/algs.h"

#define RECOGNIZED_AT 1
#define DIGEST_AT     5
#define DIGEST_LEN    4

struct direction {
	EVP_CIPHER_CTX *cipher;
	SHA_CTX digest;
};

struct tor1 {
	struct direction forward, backward;
};

_Static_assert(TOR1_TAG_LEN == SHA_DIGEST_LENGTH, "the tag is a whole SHA-1");

static bool
direction_init(struct direction *d, const uint8_t key[16], const uint8_t seed[20])
{
	static const uint8_t iv[16];

	SHA1_Init(&d->digest);
	SHA1_Update(&d->digest, seed, SHA_DIGEST_LENGTH);
	d->cipher = EVP_CIPHER_CTX_new();
	return d->cipher != NULL &&
	       EVP_EncryptInit_ex(d->cipher, crypt_algs()->aes128_ctr, NULL, key, iv) == 1;
}

/* Encrypt or decrypt, which is the same. */
static void
direction_crypt(struct direction *d, uint8_t body[TOR1_BODY_LEN])
{
	int n;

	/* It has no reason to fail; going on would send plain text. */
	if (EVP_EncryptUpdate(d->cipher, body, &n, body, TOR1_BODY_LEN) != 1)
		abort();
}

/* Set the digest field and move the running digest on. */
static void
direction_seal(struct direction *d, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN])
{
	uint8_t digest[SHA_DIGEST_LENGTH];

	memset(body + DIGEST_AT, 0, DIGEST_LEN);
	SHA1_Update(&d->digest, body, TOR1_BODY_LEN);
	SHA_CTX last = d->digest;
	SHA1_Final(digest, &last);
	memcpy(body + DIGEST_AT, digest, DIGEST_LEN);
	if (tag != NULL)
		memcpy(tag, digest, TOR1_TAG_LEN);
}

/* Is this decrypted body ours? Only then the running digest moves on. */
static bool
direction_open(struct direction *d, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN])
{
	uint8_t digest[SHA_DIGEST_LENGTH], field[DIGEST_LEN];

	if ((body[RECOGNIZED_AT] | body[RECOGNIZED_AT + 1]) != 0)
		return false;
	memcpy(field, body + DIGEST_AT, DIGEST_LEN);
	memset(body + DIGEST_AT, 0, DIGEST_LEN);
	SHA_CTX next = d->digest;
	SHA1_Update(&next, body, TOR1_BODY_LEN);
	SHA_CTX last = next;
	SHA1_Final(digest, &last);
	memcpy(body + DIGEST_AT, field, DIGEST_LEN);
	if (CRYPTO_memcmp(digest, field, DIGEST_LEN) != 0)
		return false;
	d->digest = next;
	if (tag != NULL)
		memcpy(tag, digest, TOR1_TAG_LEN);
	return true;
}

struct tor1 *
tor1_new(const struct tor1_keys *keys)
{
	struct tor1 *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	if (!direction_init(&t->forward, keys->forward_key, keys->forward_digest) ||
	    !direction_init(&t->backward, keys->backward_key, keys->backward_digest))
		tor1_free(&t);
	return t;
}

void
tor1_free(struct tor1 **t)
{
	if (*t == NULL)
		return;
	EVP_CIPHER_CTX_free((*t)->forward.cipher);
	EVP_CIPHER_CTX_free((*t)->backward.cipher);
	OPENSSL_cleanse(*t, sizeof(**t));
	free(*t);
	*t = NULL;
}

bool
tor1_forward_receive(struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN])
{
	direction_crypt(&t->forward, body);
	return direction_open(&t->forward, body, tag);
}

void
tor1_backward_originate(struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN])
{
	direction_seal(&t->backward, body, tag);
	direction_crypt(&t->backward, body);
}

void
tor1_backward_relay(struct tor1 *t, uint8_t body[TOR1_BODY_LEN])
{
	direction_crypt(&t->backward, body);
}

void
tor1_client_seal(struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN])
{
	direction_seal(&t->forward, body, tag);
	direction_crypt(&t->forward, body);
}

void
tor1_client_pass(struct tor1 *t, uint8_t body[TOR1_BODY_LEN])
{
	direction_crypt(&t->forward, body);
}

bool
tor1_client_open(struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN])
{
	direction_crypt(&t->backward, body);
	return direction_open(&t->backward, body, tag);
}
