/* open.c: from BEGIN or RESOLVE to an answer: the order of the checks (tor-interop 4.1). */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "relayd/exit/exit.h"
#include "relayd/exit/stream.h"
#include "relayd/guard/guard.h"

#define LITERAL_TTL 1800

/* END without a stream of our own. */
static void
refuse(struct circuit *c, uint16_t id, enum end_reason reason)
{
	uint8_t body = (uint8_t)reason;

	circuit_send(c, RELAY_END, id, span_of(&body, 1));
}

/* 0.x.y.z:25 and its kin: path-bias probes must get their policy answer, whatever the policy. */
static bool
is_probe(const struct addr *a)
{
	return a->family == ADDR_IPV4 && a->bytes[0] == 0;
}

/* Policy and re-entry for a known address. False: the stream has been ended. */
static bool
address_is_allowed(struct stream *s)
{
	const struct snapshot *snap = s->worker->snap;
	const struct addr_port *to = &s->to.ap;

	if (is_probe(&to->addr) || !policy_allows(snap->policy, &to->addr, to->port)) {
		stream_end_policy(s);
		return false;
	}
	if (!snap->allow_network_reentry && consensus_is_or_port(snap->consensus, to)) {
		stream_end(s, END_CONNECTREFUSED); /* so that nobody tries again */
		return false;
	}
	return true;
}

static void
connect_now(struct stream *s)
{
	enum rc rc = stream_connect(s);

	if (rc != RC_OK && rc != RC_CLOSED)
		stream_end(s, END_MISC);
}

static void
refused_by_guard(struct stream *s)
{
	atomic_fetch_add_explicit(
	    &s->worker->counters.streams_refused_guard, 1, memory_order_relaxed);
	if (!s->is_resolve)
		stream_end(s, END_MISC); /* the client goes elsewhere by itself */
}

static void
go_on(struct stream *s)
{
	const struct snapshot *snap = s->worker->snap;

	if (s->host == NULL || s->state == STREAM_ASKING_DEST) {
		connect_now(s);
		return;
	}
	s->state = STREAM_RESOLVING;
	if (lookup_start(s, DNS_ADDRESSES, s->host, snap->ipv6_exit) != RC_OK)
		stream_end(s, END_RESOLVEFAILED);
}

static void
ask_guard(struct stream *s, enum report_type type)
{
	struct report_record r = {
		.type = (uint8_t)type,
		.port = s->to.ap.port,
		.stream = s->report_id,
		.circuit = s->circuit->report_id,
	};
	uint32_t epoch;

	report_set_addr(&r, &s->to.ap.addr);
	if (type == REPORT_OPEN && s->host != NULL)
		r.flags = REPORT_BY_NAME;
	if (type == REPORT_DEST && s->report_epoch == 0) {
		go_on(s); /* exitguard never heard of it: nothing to add to */
		return;
	}
	switch (guard_ask(s->worker, &r, s->handle, &epoch)) {
	case GUARD_WAIT:
		s->report_epoch = epoch;
		break;
	case GUARD_ALLOW:
		go_on(s);
		break;
	case GUARD_REFUSE:
		refused_by_guard(s);
		break;
	}
}

void
stream_verdict(struct stream *s, bool allow)
{
	if (s->state != STREAM_ASKING && s->state != STREAM_ASKING_DEST)
		return;
	if (allow)
		go_on(s);
	else
		refused_by_guard(s);
}

/* Who asks? A one-hop client or, if we are told to mind, a stranger gets no exit. 0: fine. */
static unsigned
previous_hop_problem(const struct circuit *c)
{
	const struct link *prev = c->prev->link;

	if (!prev->hs.authenticated)
		return END_TORPROTOCOL;
	if (c->worker->snap->refuse_unknown_exits && !link_peer_is_known_relay(prev))
		return END_MISC;
	return 0;
}

void
stream_begin(struct circuit *c, uint16_t id, struct span data)
{
	struct begin begin;
	struct stream *s;

	if (stream_find(c, id) != NULL)
		return; /* in use: dropped */
	unsigned problem =
	    begin_parse(data, &begin) != RC_OK ? END_TORPROTOCOL : previous_hop_problem(c);
	if (problem == 0 && (begin.flags & BEGIN_IPV4_NOT_OK) != 0 && !c->worker->snap->ipv6_exit)
		problem = END_NOROUTE;
	if (problem == 0 && c->worker->snap->draining)
		problem = END_HIBERNATING;
	if (problem != 0) {
		refuse(c, id, (enum end_reason)problem);
		return;
	}
	s = stream_new(c, id);
	if (s == NULL || (!begin.is_literal && (s->host = strdup(begin.host)) == NULL)) {
		if (s != NULL)
			stream_free(s);
		refuse(c, id, END_MISC);
		return;
	}
	s->flags = begin.flags;
	s->to.ap.port = begin.port;
	s->ttl = LITERAL_TTL;
	s->state = STREAM_ASKING;
	if (begin.is_literal) {
		/* ::ffff:a.b.c.d goes out as IPv4: from the IPv4 address, under its rules. */
		s->to.ap.addr = addr_unmap(&begin.addr);
		if (!address_is_allowed(s))
			return;
	} else if (policy_is_reject_all(c->worker->snap->policy)) {
		stream_end(s, END_RESOLVEFAILED);
		return;
	}
	ask_guard(s, REPORT_OPEN);
}

/* Which of the answers will do for this client? */
static bool
choose_address(struct stream *s, const struct dns_answer *answer)
{
	bool v4_ok = answer->v4.family != ADDR_NONE && (s->flags & BEGIN_IPV4_NOT_OK) == 0;
	bool v6_ok = answer->v6.family != ADDR_NONE && (s->flags & BEGIN_IPV6_OK) != 0 &&
		     s->worker->snap->ipv6_exit;

	if (!v4_ok && !v6_ok)
		return false;
	if (v6_ok && (!v4_ok || (s->flags & BEGIN_IPV6_PREFERRED) != 0))
		s->to.ap.addr = addr_unmap(&answer->v6);
	else
		s->to.ap.addr = answer->v4;
	return true;
}

static void
answer_resolve(struct stream *s, const struct dns_answer *answer)
{
	uint8_t body[RELAY_DATA_MAX];
	struct wr wr = wr_to(body, sizeof(body));
	struct circuit *c = s->circuit;
	uint16_t id = s->id;

	if (answer->status == DNS_OK && answer->v4.family != ADDR_NONE)
		resolved_write_addr(&wr, &answer->v4);
	if (answer->status == DNS_OK && answer->v6.family != ADDR_NONE)
		resolved_write_addr(&wr, &answer->v6);
	if (answer->status == DNS_OK && answer->name[0] != '\0')
		resolved_write_name(&wr, answer->name);
	if (wr_len(&wr) == 0)
		resolved_write_error(&wr, answer->status == DNS_FAILED);
	stream_free(s);
	circuit_send(c, RELAY_RESOLVED, id, wr_written(&wr));
}

void
stream_answered(struct stream *s, const struct dns_answer *answer)
{
	uint8_t random[4];

	if (s->state != STREAM_RESOLVING)
		return;
	if (s->is_resolve) {
		answer_resolve(s, answer);
		return;
	}
	if (answer->status != DNS_OK || !choose_address(s, answer)) {
		stream_end(s, END_RESOLVEFAILED);
		return;
	}
	worker_random(s->worker, random, sizeof(random));
	s->ttl = dns_clip_ttl(answer->ttl, get_u32(random));
	if (!address_is_allowed(s))
		return;
	s->state = STREAM_ASKING_DEST;
	ask_guard(s, REPORT_DEST);
}

static void
answer_resolve_error(struct circuit *c, uint16_t id, bool transient)
{
	uint8_t body[64];
	struct wr wr = wr_to(body, sizeof(body));

	resolved_write_error(&wr, transient);
	circuit_send(c, RELAY_RESOLVED, id, wr_written(&wr));
}

void
stream_resolve(struct circuit *c, uint16_t id, struct span data)
{
	char host[256];
	struct addr literal;
	struct stream *s;
	enum dns_kind kind = DNS_ADDRESSES;

	if (stream_find(c, id) != NULL)
		return;
	if (previous_hop_problem(c) != 0 || resolve_parse(data, host) != RC_OK ||
	    addr_parse(span_of_str(host), &literal) == RC_OK ||
	    policy_is_reject_all(c->worker->snap->policy)) {
		answer_resolve_error(c, id, false);
		return;
	}
	if (dns_parse_ptr_name(host, &literal) == RC_OK) {
		if (addr_is_internal(&literal)) {
			answer_resolve_error(c, id, false);
			return;
		}
		kind = DNS_PTR;
	}
	s = stream_new(c, id);
	if (s == NULL) {
		answer_resolve_error(c, id, true);
		return;
	}
	s->is_resolve = true;
	s->state = STREAM_RESOLVING;
	if (lookup_start(s, kind, host, c->worker->snap->ipv6_exit) != RC_OK) {
		stream_free(s);
		answer_resolve_error(c, id, true);
	}
}
