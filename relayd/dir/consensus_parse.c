/* consensus_parse.c: a consensus in the microdescriptor flavour, text to view (dir-spec 3.4.1).
 * No sockets, no clock. Unknown keywords are skipped; a known one that is malformed makes the
 * whole document unusable. */
#include "relayd/dir/consensus_parse.h"

#include <stdlib.h>
#include <string.h>

#include "relayd/dir/netdoc.h"

struct builder {
	struct consensus *c;
	size_t relay_cap;
	struct consensus_relay *relay; /* the one whose lines are read; NULL before the first */
	bool seen_m, seen_s;
};

static const struct {
	const char *name;
	uint32_t flag;
} flag_names[] = {
	{ "Authority", RELAY_FLAG_AUTHORITY },
	{ "BadExit", RELAY_FLAG_BADEXIT },
	{ "Exit", RELAY_FLAG_EXIT },
	{ "Fast", RELAY_FLAG_FAST },
	{ "Guard", RELAY_FLAG_GUARD },
	{ "MiddleOnly", RELAY_FLAG_MIDDLEONLY },
	{ "Running", RELAY_FLAG_RUNNING },
	{ "Stable", RELAY_FLAG_STABLE },
	{ "StaleDesc", RELAY_FLAG_STALEDESC },
	{ "Valid", RELAY_FLAG_VALID },
};

static enum rc
exact_base64(struct span text, uint8_t *out, size_t want)
{
	size_t len;
	enum rc rc = base64_decode(text, out, want, &len);

	return rc == RC_OK && len != want ? RC_SYNTAX : rc;
}

static enum rc
nickname_copy(struct span word, char out[20])
{
	if (word.len == 0 || word.len > 19)
		return RC_SYNTAX;
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
			return RC_SYNTAX;
	}
	memcpy(out, word.data, word.len);
	out[word.len] = '\0';
	return RC_OK;
}

/* A place for one more relay. */
static enum rc
relay_next(struct builder *b)
{
	struct consensus *c = b->c;

	if (c->relay_count == CONSENSUS_RELAYS_MAX)
		return RC_LIMIT;
	if (c->relay_count == b->relay_cap) {
		size_t cap = b->relay_cap != 0 ? b->relay_cap * 2 : 64;
		struct consensus_relay *bigger = realloc(c->relays, cap * sizeof(*bigger));

		if (bigger == NULL)
			return RC_NO_MEMORY;
		c->relays = bigger;
		b->relay_cap = cap;
	}
	b->relay = &c->relays[c->relay_count++];
	memset(b->relay, 0, sizeof(*b->relay));
	return RC_OK;
}

/* What the relay before must have had, and its place in the order. */
static enum rc
relay_finish(struct builder *b)
{
	size_t n = b->c->relay_count;

	if (b->relay == NULL)
		return RC_OK;
	if (!b->seen_m || !b->seen_s)
		return RC_SYNTAX;
	if (n > 1 && memcmp(b->c->relays[n - 2].rsa_id, b->relay->rsa_id, 20) >= 0)
		return RC_SYNTAX;
	enum rc rc = endpoint_add(&b->c->endpoints, &b->relay->or_v4);
	return rc == RC_OK ? endpoint_add(&b->c->endpoints, &b->relay->or_v6) : rc;
}

/* r NICK IDENTITY DATE TIME IPV4 ORPORT DIRPORT */
static enum rc
take_r(struct builder *b, struct span rest)
{
	struct span words[7];
	uint64_t port;
	enum rc rc = relay_finish(b);

	if (rc == RC_OK)
		rc = relay_next(b);
	if (rc != RC_OK)
		return rc;
	b->seen_m = b->seen_s = false;
	for (size_t i = 0; i < 7; i++)
		if (!netdoc_word(&rest, &words[i]))
			return RC_SHORT;
	rc = nickname_copy(words[0], b->relay->nickname);
	if (rc == RC_OK)
		rc = exact_base64(words[1], b->relay->rsa_id, 20);
	if (rc == RC_OK)
		rc = addr_parse(words[4], &b->relay->or_v4.addr);
	if (rc == RC_OK && b->relay->or_v4.addr.family != ADDR_IPV4)
		rc = RC_SYNTAX;
	if (rc == RC_OK)
		rc = parse_u64(words[5], 65535, &port);
	if (rc == RC_OK)
		b->relay->or_v4.port = (uint16_t)port;
	return rc;
}

/* a [IPV6]:PORT; the first IPv6 one counts. */
static enum rc
take_a(struct builder *b, struct span rest)
{
	struct span word;
	struct addr_port ap;

	if (!netdoc_word(&rest, &word) || addr_port_parse(word, &ap) != RC_OK)
		return RC_OK;
	if (ap.addr.family == ADDR_IPV6 && b->relay->or_v6.addr.family == ADDR_NONE)
		b->relay->or_v6 = ap;
	return RC_OK;
}

static enum rc
take_m(struct builder *b, struct span rest)
{
	struct span word;

	if (b->seen_m || !netdoc_word(&rest, &word))
		return RC_SYNTAX;
	b->seen_m = true;
	return exact_base64(word, b->relay->micro_digest, 32);
}

static enum rc
take_s(struct builder *b, struct span rest)
{
	struct span word;

	if (b->seen_s)
		return RC_SYNTAX;
	b->seen_s = true;
	while (netdoc_word(&rest, &word))
		for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
			if (span_equal_str(word, flag_names[i].name))
				b->relay->flags |= flag_names[i].flag;
	return RC_OK;
}

static int
param_order(const void *a, const void *b)
{
	return strcmp(
	    ((const struct consensus_param *)a)->name, ((const struct consensus_param *)b)->name);
}

/* params NAME=VALUE ...; what does not read as one is left out. */
static enum rc
take_params(struct builder *b, struct span rest)
{
	struct consensus *c = b->c;
	struct span word;

	if (c->params != NULL)
		return RC_SYNTAX;
	c->params = calloc(CONSENSUS_PARAMS_MAX, sizeof(*c->params));
	if (c->params == NULL)
		return RC_NO_MEMORY;
	while (netdoc_word(&rest, &word)) {
		struct consensus_param *param = &c->params[c->param_count];
		const uint8_t *equals = memchr(word.data, '=', word.len);
		int64_t value;

		if (equals == NULL || c->param_count == CONSENSUS_PARAMS_MAX)
			continue;
		size_t len = (size_t)(equals - word.data);
		if (len == 0 || len >= sizeof(param->name) ||
		    memchr(word.data, '\0', len) != NULL ||
		    parse_i64(netdoc_from(word, len + 1), INT32_MIN, INT32_MAX, &value) != RC_OK)
			continue;
		memcpy(param->name, word.data, len);
		param->value = (int32_t)value;
		c->param_count++;
	}
	qsort(c->params, c->param_count, sizeof(*c->params), param_order);
	return RC_OK;
}

static enum rc
header_line(struct builder *b, struct span line)
{
	struct consensus *c = b->c;

	if (netdoc_keyword(&line, "valid-after"))
		return netdoc_time_take(&line, &c->valid_after);
	if (netdoc_keyword(&line, "fresh-until"))
		return netdoc_time_take(&line, &c->fresh_until);
	if (netdoc_keyword(&line, "valid-until"))
		return netdoc_time_take(&line, &c->valid_until);
	if (netdoc_keyword(&line, "params"))
		return take_params(b, line);
	return RC_OK;
}

static enum rc
relay_line(struct builder *b, struct span line)
{
	if (netdoc_keyword(&line, "a"))
		return take_a(b, line);
	if (netdoc_keyword(&line, "m"))
		return take_m(b, line);
	if (netdoc_keyword(&line, "s"))
		return take_s(b, line);
	return RC_OK;
}

static enum rc
first_line(struct rd *rd)
{
	struct span line, version, flavour;

	if (!rd_line(rd, &line) || !netdoc_keyword(&line, "network-status-version") ||
	    !netdoc_word(&line, &version) || !netdoc_word(&line, &flavour))
		return RC_SYNTAX;
	if (!span_equal_str(version, "3") || !span_equal_str(flavour, "microdesc"))
		return RC_UNSUPPORTED;
	return RC_OK;
}

static enum rc
read_lines(struct builder *b, struct rd *rd)
{
	struct span line, rest;
	enum rc rc = first_line(rd);

	while (rc == RC_OK && rd_line(rd, &line)) {
		rest = line;
		if (netdoc_keyword(&rest, "directory-footer") ||
		    netdoc_keyword(&rest, "directory-signature"))
			return relay_finish(b);
		if (netdoc_keyword(&rest, "r"))
			rc = take_r(b, rest);
		else
			rc = b->relay != NULL ? relay_line(b, line) : header_line(b, line);
	}
	return rc == RC_OK ? RC_SHORT : rc;
}

enum rc
consensus_parse(
    struct span text, const struct addr_port *extra, size_t extra_count, struct consensus **out)
{
	struct builder b = { .c = calloc(1, sizeof(*b.c)) };
	struct rd rd = rd_from(text);

	*out = NULL;
	if (b.c == NULL)
		return RC_NO_MEMORY;
	atomic_init(&b.c->refs, 1);
	enum rc rc = read_lines(&b, &rd);
	if (rc == RC_OK && (b.c->valid_after == 0 || b.c->fresh_until <= b.c->valid_after ||
			       b.c->valid_until <= b.c->fresh_until))
		rc = RC_RANGE;
	for (size_t i = 0; i < extra_count && rc == RC_OK; i++)
		rc = endpoint_add(&b.c->endpoints, &extra[i]);
	if (rc == RC_OK)
		rc = endpoint_index(&b.c->endpoints);
	if (rc != RC_OK)
		consensus_unref(&b.c);
	*out = b.c;
	return rc;
}
