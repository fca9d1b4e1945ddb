/* table.c: see table.h. Sets of TABLE_WAYS entries; a key can only be in its own set, so
 * nothing is ever moved and every operation touches one set. Pure memory, no clock. */
#include "exitguard/engine/table.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define TABLE_WAYS 8

bool
table_init(struct table *t, size_t entry_size, size_t bytes, uint32_t ttl)
{
	memset(t, 0, sizeof(*t));
	t->entry_size = entry_size;
	t->ttl = ttl;
	t->sets = bytes / (entry_size * TABLE_WAYS);
	if (t->sets == 0)
		t->sets = 1;
	if (t->sets > UINT32_MAX)
		t->sets = UINT32_MAX;
	t->entries = calloc(t->sets, entry_size * TABLE_WAYS);
	return t->entries != NULL;
}

void
table_clear(struct table *t)
{
	if (t->entries != NULL)
		sodium_memzero(t->entries, t->sets * t->entry_size * TABLE_WAYS);
	free(t->entries);
	memset(t, 0, sizeof(*t));
}

static uint8_t *
set_of(const struct table *t, uint64_t key)
{
	size_t set = (size_t)(((key >> 32) * (uint64_t)t->sets) >> 32);

	return t->entries + set * t->entry_size * TABLE_WAYS;
}

static struct table_head *
entry_at(const struct table *t, uint8_t *set, size_t way)
{
	return (void *)(set + way * t->entry_size);
}

static bool
is_dead(const struct table *t, const struct table_head *head, uint32_t now)
{
	return now - head->last > t->ttl;
}

void *
table_find(const struct table *t, uint64_t key, uint32_t now)
{
	uint8_t *set = set_of(t, key);

	for (size_t way = 0; way < TABLE_WAYS && key != 0; way++) {
		struct table_head *head = entry_at(t, set, way);

		if (head->key == key)
			return is_dead(t, head, now) ? NULL : head;
	}
	return NULL;
}

void *
table_get(struct table *t, uint64_t key, uint32_t now)
{
	uint8_t *set = set_of(t, key);
	struct table_head *pick = NULL;
	uint32_t pick_age = 0;

	for (size_t way = 0; way < TABLE_WAYS; way++) {
		struct table_head *head = entry_at(t, set, way);
		uint32_t age = now - head->last;

		if (head->key == key) {
			if (is_dead(t, head, now))
				memset(head, 0, t->entry_size);
			head->key = key;
			head->last = now;
			return head;
		}
		if (head->key == 0 || age > t->ttl)
			age = UINT32_MAX;
		else
			age = age > head->bonus ? age - head->bonus : 0;
		if (pick == NULL || age > pick_age) {
			pick = head;
			pick_age = age;
		}
	}
	if (pick_age != UINT32_MAX)
		t->evicted++;
	memset(pick, 0, t->entry_size);
	pick->key = key;
	pick->last = now;
	return pick;
}

void
table_remove(struct table *t, void *entry)
{
	memset(entry, 0, t->entry_size);
}

void
table_forget(struct table *t, uint32_t now, unsigned parts)
{
	size_t left = t->sets / parts + 1;

	while (left-- > 0) {
		uint8_t *set = t->entries + t->swept * t->entry_size * TABLE_WAYS;

		for (size_t way = 0; way < TABLE_WAYS; way++) {
			struct table_head *head = entry_at(t, set, way);

			if (head->key != 0 && is_dead(t, head, now))
				memset(head, 0, t->entry_size);
		}
		t->swept = t->swept + 1 < t->sets ? t->swept + 1 : 0;
	}
}

void *
table_next(const struct table *t, const void *entry)
{
	size_t i = 0;

	if (entry != NULL)
		i = (size_t)((const uint8_t *)entry - t->entries) / t->entry_size + 1;
	for (; i < t->sets * TABLE_WAYS; i++) {
		struct table_head *head = entry_at(t, t->entries, i);

		if (head->key != 0)
			return head;
	}
	return NULL;
}

size_t
table_count(const struct table *t)
{
	size_t count = 0;

	for (void *entry = table_next(t, NULL); entry != NULL; entry = table_next(t, entry))
		count++;
	return count;
}
