/* tls.h: the TLS part of a link (tor-spec 2): contexts, the exporter, certificate digests. TLS
 * itself proves nothing here: identity comes from the CERTS cell. */
#ifndef RELAYD_LINK_TLS_H
#define RELAYD_LINK_TLS_H

#include <openssl/ssl.h>

#include "common/rc.h"
#include "relayd/keys/keys.h"

/* Caller frees with SSL_CTX_free; NULL on failure. */
SSL_CTX *tls_server_ctx(const struct relay_keys *keys);
SSL_CTX *tls_client_ctx(void);
/* A client SSL with a random server name, as stock sends. */
SSL *tls_client_new(SSL_CTX *ctx);
/* arg is the SSL: the exporter for struct link_handshake. */
enum rc tls_exporter(void *arg, const uint8_t context[32], uint8_t out[32]);
/* SHA-256 of the peer's certificate; RC_NOT_FOUND if it showed none. */
enum rc tls_peer_cert_sha256(SSL *ssl, uint8_t out[32]);

#endif
