/* keys.c: see keys.h. SipHash over a kind, the bytes and the port. Pure. */
#include "exitguard/engine/keys.h"

#include <string.h>

#include <sodium.h>

enum key_kind {
	KEY_HOST = 1,
	KEY_SERVICE,
	KEY_NET24,
	KEY_NET16,
	KEY_NAMED16,
	KEY_PORT,
	KEY_CIRCUIT,
	KEY_CIRCUIT_HOST,
	KEY_CIRCUIT_PORTS,
	KEY_CIRCUIT_NET16,
	KEY_CIRCUIT_PORT,
	KEY_NUMBER,
	KEY_PREFIX,
};

struct key_input {
	uint8_t kind, family, bits, zero;
	uint16_t port, zero2;
	uint8_t bytes[16];
};

_Static_assert(sizeof(struct key_input) == 24, "hashed bytes have no padding");
_Static_assert(crypto_shorthash_BYTES == 8 && crypto_shorthash_KEYBYTES == 16, "SipHash-2-4");

static uint64_t
hash(const uint8_t hash_key[16], const struct key_input *in)
{
	uint64_t out;

	crypto_shorthash((uint8_t *)&out, (const uint8_t *)in, sizeof(*in), hash_key);
	return out != 0 ? out : 1;
}

static uint64_t
hash_net(const uint8_t hash_key[16], enum key_kind kind, const struct addr *addr, uint8_t bits,
    uint16_t port)
{
	struct prefix net = prefix_of(addr, bits);
	struct key_input in = {
		.kind = (uint8_t)kind, .family = addr->family, .bits = bits, .port = port
	};

	memcpy(in.bytes, net.addr.bytes, sizeof(in.bytes));
	return hash(hash_key, &in);
}

static uint64_t
hash_pair(const uint8_t hash_key[16], enum key_kind kind, uint64_t a, uint64_t b)
{
	struct key_input in = { .kind = (uint8_t)kind };

	memcpy(in.bytes, &a, sizeof(a));
	memcpy(in.bytes + sizeof(a), &b, sizeof(b));
	return hash(hash_key, &in);
}

uint64_t
keys_of_number(const uint8_t hash_key[16], uint64_t number)
{
	return hash_pair(hash_key, KEY_NUMBER, number, 0);
}

uint64_t
keys_of_circuit(const uint8_t hash_key[16], uint64_t circuit)
{
	return circuit == 0 ? 0 : hash_pair(hash_key, KEY_CIRCUIT, circuit, 0);
}

uint64_t
keys_of_prefix(const uint8_t hash_key[16], const struct prefix *prefix, uint16_t port)
{
	return hash_net(hash_key, KEY_PREFIX, &prefix->addr, prefix->bits, port);
}

void
keys_of_stream(const uint8_t hash_key[16], const struct engine_stream *stream, struct keys *out)
{
	const struct addr *addr = &stream->addr;
	uint8_t full = addr->family == ADDR_IPV4 ? 32 : 128;

	memset(out, 0, sizeof(*out));
	out->host = hash_net(hash_key, KEY_HOST, addr, full, 0);
	out->service = hash_pair(hash_key, KEY_SERVICE, out->host, stream->port);
	out->net24 =
	    hash_net(hash_key, KEY_NET24, addr, KEYS_NEAR_BITS(addr->family), stream->port);
	out->net16 =
	    hash_net(hash_key, KEY_NET16, addr, KEYS_WIDE_BITS(addr->family), stream->port);
	if (stream->by_name)
		out->named16 = hash_pair(hash_key, KEY_NAMED16, out->net16, 0);
	out->port = hash_pair(hash_key, KEY_PORT, stream->port, 0);
	out->circuit = keys_of_circuit(hash_key, stream->circuit);
	if (out->circuit == 0)
		return;
	out->circuit_host = hash_pair(hash_key, KEY_CIRCUIT_HOST, out->circuit, out->host);
	out->circuit_ports = hash_pair(hash_key, KEY_CIRCUIT_PORTS, out->circuit, out->host);
	out->circuit_net16 = hash_pair(hash_key, KEY_CIRCUIT_NET16, out->circuit, out->net16);
	out->circuit_port = hash_pair(hash_key, KEY_CIRCUIT_PORT, out->circuit, stream->port);
}
