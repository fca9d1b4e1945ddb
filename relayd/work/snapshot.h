/* snapshot.h: the state that all threads share read-only: configuration, keys, TLS contexts, the
 * network's view, exit policy. Never changed once published; swapped whole. */
#ifndef RELAYD_WORK_SNAPSHOT_H
#define RELAYD_WORK_SNAPSHOT_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "relayd/dir/consensus.h"
#include "relayd/keys/keys.h"
#include "relayd/ops/torrc.h"
#include "relayd/policy/policy.h"

/* Something counted that knows how to go: what has no counter of its own. */
struct shared {
	atomic_uint refs;
	void *ptr;
	void (*free_fn)(void *ptr);
};
struct shared *shared_new(void *ptr, void (*free_fn)(void *ptr));
struct shared *shared_ref(struct shared *s);
void shared_unref(struct shared **s);

struct snapshot {
	atomic_uint refs;
	struct shared *conf_ref, *policy_ref;
	const struct torrc *conf;    /* in conf_ref */
	const struct policy *policy; /* in policy_ref */
	struct relay_keys *keys;
	SSL_CTX *tls_server, *tls_client;
	struct consensus *consensus; /* NULL before the first */
	struct addr own[2];          /* advertised addresses, for NETINFO and the policy */
	size_t own_count;
	struct addr_port or_v4, or_v6; /* as advertised; family ADDR_NONE if not */

	/* From configuration and consensus, clamped. */
	bool refuse_unknown_exits, allow_network_reentry, ipv6_exit;
	bool draining; /* leaving: no new streams */
	int32_t cell_queue_max;
	int32_t sendme_accept_version;
	int32_t link_idle_relays_s, link_idle_clients_s;
};

/* A new one with one reference and nothing in it; NULL: no memory. */
struct snapshot *snapshot_new(void);
/* A copy that shares all parts, to change some and publish. */
struct snapshot *snapshot_copy(const struct snapshot *s);
void snapshot_params(struct snapshot *s); /* set what follows from conf and consensus */
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot **s);

#endif
