/* torrc_fuzz.c: any text as a torrc; what is accepted can be dumped and read back unchanged. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/ops/torrc_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct torrc *
load(const void *text, size_t len)
{
	struct torrc_reader reader;
	struct torrc *t = NULL;

	if (torrc_reader_init(&reader, NULL, NULL) != RC_OK)
		return NULL;
	reader.may_include = false;
	torrc_read_text(&reader, "input", span_of(text, len));
	(void)torrc_build(&reader, &t);
	torrc_reader_clear(&reader);
	return t;
}

static void
dump(const struct torrc *t, bool full, char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);

	assert(f != NULL);
	torrc_dump(t, full, f);
	assert(fclose(f) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct torrc *t = load(data, size);

	for (unsigned full = 0; t != NULL && full < 2; full++) {
		char *first, *second;
		size_t first_len, second_len;

		dump(t, full != 0, &first, &first_len);
		struct torrc *again = load(first, first_len);
		assert(again != NULL);
		dump(again, full != 0, &second, &second_len);
		assert(first_len == second_len && memcmp(first, second, first_len) == 0);
		torrc_free(&again);
		free(first);
		free(second);
	}
	torrc_free(&t);
	return 0;
}
