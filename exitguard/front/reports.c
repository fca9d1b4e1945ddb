/* reports.c: the report socket. Each packet in is checked whole, its records go to the engine,
 * the verdicts go back in one packet. A relayd that breaks the rules loses its connection and
 * nothing else; one that does not read loses verdicts (it goes on by its own deadline). */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/report.h"
#include "exitguard/front/front.h"
#include "exitguard/ledger/ledger.h"

#define CONNS_MAX      64
#define PACKETS_A_TURN 64 /* from one connection before others have their turn */
#define LINES_A_MINUTE 10
#define SEND_BUFFER    (1024 * 1024)

struct report_conn {
	struct front *front;
	struct report_conn *next;
	struct event *readable;
	int fd;
	bool greeted;
	uint64_t salt; /* keeps the numbers of different connections apart */
};

static void
conn_free(struct report_conn *conn)
{
	struct report_conn **at = &conn->front->reports.conns;

	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	conn->front->reports.count--;
	event_free(conn->readable);
	close(conn->fd);
	free(conn);
}

static void
conn_break(struct report_conn *conn, enum rc rc)
{
	struct front *front = conn->front;
	bool was_greeted = conn->greeted;
	unsigned swallowed;

	conn_free(conn);
	if (rc == RC_CLOSED) {
		log_notice(LOG_GUARD, "a relayd has disconnected");
	} else {
		front->reports.broken++;
		if (log_limit_ok(&front->reports.limit, LINES_A_MINUTE, front_now_ms(), &swallowed))
			log_warn(LOG_GUARD,
			    "report connection closed after a wrong %s: %s (%u more like it)",
			    was_greeted ? "record" : "greeting", rc_str(rc), swallowed);
	}
	front_push_feed(front);
}

static struct engine_stream
stream_of(const struct report_conn *conn, const struct report_record *record)
{
	uint64_t circuit = record->circuit ^ conn->salt;
	struct addr addr = report_addr(record);

	return (struct engine_stream){
		.stream = record->stream ^ conn->salt,
		.circuit = circuit != 0 ? circuit : 1,
		.addr = addr_unmap(&addr),
		.port = record->port,
		.by_name = record->type == REPORT_DEST || (record->flags & REPORT_BY_NAME) != 0,
	};
}

static void
answer(struct report_conn *conn, enum decide_step step, uint64_t now_ms,
    const struct report_record *record, struct report_record *out)
{
	struct engine_stream stream = stream_of(conn, record);
	struct decision decision;

	front_decide(conn->front, ENGINE_VIEW_RELAY, step, now_ms, &stream, &decision);
	*out = (struct report_record){
		.type = REPORT_VERDICT,
		.code = decision.refuse ? REPORT_REFUSE : REPORT_ALLOW,
		.reason = decision.reason,
		.stream = record->stream,
		.ms = decision.hold_ms,
	};
}

/* One record; true if *out has an answer to it. */
static bool
take_record(struct report_conn *conn, uint64_t now_ms, const struct report_record *record,
    struct report_record *out)
{
	struct engine *engine = conn->front->engines[ENGINE_VIEW_RELAY];

	switch (record->type) {
	case REPORT_OPEN:
		answer(conn, DECIDE_OPEN, now_ms, record, out);
		return true;
	case REPORT_DEST:
		answer(conn, DECIDE_DEST, now_ms, record, out);
		return true;
	case REPORT_OUTCOME:
		engine_outcome(
		    engine, now_ms, record->stream ^ conn->salt, record->code, record->ms);
		return false;
	case REPORT_CLOSED:
		engine_closed(engine, now_ms, record->stream ^ conn->salt);
		return false;
	}
	return false; /* POLICY: for the ledger's readers, relayd keeps its own history */
}

static void
send_verdicts(struct report_conn *conn, const struct report_record *verdicts, size_t count)
{
	struct reports *reports = &conn->front->reports;

	reports->verdicts += count;
	if (count != 0 &&
	    send(conn->fd, verdicts, count * sizeof(*verdicts), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		reports->dropped += count;
}

static enum rc
take_packet(struct report_conn *conn, struct span packet)
{
	struct report_record verdicts[REPORT_MAX_RECORDS], record;
	uint64_t now_ms = front_now_ms();
	size_t count, answers = 0;

	enum rc rc = report_packet_check(packet, REPORT_FROM_RELAYD, &count);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++) {
		report_packet_get(packet, i, &record);
		answers += take_record(conn, now_ms, &record, &verdicts[answers]);
	}
	send_verdicts(conn, verdicts, answers);
	return RC_OK;
}

static enum rc
take_hello(struct report_conn *conn, struct span packet)
{
	struct report_hello hello;
	struct report_hello ours = report_hello_make(conn->front->mode == GUARD_ENFORCE);
	enum rc rc = report_hello_parse(packet, &hello);

	if (rc != RC_OK)
		return rc;
	if (send(conn->fd, &ours, sizeof(ours), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return RC_SYSTEM;
	conn->greeted = true;
	log_notice(LOG_GUARD, "a relayd has connected");
	front_push_feed(conn->front);
	return RC_OK;
}

static void
on_packet(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t buf[REPORT_MAX_RECORDS * sizeof(struct report_record) + 1];
	struct report_conn *conn = arg;
	struct front *front = conn->front;
	enum rc rc = RC_OK;

	(void)what;
	for (int i = 0; i < PACKETS_A_TURN && rc == RC_OK; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			rc = RC_CLOSED;
		else if (!conn->greeted)
			rc = take_hello(conn, span_of(buf, (size_t)n));
		else
			rc = take_packet(conn, span_of(buf, (size_t)n));
	}
	front_push_changes(front);
	if (rc != RC_OK)
		conn_break(conn, rc);
}

/* Root, ourselves and the users whose relays we guard. */
static bool
peer_may_report(const struct front *front, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	uint32_t uid;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	for (size_t i = 0; i < front->settings.relay_users.count; i++)
		if (settings_user_id(front->settings.relay_users.items[i], &uid) == RC_OK &&
		    uid == peer.uid)
			return true;
	return false;
}

static enum rc
conn_new(struct front *front, int fd)
{
	struct report_conn *conn = calloc(1, sizeof(*conn));
	int size = SEND_BUFFER;

	if (conn == NULL)
		return RC_NO_MEMORY;
	conn->readable = event_new(front->base, fd, EV_READ | EV_PERSIST, on_packet, conn);
	if (conn->readable == NULL || event_add(conn->readable, NULL) != 0) {
		if (conn->readable != NULL)
			event_free(conn->readable);
		free(conn);
		return RC_NO_MEMORY;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	conn->front = front;
	conn->fd = fd;
	randombytes_buf(&conn->salt, sizeof(conn->salt));
	conn->next = front->reports.conns;
	front->reports.conns = conn;
	front->reports.count++;
	front->reports.accepted++;
	return RC_OK;
}

static void
on_connect(evutil_socket_t listener, short what, void *arg)
{
	struct front *front = arg;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	unsigned swallowed;

	(void)what;
	if (fd < 0)
		return;
	bool may = peer_may_report(front, fd);
	enum rc rc = !may || front->engines[ENGINE_VIEW_RELAY] == NULL ? RC_DENIED
		     : front->reports.count >= CONNS_MAX               ? RC_LIMIT
								       : conn_new(front, fd);
	if (rc == RC_OK)
		return;
	close(fd);
	front->reports.refused_peers++;
	if (log_limit_ok(&front->reports.limit, LINES_A_MINUTE, front_now_ms(), &swallowed))
		log_warn(LOG_GUARD, "report connection not taken: %s%s (%u more like it)",
		    rc_str(rc), !may ? "; name relayd's user as RelayUser" : "", swallowed);
}

enum rc
reports_start(struct front *front)
{
	front->reports.readable =
	    event_new(front->base, FRONT_FD_REPORT, EV_READ | EV_PERSIST, on_connect, front);
	if (front->reports.readable == NULL || event_add(front->reports.readable, NULL) != 0)
		return RC_NO_MEMORY;
	return RC_OK;
}

void
reports_stop(struct front *front)
{
	while (front->reports.conns != NULL)
		conn_free(front->reports.conns);
	if (front->reports.readable != NULL)
		event_free(front->reports.readable);
	front->reports.readable = NULL;
	close(FRONT_FD_REPORT);
}
