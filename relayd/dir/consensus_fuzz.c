/* consensus_fuzz.c: any bytes as a consensus: parsed, asked, and looked at for signatures. */
#include <assert.h>
#include <string.h>

#include "relayd/dir/consensus_parse.h"
#include "relayd/dir/keycert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct keycert_set no_certs;
	const struct dir_authority *authorities;
	size_t count = dir_authority_defaults(&authorities);
	struct signature_tally tally;
	struct consensus *c = NULL;

	if (consensus_parse(span_of(data, size), NULL, 0, &c) == RC_OK)
		for (size_t i = 0; i < consensus_relay_count(c); i++) {
			const struct consensus_relay *relay = consensus_relay_at(c, i);

			assert(consensus_find(c, relay->rsa_id) == relay);
			assert(relay->or_v4.port == 0 || consensus_is_or_port(c, &relay->or_v4));
			(void)consensus_param(c, relay->nickname, 1, 0, 2);
		}
	consensus_unref(&c);
	assert(consensus_check_signatures(
		   span_of(data, size), &no_certs, authorities, count, 0, &tally) != RC_OK);
	return 0;
}
