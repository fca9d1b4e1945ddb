/* link.c: one link: its socket, TLS, handshake, cells in and out. */
#include "relayd/link/link.h"

#include <errno.h>
#include <event2/buffer.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "relayd/link/registry.h"
#include "relayd/link/tls.h"

#define RECORD_CELLS   31 /* 15,934 bytes: one TLS record */
#define OUT_LEN        (RECORD_CELLS * CELL_LEN)
#define IN_START       (32 * CELL_LEN)
#define READS_A_TURN   8
#define RECORDS_A_TURN 4         /* then wait until the kernel wants more */
#define CONTROL_MAX    (8 << 20) /* a peer that sends but takes no answers gets this far */

/* SSL_read, SSL_write and SSL_do_handshake tell in three ways; make it one code. The queue of
 * errors is the thread's: clear it before the call, or what another link left is taken for this
 * one's failure. */
static enum rc
tls_result(struct link *link, int n)
{
	int error = SSL_get_error(link->ssl, n);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return RC_AGAIN;
	if (error == SSL_ERROR_ZERO_RETURN)
		return RC_CLOSED;
	return error == SSL_ERROR_SYSCALL ? RC_SYSTEM : RC_CRYPTO;
}

/* Cells of the handshake go straight to the control buffer. */
static enum rc
handshake_cell(struct link *link, const struct cell *cell)
{
	uint8_t buf[LINK_HANDSHAKE_OUT_MAX];
	struct wr out = wr_to(buf, sizeof(buf));
	enum rc rc = link_handshake_cell(&link->hs, cell, clock_wall_s(), &out);

	if (rc == RC_OK && wr_len(&out) != 0) {
		evbuffer_add(link->control, out.start, wr_len(&out));
		link_mark_dirty(link);
	}
	return rc;
}

static void
register_link(struct link *link, bool open)
{
	struct registry_entry e = {
		.link_id = link->id,
		.addr = link->peer.ap.addr,
		.open = open,
		.canonical = link->canonical,
		.made_ms = link->made_ms,
	};

	memcpy(e.rsa_id, open ? link->hs.peer_rsa_id : link->hs.want_rsa_id, 20);
	e.has_ed_id = open || link->hs.want_ed;
	memcpy(e.ed_id, open ? link->hs.peer_ed_id : link->hs.want_ed_id, 32);
	registry_put(&e);
}

/* The peer's address is one that it claims, or that the consensus has for it. */
static bool
is_canonical(const struct link *link)
{
	const struct link_handshake *hs = &link->hs;
	const struct consensus_relay *relay =
	    consensus_find(link->worker->snap->consensus, hs->peer_rsa_id);

	for (size_t i = 0; i < hs->netinfo.own_count; i++)
		if (addr_equal(&hs->netinfo.own[i], &link->peer.ap.addr))
			return true;
	return relay != NULL && (addr_equal(&relay->or_v4.addr, &link->peer.ap.addr) ||
				    addr_equal(&relay->or_v6.addr, &link->peer.ap.addr));
}

static void
on_open(struct link *link)
{
	link->open = true;
	EVP_MD_CTX_free(link->hs.sent);
	EVP_MD_CTX_free(link->hs.received);
	link->hs.sent = link->hs.received = NULL;
	relay_keys_unref(&link->hs.keys); /* old onion keys must not live as long as old links */
	if (link->hs.authenticated) {
		link->canonical = is_canonical(link);
		register_link(link, true);
		if (link->hs.skew_s > 3600 || link->hs.skew_s < -3600)
			log_info(LOG_LINK, "a relay's clock differs from ours by %lld s",
			    (long long)link->hs.skew_s);
	}
	atomic_fetch_add_explicit(&link->worker->counters.links_open, 1, memory_order_relaxed);
	link_ops_of(link->worker)->opened(link);
}

static void
open_cell(struct link *link, const struct cell *cell)
{
	/* The buffer is ours, so the crypto may work in place. */
	uint8_t *body = (uint8_t *)(uintptr_t)cell->body.data;

	switch (cell->command) {
	case CELL_CREATE:
	case CELL_CREATED:
	case CELL_RELAY:
	case CELL_DESTROY:
	case CELL_CREATE_FAST:
	case CELL_CREATED_FAST:
	case CELL_RELAY_EARLY:
	case CELL_CREATE2:
	case CELL_CREATED2:
		if (cell->circid != 0)
			link_ops_of(link->worker)
			    ->cell(link, link_circ_find(link, cell->circid), cell, body);
		break;
	default: /* padding, its negotiation, and what comes too late: nothing to do */
		break;
	}
}

/* Whole cells out of the buffer; what is left moves to its front. */
static enum rc
consume(struct link *link)
{
	struct rd rd = rd_from(span_of(link->in, link->in_len));
	struct cell cell;
	enum rc rc = RC_OK;

	while (rc == RC_OK && !link->closing) {
		bool first = !link->open && link->hs.step == LINK_WANT_VERSIONS;

		rc = cell_next(&rd, first, &cell);
		if (rc != RC_OK)
			break;
		if (link->open) {
			open_cell(link, &cell);
			continue;
		}
		rc = handshake_cell(link, &cell);
		if (rc == RC_OK && link->hs.step == LINK_OPEN)
			on_open(link);
	}
	size_t left = rd_left(&rd);
	memmove(link->in, link->in + (link->in_len - left), left);
	link->in_len = left;
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* Room for the cell that has begun: a variable one may be 65,542 bytes once the link is open;
 * before that only the handshake's own, which are short. */
static enum rc
make_room(struct link *link)
{
	size_t most = link->open ? CELL_VAR_MAX : IN_START;

	if (link->in_len < link->in_cap)
		return RC_OK;
	if (link->in_cap >= most)
		return RC_LIMIT;
	uint8_t *bigger = realloc(link->in, CELL_VAR_MAX);
	if (bigger == NULL)
		return RC_NO_MEMORY;
	link->in = bigger;
	link->in_cap = CELL_VAR_MAX;
	return RC_OK;
}

static enum rc
read_cells(struct link *link)
{
	for (unsigned i = 0; i < READS_A_TURN && !link->closing; i++) {
		enum rc rc = make_room(link);

		if (rc == RC_OK && evbuffer_get_length(link->control) > CONTROL_MAX)
			rc = RC_LIMIT;
		if (rc != RC_OK)
			return rc;
		ERR_clear_error();
		int n = SSL_read(
		    link->ssl, link->in + link->in_len, (int)(link->in_cap - link->in_len));
		if (n <= 0)
			return tls_result(link, n);
		link->in_len += (size_t)n;
		link->last_read_ms = clock_mono_ms();
		atomic_fetch_add_explicit(
		    &link->worker->counters.bytes_read, (uint64_t)n, memory_order_relaxed);
		rc = consume(link);
		if (rc != RC_OK)
			return rc;
	}
	/* More may lie in the TLS buffer, where epoll does not see it. */
	if (!link->closing && SSL_has_pending(link->ssl)) {
		link->has_more = true;
		link_mark_dirty(link);
	}
	return RC_AGAIN;
}

static enum rc
tls_handshake(struct link *link)
{
	uint8_t buf[LINK_HANDSHAKE_OUT_MAX];
	struct wr out = wr_to(buf, sizeof(buf));

	ERR_clear_error();
	int n = SSL_do_handshake(link->ssl);
	if (n != 1) {
		enum rc rc = tls_result(link, n);

		if (rc == RC_AGAIN && SSL_want_write(link->ssl))
			event_add(link->write_event, NULL);
		return rc;
	}
	link->tls_done = true;
	if (link->initiator && tls_peer_cert_sha256(link->ssl, link->hs.peer_tls_sha256) != RC_OK)
		return RC_CRYPTO;
	link_handshake_start(&link->hs, &out);
	evbuffer_add(link->control, out.start, wr_len(&out));
	link_mark_dirty(link);
	return RC_OK;
}

static void
report_failure(struct link *link, enum rc rc)
{
	const char *why = link->hs.why != NULL ? link->hs.why : rc_str(rc);

	if (rc == RC_CLOSED || rc == RC_SYSTEM) /* they hung up: everyday */
		log_info(LOG_LINK, "link %s: %s", link->open ? "closed" : "not made", why);
	else
		worker_complain(link->worker, LOG_LINK, "closing a link %s: %s",
		    link->open ? "in use" : "in its handshake", why);
}

void
link_read(struct link *link)
{
	enum rc rc = RC_OK;

	if (!link->tls_done)
		rc = tls_handshake(link);
	if (rc == RC_OK && link->tls_done)
		rc = read_cells(link);
	if (rc != RC_AGAIN && rc != RC_OK && !link->closing) {
		report_failure(link, rc);
		link_close(link, NULL);
	}
}

/* The next record's worth: control cells first, then the circuits' turn. */
static void
fill_out(struct link *link)
{
	int n = evbuffer_remove(link->control, link->out, OUT_LEN);

	link->out_off = 0;
	link->out_len = n > 0 ? (size_t)n : 0;
	if (link->open && link->out_len < OUT_LEN)
		link->out_len +=
		    link_circs_fill(link, link->out + link->out_len, OUT_LEN - link->out_len);
}

void
link_flush(struct link *link)
{
	for (unsigned i = 0; i < RECORDS_A_TURN && !link->closing && link->tls_done; i++) {
		if (link->out_off == link->out_len)
			fill_out(link);
		if (link->out_len == 0 || link->closing)
			return;
		ERR_clear_error();
		int n = SSL_write(
		    link->ssl, link->out + link->out_off, (int)(link->out_len - link->out_off));
		if (n <= 0) {
			enum rc rc = tls_result(link, n);

			if (rc == RC_AGAIN)
				event_add(link->write_event, NULL);
			else {
				report_failure(link, rc);
				link_close(link, NULL);
			}
			return;
		}
		link->out_off += (size_t)n;
		link->last_write_ms = clock_mono_ms();
		atomic_fetch_add_explicit(
		    &link->worker->counters.bytes_written, (uint64_t)n, memory_order_relaxed);
	}
	if (!link->closing && link->tls_done &&
	    (link->out_off < link->out_len || evbuffer_get_length(link->control) != 0 ||
		!TAILQ_EMPTY(&link->active)))
		event_add(link->write_event, NULL);
}

/* At the end of a turn, not within it: the loop goes on for as long as there are active events, and
 * one fast sender would keep it from ever writing. */
void
link_read_on(struct link *link)
{
	if (!link->has_more || link->closing)
		return;
	link->has_more = false;
	event_active(link->read_event, EV_READ, 0);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	link_read(arg);
}

/* The end of a connect, or room to write. */
static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)what;
	if (link->connecting) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
			log_info(LOG_LINK, "cannot connect to a relay: %s", strerror(error));
			link_close(link, NULL);
			return;
		}
		link->connecting = false;
		event_add(link->read_event, NULL);
	}
	if (!link->tls_done)
		link_read(link);
	link_flush(link);
}

struct link *
link_new(struct worker *w, int fd, bool initiator, const struct addr_port *peer)
{
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL) {
		close(fd);
		return NULL;
	}
	link->worker = w;
	link->fd = fd;
	link->id = worker_new_id(w);
	link->initiator = link->connecting = initiator;
	link->peer.ap = *peer;
	link->made_ms = link->last_read_ms = link->last_write_ms = clock_mono_ms();
	link->empty_since_ms = link->made_ms;
	TAILQ_INIT(&link->active);
	return link;
}

enum rc
link_start(struct link *link)
{
	struct snapshot *snap = link->worker->snap;
	struct link_handshake *hs = &link->hs;

	link->ssl = link->initiator ? tls_client_new(snap->tls_client) : SSL_new(snap->tls_server);
	link->in = malloc(IN_START);
	link->in_cap = IN_START;
	link->out = malloc(OUT_LEN);
	link->control = evbuffer_new();
	link->read_event =
	    event_new(link->worker->base, link->fd, EV_READ | EV_PERSIST, on_readable, link);
	link->write_event = event_new(link->worker->base, link->fd, EV_WRITE, on_writable, link);
	hs->initiator = link->initiator;
	hs->peer_addr = link->peer.ap.addr;
	memcpy(hs->own, snap->own, sizeof(hs->own));
	hs->own_count = snap->own_count;
	hs->exporter = tls_exporter;
	hs->exporter_arg = link->ssl;
	if (link_handshake_init(hs, snap->keys) != RC_OK || link->ssl == NULL || link->in == NULL ||
	    link->out == NULL || link->control == NULL || link->read_event == NULL ||
	    link->write_event == NULL || SSL_set_fd(link->ssl, link->fd) != 1)
		return RC_NO_MEMORY;
	if (link->initiator)
		register_link(link, false);
	else
		SSL_set_accept_state(link->ssl);
	return event_add(link->initiator ? link->write_event : link->read_event, NULL) == 0
		   ? RC_OK
		   : RC_SYSTEM;
}
