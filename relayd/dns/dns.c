/* dns.c: lookups over libunbound. Its thread does the asking; we watch the descriptor that it
 * shows when answers are ready. */
#include "relayd/dns/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"

#define TYPE_A    1
#define TYPE_PTR  12
#define TYPE_AAAA 28
#define CLASS_IN  1

#define RESOLV_CONF_MAX 65536
#define SERVERS_MAX     8

/* One question to libunbound; a lookup has one or two. */
struct question {
	struct lookup *lookup;
	int async_id;
	bool pending;
};

struct lookup {
	struct lookup *prev, *next; /* in dns->pending, by deadline */
	struct dns *dns;
	dns_done_fn *done;
	void *arg;
	uint64_t deadline_ms;
	struct question questions[2];
	struct dns_answer answer;
	bool failed, has_ttl;
};

struct dns {
	struct event_base *base;
	char *resolv_conf;
	char *servers; /* what was read, one a line: to see changes */
	struct ub_ctx *ctx;
	struct event *ready, *tick;
	struct lookup *pending;
	unsigned pending_count;
};

static void
lookup_end(struct lookup *l)
{
	struct dns_answer answer = l->answer;
	bool has_any = answer.v4.family != ADDR_NONE || answer.v6.family != ADDR_NONE ||
		       answer.name[0] != '\0';

	answer.status = has_any ? DNS_OK : l->failed ? DNS_FAILED : DNS_NXDOMAIN;
	DL_DELETE(l->dns->pending, l);
	l->dns->pending_count--;
	l->done(l->arg, &answer);
	free(l);
}

static void
cancel_questions(struct lookup *l)
{
	for (unsigned i = 0; i < 2; i++)
		if (l->questions[i].pending)
			(void)ub_cancel(l->dns->ctx, l->questions[i].async_id);
}

static void
take_result(struct lookup *l, const struct ub_result *r)
{
	if (r->rcode != 0 && !r->nxdomain)
		l->failed = true;
	if (!r->havedata)
		return;
	struct span data = span_of(r->data[0], (size_t)r->len[0]);
	if (r->qtype == TYPE_A && data.len == 4)
		l->answer.v4 = addr_ipv4(get_u32(data.data));
	else if (r->qtype == TYPE_AAAA && data.len == 16)
		l->answer.v6 = addr_ipv6(data.data);
	else if (r->qtype != TYPE_PTR || dns_wire_name(data, l->answer.name) != RC_OK)
		return;
	if (!l->has_ttl || (uint32_t)r->ttl < l->answer.ttl)
		l->answer.ttl = r->ttl > 0 ? (uint32_t)r->ttl : 0;
	l->has_ttl = true;
}

static void
on_result(void *arg, int error, struct ub_result *result)
{
	struct question *q = arg;
	struct lookup *l = q->lookup;

	q->pending = false;
	if (error != 0 || result == NULL)
		l->failed = true;
	else
		take_result(l, result);
	ub_resolve_free(result);
	if (!l->questions[0].pending && !l->questions[1].pending)
		lookup_end(l);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct dns *dns = arg;

	(void)fd;
	(void)what;
	(void)ub_process(dns->ctx);
}

/* Names that are refused unasked are answered here too, a moment later. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dns *dns = arg;
	uint64_t now = clock_mono_ms();
	struct lookup *l, *tmp;

	(void)fd;
	(void)what;
	DL_FOREACH_SAFE (dns->pending, l, tmp) {
		if (l->deadline_ms > now)
			break; /* the rest is younger */
		cancel_questions(l);
		l->failed = l->failed || l->questions[0].pending || l->questions[1].pending;
		lookup_end(l);
	}
}

static enum rc
ask(struct lookup *l, unsigned slot, const char *name, int type)
{
	struct question *q = &l->questions[slot];

	q->lookup = l;
	if (ub_resolve_async(l->dns->ctx, name, type, CLASS_IN, q, on_result, &q->async_id) != 0)
		return RC_SYSTEM;
	q->pending = true;
	return RC_OK;
}

enum rc
dns_lookup(struct dns *dns, enum dns_kind kind, const char *name, bool want_v6, dns_done_fn *done,
    void *arg)
{
	struct lookup *l;
	enum rc rc;

	if (dns->pending_count >= DNS_PENDING_MAX)
		return RC_LIMIT;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return RC_NO_MEMORY;
	l->dns = dns;
	l->done = done;
	l->arg = arg;
	l->deadline_ms = clock_mono_ms() + DNS_DEADLINE_MS;
	if (!dns_name_is_askable(name)) {
		l->deadline_ms = 0;
		dns->pending_count++;
		DL_PREPEND(dns->pending, l);
		event_active(dns->tick, EV_TIMEOUT, 0); /* as soon as the loop turns */
		return RC_OK;
	}
	rc = ask(l, 0, name, kind == DNS_PTR ? TYPE_PTR : TYPE_A);
	if (rc == RC_OK && kind == DNS_ADDRESSES && want_v6)
		(void)ask(l, 1, name, TYPE_AAAA); /* without it IPv4 still serves */
	if (rc != RC_OK) {
		free(l);
		return rc;
	}
	DL_APPEND(dns->pending, l);
	dns->pending_count++;
	return RC_OK;
}

/* The nameserver lines of resolv.conf, one address a line. */
static enum rc
read_servers(const char *path, char **out, char *why, size_t why_len)
{
	static const char word[] = "nameserver";
	char *text, servers[SERVERS_MAX * 64 + 1] = "";
	struct wr wr = wr_to(servers, sizeof(servers) - 1);
	size_t len;
	struct span line;
	enum rc rc = conf_read_file(path, RESOLV_CONF_MAX, &text, &len);

	if (rc != RC_OK) {
		snprintf(why, why_len, "cannot read %s: %s", path,
		    rc == RC_SYSTEM ? strerror(errno) : rc_str(rc));
		return rc;
	}
	struct rd rd = rd_from(span_of(text, len));
	for (unsigned n = 0; n < SERVERS_MAX && rd_line(&rd, &line);) {
		char copy[96], server[64];

		snprintf(copy, sizeof(copy), "%.*s", (int)line.len, (const char *)line.data);
		if (strncmp(copy, word, sizeof(word) - 1) != 0 ||
		    sscanf(copy + sizeof(word) - 1, " %63s", server) != 1)
			continue;
		wr_printf(&wr, "%s\n", server);
		n++;
	}
	free(text);
	*out = strdup(wr_len(&wr) != 0 ? servers : "127.0.0.1\n"); /* resolv.conf(5) */
	return *out != NULL ? RC_OK : RC_NO_MEMORY;
}

static enum rc
set_options(struct ub_ctx *ctx)
{
	static const struct {
		const char *name, *value;
	} options[] = {
		{ "do-not-query-localhost:", "no" }, /* a resolver on this host is the best one */
		{ "use-caps-for-id:", "yes" },       /* 0x20: harder to forge answers */
		{ "cache-max-ttl:", "3600" },
		/* The library's own figures are for one application: 16 questions at once. */
		{ "outgoing-range:", "1024" },
		{ "num-queries-per-thread:", "4096" },
		{ "outgoing-num-tcp:", "64" },
		{ "msg-cache-size:", "16m" },
		{ "rrset-cache-size:", "32m" },
		{ "prefetch:", "no" },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ub_ctx_set_option(ctx, options[i].name, options[i].value) != 0)
			return RC_UNSUPPORTED;
	return ub_ctx_async(ctx, 1) == 0 ? RC_OK : RC_SYSTEM;
}

/* A context that asks these servers; NULL and why on failure. */
static struct ub_ctx *
make_context(const char *servers, char *why, size_t why_len)
{
	struct ub_ctx *ctx = ub_ctx_create();
	struct rd rd = rd_from(span_of_str(servers));
	struct span line;

	if (ctx != NULL)
		(void)ub_ctx_debugout(ctx, NULL); /* its complaints would hold names */
	if (ctx == NULL || set_options(ctx) != RC_OK) {
		snprintf(why, why_len, "libunbound does not start");
		ub_ctx_delete(ctx);
		return NULL;
	}
	while (rd_line(&rd, &line)) {
		char server[64];

		snprintf(server, sizeof(server), "%.*s", (int)line.len, (const char *)line.data);
		int error = ub_ctx_set_fwd(ctx, server);
		if (error != 0) {
			snprintf(why, why_len, "resolver %s: %s", server, ub_strerror(error));
			ub_ctx_delete(ctx);
			return NULL;
		}
	}
	/* libunbound would answer for test. itself; what is there is the system resolvers' say. No
	 * option may be set after this. */
	(void)ub_ctx_zone_remove(ctx, "test.");
	return ctx;
}

static enum rc
watch(struct dns *dns)
{
	dns->ready = event_new(dns->base, ub_fd(dns->ctx), EV_READ | EV_PERSIST, on_ready, dns);
	return dns->ready != NULL && event_add(dns->ready, NULL) == 0 ? RC_OK : RC_NO_MEMORY;
}

static void
unwatch(struct dns *dns)
{
	struct lookup *l, *tmp;

	if (dns->ready != NULL)
		event_free(dns->ready);
	dns->ready = NULL;
	DL_FOREACH_SAFE (dns->pending, l, tmp) {
		cancel_questions(l);
		l->failed = true;
		lookup_end(l);
	}
	ub_ctx_delete(dns->ctx);
	dns->ctx = NULL;
}

enum rc
dns_new(
    struct event_base *base, const char *resolv_conf, struct dns **out, char *why, size_t why_len)
{
	static const struct timeval second = { 1, 0 };
	struct dns *dns = calloc(1, sizeof(*dns));
	enum rc rc = RC_NO_MEMORY;

	*out = NULL;
	snprintf(why, why_len, "out of memory");
	if (dns == NULL)
		return rc;
	dns->base = base;
	dns->resolv_conf = strdup(resolv_conf != NULL ? resolv_conf : "/etc/resolv.conf");
	if (dns->resolv_conf != NULL)
		rc = read_servers(dns->resolv_conf, &dns->servers, why, why_len);
	if (rc == RC_OK) {
		dns->ctx = make_context(dns->servers, why, why_len);
		rc = dns->ctx != NULL ? watch(dns) : RC_SYSTEM;
	}
	if (rc == RC_OK) {
		dns->tick = event_new(base, -1, EV_PERSIST, on_tick, dns);
		rc = dns->tick != NULL && event_add(dns->tick, &second) == 0 ? RC_OK : RC_NO_MEMORY;
	}
	if (rc != RC_OK)
		dns_free(&dns);
	*out = dns;
	return rc;
}

void
dns_free(struct dns **pdns)
{
	struct dns *dns = *pdns;

	*pdns = NULL;
	if (dns == NULL)
		return;
	unwatch(dns);
	if (dns->tick != NULL)
		event_free(dns->tick);
	free(dns->servers);
	free(dns->resolv_conf);
	free(dns);
}

void
dns_reload(struct dns *dns)
{
	char why[256], *servers;
	struct ub_ctx *ctx;

	if (read_servers(dns->resolv_conf, &servers, why, sizeof(why)) != RC_OK) {
		log_warn(LOG_DNS, "going on with the resolvers we have: %s", why);
		return;
	}
	if (strcmp(servers, dns->servers) == 0) {
		free(servers);
		return;
	}
	ctx = make_context(servers, why, sizeof(why));
	if (ctx == NULL) {
		log_warn(LOG_DNS, "going on with the resolvers we have: %s", why);
		free(servers);
		return;
	}
	unwatch(dns);
	dns->ctx = ctx;
	free(dns->servers);
	dns->servers = servers;
	if (watch(dns) != RC_OK)
		log_error(LOG_DNS, "out of memory: names cannot be resolved until a restart");
}
