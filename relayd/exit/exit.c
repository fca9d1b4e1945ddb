/* exit.c: the exit room: the table of streams and what circuits call. */
#include "relayd/exit/exit.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "relayd/exit/stream.h"
#include "relayd/guard/guard.h"

#define FLUSH_TIMEOUT_MS 60000

struct stream *
stream_find(struct circuit *c, uint16_t id)
{
	struct stream *s;

	HASH_FIND(hh, c->streams, &id, sizeof(id), s);
	return s;
}

struct stream *
stream_by_handle(struct worker *w, uint64_t handle)
{
	struct stream *s;

	HASH_FIND(hh_handle, w->exits->by_handle, &handle, sizeof(handle), s);
	return s;
}

struct stream *
stream_new(struct circuit *c, uint16_t id)
{
	struct worker *w = c->worker;
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->out = evbuffer_new()) == NULL) {
		free(s);
		return NULL;
	}
	s->handle = worker_new_id(w);
	s->worker = w;
	s->circuit = c;
	s->id = id;
	s->fd = -1;
	s->package_window = s->deliver_window = STREAM_WINDOW;
	worker_random(w, &s->report_id, sizeof(s->report_id));
	HASH_ADD(hh, c->streams, id, sizeof(s->id), s);
	HASH_ADD(hh_handle, w->exits->by_handle, handle, sizeof(s->handle), s);
	atomic_fetch_add_explicit(&w->counters.streams_open, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->counters.streams, 1, memory_order_relaxed);
	return s;
}

static void
leave_circuit(struct stream *s)
{
	if (s->circuit != NULL)
		HASH_DEL(s->circuit->streams, s);
	s->circuit = NULL;
}

void
stream_free(struct stream *s)
{
	struct worker *w = s->worker;

	stream_report(s, REPORT_CLOSED, 0);
	leave_circuit(s);
	HASH_DELETE(hh_handle, w->exits->by_handle, s);
	atomic_fetch_sub_explicit(&w->counters.streams_open, 1, memory_order_relaxed);
	if (s->read_event != NULL)
		event_free(s->read_event);
	if (s->write_event != NULL)
		event_free(s->write_event);
	if (s->fd >= 0)
		close(s->fd);
	evbuffer_free(s->out);
	free(s->host);
	free(s);
}

void
stream_end(struct stream *s, unsigned reason)
{
	uint8_t body = (uint8_t)reason;
	bool flush = s->state == STREAM_OPEN && evbuffer_get_length(s->out) != 0;
	struct circuit *c = s->circuit;
	uint16_t id = s->id;

	if (s->state == STREAM_CONNECTING && reason == 0)
		stream_report(s, REPORT_OUTCOME, REPORT_LOCAL_FAILURE);
	leave_circuit(s);
	if (flush) {
		s->state = STREAM_FLUSHING;
		s->since_ms = clock_mono_ms();
		event_del(s->read_event);
		event_add(s->write_event, NULL); /* early data may not wait for it yet */
	} else
		stream_free(s);
	if (c != NULL && reason != 0)
		circuit_send(c, RELAY_END, id, span_of(&body, 1));
}

void
stream_end_policy(struct stream *s)
{
	uint8_t body[32];
	struct wr wr = wr_to(body, sizeof(body));
	struct circuit *c = s->circuit;
	uint16_t id = s->id;

	end_write(&wr, END_EXITPOLICY, &s->to.ap.addr, s->ttl);
	atomic_fetch_add_explicit(
	    &s->worker->counters.streams_refused_policy, 1, memory_order_relaxed);
	stream_free(s);
	circuit_send(c, RELAY_END, id, wr_written(&wr));
}

static void
on_data(struct circuit *c, uint16_t id, struct span data)
{
	struct stream *s = stream_find(c, id);

	if (s == NULL || s->is_resolve)
		return; /* counted by the circuit already */
	if (--s->deliver_window < 0) {
		circuit_close(c, DESTROY_PROTOCOL);
		return;
	}
	stream_write(s, data);
}

static void
on_end(struct circuit *c, uint16_t id, struct span data)
{
	struct stream *s = stream_find(c, id);

	(void)data;
	if (s != NULL)
		stream_end(s, 0);
}

static void
on_sendme(struct circuit *c, uint16_t id)
{
	struct stream *s = stream_find(c, id);

	if (s == NULL)
		return;
	s->package_window += STREAM_WINDOW_STEP;
	if (s->package_window > STREAM_WINDOW) {
		circuit_close(c, DESTROY_PROTOCOL);
		return;
	}
	stream_resume(s);
}

static void
on_sendable(struct circuit *c)
{
	struct stream *s, *tmp;

	HASH_ITER (hh, c->streams, s, tmp)
		stream_resume(s);
}

/* What the client had sent before it closed the circuit still goes out. */
static void
on_gone(struct circuit *c)
{
	struct stream *s, *tmp;

	HASH_ITER (hh, c->streams, s, tmp)
		stream_end(s, 0);
}

const struct circuit_ops exit_circuit_ops = {
	.begin = stream_begin,
	.resolve = stream_resolve,
	.data = on_data,
	.end = on_end,
	.sendme = on_sendme,
	.sendable = on_sendable,
	.gone = on_gone,
};

static void
exit_tick(struct worker *w, uint64_t now_ms)
{
	struct stream *s, *tmp;

	HASH_ITER (hh_handle, w->exits->by_handle, s, tmp)
		if (s->state == STREAM_FLUSHING && now_ms - s->since_ms > FLUSH_TIMEOUT_MS)
			stream_free(s);
}

enum rc
exit_room_init(struct worker *w)
{
	w->exits = calloc(1, sizeof(*w->exits));
	if (w->exits == NULL)
		return RC_NO_MEMORY;
	worker_on_tick(w, exit_tick);
	return RC_OK;
}

void
exit_room_clear(struct worker *w)
{
	struct stream *s, *tmp;

	if (w->exits == NULL)
		return;
	HASH_ITER (hh_handle, w->exits->by_handle, s, tmp)
		stream_free(s);
	free(w->exits);
	w->exits = NULL;
}

void
exit_on_verdict(struct worker *w, uint64_t handle, bool allow)
{
	struct stream *s = stream_by_handle(w, handle);

	if (s != NULL)
		stream_verdict(s, allow);
}
