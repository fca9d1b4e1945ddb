/* request_fuzz.c: any bytes as a request line. */
#include "exitguard/ctl/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl_request request;
	const char *why;

	(void)ctl_request_parse(span_of(data, size), &request, &why);
	return 0;
}
