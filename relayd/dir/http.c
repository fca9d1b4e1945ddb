/* http.c: HTTP/1.0 answers and requests as directory authorities speak them. Pure. */
#define ZLIB_CONST
#include "relayd/dir/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "relayd/dir/netdoc.h"

static struct span
trim(struct span s)
{
	while (s.len != 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = netdoc_from(s, 1);
	while (s.len != 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool
equal_nocase(struct span s, const char *text)
{
	return s.len == strlen(text) &&
	       (s.len == 0 || strncasecmp((const char *)s.data, text, s.len) == 0);
}

/* HTTP/1.x NNN REASON */
static enum rc
status_parse(struct span line, struct http_response *out)
{
	struct span word;
	uint64_t status;

	if (!netdoc_word(&line, &word) ||
	    (!span_equal_str(word, "HTTP/1.0") && !span_equal_str(word, "HTTP/1.1")))
		return RC_SYNTAX;
	if (!netdoc_word(&line, &word) || word.len != 3 || parse_u64(word, 999, &status) != RC_OK)
		return RC_SYNTAX;
	out->status = (unsigned)status;
	out->reason = trim(line);
	return RC_OK;
}

static enum rc
coding_parse(struct span value, enum http_coding *out)
{
	if (equal_nocase(value, "identity"))
		*out = HTTP_IDENTITY;
	else if (equal_nocase(value, "deflate"))
		*out = HTTP_DEFLATE;
	else if (equal_nocase(value, "gzip") || equal_nocase(value, "x-gzip"))
		*out = HTTP_GZIP;
	else
		return RC_UNSUPPORTED;
	return RC_OK;
}

/* *length: Content-Length if told. */
static enum rc
header_parse(struct span line, struct http_response *out, bool *has_length, uint64_t *length)
{
	const uint8_t *colon = memchr(line.data, ':', line.len);

	if (colon == NULL)
		return RC_SYNTAX;
	struct span name = span_of(line.data, (size_t)(colon - line.data));
	struct span value = trim(netdoc_from(line, name.len + 1));
	if (equal_nocase(name, "Content-Encoding"))
		return coding_parse(value, &out->coding);
	if (equal_nocase(name, "Content-Length")) {
		*has_length = true;
		return parse_u64(value, UINT32_MAX, length);
	}
	if (equal_nocase(name, "X-Descriptor-Not-New"))
		out->not_new = equal_nocase(value, "yes");
	if (equal_nocase(name, "X-Your-Address-Is") &&
	    addr_parse(value, &out->your_address) != RC_OK)
		out->your_address.family = ADDR_NONE;
	return RC_OK;
}

enum rc
http_response_parse(struct span in, struct http_response *out)
{
	struct rd rd = rd_from(in);
	struct span line;
	bool has_length = false;
	uint64_t length = 0;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if (!rd_line(&rd, &line))
		return RC_SHORT;
	rc = status_parse(line, out);
	for (unsigned i = 0; rc == RC_OK; i++) {
		if (!rd_line(&rd, &line))
			return RC_SHORT;
		if (line.len == 0)
			break;
		if (i == HTTP_LINES_MAX || in.len - rd_left(&rd) > HTTP_HEAD_MAX)
			return RC_LIMIT;
		rc = header_parse(line, out, &has_length, &length);
	}
	if (rc != RC_OK)
		return rc;
	out->body = rd_rest(&rd);
	if (has_length && out->body.len < length)
		return RC_SHORT;
	if (has_length)
		out->body.len = (size_t)length;
	return RC_OK;
}

enum rc
http_request_write(struct wr *wr, const char *method, const char *path,
    const struct addr_port *host, size_t body_len, time_t if_modified_since)
{
	char buf[ADDR_STR_LEN], when[40];
	struct tm tm;

	wr_printf(wr, "%s %s HTTP/1.0\r\nHost: %s\r\nAccept-Encoding: deflate, identity\r\n",
	    method, path, addr_port_str(host, buf));
	if (strcmp(method, "POST") == 0)
		wr_printf(wr, "Content-Length: %zu\r\n", body_len);
	if (if_modified_since != 0 && gmtime_r(&if_modified_since, &tm) != NULL &&
	    strftime(when, sizeof(when), "%a, %d %b %Y %H:%M:%S GMT", &tm) != 0)
		wr_printf(wr, "If-Modified-Since: %s\r\n", when);
	wr_str(wr, "\r\n");
	return wr->rc;
}

/* One packed stream; *out grows by doubling up to max. */
static enum rc
unpack(z_stream *z, size_t max, char **out, size_t *out_len)
{
	size_t cap = 4 * (size_t)z->avail_in + 1024;
	char *buf = NULL;
	int result = Z_OK;

	cap = cap < max ? cap : max;
	for (*out_len = 0; result == Z_OK;) {
		char *bigger = realloc(buf, cap + 1);

		if (bigger == NULL) {
			free(buf);
			return RC_NO_MEMORY;
		}
		buf = bigger;
		z->next_out = (Bytef *)buf + *out_len;
		z->avail_out = (uInt)(cap - *out_len);
		result = inflate(z, Z_NO_FLUSH);
		*out_len = cap - z->avail_out;
		if (result != Z_OK)
			break;
		if (z->avail_out != 0 || cap == max) {
			free(buf);
			return z->avail_out != 0 ? RC_SHORT : RC_LIMIT;
		}
		cap = cap > max / 2 ? max : cap * 2;
	}
	if (result != Z_STREAM_END || z->avail_in != 0) {
		free(buf);
		return result == Z_STREAM_END  ? RC_TRAILING
		       : result == Z_BUF_ERROR ? (*out_len == max ? RC_LIMIT : RC_SHORT)
					       : RC_SYNTAX;
	}
	buf[*out_len] = '\0';
	*out = buf;
	return RC_OK;
}

enum rc
http_body_unpack(const struct http_response *response, size_t max, char **out, size_t *out_len)
{
	struct span body = response->body;
	z_stream z = { 0 };

	*out = NULL;
	*out_len = 0;
	if (response->coding == HTTP_IDENTITY) {
		if (body.len > max)
			return RC_LIMIT;
		*out = malloc(body.len + 1);
		if (*out == NULL)
			return RC_NO_MEMORY;
		if (body.len != 0)
			memcpy(*out, body.data, body.len);
		(*out)[body.len] = '\0';
		*out_len = body.len;
		return RC_OK;
	}
	if (body.len > UINT32_MAX / 8 || max > UINT32_MAX / 2)
		return RC_LIMIT;
	if (inflateInit2(&z, response->coding == HTTP_GZIP ? 15 + 16 : 15) != Z_OK)
		return RC_NO_MEMORY;
	uint8_t none = 0;
	z.next_in = body.len != 0 ? body.data : &none;
	z.avail_in = (uInt)body.len;
	enum rc rc = unpack(&z, max, out, out_len);
	inflateEnd(&z);
	return rc;
}
