/* dir.h: the directory client: fetches and verifies consensus, certificates and
 * microdescriptors from the authorities, publishes our descriptor. Lives in the main thread on its
 * event base; never blocks. Documents are hostile until verified. No call back into it may free
 * it. */
#ifndef RELAYD_DIR_DIR_H
#define RELAYD_DIR_DIR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "relayd/dir/consensus.h"
#include "relayd/keys/keys.h"
#include "relayd/policy/policy.h"

struct dir_authority {
	char nickname[20];
	struct addr_port dir; /* DirPort */
	uint16_t or_port;
	uint8_t rsa_id[20];
	uint8_t v3_ident[20];
	bool has_v3_ident;
};

/* One value of DirAuthority: "NICK orport=9001 no-v2 v3ident=HEX40 IP:PORT FP" (the fingerprint
 * may be ten groups). why says what is wrong. */
enum rc dir_authority_parse(
    const char *value, struct dir_authority *out, char *why, size_t why_len);
/* The public network's authorities, used if no DirAuthority line is given. */
size_t dir_authority_defaults(const struct dir_authority **out);

/* What goes into the server descriptor besides the keys. Strings are borrowed. */
struct descriptor_info {
	const char *nickname, *contact, *platform, *proto;
	const char *family;            /* MyFamily, "" if none */
	struct addr_port or_v4, or_v6; /* or_v6 family ADDR_NONE if none */
	uint64_t bandwidth_rate, bandwidth_burst, bandwidth_observed; /* bytes a second */
	uint64_t uptime_s;
	bool hibernating;
	const struct policy *policy;
};
/* The signed text of a descriptor; at most cap bytes with the NUL. */
enum rc descriptor_make(const struct descriptor_info *info, const struct relay_keys *keys,
    time_t published, char *out, size_t cap, size_t *len);

struct dir_config {
	struct event_base *base;
	const struct dir_authority *authorities; /* copied */
	size_t authority_count;
	const char *cache_dir; /* where the last verified documents are kept */
	bool testing;          /* TestingTorNetwork: short schedules as stock */
	bool publish;          /* PublishServerDescriptor */
	struct addr bind_addr; /* outgoing connections from here; ADDR_NONE: any */
	/* A new verified view; the callee takes its own reference. */
	void (*on_consensus)(void *arg, struct consensus *c);
	/* Fill *info for a new descriptor; false: not now (address unknown, not reachable yet). *keys
	 * is a new reference, which dir gives back. Asked at most once a tick. */
	bool (*describe)(void *arg, struct descriptor_info *info, struct relay_keys **keys);
	/* An authority saw us coming from here (X-Your-Address-Is). May be NULL. */
	void (*on_own_address)(void *arg, const struct addr *addr);
	void *arg;
};

struct dir;

enum rc dir_new(const struct dir_config *config, struct dir **out);
void dir_free(struct dir **dir);
/* Start fetching, and publishing as soon as describe says so. */
void dir_start(struct dir *dir);
/* Something in the descriptor changed: make and upload a new one (rate-limited as stock). */
void dir_republish(struct dir *dir, const char *because);
struct consensus *dir_consensus(struct dir *dir); /* borrowed; NULL before the first */

#endif
