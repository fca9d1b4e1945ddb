/* table.c: all links of a worker: listening, connecting, closing, growing old. */
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "relayd/link/link.h"
#include "relayd/link/registry.h"

#define HANDSHAKE_TIMEOUT_MS 60000
#define STUCK_KEEPALIVES     10 /* keepalive periods without a byte written, though some wait */
#define MAX_LISTENERS        16
#define ACCEPTS_A_TURN       32
#define NOTSENT_LOWAT        65536 /* unsent bytes in the kernel before it asks for more */

struct link_table {
	const struct link_ops *ops;
	struct link *links; /* uthash by id */
	TAILQ_HEAD(, link) dirty;
	TAILQ_HEAD(, link) dead;
	struct event *listeners[MAX_LISTENERS];
	unsigned listener_count;
};

const struct link_ops *
link_ops_of(struct worker *w)
{
	return w->links->ops;
}

void
link_mark_dirty(struct link *link)
{
	if (link->dirty || link->closing)
		return;
	link->dirty = true;
	TAILQ_INSERT_TAIL(&link->worker->links->dirty, link, dirty_entry);
}

static void
link_free(struct link *link)
{
	if (link->read_event != NULL)
		event_free(link->read_event);
	if (link->write_event != NULL)
		event_free(link->write_event);
	if (link->ssl != NULL)
		SSL_free(link->ssl);
	if (link->control != NULL)
		evbuffer_free(link->control);
	link_handshake_clear(&link->hs);
	free(link->in);
	free(link->out);
	close(link->fd);
	free(link);
}

/* A last try to get what is queued out: DESTROYs and ENDs are worth a write. */
static void
say_goodbye(struct link *link)
{
	if (link->tls_done && link->ssl != NULL) {
		SSL_set_quiet_shutdown(link->ssl, 0);
		(void)SSL_shutdown(link->ssl);
	}
}

void
link_close(struct link *link, const char *why)
{
	struct link_table *t = link->worker->links;
	struct link_circ *lc, *tmp;

	if (link->closing)
		return;
	if (why != NULL)
		log_info(LOG_LINK, "closing a link: %s", why);
	link->closing = true;
	if (link->open)
		atomic_fetch_sub_explicit(
		    &link->worker->counters.links_open, 1, memory_order_relaxed);
	if (link->hs.authenticated)
		registry_remove(link->hs.peer_rsa_id, link->id);
	if (link->initiator)
		registry_remove(link->hs.want_rsa_id, link->id);
	t->ops->closed(link);
	HASH_ITER (hh, link->circs, lc, tmp) {
		t->ops->circ_lost(lc);
		link_circ_free(lc);
	}
	if (link->read_event != NULL)
		event_del(link->read_event);
	if (link->write_event != NULL)
		event_del(link->write_event);
	say_goodbye(link);
	HASH_DEL(t->links, link);
	TAILQ_INSERT_TAIL(&t->dead, link, dead_entry);
}

struct link *
link_find(struct worker *w, uint64_t id)
{
	struct link *link;

	HASH_FIND(hh, w->links->links, &id, sizeof(id), link);
	return link;
}

static void
links_turn_end(struct worker *w)
{
	struct link_table *t = w->links;
	struct link *link;

	while ((link = TAILQ_FIRST(&t->dirty)) != NULL) {
		TAILQ_REMOVE(&t->dirty, link, dirty_entry);
		link->dirty = false;
		if (!link->closing)
			link_flush(link);
		link_read_on(link);
	}
	while ((link = TAILQ_FIRST(&t->dead)) != NULL) {
		TAILQ_REMOVE(&t->dead, link, dead_entry);
		link_free(link);
	}
}

static void
link_grow_old(struct link *link, uint64_t now_ms)
{
	const struct snapshot *snap = link->worker->snap;
	uint64_t idle_ms = (uint64_t)(link->hs.authenticated ? snap->link_idle_relays_s
							     : snap->link_idle_clients_s) *
			   1000;

	if (!link->open) {
		if (now_ms - link->made_ms > HANDSHAKE_TIMEOUT_MS)
			link_close(link, "no handshake in time");
		return;
	}
	uint64_t silent_ms = now_ms - link->last_write_ms;
	uint64_t keepalive_ms = snap->conf->keepalive_s * 1000ull;
	bool waits = event_pending(link->write_event, EV_WRITE, NULL) != 0;

	if (waits && silent_ms > keepalive_ms * STUCK_KEEPALIVES) {
		link_close(link, "takes nothing any more");
		return;
	}
	if (link->circs != NULL) {
		link->empty_since_ms = now_ms;
		if (!waits && silent_ms > keepalive_ms)
			link_send_control(link, 0, CELL_PADDING, span_of(NULL, 0));
		return;
	}
	if (now_ms - link->empty_since_ms > idle_ms)
		link_close(link, "idle");
}

static void
links_tick(struct worker *w, uint64_t now_ms)
{
	struct link *link, *tmp;

	HASH_ITER (hh, w->links->links, link, tmp)
		link_grow_old(link, now_ms);
	for (unsigned i = 0; i < w->links->listener_count; i++)
		event_add(w->links->listeners[i], NULL); /* one may be resting */
}

enum rc
link_room_init(struct worker *w, const struct link_ops *ops)
{
	w->links = calloc(1, sizeof(*w->links));
	if (w->links == NULL)
		return RC_NO_MEMORY;
	w->links->ops = ops;
	TAILQ_INIT(&w->links->dirty);
	TAILQ_INIT(&w->links->dead);
	worker_on_turn_end(w, links_turn_end);
	worker_on_tick(w, links_tick);
	return RC_OK;
}

void
link_close_all(struct worker *w)
{
	struct link *link, *tmp;

	HASH_ITER (hh, w->links->links, link, tmp)
		link_close(link, NULL);
}

void
link_room_clear(struct worker *w)
{
	if (w->links == NULL)
		return;
	link_close_all(w);
	for (unsigned i = 0; i < w->links->listener_count; i++) {
		close(event_get_fd(w->links->listeners[i]));
		event_free(w->links->listeners[i]);
	}
	links_turn_end(w);
	free(w->links);
	w->links = NULL;
}

int
link_listen_socket(const struct addr_port *at)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_port_to_sockaddr(at, &ss);
	int one = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0 ||
	    (at->addr.family == ADDR_IPV6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0) ||
	    bind(fd, (struct sockaddr *)&ss, len) != 0 || listen(fd, SOMAXCONN) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void
set_socket_options(int fd)
{
	int one = 1, lowat = NOTSENT_LOWAT;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
}

static void
link_adopt(struct link *link)
{
	HASH_ADD(hh, link->worker->links->links, id, sizeof(link->id), link);
	if (link_start(link) != RC_OK)
		link_close(link, "no memory for it");
}

/* Out of descriptors or memory: the socket stays readable, so look away until the next tick. */
static void
listener_rest(struct worker *w, evutil_socket_t listener)
{
	for (unsigned i = 0; i < w->links->listener_count; i++)
		if (event_get_fd(w->links->listeners[i]) == listener)
			event_del(w->links->listeners[i]);
}

static void
on_acceptable(evutil_socket_t listener, short what, void *arg)
{
	static _Thread_local struct log_limit limit;
	struct worker *w = arg;
	unsigned swallowed;

	(void)what;
	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct addr_port peer;
		int fd =
		    accept4(listener, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			int error = errno;

			if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
				return;
			if (log_limit_ok(&limit, 2, clock_mono_ms(), &swallowed))
				log_warn(LOG_LINK,
				    "cannot accept a connection: %s; raise LimitNOFILE if this "
				    "stays",
				    strerror(error));
			listener_rest(w, listener);
			return;
		}
		if (addr_port_from_sockaddr((struct sockaddr *)&ss, len, &peer) != RC_OK) {
			close(fd);
			continue;
		}
		set_socket_options(fd);
		struct link *link = link_new(w, fd, false, &peer);
		if (link != NULL)
			link_adopt(link);
	}
}

enum rc
link_listen(struct worker *w, int fd)
{
	struct link_table *t = w->links;
	struct event *ev;

	if (t->listener_count == MAX_LISTENERS)
		return RC_LIMIT;
	ev = event_new(w->base, fd, EV_READ | EV_PERSIST, on_acceptable, w);
	if (ev == NULL || event_add(ev, NULL) != 0)
		return RC_NO_MEMORY;
	t->listeners[t->listener_count++] = ev;
	return RC_OK;
}

static int
begin_connect(const struct addr_port *to, const struct addr *from)
{
	struct sockaddr_storage ss, local;
	socklen_t len = addr_port_to_sockaddr(to, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_socket_options(fd);
	if (from->family == to->addr.family && !addr_is_internal(&to->addr)) {
		struct addr_port at = { *from, 0 };
		socklen_t local_len = addr_port_to_sockaddr(&at, &local);
		int one = 1;

		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (bind(fd, (struct sockaddr *)&local, local_len) != 0)
			log_info(LOG_LINK, "cannot bind a link to OutboundBindAddress: %s",
			    strerror(errno));
	}
	if (connect(fd, (struct sockaddr *)&ss, len) != 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

struct link *
link_connect(struct worker *w, const struct addr_port *to, const struct addr *from,
    const uint8_t rsa_id[20], const uint8_t *ed_id)
{
	int fd = begin_connect(to, from);
	struct link *link = fd >= 0 ? link_new(w, fd, true, to) : NULL;

	if (link == NULL)
		return NULL;
	memcpy(link->hs.want_rsa_id, rsa_id, 20);
	link->hs.want_ed = ed_id != NULL;
	if (ed_id != NULL)
		memcpy(link->hs.want_ed_id, ed_id, 32);
	link_adopt(link);
	return link->closing ? NULL : link;
}

void
link_send_control(struct link *link, uint32_t circid, uint8_t command, struct span body)
{
	uint8_t bytes[CELL_LEN];
	struct wr wr = wr_to(bytes, sizeof(bytes));

	if (link->closing)
		return;
	cell_write(&wr, circid, command, body);
	if (wr.rc == RC_OK && evbuffer_add(link->control, bytes, sizeof(bytes)) == 0)
		link_mark_dirty(link);
}

void
link_send_destroy(struct link *link, uint32_t circid, enum destroy_reason reason)
{
	uint8_t body = (uint8_t)reason;

	link_send_control(link, circid, CELL_DESTROY, span_of(&body, 1));
}

bool
link_peer_is_known_relay(const struct link *link)
{
	return link->hs.authenticated &&
	       consensus_find(link->worker->snap->consensus, link->hs.peer_rsa_id) != NULL;
}
