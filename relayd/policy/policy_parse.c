/* policy_parse.c: entries of an exit policy, text to rules (tor(1), ExitPolicy). Pure but for
 * growing the list. */
#include "relayd/policy/policy_parse.h"

#include <stdlib.h>
#include <string.h>

static const char *const private_nets[] = {
	"0.0.0.0/8",
	"169.254.0.0/16",
	"127.0.0.0/8",
	"192.168.0.0/16",
	"10.0.0.0/8",
	"172.16.0.0/12",
	"::/8",
	"fc00::/7",
	"fe80::/10",
	"fec0::/10",
	"ff00::/8",
	"::/127",
};
#define PRIVATE_NETS (sizeof(private_nets) / sizeof(private_nets[0]))

bool
policy_net_is_private(const struct prefix *p)
{
	struct prefix net;

	for (size_t i = 0; i < PRIVATE_NETS; i++)
		if (prefix_parse(span_of_str(private_nets[i]), &net) == RC_OK &&
		    prefix_equal(p, &net))
			return true;
	return false;
}

enum rc
policy_rules_add(struct policy_rules *list, const struct policy_rule *rule)
{
	if (list->count == POLICY_RULES_MAX)
		return RC_LIMIT;
	if (list->count == list->cap) {
		size_t cap = list->cap != 0 ? list->cap * 2 : 64;
		struct policy_rule *bigger = realloc(list->rules, cap * sizeof(*bigger));

		if (bigger == NULL)
			return RC_NO_MEMORY;
		list->rules = bigger;
		list->cap = cap;
	}
	list->rules[list->count++] = *rule;
	return RC_OK;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span s)
{
	while (s.len != 0 && is_blank(s.data[0]))
		s = span_of(s.data + 1, s.len - 1);
	while (s.len != 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

/* Where c is in s, or s.len. */
static size_t
find(struct span s, uint8_t c)
{
	const uint8_t *p = s.len != 0 ? memchr(s.data, c, s.len) : NULL;

	return p != NULL ? (size_t)(p - s.data) : s.len;
}

static struct span
from(struct span s, size_t at)
{
	return at < s.len ? span_of(s.data + at, s.len - at) : span_of(NULL, 0);
}

/* "*", "80" or "80-90"; no text at all is every port. */
static enum rc
ports_parse(struct span text, uint16_t *first, uint16_t *last)
{
	size_t dash = find(text, '-');
	uint64_t low = 1, high = 65535;
	enum rc rc = RC_OK;

	if (!span_equal_str(text, "*") && text.len != 0) {
		rc = parse_u64(span_of(text.data, dash), 65535, &low);
		high = low;
		if (rc == RC_OK && dash != text.len)
			rc = parse_u64(from(text, dash + 1), 65535, &high);
	}
	if (rc != RC_OK)
		return rc;
	if (low > high || high == 0)
		return RC_RANGE;
	*first = (uint16_t)(low != 0 ? low : 1);
	*last = (uint16_t)high;
	return RC_OK;
}

/* "8" or, for IPv4, "255.0.0.0". */
static enum rc
mask_parse(struct span text, const struct addr *addr, uint8_t *bits)
{
	struct addr mask;
	uint64_t number;

	if (addr->family == ADDR_IPV4 && find(text, '.') != text.len) {
		if (addr_parse(text, &mask) != RC_OK || mask.family != ADDR_IPV4)
			return RC_SYNTAX;
		uint32_t holes = ~addr_ipv4_u32(&mask);
		if ((holes & (holes + 1)) != 0)
			return RC_RANGE;
		for (*bits = 32; holes != 0; holes >>= 1)
			--*bits;
		return RC_OK;
	}
	enum rc rc = parse_u64(text, addr_len(addr) * 8, &number);
	if (rc == RC_OK)
		*bits = (uint8_t)number;
	return rc;
}

/* "192.0.2.0/24", "[2001:db8::]/32", with the mask inside or behind the brackets. */
static enum rc
net_parse(struct span text, struct prefix *out)
{
	bool bracket = text.len != 0 && text.data[0] == '[';
	struct addr addr;

	if (bracket) {
		size_t close = find(text, ']');

		if (close == text.len)
			return RC_SYNTAX;
		struct span rest = from(text, close + 1);
		if (rest.len != 0 && rest.data[0] != '/')
			return RC_SYNTAX;
		enum rc rc = addr_parse(span_of(text.data + 1, close - 1), &addr);
		if (rc != RC_OK || addr.family != ADDR_IPV6)
			return RC_SYNTAX;
		text = rest;
	} else {
		size_t slash = find(text, '/');
		enum rc rc = addr_parse(span_of(text.data, slash), &addr);

		if (rc != RC_OK || addr.family != ADDR_IPV4)
			return RC_SYNTAX;
		text = from(text, slash);
	}
	uint8_t bits = (uint8_t)(addr_len(&addr) * 8);
	enum rc rc = text.len != 0 ? mask_parse(from(text, 1), &addr, &bits) : RC_OK;
	*out = prefix_of(&addr, bits);
	return rc;
}

static enum rc
add_any(struct policy_rules *list, struct policy_rule rule, uint8_t family)
{
	rule.family = family;
	rule.prefix = (struct prefix){ .addr.family = family };
	return policy_rules_add(list, &rule);
}

static enum rc
add_private(struct policy_rules *list, struct policy_rule rule)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < PRIVATE_NETS && rc == RC_OK; i++) {
		rc = prefix_parse(span_of_str(private_nets[i]), &rule.prefix);
		rule.family = rule.prefix.addr.family;
		if (rc == RC_OK)
			rc = policy_rules_add(list, &rule);
	}
	return rc;
}

static enum rc
target_parse(struct span target, bool only_v6, struct policy_rule *rule, struct policy_rules *list,
    const char **why)
{
	enum rc rc = RC_OK;

	if (span_equal_str(target, "private"))
		return add_private(list, *rule);
	if (span_equal_str(target, "*") || span_equal_str(target, "*6") ||
	    (span_equal_str(target, "*4") && !only_v6)) {
		if (!only_v6 && !span_equal_str(target, "*6"))
			rc = add_any(list, *rule, ADDR_IPV4);
		if (rc == RC_OK && !span_equal_str(target, "*4"))
			rc = add_any(list, *rule, ADDR_IPV6);
		return rc;
	}
	rc = net_parse(target, &rule->prefix);
	if (rc != RC_OK && !span_equal_str(target, "*4")) {
		*why = "not an address, network, *, *4, *6 or private";
		return rc;
	}
	if (rc != RC_OK || (only_v6 && rule->prefix.addr.family != ADDR_IPV6)) {
		*why = "accept6 and reject6 take IPv6 addresses only";
		return RC_SYNTAX;
	}
	rule->family = rule->prefix.addr.family;
	return policy_rules_add(list, rule);
}

enum rc
policy_entry_parse(struct span entry, struct policy_rules *list, const char **why)
{
	struct span word = trim(entry), rest;
	struct policy_rule rule = { 0 };
	size_t end;

	for (end = 0; end < word.len && !is_blank(word.data[end]); end++)
		;
	rest = trim(from(word, end));
	word.len = end;
	bool six = word.len == 7 && word.data[6] == '6';
	struct span verb = six ? span_of(word.data, 6) : word;
	rule.accept = span_equal_str(verb, "accept");
	if (!rule.accept && !span_equal_str(verb, "reject")) {
		*why = "must begin with accept, reject, accept6 or reject6";
		return RC_SYNTAX;
	}
	/* The port stands behind the first colon that is not inside brackets. */
	size_t inside = rest.len != 0 && rest.data[0] == '[' ? find(rest, ']') : 0;
	size_t colon = inside + find(from(rest, inside), ':');
	struct span ports = trim(from(rest, colon + 1));
	if (ports.len == 0 && colon < rest.len) {
		*why = "no port after the colon";
		return RC_SYNTAX;
	}
	enum rc rc = ports_parse(ports, &rule.port_from, &rule.port_to);
	if (rc != RC_OK) {
		*why = "not a port, a range of ports or *";
		return rc;
	}
	return target_parse(trim(span_of(rest.data, colon)), six, &rule, list, why);
}

enum rc
policy_entries_parse(
    struct span text, struct policy_rules *list, struct span *bad, const char **why)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && text.len != 0) {
		size_t comma = find(text, ',');
		struct span entry = trim(span_of(text.data, comma));

		if (entry.len != 0)
			rc = policy_entry_parse(entry, list, why);
		*bad = entry;
		text = from(text, comma + 1);
	}
	return rc;
}
