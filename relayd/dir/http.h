/* http.h: the little of HTTP/1.0 that directory authorities speak, and unpacking with a limit.
 * Pure. Within dir/. */
#ifndef RELAYD_DIR_HTTP_H
#define RELAYD_DIR_HTTP_H

#include <stdbool.h>
#include <time.h>

#include "common/addr.h"

#define HTTP_HEAD_MAX  16384
#define HTTP_LINES_MAX 64

enum http_coding { HTTP_IDENTITY, HTTP_DEFLATE, HTTP_GZIP };

struct http_response {
	unsigned status;
	struct span reason; /* borrowed from the input, like body */
	enum http_coding coding;
	bool not_new;             /* X-Descriptor-Not-New: Yes */
	struct addr your_address; /* X-Your-Address-Is; family ADDR_NONE if it is not there */
	struct span body;
};

/* The whole answer, as it stood when the other side closed. RC_SHORT: cut off. RC_UNSUPPORTED: a
 * coding that we did not ask for. */
enum rc http_response_parse(struct span in, struct http_response *out);
/* GET, or POST with a body that the caller sends behind it. if_modified_since 0: none. */
enum rc http_request_write(struct wr *wr, const char *method, const char *path,
    const struct addr_port *host, size_t body_len, time_t if_modified_since);
/* The body's text, at most max bytes; the caller frees *out (NUL-terminated). RC_LIMIT past max,
 * RC_SHORT if the packed stream is cut off. */
enum rc http_body_unpack(
    const struct http_response *response, size_t max, char **out, size_t *out_len);

#endif
