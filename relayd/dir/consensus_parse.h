/* consensus_parse.h: making views from the text of a consensus, microdescriptor flavour
 * (dir-spec 3.4). Within dir/. */
#ifndef RELAYD_DIR_CONSENSUS_PARSE_H
#define RELAYD_DIR_CONSENSUS_PARSE_H

#include "common/bytes.h"
#include "relayd/dir/consensus.h"

#define CONSENSUS_RELAYS_MAX 65536
#define CONSENSUS_PARAMS_MAX 2048

struct consensus_param {
	char name[64];
	int32_t value;
};

/* An address and port at which the network itself listens. */
struct endpoint_table {
	struct addr_port *points;
	size_t count, cap;
	uint32_t *slots;   /* index + 1 into points, 0 free; by hash of the address */
	size_t slot_count; /* a power of two */
	uint8_t key[16];
};

struct consensus {
	atomic_uint refs;
	time_t valid_after, fresh_until, valid_until;
	struct consensus_param *params; /* by name */
	size_t param_count;
	struct consensus_relay *relays; /* by RSA identity */
	size_t relay_count;
	struct endpoint_table endpoints;
};

/* Text to view, without looking at the signatures: they are checked before. extra are endpoints
 * beside those of the relays (the authorities' DirPorts). */
enum rc consensus_parse(
    struct span text, const struct addr_port *extra, size_t extra_count, struct consensus **out);
/* A copy whose relays have the Ed25519 identities that `find` knows for their microdescriptors
 * (NULL: not known). *missing: how many are not known. */
enum rc consensus_with_ed_ids(const struct consensus *c,
    const uint8_t *(*find)(void *arg, const uint8_t micro_digest[32]), void *arg, size_t *missing,
    struct consensus **out);

enum rc endpoint_add(struct endpoint_table *table, const struct addr_port *ap);
enum rc endpoint_index(struct endpoint_table *table); /* once all are added */
bool endpoint_find(const struct endpoint_table *table, const struct addr *addr, uint16_t port);
void endpoint_clear(struct endpoint_table *table);

#endif
