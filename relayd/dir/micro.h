/* micro.h: microdescriptors (dir-spec 3.3): of each only its digest and its Ed25519 identity.
 * Pure but for the table's memory. Within dir/. */
#ifndef RELAYD_DIR_MICRO_H
#define RELAYD_DIR_MICRO_H

#include "common/bytes.h"
#include "relayd/dir/consensus.h"

#define MICRO_LEN_MAX   65536 /* of one */
#define MICRO_TABLE_MAX (4 * 65536)

struct micro {
	uint8_t digest[32]; /* SHA-256 of text */
	uint8_t ed_id[32];
	bool has_ed_id;
	struct span text; /* from "onion-key" on */
};

/* Take the next one out of a document that holds many; annotation lines ("@...") between them are
 * skipped. False at the end. One that is too long or has a malformed identity is passed over. */
bool micro_next(struct span *document, struct micro *out);

/* Which identity goes with which digest. A relay without Ed25519 identity has zeros. */
struct micro_entry {
	uint8_t digest[32];
	uint8_t ed_id[32];
};
struct micro_table {
	struct micro_entry *entries;
	size_t count, cap;
	size_t sorted; /* the first so many are in order and searched by halving */
};

enum rc micro_table_add(struct micro_table *table, const struct micro *micro);
void micro_table_sort(struct micro_table *table);
const struct micro_entry *micro_table_find(
    const struct micro_table *table, const uint8_t digest[32]);
/* Forget what no relay of c uses. */
void micro_table_retain(struct micro_table *table, const struct consensus *c);
void micro_table_clear(struct micro_table *table);

#endif
