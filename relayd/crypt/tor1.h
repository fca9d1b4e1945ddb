/* tor1.h: relay cell crypto: AES-128-CTR and a running SHA-1 a direction (tor-spec 5.5, 6.1).
 * One struct a hop; contexts are made once. In place, no allocation after tor1_new. */
#ifndef RELAYD_CRYPT_TOR1_H
#define RELAYD_CRYPT_TOR1_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "relayd/crypt/handshake.h"

#define TOR1_BODY_LEN 509
#define TOR1_TAG_LEN  20

struct tor1;

struct tor1 *tor1_new(const struct tor1_keys *keys); /* NULL: no memory */
void tor1_free(struct tor1 **t);                     /* wipes */

/* Relay side. Forward, as received from the client's side: decrypts body in place; true if it is
 * recognised as ours (the running digest moves on; tag gets its 20 bytes if tag is not NULL). The
 * digest field is left as it came. */
bool tor1_forward_receive(struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN]);
/* Backward, made by us: fills in the digest (bytes 5..8; recognised must be 0) and encrypts. tag
 * as above. */
void tor1_backward_originate(
    struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN]);
/* Backward, coming from the next hop: encrypts only. */
void tor1_backward_relay(struct tor1 *t, uint8_t body[TOR1_BODY_LEN]);

/* Client side, for tests and benches: the mirror of the three above. */
void tor1_client_seal(struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN]);
void tor1_client_pass(struct tor1 *t, uint8_t body[TOR1_BODY_LEN]); /* outer layers */
bool tor1_client_open(struct tor1 *t, uint8_t body[TOR1_BODY_LEN], uint8_t tag[TOR1_TAG_LEN]);

#endif
