/* keys.h: the relay's identity, onion and link keys, in stock tor's files (DataDirectory/keys),
 * so that an operator moves in and out with the same identity. Formats: tor-interop notes in
 * docs/, section on key files. Main thread only; others get an immutable struct relay_keys. */
#ifndef RELAYD_KEYS_KEYS_H
#define RELAYD_KEYS_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <time.h>

#include "relayd/crypt/ed25519.h"
#include "relayd/crypt/edcert.h"
#include "relayd/crypt/handshake.h"
#include "relayd/crypt/rsa.h"

/* One set of keys and certificates, never changed once made; counted, because links and workers
 * hold on to the set that they began with. */
struct relay_keys {
	atomic_uint refs;
	EVP_PKEY *rsa_id;          /* 1024 */
	uint8_t rsa_id_digest[20]; /* SHA-1: the fingerprint */
	uint8_t rsa_id_sha256[32];
	uint8_t ed_id[32]; /* master identity, public half */
	struct ed25519_key ed_signing;
	uint8_t ed_signing_cert[EDCERT_WITH_KEY_LEN]; /* CERTS type 4 */
	time_t ed_signing_expires;
	EVP_PKEY *tap_onion;     /* 1024: only for the descriptor's crosscert */
	struct onion_keys onion; /* for the handshakes */
	time_t onion_made;

	/* The link: a TLS key and its certificate, and what CERTS carries. */
	EVP_PKEY *tls_key; /* RSA 2048 */
	X509 *tls_cert;
	uint8_t tls_cert_sha256[32]; /* of its DER */
	time_t tls_made;
	uint8_t link_cert[EDCERT_LEN];          /* CERTS type 5 */
	struct ed25519_key auth_key;            /* signs AUTHENTICATE */
	uint8_t auth_cert[EDCERT_LEN];          /* CERTS type 6 */
	uint8_t rsa_ed_cross[RSA_ED_CROSS_LEN]; /* CERTS type 7 */
	uint8_t *rsa_id_x509_der;               /* CERTS type 2 */
	size_t rsa_id_x509_len;
};

struct relay_keys *relay_keys_ref(struct relay_keys *keys);
void relay_keys_unref(struct relay_keys **keys); /* wipes and frees the last one */

struct keystore;

/* Open DataDirectory (made 0700 if missing; refused if others can write to it) and take its lock
 * (file "lock", flock(2) like stock tor's: RC_EXISTS if somebody holds it). why gets a sentence for
 * the log on every failure: what, which file, what to do. Keys that are missing are made, unless
 * an offline master key's signing key and certificate are there. Writes fingerprint and
 * fingerprint-ed25519. */
enum rc keystore_open(const char *data_dir, const char *nickname, time_t now, struct keystore **out,
    char *why, size_t why_len);
void keystore_close(struct keystore **ks);
struct relay_keys *keystore_current(struct keystore *ks); /* a new reference */

/* Call each minute: rotates the TLS key (2 h), link and auth certificates, signing key (30 d,
 * a day before), onion keys (onion_lifetime_days; both TAP and ntor, .old kept). True if the
 * set changed. *descriptor_changed: the descriptor must be made anew. */
bool keystore_rotate(
    struct keystore *ks, time_t now, unsigned onion_lifetime_days, bool *descriptor_changed);

#endif
