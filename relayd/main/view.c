/* view.c: the parts of the view that the workers get, each made anew when what it comes from
 * changes. */
#include "relayd/main/view.h"

#include <string.h>

#include "common/log.h"
#include "relayd/link/tls.h"

static void
torrc_free_ptr(void *conf)
{
	struct torrc *t = conf;

	torrc_free(&t);
}

static void
policy_free_ptr(void *ptr)
{
	struct policy *policy = ptr;

	policy_free(&policy);
}

enum rc
view_set_config(struct snapshot *s, struct torrc *conf)
{
	struct shared *ref = shared_new(conf, torrc_free_ptr);

	if (ref == NULL)
		return RC_NO_MEMORY;
	shared_unref(&s->conf_ref);
	s->conf_ref = ref;
	s->conf = conf;
	return RC_OK;
}

/* The first ORPort of a family that is to be advertised; false: none. */
static bool
advertised_port(const struct torrc *conf, uint8_t family, struct addr_port *out)
{
	for (size_t i = 0; i < conf->or_port_count; i++) {
		const struct torrc_port *p = &conf->or_ports[i];

		if (p->no_advertise || (p->addr.family != ADDR_NONE && p->addr.family != family) ||
		    (p->ipv4_only && family != ADDR_IPV4) || (p->ipv6_only && family != ADDR_IPV6))
			continue;
		out->addr = p->addr;
		out->port = p->port;
		return true;
	}
	return false;
}

void
view_set_addresses(struct snapshot *s, const struct torrc *conf, const struct addr *guess)
{
	memset(&s->or_v4, 0, sizeof(s->or_v4));
	memset(&s->or_v6, 0, sizeof(s->or_v6));
	s->own_count = 0;
	if (advertised_port(conf, ADDR_IPV4, &s->or_v4)) {
		if (conf->address_v4.family != ADDR_NONE)
			s->or_v4.addr = conf->address_v4;
		else if (s->or_v4.addr.family == ADDR_NONE)
			s->or_v4.addr = *guess;
	}
	if (advertised_port(conf, ADDR_IPV6, &s->or_v6) && conf->address_v6.family != ADDR_NONE)
		s->or_v6.addr = conf->address_v6;
	if (s->or_v4.addr.family != ADDR_NONE)
		s->own[s->own_count++] = s->or_v4.addr;
	if (s->or_v6.addr.family != ADDR_NONE)
		s->own[s->own_count++] = s->or_v6.addr;
}

#define POLICY_OWN_MAX 6

/* What no stream may reach as coming from us: what we advertise and what we leave from. */
static size_t
own_addresses(const struct snapshot *s, const struct torrc *conf, struct addr out[POLICY_OWN_MAX])
{
	const struct addr *outbound[] = { &conf->outbound_or_v4, &conf->outbound_or_v6,
		&conf->outbound_exit_v4, &conf->outbound_exit_v6 };
	size_t n = 0;

	for (size_t i = 0; i < s->own_count; i++)
		out[n++] = s->own[i];
	for (size_t i = 0; i < sizeof(outbound) / sizeof(outbound[0]); i++) {
		bool is_new = outbound[i]->family != ADDR_NONE;

		for (size_t k = 0; k < n && is_new; k++)
			is_new = !addr_equal(&out[k], outbound[i]);
		if (is_new)
			out[n++] = *outbound[i];
	}
	return n;
}

/* The configured policy, without what only a running relay knows if s is NULL. */
static enum rc
build_policy(const struct snapshot *s, const struct torrc *conf, struct policy **out)
{
	struct addr own[POLICY_OWN_MAX];
	struct policy_options options = {
		.exit_relay = conf->exit_relay,
		.ipv6_exit = conf->ipv6_exit,
		.reject_private = conf->exit_policy_reject_private,
		.reduced = conf->reduced_exit_policy,
		.own = own,
		.own_count = s != NULL ? own_addresses(s, conf, own) : 0,
	};
	char why[256];
	enum rc rc = policy_build((const char *const *)conf->exit_policy.items,
	    conf->exit_policy.count, &options, out, why, sizeof(why));

	if (rc != RC_OK)
		log_error(LOG_CONFIG, "ExitPolicy: %s", why);
	return rc;
}

enum rc
view_check_policy(const struct torrc *conf)
{
	struct policy *policy = NULL;
	enum rc rc = build_policy(NULL, conf, &policy);

	policy_free(&policy);
	return rc;
}

enum rc
view_set_policy(struct snapshot *s, const struct torrc *conf)
{
	struct policy *policy;
	enum rc rc = build_policy(s, conf, &policy);

	if (rc != RC_OK)
		return rc;
	shared_unref(&s->policy_ref);
	s->policy_ref = shared_new(policy, policy_free_ptr);
	s->policy = policy;
	return s->policy_ref != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc
view_set_keys(struct snapshot *s, struct keystore *keystore)
{
	struct relay_keys *keys = keystore_current(keystore);
	SSL_CTX *server = tls_server_ctx(keys);

	if (server == NULL) {
		relay_keys_unref(&keys);
		log_error(LOG_KEYS, "cannot make a TLS context of the link key");
		return RC_CRYPTO;
	}
	if (s->keys != NULL)
		relay_keys_unref(&s->keys);
	SSL_CTX_free(s->tls_server);
	s->keys = keys;
	s->tls_server = server;
	return RC_OK;
}

struct snapshot *
view_first(struct torrc *conf, struct keystore *keystore)
{
	static const struct addr nowhere;
	struct snapshot *s = snapshot_new();

	if (s == NULL || view_set_config(s, conf) != RC_OK) {
		torrc_free(&conf);
		snapshot_unref(&s);
		return NULL;
	}
	s->tls_client = tls_client_ctx();
	view_set_addresses(s, conf, &nowhere);
	if (s->tls_client == NULL || view_set_policy(s, conf) != RC_OK ||
	    view_set_keys(s, keystore) != RC_OK) {
		snapshot_unref(&s);
		return NULL;
	}
	snapshot_params(s);
	return s;
}
