/* bytes.c: the bounded reader and writer and the text forms of bytes. Pure. */
#include "common/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct span
span_of(const void *data, size_t len)
{
	return (struct span){ data, len };
}

struct span
span_of_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
span_equal_str(struct span a, const char *s)
{
	return span_equal(a, span_of_str(s));
}

bool
span_equal_const_time(struct span a, struct span b)
{
	uint8_t diff = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		diff |= a.data[i] ^ b.data[i];
	return diff == 0;
}

struct rd
rd_from(struct span in)
{
	return (struct rd){ in.data, in.len != 0 ? in.data + in.len : in.data, RC_OK };
}

size_t
rd_left(const struct rd *rd)
{
	return rd->rc == RC_OK ? (size_t)(rd->end - rd->at) : 0;
}

/* The next len bytes, or NULL after which the reader is in error. */
static const uint8_t *
rd_take(struct rd *rd, size_t len)
{
	const uint8_t *p = rd->at;

	if (rd->rc != RC_OK)
		return NULL;
	if ((size_t)(rd->end - rd->at) < len) {
		rd->rc = RC_SHORT;
		return NULL;
	}
	if (len != 0)
		rd->at += len;
	return p;
}

uint8_t
rd_u8(struct rd *rd)
{
	const uint8_t *p = rd_take(rd, 1);

	return p != NULL ? p[0] : 0;
}

uint16_t
rd_u16(struct rd *rd)
{
	const uint8_t *p = rd_take(rd, 2);

	return p != NULL ? get_u16(p) : 0;
}

uint32_t
rd_u32(struct rd *rd)
{
	const uint8_t *p = rd_take(rd, 4);

	return p != NULL ? get_u32(p) : 0;
}

uint64_t
rd_u64(struct rd *rd)
{
	uint64_t high = rd_u32(rd);

	return high << 32 | rd_u32(rd);
}

struct span
rd_span(struct rd *rd, size_t len)
{
	const uint8_t *p = rd_take(rd, len);

	return p != NULL ? span_of(p, len) : span_of(NULL, 0);
}

void
rd_copy(struct rd *rd, void *out, size_t len)
{
	const uint8_t *p = rd_take(rd, len);

	if (len == 0)
		return;
	if (p != NULL)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

void
rd_skip(struct rd *rd, size_t len)
{
	(void)rd_take(rd, len);
}

struct rd
rd_sub(struct rd *rd, size_t len)
{
	struct rd sub = rd_from(rd_span(rd, len));

	sub.rc = rd->rc;
	return sub;
}

struct span
rd_rest(struct rd *rd)
{
	return rd_span(rd, rd_left(rd));
}

enum rc
rd_end(struct rd *rd)
{
	if (rd->rc == RC_OK && rd->at != rd->end)
		rd->rc = RC_TRAILING;
	return rd->rc;
}

bool
rd_line(struct rd *rd, struct span *line)
{
	size_t left = rd_left(rd);

	*line = span_of(NULL, 0);
	if (left == 0)
		return false;
	const uint8_t *nl = memchr(rd->at, '\n', left);
	size_t len = nl != NULL ? (size_t)(nl - rd->at) : left;

	*line = span_of(rd->at, len);
	if (len != 0 && line->data[len - 1] == '\r' && nl != NULL)
		line->len--;
	rd->at += nl != NULL ? len + 1 : len;
	return true;
}

struct wr
wr_to(void *buf, size_t len)
{
	uint8_t *p = buf;

	return (struct wr){ p, p, len != 0 ? p + len : p, RC_OK };
}

uint8_t *
wr_reserve(struct wr *wr, size_t len)
{
	uint8_t *p = wr->at;

	if (wr->rc != RC_OK)
		return NULL;
	if ((size_t)(wr->end - wr->at) < len) {
		wr->rc = RC_LIMIT;
		return NULL;
	}
	if (len != 0)
		wr->at += len;
	return p;
}

void
wr_u8(struct wr *wr, uint8_t v)
{
	wr_bytes(wr, &v, 1);
}

void
wr_u16(struct wr *wr, uint16_t v)
{
	uint8_t *p = wr_reserve(wr, 2);

	if (p != NULL)
		put_u16(p, v);
}

void
wr_u32(struct wr *wr, uint32_t v)
{
	uint8_t *p = wr_reserve(wr, 4);

	if (p != NULL)
		put_u32(p, v);
}

void
wr_u64(struct wr *wr, uint64_t v)
{
	uint8_t *p = wr_reserve(wr, 8);

	if (p != NULL) {
		put_u32(p, (uint32_t)(v >> 32));
		put_u32(p + 4, (uint32_t)v);
	}
}

void
wr_bytes(struct wr *wr, const void *data, size_t len)
{
	uint8_t *p = wr_reserve(wr, len);

	if (p != NULL && len != 0)
		memcpy(p, data, len);
}

void
wr_span(struct wr *wr, struct span s)
{
	wr_bytes(wr, s.data, s.len);
}

void
wr_zero(struct wr *wr, size_t len)
{
	uint8_t *p = wr_reserve(wr, len);

	if (p != NULL && len != 0)
		memset(p, 0, len);
}

void
wr_str(struct wr *wr, const char *s)
{
	wr_bytes(wr, s, strlen(s));
}

void
wr_printf(struct wr *wr, const char *fmt, ...)
{
	va_list ap;
	size_t room = (size_t)(wr->end - wr->at);

	if (wr->rc != RC_OK)
		return;
	va_start(ap, fmt);
	int n = vsnprintf((char *)wr->at, room, fmt, ap);
	va_end(ap);
	/* vsnprintf also wants a place for its NUL, which stays unwritten in the result. */
	if (n < 0 || (size_t)n >= room)
		wr->rc = RC_LIMIT;
	else
		wr->at += n;
}

size_t
wr_len(const struct wr *wr)
{
	return (size_t)(wr->at - wr->start);
}

struct span
wr_written(const struct wr *wr)
{
	return span_of(wr->start, wr_len(wr));
}

void
put_u16(uint8_t out[2], uint16_t v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

void
put_u32(uint8_t out[4], uint32_t v)
{
	put_u16(out, (uint16_t)(v >> 16));
	put_u16(out + 2, (uint16_t)v);
}

uint16_t
get_u16(const uint8_t in[2])
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t
get_u32(const uint8_t in[4])
{
	return (uint32_t)get_u16(in) << 16 | get_u16(in + 2);
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum rc
hex_decode(struct span text, uint8_t *out, size_t out_cap, size_t *out_len)
{
	*out_len = 0;
	if (text.len % 2 != 0)
		return RC_SYNTAX;
	if (text.len / 2 > out_cap)
		return RC_LIMIT;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_value(text.data[i]), low = hex_value(text.data[i + 1]);

		if (high < 0 || low < 0)
			return RC_SYNTAX;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	*out_len = text.len / 2;
	return RC_OK;
}

enum rc
hex_encode(struct span in, char *out, size_t out_cap)
{
	static const char digits[] = "0123456789ABCDEF";

	if (out_cap < in.len * 2 + 1)
		return RC_LIMIT;
	for (size_t i = 0; i < in.len; i++) {
		out[2 * i] = digits[in.data[i] >> 4];
		out[2 * i + 1] = digits[in.data[i] & 15];
	}
	out[in.len * 2] = '\0';
	return RC_OK;
}

static int
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum rc
base64_decode(struct span text, uint8_t *out, size_t out_cap, size_t *out_len)
{
	uint32_t acc = 0;
	unsigned digits = 0, pads = 0;
	size_t n = 0;

	*out_len = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		int v = base64_value(c);

		if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
			continue;
		if (c == '=') {
			pads++;
			continue;
		}
		if (v < 0 || pads != 0)
			return RC_SYNTAX;
		acc = acc << 6 | (uint32_t)v;
		digits++;
		if (digits % 4 == 1)
			continue;
		if (n == out_cap)
			return RC_LIMIT;
		/* digits 2, 3, 4 of a group complete bytes 1, 2, 3 of it */
		out[n++] = (uint8_t)(acc >> (digits % 4 == 2 ? 4 : digits % 4 == 3 ? 2 : 0));
	}
	if (digits % 4 == 1 || (pads != 0 && (digits + pads) % 4 != 0) || pads > 2)
		return RC_SYNTAX;
	*out_len = n;
	return RC_OK;
}

enum rc
base64_encode(struct span in, bool padded, char *out, size_t out_cap)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	size_t n = 0;

	if (out_cap < (in.len + 2) / 3 * 4 + 1)
		return RC_LIMIT;
	for (size_t i = 0; i < in.len; i += 3) {
		size_t have = in.len - i < 3 ? in.len - i : 3;
		uint32_t acc = (uint32_t)in.data[i] << 16;

		if (have > 1)
			acc |= (uint32_t)in.data[i + 1] << 8;
		if (have > 2)
			acc |= in.data[i + 2];
		for (size_t k = 0; k < 4; k++) {
			if (k <= have)
				out[n++] = digits[acc >> (18 - 6 * k) & 63];
			else if (padded)
				out[n++] = '=';
		}
	}
	out[n] = '\0';
	return RC_OK;
}

enum rc
parse_u64(struct span text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	*out = 0;
	if (text.len == 0)
		return RC_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c < '0' || c > '9')
			return RC_SYNTAX;
		if (v > (UINT64_MAX - (c - '0')) / 10)
			return RC_RANGE;
		v = v * 10 + (c - '0');
	}
	if (v > max)
		return RC_RANGE;
	*out = v;
	return RC_OK;
}

enum rc
parse_i64(struct span text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = text.len != 0 && text.data[0] == '-';
	uint64_t v;

	*out = 0;
	if (negative)
		text = span_of(text.data + 1, text.len - 1);
	enum rc rc = parse_u64(text, INT64_MAX, &v);
	if (rc != RC_OK)
		return rc;
	int64_t value = negative ? -(int64_t)v : (int64_t)v;
	if (value < min || value > max)
		return RC_RANGE;
	*out = value;
	return RC_OK;
}
