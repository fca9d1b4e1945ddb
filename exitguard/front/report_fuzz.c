/* report_fuzz.c: any bytes as packets on the report socket: what is taken is in range. */
#include "common/report.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report_record record;
	struct report_hello hello;
	size_t count;

	(void)report_hello_parse(span_of(data, size), &hello);
	for (int side = 0; side < 2; side++) {
		if (report_packet_check(span_of(data, size), (enum report_side)side, &count) !=
		    RC_OK)
			continue;
		for (size_t i = 0; i < count; i++) {
			report_packet_get(span_of(data, size), i, &record);
			if (record.type == REPORT_DEST && record.port == 0)
				abort();
		}
	}
	return 0;
}
