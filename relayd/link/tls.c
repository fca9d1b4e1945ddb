/* tls.c: TLS contexts for links (tor-spec 2). */
#include "relayd/link/tls.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static SSL_CTX *
common_ctx(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_security_level(ctx, 1); /* RSA-1024 identities are in the chain */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
				     SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
				     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, 32768);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_set_ciphersuites(ctx,
		"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") !=
		1 ||
	    SSL_CTX_set_cipher_list(ctx,
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
		"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
		"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
		"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
		"ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA") != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "P-256:X25519") != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

SSL_CTX *
tls_server_ctx(const struct relay_keys *keys)
{
	SSL_CTX *ctx = common_ctx(TLS_server_method());

	if (ctx != NULL && (SSL_CTX_use_certificate(ctx, keys->tls_cert) != 1 ||
			       SSL_CTX_use_PrivateKey(ctx, keys->tls_key) != 1)) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

SSL_CTX *
tls_client_ctx(void)
{
	return common_ctx(TLS_client_method());
}

SSL *
tls_client_new(SSL_CTX *ctx)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[26];
	char name[40];
	SSL *ssl = SSL_new(ctx);

	if (ssl == NULL || RAND_bytes(random, sizeof(random)) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	size_t len = 4 + random[25] % 22; /* 4..25 */
	memcpy(name, "www.", 4);
	for (size_t i = 0; i < len; i++)
		name[4 + i] = letters[random[i] % 32];
	memcpy(name + 4 + len, ".com", 5);
	SSL_set_tlsext_host_name(ssl, name);
	SSL_set_connect_state(ssl);
	return ssl;
}

enum rc
tls_exporter(void *arg, const uint8_t context[32], uint8_t out[32])
{
	static const char label[] = "EXPORTER FOR TOR TLS CLIENT BINDING AUTH0003";

	if (SSL_export_keying_material(arg, out, 32, label, sizeof(label) - 1, context, 32, 1) != 1)
		return RC_CRYPTO;
	return RC_OK;
}

enum rc
tls_peer_cert_sha256(SSL *ssl, uint8_t out[32])
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	enum rc rc = RC_NOT_FOUND;

	if (cert != NULL)
		rc = X509_digest(cert, EVP_sha256(), out, NULL) == 1 ? RC_OK : RC_CRYPTO;
	X509_free(cert);
	return rc;
}
