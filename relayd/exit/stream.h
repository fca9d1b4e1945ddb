/* stream.h: private to the exit room: one exit stream and the steps of its life. */
#ifndef RELAYD_EXIT_STREAM_H
#define RELAYD_EXIT_STREAM_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <uthash.h>

#include "common/report.h"
#include "relayd/circuit/circuit.h"
#include "relayd/dns/dns.h"

enum stream_state {
	STREAM_ASKING, /* exitguard, before DNS */
	STREAM_RESOLVING,
	STREAM_ASKING_DEST, /* exitguard, with the address */
	STREAM_CONNECTING,
	STREAM_OPEN,
	STREAM_FLUSHING, /* ended; its last bytes go out; no circuit any more */
};

struct stream {
	UT_hash_handle hh;        /* in circuit->streams by id */
	UT_hash_handle hh_handle; /* in the worker's table by handle */
	uint64_t handle;
	struct worker *worker;
	struct circuit *circuit; /* NULL when flushing */
	uint16_t id;
	enum stream_state state;
	bool is_resolve; /* RESOLVE: no socket will come of it */

	char *host;     /* a name to look up; NULL for a literal */
	uint32_t flags; /* BEGIN_IPV6_OK and so on */
	struct private_addr to;
	uint32_t ttl;

	int fd; /* -1: none yet */
	struct event *read_event, *write_event;
	struct evbuffer *out; /* to the destination */
	bool reading;
	int package_window, deliver_window;
	uint64_t since_ms; /* connect began, or flushing began */

	uint64_t report_id;
	uint32_t report_epoch; /* 0: exitguard does not know of it */
};

struct exit_table {
	struct stream *by_handle; /* uthash hh_handle */
};

struct stream *stream_find(struct circuit *c, uint16_t id);
struct stream *stream_by_handle(struct worker *w, uint64_t handle);
/* END with this reason (0: none), then close or, if bytes still wait for the destination, let
 * them flush. */
void stream_end(struct stream *s, unsigned reason);
void stream_end_policy(struct stream *s); /* END EXITPOLICY with the address */
void stream_free(struct stream *s);

/* open.c: from BEGIN to a connected socket. */
void stream_begin(struct circuit *c, uint16_t id, struct span data);
void stream_resolve(struct circuit *c, uint16_t id, struct span data);
struct stream *stream_new(struct circuit *c, uint16_t id);
void stream_answered(struct stream *s, const struct dns_answer *answer);
void stream_verdict(struct stream *s, bool allow);

/* lookup.c: names go to the main thread's resolver and come back. */
enum rc lookup_start(struct stream *s, enum dns_kind kind, const char *name, bool want_v6);

/* io.c: bytes. */
enum rc stream_connect(struct stream *s);
void stream_write(struct stream *s, struct span data);
void stream_resume(struct stream *s);
void stream_report(struct stream *s, enum report_type type, enum report_outcome outcome);

#endif
