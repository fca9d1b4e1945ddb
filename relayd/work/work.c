/* work.c: threads, mailboxes, turns. Touches threads, eventfds and event bases only. */
#include "relayd/work/work.h"

#include <assert.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"

#define COMPLAINTS_A_MINUTE 10
#define POOL_MAX            8192 /* free cells a worker keeps: 4.5 MB */

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	uint64_t count;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	pthread_mutex_lock(&w->inbox_lock);
	struct message *m = w->inbox_head;
	w->inbox_head = w->inbox_tail = NULL;
	pthread_mutex_unlock(&w->inbox_lock);
	while (m != NULL) {
		struct message *next = m->next;

		m->next = NULL;
		m->deliver(w, m);
		m = next;
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	uint64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < w->tick_count; i++)
		w->tick[i](w, now);
}

static enum rc
worker_init(struct worker *w, struct crew *crew, unsigned index, struct snapshot *snap)
{
	static const struct timeval second = { 1, 0 };

	memset(w, 0, sizeof(*w));
	w->index = index;
	w->crew = crew;
	w->snap = snapshot_ref(snap);
	pthread_mutex_init(&w->inbox_lock, NULL);
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->base = event_base_new();
	if (w->wake_fd < 0 || w->base == NULL)
		return RC_SYSTEM;
	w->wake_event = event_new(w->base, w->wake_fd, EV_READ | EV_PERSIST, on_wake, w);
	w->tick_event = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	if (w->wake_event == NULL || w->tick_event == NULL || event_add(w->wake_event, NULL) != 0 ||
	    event_add(w->tick_event, &second) != 0)
		return RC_NO_MEMORY;
	return RC_OK;
}

static void
worker_clear(struct worker *w)
{
	while (w->pool != NULL) {
		struct message *next = w->pool->next;

		free(w->pool);
		w->pool = next;
	}
	if (w->wake_event != NULL)
		event_free(w->wake_event);
	if (w->tick_event != NULL)
		event_free(w->tick_event);
	if (w->base != NULL)
		event_base_free(w->base);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	snapshot_unref(&w->snap);
	pthread_mutex_destroy(&w->inbox_lock);
	sodium_memzero(w->random, sizeof(w->random));
}

enum rc
crew_init(struct crew *crew, unsigned count, struct snapshot *snap)
{
	assert(count > 0 && count <= WORKERS_MAX);
	crew->workers = calloc(count, sizeof(*crew->workers));
	if (crew->workers == NULL)
		return RC_NO_MEMORY;
	crew->count = count;
	crew->main.wake_fd = -1;
	for (unsigned i = 0; i < count; i++) { /* settle and clear meet those never made, too */
		crew->workers[i].crew = crew;
		crew->workers[i].wake_fd = -1;
	}
	enum rc rc = worker_init(&crew->main, crew, WORKER_MAIN, snap);
	for (unsigned i = 0; i < count && rc == RC_OK; i++)
		rc = worker_init(&crew->workers[i], crew, i, snap);
	return rc;
}

void
crew_clear(struct crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		worker_clear(&crew->workers[i]);
	worker_clear(&crew->main);
	free(crew->workers);
	crew->workers = NULL;
	crew->count = 0;
}

struct worker *
worker_by_index(struct worker *w, unsigned index)
{
	return index == WORKER_MAIN ? &w->crew->main : &w->crew->workers[index];
}

void
worker_post(struct worker *from, unsigned to, struct message *m)
{
	m->next = NULL;
	if (from->outbox_tail[to] != NULL)
		from->outbox_tail[to]->next = m;
	else
		from->outbox_head[to] = m;
	from->outbox_tail[to] = m;
}

/* Hand one outbox over: one lock and at most one wake-up for the whole batch. */
static void
outbox_flush(struct worker *from, unsigned to_index)
{
	struct worker *to = worker_by_index(from, to_index);
	uint64_t one = 1;

	pthread_mutex_lock(&to->inbox_lock);
	bool was_empty = to->inbox_head == NULL;
	if (was_empty)
		to->inbox_head = from->outbox_head[to_index];
	else
		to->inbox_tail->next = from->outbox_head[to_index];
	to->inbox_tail = from->outbox_tail[to_index];
	pthread_mutex_unlock(&to->inbox_lock);
	from->outbox_head[to_index] = from->outbox_tail[to_index] = NULL;
	if (was_empty)
		(void)!write(to->wake_fd, &one, sizeof(one));
}

static void
outboxes_flush(struct worker *w)
{
	for (unsigned i = 0; i < w->crew->count; i++)
		if (w->outbox_head[i] != NULL)
			outbox_flush(w, i);
	if (w->outbox_head[WORKER_MAIN] != NULL)
		outbox_flush(w, WORKER_MAIN);
}

static void
worker_loop(struct worker *w)
{
	outboxes_flush(w); /* what start-up posted */
	while (!w->stopping) {
		if (event_base_loop(w->base, EVLOOP_ONCE) != 0)
			break;
		for (unsigned i = 0; i < w->turn_end_count; i++)
			w->turn_end[i](w);
		outboxes_flush(w);
	}
}

static void *
worker_main(void *arg)
{
	worker_loop(arg);
	return NULL;
}

enum rc
crew_start(struct crew *crew)
{
	sigset_t all, before;
	enum rc rc = RC_OK;

	/* Signals are the main thread's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < crew->count && rc == RC_OK; i++) {
		struct worker *w = &crew->workers[i];

		if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
			rc = RC_SYSTEM;
		else
			w->running = true;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != RC_OK)
		crew_stop(crew); /* the caller is going to clear what the others use */
	return rc;
}

void
crew_run_main(struct crew *crew)
{
	worker_loop(&crew->main);
}

void
worker_stop(struct worker *w)
{
	w->stopping = true;
}

struct call_message {
	struct message msg;
	void (*fn)(struct worker *w);
};

static void
call_deliver(struct worker *w, struct message *m)
{
	struct call_message *call = (struct call_message *)m;

	call->fn(w);
	free(call);
}

void
crew_call(struct crew *crew, void (*fn)(struct worker *w))
{
	for (unsigned i = 0; i < crew->count; i++) {
		struct call_message *call = malloc(sizeof(*call));

		if (call == NULL)
			abort(); /* a lost stop or swap would leave a thread behind */
		call->msg.deliver = call_deliver;
		call->fn = fn;
		worker_post(&crew->main, i, &call->msg);
	}
}

void
crew_stop(struct crew *crew)
{
	crew_call(crew, worker_stop);
	outboxes_flush(&crew->main);
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->workers[i].running)
			pthread_join(crew->workers[i].thread, NULL);
}

void
crew_settle(struct crew *crew)
{
	for (unsigned round = 0; round < 16; round++)
		for (unsigned i = 0; i <= crew->count; i++) {
			struct worker *w = i < crew->count ? &crew->workers[i] : &crew->main;

			on_wake(w->wake_fd, EV_READ, w);
			outboxes_flush(w);
		}
}

struct view_message {
	struct message msg;
	struct snapshot *snap;
};

static void
view_deliver(struct worker *w, struct message *m)
{
	struct view_message *view = (struct view_message *)m;

	snapshot_unref(&w->snap);
	w->snap = view->snap;
	free(view);
}

void
crew_publish(struct crew *crew, struct snapshot *snap)
{
	for (unsigned i = 0; i < crew->count; i++) {
		struct view_message *view = malloc(sizeof(*view));

		if (view == NULL)
			return; /* this worker keeps the view it has */
		view->msg.deliver = view_deliver;
		view->snap = snapshot_ref(snap);
		worker_post(&crew->main, i, &view->msg);
	}
	snapshot_unref(&crew->main.snap);
	crew->main.snap = snapshot_ref(snap);
}

void
worker_on_turn_end(struct worker *w, void (*fn)(struct worker *w))
{
	assert(w->turn_end_count < WORKER_HOOKS_MAX);
	w->turn_end[w->turn_end_count++] = fn;
}

void
worker_on_tick(struct worker *w, void (*fn)(struct worker *w, uint64_t now_ms))
{
	assert(w->tick_count < WORKER_HOOKS_MAX);
	w->tick[w->tick_count++] = fn;
}

uint64_t
worker_new_id(struct worker *w)
{
	return (uint64_t)w->index << 56 | ++w->last_id;
}

unsigned
id_worker(uint64_t id)
{
	return (unsigned)(id >> 56);
}

struct cell_node *
cell_node_new(struct worker *w)
{
	struct message *m = w->pool;

	if (m == NULL)
		return malloc(sizeof(struct cell_node));
	w->pool = m->next;
	w->pool_count--;
	return (struct cell_node *)m;
}

void
cell_node_free(struct worker *w, struct cell_node *node)
{
	if (w->pool_count >= POOL_MAX) {
		free(node);
		return;
	}
	node->msg.next = w->pool;
	w->pool = &node->msg;
	w->pool_count++;
}

void
worker_random(struct worker *w, void *out, size_t len)
{
	if (len > sizeof(w->random)) {
		randombytes_buf(out, len);
		return;
	}
	if (w->random_left < len) {
		randombytes_buf(w->random, sizeof(w->random));
		w->random_left = sizeof(w->random);
	}
	w->random_left -= (unsigned)len;
	memcpy(out, w->random + w->random_left, len);
	sodium_memzero(w->random + w->random_left, len);
}

uint32_t
worker_random_below(struct worker *w, uint32_t bound)
{
	uint64_t r;

	worker_random(w, &r, sizeof(r));
	return (uint32_t)(r % bound); /* 64 bits: the bias is below 2^-32 */
}

void
worker_complain(struct worker *w, enum log_domain domain, const char *fmt, ...)
{
	enum log_level level = w->snap->conf->protocol_warnings ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
	char text[256], more[32] = "";
	unsigned swallowed;
	va_list ap;

	if (!log_is_on(level) ||
	    !log_limit_ok(&w->complaints, COMPLAINTS_A_MINUTE, clock_mono_ms(), &swallowed))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (swallowed != 0)
		snprintf(more, sizeof(more), " (%u more not shown)", swallowed);
	log_write(level, domain, "%s%s", text, more);
}
