/* table.h: a table of fixed size that forgets. Keys are hashes; a full set gives up the entry
 * that is worth least. Memory is taken once. Entries begin with struct table_head and live as
 * long as the table's time to live after their last touch. */
#ifndef EXITGUARD_ENGINE_TABLE_H
#define EXITGUARD_ENGINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_head {
	uint64_t key;   /* 0: free */
	uint32_t last;  /* last touch, in deciseconds */
	uint32_t bonus; /* deciseconds of youth when one must go; for what is worth keeping */
};

struct table {
	uint8_t *entries;
	size_t entry_size, sets;
	size_t swept;     /* where table_forget goes on */
	uint32_t ttl;     /* deciseconds */
	uint64_t evicted; /* live entries given up for room */
};

/* False if there is no memory. Uses at most bytes (but at least one set). */
bool table_init(struct table *t, size_t entry_size, size_t bytes, uint32_t ttl);
void table_clear(struct table *t); /* wipes */

/* Borrowed: good until the next table_get. NULL if there is none that is still alive, and for
 * key 0. */
void *table_find(const struct table *t, uint64_t key, uint32_t now);
/* Find or make (zeroed behind the head), and touch. The key is not 0. Never NULL. */
void *table_get(struct table *t, uint64_t key, uint32_t now);
void table_remove(struct table *t, void *entry); /* wipes the entry */
/* Wipe dead entries in the next 1/parts of the table. */
void table_forget(struct table *t, uint32_t now, unsigned parts);
/* Walk all entries in use: the first for NULL, NULL past the last. */
void *table_next(const struct table *t, const void *entry);
size_t table_count(const struct table *t); /* used entries; walks the whole table */

#endif
