/* snapshot.c: counted read-only state. Pure but for the counters. */
#include "relayd/work/snapshot.h"

#include <stdlib.h>

struct shared *
shared_new(void *ptr, void (*free_fn)(void *ptr))
{
	struct shared *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	atomic_init(&s->refs, 1);
	s->ptr = ptr;
	s->free_fn = free_fn;
	return s;
}

struct shared *
shared_ref(struct shared *s)
{
	if (s != NULL)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
shared_unref(struct shared **s)
{
	struct shared *old = *s;

	*s = NULL;
	if (old == NULL || atomic_fetch_sub_explicit(&old->refs, 1, memory_order_acq_rel) != 1)
		return;
	old->free_fn(old->ptr);
	free(old);
}

struct snapshot *
snapshot_new(void)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s != NULL)
		atomic_init(&s->refs, 1);
	return s;
}

struct snapshot *
snapshot_copy(const struct snapshot *s)
{
	struct snapshot *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return NULL;
	*copy = *s;
	atomic_init(&copy->refs, 1);
	shared_ref(copy->conf_ref);
	shared_ref(copy->policy_ref);
	if (copy->keys != NULL)
		relay_keys_ref(copy->keys);
	if (copy->consensus != NULL)
		consensus_ref(copy->consensus);
	if (copy->tls_server != NULL)
		SSL_CTX_up_ref(copy->tls_server);
	if (copy->tls_client != NULL)
		SSL_CTX_up_ref(copy->tls_client);
	return copy;
}

void
snapshot_params(struct snapshot *s)
{
	const struct consensus *c = s->consensus;

	s->refuse_unknown_exits = s->conf->refuse_unknown_exits >= 0
				      ? s->conf->refuse_unknown_exits != 0
				      : consensus_param(c, "refuseunknownexits", 1, 0, 1) != 0;
	s->allow_network_reentry = consensus_param(c, "allow-network-reentry", 0, 0, 1) != 0;
	s->ipv6_exit = s->conf->ipv6_exit;
	s->cell_queue_max = consensus_param(c, "circ_max_cell_queue_size", 2500, 50, INT32_MAX);
	s->sendme_accept_version = consensus_param(c, "sendme_accept_min_version", 1, 0, 255);
	s->link_idle_relays_s = consensus_param(c, "nf_conntimeout_relays", 3600, 60, 604800);
	s->link_idle_clients_s = consensus_param(c, "nf_conntimeout_clients", 1800, 60, 86400);
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
snapshot_unref(struct snapshot **s)
{
	struct snapshot *old = *s;

	*s = NULL;
	if (old == NULL || atomic_fetch_sub_explicit(&old->refs, 1, memory_order_acq_rel) != 1)
		return;
	shared_unref(&old->conf_ref);
	shared_unref(&old->policy_ref);
	if (old->keys != NULL)
		relay_keys_unref(&old->keys);
	consensus_unref(&old->consensus);
	SSL_CTX_free(old->tls_server);
	SSL_CTX_free(old->tls_client);
	free(old);
}
