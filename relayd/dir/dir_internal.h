/* dir_internal.h: what the parts of the directory client share: fetch.c reads from the
 * authorities, micro_fetch.c their microdescriptors, publish.c tells them about us, dir.c holds it
 * together. Within dir/. */
#ifndef RELAYD_DIR_DIR_INTERNAL_H
#define RELAYD_DIR_DIR_INTERNAL_H

#include "common/log.h"
#include "relayd/dir/consensus_parse.h"
#include "relayd/dir/dir.h"
#include "relayd/dir/exchange.h"
#include "relayd/dir/http.h"
#include "relayd/dir/keycert.h"
#include "relayd/dir/micro.h"

#define DESCRIPTOR_MAX 20000
#define MICRO_LANES    2 /* requests for microdescriptors under way at once */

/* Something that is asked for again and again: when next, and how often it failed in a row. */
struct task {
	struct exchange *exchange;
	uint64_t due_ms; /* on the monotonic clock */
	unsigned failures;
	size_t authority; /* whom the exchange asks */
};

struct micro_lane {
	struct dir *dir;
	struct task task;
};

enum upload_state {
	UPLOAD_IDLE, /* nothing to send, or done with it */
	UPLOAD_DUE,
	UPLOAD_CONFIRM, /* taken or silently dropped: send again to learn which */
};

struct upload {
	struct dir *dir;
	struct task task;
	enum upload_state state;
	bool accepted;
};

struct dir {
	struct dir_config config;
	struct dir_authority authorities[AUTHORITIES_MAX];
	char *cache_dir;
	struct event *tick;
	uint32_t testing_wait_ms; /* between tries on a test network; up to twice that */
	size_t next_authority;

	/* Reading. */
	struct keycert_set certs;
	struct task consensus_task, certs_task;
	bool certs_wanted;
	uint64_t certs_again_ms; /* not again before */
	char *unverified;        /* a consensus that waits for certificates */
	size_t unverified_len;
	struct consensus *bare; /* the newest one, without Ed25519 identities */
	struct consensus *view; /* what was handed out last */
	struct micro_table micros;
	struct micro_lane lanes[MICRO_LANES];
	uint8_t (*wanted)[32]; /* digests to ask for, sorted */
	size_t wanted_count, wanted_next;
	unsigned micro_rounds; /* in a row that brought nothing */
	uint64_t micro_due_ms;
	bool micro_news; /* some came since the last view */
	struct log_limit complaints;

	/* Telling. */
	struct upload uploads[AUTHORITIES_MAX];
	char *descriptor; /* NULL: none made yet */
	size_t descriptor_len;
	time_t published;
	uint64_t made_ms, bandwidth_made_ms, bandwidth_check_ms;
	uint64_t bandwidth_told;
	bool republish;
	bool told_accepted; /* the log has it that all took the descriptor */
	char because[80];
	uint8_t own_id[20];
	bool has_own_id, listed;
};

/* How long to wait after so many failures in a row. */
uint64_t dir_retry_ms(const struct dir *dir, unsigned failures);
/* Ask an authority (index into authorities). answer_max bounds the packed answer. */
enum rc dir_ask(struct dir *dir, size_t authority, const char *method, const char *path,
    struct span body, time_t if_modified_since, size_t answer_max, exchange_done_fn *done,
    void *arg, struct exchange **out);
/* Parse an answer, unpack its body (at most max bytes) and note our address. RC_NOT_FOUND: any
 * status but 200; *status says which. The caller frees *body. */
enum rc dir_answer(struct dir *dir, struct span answer, size_t max, unsigned *status, char **body,
    size_t *body_len);
/* Set whom the task asks now: after a failure the next one in the list. */
void dir_turn(struct dir *dir, struct task *task);

void fetch_load_cache(struct dir *dir, time_t now);
void fetch_tick(struct dir *dir, time_t now, uint64_t now_ms);
void fetch_clear(struct dir *dir);

/* Hand out a view of dir->bare with what is known of its Ed25519 identities. */
void fetch_publish_view(struct dir *dir);
void micro_load_cache(struct dir *dir);
void micro_want(struct dir *dir); /* after dir->bare has changed */
void micro_tick(struct dir *dir, uint64_t now_ms);
void micro_clear(struct dir *dir);

void publish_tick(struct dir *dir, time_t now, uint64_t now_ms);
void publish_note_view(struct dir *dir);
void publish_clear(struct dir *dir);

#endif
