/* edcert.h: Tor's Ed25519 certificates (cert-spec 2.1) and the RSA to Ed25519 cross-certificate
 * (2.3). Pure. */
#ifndef RELAYD_CRYPT_EDCERT_H
#define RELAYD_CRYPT_EDCERT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/bytes.h"
#include "relayd/crypt/ed25519.h"

#define EDCERT_LEN          104 /* without the extension */
#define EDCERT_WITH_KEY_LEN 140 /* with the signed-with key */

enum edcert_type {
	EDCERT_ID_SIGNING = 4,
	EDCERT_SIGNING_LINK = 5,
	EDCERT_SIGNING_AUTH = 6,
	EDCERT_NTOR_CROSS = 10,
};
enum edcert_key_type { EDCERT_KEY_ED25519 = 1, EDCERT_KEY_X509_SHA256 = 3 };

struct edcert {
	uint8_t type, key_type;
	uint32_t expires_hours; /* since the epoch */
	uint8_t key[32];        /* what is certified */
	bool has_signer;
	uint8_t signer[32];      /* from the extension */
	struct span signed_part; /* borrowed from the input */
	uint8_t sig[64];
};

/* Shape only. Unknown extensions with the "affects validation" flag are refused. */
enum rc edcert_parse(struct span in, struct edcert *out);
/* The signature by `signer` (NULL: by the key in the extension), then the expiry. RC_CRYPTO: no
 * signer, an extension that names another one, or a bad signature. RC_RANGE: expired. */
enum rc edcert_check(const struct edcert *cert, const uint8_t signer[32], time_t now);
/* Make and sign, the expiry rounded up to a full hour; out needs EDCERT_WITH_KEY_LEN with the
 * extension, else EDCERT_LEN; the length comes back. */
size_t edcert_make(uint8_t type, uint8_t key_type, const uint8_t key[32], time_t expires,
    const struct ed25519_key *signer, bool with_signer, uint8_t *out);

#endif
