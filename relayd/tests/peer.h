/* peer.h: a small blocking Tor peer for tests: links as an authenticated relay, makes circuits,
 * sends whatever it is told. Uses relayd's own cell, crypt and handshake rooms. */
#ifndef RELAYD_TESTS_PEER_H
#define RELAYD_TESTS_PEER_H

#include <openssl/ssl.h>

#include "relayd/cell/relay_msg.h"
#include "relayd/crypt/handshake.h"
#include "relayd/crypt/tor1.h"
#include "relayd/link/handshake.h"

#define PEER_HOPS_MAX 3

struct target {
	struct addr_port at;
	uint8_t rsa_id[20], onion[32];
};

struct peer {
	int fd;
	SSL *ssl;
	struct link_handshake hs;
	uint8_t in[70000];
	size_t in_len, in_used;
};

struct peer_circuit {
	struct peer *peer;
	uint32_t circid;
	unsigned hops;
	struct tor1 *hop[PEER_HOPS_MAX]; /* the first is the relay that we link to */
	uint8_t sent_tag[TOR1_TAG_LEN];  /* of the last message sent: what its SENDME must say */
};

/* What came back. */
enum peer_event { PEER_NOTHING, PEER_CLOSED, PEER_DESTROYED, PEER_MESSAGE, PEER_CELL };
struct peer_answer {
	enum peer_event event;
	uint8_t command; /* of the cell, or the relay message */
	uint8_t reason;  /* DESTROY or END */
	uint32_t circid;
	uint16_t stream_id;
	unsigned hop;                /* a message: who sent it, 0 the first */
	uint8_t tag[TOR1_TAG_LEN];   /* a message: what a SENDME for it must say */
	uint8_t data[CELL_BODY_LEN]; /* of the message, or the cell's body */
	size_t len;
};

/* fingerprint as 40 hex digits, onion key file as stock writes it. Ends the program if wrong. */
void target_read(
    struct target *t, const char *addr_port, const char *fingerprint_file, const char *onion_file);
int peer_tcp(const struct target *t); /* ends the program if nobody listens */
/* Both with the keys of `keys`; ends the program on failure. */
struct peer *peer_open(const struct target *t, struct relay_keys *keys);
/* As a client: no CERTS, no AUTHENTICATE. */
struct peer *peer_open_client(const struct target *t);
void peer_close(struct peer **peer);
void peer_send(struct peer *p, const void *bytes, size_t len);
void peer_send_cell(struct peer *p, uint32_t circid, uint8_t command, const void *body, size_t len);

void peer_create2(struct peer *p, uint32_t circid, uint16_t type, struct span onion_skin);
/* By ntor; ends the program if it is not made. */
struct peer_circuit *peer_circuit_open(struct peer *p, const struct target *t, uint32_t circid);
/* One that the caller's handshake has made. */
struct peer_circuit *peer_circuit_of(struct peer *p, uint32_t circid, const struct tor1_keys *keys);
void peer_circuit_add_hop(struct peer_circuit *c, const struct tor1_keys *keys);
void peer_circuit_free(struct peer_circuit **c);
/* An ntor request for t; finish it with ntor_finish. */
void peer_ntor_ask(const struct target *t, struct ntor_client *client, uint8_t skin[84]);
/* Seal for the last hop and send; command is that of the relay message, cell CELL_RELAY or
 * CELL_RELAY_EARLY. peer_relay_to: for a hop on the way. */
void peer_relay(struct peer_circuit *c, uint8_t cell, uint8_t command, uint16_t stream_id,
    const void *data, size_t len);
void peer_relay_to(struct peer_circuit *c, unsigned hop, uint8_t cell, uint8_t command,
    uint16_t stream_id, const void *data, size_t len);
/* The next thing for this circuit (or for the link: c NULL), within timeout_ms. */
void peer_wait(struct peer *p, struct peer_circuit *c, int timeout_ms, struct peer_answer *out);

void peer_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
