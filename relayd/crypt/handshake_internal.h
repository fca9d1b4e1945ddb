/* handshake_internal.h: the handshakes with their ephemeral keys and messages given, so that
 * published vectors can be replayed. Only for this room and its tests. */
#ifndef RELAYD_CRYPT_HANDSHAKE_INTERNAL_H
#define RELAYD_CRYPT_HANDSHAKE_INTERNAL_H

#include "relayd/crypt/handshake.h"

#define NTOR3_KEYS_MAX 512 /* of key material asked for */

/* The shared secret; false and zeros if the point has none. */
bool curve_shared(uint8_t out[32], const uint8_t secret[32], const uint8_t point[32]);
/* The onion key that the client named; ours, and *known false, if it is neither of the two. */
const struct curve_key *onion_key_find(
    const struct onion_keys *own, const uint8_t wanted[32], bool *known);

/* y is our half of the key. */
enum rc fast_answer_with(
    const uint8_t y[20], struct span request, uint8_t reply[FAST_REPLY_LEN], struct tor1_keys *out);

/* y makes the reply. keys_len at most 255 * 32. */
enum rc ntor_answer_with(const struct onion_keys *own, const struct curve_key *y,
    struct span request, uint8_t reply[NTOR_REPLY_LEN], uint8_t *keys, size_t keys_len);
enum rc ntor_finish_with(
    const struct ntor_client *c, struct span reply, uint8_t *keys, size_t keys_len);

/* ntor v3, the relay's side in two steps: open the request, then seal the reply. */
struct ntor3_opened {
	uint8_t x[32], b[32], mac[32];
	uint8_t xb[32]; /* shared secret, to be wiped */
	bool good;      /* xb is not zero */
};
enum rc ntor3_open(const struct onion_keys *own, struct span verification, struct span request,
    struct ntor3_opened *out, uint8_t message[NTOR3_MESSAGE_MAX], size_t *message_len);
enum rc ntor3_seal(const struct onion_keys *own, const struct ntor3_opened *opened,
    const struct curve_key *y, struct span verification, struct span message, struct wr *reply,
    uint8_t *keys, size_t keys_len);

/* The asking side; c->eph is made by the caller. */
enum rc ntor3_ask_with(
    struct ntor_client *c, struct span verification, struct span message, struct wr *request);
enum rc ntor3_finish_with(const struct ntor_client *c, struct span verification, struct span reply,
    uint8_t *message, size_t cap, size_t *message_len, uint8_t *keys, size_t keys_len);

#endif
