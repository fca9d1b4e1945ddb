/* handshake.h: the link handshake of tor-spec 4, both sides, as a conversation without a socket:
 * cells in, bytes to send out. VERSIONS, CERTS, AUTH_CHALLENGE, AUTHENTICATE type 3, NETINFO.
 * Pure but for randomness; the TLS exporter comes in as a function. */
#ifndef RELAYD_LINK_HANDSHAKE_H
#define RELAYD_LINK_HANDSHAKE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <time.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "relayd/cell/cell.h"
#include "relayd/keys/keys.h"

#define LINK_HANDSHAKE_OUT_MAX 4096 /* the longest flight we send */

enum link_handshake_step {
	LINK_WANT_VERSIONS,
	LINK_WANT_CERTS,        /* responder: or NETINFO of somebody who stays unauthenticated */
	LINK_WANT_CHALLENGE,    /* initiator */
	LINK_WANT_AUTHENTICATE, /* responder, after CERTS: or NETINFO */
	LINK_WANT_NETINFO,
	LINK_OPEN,
};

struct link_handshake {
	/* Given. */
	bool initiator;
	struct relay_keys *keys;     /* a reference of its own */
	uint8_t peer_tls_sha256[32]; /* initiator: of the responder's certificate */
	struct addr peer_addr;
	struct addr own[2];
	size_t own_count;
	/* Initiator: who must be there. */
	uint8_t want_rsa_id[20], want_ed_id[32];
	bool want_ed;
	/* RFC 5705 exporter of this TLS connection with the label of AUTHENTICATE type 3. */
	enum rc (*exporter)(void *arg, const uint8_t context[32], uint8_t out[32]);
	void *exporter_arg;

	/* Found out. */
	enum link_handshake_step step;
	uint16_t version;
	bool has_certs;     /* CERTS accepted: the ids below are set */
	bool authenticated; /* they are proven: the peer is this relay */
	uint8_t peer_rsa_id[20], peer_rsa_sha256[32], peer_ed_id[32], peer_auth_key[32];
	struct netinfo netinfo;
	int64_t skew_s; /* theirs minus ours, 0 if they do not tell */

	EVP_MD_CTX *sent, *received; /* SHA-256 of the cells so far; freed once open */
	uint8_t slog[32];
	const char *why; /* after an error: what was wrong, for the log */
};

/* Fill the given part of *hs (zeroed before) first; takes a reference to keys. */
enum rc link_handshake_init(struct link_handshake *hs, struct relay_keys *keys);
void link_handshake_clear(struct link_handshake *hs);
/* The initiator's first flight; nothing for the responder. */
void link_handshake_start(struct link_handshake *hs, struct wr *out);
/* One cell of the peer's; the answer, if any, goes to out. hs->step is LINK_OPEN when all is
 * done. Any error ends the link; hs->why says why. */
enum rc link_handshake_cell(
    struct link_handshake *hs, const struct cell *cell, time_t now, struct wr *out);

#endif
