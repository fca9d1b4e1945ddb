/* front.h: the unprivileged process: what its parts share. Everything here runs on one thread,
 * in one libevent loop. */
#ifndef EXITGUARD_FRONT_FRONT_H
#define EXITGUARD_FRONT_FRONT_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/log.h"
#include "exitguard/engine/engine.h"
#include "exitguard/feed/consensus.h"
#include "exitguard/front/lists.h"
#include "exitguard/plan/elems.h"
#include "exitguard/plan/request.h"
#include "exitguard/plan/settings.h"

/* The way to priv: requests wait here until the socket takes them. */
struct kernel {
	int fd; /* -1: priv is gone */
	struct event *readable, *writable;
	struct priv_request *queue;
	size_t queued, cap, sent; /* queue[sent..queued) is still to go */
	uint32_t next_id;
	bool open_batch; /* something was queued since the last commit */
	uint64_t batches, failed, dropped;
	int last_error; /* errno of the last batch refused, 0: none */
	bool has_status;
	struct priv_reply status; /* last PRIV_STATUS */
};

struct report_conn;
struct reports {
	struct event *readable;
	struct report_conn *conns; /* a list */
	unsigned count;
	uint64_t accepted, refused_peers, broken, verdicts, dropped;
	struct log_limit limit;
};

struct control {
	struct event *readable;
	unsigned count;
	struct log_limit limit;
};

struct watch;  /* watch.h */
struct ledger; /* exitguard/ledger/ledger.h */

struct front {
	const char *config_path;
	struct settings settings;
	struct event_base *base;
	struct event *ticker, *on_term, *on_hup;
	enum guard_mode mode;
	uint64_t started_ms;
	struct engine *engines[2]; /* by enum engine_view */
	struct relays relays;
	uint64_t relays_stamp; /* changes with the consensus files */
	struct lists lists;
	struct kernel kernel;
	struct reports reports;
	struct control control;
	struct watch *watch;
	struct ledger *ledger;
	uint8_t key[16];                  /* random, for hashes of this process */
	struct stat report_path_stat;     /* of the report socket when we started */
	uint64_t banned, allowed_by_list; /* decided before the engine */
	bool orphaned;                    /* priv has died */
};

/* Run until told to leave; the exit status. */
int front_main(const char *config_path);

/* --- front.c */
uint64_t front_now_ms(void);
/* Read the configuration again; the old one stays if the new one is wrong. */
enum rc front_reload(struct front *front, struct settings_error *error);
void front_state_path(const struct front *front, const char *name, char out[4096]);
void front_save_state(struct front *front);

/* --- push.c */
void front_set_mode(struct front *front, enum guard_mode mode);
void front_push_relays(struct front *front);
/* Whether the kernel's feed is wanted now (View, and whether a relayd is connected). */
bool front_wants_feed(const struct front *front);
/* Push the whole static part of the table: scope, mode, relays, lists. */
void front_push_static(struct front *front);
void front_push_feed(struct front *front);
void front_push_lists(struct front *front); /* after a change; kept on disk too */

/* --- decide.c */
struct decision {
	bool refuse;    /* really: enforcing, and something says so */
	uint8_t reason; /* set in observe mode too */
	uint32_t hold_ms;
};
enum decide_step { DECIDE_OPEN, DECIDE_DEST };
void front_decide(struct front *front, enum engine_view view, enum decide_step step,
    uint64_t now_ms, const struct engine_stream *stream, struct decision *out);
/* Hand what the engines want in the kernel to priv. */
void front_push_changes(struct front *front);

/* --- kernel.c */
enum rc kernel_start(struct front *front);
void kernel_stop(struct front *front);
void kernel_elem(struct front *front, bool add, const struct guard_elem *elem);
void kernel_clear_set(struct front *front, enum guard_set set);
void kernel_commit(struct front *front); /* nothing if no change is waiting */
void kernel_ask_status(struct front *front);

/* --- reports.c */
enum rc reports_start(struct front *front);
void reports_stop(struct front *front);

/* --- control.c */
enum rc control_start(struct front *front);
void control_stop(struct front *front);

/* --- relays.c */
/* Read the consensus files if they changed; true if the relays did. */
bool front_read_relays(struct front *front);

#endif
