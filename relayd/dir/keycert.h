/* keycert.h: the authorities' key certificates (dir-spec 3.1) and the check of a consensus's
 * signatures by them. No sockets, no clock. Within dir/. */
#ifndef RELAYD_DIR_KEYCERT_H
#define RELAYD_DIR_KEYCERT_H

#include <openssl/evp.h>
#include <time.h>

#include "common/bytes.h"
#include "relayd/dir/dir.h"

#define KEYCERT_LEN_MAX 16384
#define KEYCERT_SET_MAX 64 /* certificates kept */
#define AUTHORITIES_MAX 32
#define SIGNATURES_MAX  64 /* looked at in one consensus */

struct keycert {
	uint8_t identity[20], signing[20]; /* SHA-1 of the keys */
	time_t published, expires;
	EVP_PKEY *signing_key;
	char *text; /* as it came, for the cache */
	size_t text_len;
};

struct keycert_set {
	struct keycert certs[KEYCERT_SET_MAX];
	size_t count;
};

/* One certificate, which fills the span; both signatures are checked. */
enum rc keycert_parse(struct span text, struct keycert *out);
void keycert_clear(struct keycert *cert);

/* Take every certificate of a document that belongs to one of the authorities and holds at `now`;
 * *added counts those that were not there. RC_SYNTAX if nothing in it reads as a certificate. */
enum rc keycert_set_take(struct keycert_set *set, struct span text,
    const struct dir_authority *authorities, size_t authority_count, time_t now, size_t *added);
const struct keycert *keycert_set_find(
    const struct keycert_set *set, const uint8_t identity[20], const uint8_t signing[20]);
void keycert_set_clear(struct keycert_set *set);

struct signature_tally {
	unsigned needed;      /* more than half of the authorities that vote */
	unsigned valid;       /* distinct authorities */
	unsigned unknown_key; /* authorities that signed with a key we have no certificate for */
	unsigned bad;         /* signatures that do not fit */
};

/* RC_OK: signed by more than half of the authorities. RC_AGAIN: not, but it could be with more
 * certificates. RC_CRYPTO: not. */
enum rc consensus_check_signatures(struct span text, const struct keycert_set *certs,
    const struct dir_authority *authorities, size_t authority_count, time_t now,
    struct signature_tally *tally);

#endif
