/* policy_fuzz.c: any text as an ExitPolicy value; what is built can be asked and written. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(const struct policy *policy)
{
	char text[POLICY_RULE_STR_LEN], summary[POLICY_SUMMARY_STR_LEN];
	struct policy_options bare = { .exit_relay = true, .ipv6_exit = true };
	struct addr addr = addr_ipv4(0xc0000201);

	for (uint32_t port = 0; port < 65536; port += 997)
		if (policy_allows(policy, &addr, (uint16_t)port))
			assert(policy_may_allow_port(policy, (uint16_t)port));
	assert(policy_ipv6_summary(policy, summary, sizeof(summary)) == RC_OK);
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const char *value = policy_rule_str(policy_rule(policy, i), text, sizeof(text));
		struct policy *again = NULL;
		char why[100];

		assert(policy_build(&value, 1, &bare, &again, why, sizeof(why)) == RC_OK);
		policy_free(&again);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *policy = NULL;
	char *text = malloc(size + 1), why[100];
	struct policy_options options = { .exit_relay = true };

	if (text == NULL)
		return 0;
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	options.ipv6_exit = size % 2 == 0;
	options.reduced = size % 3 == 0;
	options.reject_private = size % 5 == 0;
	const char *value = text;
	if (policy_build(&value, 1, &options, &policy, why, sizeof(why)) == RC_OK)
		ask(policy);
	policy_free(&policy);
	free(text);
	return 0;
}
