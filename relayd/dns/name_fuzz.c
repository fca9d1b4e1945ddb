/* name_fuzz.c: any bytes as a name in wire form, as a name in text, as a PTR name. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), out[256];
	struct addr addr;

	if (text == NULL)
		return 0;
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (dns_wire_name(span_of(data, size), out) == RC_OK)
		assert(strlen(out) >= 1 && strlen(out) <= DNS_NAME_MAX);
	(void)dns_name_is_askable(text);
	if (dns_parse_ptr_name(text, &addr) == RC_OK)
		assert(addr.family != ADDR_NONE);
	free(text);
	return 0;
}
