/* algs.c: start the libraries and look up what the room needs of them. */
#include "relayd/crypt/algs.h"

#include <assert.h>
#include <sodium.h>

#include "relayd/crypt/ed25519.h"

static struct crypt_algs algs;

enum rc
crypt_init(void)
{
	if (algs.shake256 != NULL)
		return RC_OK;
	if (sodium_init() < 0)
		return RC_CRYPTO;
	algs.aes128_ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	algs.aes256_ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	algs.sha3_256 = EVP_MD_fetch(NULL, "SHA3-256", NULL);
	algs.shake256 = EVP_MD_fetch(NULL, "SHAKE256", NULL);
	if (algs.aes128_ctr == NULL || algs.aes256_ctr == NULL || algs.sha3_256 == NULL ||
	    algs.shake256 == NULL)
		return RC_CRYPTO;
	return RC_OK;
}

const struct crypt_algs *
crypt_algs(void)
{
	assert(algs.shake256 != NULL);
	return &algs;
}
