/* algs.h: OpenSSL algorithms, looked up once: a look-up takes a lock that all threads share. Only
 * for this room. */
#ifndef RELAYD_CRYPT_ALGS_H
#define RELAYD_CRYPT_ALGS_H

#include <openssl/evp.h>

struct crypt_algs {
	EVP_CIPHER *aes128_ctr, *aes256_ctr;
	EVP_MD *sha3_256, *shake256;
};

/* Good after crypt_init, for as long as the process lives. */
const struct crypt_algs *crypt_algs(void);

#endif
