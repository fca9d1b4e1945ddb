/* identity.c: load or make the identities and the medium-term signing key. The Ed25519 master
 * secret may live elsewhere (an offline master): then the signing key and its certificate must be
 * here, made with `tor --keygen`. */
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "relayd/keys/parts.h"

#define SIGNING_LIFETIME_S (30 * DAY_S)
#define SIGNING_RENEW_S    DAY_S /* before it expires */

#define FILE_RSA_ID           "secret_id_key"
#define FILE_MASTER_SECRET    "ed25519_master_id_secret_key"
#define FILE_MASTER_ENCRYPTED "ed25519_master_id_secret_key_encrypted"
#define FILE_MASTER_PUBLIC    "ed25519_master_id_public_key"
#define FILE_SIGNING_SECRET   "ed25519_signing_secret_key"
#define FILE_SIGNING_CERT     "ed25519_signing_cert"
#define TAG_MASTER_SECRET     "ed25519v1-secret: type0"
#define TAG_MASTER_PUBLIC     "ed25519v1-public: type0"
#define TAG_SIGNING_SECRET    "ed25519v1-secret: type4"
#define TAG_SIGNING_CERT      "ed25519v1-cert: type4"

struct master {
	struct ed25519_key key;
	bool known, has_secret, has_public_file;
};

struct signing {
	struct ed25519_key key;
	uint8_t cert[EDCERT_WITH_KEY_LEN];
	uint8_t signer[32];
	time_t expires;
};

static enum rc
rsa_load(const struct keydir *dir, struct relay_keys *keys, const struct why *why)
{
	enum rc rc = keyfile_read_rsa(dir, FILE_RSA_ID, &keys->rsa_id, why);

	if (rc == RC_NOT_FOUND) {
		keys->rsa_id = rsa_generate(RSA_ID_BITS);
		if (keys->rsa_id == NULL)
			return why_set(why, RC_CRYPTO, "cannot make an RSA key");
		rc = keyfile_write_rsa(dir, FILE_RSA_ID, keys->rsa_id, why);
	}
	if (rc != RC_OK)
		return rc;
	rc = rsa_digest_sha1(keys->rsa_id, keys->rsa_id_digest);
	if (rc == RC_OK)
		rc = rsa_digest_sha256(keys->rsa_id, keys->rsa_id_sha256);
	memcpy(keys->onion.rsa_id, keys->rsa_id_digest, sizeof(keys->onion.rsa_id));
	return rc == RC_OK ? RC_OK : why_set(why, rc, "cannot digest the RSA identity key");
}

/* What is there of the master identity; both files must say the same. */
static enum rc
master_load(const struct keydir *dir, struct master *out, const struct why *why)
{
	uint8_t public[32];

	memset(out, 0, sizeof(*out));
	enum rc rc = keyfile_read_tagged(dir, FILE_MASTER_SECRET, TAG_MASTER_SECRET,
	    out->key.secret, sizeof(out->key.secret), why);
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	out->has_secret = out->known = rc == RC_OK;
	if (out->has_secret)
		ed25519_public(out->key.secret, out->key.public);
	rc = keyfile_read_tagged(
	    dir, FILE_MASTER_PUBLIC, TAG_MASTER_PUBLIC, public, sizeof(public), why);
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	if (out->has_secret && memcmp(public, out->key.public, sizeof(public)) != 0)
		return why_set(why, RC_CRYPTO,
		    "%s: %s and %s are not of one pair; remove the one "
		    "that does not belong here",
		    dir->path, FILE_MASTER_SECRET, FILE_MASTER_PUBLIC);
	memcpy(out->key.public, public, sizeof(public));
	out->known = out->has_public_file = true;
	return RC_OK;
}

static enum rc
master_make(const struct keydir *dir, struct master *out, const struct why *why)
{
	if (keyfile_exists(dir, FILE_MASTER_ENCRYPTED))
		return why_set(why, RC_NOT_FOUND,
		    "%s/%s is there, but no signing key made with it; "
		    "make one with `tor --keygen`",
		    dir->path, FILE_MASTER_ENCRYPTED);
	ed25519_generate(&out->key);
	out->known = out->has_secret = true;
	return keyfile_write_tagged(dir, FILE_MASTER_SECRET, TAG_MASTER_SECRET, out->key.secret,
	    sizeof(out->key.secret), why);
}

/* The signing key with its certificate as they are on disk, if they fit together. */
static enum rc
signing_load(const struct keydir *dir, struct signing *out, const struct why *why)
{
	struct edcert cert;

	memset(out, 0, sizeof(*out));
	enum rc rc = keyfile_read_tagged(dir, FILE_SIGNING_SECRET, TAG_SIGNING_SECRET,
	    out->key.secret, sizeof(out->key.secret), why);

	if (rc == RC_OK)
		rc = keyfile_read_tagged(
		    dir, FILE_SIGNING_CERT, TAG_SIGNING_CERT, out->cert, sizeof(out->cert), why);
	if (rc != RC_OK)
		return rc;
	ed25519_public(out->key.secret, out->key.public);
	rc = edcert_parse(span_of(out->cert, sizeof(out->cert)), &cert);
	if (rc != RC_OK || cert.type != EDCERT_ID_SIGNING || cert.key_type != EDCERT_KEY_ED25519 ||
	    edcert_check(&cert, NULL, 0) != RC_OK)
		return why_set(why, RC_SYNTAX, "%s/%s is damaged", dir->path, FILE_SIGNING_CERT);
	if (memcmp(cert.key, out->key.public, sizeof(cert.key)) != 0)
		return why_set(why, RC_CRYPTO, "%s: %s does not certify %s", dir->path,
		    FILE_SIGNING_CERT, FILE_SIGNING_SECRET);
	memcpy(out->signer, cert.signer, sizeof(out->signer));
	out->expires = (time_t)cert.expires_hours * 3600;
	return RC_OK;
}

/* A new one, signed by the master secret, on disk. The key goes first: a certificate without its
 * key is noticed and made again. */
static enum rc
signing_make(const struct keydir *dir, const struct master *master, time_t now, struct signing *out,
    const struct why *why)
{
	struct edcert cert;

	ed25519_generate(&out->key);
	(void)edcert_make(EDCERT_ID_SIGNING, EDCERT_KEY_ED25519, out->key.public,
	    now + SIGNING_LIFETIME_S, &master->key, true, out->cert);
	enum rc rc = edcert_parse(span_of(out->cert, sizeof(out->cert)), &cert);
	if (rc != RC_OK)
		return rc;
	memcpy(out->signer, master->key.public, sizeof(out->signer));
	out->expires = (time_t)cert.expires_hours * 3600;
	rc = keyfile_write_tagged(dir, FILE_SIGNING_SECRET, TAG_SIGNING_SECRET, out->key.secret,
	    sizeof(out->key.secret), why);
	if (rc == RC_OK)
		rc = keyfile_write_tagged(
		    dir, FILE_SIGNING_CERT, TAG_SIGNING_CERT, out->cert, sizeof(out->cert), why);
	return rc;
}

static void
signing_take(const struct signing *signing, struct relay_keys *keys)
{
	keys->ed_signing = signing->key;
	memcpy(keys->ed_signing_cert, signing->cert, sizeof(keys->ed_signing_cert));
	keys->ed_signing_expires = signing->expires;
}

/* Is it ours, and good for `left_s` more seconds? */
static bool
signing_is_good(const struct signing *signing, const uint8_t master[32], time_t now, time_t left_s)
{
	return memcmp(signing->signer, master, 32) == 0 && signing->expires - now > left_s;
}

/* Settle who we are: the master that is here, else the one that signed our certificate, else a
 * new one. */
static enum rc
master_settle(const struct keydir *dir, struct master *master, const struct signing *signing,
    const struct why *why)
{
	enum rc rc = RC_OK;

	if (!master->known && signing != NULL) {
		memcpy(master->key.public, signing->signer, sizeof(master->key.public));
		master->known = true;
	}
	if (!master->known)
		rc = master_make(dir, master, why);
	if (rc == RC_OK && !master->has_public_file)
		rc = keyfile_write_tagged(dir, FILE_MASTER_PUBLIC, TAG_MASTER_PUBLIC,
		    master->key.public, sizeof(master->key.public), why);
	return rc;
}

static enum rc
ed_load(const struct keydir *dir, time_t now, struct relay_keys *keys, const struct why *why)
{
	struct master master;
	struct signing signing;
	enum rc rc = master_load(dir, &master, why);
	enum rc found = RC_NOT_FOUND;

	if (rc == RC_OK) {
		found = signing_load(dir, &signing, why);
		rc = found == RC_SYSTEM ? found : RC_OK;
	}
	if (rc == RC_OK)
		rc = master_settle(dir, &master, found == RC_OK ? &signing : NULL, why);
	if (rc != RC_OK)
		goto out;
	bool usable = found == RC_OK && signing_is_good(&signing, master.key.public, now, 0);
	bool fresh = usable && signing_is_good(&signing, master.key.public, now, SIGNING_RENEW_S);
	if (!fresh && master.has_secret)
		rc = signing_make(dir, &master, now, &signing, why);
	else if (!usable)
		rc = why_set(why, RC_NOT_FOUND,
		    "%s: the master identity key is kept elsewhere, and "
		    "%s and %s are missing, damaged, expired or of another identity; make new ones "
		    "there with `tor --keygen` and copy them here",
		    dir->path, FILE_SIGNING_SECRET, FILE_SIGNING_CERT);
	if (rc != RC_OK)
		goto out;
	memcpy(keys->ed_id, master.key.public, sizeof(keys->ed_id));
	memcpy(keys->onion.ed_id, keys->ed_id, sizeof(keys->onion.ed_id));
	signing_take(&signing, keys);
out:
	sodium_memzero(&master, sizeof(master));
	sodium_memzero(&signing, sizeof(signing));
	return rc;
}

enum rc
identity_load(const struct keydir *dir, time_t now, struct relay_keys *keys, const struct why *why)
{
	enum rc rc = rsa_load(dir, keys, why);

	return rc == RC_OK ? ed_load(dir, now, keys, why) : rc;
}

enum rc
identity_renew_signing(
    const struct keydir *dir, time_t now, struct relay_keys *keys, const struct why *why)
{
	struct master master;
	struct signing signing;
	enum rc rc = signing_load(dir, &signing, why);

	if (rc == RC_OK && signing.expires > keys->ed_signing_expires &&
	    signing_is_good(&signing, keys->ed_id, now, 0))
		goto take;
	rc = master_load(dir, &master, why);
	if (rc == RC_OK && master.known && memcmp(master.key.public, keys->ed_id, 32) != 0)
		rc = why_set(why, RC_CRYPTO,
		    "%s now holds another master identity; restart to "
		    "use it",
		    dir->path);
	else if (rc == RC_OK && !master.has_secret)
		rc = why_set(why, RC_NOT_FOUND,
		    "the signing key expires soon and the master "
		    "identity key is kept elsewhere; make new ones there with `tor --keygen` and "
		    "copy %s and %s to %s",
		    FILE_SIGNING_SECRET, FILE_SIGNING_CERT, dir->path);
	else if (rc == RC_OK)
		rc = signing_make(dir, &master, now, &signing, why);
	sodium_memzero(&master, sizeof(master));
take:
	if (rc == RC_OK)
		signing_take(&signing, keys);
	sodium_memzero(&signing, sizeof(signing));
	return rc;
}
