/* link.c: the TLS key and certificate, and the certificates that tie links to the identities. */
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/keys/parts.h"

#define LINK_CERT_LIFETIME_S  (2 * DAY_S)
#define CROSS_LIFETIME_S      (180 * DAY_S)
#define X509_ID_LIFETIME_DAYS 365
#define X509_TLS_MIN_DAYS     5
#define X509_TLS_MAX_DAYS     365
#define NAME_LEN              (4 + 20 + 4 + 1) /* "www.", the label, ".com", NUL */

/* A host name that means nothing, of the length and letters that stock relays use. */
static void
random_name(const char *end, char out[NAME_LEN])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct wr wr = wr_to(out, NAME_LEN);
	uint32_t len = 8 + randombytes_uniform(13);

	wr_str(&wr, "www.");
	for (uint32_t i = 0; i < len; i++)
		wr_u8(&wr, (uint8_t)letters[randombytes_uniform(32)]);
	wr_str(&wr, end);
	wr_u8(&wr, '\0');
}

/* A certificate under a meaningless name whose life began on some day in the past and goes on for
 * a few days at least, so that it does not tell when the relay started. */
static X509 *
anonymous_x509(EVP_PKEY *key, EVP_PKEY *signer, const char *subject, const char *issuer,
    uint32_t lifetime_days, time_t now)
{
	time_t today = now - now % DAY_S;
	time_t start = today - DAY_S - (time_t)randombytes_uniform(lifetime_days - 3) * DAY_S;

	return x509_make(
	    key, signer, subject, issuer, start, start + (time_t)lifetime_days * DAY_S);
}

static enum rc
digest_of_x509(X509 *cert, uint8_t out[32])
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len <= 0)
		return RC_NO_MEMORY;
	SHA256(der, (size_t)len, out);
	OPENSSL_free(der);
	return RC_OK;
}

/* The self-signed certificate of the RSA identity, as bytes. */
static enum rc
make_id_x509(struct relay_keys *keys, const char *name, time_t now)
{
	unsigned char *der = NULL;
	X509 *cert =
	    anonymous_x509(keys->rsa_id, keys->rsa_id, name, name, X509_ID_LIFETIME_DAYS, now);
	int len = cert != NULL ? i2d_X509(cert, &der) : -1;
	uint8_t *copy = len > 0 ? malloc((size_t)len) : NULL;

	if (copy != NULL) {
		memcpy(copy, der, (size_t)len);
		free(keys->rsa_id_x509_der);
		keys->rsa_id_x509_der = copy;
		keys->rsa_id_x509_len = (size_t)len;
	}
	OPENSSL_free(der);
	X509_free(cert);
	return copy != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc
link_make_tls(struct relay_keys *keys, time_t now, const struct why *why)
{
	char subject[NAME_LEN], issuer[NAME_LEN];
	uint32_t days =
	    X509_TLS_MIN_DAYS + randombytes_uniform(X509_TLS_MAX_DAYS - X509_TLS_MIN_DAYS + 1);
	EVP_PKEY *key = rsa_generate(RSA_LINK_BITS);
	X509 *cert = NULL;

	random_name(".net", subject);
	random_name(".com", issuer);
	if (key != NULL)
		cert = anonymous_x509(key, keys->rsa_id, subject, issuer, days, now);
	enum rc rc = cert != NULL ? digest_of_x509(cert, keys->tls_cert_sha256) : RC_CRYPTO;
	if (rc == RC_OK)
		rc = make_id_x509(keys, issuer, now);
	if (rc != RC_OK) {
		X509_free(cert);
		EVP_PKEY_free(key);
		return why_set(why, rc, "cannot make a TLS key and its certificate");
	}
	X509_free(keys->tls_cert);
	EVP_PKEY_free(keys->tls_key);
	keys->tls_cert = cert;
	keys->tls_key = key;
	keys->tls_made = now;
	link_certify_tls(keys, now);
	return RC_OK;
}

void
link_certify_tls(struct relay_keys *keys, time_t now)
{
	(void)edcert_make(EDCERT_SIGNING_LINK, EDCERT_KEY_X509_SHA256, keys->tls_cert_sha256,
	    now + LINK_CERT_LIFETIME_S, &keys->ed_signing, false, keys->link_cert);
}

time_t
link_make_auth(struct relay_keys *keys, time_t now)
{
	ed25519_generate(&keys->auth_key);
	(void)edcert_make(EDCERT_SIGNING_AUTH, EDCERT_KEY_ED25519, keys->auth_key.public,
	    now + LINK_CERT_LIFETIME_S, &keys->ed_signing, false, keys->auth_cert);
	return now + LINK_CERT_LIFETIME_S;
}

enum rc
link_make_cross(struct relay_keys *keys, time_t now, time_t *expires, const struct why *why)
{
	enum rc rc = rsa_ed_cross_make(
	    keys->rsa_id, keys->ed_id, now + CROSS_LIFETIME_S, keys->rsa_ed_cross);

	*expires = now + CROSS_LIFETIME_S;
	return rc == RC_OK ? RC_OK : why_set(why, rc, "cannot sign with the RSA identity key");
}
