/* link.h: OR connections: TLS sockets of one worker, their handshake, cells in and out, and the
 * queues of the circuits on them. A link stays with its worker; everything here is called in that
 * worker's thread. */
#ifndef RELAYD_LINK_LINK_H
#define RELAYD_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#include "common/addr.h"
#include "common/log.h"
#include "relayd/cell/cell.h"
#include "relayd/link/handshake.h"
#include "relayd/work/work.h"

#define LINK_CELLS_HIGH 256 /* stop reading what feeds a circuit's queue */
#define LINK_CELLS_LOW  10  /* and go on */

struct link;

/* A circuit's end on a link: its id there and the cells that wait to go out. */
struct link_circ {
	UT_hash_handle hh; /* in link->circs by circid */
	uint32_t circid;
	struct link *link;
	bool is_next_hop;        /* the circuit goes on over this link: its owner may be anywhere */
	uint64_t circuit_id;     /* is_next_hop: the circuit's id across workers */
	struct circuit *circuit; /* else: the circuit itself */

	TAILQ_ENTRY(link_circ) active_entry; /* in link->active while cells wait */
	bool is_active, is_high;
	struct cell_node *queue_head, *queue_tail;
	unsigned queued;
};

struct link {
	UT_hash_handle hh; /* in the worker's table by id */
	uint64_t id;
	struct worker *worker;
	int fd;
	SSL *ssl;
	struct event *read_event, *write_event;
	bool initiator, connecting, tls_done, open, closing, dirty;
	bool has_more;            /* read on in the next turn */
	struct link_handshake hs; /* cleared but for ids once open */
	struct private_addr peer;
	bool canonical;

	struct link_circ *circs; /* uthash */
	TAILQ_HEAD(, link_circ) active;
	void *waiting; /* the circuit room's: extends until it is open */

	uint8_t *in; /* cells not yet whole */
	size_t in_len, in_cap;
	struct evbuffer *control; /* cells that go before all queues */
	uint8_t *out;             /* one record being written */
	size_t out_off, out_len;

	uint64_t made_ms, last_read_ms, last_write_ms, empty_since_ms;
	TAILQ_ENTRY(link) dirty_entry, dead_entry;
};

/* What the room above does; the same for all workers, set once. */
struct link_ops {
	/* A cell for the circuit room on an open link. lc: NULL if the id is unknown. body may be
	 * changed in place. The link may be closing when it returns. */
	void (*cell)(
	    struct link *link, struct link_circ *lc, const struct cell *cell, uint8_t *body);
	void (*opened)(struct link *link);
	void (*closed)(struct link *link);          /* before its circuits are told */
	void (*circ_lost)(struct link_circ *lc);    /* the link goes; free nothing */
	void (*circ_drained)(struct link_circ *lc); /* was above HIGH, is at LOW */
};

enum rc link_room_init(struct worker *w, const struct link_ops *ops);
void link_close_all(struct worker *w);
void link_room_clear(struct worker *w); /* after link_close_all */

/* A listening socket with SO_REUSEPORT; -1 and errno. Call it before privileges go. */
int link_listen_socket(const struct addr_port *at);
enum rc link_listen(struct worker *w, int fd); /* takes fd */

/* Connect to a relay; NULL if it cannot even begin. from: ADDR_NONE for any. */
struct link *link_connect(struct worker *w, const struct addr_port *to, const struct addr *from,
    const uint8_t rsa_id[20], const uint8_t *ed_id);
struct link *link_find(struct worker *w, uint64_t id); /* NULL if gone */
void link_close(struct link *link, const char *why);   /* why NULL: quietly */

/* circid 0: pick one. NULL: no memory or none free. */
struct link_circ *link_circ_new(struct link *link, uint32_t circid);
void link_circ_free(struct link_circ *lc); /* drops its queue */
struct link_circ *link_circ_find(struct link *link, uint32_t circid);

/* Queue a cell; takes the node, circuit id and command are filled in. RC_LIMIT: the queue is
 * over circ_max_cell_queue_size, the node is gone and the circuit must go too. */
enum rc link_circ_send(struct link_circ *lc, uint8_t command, struct cell_node *node);
/* Control cells go ahead of all queues. */
void link_send_control(struct link *link, uint32_t circid, uint8_t command, struct span body);
void link_send_destroy(struct link *link, uint32_t circid, enum destroy_reason reason);

/* Is the peer a relay of the consensus? */
bool link_peer_is_known_relay(const struct link *link);

/* Private to the room. */
void link_mark_dirty(struct link *link);
void link_flush(struct link *link);
void link_read_on(struct link *link);
void link_read(struct link *link);
size_t link_circs_fill(struct link *link, uint8_t *out, size_t cap);
const struct link_ops *link_ops_of(struct worker *w);
struct link *link_new(struct worker *w, int fd, bool initiator, const struct addr_port *peer);
enum rc link_start(struct link *link);

#endif
