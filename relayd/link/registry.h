/* registry.h: which relay is reachable over which link, across all workers, so that a circuit is
 * extended over a connection that exists (tor-spec 5.3.1). Thread-safe; one lock, held for a few
 * hash steps. */
#ifndef RELAYD_LINK_REGISTRY_H
#define RELAYD_LINK_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

struct registry_entry {
	uint8_t rsa_id[20], ed_id[32];
	bool has_ed_id;
	uint64_t link_id;
	struct addr addr; /* of the remote end */
	bool open, canonical;
	uint64_t made_ms;
};

/* Add or replace the entry of entry->link_id. */
void registry_put(const struct registry_entry *entry);
void registry_remove(const uint8_t rsa_id[20], uint64_t link_id);
/* The best link for an extend to this relay: open and canonical first, then open to one of the two
 * addresses, then one that is being made to one of them; older before younger. 0: none. Links
 * made before oldest_ms take no new circuits. */
uint64_t registry_find(const uint8_t rsa_id[20], const uint8_t *ed_id, const struct addr *v4,
    const struct addr *v6, uint64_t oldest_ms);
void registry_clear(void);

#endif
