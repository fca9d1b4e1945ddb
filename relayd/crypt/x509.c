/* x509.c: the X.509 certificates that links show: names without meaning, a random serial. */
#include <openssl/rand.h>

#include "relayd/crypt/rsa.h"

static bool
set_cn(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(
		   name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0) == 1;
}

static bool
set_random_serial(X509 *cert)
{
	unsigned char bytes[8];
	BIGNUM *serial =
	    RAND_bytes(bytes, sizeof(bytes)) == 1 ? BN_bin2bn(bytes, sizeof(bytes), NULL) : NULL;
	bool ok = serial != NULL && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL;

	BN_free(serial);
	return ok;
}

X509 *
x509_make(EVP_PKEY *subject_key, EVP_PKEY *signer, const char *subject_cn, const char *issuer_cn,
    time_t not_before, time_t not_after)
{
	X509 *cert = X509_new();

	if (cert == NULL)
		return NULL;
	if (X509_set_version(cert, X509_VERSION_3) == 1 && set_random_serial(cert) &&
	    set_cn(X509_get_subject_name(cert), subject_cn) &&
	    set_cn(X509_get_issuer_name(cert), issuer_cn) &&
	    ASN1_TIME_set(X509_getm_notBefore(cert), not_before) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), not_after) != NULL &&
	    X509_set_pubkey(cert, subject_key) == 1 && X509_sign(cert, signer, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}
