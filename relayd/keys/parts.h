/* parts.h: the parts that a set of keys is made of, and who makes them. Each function fills fields
 * of a set that nobody else sees yet. Only for this room. */
#ifndef RELAYD_KEYS_PARTS_H
#define RELAYD_KEYS_PARTS_H

#include "relayd/keys/keyfile.h"
#include "relayd/keys/keys.h"

#define DAY_S 86400

/* identity.c: the RSA and Ed25519 identities and the signing key. */
enum rc identity_load(
    const struct keydir *dir, time_t now, struct relay_keys *keys, const struct why *why);
/* A later signing key and certificate: from disk if somebody put one there, else made with the
 * master secret. RC_NOT_FOUND: neither can be had. */
enum rc identity_renew_signing(
    const struct keydir *dir, time_t now, struct relay_keys *keys, const struct why *why);

/* onion.c: TAP and ntor, with the ntor key before. onion_made is the caller's. */
enum rc onion_load(const struct keydir *dir, struct relay_keys *keys, const struct why *why);
enum rc onion_rotate(const struct keydir *dir, struct relay_keys *keys, const struct why *why);
void onion_drop_old(const struct keydir *dir, struct relay_keys *keys);

/* link.c: what links show; nothing of it is kept on disk. */
enum rc link_make_tls(struct relay_keys *keys, time_t now, const struct why *why);
void link_certify_tls(struct relay_keys *keys, time_t now);
time_t link_make_auth(struct relay_keys *keys, time_t now); /* when it expires */
enum rc link_make_cross(
    struct relay_keys *keys, time_t now, time_t *expires, const struct why *why);

#endif
