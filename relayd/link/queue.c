/* queue.c: circuits on a link: their ids and the cells that wait. Cells leave one a circuit a
 * turn, so that a bulk circuit cannot starve the others. */
#include <stdlib.h>
#include <string.h>

#include "relayd/link/link.h"

struct link_circ *
link_circ_find(struct link *link, uint32_t circid)
{
	struct link_circ *lc;

	HASH_FIND(hh, link->circs, &circid, sizeof(circid), lc);
	return lc;
}

/* The initiator of a connection picks ids with the top bit set, the responder without. */
static uint32_t
pick_circid(struct link *link)
{
	for (unsigned attempt = 0; attempt < 64; attempt++) {
		uint32_t id;

		worker_random(link->worker, &id, sizeof(id));
		id = link->initiator ? id | 0x80000000u : id & 0x7fffffffu;
		if (id != 0 && link_circ_find(link, id) == NULL)
			return id;
	}
	return 0;
}

struct link_circ *
link_circ_new(struct link *link, uint32_t circid)
{
	struct link_circ *lc;

	if (circid == 0)
		circid = pick_circid(link);
	if (circid == 0 || (lc = calloc(1, sizeof(*lc))) == NULL)
		return NULL;
	lc->circid = circid;
	lc->link = link;
	HASH_ADD(hh, link->circs, circid, sizeof(lc->circid), lc);
	return lc;
}

static struct cell_node *
queue_pop(struct link_circ *lc)
{
	struct cell_node *node = lc->queue_head;

	lc->queue_head = (struct cell_node *)node->msg.next;
	if (lc->queue_head == NULL)
		lc->queue_tail = NULL;
	lc->queued--;
	return node;
}

void
link_circ_free(struct link_circ *lc)
{
	struct link *link = lc->link;

	while (lc->queue_head != NULL)
		cell_node_free(link->worker, queue_pop(lc));
	if (lc->is_active)
		TAILQ_REMOVE(&link->active, lc, active_entry);
	HASH_DEL(link->circs, lc);
	free(lc);
}

enum rc
link_circ_send(struct link_circ *lc, uint8_t command, struct cell_node *node)
{
	struct link *link = lc->link;

	if (link->closing || lc->queued >= (unsigned)link->worker->snap->cell_queue_max) {
		cell_node_free(link->worker, node);
		return link->closing ? RC_CLOSED : RC_LIMIT;
	}
	put_u32(node->bytes, lc->circid);
	node->bytes[4] = command;
	node->msg.next = NULL;
	if (lc->queue_tail != NULL)
		lc->queue_tail->msg.next = &node->msg;
	else
		lc->queue_head = node;
	lc->queue_tail = node;
	if (++lc->queued >= LINK_CELLS_HIGH)
		lc->is_high = true;
	if (!lc->is_active) {
		lc->is_active = true;
		TAILQ_INSERT_TAIL(&link->active, lc, active_entry);
	}
	link_mark_dirty(link);
	return RC_OK;
}

/* Move waiting cells to out, one a circuit a turn; the bytes written. */
size_t
link_circs_fill(struct link *link, uint8_t *out, size_t cap)
{
	const struct link_ops *ops = link_ops_of(link->worker);
	size_t len = 0;

	while (len + CELL_LEN <= cap && !TAILQ_EMPTY(&link->active)) {
		struct link_circ *lc = TAILQ_FIRST(&link->active);
		struct cell_node *node = queue_pop(lc);

		memcpy(out + len, node->bytes, CELL_LEN);
		len += CELL_LEN;
		cell_node_free(link->worker, node);
		TAILQ_REMOVE(&link->active, lc, active_entry);
		lc->is_active = lc->queue_head != NULL;
		if (lc->is_active)
			TAILQ_INSERT_TAIL(&link->active, lc, active_entry);
		if (lc->is_high && lc->queued <= LINK_CELLS_LOW) {
			lc->is_high = false;
			ops->circ_drained(lc); /* may queue more, may free lc */
		}
	}
	return len;
}
