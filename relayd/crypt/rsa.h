/* rsa.h: RSA as Tor uses it: raw PKCS#1 type 1 padding around the digest bytes, no DigestInfo
 * (tor-spec 0.3), public keys as PKCS#1 DER, self-signed X.509. OpenSSL underneath. */
#ifndef RELAYD_CRYPT_RSA_H
#define RELAYD_CRYPT_RSA_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <time.h>

#include "common/bytes.h"
#include "relayd/crypt/ed25519.h"

#define RSA_ID_BITS      1024
#define RSA_LINK_BITS    2048
#define RSA_DIGEST_LEN   20
#define RSA_1024_SIG_LEN 128
#define RSA_SIG_MAX      512
#define RSA_DER_MAX      600 /* PKCS#1 DER of a public key of at most 4096 bits */

EVP_PKEY *rsa_generate(int bits); /* e = 65537; NULL on failure */
/* sig holds RSA_SIG_MAX bytes. */
enum rc rsa_sign_raw(EVP_PKEY *key, struct span digest, uint8_t *sig, size_t *sig_len);
/* Does sig open to exactly these bytes? */
bool rsa_verify_raw(EVP_PKEY *key, struct span digest, struct span sig);
/* The bytes that sig opens to (key certificates sign bare digests of two lengths). */
enum rc rsa_open_raw(EVP_PKEY *key, struct span sig, uint8_t *out, size_t cap, size_t *len);

enum rc rsa_public_der(EVP_PKEY *key, uint8_t out[RSA_DER_MAX], size_t *len);
EVP_PKEY *rsa_public_from_der(struct span der); /* NULL unless RSA, <= 4096 bits */
/* "-----BEGIN RSA PUBLIC KEY-----" block with its line ends; RC_LIMIT if it does not fit. */
enum rc rsa_public_pem(EVP_PKEY *key, char *out, size_t cap);
EVP_PKEY *rsa_public_from_pem(struct span pem);
/* SHA-1 and SHA-256 of the PKCS#1 DER. */
enum rc rsa_digest_sha1(EVP_PKEY *key, uint8_t out[20]);
enum rc rsa_digest_sha256(EVP_PKEY *key, uint8_t out[32]);

/* The RSA to Ed25519 cross-certificate (cert-spec 2.3), for CERTS type 7. */
#define RSA_ED_CROSS_LEN (32 + 4 + 1 + RSA_1024_SIG_LEN)
enum rc rsa_ed_cross_make(
    EVP_PKEY *rsa_id, const uint8_t ed_id[32], time_t expires, uint8_t out[RSA_ED_CROSS_LEN]);
/* ed_id may be NULL: any. RC_RANGE: expired. */
enum rc rsa_ed_cross_check(struct span cert, EVP_PKEY *rsa_id, const uint8_t ed_id[32], time_t now);

/* An X.509 certificate for subject_key signed by signer (SHA-256), names as given, random serial,
 * valid from not_before to not_after. Caller frees; NULL on failure. */
X509 *x509_make(EVP_PKEY *subject_key, EVP_PKEY *signer, const char *subject_cn,
    const char *issuer_cn, time_t not_before, time_t not_after);

#endif
