/* plan.c: sets, counters and elements. Pure: tables and arithmetic. */
#include "exitguard/plan/plan.h"

#include <string.h>

const struct guard_set_info guard_sets[GUARD_SET_COUNT] = {
#define GUARD_SET(id, name, key, family, bits, use, size) \
	[id] = { name, GUARD_KEY_##key, family, bits, GUARD_USE_##use, size },
#define GUARD_COUNTER(id, name, text)
#include "exitguard/plan/sets.def"
#undef GUARD_SET
#undef GUARD_COUNTER
};

const struct guard_counter_info guard_counters[GUARD_COUNTER_COUNT] = {
#define GUARD_SET(id, name, key, family, bits, use, size)
#define GUARD_COUNTER(id, name, text) [id] = { name, text },
#include "exitguard/plan/sets.def"
#undef GUARD_SET
#undef GUARD_COUNTER
};

struct guard_elem
guard_elem_u32(enum guard_set set, uint32_t key)
{
	struct guard_elem elem = { .set = (uint8_t)set };

	memcpy(elem.key, &key, sizeof(key));
	return elem;
}

struct guard_elem
guard_elem_addr(enum guard_set set, const struct addr *addr, uint16_t port, uint32_t timeout_s)
{
	const struct guard_set_info *info = &guard_sets[set];
	struct guard_elem elem = { .set = (uint8_t)set, .timeout_s = timeout_s };
	struct prefix prefix = prefix_of(addr, info->bits);

	if (info->key == GUARD_KEY_ADDR_PORT)
		elem.port = port;
	memcpy(elem.key, prefix.addr.bytes, sizeof(elem.key));
	return elem;
}

struct addr
guard_elem_to_addr(const struct guard_elem *elem)
{
	struct addr addr = { .family = guard_sets[elem->set].family };

	if (addr.family != ADDR_NONE)
		memcpy(addr.bytes, elem->key, addr_len(&addr));
	return addr;
}

bool
guard_elem_is_valid(const struct guard_elem *elem)
{
	if (elem->set >= GUARD_SET_COUNT || elem->zero != 0)
		return false;
	const struct guard_set_info *info = &guard_sets[elem->set];
	if (info->use == GUARD_USE_LIMIT || (info->use == GUARD_USE_STATIC && elem->timeout_s != 0))
		return false;
	if (info->family == ADDR_NONE) {
		static const uint8_t none[12];

		return elem->port == 0 && memcmp(elem->key + 4, none, sizeof(none)) == 0;
	}
	if ((info->key == GUARD_KEY_ADDR_PORT) != (elem->port != 0))
		return false;
	struct addr addr = guard_elem_to_addr(elem);
	struct guard_elem tidy = guard_elem_addr(elem->set, &addr, elem->port, elem->timeout_s);
	return memcmp(&tidy, elem, sizeof(tidy)) == 0;
}

/* The set for detected prefixes of this length, with or without a port. */
static bool
detected_set(const struct prefix *prefix, bool with_port, enum guard_set *out)
{
	enum guard_key key = with_port ? GUARD_KEY_ADDR_PORT : GUARD_KEY_ADDR;

	for (int set = SET_WIDE_PORT4; set <= SET_ADDR6; set++)
		if (guard_sets[set].family == prefix->addr.family &&
		    guard_sets[set].bits == prefix->bits && guard_sets[set].key == key) {
			*out = (enum guard_set)set;
			return true;
		}
	return false;
}

enum rc
guard_plan_detected(
    const struct prefix *prefix, uint16_t port, uint32_t hold_ms, struct guard_elem *out)
{
	uint32_t hold_s = hold_ms / 1000 + (hold_ms % 1000 != 0);
	enum guard_set set;

	if (!detected_set(prefix, port != 0, &set))
		return RC_UNSUPPORTED;
	if (hold_s == 0)
		hold_s = 1;
	if (hold_s > GUARD_HOLD_MAX_S)
		hold_s = GUARD_HOLD_MAX_S;
	*out = guard_elem_addr(set, &prefix->addr, port, hold_s);
	return RC_OK;
}

/* Add n to the network whose last bit is number `bits`. */
static void
addr_step(struct addr *addr, unsigned bits, unsigned n)
{
	unsigned carry = n << ((8 - bits % 8) % 8);

	for (int i = (int)((bits + 7) / 8) - 1; i >= 0 && carry != 0; i--) {
		carry += addr->bytes[i];
		addr->bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

enum rc
guard_plan_list(enum guard_list list, const struct prefix *prefix, uint32_t timeout_s,
    struct guard_elem out[GUARD_PIECES_MAX], size_t *count)
{
	static const enum guard_set sets[2][2][2] = {
		[GUARD_LIST_BAN] = { { SET_BAN_NET4, SET_BAN4 }, { SET_BAN_NET6, SET_BAN6 } },
		[GUARD_LIST_ALLOW] = { { SET_ALLOW_NET4, SET_ALLOW4 },
		    { SET_ALLOW_NET6, SET_ALLOW6 } },
	};
	bool v6 = prefix->addr.family == ADDR_IPV6;
	enum guard_set net = sets[list][v6][0], host = sets[list][v6][1];
	enum guard_set set = prefix->bits <= guard_sets[net].bits ? net : host;
	unsigned bits = guard_sets[set].bits;
	struct addr at = prefix->addr;

	*count = 0;
	if (prefix->addr.family == ADDR_NONE || prefix->bits > bits || bits - prefix->bits > 8)
		return RC_RANGE;
	for (size_t n = (size_t)1 << (bits - prefix->bits); *count < n; (*count)++) {
		out[*count] = guard_elem_addr(set, &at, 0, timeout_s);
		addr_step(&at, bits, 1);
	}
	return RC_OK;
}
