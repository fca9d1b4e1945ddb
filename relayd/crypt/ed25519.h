/* ed25519.h: Ed25519 with an expanded secret key (scalar and prefix), as Tor's key files hold
 * it and as the ntor onion key's cross-certificate needs it; OpenSSL takes a seed only.
 * RFC 8032; libsodium underneath. Constant time in the secrets. */
#ifndef RELAYD_CRYPT_ED25519_H
#define RELAYD_CRYPT_ED25519_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

#define ED25519_LEN     32
#define ED25519_SIG_LEN 64

struct ed25519_key {
	uint8_t secret[64]; /* clamped scalar 32, then prefix 32 */
	uint8_t public[32];
};

/* Once before anything else in crypt/; RC_CRYPTO if libsodium will not start. */
enum rc crypt_init(void);

void ed25519_generate(struct ed25519_key *out);
void ed25519_public(const uint8_t secret[64], uint8_t public[32]);
void ed25519_sign(const struct ed25519_key *key, struct span message, uint8_t sig[64]);
bool ed25519_verify(const uint8_t public[32], struct span message, const uint8_t sig[64]);
/* The Ed25519 form of a curve25519 key pair (dir-spec, appendix on ntor cross-certs);
 * *sign_bit is the published bit. */
void ed25519_from_curve(const uint8_t curve_secret[32], const uint8_t curve_public[32],
    struct ed25519_key *out, uint8_t *sign_bit);
/* u coordinate and sign bit to the public point; RC_CRYPTO if there is none. */
enum rc ed25519_public_from_curve(
    const uint8_t curve_public[32], uint8_t sign_bit, uint8_t public[32]);

#endif
