/* kernel.c: requests to priv and its replies. Never blocks; if priv is gone, changes are dropped
 * and counted, and the kernel keeps what it has until it expires. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exitguard/front/front.h"
#include "exitguard/ledger/ledger.h"

#define QUEUE_MAX (2 * GUARD_BATCH_MAX)

static void
on_priv_gone(struct front *front)
{
	struct kernel *kernel = &front->kernel;

	log_warn(LOG_GUARD, "the privileged process is gone; verdicts go on, the kernel keeps its "
			    "sets until they expire");
	event_free(kernel->readable);
	event_free(kernel->writable);
	close(kernel->fd);
	kernel->fd = -1;
	kernel->queued = kernel->sent = 0;
	front->orphaned = true;
}

/* With the feed on each refusal is seen by itself; without it only their number is known. */
static void
count_refusals(struct front *front, const struct priv_reply *reply)
{
	uint64_t before = front->kernel.status.counters[COUNTER_REFUSED];
	uint64_t now = reply->counters[COUNTER_REFUSED];

	if (front->ledger != NULL && front->kernel.has_status && now > before &&
	    !front_wants_feed(front))
		ledger_count_kernel(front->ledger, now - before);
	front->kernel.has_status = true;
}

static void
take_reply(struct front *front, const struct priv_reply *reply)
{
	struct kernel *kernel = &front->kernel;

	if (reply->type == PRIV_STATUS) {
		count_refusals(front, reply);
		kernel->status = *reply;
	} else if (reply->error != 0) {
		kernel->failed++;
		kernel->last_error = reply->error;
		log_warn(LOG_NFT, "the kernel refused a batch of set elements: %s",
		    strerror(reply->error));
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct front *front = arg;
	struct priv_reply reply;

	(void)what;
	for (;;) {
		ssize_t n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT);

		if (n == (ssize_t)sizeof(reply)) {
			take_reply(front, &reply);
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		} else {
			on_priv_gone(front);
			return;
		}
	}
}

/* Send what the socket takes; the rest when it is writable again. */
static void
flush(struct front *front)
{
	struct kernel *kernel = &front->kernel;

	while (kernel->fd >= 0 && kernel->sent < kernel->queued) {
		size_t n = kernel->queued - kernel->sent;

		if (n > PRIV_PACKET_MAX)
			n = PRIV_PACKET_MAX;
		ssize_t done = send(kernel->fd, &kernel->queue[kernel->sent],
		    n * sizeof(struct priv_request), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
			event_add(kernel->writable, NULL);
			return;
		}
		if (done < 0) {
			on_priv_gone(front);
			return;
		}
		kernel->sent += n;
	}
	kernel->queued = kernel->sent = 0;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

static void
queue(struct front *front, enum priv_request_type type, const struct guard_elem *elem)
{
	struct kernel *kernel = &front->kernel;

	if (kernel->fd < 0 || kernel->queued >= QUEUE_MAX) {
		kernel->dropped++;
		return;
	}
	if (kernel->queued == kernel->cap) {
		size_t cap = kernel->cap != 0 ? kernel->cap * 2 : 256;
		struct priv_request *bigger = realloc(kernel->queue, cap * sizeof(*bigger));

		if (bigger == NULL) {
			kernel->dropped++;
			return;
		}
		kernel->queue = bigger;
		kernel->cap = cap;
	}
	struct priv_request *request = &kernel->queue[kernel->queued++];
	*request = (struct priv_request){ .type = type, .id = kernel->next_id };
	if (elem != NULL)
		request->elem = *elem;
}

void
kernel_elem(struct front *front, bool add, const struct guard_elem *elem)
{
	struct guard_elem tidy = *elem;

	if (!add)
		tidy.timeout_s = 0;
	queue(front, add ? PRIV_ELEM_ADD : PRIV_ELEM_DEL, &tidy);
	front->kernel.open_batch = true;
}

void
kernel_clear_set(struct front *front, enum guard_set set)
{
	struct guard_elem elem = { .set = (uint8_t)set };

	queue(front, PRIV_SET_CLEAR, &elem);
	front->kernel.open_batch = true;
}

void
kernel_commit(struct front *front)
{
	if (!front->kernel.open_batch)
		return;
	front->kernel.open_batch = false;
	queue(front, PRIV_COMMIT, NULL);
	front->kernel.next_id++;
	front->kernel.batches++;
	flush(front);
}

void
kernel_ask_status(struct front *front)
{
	if (front->kernel.open_batch)
		return;
	queue(front, PRIV_STATUS, NULL);
	front->kernel.next_id++;
	flush(front);
}

enum rc
kernel_start(struct front *front)
{
	struct kernel *kernel = &front->kernel;

	*kernel = (struct kernel){ .fd = FRONT_FD_PRIV, .next_id = 1 };
	kernel->readable =
	    event_new(front->base, kernel->fd, EV_READ | EV_PERSIST, on_readable, front);
	kernel->writable = event_new(front->base, kernel->fd, EV_WRITE, on_writable, front);
	if (kernel->readable == NULL || kernel->writable == NULL ||
	    event_add(kernel->readable, NULL) != 0)
		return RC_NO_MEMORY;
	return RC_OK;
}

void
kernel_stop(struct front *front)
{
	struct kernel *kernel = &front->kernel;

	if (kernel->fd >= 0) {
		event_free(kernel->readable);
		event_free(kernel->writable);
		close(kernel->fd);
		kernel->fd = -1;
	}
	free(kernel->queue);
	kernel->queue = NULL;
}
