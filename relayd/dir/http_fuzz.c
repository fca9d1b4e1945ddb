/* http_fuzz.c: any bytes as an HTTP answer, unpacked. */
#include <assert.h>
#include <stdlib.h>

#include "relayd/dir/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_response response;
	char *body = NULL;
	size_t len;

	if (http_response_parse(span_of(data, size), &response) != RC_OK)
		return 0;
	assert(response.body.len <= size);
	if (http_body_unpack(&response, 100000, &body, &len) == RC_OK)
		assert(len <= 100000);
	free(body);
	return 0;
}
