/* addr.c: addresses, prefixes and their text. Pure but for the sockaddr forms. */
#include "common/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct addr
addr_ipv4(uint32_t host_order)
{
	struct addr a = { .family = ADDR_IPV4 };

	put_u32(a.bytes, host_order);
	return a;
}

struct addr
addr_ipv6(const uint8_t bytes[16])
{
	struct addr a = { .family = ADDR_IPV6 };

	memcpy(a.bytes, bytes, 16);
	return a;
}

size_t
addr_len(const struct addr *a)
{
	return a->family == ADDR_IPV4 ? 4 : a->family == ADDR_IPV6 ? 16 : 0;
}

uint32_t
addr_ipv4_u32(const struct addr *a)
{
	return get_u32(a->bytes);
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, 16) == 0;
}

struct addr
addr_unmap(const struct addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family == ADDR_IPV6 && memcmp(a->bytes, mapped, sizeof(mapped)) == 0)
		return addr_ipv4(get_u32(a->bytes + 12));
	return *a;
}

enum rc
addr_parse(struct span text, struct addr *out)
{
	char buf[INET6_ADDRSTRLEN];

	memset(out, 0, sizeof(*out));
	if (text.len == 0 || text.len >= sizeof(buf))
		return RC_SYNTAX;
	memcpy(buf, text.data, text.len);
	buf[text.len] = '\0';
	if (strlen(buf) != text.len)
		return RC_SYNTAX;
	if (inet_pton(AF_INET, buf, out->bytes) == 1)
		out->family = ADDR_IPV4;
	else if (inet_pton(AF_INET6, buf, out->bytes) == 1)
		out->family = ADDR_IPV6;
	else {
		memset(out, 0, sizeof(*out));
		return RC_SYNTAX;
	}
	return RC_OK;
}

/* Split "host:port" or "[host]:port" at its last colon. */
static enum rc
split_port(struct span text, struct span *host, struct span *port)
{
	size_t colon = text.len;

	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return RC_SYNTAX;
	*host = span_of(text.data, colon - 1);
	*port = span_of(text.data + colon, text.len - colon);
	if (host->data[0] == '[') {
		if (host->len < 3 || host->data[host->len - 1] != ']')
			return RC_SYNTAX;
		*host = span_of(host->data + 1, host->len - 2);
		return memchr(host->data, ':', host->len) != NULL ? RC_OK : RC_SYNTAX;
	}
	return memchr(host->data, ':', host->len) == NULL ? RC_OK : RC_SYNTAX;
}

enum rc
addr_port_parse(struct span text, struct addr_port *out)
{
	struct span host, port;
	uint64_t number;

	memset(out, 0, sizeof(*out));
	enum rc rc = split_port(text, &host, &port);
	if (rc == RC_OK)
		rc = parse_u64(port, 65535, &number);
	if (rc == RC_OK && number == 0)
		rc = RC_RANGE;
	if (rc == RC_OK)
		rc = addr_parse(host, &out->addr);
	if (rc == RC_OK)
		out->port = (uint16_t)number;
	return rc;
}

/* Clear all bits after the first `bits`. */
static void
addr_mask(struct addr *a, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			a->bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
}

struct prefix
prefix_of(const struct addr *a, uint8_t bits)
{
	struct prefix p = { *a, bits };

	if (bits > addr_len(a) * 8)
		p.bits = (uint8_t)(addr_len(a) * 8);
	addr_mask(&p.addr, p.bits);
	return p;
}

enum rc
prefix_parse(struct span text, struct prefix *out)
{
	const uint8_t *slash = text.len != 0 ? memchr(text.data, '/', text.len) : NULL;
	size_t addr_text_len = slash != NULL ? (size_t)(slash - text.data) : text.len;
	struct addr a;
	uint64_t bits;

	memset(out, 0, sizeof(*out));
	enum rc rc = addr_parse(span_of(text.data, addr_text_len), &a);
	if (rc != RC_OK)
		return rc;
	bits = addr_len(&a) * 8;
	if (slash != NULL) {
		rc = parse_u64(span_of(slash + 1, text.len - addr_text_len - 1), bits, &bits);
		if (rc != RC_OK)
			return rc;
	}
	struct prefix p = prefix_of(&a, (uint8_t)bits);
	if (!addr_equal(&p.addr, &a))
		return RC_RANGE;
	*out = p;
	return RC_OK;
}

bool
prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct prefix q;

	if (a->family != p->addr.family)
		return false;
	q = prefix_of(a, p->bits);
	return addr_equal(&q.addr, &p->addr);
}

bool
prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->bits == b->bits && addr_equal(&a->addr, &b->addr);
}

const char *
addr_str(const struct addr *a, char buf[ADDR_STR_LEN])
{
	if (addr_len(a) == 0 || inet_ntop(a->family == ADDR_IPV4 ? AF_INET : AF_INET6, a->bytes,
				    buf, ADDR_STR_LEN) == NULL)
		snprintf(buf, ADDR_STR_LEN, "none");
	return buf;
}

const char *
addr_port_str(const struct addr_port *ap, char buf[ADDR_STR_LEN])
{
	char host[ADDR_STR_LEN];

	addr_str(&ap->addr, host);
	if (ap->addr.family == ADDR_IPV6)
		snprintf(buf, ADDR_STR_LEN, "[%.39s]:%u", host, ap->port);
	else
		snprintf(buf, ADDR_STR_LEN, "%.39s:%u", host, ap->port);
	return buf;
}

const char *
prefix_str(const struct prefix *p, char buf[ADDR_STR_LEN])
{
	char host[ADDR_STR_LEN];

	snprintf(buf, ADDR_STR_LEN, "%.43s/%u", addr_str(&p->addr, host), p->bits);
	return buf;
}

bool
addr_is_internal(const struct addr *a)
{
	static const struct {
		uint8_t bytes[4];
		uint8_t bits;
	} v4[] = {
		{ { 0 }, 8 },
		{ { 10 }, 8 },
		{ { 100, 64 }, 10 },
		{ { 127 }, 8 },
		{ { 169, 254 }, 16 },
		{ { 172, 16 }, 12 },
		{ { 192, 168 }, 16 },
		{ { 224 }, 4 },
	};
	struct addr plain = addr_unmap(a);
	const uint8_t *b = plain.bytes;

	if (plain.family == ADDR_IPV4) {
		for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
			struct prefix p = prefix_of(&plain, v4[i].bits);

			if (memcmp(p.addr.bytes, v4[i].bytes, 4) == 0)
				return true;
		}
		return false;
	}
	if (plain.family != ADDR_IPV6)
		return true;
	if ((b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0x80) == 0x80) || b[0] == 0xff)
		return true; /* fc00::/7, fe80::/10, fec0::/10, ff00::/8 */
	struct prefix low = prefix_of(&plain, 127);
	struct addr zero = { .family = ADDR_IPV6 };
	return addr_equal(&low.addr, &zero); /* :: and ::1 */
}

enum rc
addr_port_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct addr_port *out)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(out, 0, sizeof(*out));
	if (sa->sa_family == AF_INET && len >= (socklen_t)sizeof(sin)) {
		memcpy(&sin, sa, sizeof(sin));
		out->addr = addr_ipv4(ntohl(sin.sin_addr.s_addr));
		out->port = ntohs(sin.sin_port);
	} else if (sa->sa_family == AF_INET6 && len >= (socklen_t)sizeof(sin6)) {
		memcpy(&sin6, sa, sizeof(sin6));
		out->addr = addr_ipv6(sin6.sin6_addr.s6_addr);
		out->addr = addr_unmap(&out->addr);
		out->port = ntohs(sin6.sin6_port);
	} else
		return RC_UNSUPPORTED;
	return RC_OK;
}

socklen_t
addr_port_to_sockaddr(const struct addr_port *ap, struct sockaddr_storage *out)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(ap->port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(ap->port) };

	memset(out, 0, sizeof(*out));
	if (ap->addr.family == ADDR_IPV4) {
		memcpy(&sin.sin_addr, ap->addr.bytes, 4);
		memcpy(out, &sin, sizeof(sin));
		return sizeof(sin);
	}
	if (ap->addr.family == ADDR_IPV6) {
		memcpy(&sin6.sin6_addr, ap->addr.bytes, 16);
		memcpy(out, &sin6, sizeof(sin6));
		return sizeof(sin6);
	}
	return 0;
}

const char *
private_addr_str(const struct private_addr *a, char buf[ADDR_STR_LEN])
{
#ifdef EXITGATE_TEST_UNSCRUBBED
	return addr_port_str(&a->ap, buf);
#else
	(void)a;
	snprintf(buf, ADDR_STR_LEN, "[scrubbed]");
	return buf;
#endif
}
