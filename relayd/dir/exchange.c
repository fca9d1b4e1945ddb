/* exchange.c: HTTP/1.0 over a libevent buffered socket: write, read to the end, hand over. */
#include "relayd/dir/exchange.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relayd/dir/http.h"

#define REQUEST_HEAD_MAX 8192

struct exchange {
	struct bufferevent *bev;
	struct event *deadline;
	size_t answer_max;
	exchange_done_fn *done;
	void *arg;
};

void
exchange_cancel(struct exchange **x)
{
	struct exchange *gone = *x;

	*x = NULL;
	if (gone == NULL)
		return;
	if (gone->bev != NULL)
		bufferevent_free(gone->bev);
	if (gone->deadline != NULL)
		event_free(gone->deadline);
	free(gone);
}

static void
finish(struct exchange *x, enum rc rc)
{
	struct evbuffer *in = bufferevent_get_input(x->bev);
	struct span answer = { 0 };

	bufferevent_disable(x->bev, EV_READ | EV_WRITE);
	if (rc == RC_OK && evbuffer_get_length(in) != 0) {
		const uint8_t *bytes = evbuffer_pullup(in, -1);

		if (bytes != NULL)
			answer = span_of(bytes, evbuffer_get_length(in));
		else
			rc = RC_NO_MEMORY;
	}
	x->done(x->arg, rc, answer);
	exchange_cancel(&x);
}

static void
on_readable(struct bufferevent *bev, void *arg)
{
	struct exchange *x = arg;

	if (evbuffer_get_length(bufferevent_get_input(bev)) > x->answer_max)
		finish(x, RC_LIMIT);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & BEV_EVENT_EOF)
		finish(arg, RC_OK);
	else if (what & BEV_EVENT_TIMEOUT)
		finish(arg, RC_LIMIT);
	else if (what & BEV_EVENT_ERROR)
		finish(arg, RC_CLOSED);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, RC_LIMIT);
}

/* A socket bound to the address that outgoing connections come from. */
static evutil_socket_t
socket_make(const struct exchange_request *request)
{
	struct addr_port from = { request->bind, 0 };
	struct sockaddr_storage ss;
	int family = request->to.addr.family == ADDR_IPV6 ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && request->bind.family == request->to.addr.family) {
		socklen_t len = addr_port_to_sockaddr(&from, &ss);

		if (bind(fd, (struct sockaddr *)&ss, len) != 0) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

static enum rc
write_request(struct exchange *x, const struct exchange_request *request)
{
	uint8_t head[REQUEST_HEAD_MAX];
	struct wr wr = wr_to(head, sizeof(head));
	enum rc rc = http_request_write(&wr, request->method, request->path, &request->to,
	    request->body.len, request->if_modified_since);

	if (rc == RC_OK && bufferevent_write(x->bev, head, wr_len(&wr)) != 0)
		rc = RC_NO_MEMORY;
	if (rc == RC_OK && request->body.len != 0 &&
	    bufferevent_write(x->bev, request->body.data, request->body.len) != 0)
		rc = RC_NO_MEMORY;
	return rc;
}

static enum rc
connect_and_write(struct exchange *x, const struct exchange_request *request)
{
	struct timeval stall = { .tv_sec = request->stall_s },
		       total = { .tv_sec = request->total_s };
	struct sockaddr_storage ss;
	socklen_t len = addr_port_to_sockaddr(&request->to, &ss);
	evutil_socket_t fd = socket_make(request);

	if (fd < 0)
		return RC_SYSTEM;
	x->bev = bufferevent_socket_new(
	    request->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (x->bev == NULL) {
		close(fd);
		return RC_NO_MEMORY;
	}
	bufferevent_setcb(x->bev, on_readable, NULL, on_event, x);
	bufferevent_set_timeouts(x->bev, &stall, &stall);
	x->deadline = evtimer_new(request->base, on_deadline, x);
	if (x->deadline == NULL || evtimer_add(x->deadline, &total) != 0)
		return RC_NO_MEMORY;
	enum rc rc = write_request(x, request);
	if (rc != RC_OK)
		return rc;
	if (bufferevent_enable(x->bev, EV_READ | EV_WRITE) != 0 ||
	    bufferevent_socket_connect(x->bev, (struct sockaddr *)&ss, (int)len) != 0)
		return RC_SYSTEM;
	return RC_OK;
}

enum rc
exchange_start(const struct exchange_request *request, exchange_done_fn *done, void *arg,
    struct exchange **out)
{
	struct exchange *x = calloc(1, sizeof(*x));

	*out = NULL;
	if (x == NULL)
		return RC_NO_MEMORY;
	x->answer_max = request->answer_max;
	x->done = done;
	x->arg = arg;
	enum rc rc = connect_and_write(x, request);
	if (rc != RC_OK)
		exchange_cancel(&x);
	*out = x;
	return rc;
}
