/* when_fuzz.c: any bytes as time stamps and zones. */
#include <assert.h>

#include "abuse/when/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct when_context ctx = { .has_date = true,
		.date_offset_known = true,
		.date_utc = 1775550680,
		.date_offset_s = 7200 };
	struct span text = span_of(data, size);
	struct when_stamp stamp;
	struct when when;
	size_t at = 0;

	zone_in_heading(text, &ctx.table);
	zone_in_prose(text, &ctx.stated);
	while (when_search(text, at, &stamp)) {
		assert(stamp.len > 0 && stamp.at + stamp.len <= size);
		if (when_resolve(&stamp, &ctx, &when) == RC_OK)
			assert(when.utc <= ctx.date_utc + 86400 && when.basis != WHEN_NONE);
		at = stamp.at + stamp.len;
	}
	return 0;
}
