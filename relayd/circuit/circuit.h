/* circuit.h: circuits through this relay (tor-spec 5, 6). A circuit belongs to the worker of the
 * link it came in on; its next hop may be on a link of any worker. All calls in the owner's
 * thread. */
#ifndef RELAYD_CIRCUIT_CIRCUIT_H
#define RELAYD_CIRCUIT_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#include "relayd/cell/relay_msg.h"
#include "relayd/crypt/tor1.h"
#include "relayd/link/link.h"
#include "relayd/work/work.h"

#define CIRCUIT_WINDOW      1000
#define CIRCUIT_WINDOW_STEP 100
#define STREAM_WINDOW       500
#define STREAM_WINDOW_STEP  50
#define CIRCUIT_EARLY_MAX   8
#define CIRCUIT_TAGS        (CIRCUIT_WINDOW / CIRCUIT_WINDOW_STEP + 1)

enum circuit_next { NEXT_NONE, NEXT_ASKED, NEXT_OPEN };

struct circuit {
	UT_hash_handle hh; /* in the worker's table by id */
	uint64_t id;
	struct worker *worker;
	struct link_circ *prev; /* NULL once closing */
	struct tor1 *crypto;
	bool is_fast; /* made by CREATE_FAST */
	bool closing;
	unsigned early_seen;

	enum circuit_next next;
	uint32_t next_ask; /* which of its extends: answers to older ones are void */
	uint64_t next_link;
	uint32_t next_circid;
	bool next_answered; /* its CREATED2 has come */

	/* Flow control (tor-spec 7.3). Tags of sent cells that will be acknowledged, oldest first. */
	int package_window, deliver_window;
	uint32_t data_sent, data_received, pad_at;
	uint8_t tags[CIRCUIT_TAGS][TOR1_TAG_LEN];
	unsigned tag_first, tag_count;

	struct stream *streams; /* uthash by stream id: the exit room's */
	uint64_t report_id;     /* for exitguard: means nothing elsewhere */
	struct circuit *next_dead;
};

/* What the exit room does. */
struct circuit_ops {
	void (*begin)(struct circuit *c, uint16_t stream_id, struct span data);
	void (*resolve)(struct circuit *c, uint16_t stream_id, struct span data);
	void (*data)(struct circuit *c, uint16_t stream_id, struct span data);
	void (*end)(struct circuit *c, uint16_t stream_id, struct span data);
	void (*sendme)(struct circuit *c, uint16_t stream_id);
	void (*sendable)(struct circuit *c); /* the window or the queue opened */
	void (*gone)(struct circuit *c);     /* close all its streams, send nothing */
};

enum rc circuit_room_init(struct worker *w, const struct circuit_ops *ops);
void circuit_room_clear(struct worker *w);
/* For link_room_init. */
extern const struct link_ops circuit_link_ops;

struct circuit *circuit_find(struct worker *w, uint64_t id);

/* May DATA be made for this circuit now? And how many cells at most. */
bool circuit_may_send(const struct circuit *c);
unsigned circuit_room(const struct circuit *c);
/* Send a message to the client. Any error has closed the circuit. */
enum rc circuit_send(struct circuit *c, uint8_t command, uint16_t stream_id, struct span data);
/* The same for a cell whose data already lies at CIRCUIT_DATA_AT of the node. Takes node. */
#define CIRCUIT_DATA_AT (CELL_HEAD_LEN + RELAY_HEAD_LEN)
enum rc circuit_send_node(struct circuit *c, uint8_t command, uint16_t stream_id,
    struct cell_node *node, size_t data_len);
/* How many bytes the next DATA cell may hold: now and then some are left to chance, so that a
 * SENDME's tag cannot be guessed (proposal 289). Applies to the cell after `ahead` others. */
size_t circuit_data_max(const struct circuit *c, unsigned ahead);

/* DESTROY to both sides, streams closed. The circuit is freed at the end of the turn. */
void circuit_close(struct circuit *c, enum destroy_reason reason);

/* Private to the room: next.c. */
const struct circuit_ops *circuit_ops_of(struct worker *w);
void circuit_extend(struct circuit *c, struct span data);
void circuit_truncate(struct circuit *c, struct span data);
/* Takes node, whose body has been decrypted one layer. */
void next_send(struct circuit *c, uint8_t command, struct cell_node *node);
void next_destroy(struct circuit *c, enum destroy_reason reason);
void next_cell(struct link_circ *lc, const struct cell *cell);
void next_lost(struct link_circ *lc, enum destroy_reason reason);
void next_link_opened(struct link *link);
void next_link_closed(struct link *link);
void circuit_shut(struct circuit *c, int prev_reason, int next_reason); /* -1: tell nobody */

#endif
