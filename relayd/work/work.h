/* work.h: threads. A worker has its own event base, mailbox, cell pool and random bytes; between
 * threads there are only messages, and a message gives away what it carries. The main thread is
 * one more worker that has no links. */
#ifndef RELAYD_WORK_WORK_H
#define RELAYD_WORK_WORK_H

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "common/rc.h"
#include "relayd/cell/cell.h"
#include "relayd/work/snapshot.h"

#define WORKERS_MAX 64
#define WORKER_MAIN WORKERS_MAX /* the main thread's index */

struct worker;

/* First member of whatever is sent. deliver runs in the receiving thread and owns the message. */
struct message {
	struct message *next;
	void (*deliver)(struct worker *w, struct message *m);
};

/* A cell on its way: in a circuit's queue, or as a message between workers (target and circid say
 * for whom then). bytes is the cell on the wire. */
struct cell_node {
	struct message msg; /* msg.next also links queues and the pool */
	uint64_t target;
	uint32_t circid;
	uint8_t bytes[CELL_LEN];
};

/* Coarse sums for the log and the descriptor; each worker counts its own. Written by its thread
 * only, read by others without order: relaxed atomics. */
struct work_counters {
	_Atomic uint64_t bytes_read, bytes_written; /* on links */
	_Atomic uint64_t streams, streams_open, streams_refused_policy, streams_refused_guard,
	    links_open;
};

#define WORKER_HOOKS_MAX 8

struct worker {
	unsigned index;
	struct event_base *base;
	struct crew *crew;
	struct snapshot *snap; /* this worker's reference; swapped between turns */
	struct work_counters counters;

	/* The rooms' own state in this worker. */
	struct link_table *links;
	struct circuit_table *circuits;
	struct exit_table *exits;
	struct guard *guard;

	/* Hooks, in the order they were added. */
	void (*turn_end[WORKER_HOOKS_MAX])(struct worker *w);
	void (*tick[WORKER_HOOKS_MAX])(struct worker *w, uint64_t now_ms);
	unsigned turn_end_count, tick_count;

	/* Private to work.c. */
	pthread_t thread;
	bool running, stopping;
	pthread_mutex_t inbox_lock; /* guards inbox_head and inbox_tail */
	struct message *inbox_head, *inbox_tail;
	int wake_fd;
	struct event *wake_event, *tick_event;
	struct message *outbox_head[WORKERS_MAX + 1], *outbox_tail[WORKERS_MAX + 1];
	struct message *pool;
	unsigned pool_count;
	uint64_t last_id;
	struct log_limit complaints;
	uint8_t random[1024];
	unsigned random_left;
};

struct crew {
	unsigned count;         /* workers besides main */
	struct worker *workers; /* count of them */
	struct worker main;
};

/* Make the threads' state (not started). Workers get `snap` as their first view. */
enum rc crew_init(struct crew *crew, unsigned count, struct snapshot *snap);
enum rc crew_start(struct crew *crew);
void crew_stop(struct crew *crew); /* asks and joins */
/* After crew_stop: deliver in this thread what was still on its way, so that nothing is lost. */
void crew_settle(struct crew *crew);
void crew_clear(struct crew *crew); /* after the rooms have cleaned up */
/* The main thread's loop, until worker_stop(&crew->main). */
void crew_run_main(struct crew *crew);
/* Give every worker a new view. */
void crew_publish(struct crew *crew, struct snapshot *snap);

void worker_stop(struct worker *w); /* from its own thread */
struct worker *worker_by_index(struct worker *w, unsigned index);
/* Takes m. Sent at the end of this turn, in order. Any thread of the crew may send to any. */
void worker_post(struct worker *from, unsigned to, struct message *m);
/* Deliver a fixed call to all workers from main: fn runs in each. */
void crew_call(struct crew *crew, void (*fn)(struct worker *w));

void worker_on_turn_end(struct worker *w, void (*fn)(struct worker *w));
void worker_on_tick(struct worker *w, void (*fn)(struct worker *w, uint64_t now_ms));

/* Names of things across threads: the index of the owner in the top byte. Never 0. */
uint64_t worker_new_id(struct worker *w);
unsigned id_worker(uint64_t id);

struct cell_node *cell_node_new(struct worker *w); /* bytes not cleared; NULL: no memory */
void cell_node_free(struct worker *w, struct cell_node *node);

void worker_random(struct worker *w, void *out, size_t len); /* cryptographic */
/* A peer broke the protocol: a line at info, or at warn with ProtocolWarnings; at most a few a
 * minute. */
void worker_complain(struct worker *w, enum log_domain domain, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

uint32_t worker_random_below(struct worker *w, uint32_t bound);

#endif
