/* state_fuzz.c: any bytes as a state file: what is written is found again, the rest stays. */
#include <stdlib.h>

#include "relayd/keys/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[16384];
	struct wr wr = wr_to(out, sizeof(out));
	const time_t when = 1800000000;

	(void)state_find(span_of(data, size));
	if (size > 4096)
		return 0;
	if (state_update(span_of(data, size), when, &wr) != RC_OK ||
	    state_find(wr_written(&wr)) != when)
		abort();
	return 0;
}
