/* relay_msg.c: relay messages, bytes to struct and back (tor-spec 6).
 * Pure: no sockets, no clock, no allocation. Spans point into the input. */
#include "relayd/cell/relay_msg.h"

#include <ctype.h>
#include <string.h>

enum rc
relay_msg_parse(const uint8_t body[CELL_BODY_LEN], struct relay_msg *out)
{
	struct rd rd = rd_from(span_of(body, CELL_BODY_LEN));

	out->command = rd_u8(&rd);
	rd_skip(&rd, 2); /* recognised */
	out->stream_id = rd_u16(&rd);
	rd_skip(&rd, 4); /* digest */
	uint16_t len = rd_u16(&rd);
	out->data = rd_span(&rd, len);
	return rd.rc == RC_OK ? RC_OK : RC_PROTOCOL;
}

void
relay_msg_write_head(
    uint8_t body[CELL_BODY_LEN], uint8_t command, uint16_t stream_id, uint16_t data_len)
{
	struct wr wr = wr_to(body, RELAY_HEAD_LEN);

	wr_u8(&wr, command);
	wr_u16(&wr, 0);
	wr_u16(&wr, stream_id);
	wr_u32(&wr, 0);
	wr_u16(&wr, data_len);
}

/* Copy a name in lower case; RC_PROTOCOL if it is empty, too long or holds a NUL. */
static enum rc
copy_name(struct span name, char out[256])
{
	out[0] = '\0';
	if (name.len == 0 || name.len > 255 || memchr(name.data, '\0', name.len) != NULL)
		return RC_PROTOCOL;
	for (size_t i = 0; i < name.len; i++)
		out[i] = (char)tolower(name.data[i]);
	out[name.len] = '\0';
	return RC_OK;
}

/* Split at the last colon. */
static enum rc
split_host_port(struct span text, struct span *host, uint16_t *port)
{
	size_t colon = text.len;
	uint64_t number;

	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon < 2 ||
	    parse_u64(span_of(text.data + colon, text.len - colon), 65535, &number) != RC_OK ||
	    number == 0)
		return RC_PROTOCOL;
	*port = (uint16_t)number;
	*host = span_of(text.data, colon - 1);
	return RC_OK;
}

enum rc
begin_parse(struct span data, struct begin *out)
{
	struct rd rd = rd_from(data);
	struct span host;

	memset(out, 0, sizeof(*out));
	const uint8_t *nul = data.len != 0 ? memchr(data.data, '\0', data.len) : NULL;
	if (nul == NULL)
		return RC_PROTOCOL;
	struct span text = rd_span(&rd, (size_t)(nul - data.data));
	rd_skip(&rd, 1);
	if (rd_left(&rd) >= 4)
		out->flags = rd_u32(&rd);
	if (split_host_port(text, &host, &out->port) != RC_OK)
		return RC_PROTOCOL;
	bool bracketed = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
	if (bracketed)
		host = span_of(host.data + 1, host.len - 2);
	out->is_literal = addr_parse(host, &out->addr) == RC_OK;
	if (bracketed && !out->is_literal)
		return RC_PROTOCOL;
	return copy_name(host, out->host);
}

void
connected_write(struct wr *wr, const struct addr *addr, uint32_t ttl)
{
	if (addr->family == ADDR_IPV6) {
		wr_u32(wr, 0);
		wr_u8(wr, 6);
	}
	wr_bytes(wr, addr->bytes, addr_len(addr));
	wr_u32(wr, ttl);
}

void
end_write(struct wr *wr, enum end_reason reason, const struct addr *addr, uint32_t ttl)
{
	wr_u8(wr, (uint8_t)reason);
	if (reason != END_EXITPOLICY || addr == NULL || addr_len(addr) == 0)
		return;
	wr_bytes(wr, addr->bytes, addr_len(addr));
	wr_u32(wr, ttl);
}

enum rc
resolve_parse(struct span data, char host[256])
{
	const uint8_t *nul = data.len != 0 ? memchr(data.data, '\0', data.len) : NULL;

	if (nul != NULL)
		data.len = (size_t)(nul - data.data);
	return copy_name(data, host);
}

void
resolved_write_addr(struct wr *wr, const struct addr *addr)
{
	wr_u8(wr, addr->family); /* the wire types are 4 and 6 too */
	wr_u8(wr, (uint8_t)addr_len(addr));
	wr_bytes(wr, addr->bytes, addr_len(addr));
	wr_u32(wr, RESOLVED_TTL);
}

void
resolved_write_name(struct wr *wr, const char *name)
{
	size_t len = strlen(name);

	wr_u8(wr, 0);
	wr_u8(wr, (uint8_t)len);
	wr_bytes(wr, name, len);
	wr_u32(wr, RESOLVED_TTL);
}

void
resolved_write_error(struct wr *wr, bool transient)
{
	static const char text[] = "Error resolving hostname";

	wr_u8(wr, transient ? 0xf0 : 0xf1);
	wr_u8(wr, sizeof(text) - 1);
	wr_str(wr, text);
	wr_u32(wr, RESOLVED_TTL);
}

enum link_specifier { SPEC_IPV4 = 0, SPEC_IPV6 = 1, SPEC_RSA_ID = 2, SPEC_ED_ID = 3 };

/* An address and port of either family; the first of a family counts. */
static void
extend2_address(struct rd *spec, uint8_t type, struct addr_port *out)
{
	struct addr_port ap;
	uint8_t v6[16];

	if (type == SPEC_IPV4)
		ap.addr = addr_ipv4(rd_u32(spec));
	else {
		rd_copy(spec, v6, sizeof(v6));
		ap.addr = addr_ipv6(v6);
	}
	ap.port = rd_u16(spec);
	if (out->addr.family == ADDR_NONE)
		*out = ap;
}

/* One link specifier into *out; unknown types are skipped, a second id of a kind is not. */
static enum rc
extend2_specifier(struct rd *spec, uint8_t type, bool *has_rsa_id, struct extend2 *out)
{
	switch (type) {
	case SPEC_IPV4:
	case SPEC_IPV6:
		extend2_address(spec, type, type == SPEC_IPV4 ? &out->v4 : &out->v6);
		break;
	case SPEC_RSA_ID:
		if (*has_rsa_id)
			return RC_PROTOCOL;
		*has_rsa_id = true;
		rd_copy(spec, out->rsa_id, sizeof(out->rsa_id));
		break;
	case SPEC_ED_ID:
		if (out->has_ed_id)
			return RC_PROTOCOL;
		out->has_ed_id = true;
		rd_copy(spec, out->ed_id, sizeof(out->ed_id));
		break;
	default:
		return RC_OK;
	}
	return rd_end(spec);
}

enum rc
extend2_parse(struct span data, struct extend2 *out)
{
	static const uint8_t zero[20];
	struct rd rd = rd_from(data);
	uint8_t n = rd_u8(&rd);
	bool has_rsa_id = false;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < n; i++) {
		uint8_t type = rd_u8(&rd);
		uint8_t len = rd_u8(&rd);
		struct rd spec = rd_sub(&rd, len);

		if (rd.rc != RC_OK || extend2_specifier(&spec, type, &has_rsa_id, out) != RC_OK)
			return RC_PROTOCOL;
	}
	out->create.handshake_type = rd_u16(&rd);
	uint16_t len = rd_u16(&rd);
	out->create.onion_skin = rd_span(&rd, len);
	bool has_v4 = out->v4.addr.family != ADDR_NONE, has_v6 = out->v6.addr.family != ADDR_NONE;
	if (rd.rc != RC_OK || !has_rsa_id || (!has_v4 && !has_v6) ||
	    (has_v4 && out->v4.port == 0) || (has_v6 && out->v6.port == 0) ||
	    memcmp(out->rsa_id, zero, sizeof(zero)) == 0)
		return RC_PROTOCOL;
	return RC_OK;
}

enum rc
sendme_parse(struct span data, uint8_t *version, struct span *tag)
{
	struct rd rd = rd_from(data);

	*version = 0;
	*tag = span_of(NULL, 0);
	if (data.len == 0)
		return RC_OK;
	*version = rd_u8(&rd);
	if (*version == 0)
		return RC_OK;
	if (*version != 1)
		return RC_UNSUPPORTED;
	uint16_t len = rd_u16(&rd);
	*tag = rd_span(&rd, len);
	return rd.rc;
}

void
sendme_write(struct wr *wr, struct span tag)
{
	wr_u8(wr, 1);
	wr_u16(wr, (uint16_t)tag.len);
	wr_span(wr, tag);
}
