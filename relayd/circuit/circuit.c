/* circuit.c: circuits: making them, relay cells through them, their windows. */
#include "relayd/circuit/circuit.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "relayd/crypt/handshake.h"

/* A circuit costs its maker one cell and us some kilobytes. Relays of the consensus carry many;
 * anybody else, a bridge of thousands of people even, stays far below this on one link. */
#define STRANGER_CIRCUITS_MAX 16384

struct circuit_table {
	const struct circuit_ops *ops;
	struct circuit *circuits; /* uthash by id */
	struct circuit *dead;
};

const struct circuit_ops *
circuit_ops_of(struct worker *w)
{
	return w->circuits->ops;
}

struct circuit *
circuit_find(struct worker *w, uint64_t id)
{
	struct circuit *c;

	HASH_FIND(hh, w->circuits->circuits, &id, sizeof(id), c);
	return c;
}

/* The index of the next DATA cell that gets random padding: one in each half window step. */
static uint32_t
next_pad(struct circuit *c)
{
	return c->data_sent + CIRCUIT_WINDOW_STEP / 2 +
	       worker_random_below(c->worker, CIRCUIT_WINDOW_STEP / 2);
}

static struct circuit *
circuit_new(struct link_circ *prev, const struct tor1_keys *keys)
{
	struct worker *w = prev->link->worker;
	struct circuit *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->crypto = tor1_new(keys)) == NULL) {
		free(c);
		return NULL;
	}
	c->id = worker_new_id(w);
	c->worker = w;
	c->prev = prev;
	c->package_window = c->deliver_window = CIRCUIT_WINDOW;
	c->pad_at = worker_random_below(w, CIRCUIT_WINDOW_STEP);
	worker_random(w, &c->report_id, sizeof(c->report_id));
	prev->circuit = c;
	HASH_ADD(hh, w->circuits->circuits, id, sizeof(c->id), c);
	return c;
}

void
circuit_shut(struct circuit *c, int prev_reason, int next_reason)
{
	struct circuit_table *t = c->worker->circuits;
	struct link_circ *prev = c->prev;

	if (c->closing)
		return;
	c->closing = true;
	t->ops->gone(c);
	if (next_reason >= 0)
		next_destroy(c, (enum destroy_reason)next_reason);
	c->prev = NULL;
	if (prev != NULL && prev_reason >= 0) {
		link_send_destroy(prev->link, prev->circid, (enum destroy_reason)prev_reason);
		link_circ_free(prev);
	} else if (prev != NULL)
		prev->circuit = NULL;
	HASH_DEL(t->circuits, c);
	c->next_dead = t->dead;
	t->dead = c;
}

void
circuit_close(struct circuit *c, enum destroy_reason reason)
{
	circuit_shut(c, (int)reason, (int)reason);
}

static void
bury_dead(struct worker *w)
{
	struct circuit *c;

	while ((c = w->circuits->dead) != NULL) {
		w->circuits->dead = c->next_dead;
		tor1_free(&c->crypto);
		free(c);
	}
}

enum rc
circuit_room_init(struct worker *w, const struct circuit_ops *ops)
{
	w->circuits = calloc(1, sizeof(*w->circuits));
	if (w->circuits == NULL)
		return RC_NO_MEMORY;
	w->circuits->ops = ops;
	worker_on_turn_end(w, bury_dead);
	return RC_OK;
}

void
circuit_room_clear(struct worker *w)
{
	struct circuit *c, *tmp;

	if (w->circuits == NULL)
		return;
	HASH_ITER (hh, w->circuits->circuits, c, tmp)
		circuit_shut(c, -1, -1);
	bury_dead(w);
	free(w->circuits);
	w->circuits = NULL;
}

/* --- sending to the client ------------------------------------------------------------------- */

bool
circuit_may_send(const struct circuit *c)
{
	return !c->closing && c->package_window > 0 && !c->prev->is_high;
}

unsigned
circuit_room(const struct circuit *c)
{
	if (!circuit_may_send(c))
		return 0;
	unsigned queue_room = LINK_CELLS_HIGH - c->prev->queued;
	return (unsigned)c->package_window < queue_room ? (unsigned)c->package_window : queue_room;
}

size_t
circuit_data_max(const struct circuit *c, unsigned ahead)
{
	return c->data_sent + ahead == c->pad_at ? RELAY_DATA_MAX - 20 : RELAY_DATA_MAX;
}

/* Behind the data come four zero bytes, then random ones (tor-spec 6.1). */
static void
fill_padding(struct circuit *c, uint8_t *at, size_t room)
{
	size_t zeros = room < 4 ? room : 4;

	memset(at, 0, zeros);
	if (room > zeros)
		worker_random(c->worker, at + zeros, room - zeros);
}

static void
note_sent_data(struct circuit *c, const uint8_t tag[TOR1_TAG_LEN])
{
	c->package_window--;
	if (c->data_sent == c->pad_at)
		c->pad_at = next_pad(c);
	c->data_sent++;
	if (c->data_sent % CIRCUIT_WINDOW_STEP == 0 && c->tag_count < CIRCUIT_TAGS) {
		unsigned at = (c->tag_first + c->tag_count++) % CIRCUIT_TAGS;

		memcpy(c->tags[at], tag, TOR1_TAG_LEN);
	}
}

enum rc
circuit_send_node(
    struct circuit *c, uint8_t command, uint16_t stream_id, struct cell_node *node, size_t data_len)
{
	uint8_t *body = node->bytes + CELL_HEAD_LEN;
	uint8_t tag[TOR1_TAG_LEN];

	if (c->closing) {
		cell_node_free(c->worker, node);
		return RC_CLOSED;
	}
	relay_msg_write_head(body, command, stream_id, (uint16_t)data_len);
	fill_padding(c, body + RELAY_HEAD_LEN + data_len, RELAY_DATA_MAX - data_len);
	tor1_backward_originate(c->crypto, body, tag);
	if (command == RELAY_DATA)
		note_sent_data(c, tag);
	enum rc rc = link_circ_send(c->prev, CELL_RELAY, node);
	if (rc != RC_OK)
		circuit_close(c, DESTROY_RESOURCELIMIT);
	return rc;
}

enum rc
circuit_send(struct circuit *c, uint8_t command, uint16_t stream_id, struct span data)
{
	struct cell_node *node = cell_node_new(c->worker);

	if (node == NULL || data.len > RELAY_DATA_MAX) {
		if (node != NULL)
			cell_node_free(c->worker, node);
		circuit_close(c, DESTROY_RESOURCELIMIT);
		return RC_NO_MEMORY;
	}
	if (data.len != 0)
		memcpy(node->bytes + CIRCUIT_DATA_AT, data.data, data.len);
	return circuit_send_node(c, command, stream_id, node, data.len);
}

/* --- messages for us ------------------------------------------------------------------------- */

/* A DATA cell has come: count it, and acknowledge each hundredth with its tag. */
static enum rc
count_received_data(struct circuit *c, const uint8_t tag[TOR1_TAG_LEN])
{
	uint8_t body[3 + TOR1_TAG_LEN];
	struct wr wr = wr_to(body, sizeof(body));

	if (--c->deliver_window < 0)
		return RC_PROTOCOL;
	if (++c->data_received % CIRCUIT_WINDOW_STEP != 0)
		return RC_OK;
	sendme_write(&wr, span_of(tag, TOR1_TAG_LEN));
	c->deliver_window += CIRCUIT_WINDOW_STEP;
	return circuit_send(c, RELAY_SENDME, 0, wr_written(&wr));
}

/* A circuit-level SENDME must name the cell that it acknowledges (proposal 289). */
static enum rc
on_circuit_sendme(struct circuit *c, struct span data)
{
	uint8_t version;
	struct span tag;

	if (sendme_parse(data, &version, &tag) != RC_OK || c->tag_count == 0 ||
	    (version == 0 && !c->is_fast && c->worker->snap->sendme_accept_version > 0))
		return RC_PROTOCOL;
	struct span want = span_of(c->tags[c->tag_first], TOR1_TAG_LEN);
	c->tag_first = (c->tag_first + 1) % CIRCUIT_TAGS;
	c->tag_count--;
	if (version == 1 && !span_equal_const_time(tag, want))
		return RC_PROTOCOL;
	c->package_window += CIRCUIT_WINDOW_STEP;
	if (c->package_window > CIRCUIT_WINDOW)
		return RC_PROTOCOL;
	circuit_ops_of(c->worker)->sendable(c);
	return RC_OK;
}

/* We do no circuit padding: say so, echoing what stock looks at (proposal 254). */
static void
on_padding_negotiate(struct circuit *c, struct span data)
{
	struct rd rd = rd_from(data);
	uint8_t body[8];
	struct wr wr = wr_to(body, sizeof(body));
	uint8_t version = rd_u8(&rd), command = rd_u8(&rd), machine = rd_u8(&rd);

	rd_skip(&rd, 1);
	uint32_t counter = rd_u32(&rd);
	if (rd.rc != RC_OK || version != 0)
		return;
	wr_u8(&wr, 0);
	wr_u8(&wr, command);
	wr_u8(&wr, 2); /* error */
	wr_u8(&wr, machine);
	wr_u32(&wr, counter);
	circuit_send(c, RELAY_PADDING_NEGOTIATED, 0, wr_written(&wr));
}

static void
on_stream_message(struct circuit *c, const struct relay_msg *msg)
{
	const struct circuit_ops *ops = circuit_ops_of(c->worker);
	uint8_t reason = END_NOTDIRECTORY;

	if (msg->stream_id == 0)
		return; /* as stock: dropped */
	switch (msg->command) {
	case RELAY_BEGIN:
		ops->begin(c, msg->stream_id, msg->data);
		break;
	case RELAY_RESOLVE:
		ops->resolve(c, msg->stream_id, msg->data);
		break;
	case RELAY_DATA:
		ops->data(c, msg->stream_id, msg->data);
		break;
	case RELAY_END:
		ops->end(c, msg->stream_id, msg->data);
		break;
	case RELAY_SENDME:
		ops->sendme(c, msg->stream_id);
		break;
	case RELAY_BEGIN_DIR:
		circuit_send(c, RELAY_END, msg->stream_id, span_of(&reason, 1));
		break;
	}
}

static void
on_relay_message(struct circuit *c, const uint8_t *body, bool early, const uint8_t *tag)
{
	struct relay_msg msg;
	enum rc rc = relay_msg_parse(body, &msg);

	if (rc == RC_OK && msg.command == RELAY_DATA)
		rc = count_received_data(c, tag);
	if (rc == RC_OK && msg.command == RELAY_SENDME && msg.stream_id == 0)
		rc = on_circuit_sendme(c, msg.data);
	else if (rc == RC_OK)
		switch (msg.command) {
		case RELAY_EXTEND2:
			if (early) /* else dropped: it could be used to count hops */
				circuit_extend(c, msg.data);
			break;
		case RELAY_EXTEND:
			rc = RC_UNSUPPORTED;
			break;
		case RELAY_TRUNCATE:
			circuit_truncate(c, msg.data);
			break;
		case RELAY_PADDING_NEGOTIATE:
			on_padding_negotiate(c, msg.data);
			break;
		default: /* unknown commands and DROP end here too, without effect */
			on_stream_message(c, &msg);
			break;
		}
	if (rc != RC_OK && !c->closing) {
		worker_complain(c->worker, LOG_CIRC, "closing a circuit: relay message %u: %s",
		    msg.command, rc_str(rc));
		circuit_close(c, DESTROY_PROTOCOL);
	}
}

/* A relay cell from the client's side. */
static void
on_forward(struct circuit *c, uint8_t command, uint8_t *body)
{
	uint8_t tag[TOR1_TAG_LEN];
	bool early = command == CELL_RELAY_EARLY;

	if (early && ++c->early_seen > CIRCUIT_EARLY_MAX) {
		circuit_close(c, DESTROY_PROTOCOL);
		return;
	}
	if (tor1_forward_receive(c->crypto, body, tag)) {
		on_relay_message(c, body, early, tag);
		return;
	}
	struct cell_node *node = c->next == NEXT_OPEN ? cell_node_new(c->worker) : NULL;
	if (node == NULL) {
		circuit_close(c, DESTROY_PROTOCOL);
		return;
	}
	memcpy(node->bytes + CELL_HEAD_LEN, body, CELL_BODY_LEN);
	next_send(c, command, node);
}

/* --- making circuits ------------------------------------------------------------------------- */

static enum rc
answer_fast(struct link *link, const struct cell *cell, struct tor1_keys *keys)
{
	uint8_t reply[FAST_REPLY_LEN];
	enum rc rc = fast_answer(span_of(cell->body.data, FAST_REQUEST_LEN), reply, keys);

	if (rc == RC_OK)
		link_send_control(
		    link, cell->circid, CELL_CREATED_FAST, span_of(reply, sizeof(reply)));
	return rc;
}

static enum rc
answer_create2(struct link *link, const struct cell *cell, struct tor1_keys *keys)
{
	const struct onion_keys *own = &link->worker->snap->keys->onion;
	uint8_t body[CELL_BODY_LEN], reply_buf[CELL_BODY_LEN - 2], material[92];
	struct wr wr = wr_to(body, sizeof(body)), reply = wr_to(reply_buf, sizeof(reply_buf));
	struct ntor3_policy policy = { .cc_allowed = false };
	struct ntor3_outcome outcome;
	struct create2 create;
	enum rc rc = create2_parse(cell->body, &create);

	if (rc != RC_OK)
		return rc;
	switch (create.handshake_type) {
	case HANDSHAKE_NTOR:
		rc = ntor_answer(own, create.onion_skin, wr_reserve(&reply, NTOR_REPLY_LEN), keys);
		break;
	case HANDSHAKE_NTOR3:
		rc = ntor3_answer(
		    own, create.onion_skin, &policy, &reply, &outcome, material, sizeof(material));
		if (rc == RC_OK)
			tor1_keys_from_material(material, keys);
		explicit_bzero(material, sizeof(material));
		break;
	default:
		rc = RC_UNSUPPORTED;
		break;
	}
	created2_write_body(&wr, wr_written(&reply));
	if (rc == RC_OK)
		rc = wr.rc;
	if (rc == RC_OK)
		link_send_control(link, cell->circid, CELL_CREATED2, wr_written(&wr));
	return rc;
}

static bool
has_too_many(const struct link *link)
{
	return HASH_COUNT(link->circs) >= STRANGER_CIRCUITS_MAX && !link_peer_is_known_relay(link);
}

static void
on_create(struct link *link, const struct cell *cell)
{
	bool top_bit = (cell->circid & 0x80000000u) != 0;
	struct tor1_keys keys;
	struct link_circ *lc;
	struct circuit *c = NULL;
	enum rc rc = RC_PROTOCOL;

	if (has_too_many(link)) {
		link_send_destroy(link, cell->circid, DESTROY_RESOURCELIMIT);
		return;
	}
	if (top_bit != link->initiator) { /* an id of the peer's side */
		if (cell->command == CELL_CREATE_FAST)
			rc = answer_fast(link, cell, &keys);
		else if (cell->command == CELL_CREATE2)
			rc = answer_create2(link, cell, &keys);
	}
	if (rc != RC_OK) {
		worker_complain(
		    link->worker, LOG_CIRC, "refusing to make a circuit: %s", rc_str(rc));
		link_send_destroy(link, cell->circid, DESTROY_PROTOCOL);
		return;
	}
	lc = link_circ_new(link, cell->circid);
	if (lc != NULL)
		c = circuit_new(lc, &keys);
	explicit_bzero(&keys, sizeof(keys));
	if (c == NULL) {
		if (lc != NULL)
			link_circ_free(lc);
		link_send_destroy(link, cell->circid, DESTROY_RESOURCELIMIT);
		return;
	}
	c->is_fast = cell->command == CELL_CREATE_FAST;
}

/* --- what the links call --------------------------------------------------------------------- */

static void
on_link_cell(struct link *link, struct link_circ *lc, const struct cell *cell, uint8_t *body)
{
	switch (cell->command) {
	case CELL_CREATE:
	case CELL_CREATE_FAST:
	case CELL_CREATE2:
		if (lc == NULL) /* an id in use: dropped */
			on_create(link, cell);
		return;
	}
	if (lc == NULL)
		return; /* cells for circuits just closed: dropped */
	if (lc->is_next_hop)
		next_cell(lc, cell);
	else if (cell->command == CELL_DESTROY) {
		struct circuit *c = lc->circuit;

		circuit_shut(c, -1, DESTROY_DESTROYED);
		link_circ_free(lc);
	} else if (cell->command == CELL_RELAY || cell->command == CELL_RELAY_EARLY)
		on_forward(lc->circuit, cell->command, body);
}

static void
on_circ_lost(struct link_circ *lc)
{
	if (lc->is_next_hop)
		next_lost(lc, DESTROY_CHANNEL_CLOSED);
	else if (lc->circuit != NULL)
		circuit_shut(lc->circuit, -1, DESTROY_CHANNEL_CLOSED);
}

static void
on_circ_drained(struct link_circ *lc)
{
	if (!lc->is_next_hop && lc->circuit != NULL)
		circuit_ops_of(lc->link->worker)->sendable(lc->circuit);
}

const struct link_ops circuit_link_ops = {
	.cell = on_link_cell,
	.opened = next_link_opened,
	.closed = next_link_closed,
	.circ_lost = on_circ_lost,
	.circ_drained = on_circ_drained,
};
