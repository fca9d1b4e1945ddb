/* elems.c: open addressing with linear probing; deletion moves the followers up, so that there
 * are no tombstones. Pure but for memory. */
#include "exitguard/plan/elems.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define FREE_SLOT 0xff
#define CAP_MIN   64

void
elems_init(struct elems *elems, const uint8_t hash_key[16])
{
	*elems = (struct elems){ 0 };
	memcpy(elems->hash_key, hash_key, sizeof(elems->hash_key));
}

void
elems_clear(struct elems *elems)
{
	free(elems->slots);
	elems->slots = NULL;
	elems->cap = elems->count = 0;
}

static struct guard_elem
key_of(const struct guard_elem *elem)
{
	struct guard_elem key = *elem;

	key.timeout_s = 0;
	return key;
}

static size_t
home_of(const struct elems *elems, const struct guard_elem *elem)
{
	struct guard_elem key = key_of(elem);
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, (const uint8_t *)&key, sizeof(key), elems->hash_key);
	return (size_t)hash & (elems->cap - 1);
}

static bool
same(const struct guard_elem *a, const struct guard_elem *b)
{
	return a->set == b->set && a->port == b->port &&
	       memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

/* The element's slot, or the free one where it belongs. cap is not 0. */
static size_t
slot_of(const struct elems *elems, const struct guard_elem *elem)
{
	size_t at = home_of(elems, elem);

	while (elems->slots[at].set != FREE_SLOT && !same(&elems->slots[at], elem))
		at = (at + 1) & (elems->cap - 1);
	return at;
}

static enum rc
resize(struct elems *elems, size_t cap)
{
	struct guard_elem *old = elems->slots, *slots = malloc(cap * sizeof(*slots));
	size_t old_cap = elems->cap;

	if (slots == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < cap; i++)
		slots[i].set = FREE_SLOT;
	elems->slots = slots;
	elems->cap = cap;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].set != FREE_SLOT)
			slots[slot_of(elems, &old[i])] = old[i];
	free(old);
	return RC_OK;
}

enum rc
elems_put(struct elems *elems, const struct guard_elem *elem, uint32_t expires_s)
{
	if ((elems->count + 1) * 4 > elems->cap * 3) {
		enum rc rc = resize(elems, elems->cap != 0 ? elems->cap * 2 : CAP_MIN);
		if (rc != RC_OK)
			return rc;
	}
	size_t at = slot_of(elems, elem);
	if (elems->slots[at].set == FREE_SLOT)
		elems->count++;
	elems->slots[at] = *elem;
	elems->slots[at].timeout_s = expires_s;
	return RC_OK;
}

bool
elems_find(const struct elems *elems, const struct guard_elem *elem, uint32_t *expires_s)
{
	if (elems->count == 0)
		return false;
	size_t at = slot_of(elems, elem);
	if (elems->slots[at].set == FREE_SLOT)
		return false;
	if (expires_s != NULL)
		*expires_s = elems->slots[at].timeout_s;
	return true;
}

/* Free a slot and move up what was pushed past it. */
static void
free_slot(struct elems *elems, size_t hole)
{
	size_t mask = elems->cap - 1;

	for (size_t at = (hole + 1) & mask; elems->slots[at].set != FREE_SLOT;
	     at = (at + 1) & mask) {
		size_t home = home_of(elems, &elems->slots[at]);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			elems->slots[hole] = elems->slots[at];
			hole = at;
		}
	}
	elems->slots[hole].set = FREE_SLOT;
	elems->count--;
}

bool
elems_del(struct elems *elems, const struct guard_elem *elem)
{
	if (elems->count == 0)
		return false;
	size_t at = slot_of(elems, elem);
	if (elems->slots[at].set == FREE_SLOT)
		return false;
	free_slot(elems, at);
	return true;
}

/* Delete what `goes` picks; how many that were. A slot freed may be filled from behind it, so it
 * is looked at again; what wraps round the end is seen by a second walk. */
static size_t
del_where(struct elems *elems, bool (*goes)(const struct guard_elem *, uint32_t), uint32_t arg)
{
	size_t before = elems->count;

	for (int walk = 0; walk < 2; walk++)
		for (size_t at = 0; at < elems->cap; at++)
			while (elems->slots[at].set != FREE_SLOT && goes(&elems->slots[at], arg))
				free_slot(elems, at);
	if (elems->cap > CAP_MIN && elems->count * 8 < elems->cap)
		(void)resize(elems, elems->cap / 2); /* no memory: stays as it is */
	return before - elems->count;
}

static bool
is_of_set(const struct guard_elem *elem, uint32_t set)
{
	return elem->set == set;
}

static bool
has_expired(const struct guard_elem *elem, uint32_t now_s)
{
	return elem->timeout_s != 0 && elem->timeout_s <= now_s;
}

void
elems_del_set(struct elems *elems, enum guard_set set)
{
	(void)del_where(elems, is_of_set, set);
}

size_t
elems_expire(struct elems *elems, uint32_t now_s)
{
	return del_where(elems, has_expired, now_s);
}

bool
elems_next(const struct elems *elems, size_t *cursor, struct guard_elem *out)
{
	while (*cursor < elems->cap) {
		const struct guard_elem *slot = &elems->slots[(*cursor)++];

		if (slot->set != FREE_SLOT) {
			*out = *slot;
			return true;
		}
	}
	return false;
}
