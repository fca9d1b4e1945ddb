/* consensus.h: the verified network view (dir-spec 3): parameters, relays, who is known. A view
 * is immutable and counted; workers keep the one they were given until the next arrives. */
#ifndef RELAYD_DIR_CONSENSUS_H
#define RELAYD_DIR_CONSENSUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/addr.h"

#define RELAY_FLAG_EXIT       0x0001u
#define RELAY_FLAG_FAST       0x0002u
#define RELAY_FLAG_GUARD      0x0004u
#define RELAY_FLAG_RUNNING    0x0008u
#define RELAY_FLAG_STABLE     0x0010u
#define RELAY_FLAG_VALID      0x0020u
#define RELAY_FLAG_STALEDESC  0x0040u
#define RELAY_FLAG_AUTHORITY  0x0080u
#define RELAY_FLAG_MIDDLEONLY 0x0100u
#define RELAY_FLAG_BADEXIT    0x0200u

struct consensus_relay {
	uint8_t rsa_id[20];
	uint8_t ed_id[32]; /* zero until its microdescriptor is known */
	bool has_ed_id;
	uint32_t flags;
	struct addr_port or_v4, or_v6; /* family ADDR_NONE if it has none */
	uint8_t micro_digest[32];
	char nickname[20];
};

struct consensus;

struct consensus *consensus_ref(struct consensus *c);
void consensus_unref(struct consensus **c); /* NULL inside is fine */

time_t consensus_valid_after(const struct consensus *c);
time_t consensus_fresh_until(const struct consensus *c);
time_t consensus_valid_until(const struct consensus *c);

/* A "params" value, clamped to min..max; def if absent or c is NULL. */
int32_t consensus_param(
    const struct consensus *c, const char *name, int32_t def, int32_t min, int32_t max);

size_t consensus_relay_count(const struct consensus *c);
const struct consensus_relay *consensus_relay_at(const struct consensus *c, size_t index);
/* By RSA identity; NULL if unknown or c is NULL. */
const struct consensus_relay *consensus_find(const struct consensus *c, const uint8_t rsa_id[20]);
/* Is this exactly the OR address and port of a relay (or the DirPort of a configured authority)?
 * For refusing streams back into the network. */
bool consensus_is_or_port(const struct consensus *c, const struct addr_port *ap);
/* Does any relay have this address, whatever the port? */
bool consensus_has_address(const struct consensus *c, const struct addr *addr);

#endif
