/* consensus_fuzz.c: any bytes as a consensus file. */
#include "exitguard/feed/consensus.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "network-status-version 3\n";
	uint8_t *text = malloc(size + sizeof(head));
	struct relays relays = { 0 };
	size_t skipped;

	if (text == NULL)
		return 0;
	(void)relays_add_consensus(&relays, span_of(data, size), &skipped);
	memcpy(text, head, sizeof(head) - 1);
	if (size != 0)
		memcpy(text + sizeof(head) - 1, data, size);
	(void)relays_add_consensus(&relays, span_of(text, size + sizeof(head) - 1), &skipped);
	relays_sort(&relays);
	relays_clear(&relays);
	free(text);
	return 0;
}
