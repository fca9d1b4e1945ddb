/* nflog_fuzz.c: any bytes as a log message, and as the packet in one. */
#include "exitguard/feed/nflog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nflog_event event;

	(void)nflog_parse(span_of(data, size), &event);
	(void)nflog_parse_packet(span_of(data, size), true, &event);
	(void)nflog_parse_packet(span_of(data, size), false, &event);
	return 0;
}
