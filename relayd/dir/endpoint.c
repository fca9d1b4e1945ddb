/* endpoint.c: the set of addresses and ports at which relays listen, made once and then only
 * asked. Open addressing, keyed hash, so that nobody can choose colliding addresses. */
#include "relayd/dir/consensus_parse.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == 16, "the key fits the table");

enum rc
endpoint_add(struct endpoint_table *table, const struct addr_port *ap)
{
	if (ap->addr.family == ADDR_NONE || ap->port == 0)
		return RC_OK;
	if (table->count == table->cap) {
		size_t cap = table->cap != 0 ? table->cap * 2 : 256;
		struct addr_port *bigger = realloc(table->points, cap * sizeof(*bigger));

		if (bigger == NULL)
			return RC_NO_MEMORY;
		table->points = bigger;
		table->cap = cap;
	}
	table->points[table->count++] = *ap;
	return RC_OK;
}

static size_t
slot_of(const struct endpoint_table *table, const struct addr *addr)
{
	uint8_t hash[crypto_shorthash_BYTES];

	crypto_shorthash(hash, addr->bytes, sizeof(addr->bytes), table->key);
	return get_u32(hash) & (table->slot_count - 1);
}

enum rc
endpoint_index(struct endpoint_table *table)
{
	free(table->slots);
	for (table->slot_count = 16; table->slot_count < table->count * 2;)
		table->slot_count *= 2;
	table->slots = calloc(table->slot_count, sizeof(*table->slots));
	if (table->slots == NULL)
		return RC_NO_MEMORY;
	randombytes_buf(table->key, sizeof(table->key));
	for (size_t i = 0; i < table->count; i++) {
		size_t slot = slot_of(table, &table->points[i].addr);

		while (table->slots[slot] != 0)
			slot = (slot + 1) & (table->slot_count - 1);
		table->slots[slot] = (uint32_t)i + 1;
	}
	return RC_OK;
}

/* Port 0: any port of that address. */
bool
endpoint_find(const struct endpoint_table *table, const struct addr *addr, uint16_t port)
{
	size_t slot;

	if (table->slot_count == 0)
		return false;
	for (slot = slot_of(table, addr); table->slots[slot] != 0;
	     slot = (slot + 1) & (table->slot_count - 1)) {
		const struct addr_port *ap = &table->points[table->slots[slot] - 1];

		if (addr_equal(&ap->addr, addr) && (port == 0 || ap->port == port))
			return true;
	}
	return false;
}

void
endpoint_clear(struct endpoint_table *table)
{
	free(table->points);
	free(table->slots);
	memset(table, 0, sizeof(*table));
}
