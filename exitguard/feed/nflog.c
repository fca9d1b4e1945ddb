/* nflog.c: netfilter log messages and the packets in them. Pure: netlink's integers are in host
 * order, the attributes' and the packets' in network order. */
#include "exitguard/feed/nflog.h"

#include <netinet/in.h> /* before linux/, which repeats it */
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>

#define ATTRS_MAX 64 /* a log message has a dozen */
#define TCP_FIN   0x01
#define TCP_SYN   0x02
#define TCP_RST   0x04
#define TCP_ACK   0x10

static uint32_t
host_u32(struct rd *rd)
{
	uint32_t v = 0;

	rd_copy(rd, &v, sizeof(v));
	return v;
}

static uint16_t
host_u16(struct rd *rd)
{
	uint16_t v = 0;

	rd_copy(rd, &v, sizeof(v));
	return v;
}

/* Ports and flags; the direction says which end is ours. */
static enum rc
parse_tcp(struct rd *rd, bool outgoing, struct addr_port *src, struct addr_port *dst,
    struct nflog_event *out)
{
	src->port = rd_u16(rd);
	dst->port = rd_u16(rd);
	rd_skip(rd, 9);
	uint8_t flags = rd_u8(rd) & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);

	if (rd->rc != RC_OK)
		return rd->rc;
	if (outgoing && flags == TCP_SYN)
		out->kind = NFLOG_SYN;
	else if (!outgoing && flags == (TCP_SYN | TCP_ACK))
		out->kind = NFLOG_SYN_ACK;
	else if (!outgoing && (flags & TCP_RST) != 0)
		out->kind = NFLOG_RST;
	else
		return RC_UNSUPPORTED;
	out->ours = outgoing ? *src : *dst;
	out->theirs = outgoing ? *dst : *src;
	return RC_OK;
}

static void
read_addr(struct rd *rd, enum addr_family family, struct addr *out)
{
	*out = (struct addr){ .family = family };
	rd_copy(rd, out->bytes, family == ADDR_IPV4 ? 4 : 16);
}

/* An IPv4 header; *protocol is what follows. */
static enum rc
parse_ipv4(struct rd *rd, struct addr *src, struct addr *dst, uint8_t *protocol)
{
	size_t header = (size_t)(rd_u8(rd) & 0x0f) * 4;

	rd_skip(rd, 5);
	uint16_t fragment = rd_u16(rd);
	rd_skip(rd, 1);
	*protocol = rd_u8(rd);
	rd_skip(rd, 2);
	read_addr(rd, ADDR_IPV4, src);
	read_addr(rd, ADDR_IPV4, dst);
	if (header < 20)
		return RC_SYNTAX;
	rd_skip(rd, header - 20);
	if ((fragment & 0x1fff) != 0)
		return RC_UNSUPPORTED;
	return rd->rc;
}

static enum rc
parse_ipv6(struct rd *rd, struct addr *src, struct addr *dst, uint8_t *protocol)
{
	rd_skip(rd, 6);
	*protocol = rd_u8(rd);
	rd_skip(rd, 1);
	read_addr(rd, ADDR_IPV6, src);
	read_addr(rd, ADDR_IPV6, dst);
	return rd->rc;
}

static enum rc
parse_ip(struct rd *rd, struct span packet, struct addr *src, struct addr *dst, uint8_t *protocol)
{
	if (packet.len == 0)
		return RC_SHORT;
	switch (packet.data[0] >> 4) {
	case 4:
		return parse_ipv4(rd, src, dst, protocol);
	case 6:
		return parse_ipv6(rd, src, dst, protocol);
	}
	return RC_UNSUPPORTED;
}

/* Destination unreachable: the packet it is about follows, at least its addresses and ports. */
static enum rc
parse_icmp(struct rd *rd, bool v6, struct nflog_event *out)
{
	uint8_t type = rd_u8(rd), protocol = 0;

	rd_skip(rd, 7);
	if (rd->rc != RC_OK)
		return rd->rc;
	if (type != (v6 ? 1 : 3))
		return RC_UNSUPPORTED;
	struct span inner = rd_rest(rd);
	struct rd in = rd_from(inner);
	enum rc rc = parse_ip(&in, inner, &out->ours.addr, &out->theirs.addr, &protocol);
	if (rc != RC_OK)
		return rc;
	if (protocol != IPPROTO_TCP)
		return RC_UNSUPPORTED;
	out->ours.port = rd_u16(&in);
	out->theirs.port = rd_u16(&in);
	out->kind = NFLOG_UNREACHABLE;
	return in.rc;
}

enum rc
nflog_parse_packet(struct span packet, bool outgoing, struct nflog_event *out)
{
	struct rd rd = rd_from(packet);
	struct addr_port src = { 0 }, dst = { 0 };
	uint8_t protocol = 0;

	enum rc rc = parse_ip(&rd, packet, &src.addr, &dst.addr, &protocol);
	if (rc != RC_OK)
		return rc;
	if (protocol == IPPROTO_TCP)
		return parse_tcp(&rd, outgoing, &src, &dst, out);
	if (!outgoing && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6))
		return parse_icmp(&rd, protocol == IPPROTO_ICMPV6, out);
	return RC_UNSUPPORTED;
}

struct attrs {
	bool has_hook, refused;
	uint8_t hook;
	struct span payload;
};

static void
take_attr(uint16_t type, struct span value, struct attrs *attrs, struct nflog_event *out)
{
	struct rd rd = rd_from(value);

	switch (type) {
	case NFULA_PACKET_HDR:
		rd_skip(&rd, 2); /* the protocol; the packet's own version is read */
		attrs->hook = rd_u8(&rd);
		attrs->has_hook = rd.rc == RC_OK;
		break;
	case NFULA_PAYLOAD:
		attrs->payload = value;
		break;
	case NFULA_PREFIX:
		attrs->refused = value.len == sizeof(NFLOG_REFUSED_PREFIX) &&
				 memcmp(value.data, NFLOG_REFUSED_PREFIX, value.len) == 0;
		break;
	case NFULA_SEQ:
		out->seq = rd_u32(&rd);
		out->has_seq = rd.rc == RC_OK;
		break;
	}
}

static enum rc
parse_attrs(struct rd *rd, struct attrs *attrs, struct nflog_event *out)
{
	for (int i = 0; i < ATTRS_MAX && rd_left(rd) >= NLA_HDRLEN; i++) {
		uint16_t len = host_u16(rd);
		uint16_t type = host_u16(rd) & NLA_TYPE_MASK;

		if (len < NLA_HDRLEN)
			return RC_SYNTAX;
		struct span value = rd_span(rd, len - NLA_HDRLEN);
		if (rd->rc != RC_OK)
			return rd->rc;
		size_t pad = NLA_ALIGN(len) - len;
		rd_skip(rd, pad < rd_left(rd) ? pad : rd_left(rd));
		take_attr(type, value, attrs, out);
	}
	return RC_OK;
}

enum rc
nflog_parse(struct span message, struct nflog_event *out)
{
	struct rd rd = rd_from(message);
	struct attrs attrs = { 0 };

	*out = (struct nflog_event){ 0 };
	uint32_t len = host_u32(&rd);
	uint16_t type = host_u16(&rd);
	rd_skip(&rd, sizeof(struct nlmsghdr) - 6 + sizeof(struct nfgenmsg));
	if (rd.rc != RC_OK)
		return rd.rc;
	if (type != ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET))
		return RC_UNSUPPORTED;
	if (len != message.len)
		return RC_SYNTAX;
	enum rc rc = parse_attrs(&rd, &attrs, out);
	if (rc != RC_OK)
		return rc;
	if (!attrs.has_hook || attrs.payload.data == NULL)
		return RC_SYNTAX;
	rc = nflog_parse_packet(attrs.payload, attrs.hook == NF_INET_LOCAL_OUT, out);
	if (rc == RC_OK && out->kind == NFLOG_SYN && attrs.refused)
		out->kind = NFLOG_SYN_REFUSED;
	return rc;
}
