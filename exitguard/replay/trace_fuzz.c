/* trace_fuzz.c: any bytes as a trace line. */
#include "exitguard/replay/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_line line;

	(void)trace_parse(span_of(data, size), &line);
	return 0;
}
