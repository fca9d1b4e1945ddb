/* ntor3_fuzz.c: any bytes as the message inside an ntor v3 request, and as a whole request. */
#include <stdlib.h>

#include "relayd/crypt/ed25519.h"
#include "relayd/crypt/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ntor3_policy policy = { true, 31, true };
	static const struct onion_keys own;
	uint8_t reply[128], keys[92];
	struct wr wr = wr_to(reply, 16);
	struct ntor3_outcome outcome;

	if (crypt_init() != RC_OK)
		abort();
	enum rc rc = ntor3_negotiate(span_of(data, size), &policy, &wr, &outcome);
	if ((rc == RC_OK) != (wr_len(&wr) != 0) || (outcome.cgo && !outcome.cc))
		abort();
	wr = wr_to(reply, sizeof(reply));
	(void)ntor3_answer(&own, span_of(data, size), &policy, &wr, &outcome, keys, sizeof(keys));
	return 0;
}
