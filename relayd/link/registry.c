/* registry.c: relay identities to links, for all workers. */
#include "relayd/link/registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct node {
	struct registry_entry e;
	struct node *next;
};

struct peer {
	UT_hash_handle hh;
	uint8_t rsa_id[20];
	struct node *nodes;
};

/* Guards peers and all nodes. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct peer *peers;

static struct peer *
peer_find(const uint8_t rsa_id[20])
{
	struct peer *p;

	HASH_FIND(hh, peers, rsa_id, 20, p);
	return p;
}

static void
remove_locked(const uint8_t rsa_id[20], uint64_t link_id)
{
	struct peer *p = peer_find(rsa_id);
	struct node *n, *tmp;

	if (p == NULL)
		return;
	LL_FOREACH_SAFE (p->nodes, n, tmp)
		if (n->e.link_id == link_id) {
			LL_DELETE(p->nodes, n);
			free(n);
		}
	if (p->nodes == NULL) {
		HASH_DEL(peers, p);
		free(p);
	}
}

void
registry_put(const struct registry_entry *entry)
{
	struct node *n = malloc(sizeof(*n));

	pthread_mutex_lock(&registry_lock);
	remove_locked(entry->rsa_id, entry->link_id);
	struct peer *p = peer_find(entry->rsa_id);
	if (p == NULL && n != NULL && (p = calloc(1, sizeof(*p))) != NULL) {
		memcpy(p->rsa_id, entry->rsa_id, 20);
		HASH_ADD(hh, peers, rsa_id, 20, p);
	}
	if (p == NULL || n == NULL)
		free(n); /* not registered: the next extend makes its own link */
	else {
		n->e = *entry;
		LL_PREPEND(p->nodes, n);
	}
	pthread_mutex_unlock(&registry_lock);
}

void
registry_remove(const uint8_t rsa_id[20], uint64_t link_id)
{
	pthread_mutex_lock(&registry_lock);
	remove_locked(rsa_id, link_id);
	pthread_mutex_unlock(&registry_lock);
}

/* How fit is this link for the request? 0: not at all. */
static int
fitness(const struct registry_entry *e, const uint8_t *ed_id, const struct addr *v4,
    const struct addr *v6, uint64_t oldest_ms)
{
	bool addressed = (v4->family != ADDR_NONE && addr_equal(&e->addr, v4)) ||
			 (v6->family != ADDR_NONE && addr_equal(&e->addr, v6));

	if (e->made_ms < oldest_ms)
		return 0;
	if (ed_id != NULL && (!e->has_ed_id || memcmp(e->ed_id, ed_id, 32) != 0))
		return 0;
	if (!e->open)
		return addressed ? 1 : 0;
	return e->canonical ? 3 : addressed ? 2 : 0;
}

uint64_t
registry_find(const uint8_t rsa_id[20], const uint8_t *ed_id, const struct addr *v4,
    const struct addr *v6, uint64_t oldest_ms)
{
	uint64_t best = 0, best_made = 0;
	int best_fitness = 0;
	struct node *n;

	pthread_mutex_lock(&registry_lock);
	struct peer *p = peer_find(rsa_id);
	if (p != NULL)
		LL_FOREACH (p->nodes, n) {
			int f = fitness(&n->e, ed_id, v4, v6, oldest_ms);

			if (f > best_fitness ||
			    (f != 0 && f == best_fitness && n->e.made_ms < best_made)) {
				best = n->e.link_id;
				best_made = n->e.made_ms;
				best_fitness = f;
			}
		}
	pthread_mutex_unlock(&registry_lock);
	return best;
}

void
registry_clear(void)
{
	struct peer *p, *tmp;
	struct node *n, *ntmp;

	pthread_mutex_lock(&registry_lock);
	HASH_ITER (hh, peers, p, tmp) {
		LL_FOREACH_SAFE (p->nodes, n, ntmp)
			free(n);
		HASH_DEL(peers, p);
		free(p);
	}
	pthread_mutex_unlock(&registry_lock);
}
