/* edcert_fuzz.c: any bytes as a certificate, an RSA cross-certificate and a PEM key. */
#include <stdlib.h>

#include "relayd/crypt/edcert.h"
#include "relayd/crypt/rsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct edcert cert;

	if (crypt_init() != RC_OK)
		abort();
	if (edcert_parse(in, &cert) == RC_OK) {
		if (cert.signed_part.len + ED25519_SIG_LEN != size)
			abort();
		(void)edcert_check(&cert, NULL, 0);
	}
	EVP_PKEY_free(rsa_public_from_der(in));
	EVP_PKEY_free(rsa_public_from_pem(in));
	return 0;
}
