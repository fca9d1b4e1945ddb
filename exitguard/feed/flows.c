/* flows.c: a set-associative table: a flow lives in one of the eight slots of its bucket, so a
 * look-up is one cache line or two and nothing ever moves. Pure but for memory at start. */
#include "exitguard/feed/flows.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8

enum rc
flows_init(struct flows *flows, size_t cap, const uint8_t hash_key[16])
{
	size_t rounded = WAYS;

	while (rounded < cap)
		rounded *= 2;
	*flows = (struct flows){ .cap = rounded, .next_stream = 1 };
	memcpy(flows->hash_key, hash_key, sizeof(flows->hash_key));
	flows->slots = calloc(rounded, sizeof(*flows->slots));
	return flows->slots != NULL ? RC_OK : RC_NO_MEMORY;
}

void
flows_clear(struct flows *flows)
{
	if (flows->slots != NULL)
		sodium_memzero(flows->slots, flows->cap * sizeof(*flows->slots));
	free(flows->slots);
	*flows = (struct flows){ 0 };
}

static struct flow *
bucket_of(const struct flows *flows, const struct addr_port *ours, const struct addr_port *theirs)
{
	uint8_t key[38] = { 0 };
	uint64_t hash;

	memcpy(key, &ours->port, 2);
	memcpy(key + 2, &theirs->port, 2);
	memcpy(key + 4, ours->addr.bytes, 16);
	memcpy(key + 20, theirs->addr.bytes, 16);
	key[36] = theirs->addr.family;
	crypto_shorthash((uint8_t *)&hash, key, sizeof(key), flows->hash_key);
	return &flows->slots[((size_t)hash & (flows->cap / WAYS - 1)) * WAYS];
}

static bool
is_same(const struct flow *flow, const struct addr_port *ours, const struct addr_port *theirs)
{
	return flow->stream != 0 && flow->ours.port == ours->port &&
	       flow->theirs.port == theirs->port && addr_equal(&flow->ours.addr, &ours->addr) &&
	       addr_equal(&flow->theirs.addr, &theirs->addr);
}

static struct flow *
find(struct flows *flows, const struct addr_port *ours, const struct addr_port *theirs)
{
	struct flow *bucket = bucket_of(flows, ours, theirs);

	for (int i = 0; i < WAYS; i++)
		if (is_same(&bucket[i], ours, theirs))
			return &bucket[i];
	return NULL;
}

bool
flows_open(struct flows *flows, uint64_t now_ms, const struct addr_port *ours,
    const struct addr_port *theirs, bool over, struct flow *out, struct flow *evicted)
{
	struct flow *bucket = bucket_of(flows, ours, theirs), *place = &bucket[0];

	*evicted = (struct flow){ 0 };
	if (find(flows, ours, theirs) != NULL)
		return false;
	for (int i = 0; i < WAYS && place->stream != 0; i++)
		if (bucket[i].stream == 0 || bucket[i].since_ms < place->since_ms)
			place = &bucket[i];
	if (place->stream != 0) {
		*evicted = *place;
		flows->evicted++;
	} else {
		flows->used++;
	}
	*place = (struct flow){ flows->next_stream++, now_ms, *ours, *theirs, over };
	*out = *place;
	return true;
}

static void
take_out(struct flows *flows, struct flow *flow, struct flow *out)
{
	*out = *flow;
	*flow = (struct flow){ 0 };
	flows->used--;
}

bool
flows_answer(struct flows *flows, const struct addr_port *ours, const struct addr_port *theirs,
    struct flow *out)
{
	struct flow *flow = find(flows, ours, theirs);

	if (flow == NULL || flow->told)
		return false;
	take_out(flows, flow, out);
	return true;
}

bool
flows_next_timeout(struct flows *flows, uint64_t now_ms, struct flow *out)
{
	for (; flows->sweep < flows->cap; flows->sweep++) {
		struct flow *flow = &flows->slots[flows->sweep];

		if (flow->stream != 0 && now_ms - flow->since_ms >= FLOWS_FORGET_MS)
			take_out(flows, flow, out);
		if (flow->stream != 0 && !flow->told &&
		    now_ms - flow->since_ms >= FLOWS_TIMEOUT_MS) {
			flow->told = true;
			*out = *flow;
			return true;
		}
	}
	flows->sweep = 0;
	return false;
}
