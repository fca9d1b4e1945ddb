/* control.c: the control socket: one request line, one answer, the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exitguard/front/answers.h"
#include "exitguard/front/front.h"

#define CONNS_MAX      16
#define PATIENCE_S     10 /* for a whole conversation */
#define LINES_A_MINUTE 10

struct control_conn {
	struct front *front;
	struct event *event;
	int fd;
	bool may_change;
	char line[CTL_REQUEST_MAX];
	size_t line_len;
	char *answer; /* owned, once there is one */
	size_t answer_len, sent;
};

static void
conn_free(struct control_conn *conn)
{
	conn->front->control.count--;
	if (conn->event != NULL)
		event_free(conn->event);
	close(conn->fd);
	free(conn->answer);
	free(conn);
}

static json_t *
answer_line(struct control_conn *conn, struct span line)
{
	struct ctl_request request;
	const char *why;
	enum rc rc = ctl_request_parse(line, &request, &why);

	if (rc == RC_NOT_FOUND)
		return answer_error("no such command");
	if (rc != RC_OK)
		return answer_error("%s (%s)", why, rc_str(rc));
	bool changes = ctl_commands[request.command].change &&
		       (request.command != CTL_MODE || request.has_mode);
	if (changes && !conn->may_change)
		return answer_error("only root may do that");
	return answer_request(conn->front, &request);
}

static void on_event(evutil_socket_t fd, short what, void *arg);

/* Wait for reading or writing, with the conversation's patience. */
static bool
wait_for(struct control_conn *conn, short what)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_S };

	if (conn->event != NULL)
		event_free(conn->event);
	conn->event = event_new(conn->front->base, conn->fd, what, on_event, conn);
	return conn->event != NULL && event_add(conn->event, &patience) == 0;
}

/* Make the answer when the line is there. False: end the conversation. */
static bool
take_line(struct control_conn *conn)
{
	const char *end = memchr(conn->line, '\n', conn->line_len);
	json_t *json;

	if (end == NULL && conn->line_len == sizeof(conn->line))
		json = answer_error("this line is too long");
	else if (end == NULL)
		return wait_for(conn, EV_READ);
	else
		json = answer_line(conn, span_of(conn->line, (size_t)(end - conn->line)));
	if (json == NULL)
		return false;
	conn->answer = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	if (conn->answer == NULL)
		return false;
	conn->answer_len = strlen(conn->answer);
	return wait_for(conn, EV_WRITE);
}

static bool
do_read(struct control_conn *conn)
{
	ssize_t n = recv(conn->fd, conn->line + conn->line_len, sizeof(conn->line) - conn->line_len,
	    MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return wait_for(conn, EV_READ);
	if (n <= 0)
		return false;
	conn->line_len += (size_t)n;
	return take_line(conn);
}

static bool
do_write(struct control_conn *conn)
{
	ssize_t n = send(conn->fd, conn->answer + conn->sent, conn->answer_len - conn->sent,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return wait_for(conn, EV_WRITE);
	if (n < 0)
		return false;
	conn->sent += (size_t)n;
	return conn->sent < conn->answer_len && wait_for(conn, EV_WRITE);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct control_conn *conn = arg;
	bool goes_on = false;

	(void)fd;
	if (what & EV_READ)
		goes_on = do_read(conn);
	else if (what & EV_WRITE)
		goes_on = do_write(conn);
	if (!goes_on)
		conn_free(conn);
}

static bool
peer_may_change(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void
on_connect(evutil_socket_t listener, short what, void *arg)
{
	struct front *front = arg;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct control_conn *conn;
	unsigned swallowed;

	(void)what;
	if (fd < 0)
		return;
	conn = front->control.count < CONNS_MAX ? calloc(1, sizeof(*conn)) : NULL;
	if (conn == NULL) {
		close(fd);
		if (log_limit_ok(&front->control.limit, LINES_A_MINUTE, front_now_ms(), &swallowed))
			log_warn(
			    LOG_CTL, "too many at the control socket (%u more like it)", swallowed);
		return;
	}
	conn->front = front;
	conn->fd = fd;
	conn->may_change = peer_may_change(fd);
	front->control.count++;
	if (!wait_for(conn, EV_READ))
		conn_free(conn);
}

enum rc
control_start(struct front *front)
{
	front->control.readable =
	    event_new(front->base, FRONT_FD_CONTROL, EV_READ | EV_PERSIST, on_connect, front);
	if (front->control.readable == NULL || event_add(front->control.readable, NULL) != 0)
		return RC_NO_MEMORY;
	return RC_OK;
}

void
control_stop(struct front *front)
{
	if (front->control.readable != NULL)
		event_free(front->control.readable);
	front->control.readable = NULL;
	close(FRONT_FD_CONTROL);
}
