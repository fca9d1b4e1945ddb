/* keycert_fuzz.c: any bytes as key certificates. */
#include "relayd/dir/keycert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keycert_set set;
	const struct dir_authority *authorities;
	size_t count = dir_authority_defaults(&authorities), added;

	(void)keycert_set_take(&set, span_of(data, size), authorities, count, 1795240292, &added);
	keycert_set_clear(&set);
	return 0;
}
