/* keys.c: sets of keys, counted, and the keystore that makes the next one when a part is due. A
 * set is copied, changed and swapped in; what others hold stays as it was. */
#include "relayd/keys/keys.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "relayd/keys/datadir.h"
#include "relayd/keys/parts.h"
#include "relayd/keys/state.h"

#define TLS_LIFETIME_S      (2 * 3600)
#define AUTH_RENEW_S        (3 * 3600)
#define CROSS_RENEW_S       (30 * DAY_S)
#define SIGNING_RENEW_S     DAY_S
#define ONION_LIFETIME_DAYS 28
#define ONION_GRACE_DAYS    7
#define RETRY_S             3600
#define NICKNAME_MAX        19

struct keystore {
	struct datadir dir;
	struct relay_keys *current;
	time_t auth_expires, cross_expires;
	time_t retry_at; /* after a failure that would repeat each minute */
};

/* Whole pages, so that nothing else shares them: locked, and not in core dumps, as far as the
 * system lets us. */
static size_t
set_size(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct relay_keys) + page - 1) / page * page;
}

static struct relay_keys *
relay_keys_new(void)
{
	size_t size = set_size();
	struct relay_keys *keys = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), size);

	if (keys == NULL)
		return NULL;
	memset(keys, 0, size);
	(void)sodium_mlock(keys, size);
	atomic_init(&keys->refs, 1);
	return keys;
}

struct relay_keys *
relay_keys_ref(struct relay_keys *keys)
{
	atomic_fetch_add(&keys->refs, 1);
	return keys;
}

void
relay_keys_unref(struct relay_keys **keys)
{
	struct relay_keys *k = *keys;

	*keys = NULL;
	if (k == NULL || atomic_fetch_sub(&k->refs, 1) != 1)
		return;
	EVP_PKEY_free(k->rsa_id);
	EVP_PKEY_free(k->tap_onion);
	EVP_PKEY_free(k->tls_key);
	X509_free(k->tls_cert);
	free(k->rsa_id_x509_der);
	(void)sodium_munlock(k, set_size()); /* wipes */
	free(k);
}

static EVP_PKEY *
pkey_ref(EVP_PKEY *key)
{
	return key != NULL && EVP_PKEY_up_ref(key) == 1 ? key : NULL;
}

/* A set of its own with the same content, to be changed. */
static struct relay_keys *
relay_keys_copy(const struct relay_keys *from)
{
	struct relay_keys *to = relay_keys_new();

	if (to == NULL)
		return NULL;
	to->rsa_id = pkey_ref(from->rsa_id);
	memcpy(to->rsa_id_digest, from->rsa_id_digest, sizeof(to->rsa_id_digest));
	memcpy(to->rsa_id_sha256, from->rsa_id_sha256, sizeof(to->rsa_id_sha256));
	memcpy(to->ed_id, from->ed_id, sizeof(to->ed_id));
	to->ed_signing = from->ed_signing;
	memcpy(to->ed_signing_cert, from->ed_signing_cert, sizeof(to->ed_signing_cert));
	to->ed_signing_expires = from->ed_signing_expires;
	to->tap_onion = pkey_ref(from->tap_onion);
	to->onion = from->onion;
	to->onion_made = from->onion_made;
	to->tls_key = pkey_ref(from->tls_key);
	to->tls_cert = X509_up_ref(from->tls_cert) == 1 ? from->tls_cert : NULL;
	memcpy(to->tls_cert_sha256, from->tls_cert_sha256, sizeof(to->tls_cert_sha256));
	to->tls_made = from->tls_made;
	memcpy(to->link_cert, from->link_cert, sizeof(to->link_cert));
	to->auth_key = from->auth_key;
	memcpy(to->auth_cert, from->auth_cert, sizeof(to->auth_cert));
	memcpy(to->rsa_ed_cross, from->rsa_ed_cross, sizeof(to->rsa_ed_cross));
	to->rsa_id_x509_der = malloc(from->rsa_id_x509_len);
	if (to->rsa_id_x509_der != NULL) {
		memcpy(to->rsa_id_x509_der, from->rsa_id_x509_der, from->rsa_id_x509_len);
		to->rsa_id_x509_len = from->rsa_id_x509_len;
	}
	if (to->rsa_id == NULL || to->tap_onion == NULL || to->tls_key == NULL ||
	    to->tls_cert == NULL || to->rsa_id_x509_der == NULL)
		relay_keys_unref(&to);
	return to;
}

/* "NICK FINGERPRINT", once for each identity, for people and scripts. */
static enum rc
fingerprints_write(const struct keydir *top, const char *nickname, const struct relay_keys *keys,
    const struct why *why)
{
	char rsa[2 * sizeof(keys->rsa_id_digest) + 1], ed[48], line[96];

	enum rc rc =
	    hex_encode(span_of(keys->rsa_id_digest, sizeof(keys->rsa_id_digest)), rsa, sizeof(rsa));
	if (rc == RC_OK)
		rc =
		    base64_encode(span_of(keys->ed_id, sizeof(keys->ed_id)), false, ed, sizeof(ed));
	if (rc != RC_OK)
		return rc;
	(void)snprintf(line, sizeof(line), "%.*s %s\n", NICKNAME_MAX, nickname, rsa);
	rc = keyfile_write(top, "fingerprint", span_of_str(line), why);
	if (rc != RC_OK)
		return rc;
	(void)snprintf(line, sizeof(line), "%.*s %s\n", NICKNAME_MAX, nickname, ed);
	return keyfile_write(top, "fingerprint-ed25519", span_of_str(line), why);
}

/* Since when the onion keys are in use: the state file knows, else it begins now. */
static enum rc
onion_age_load(const struct keydir *top, time_t now, struct relay_keys *keys, const struct why *why)
{
	keys->onion_made = state_onion_rotated(top);
	if (keys->onion_made > 0 && keys->onion_made <= now)
		return RC_OK;
	keys->onion_made = now;
	return state_set_onion_rotated(top, now, why);
}

static enum rc
keystore_load(struct keystore *ks, const char *nickname, time_t now, const struct why *why)
{
	struct relay_keys *keys = ks->current;
	const struct keydir *dir = &ks->dir.keys;
	enum rc rc = identity_load(dir, now, keys, why);

	if (rc == RC_OK)
		rc = onion_load(dir, keys, why);
	if (rc == RC_OK)
		rc = onion_age_load(&ks->dir.top, now, keys, why);
	if (rc == RC_OK)
		rc = fingerprints_write(&ks->dir.top, nickname, keys, why);
	if (rc == RC_OK)
		rc = link_make_tls(keys, now, why);
	if (rc == RC_OK)
		rc = link_make_cross(keys, now, &ks->cross_expires, why);
	if (rc == RC_OK)
		ks->auth_expires = link_make_auth(keys, now);
	return rc;
}

enum rc
keystore_open(const char *data_dir, const char *nickname, time_t now, struct keystore **out,
    char *why, size_t why_len)
{
	const struct why sentence = { why, why_len };
	struct keystore *ks = calloc(1, sizeof(*ks));

	*out = NULL;
	if (why_len != 0)
		why[0] = '\0';
	if (ks == NULL)
		return why_set(&sentence, RC_NO_MEMORY, "no memory for the keys");
	ks->dir.top.fd = ks->dir.keys.fd = ks->dir.lock_fd = -1;
	enum rc rc = crypt_init();
	if (rc != RC_OK)
		(void)why_set(&sentence, rc, "the cryptographic libraries do not start");
	else
		rc = datadir_open(data_dir, &ks->dir, &sentence);
	if (rc == RC_OK) {
		ks->current = relay_keys_new();
		rc = ks->current != NULL
			 ? keystore_load(ks, nickname, now, &sentence)
			 : why_set(&sentence, RC_NO_MEMORY, "no memory for the keys");
	}
	if (rc == RC_OK)
		*out = ks;
	else
		keystore_close(&ks);
	if (rc != RC_OK && why_len != 0 && why[0] == '\0')
		(void)why_set(&sentence, rc, "keys in %s: %s", data_dir, rc_str(rc));
	return rc;
}

void
keystore_close(struct keystore **ks)
{
	if (*ks == NULL)
		return;
	relay_keys_unref(&(*ks)->current);
	datadir_close(&(*ks)->dir);
	free(*ks);
	*ks = NULL;
}

struct relay_keys *
keystore_current(struct keystore *ks)
{
	return relay_keys_ref(ks->current);
}

/* What is due at this time. */
enum due {
	DUE_TLS = 1,
	DUE_AUTH = 2,
	DUE_CROSS = 4,
	DUE_SIGNING = 8,
	DUE_ONION = 16,
	DUE_ONION_OLD = 32,
};
#define DUE_ON_DISK (DUE_SIGNING | DUE_ONION)

static unsigned
due_now(const struct keystore *ks, time_t now, unsigned onion_lifetime_days)
{
	const struct relay_keys *keys = ks->current;
	time_t onion_s =
	    (time_t)(onion_lifetime_days != 0 ? onion_lifetime_days : ONION_LIFETIME_DAYS) * DAY_S;
	unsigned due = 0;

	if (now - keys->tls_made >= TLS_LIFETIME_S)
		due |= DUE_TLS;
	if (ks->auth_expires - now <= AUTH_RENEW_S)
		due |= DUE_AUTH;
	if (ks->cross_expires - now < CROSS_RENEW_S)
		due |= DUE_CROSS;
	if (keys->ed_signing_expires - now <= SIGNING_RENEW_S)
		due |= DUE_SIGNING;
	if (now - keys->onion_made >= onion_s)
		due |= DUE_ONION;
	else if (keys->onion.has_old && now - keys->onion_made >= ONION_GRACE_DAYS * DAY_S)
		due |= DUE_ONION_OLD;
	return now < ks->retry_at ? due & ~(unsigned)DUE_ON_DISK : due;
}

/* The parts that change files; a part that fails stays as it is and is tried again later. Gives
 * back what really changed. */
static unsigned
rotate_on_disk(struct keystore *ks, unsigned due, time_t now, struct relay_keys *next)
{
	char text[512] = "";
	const struct why why = { text, sizeof(text) };
	unsigned done = 0;

	if ((due & DUE_SIGNING) != 0) {
		if (identity_renew_signing(&ks->dir.keys, now, next, &why) == RC_OK)
			done |= DUE_SIGNING;
		else
			log_warn(LOG_KEYS, "the signing key stays as it is: %s", text);
	}
	if ((due & DUE_ONION) != 0) {
		if (onion_rotate(&ks->dir.keys, next, &why) == RC_OK) {
			done |= DUE_ONION;
			next->onion_made = now;
			if (state_set_onion_rotated(&ks->dir.top, now, &why) != RC_OK)
				log_warn(
				    LOG_KEYS, "%s; the onion keys will be rotated early", text);
		} else {
			log_warn(LOG_KEYS, "the onion keys stay as they are: %s", text);
		}
	}
	if ((due & DUE_ONION_OLD) != 0) {
		onion_drop_old(&ks->dir.keys, next);
		done |= DUE_ONION_OLD;
	}
	if ((due & DUE_ON_DISK & ~done) != 0)
		ks->retry_at = now + RETRY_S;
	return done;
}

/* The parts that live in memory only. */
static unsigned
rotate_links(struct keystore *ks, unsigned due, time_t now, struct relay_keys *next)
{
	char text[256] = "";
	const struct why why = { text, sizeof(text) };
	unsigned done = 0;

	if ((due & DUE_TLS) != 0) {
		if (link_make_tls(next, now, &why) == RC_OK)
			done |= DUE_TLS;
		else
			log_warn(LOG_KEYS, "%s", text);
	}
	if ((due & DUE_AUTH) != 0) {
		ks->auth_expires = link_make_auth(next, now);
		done |= DUE_AUTH;
	}
	if ((due & DUE_CROSS) != 0) {
		if (link_make_cross(next, now, &ks->cross_expires, &why) == RC_OK)
			done |= DUE_CROSS;
		else
			log_warn(LOG_KEYS, "%s", text);
	}
	return done;
}

bool
keystore_rotate(
    struct keystore *ks, time_t now, unsigned onion_lifetime_days, bool *descriptor_changed)
{
	unsigned due = due_now(ks, now, onion_lifetime_days);

	*descriptor_changed = false;
	if (due == 0)
		return false;
	struct relay_keys *next = relay_keys_copy(ks->current);
	if (next == NULL)
		return false;
	unsigned done = rotate_on_disk(ks, due, now, next);
	if ((done & DUE_SIGNING) != 0)
		due |= DUE_AUTH | DUE_TLS; /* the old signing key certified them */
	done |= rotate_links(ks, due, now, next);
	if ((done & (DUE_SIGNING | DUE_TLS)) == DUE_SIGNING)
		link_certify_tls(next, now);
	if (done == 0) {
		relay_keys_unref(&next);
		return false;
	}
	relay_keys_unref(&ks->current);
	ks->current = next;
	*descriptor_changed = (done & (DUE_SIGNING | DUE_ONION)) != 0;
	return true;
}
