/* settings_fuzz.c: any bytes as exitguard.conf. */
#include "exitguard/plan/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings_error error;
	struct settings settings;

	if (settings_parse(span_of(data, size), &settings, &error) == RC_OK)
		settings_clear(&settings);
	return 0;
}
