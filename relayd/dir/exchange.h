/* exchange.h: one HTTP request and its whole answer, over a connection of its own, on an event
 * base. Never blocks; bounded in bytes and in time. Within dir/. */
#ifndef RELAYD_DIR_EXCHANGE_H
#define RELAYD_DIR_EXCHANGE_H

#include <event2/event.h>
#include <time.h>

#include "common/addr.h"

struct exchange_request {
	struct event_base *base;
	struct addr_port to;
	struct addr bind; /* ADDR_NONE: any */
	const char *method, *path;
	struct span body;
	time_t if_modified_since; /* 0: none */
	size_t answer_max;
	unsigned stall_s, total_s; /* without any progress; altogether */
};

struct exchange;

/* Called once, never from inside exchange_start; the exchange is gone when it returns. RC_OK: the
 * other side closed and answer (borrowed) is what it sent. RC_CLOSED: no connection, or lost.
 * RC_LIMIT: too long, in time or bytes. */
typedef void exchange_done_fn(void *arg, enum rc rc, struct span answer);

enum rc exchange_start(const struct exchange_request *request, exchange_done_fn *done, void *arg,
    struct exchange **out);
/* Without a call to done. NULL inside is fine. */
void exchange_cancel(struct exchange **x);

#endif
