/* consensus.c: relay addresses from a consensus document. Pure. */
#include "exitguard/feed/consensus.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 10

void
relays_clear(struct relays *relays)
{
	free(relays->items);
	*relays = (struct relays){ 0 };
}

static int
compare(const void *a, const void *b)
{
	const struct addr_port *x = a, *y = b;
	int order = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return order != 0 ? order : (int)x->port - (int)y->port;
}

bool
relays_have(const struct relays *relays, const struct addr *addr, uint16_t port)
{
	struct addr_port key = { .addr = *addr, .port = port };

	return relays->count != 0 &&
	       bsearch(&key, relays->items, relays->count, sizeof(key), compare) != NULL;
}

void
relays_sort(struct relays *relays)
{
	size_t kept = 0;

	if (relays->count == 0)
		return;
	qsort(relays->items, relays->count, sizeof(*relays->items), compare);
	for (size_t i = 1; i < relays->count; i++)
		if (compare(&relays->items[i], &relays->items[kept]) != 0)
			relays->items[++kept] = relays->items[i];
	relays->count = kept + 1;
}

static enum rc
add(struct relays *relays, const struct addr_port *relay)
{
	if (relays->count >= CONSENSUS_RELAYS_MAX)
		return RC_LIMIT;
	if ((relays->count & (relays->count - 1)) == 0) { /* full at each power of two */
		size_t cap = relays->count != 0 ? relays->count * 2 : 1;
		struct addr_port *bigger = realloc(relays->items, cap * sizeof(*bigger));

		if (bigger == NULL)
			return RC_NO_MEMORY;
		relays->items = bigger;
	}
	relays->items[relays->count++] = *relay;
	return RC_OK;
}

static size_t
split(struct span line, struct span words[WORDS_MAX])
{
	size_t count = 0, start = 0;

	for (size_t i = 0; i <= line.len && count < WORDS_MAX; i++)
		if (i == line.len || line.data[i] == ' ') {
			words[count++] = span_of(line.data + start, i - start);
			start = i + 1;
		}
	return count;
}

/* "r nickname identity [digest] date time address orport dirport": the ns flavour has the
 * digest, the microdescriptor flavour has not. */
static enum rc
take_r(struct relays *relays, struct span line)
{
	struct span words[WORDS_MAX];
	size_t n = split(line, words);
	struct addr_port relay = { 0 };
	uint64_t or_port, dir_port;

	if (n != 8 && n != 9)
		return RC_SYNTAX;
	enum rc rc = addr_parse(words[n - 3], &relay.addr);
	if (rc == RC_OK)
		rc = parse_u64(words[n - 2], 65535, &or_port);
	if (rc == RC_OK)
		rc = parse_u64(words[n - 1], 65535, &dir_port);
	if (rc != RC_OK)
		return RC_SYNTAX;
	relay.port = (uint16_t)or_port;
	if (or_port != 0)
		rc = add(relays, &relay);
	relay.port = (uint16_t)dir_port;
	if (dir_port != 0 && rc == RC_OK)
		rc = add(relays, &relay);
	return rc;
}

static enum rc
take_a(struct relays *relays, struct span line)
{
	struct addr_port relay;

	if (addr_port_parse(span_of(line.data + 2, line.len - 2), &relay) != RC_OK)
		return RC_SYNTAX;
	return add(relays, &relay);
}

static bool
starts_with(struct span line, const char *word)
{
	size_t len = strlen(word);

	return line.len >= len && memcmp(line.data, word, len) == 0;
}

enum rc
relays_add_consensus(struct relays *relays, struct span text, size_t *skipped)
{
	struct rd rd = rd_from(text);
	struct span line;
	enum rc rc = RC_OK;

	*skipped = 0;
	if (!rd_line(&rd, &line) || !starts_with(line, "network-status-version 3"))
		return RC_SYNTAX;
	while (rc == RC_OK && rd_line(&rd, &line)) {
		if (starts_with(line, "r "))
			rc = take_r(relays, line);
		else if (starts_with(line, "a "))
			rc = take_a(relays, line);
		if (rc == RC_SYNTAX) {
			(*skipped)++;
			rc = RC_OK;
		}
	}
	return rc;
}
