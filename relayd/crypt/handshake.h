/* handshake.h: the circuit handshakes CREATE_FAST, ntor and ntor v3, both sides (relayd answers;
 * the asking side is used by tests and benches). tor-spec 5.1 and 5.2, proposal 332.
 * Pure: randomness for ephemeral keys comes from libsodium. Secrets are wiped before return. */
#ifndef RELAYD_CRYPT_HANDSHAKE_H
#define RELAYD_CRYPT_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

#define NTOR_REQUEST_LEN  84
#define NTOR_REPLY_LEN    64
#define FAST_REQUEST_LEN  20
#define FAST_REPLY_LEN    40
#define NTOR3_MESSAGE_MAX 400 /* of the encrypted message, either direction */

enum handshake_type { HANDSHAKE_TAP = 0, HANDSHAKE_NTOR = 2, HANDSHAKE_NTOR3 = 3 };

struct curve_key {
	uint8_t secret[32], public[32];
};
void curve_generate(struct curve_key *out);

/* What a finished handshake gives to tor1 relay crypto: forward is client to exit. */
struct tor1_keys {
	uint8_t forward_digest[20], backward_digest[20];
	uint8_t forward_key[16], backward_key[16];
	uint8_t nonce[20]; /* KH */
};

/* The relay's own keys as the handshakes need them; onion_old may be all zero (none). */
struct onion_keys {
	uint8_t rsa_id[20];
	uint8_t ed_id[32];
	struct curve_key onion, onion_old;
	bool has_old;
};

/* RC_SHORT/RC_TRAILING: wrong length. RC_CRYPTO: not for us, or a bad point; takes the same time
 * as success. */
enum rc fast_answer(struct span request, uint8_t reply[FAST_REPLY_LEN], struct tor1_keys *out);
enum rc ntor_answer(const struct onion_keys *own, struct span request,
    uint8_t reply[NTOR_REPLY_LEN], struct tor1_keys *out);

/* ntor v3 message extensions (tor-interop 2.2). */
struct ntor3_policy {
	bool cc_allowed;    /* we do congestion control and the consensus has it on */
	uint8_t sendme_inc; /* for CC_RESPONSE */
	bool cgo_allowed;   /* we do Relay=5,6 */
};
struct ntor3_outcome {
	bool cc; /* asked for and granted */
	bool cgo;
};
/* Parse the request's message (N, then type, length, body), decide, build the reply message.
 * Unknown types are ignored; a SUBPROTO request with anything we do not do, unsorted or twice,
 * or CGO without CC, is RC_UNSUPPORTED: the handshake must fail. */
enum rc ntor3_negotiate(struct span message, const struct ntor3_policy *policy, struct wr *reply,
    struct ntor3_outcome *out);
/* reply gets Y, AUTH and the encrypted reply message. keys_len bytes of key material. */
enum rc ntor3_answer(const struct onion_keys *own, struct span request,
    const struct ntor3_policy *policy, struct wr *reply, struct ntor3_outcome *outcome,
    uint8_t *key_material, size_t keys_len);
/* tor1 keys from ntor v3 key material (92 bytes). */
void tor1_keys_from_material(const uint8_t material[92], struct tor1_keys *out);

/* The asking side. */
struct ntor_client {
	uint8_t rsa_id[20], ed_id[32], onion[32];
	struct curve_key eph;
	uint8_t mac[32]; /* v3: of the request */
};
void ntor_ask(struct ntor_client *c, uint8_t request[NTOR_REQUEST_LEN]);
enum rc ntor_finish(const struct ntor_client *c, struct span reply, struct tor1_keys *out);
enum rc ntor3_ask(struct ntor_client *c, struct span message, struct wr *request);
/* *message gets the decrypted reply message (cap bytes at most). */
enum rc ntor3_finish(const struct ntor_client *c, struct span reply, uint8_t *message, size_t cap,
    size_t *message_len, uint8_t *key_material, size_t keys_len);

#endif
