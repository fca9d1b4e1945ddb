/* consensus.h: which addresses and ports are relays, read from a consensus document of either
 * flavour as stock tor and relayd keep it. Signatures were checked by whoever stored it. */
#ifndef EXITGUARD_FEED_CONSENSUS_H
#define EXITGUARD_FEED_CONSENSUS_H

#include <stdbool.h>

#include "common/addr.h"
#include "common/rc.h"

#define CONSENSUS_FILE_MAX   (32 * 1024 * 1024)
#define CONSENSUS_RELAYS_MAX 131072

/* Sorted, no duplicates. */
struct relays {
	struct addr_port *items; /* owned */
	size_t count;
};

void relays_clear(struct relays *relays);
bool relays_have(const struct relays *relays, const struct addr *addr, uint16_t port);

/* Add the OR and directory ports of each relay in the document (its r and a lines). Lines that
 * do not parse are skipped and counted. RC_SYNTAX: this is no consensus; RC_LIMIT: more
 * addresses than CONSENSUS_RELAYS_MAX, the rest is left out. Call relays_sort afterwards. */
enum rc relays_add_consensus(struct relays *relays, struct span text, size_t *skipped);
void relays_sort(struct relays *relays);

#endif
