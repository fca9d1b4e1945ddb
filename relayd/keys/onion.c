/* onion.c: the onion keys: ntor for circuits, TAP for the descriptor only. The ntor key before the
 * current one stays good for clients that have an older descriptor. */
#include <sodium.h>
#include <string.h>

#include "relayd/keys/parts.h"

#define FILE_TAP      "secret_onion_key"
#define FILE_TAP_OLD  "secret_onion_key.old"
#define FILE_NTOR     "secret_onion_key_ntor"
#define FILE_NTOR_OLD "secret_onion_key_ntor.old"
#define TAG_NTOR      "c25519v1: onion"

static enum rc
ntor_read(const struct keydir *dir, const char *name, struct curve_key *out, const struct why *why)
{
	uint8_t both[64], public[32];
	enum rc rc = keyfile_read_tagged(dir, name, TAG_NTOR, both, sizeof(both), why);

	if (rc != RC_OK)
		return rc;
	memcpy(out->secret, both, 32);
	memcpy(out->public, both + 32, 32);
	sodium_memzero(both, sizeof(both));
	(void)crypto_scalarmult_curve25519_base(public, out->secret);
	if (memcmp(public, out->public, 32) == 0)
		return RC_OK;
	sodium_memzero(out, sizeof(*out));
	return why_set(why, RC_CRYPTO,
	    "%s/%s is damaged: its halves are not of one pair; move it "
	    "away and a new onion key is made",
	    dir->path, name);
}

static enum rc
ntor_write(
    const struct keydir *dir, const char *name, const struct curve_key *key, const struct why *why)
{
	uint8_t both[64];

	memcpy(both, key->secret, 32);
	memcpy(both + 32, key->public, 32);
	enum rc rc = keyfile_write_tagged(dir, name, TAG_NTOR, both, sizeof(both), why);
	sodium_memzero(both, sizeof(both));
	return rc;
}

enum rc
onion_load(const struct keydir *dir, struct relay_keys *keys, const struct why *why)
{
	enum rc rc = keyfile_read_rsa(dir, FILE_TAP, &keys->tap_onion, why);

	if (rc == RC_NOT_FOUND) {
		keys->tap_onion = rsa_generate(RSA_ID_BITS);
		if (keys->tap_onion == NULL)
			return why_set(why, RC_CRYPTO, "cannot make an RSA key");
		rc = keyfile_write_rsa(dir, FILE_TAP, keys->tap_onion, why);
	}
	if (rc != RC_OK)
		return rc;
	rc = ntor_read(dir, FILE_NTOR, &keys->onion.onion, why);
	if (rc == RC_NOT_FOUND) {
		curve_generate(&keys->onion.onion);
		rc = ntor_write(dir, FILE_NTOR, &keys->onion.onion, why);
	}
	if (rc != RC_OK)
		return rc;
	rc = ntor_read(dir, FILE_NTOR_OLD, &keys->onion.onion_old, why);
	keys->onion.has_old = rc == RC_OK;
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc
onion_rotate(const struct keydir *dir, struct relay_keys *keys, const struct why *why)
{
	struct curve_key ntor;
	EVP_PKEY *tap = rsa_generate(RSA_ID_BITS);

	if (tap == NULL)
		return why_set(why, RC_CRYPTO, "cannot make an RSA key");
	curve_generate(&ntor);
	enum rc rc = keyfile_write_rsa(dir, FILE_TAP_OLD, keys->tap_onion, why);
	if (rc == RC_OK)
		rc = ntor_write(dir, FILE_NTOR_OLD, &keys->onion.onion, why);
	if (rc == RC_OK)
		rc = keyfile_write_rsa(dir, FILE_TAP, tap, why);
	if (rc == RC_OK)
		rc = ntor_write(dir, FILE_NTOR, &ntor, why);
	if (rc == RC_OK) {
		EVP_PKEY_free(keys->tap_onion);
		keys->tap_onion = tap;
		tap = NULL;
		keys->onion.onion_old = keys->onion.onion;
		keys->onion.has_old = true;
		keys->onion.onion = ntor;
	}
	EVP_PKEY_free(tap);
	sodium_memzero(&ntor, sizeof(ntor));
	return rc;
}

void
onion_drop_old(const struct keydir *dir, struct relay_keys *keys)
{
	keyfile_remove(dir, FILE_NTOR_OLD);
	keyfile_remove(dir, FILE_TAP_OLD);
	sodium_memzero(&keys->onion.onion_old, sizeof(keys->onion.onion_old));
	keys->onion.has_old = false;
}
