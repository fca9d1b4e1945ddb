/* name.c: names as DNS has them. Pure. */
#include <ctype.h>
#include <string.h>

#include "relayd/dns/dns.h"

static bool
ends_with(const char *name, size_t n, const char *suffix)
{
	size_t m = strlen(suffix);

	return n >= m && strncasecmp(name + n - m, suffix, m) == 0;
}

static bool
is_name_char(unsigned char c)
{
	return isalnum(c) || c == '-' || c == '_';
}

bool
dns_name_is_askable(const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len != 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!is_name_char(c) || ++label > 63)
			return false;
	}
	return label != 0 && !ends_with(name, len, ".onion") && !ends_with(name, len, ".exit");
}

static enum rc
parse_ptr_v4(const char *name, size_t len, struct addr *out)
{
	struct rd rd = rd_from(span_of(name, len));
	char text[16];
	struct wr wr = wr_to(text, sizeof(text));
	struct span parts[4];
	unsigned n = 0;

	/* labels, then written in the other order for the strict address parser */
	while (rd_left(&rd) != 0 && n < 4) {
		const uint8_t *dot = memchr(rd.at, '.', rd_left(&rd));
		size_t part = dot != NULL ? (size_t)(dot - rd.at) : rd_left(&rd);

		parts[n++] = rd_span(&rd, part);
		if (dot != NULL)
			rd_skip(&rd, 1);
	}
	if (n != 4 || rd_left(&rd) != 0 || name[len - 1] == '.')
		return RC_SYNTAX;
	for (unsigned i = 4; i-- > 0;) {
		wr_span(&wr, parts[i]);
		if (i != 0)
			wr_u8(&wr, '.');
	}
	if (wr.rc != RC_OK || addr_parse(wr_written(&wr), out) != RC_OK || out->family != ADDR_IPV4)
		return RC_SYNTAX;
	return RC_OK;
}

static enum rc
parse_ptr_v6(const char *name, size_t len, struct addr *out)
{
	uint8_t bytes[16];
	size_t n;

	if (len != 63)
		return RC_SYNTAX;
	for (unsigned i = 0; i < 16; i++) { /* lowest nibble first, dots between */
		const char *at = name + (15 - i) * 4;
		char pair[2] = { at[2], at[0] };

		if (at[1] != '.' || (i != 0 && at[3] != '.') ||
		    hex_decode(span_of(pair, 2), &bytes[i], 1, &n) != RC_OK)
			return RC_SYNTAX;
	}
	*out = addr_ipv6(bytes);
	return RC_OK;
}

enum rc
dns_parse_ptr_name(const char *name, struct addr *out)
{
	static const char v4[] = ".in-addr.arpa", v6[] = ".ip6.arpa";
	size_t len = strlen(name);

	memset(out, 0, sizeof(*out));
	if (ends_with(name, len, v4))
		return parse_ptr_v4(name, len - strlen(v4), out);
	if (ends_with(name, len, v6))
		return parse_ptr_v6(name, len - strlen(v6), out);
	return RC_NOT_FOUND;
}

uint32_t
dns_clip_ttl(uint32_t ttl, uint32_t random)
{
	uint32_t middle = ttl < 300 ? 300 : 3600;

	return middle - 240 + random % 481;
}

enum rc
dns_wire_name(struct span wire, char out[256])
{
	struct rd rd = rd_from(wire);
	struct wr wr = wr_to(out, 255);

	out[0] = '\0';
	for (;;) {
		uint8_t len = rd_u8(&rd);
		struct span label = rd_span(&rd, len);

		if (rd.rc != RC_OK || len > 63)
			return RC_SYNTAX;
		if (len == 0)
			break;
		if (wr_len(&wr) != 0)
			wr_u8(&wr, '.');
		for (size_t i = 0; i < label.len; i++)
			if (!is_name_char(label.data[i]))
				return RC_SYNTAX;
		wr_span(&wr, label);
	}
	if (wr.rc != RC_OK || wr_len(&wr) == 0)
		return RC_SYNTAX;
	out[wr_len(&wr)] = '\0';
	return RC_OK;
}
