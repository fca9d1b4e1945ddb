/* cell.c: link cells, bytes to struct and back (tor-spec 3, 4, 5.1).
 * Pure: no sockets, no clock, no allocation. Spans point into the input. */
#include "relayd/cell/cell.h"

#include <string.h>

bool
cell_is_variable(uint8_t command)
{
	return command == CELL_VERSIONS || command >= 128;
}

/* The length of the cell that starts here, or 0 if even its head is not whole. */
static size_t
cell_wire_len(const struct rd *rd, bool first)
{
	struct rd peek = *rd;
	size_t head = first ? 5 : CELL_VAR_HEAD_LEN;

	rd_skip(&peek, first ? 2 : 4);
	uint8_t command = rd_u8(&peek);
	if (peek.rc != RC_OK)
		return 0;
	if (!cell_is_variable(command))
		return CELL_LEN;
	uint16_t len = rd_u16(&peek);
	return peek.rc == RC_OK ? head + len : 0;
}

enum rc
cell_next(struct rd *rd, bool first, struct cell *out)
{
	size_t len = cell_wire_len(rd, first);

	memset(out, 0, sizeof(*out));
	if (first && rd_left(rd) >= 3 && rd->at[2] != CELL_VERSIONS)
		return RC_PROTOCOL;
	if (len == 0 || rd_left(rd) < len)
		return RC_AGAIN;
	out->wire = rd_span(rd, len);
	struct rd cell = rd_from(out->wire);
	out->circid = first ? rd_u16(&cell) : rd_u32(&cell);
	out->command = rd_u8(&cell);
	if (cell_is_variable(out->command))
		rd_skip(&cell, 2);
	out->body = rd_rest(&cell);
	return RC_OK;
}

void
cell_write(struct wr *wr, uint32_t circid, uint8_t command, struct span body)
{
	if (body.len > CELL_BODY_LEN) {
		wr->rc = RC_LIMIT;
		return;
	}
	wr_u32(wr, circid);
	wr_u8(wr, command);
	wr_span(wr, body);
	wr_zero(wr, CELL_BODY_LEN - body.len);
}

void
cell_write_var(struct wr *wr, uint32_t circid, uint8_t command, struct span body)
{
	if (body.len > UINT16_MAX) {
		wr->rc = RC_LIMIT;
		return;
	}
	wr_u32(wr, circid);
	wr_u8(wr, command);
	wr_u16(wr, (uint16_t)body.len);
	wr_span(wr, body);
}

enum rc
versions_pick(struct span body, uint16_t *version)
{
	struct rd rd = rd_from(body);

	*version = 0;
	if (body.len % 2 != 0)
		return RC_PROTOCOL;
	while (rd_left(&rd) != 0) {
		uint16_t v = rd_u16(&rd);

		if ((v == 4 || v == 5) && v > *version)
			*version = v;
	}
	return RC_OK;
}

void
versions_write(struct wr *wr)
{
	wr_u16(wr, 0);
	wr_u8(wr, CELL_VERSIONS);
	wr_u16(wr, 4);
	wr_u16(wr, 4);
	wr_u16(wr, 5);
}

enum rc
certs_parse(struct span body, struct certs *out)
{
	struct rd rd = rd_from(body);
	uint8_t n = rd_u8(&rd);

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < n && rd.rc == RC_OK; i++) {
		uint8_t type = rd_u8(&rd);
		uint16_t len = rd_u16(&rd);
		struct span cert = rd_span(&rd, len);

		if (rd.rc != RC_OK || type == 0 || type > CERTS_MAX_TYPE)
			continue;
		if (out->cert[type].data != NULL)
			return RC_PROTOCOL;
		out->cert[type] = cert;
	}
	return rd.rc;
}

enum rc
auth_challenge_parse(struct span body, bool *has_type3)
{
	struct rd rd = rd_from(body);

	*has_type3 = false;
	rd_skip(&rd, 32);
	uint16_t n = rd_u16(&rd);
	for (unsigned i = 0; i < n && rd.rc == RC_OK; i++)
		if (rd_u16(&rd) == 3)
			*has_type3 = true;
	return rd.rc;
}

/* type, length, value; an unknown type or a wrong length gives ADDR_NONE. */
static struct addr
netinfo_addr(struct rd *rd)
{
	uint8_t type = rd_u8(rd);
	uint8_t len = rd_u8(rd);
	struct span value = rd_span(rd, len);
	struct addr none = { .family = ADDR_NONE };

	if (rd->rc == RC_OK && type == 4 && len == 4)
		return addr_ipv4(get_u32(value.data));
	if (rd->rc == RC_OK && type == 6 && len == 16)
		return addr_ipv6(value.data);
	return none;
}

enum rc
netinfo_parse(struct span body, struct netinfo *out)
{
	struct rd rd = rd_from(body);

	memset(out, 0, sizeof(*out));
	out->timestamp = rd_u32(&rd);
	out->other = netinfo_addr(&rd);
	uint8_t n = rd_u8(&rd);
	for (unsigned i = 0; i < n && rd.rc == RC_OK; i++) {
		struct addr a = netinfo_addr(&rd);

		if (a.family != ADDR_NONE && out->own_count < NETINFO_MAX_OWN)
			out->own[out->own_count++] = a;
	}
	return rd.rc;
}

static void
netinfo_write_addr(struct wr *wr, const struct addr *a)
{
	wr_u8(wr, a->family == ADDR_IPV6 ? 6 : 4);
	wr_u8(wr, a->family == ADDR_IPV6 ? 16 : 4);
	wr_bytes(wr, a->bytes, a->family == ADDR_IPV6 ? 16 : 4);
}

void
netinfo_write_body(struct wr *wr, const struct netinfo *in)
{
	wr_u32(wr, in->timestamp);
	netinfo_write_addr(wr, &in->other);
	wr_u8(wr, (uint8_t)in->own_count);
	for (size_t i = 0; i < in->own_count; i++)
		netinfo_write_addr(wr, &in->own[i]);
}

enum rc
create2_parse(struct span body, struct create2 *out)
{
	struct rd rd = rd_from(body);

	out->handshake_type = rd_u16(&rd);
	uint16_t len = rd_u16(&rd);
	out->onion_skin = rd_span(&rd, len);
	return rd.rc; /* what follows is padding */
}

void
create2_write_body(struct wr *wr, const struct create2 *in)
{
	wr_u16(wr, in->handshake_type);
	wr_u16(wr, (uint16_t)in->onion_skin.len);
	wr_span(wr, in->onion_skin);
}

enum rc
created2_parse(struct span body, struct span *reply)
{
	struct rd rd = rd_from(body);
	uint16_t len = rd_u16(&rd);

	*reply = rd_span(&rd, len);
	return rd.rc;
}

void
created2_write_body(struct wr *wr, struct span reply)
{
	wr_u16(wr, (uint16_t)reply.len);
	wr_span(wr, reply);
}
