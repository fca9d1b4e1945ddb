/* next.c: a circuit's next hop, on a link of this worker or of another: extending, passing cells
 * on, giving it up. Between workers only messages; a hop on an own link is called directly. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "relayd/circuit/circuit.h"
#include "relayd/link/registry.h"

#define LINK_OLD_MS (7ull * 86400 * 1000) /* older links take no new circuits */

/* Asks the owner of a link to make the next hop. It waits in link->waiting until the link opens. */
struct extend_message {
	struct message msg;
	uint64_t link_id, circuit_id;
	uint32_t ask;
	uint16_t handshake_type, len;
	uint8_t onion_skin[CELL_BODY_LEN];
};

enum hop_event { HOP_MADE, HOP_FAILED, HOP_LOST };

/* Tells the owner of a circuit what became of its next hop. */
struct hop_message {
	struct message msg;
	enum hop_event event;
	uint64_t circuit_id, link_id;
	uint32_t circid, ask; /* ask: not for HOP_LOST */
	enum destroy_reason reason;
};

struct destroy_message {
	struct message msg;
	uint64_t link_id;
	uint32_t circid;
	enum destroy_reason reason;
};

/* --- in the circuit's worker ----------------------------------------------------------------- */

static void hop_destroy(
    struct worker *w, uint64_t link_id, uint32_t circid, enum destroy_reason reason);

static void
on_hop(struct worker *w, const struct hop_message *m)
{
	struct circuit *c = circuit_find(w, m->circuit_id);
	bool is_asked = c != NULL && c->next == NEXT_ASKED && c->next_ask == m->ask;
	bool is_next = c != NULL && c->next == NEXT_OPEN && c->next_link == m->link_id &&
		       c->next_circid == m->circid;

	if (m->event == HOP_MADE && !is_asked) { /* the circuit went or was cut meanwhile */
		hop_destroy(w, m->link_id, m->circid, DESTROY_DESTROYED);
	} else if (m->event == HOP_MADE) {
		c->next_link = m->link_id;
		c->next_circid = m->circid;
		c->next_answered = false;
		c->next = NEXT_OPEN;
	} else if (m->event == HOP_FAILED ? is_asked : is_next) {
		c->next = NEXT_NONE;
		circuit_shut(c, (int)m->reason, -1);
	}
}

static void
hop_deliver(struct worker *w, struct message *m)
{
	on_hop(w, (struct hop_message *)m);
	free(m);
}

static void
hop_tell(struct worker *w, const struct hop_message *what)
{
	struct hop_message *m;

	if (id_worker(what->circuit_id) == w->index) {
		on_hop(w, what);
		return;
	}
	m = malloc(sizeof(*m));
	if (m == NULL)
		return; /* the circuit then ends with its own link */
	*m = *what;
	m->msg.deliver = hop_deliver;
	worker_post(w, id_worker(what->circuit_id), &m->msg);
}

/* A cell from the next hop, node->target the circuit. */
static void
on_backward(struct worker *w, struct cell_node *node)
{
	struct circuit *c = circuit_find(w, node->target);
	uint8_t command = node->bytes[4];
	uint8_t *body = node->bytes + CELL_HEAD_LEN;
	struct span reply;

	if (c == NULL || c->next != NEXT_OPEN || c->next_circid != node->circid) {
		cell_node_free(w, node);
		return;
	}
	if (command == CELL_RELAY && c->next_answered) {
		tor1_backward_relay(c->crypto, body);
		if (link_circ_send(c->prev, CELL_RELAY, node) != RC_OK)
			circuit_close(c, DESTROY_RESOURCELIMIT);
		return;
	}
	if (command == CELL_CREATED2 && !c->next_answered &&
	    created2_parse(span_of(body, CELL_BODY_LEN), &reply) == RC_OK &&
	    reply.len + 2 <= RELAY_DATA_MAX) {
		c->next_answered = true;
		circuit_send(c, RELAY_EXTENDED2, 0, span_of(body, reply.len + 2));
	} else
		circuit_close(c, DESTROY_PROTOCOL); /* a second CREATED2, or an early cell, say */
	cell_node_free(w, node);
}

static void
backward_deliver(struct worker *w, struct message *m)
{
	on_backward(w, (struct cell_node *)m);
}

static bool
extend_is_sane(const struct circuit *c, const struct extend2 *e)
{
	const struct link *prev = c->prev->link;
	const struct relay_keys *own = c->worker->snap->keys;

	if (memcmp(e->rsa_id, own->rsa_id_digest, 20) == 0 ||
	    (e->has_ed_id && memcmp(e->ed_id, own->ed_id, 32) == 0))
		return false;
	if (prev->hs.authenticated &&
	    (memcmp(e->rsa_id, prev->hs.peer_rsa_id, 20) == 0 ||
		(e->has_ed_id && memcmp(e->ed_id, prev->hs.peer_ed_id, 32) == 0)))
		return false;
	return true;
}

/* The address to go to: IPv4 first, IPv6 if that is all and we have it. ADDR_NONE: none. */
static struct addr_port
extend_address(const struct circuit *c, const struct extend2 *e)
{
	const struct torrc *conf = c->worker->snap->conf;
	bool private_ok = conf->extend_allow_private_addresses || conf->testing_tor_network;
	struct addr_port none = { .port = 0 };

	if (e->v4.addr.family != ADDR_NONE && (private_ok || !addr_is_internal(&e->v4.addr)))
		return e->v4;
	if (e->v6.addr.family != ADDR_NONE && (private_ok || !addr_is_internal(&e->v6.addr)) &&
	    c->worker->snap->or_v6.addr.family != ADDR_NONE)
		return e->v6;
	return none;
}

static void extend_on_link(struct worker *w, struct extend_message *m);

static void
extend_deliver(struct worker *w, struct message *m)
{
	extend_on_link(w, (struct extend_message *)m);
}

/* Find or begin a link and ask for the hop. */
static enum destroy_reason
extend_start(struct circuit *c, const struct extend2 *e)
{
	struct worker *w = c->worker;
	struct addr_port to = extend_address(c, e);
	const struct addr *from = to.addr.family == ADDR_IPV6 ? &w->snap->conf->outbound_or_v6
							      : &w->snap->conf->outbound_or_v4;
	const uint8_t *ed_id = e->has_ed_id ? e->ed_id : NULL;
	const struct consensus_relay *known = consensus_find(w->snap->consensus, e->rsa_id);
	uint64_t now = clock_mono_ms();
	uint64_t link_id;

	if (ed_id == NULL && known != NULL && known->has_ed_id)
		ed_id = known->ed_id;
	link_id = registry_find(
	    e->rsa_id, ed_id, &e->v4.addr, &e->v6.addr, now > LINK_OLD_MS ? now - LINK_OLD_MS : 0);
	if (link_id == 0) {
		struct link *link = to.addr.family != ADDR_NONE
					? link_connect(w, &to, from, e->rsa_id, ed_id)
					: NULL;

		if (link == NULL)
			return DESTROY_CONNECTFAILED;
		link_id = link->id;
	}
	struct extend_message *m = malloc(sizeof(*m));
	if (m == NULL)
		return DESTROY_RESOURCELIMIT;
	m->msg.deliver = extend_deliver;
	m->link_id = link_id;
	m->circuit_id = c->id;
	m->ask = ++c->next_ask;
	m->handshake_type = e->create.handshake_type;
	m->len = (uint16_t)e->create.onion_skin.len;
	memcpy(m->onion_skin, e->create.onion_skin.data, m->len);
	c->next = NEXT_ASKED;
	if (id_worker(link_id) == w->index)
		extend_on_link(w, m);
	else
		worker_post(w, id_worker(link_id), &m->msg);
	return DESTROY_NONE;
}

void
circuit_extend(struct circuit *c, struct span data)
{
	struct extend2 e;

	if (c->next != NEXT_NONE || extend2_parse(data, &e) != RC_OK ||
	    e.create.onion_skin.len + 4 > CELL_BODY_LEN) {
		worker_complain(c->worker, LOG_CIRC, "closing a circuit: bad EXTEND2");
		circuit_close(c, DESTROY_PROTOCOL);
		return;
	}
	if (!extend_is_sane(c, &e)) { /* everyday in a network of few relays: no complaint */
		log_info(
		    LOG_CIRC, "closing a circuit: asked to go back to the previous hop or to us");
		circuit_close(c, DESTROY_PROTOCOL);
		return;
	}
	enum destroy_reason reason = extend_start(c, &e);
	if (reason != DESTROY_NONE)
		circuit_close(c, reason);
}

void
circuit_truncate(struct circuit *c, struct span data)
{
	uint8_t reason = DESTROY_REQUESTED;

	if (data.len == 0) {
		circuit_close(c, DESTROY_PROTOCOL);
		return;
	}
	next_destroy(c, (enum destroy_reason)data.data[0]);
	circuit_send(c, RELAY_TRUNCATED, 0, span_of(&reason, 1));
}

/* --- in the link's worker -------------------------------------------------------------------- */

static void
hop_fail(struct worker *w, const struct extend_message *m, enum destroy_reason reason)
{
	struct hop_message failed = {
		.event = HOP_FAILED,
		.circuit_id = m->circuit_id,
		.ask = m->ask,
		.reason = reason,
	};

	hop_tell(w, &failed);
}

static void
hop_make(struct link *link, const struct extend_message *m)
{
	struct create2 create = {
		.handshake_type = m->handshake_type,
		.onion_skin = span_of(m->onion_skin, m->len),
	};
	uint8_t body[CELL_BODY_LEN];
	struct wr wr = wr_to(body, sizeof(body));
	struct link_circ *lc = link_circ_new(link, 0);

	if (lc == NULL) {
		hop_fail(link->worker, m, DESTROY_RESOURCELIMIT);
		return;
	}
	lc->is_next_hop = true;
	lc->circuit_id = m->circuit_id;
	create2_write_body(&wr, &create);
	link_send_control(link, lc->circid, CELL_CREATE2, wr_written(&wr));
	struct hop_message made = {
		.event = HOP_MADE,
		.circuit_id = m->circuit_id,
		.link_id = link->id,
		.circid = lc->circid,
		.ask = m->ask,
	};
	hop_tell(link->worker, &made);
}

/* Takes m. */
static void
extend_on_link(struct worker *w, struct extend_message *m)
{
	struct link *link = link_find(w, m->link_id);

	if (link != NULL && !link->open) {
		struct message *list = link->waiting;

		LL_PREPEND(list, &m->msg);
		link->waiting = list;
		return;
	}
	if (link == NULL)
		hop_fail(w, m, DESTROY_CHANNEL_CLOSED);
	else
		hop_make(link, m);
	free(m);
}

static struct message *
take_waiting(struct link *link)
{
	struct message *list = link->waiting;

	link->waiting = NULL;
	return list;
}

void
next_link_opened(struct link *link)
{
	struct message *m, *tmp, *list = take_waiting(link);

	LL_FOREACH_SAFE (list, m, tmp) {
		hop_make(link, (struct extend_message *)m);
		free(m);
	}
}

void
next_link_closed(struct link *link)
{
	struct message *m, *tmp, *list = take_waiting(link);

	LL_FOREACH_SAFE (list, m, tmp) {
		hop_fail(link->worker, (struct extend_message *)m, DESTROY_CHANNEL_CLOSED);
		free(m);
	}
}

static void
on_forward_cell(struct worker *w, struct cell_node *node)
{
	struct link *link = link_find(w, node->target);
	struct link_circ *lc = link != NULL ? link_circ_find(link, node->circid) : NULL;

	if (lc == NULL)
		cell_node_free(w, node);
	else if (link_circ_send(lc, node->bytes[4], node) == RC_LIMIT) {
		link_send_destroy(link, lc->circid, DESTROY_RESOURCELIMIT);
		next_lost(lc, DESTROY_RESOURCELIMIT);
		link_circ_free(lc);
	}
}

static void
forward_deliver(struct worker *w, struct message *m)
{
	on_forward_cell(w, (struct cell_node *)m);
}

void
next_send(struct circuit *c, uint8_t command, struct cell_node *node)
{
	node->target = c->next_link;
	node->circid = c->next_circid;
	node->bytes[4] = command;
	if (id_worker(c->next_link) == c->worker->index) {
		on_forward_cell(c->worker, node);
		return;
	}
	node->msg.deliver = forward_deliver;
	worker_post(c->worker, id_worker(c->next_link), &node->msg);
}

static void
on_destroy_hop(struct worker *w, uint64_t link_id, uint32_t circid, enum destroy_reason reason)
{
	struct link *link = link_find(w, link_id);
	struct link_circ *lc = link != NULL ? link_circ_find(link, circid) : NULL;

	if (lc == NULL)
		return;
	link_circ_free(lc);
	link_send_destroy(link, circid, reason);
}

static void
destroy_deliver(struct worker *w, struct message *m)
{
	struct destroy_message *d = (struct destroy_message *)m;

	on_destroy_hop(w, d->link_id, d->circid, d->reason);
	free(d);
}

static void
hop_destroy(struct worker *w, uint64_t link_id, uint32_t circid, enum destroy_reason reason)
{
	if (id_worker(link_id) == w->index) {
		on_destroy_hop(w, link_id, circid, reason);
		return;
	}
	struct destroy_message *d = malloc(sizeof(*d));
	if (d == NULL)
		return; /* the peer's side then ends with the link */
	*d = (struct destroy_message){ { NULL, destroy_deliver }, link_id, circid, reason };
	worker_post(w, id_worker(link_id), &d->msg);
}

void
next_destroy(struct circuit *c, enum destroy_reason reason)
{
	if (c->next == NEXT_OPEN)
		hop_destroy(c->worker, c->next_link, c->next_circid, reason);
	c->next = NEXT_NONE; /* a hop still being made is undone when it reports */
}

void
next_lost(struct link_circ *lc, enum destroy_reason reason)
{
	struct hop_message lost = {
		.event = HOP_LOST,
		.circuit_id = lc->circuit_id,
		.link_id = lc->link->id,
		.circid = lc->circid,
		.reason = reason,
	};

	hop_tell(lc->link->worker, &lost);
}

/* A cell from the relay that the circuit goes on to. */
void
next_cell(struct link_circ *lc, const struct cell *cell)
{
	struct worker *w = lc->link->worker;
	struct cell_node *node;

	if (cell->command == CELL_DESTROY) {
		next_lost(lc, DESTROY_DESTROYED);
		link_circ_free(lc);
		return;
	}
	if (cell->command != CELL_RELAY && cell->command != CELL_RELAY_EARLY &&
	    cell->command != CELL_CREATED2)
		return;
	node = cell_node_new(w);
	if (node == NULL) {
		next_lost(lc, DESTROY_RESOURCELIMIT);
		link_send_destroy(lc->link, lc->circid, DESTROY_RESOURCELIMIT);
		link_circ_free(lc);
		return;
	}
	memcpy(node->bytes, cell->wire.data, CELL_LEN);
	node->target = lc->circuit_id;
	node->circid = lc->circid;
	if (id_worker(lc->circuit_id) == w->index) {
		on_backward(w, node);
		return;
	}
	node->msg.deliver = backward_deliver;
	worker_post(w, id_worker(lc->circuit_id), &node->msg);
}
