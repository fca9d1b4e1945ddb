/* io.c: a stream's socket: connecting, bytes both ways, windows. From the destination one readv
 * goes straight into the payloads of up to 31 cells. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"
#include "relayd/exit/stream.h"
#include "relayd/guard/guard.h"

#define CELLS_A_READ   31
#define SENDME_OUT_MAX (10 * RELAY_DATA_MAX) /* unsent bytes above which no SENDME is given */

static const struct {
	int error;
	enum end_reason reason;
	enum report_outcome outcome;
} errors[] = {
	{ ECONNREFUSED, END_CONNECTREFUSED, REPORT_REFUSED },
	{ ECONNRESET, END_CONNRESET, REPORT_REFUSED },
	{ ENETUNREACH, END_NOROUTE, REPORT_REFUSED },
	{ EHOSTUNREACH, END_NOROUTE, REPORT_REFUSED },
	{ EACCES, END_NOROUTE, REPORT_LOCAL_FAILURE },
	{ EPERM, END_NOROUTE, REPORT_LOCAL_FAILURE },
	{ ETIMEDOUT, END_TIMEOUT, REPORT_TIMEOUT },
	{ EPIPE, END_DONE, REPORT_REFUSED },
	/* Out of ports or descriptors: RESOURCELIMIT would make clients forget us for good. */
	{ EADDRNOTAVAIL, END_MISC, REPORT_LOCAL_FAILURE },
	{ EADDRINUSE, END_MISC, REPORT_LOCAL_FAILURE },
	{ EMFILE, END_MISC, REPORT_LOCAL_FAILURE },
	{ ENFILE, END_MISC, REPORT_LOCAL_FAILURE },
	{ ENOBUFS, END_MISC, REPORT_LOCAL_FAILURE },
	{ ENOMEM, END_MISC, REPORT_LOCAL_FAILURE },
	{ 0, END_MISC, REPORT_TIMEOUT },
};

static unsigned
error_row(int error)
{
	unsigned i = 0;

	while (errors[i].error != 0 && errors[i].error != error)
		i++;
	return i;
}

void
stream_report(struct stream *s, enum report_type type, enum report_outcome outcome)
{
	struct report_record r = { .type = (uint8_t)type, .stream = s->report_id };

	if (s->report_epoch == 0)
		return;
	if (type == REPORT_OUTCOME) {
		uint64_t ms = clock_mono_ms() - s->since_ms;

		r.code = (uint8_t)outcome;
		r.ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
	}
	guard_tell(s->worker, &r, s->report_epoch);
	if (type == REPORT_CLOSED)
		s->report_epoch = 0;
}

/* --- to the destination ---------------------------------------------------------------------- */

static void
give_sendmes(struct stream *s)
{
	while (s->circuit != NULL && s->deliver_window <= STREAM_WINDOW - STREAM_WINDOW_STEP &&
	       evbuffer_get_length(s->out) <= SENDME_OUT_MAX) {
		s->deliver_window += STREAM_WINDOW_STEP;
		if (circuit_send(s->circuit, RELAY_SENDME, s->id, span_of(NULL, 0)) != RC_OK)
			return; /* the stream went with the circuit */
	}
}

static void
flush_out(struct stream *s)
{
	while (evbuffer_get_length(s->out) != 0) {
		int n = evbuffer_write(s->out, s->fd);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			event_add(s->write_event, NULL);
			break;
		}
		if (n <= 0) {
			evbuffer_drain(s->out, evbuffer_get_length(s->out));
			stream_end(s, errors[error_row(errno)].reason);
			return;
		}
	}
	if (s->state == STREAM_FLUSHING) {
		if (evbuffer_get_length(s->out) == 0)
			stream_free(s);
		return;
	}
	give_sendmes(s);
}

void
stream_write(struct stream *s, struct span data)
{
	ssize_t n = 0;

	/* The common case: nothing waits, and the socket takes it all. */
	if (s->state == STREAM_OPEN && evbuffer_get_length(s->out) == 0) {
		n = send(s->fd, data.data, data.len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			stream_end(s, errors[error_row(errno)].reason);
			return;
		}
		if (n < 0)
			n = 0;
	}
	if ((size_t)n < data.len) {
		evbuffer_add(s->out, data.data + n, data.len - (size_t)n);
		if (s->state == STREAM_OPEN)
			event_add(s->write_event, NULL);
	}
	if (s->state == STREAM_OPEN)
		give_sendmes(s);
}

/* --- from the destination -------------------------------------------------------------------- */

/* Package what readv put into the nodes; unused ones go back. False: the stream is gone. */
static bool
package(struct stream *s, struct cell_node **nodes, const struct iovec *iov, unsigned count,
    size_t total)
{
	struct worker *w = s->worker;
	struct circuit *c = s->circuit;
	uint16_t id = s->id;
	bool alive = true;

	for (unsigned i = 0; i < count; i++) {
		size_t len = total < iov[i].iov_len ? total : iov[i].iov_len;

		if (len == 0 || !alive) {
			cell_node_free(w, nodes[i]);
			continue;
		}
		total -= len;
		s->package_window--;
		alive = circuit_send_node(c, RELAY_DATA, id, nodes[i], len) == RC_OK;
	}
	return alive;
}

static unsigned
prepare(struct stream *s, struct cell_node **nodes, struct iovec *iov)
{
	unsigned room = circuit_room(s->circuit), n = 0;

	if (s->package_window < (int)room)
		room = s->package_window > 0 ? (unsigned)s->package_window : 0;
	if (room > CELLS_A_READ)
		room = CELLS_A_READ;
	while (n < room && (nodes[n] = cell_node_new(s->worker)) != NULL) {
		iov[n].iov_base = nodes[n]->bytes + CIRCUIT_DATA_AT;
		iov[n].iov_len = circuit_data_max(s->circuit, n);
		n++;
	}
	return n;
}

static void
stop_reading(struct stream *s)
{
	s->reading = false;
	event_del(s->read_event);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;
	struct cell_node *nodes[CELLS_A_READ];
	struct iovec iov[CELLS_A_READ];
	unsigned count = prepare(s, nodes, iov);

	(void)what;
	if (count == 0) {
		stop_reading(s);
		return;
	}
	ssize_t n = readv(fd, iov, (int)count);
	int error = errno;
	if (!package(s, nodes, iov, count, n > 0 ? (size_t)n : 0))
		return;
	if (n == 0)
		stream_end(s, END_DONE);
	else if (n < 0 && error != EAGAIN && error != EINTR)
		stream_end(s, errors[error_row(error)].reason);
}

void
stream_resume(struct stream *s)
{
	if (s->state != STREAM_OPEN || s->reading || s->package_window <= 0 ||
	    !circuit_may_send(s->circuit))
		return;
	s->reading = true;
	event_add(s->read_event, NULL);
}

/* --- connecting ------------------------------------------------------------------------------ */

static void
connected(struct stream *s)
{
	uint8_t body[32];
	struct wr wr = wr_to(body, sizeof(body));

	s->state = STREAM_OPEN;
	stream_report(s, REPORT_OUTCOME, REPORT_CONNECTED);
	connected_write(&wr, &s->to.ap.addr, s->ttl);
	if (circuit_send(s->circuit, RELAY_CONNECTED, s->id, wr_written(&wr)) != RC_OK)
		return;
	stream_resume(s);
	flush_out(s); /* data that came early */
}

static void
connect_failed(struct stream *s, int error)
{
	unsigned row = error_row(error);

	stream_report(s, REPORT_OUTCOME, errors[row].outcome);
	stream_end(s, errors[row].reason);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)what;
	if (s->state != STREAM_CONNECTING) {
		flush_out(s);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		connected(s);
	else
		connect_failed(s, error);
}

/* Exit streams may leave from an address of their own (OutboundBindAddressExit). */
static enum rc
bind_source(struct stream *s)
{
	const struct torrc *conf = s->worker->snap->conf;
	const struct addr *to = &s->to.ap.addr;
	const struct addr *from =
	    to->family == ADDR_IPV6 ? &conf->outbound_exit_v6 : &conf->outbound_exit_v4;
	struct addr_port at = { *from, 0 };
	struct sockaddr_storage ss;
	int one = 1;
	bool to_loopback = to->family == ADDR_IPV4 && to->bytes[0] == 127;

	if (from->family != to->family || to_loopback)
		return RC_OK;
	/* Else bind takes a port for good, and 28,000 streams to anywhere would be all there can be. */
	(void)setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	socklen_t len = addr_port_to_sockaddr(&at, &ss);
	return bind(s->fd, (struct sockaddr *)&ss, len) == 0 ? RC_OK : RC_SYSTEM;
}

/* RC_CLOSED: the stream was ended here. */
enum rc
stream_connect(struct stream *s)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_port_to_sockaddr(&s->to.ap, &ss);

	s->since_ms = clock_mono_ms();
	s->state = STREAM_CONNECTING;
	s->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind_source(s) != RC_OK) {
		connect_failed(s, errno);
		return RC_CLOSED;
	}
	s->read_event = event_new(s->worker->base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	s->write_event = event_new(s->worker->base, s->fd, EV_WRITE, on_writable, s);
	if (s->read_event == NULL || s->write_event == NULL)
		return RC_NO_MEMORY;
	if (connect(s->fd, (struct sockaddr *)&ss, len) != 0 && errno != EINPROGRESS) {
		connect_failed(s, errno);
		return RC_CLOSED;
	}
	return event_add(s->write_event, NULL) == 0 ? RC_OK : RC_NO_MEMORY;
}
