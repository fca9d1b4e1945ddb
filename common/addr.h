/* addr.h: IPv4 and IPv6 addresses, ports and prefixes, and the only way they become text. */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/bytes.h"

enum addr_family { ADDR_NONE = 0, ADDR_IPV4 = 4, ADDR_IPV6 = 6 };

/* Bytes past the family's length are zero, so that a plain memcmp compares addresses. */
struct addr {
	uint8_t family;    /* enum addr_family */
	uint8_t bytes[16]; /* network order; 4 used by IPv4 */
};

struct addr_port {
	struct addr addr;
	uint16_t port; /* host order */
};

struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t bits;     /* 0..32 or 0..128 */
};

#define ADDR_STR_LEN 48 /* longest text, brackets, port or prefix length, NUL */

struct addr addr_ipv4(uint32_t host_order);
struct addr addr_ipv6(const uint8_t bytes[16]);
size_t addr_len(const struct addr *a);        /* 4, 16, or 0 for none */
uint32_t addr_ipv4_u32(const struct addr *a); /* host order */
bool addr_equal(const struct addr *a, const struct addr *b);
/* IPv4-mapped IPv6 (::ffff:a.b.c.d) becomes IPv4; others stay. */
struct addr addr_unmap(const struct addr *a);

/* Exactly one address, no brackets, no port, no zone. IPv4 only as four decimal parts without
 * leading zeros. RC_SYNTAX otherwise. */
enum rc addr_parse(struct span text, struct addr *out);
/* "1.2.3.4:80" or "[2001:db8::1]:80"; both parts required, port 1..65535. */
enum rc addr_port_parse(struct span text, struct addr_port *out);
/* "1.2.3.0/24", "2001:db8::/32", or an address (a full-length prefix). Host bits must be 0. */
enum rc prefix_parse(struct span text, struct prefix *out);

/* Text forms write into buf and return it. */
const char *addr_str(const struct addr *a, char buf[ADDR_STR_LEN]);
const char *addr_port_str(const struct addr_port *ap, char buf[ADDR_STR_LEN]); /* [v6]:port */
const char *prefix_str(const struct prefix *p, char buf[ADDR_STR_LEN]);

struct prefix prefix_of(const struct addr *a, uint8_t bits); /* host bits cut off */
bool prefix_contains(const struct prefix *p, const struct addr *a);
bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* True for what is not a public unicast address: loopback, private, link-local, multicast,
 * "this" network, and their IPv6 kin (the ranges stock tor counts as internal). */
bool addr_is_internal(const struct addr *a);

/* Sockets. addr_port_from_sockaddr unmaps IPv4-mapped addresses. */
enum rc addr_port_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct addr_port *out);
socklen_t addr_port_to_sockaddr(const struct addr_port *ap, struct sockaddr_storage *out);

/* An address of a client or a destination: it must not become text in a log, a metric or a
 * file. private_addr_str gives "[scrubbed]" unless built with -DEXITGATE_TEST_UNSCRUBBED. */
struct private_addr {
	struct addr_port ap;
};
const char *private_addr_str(const struct private_addr *a, char buf[ADDR_STR_LEN]);

#endif
