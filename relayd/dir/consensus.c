/* consensus.c: asking a view, counting who holds it, and the copy with Ed25519 identities. */
#include "relayd/dir/consensus.h"

#include <stdlib.h>
#include <string.h>

#include "relayd/dir/consensus_parse.h"

struct consensus *
consensus_ref(struct consensus *c)
{
	if (c != NULL)
		atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
consensus_unref(struct consensus **c)
{
	struct consensus *gone = *c;

	*c = NULL;
	if (gone == NULL || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(gone->params);
	free(gone->relays);
	endpoint_clear(&gone->endpoints);
	free(gone);
}

time_t
consensus_valid_after(const struct consensus *c)
{
	return c->valid_after;
}

time_t
consensus_fresh_until(const struct consensus *c)
{
	return c->fresh_until;
}

time_t
consensus_valid_until(const struct consensus *c)
{
	return c->valid_until;
}

static int
param_compare(const void *name, const void *param)
{
	return strcmp(name, ((const struct consensus_param *)param)->name);
}

int32_t
consensus_param(const struct consensus *c, const char *name, int32_t def, int32_t min, int32_t max)
{
	const struct consensus_param *found = NULL;

	if (c != NULL && c->param_count != 0)
		found = bsearch(name, c->params, c->param_count, sizeof(*c->params), param_compare);
	if (found == NULL)
		return def;
	return found->value < min ? min : found->value > max ? max : found->value;
}

size_t
consensus_relay_count(const struct consensus *c)
{
	return c != NULL ? c->relay_count : 0;
}

const struct consensus_relay *
consensus_relay_at(const struct consensus *c, size_t index)
{
	return c != NULL && index < c->relay_count ? &c->relays[index] : NULL;
}

static int
relay_compare(const void *rsa_id, const void *relay)
{
	return memcmp(rsa_id, ((const struct consensus_relay *)relay)->rsa_id, 20);
}

const struct consensus_relay *
consensus_find(const struct consensus *c, const uint8_t rsa_id[20])
{
	if (c == NULL || c->relay_count == 0)
		return NULL;
	return bsearch(rsa_id, c->relays, c->relay_count, sizeof(*c->relays), relay_compare);
}

bool
consensus_is_or_port(const struct consensus *c, const struct addr_port *ap)
{
	struct addr plain = addr_unmap(&ap->addr);

	return c != NULL && ap->port != 0 && endpoint_find(&c->endpoints, &plain, ap->port);
}

bool
consensus_has_address(const struct consensus *c, const struct addr *addr)
{
	struct addr plain = addr_unmap(addr);

	return c != NULL && endpoint_find(&c->endpoints, &plain, 0);
}

/* A copy of count items; NULL only without memory. */
static void *
copy_of(const void *items, size_t count, size_t size)
{
	void *copy = calloc(count != 0 ? count : 1, size);

	if (copy != NULL && count != 0)
		memcpy(copy, items, count * size);
	return copy;
}

static enum rc
consensus_copy(const struct consensus *c, struct consensus **out)
{
	struct consensus *copy = calloc(1, sizeof(*copy));
	enum rc rc = RC_OK;

	*out = NULL;
	if (copy == NULL)
		return RC_NO_MEMORY;
	atomic_init(&copy->refs, 1);
	copy->valid_after = c->valid_after;
	copy->fresh_until = c->fresh_until;
	copy->valid_until = c->valid_until;
	copy->params = copy_of(c->params, c->param_count, sizeof(*c->params));
	copy->param_count = c->param_count;
	copy->relays = copy_of(c->relays, c->relay_count, sizeof(*c->relays));
	copy->relay_count = c->relay_count;
	if (copy->params == NULL || copy->relays == NULL)
		rc = RC_NO_MEMORY;
	for (size_t i = 0; i < c->endpoints.count && rc == RC_OK; i++)
		rc = endpoint_add(&copy->endpoints, &c->endpoints.points[i]);
	if (rc == RC_OK)
		rc = endpoint_index(&copy->endpoints);
	if (rc != RC_OK)
		consensus_unref(&copy);
	*out = copy;
	return rc;
}

enum rc
consensus_with_ed_ids(const struct consensus *c,
    const uint8_t *(*find)(void *arg, const uint8_t micro_digest[32]), void *arg, size_t *missing,
    struct consensus **out)
{
	enum rc rc = consensus_copy(c, out);

	*missing = 0;
	for (size_t i = 0; rc == RC_OK && i < c->relay_count; i++) {
		struct consensus_relay *relay = &(*out)->relays[i];
		const uint8_t *ed_id = find(arg, relay->micro_digest);

		relay->has_ed_id = ed_id != NULL;
		if (ed_id != NULL)
			memcpy(relay->ed_id, ed_id, sizeof(relay->ed_id));
		else
			++*missing;
	}
	return rc;
}
