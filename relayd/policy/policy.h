/* policy.h: exit policies: lines as torrc has them, the decision for an address and port, and the
 * text for descriptors (dir-spec 2.1.3). Immutable once built, so shared between threads. */
#ifndef RELAYD_POLICY_POLICY_H
#define RELAYD_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

#define POLICY_RULE_STR_LEN    80
#define POLICY_SUMMARY_STR_LEN 1024

struct policy_rule {
	bool accept;
	uint8_t family;       /* enum addr_family; `*` is kept as two rules */
	struct prefix prefix; /* bits 0 for any address of the family */
	uint16_t port_from, port_to;
};

struct policy;

struct policy_options {
	bool exit_relay;        /* false: reject *:* */
	bool ipv6_exit;         /* false: reject all IPv6 */
	bool reject_private;    /* ExitPolicyRejectPrivate */
	bool reduced;           /* ReducedExitPolicy (already defaulted by the caller) */
	const struct addr *own; /* own addresses, rejected with reject_private */
	size_t own_count;
};

/* Build from ExitPolicy values ("accept *:80, reject 192.0.2.0/24:*"), in order, then what the
 * options append, as stock does. On error why names the entry. Caller frees. */
enum rc policy_build(const char *const *values, size_t count, const struct policy_options *options,
    struct policy **out, char *why, size_t why_len);
void policy_free(struct policy **policy);

bool policy_allows(const struct policy *policy, const struct addr *addr, uint16_t port);
/* True if no address of either family can be reached on any port: not an exit. */
bool policy_is_reject_all(const struct policy *policy);
/* Is there any address on which this port may be open? (asked for names before DNS) */
bool policy_may_allow_port(const struct policy *policy, uint16_t port);

size_t policy_rule_count(const struct policy *policy);
const struct policy_rule *policy_rule(const struct policy *policy, size_t index);
/* "accept 192.0.2.0/24:80-90" without a line end. The IPv4 rules are the descriptor's lines; IPv6
 * rules read "accept6 [2001:db8::]/32:443", which torrc takes back. POLICY_RULE_STR_LEN is room
 * enough. */
const char *policy_rule_str(const struct policy_rule *rule, char *buf, size_t len);
/* Short IPv6 form "accept 80,443" or "reject 25", "" if all is rejected: ipv6-policy line. */
enum rc policy_ipv6_summary(const struct policy *policy, char *buf, size_t len);

#endif
