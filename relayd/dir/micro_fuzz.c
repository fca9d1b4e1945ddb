/* micro_fuzz.c: any bytes as a document of microdescriptors. */
#include <assert.h>

#include "relayd/dir/micro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span document = span_of(data, size);
	struct micro_table table = { 0 };
	struct micro micro;

	while (micro_next(&document, &micro)) {
		assert(micro.text.len >= 9 && micro.text.len <= size);
		assert(micro_table_add(&table, &micro) == RC_OK);
	}
	micro_table_sort(&table);
	for (size_t i = 0; i < table.count; i++)
		assert(micro_table_find(&table, table.entries[i].digest) == &table.entries[i]);
	micro_table_clear(&table);
	return 0;
}
