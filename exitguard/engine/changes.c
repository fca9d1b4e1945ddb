/* changes.c: what the kernel is asked to hold. Only without circuits: there the kernel refuses,
 * and what it holds is part of every verdict. An element is as narrow as the services that
 * answer ask for, is renewed while the attack goes on, and lapses after half an hour at most so
 * that fresh evidence is needed. Pure: fills a queue. */
#include "exitguard/engine/state.h"

#include <sodium.h>

#define ELEMENT_LONGEST (1800 * SECOND)

/* Refused attempts in five minutes by which a scan is known to go on. */
#define ELEMENT_GOES_ON 60

static const struct element *
element_find(const struct look *look, uint8_t bits, uint16_t port)
{
	struct prefix prefix = prefix_of(&look->stream->addr, bits);
	uint64_t key = keys_of_prefix(look->e->config.hash_key, &prefix, port);
	const struct element *element = table_find(&look->e->changes.elements, key, look->now);

	return element != NULL && element->until > look->now ? element : NULL;
}

bool
changes_judge(const struct look *look, struct judgement *out)
{
	uint8_t family = look->stream->addr.family, full = family == ADDR_IPV4 ? 32 : 128;
	uint16_t port = look->stream->port;
	const struct element *found = element_find(look, KEYS_WIDE_BITS(family), port);

	if (found == NULL)
		found = element_find(look, KEYS_NEAR_BITS(family), port);
	if (found == NULL)
		found = element_find(look, full, port);
	if (found == NULL)
		found = element_find(look, full, 0);
	if (found == NULL)
		return false;
	out->reason = found->reason;
	out->by_element = true;
	out->doubtful = found->doubtful && found->reason != REPORT_REASON_SWEEP;
	out->hold = found->until - look->now;
	out->group = found->reason == REPORT_REASON_PORT_SCAN ? look->keys->host
		     : found->reason == REPORT_REASON_SWEEP   ? look->keys->net16
							      : 0;
	out->what = "seconds that the kernel's element still holds";
	out->count = out->limit = (float)out->hold / (float)SECOND;
	return true;
}

static bool
change_push(struct changes *changes, bool add, const struct element *element, uint32_t hold)
{
	if (changes->count == CHANGES_MAX)
		return false;
	changes->queue[(changes->first + changes->count++) % CHANGES_MAX] = (struct engine_change){
		.add = add,
		.prefix = element->prefix,
		.port = element->port,
		.hold_ms = hold * (1000 / SECOND),
		.reason = element->reason,
	};
	return true;
}

static void
element_want(struct engine *e, const struct prefix *prefix, uint16_t port,
    const struct judgement *why, uint32_t hold, uint32_t now)
{
	struct changes *changes = &e->changes;
	uint64_t key = keys_of_prefix(e->config.hash_key, prefix, port);
	struct element *element = table_get(&changes->elements, key, now);

	if (element->until > now && element->until - now > hold / 6)
		return;
	if (element->until <= now)
		element->since = now;
	else if (now - element->since > ELEMENT_LONGEST)
		return; /* let it lapse */
	element->prefix = *prefix;
	element->port = port;
	element->reason = why->reason;
	element->doubtful = why->doubtful;
	if (change_push(changes, true, element, hold))
		element->until = now + hold;
}

static bool
is_used(uint32_t used, uint32_t now)
{
	return used != 0 && now - used < FAN_SLOTS * FAN_SLOT_LEN;
}

static bool
net_is_used(const struct engine *e, uint64_t key, uint32_t now)
{
	const struct net *net = table_find(&e->nets, key, now);

	if (net == NULL)
		return false;
	unsigned answered = fan_sum(&net->fan, FAN_ANSWERED, now);
	unsigned silent = fan_sum(&net->fan, FAN_SILENT, now);
	return is_used(net->used, now) || (answered >= 3 && answered * 3 >= silent);
}

/* A small network is closed once it has been tried in vain a few times, itself. */
static bool
net_is_tried(const struct engine *e, uint64_t key, uint32_t now)
{
	const struct net *net = table_find(&e->nets, key, now);

	if (net == NULL)
		return false;
	unsigned vain = fan_sum(&net->fan, FAN_SILENT, now) + fan_sum(&net->fan, FAN_REFUSED, now);
	return vain >= 3 + 6 * fan_sum(&net->fan, FAN_ANSWERED, now);
}

/* The widest prefix in which nobody uses a service; 0 if there is none. Not the address alone:
 * who sweeps does not come back to it, but others may. */
static uint8_t
sweep_bits(const struct look *look)
{
	uint8_t family = look->stream->addr.family;

	if (!net_is_used(look->e, look->keys->net16, look->now))
		return KEYS_WIDE_BITS(family);
	if (!net_is_used(look->e, look->keys->net24, look->now) &&
	    net_is_tried(look->e, look->keys->net24, look->now))
		return KEYS_NEAR_BITS(family);
	return 0;
}

static bool
scan_goes_on(
    const struct engine *e, const struct judgement *why, const struct keys *keys, uint32_t now)
{
	const struct net *net = table_find(&e->nets, why->group, now);
	const struct host *host = table_find(&e->hosts, keys->host, now);

	if (why->group == keys->host)
		return host != NULL && fan_sum(&host->ports, FAN_REFUSED, now) >= ELEMENT_GOES_ON;
	return net != NULL && fan_sum(&net->fan, FAN_REFUSED, now) >= ELEMENT_GOES_ON;
}

void
changes_note_refused(struct engine *e, const struct look *look, const struct judgement *why)
{
	const struct engine_stream *stream = look->stream;
	uint8_t family = stream->addr.family, full = family == ADDR_IPV4 ? 32 : 128, bits = full;
	uint16_t port = stream->port;
	enum limit_id hold = LIMIT_element_scan;

	if (why->by_element && (why->group == 0 || !scan_goes_on(e, why, look->keys, look->now)))
		return;
	switch (why->reason) {
	case REPORT_REASON_SWEEP:
		if (why->group == look->keys->port)
			return; /* no prefix holds a port everywhere */
		bits = sweep_bits(look);
		if (bits == 0)
			return;
		break;
	case REPORT_REASON_PORT_SCAN: {
		const struct host *host = table_find(&e->hosts, look->keys->host, look->now);
		if (host == NULL || !is_used(host->used, look->now))
			port = 0;
		break;
	}
	case REPORT_REASON_LOGIN:
		bits = KEYS_NEAR_BITS(family);
		hold = LIMIT_element_login;
		break;
	case REPORT_REASON_FLOOD:
		hold = LIMIT_element_flood;
		break;
	default:
		return;
	}
	struct prefix prefix = prefix_of(&stream->addr, bits);
	element_want(e, &prefix, port, why, (uint32_t)limits[hold] * SECOND, look->now);
}

void
changes_lift_all(struct engine *e, uint32_t now)
{
	struct table *elements = &e->changes.elements;

	e->changes.count = 0;
	for (struct element *element = table_next(elements, NULL); element != NULL;
	     element = table_next(elements, element)) {
		if (element->until > now)
			change_push(&e->changes, false, element, 0);
		table_remove(elements, element);
	}
}

bool
engine_next_change(struct engine *e, struct engine_change *out)
{
	struct changes *changes = &e->changes;

	if (changes->count == 0)
		return false;
	*out = changes->queue[changes->first];
	sodium_memzero(&changes->queue[changes->first], sizeof(*out));
	changes->first = (changes->first + 1) % CHANGES_MAX;
	changes->count--;
	return true;
}
