/* keys.h: a stream's destination and circuit as keyed hashes, so that no table holds an address. */
#ifndef EXITGUARD_ENGINE_KEYS_H
#define EXITGUARD_ENGINE_KEYS_H

#include <stdint.h>

#include "exitguard/engine/engine.h"

/* Never 0. Those with a circuit are 0 where no circuit is known. */
struct keys {
	uint64_t host;    /* address */
	uint64_t service; /* address, port */
	uint64_t net24;   /* /24 or /48, port */
	uint64_t net16;   /* /16 or /32, port */
	uint64_t named16; /* the same for streams by host name alone; 0 for others */
	uint64_t port;
	uint64_t circuit;
	uint64_t circuit_host;  /* what one circuit does to one address, */
	uint64_t circuit_ports; /* to the ports of one address, */
	uint64_t circuit_net16; /* to one network and port, */
	uint64_t circuit_port;  /* and on one port */
};

#define KEYS_NEAR_BITS(family) ((family) == ADDR_IPV4 ? 24 : 48)
#define KEYS_WIDE_BITS(family) ((family) == ADDR_IPV4 ? 16 : 32)

void keys_of_stream(
    const uint8_t hash_key[16], const struct engine_stream *stream, struct keys *out);
uint64_t keys_of_number(const uint8_t hash_key[16], uint64_t number); /* of a stream's number */
uint64_t keys_of_circuit(const uint8_t hash_key[16], uint64_t circuit);
uint64_t keys_of_prefix(const uint8_t hash_key[16], const struct prefix *prefix, uint16_t port);

#endif
