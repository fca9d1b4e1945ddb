/* guard.c: the report socket, relayd's side. Touches one AF_UNIX socket a worker. */
#include "relayd/guard/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/log.h"

#define RETRY_MS    1000
#define SEND_BUFFER (1 << 20)
#define ASKS_MAX    65536

/* A question that is out. All have the same time to live, so the list is in order of deadlines. */
struct ask {
	UT_hash_handle hh; /* by stream */
	uint64_t stream, handle, deadline_ms;
	struct ask *prev, *next;
};

enum guard_state { GUARD_DOWN, GUARD_HELLO, GUARD_UP };

struct guard {
	struct worker *worker;
	guard_verdict_fn *verdict;
	enum guard_state state;
	int fd;
	struct event *event, *deadline;
	uint32_t epoch;
	uint64_t retry_at_ms;
	bool said_down;
	struct shared *told_policy; /* what exitguard knows; a reference, so that none is like it */
	struct ask *by_stream, *in_order;
	unsigned ask_count;
	struct report_record batch[REPORT_MAX_RECORDS];
	unsigned batched;
	uint64_t lost; /* records that found no room */
};

static void guard_down(struct guard *g, const char *why);

static bool
fails_open(const struct guard *g)
{
	return g->worker->snap->conf->guard_fail_open;
}

static void
ask_end(struct guard *g, struct ask *ask, bool allow)
{
	uint64_t handle = ask->handle;

	HASH_DEL(g->by_stream, ask);
	DL_DELETE(g->in_order, ask);
	g->ask_count--;
	free(ask);
	g->verdict(g->worker, handle, allow);
}

static void
arm_deadline(struct guard *g)
{
	uint64_t now = clock_mono_ms();
	uint64_t at = g->in_order != NULL ? g->in_order->deadline_ms : 0;
	uint64_t wait_ms = at > now ? at - now : 0;
	struct timeval tv = { (time_t)(wait_ms / 1000), (suseconds_t)(wait_ms % 1000 * 1000) };

	if (g->in_order != NULL)
		event_add(g->deadline, &tv);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;
	uint64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	while (g->in_order != NULL && g->in_order->deadline_ms <= now)
		ask_end(g, g->in_order, fails_open(g));
	arm_deadline(g);
}

static void
send_batch(struct guard *g)
{
	size_t len = g->batched * sizeof(g->batch[0]);
	ssize_t n;

	if (g->batched == 0 || g->state != GUARD_UP)
		return;
	n = send(g->fd, g->batch, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS))
		return; /* tried again at the next turn; new records are lost when it is full */
	g->batched = 0;
	if (n != (ssize_t)len)
		guard_down(g, strerror(errno));
}

static bool
put(struct guard *g, const struct report_record *record)
{
	if (g->batched == REPORT_MAX_RECORDS)
		send_batch(g);
	if (g->state != GUARD_UP || g->batched == REPORT_MAX_RECORDS) {
		g->lost++;
		return false;
	}
	g->batch[g->batched++] = *record;
	return true;
}

static void
put_policy(struct guard *g)
{
	const struct policy *policy = g->worker->snap->policy;

	shared_unref(&g->told_policy);
	g->told_policy = shared_ref(g->worker->snap->policy_ref);
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule *rule = policy_rule(policy, i);
		struct report_record r = {
			.type = REPORT_POLICY,
			.code = rule->accept ? 1 : 2,
			.prefix_bits = rule->prefix.bits,
			.port = rule->port_from,
			.port_to = rule->port_to,
		};

		report_set_addr(&r, &rule->prefix.addr);
		r.family = rule->family;
		if (r.family == ADDR_NONE)
			r.prefix_bits = 0;
		put(g, &r);
	}
}

/* Called from deep inside, while streams are being asked about or freed: so give no verdict here.
 * What is out is answered from the event loop, at once. */
static void
guard_down(struct guard *g, const char *why)
{
	struct ask *ask;

	if (g->state == GUARD_DOWN)
		return;
	g->state = GUARD_DOWN;
	event_free(g->event);
	g->event = NULL;
	close(g->fd);
	g->fd = -1;
	g->batched = 0;
	g->retry_at_ms = clock_mono_ms() + RETRY_MS;
	if (g->worker->index == 0)
		log_warn(LOG_GUARD, "exitguard is away (%s); new streams are %s until it is back",
		    why, fails_open(g) ? "let out" : "refused");
	DL_FOREACH (g->in_order, ask)
		ask->deadline_ms = 0;
	event_active(g->deadline, EV_TIMEOUT, 0);
}

static enum rc
take_packet(struct guard *g, struct span packet)
{
	struct report_hello hello;
	struct report_record r;
	size_t count;

	if (g->state == GUARD_HELLO) {
		enum rc rc = report_hello_parse(packet, &hello);

		if (rc != RC_OK)
			return rc;
		g->state = GUARD_UP;
		g->said_down = false;
		if (g->worker->index == 0)
			log_notice(LOG_GUARD, "exitguard is there, mode %s",
			    hello.enforce ? "enforce" : "observe");
		put_policy(g);
		return RC_OK;
	}
	enum rc rc = report_packet_check(packet, REPORT_FROM_EXITGUARD, &count);
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		struct ask *ask;

		report_packet_get(packet, i, &r);
		if (r.type != REPORT_VERDICT)
			continue; /* STATE and LIMITS: what each verdict already follows */
		HASH_FIND(hh, g->by_stream, &r.stream, sizeof(r.stream), ask);
		if (ask != NULL)
			ask_end(g, ask, r.code == REPORT_ALLOW);
	}
	return rc;
}

static void
on_packet(evutil_socket_t fd, short what, void *arg)
{
	static _Thread_local uint8_t buf[(REPORT_MAX_RECORDS + 1) * sizeof(struct report_record)];
	struct guard *g = arg;
	uint32_t epoch = g->epoch;

	(void)what;
	for (unsigned i = 0; i < 16; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			guard_down(g, n == 0 ? "closed the connection" : strerror(errno));
			return;
		}
		enum rc rc = take_packet(g, span_of(buf, (size_t)n));
		if (rc != RC_OK) {
			guard_down(g, rc_str(rc));
			return;
		}
		if (g->state == GUARD_DOWN || g->epoch != epoch)
			return;
	}
}

static void
try_connect(struct guard *g)
{
	const char *path = g->worker->snap->conf->guard_socket;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct report_hello hello = report_hello_make(0);
	int size = SEND_BUFFER;

	g->retry_at_ms = clock_mono_ms() + RETRY_MS;
	if (path == NULL || strlen(path) >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, strlen(path));
	g->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (g->fd < 0)
		return;
	(void)setsockopt(g->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	g->event = event_new(g->worker->base, g->fd, EV_READ | EV_PERSIST, on_packet, g);
	if (g->event == NULL || connect(g->fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    send(g->fd, &hello, sizeof(hello), MSG_NOSIGNAL) != (ssize_t)sizeof(hello) ||
	    event_add(g->event, NULL) != 0) {
		if (!g->said_down && g->worker->index == 0)
			log_warn(LOG_GUARD,
			    "no exitguard at GuardSocket %s: %s; new streams are %s", path,
			    strerror(errno), fails_open(g) ? "let out" : "refused");
		g->said_down = true;
		if (g->event != NULL)
			event_free(g->event);
		g->event = NULL;
		close(g->fd);
		g->fd = -1;
		return;
	}
	g->epoch++;
	g->state = GUARD_HELLO;
}

static void
guard_tick(struct worker *w, uint64_t now_ms)
{
	struct guard *g = w->guard;

	if (g->state == GUARD_DOWN && w->snap->conf->guard_socket != NULL &&
	    now_ms >= g->retry_at_ms)
		try_connect(g);
}

static void
guard_turn_end(struct worker *w)
{
	struct guard *g = w->guard;

	if (g->state == GUARD_UP && g->told_policy != w->snap->policy_ref)
		put_policy(g);
	send_batch(g);
}

enum rc
guard_room_init(struct worker *w, guard_verdict_fn *verdict)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return RC_NO_MEMORY;
	w->guard = g;
	g->worker = w;
	g->verdict = verdict;
	g->fd = -1;
	g->deadline = event_new(w->base, -1, 0, on_deadline, g);
	if (g->deadline == NULL)
		return RC_NO_MEMORY;
	worker_on_turn_end(w, guard_turn_end);
	worker_on_tick(w, guard_tick);
	if (w->snap->conf->guard_socket != NULL)
		try_connect(g);
	return RC_OK;
}

void
guard_room_clear(struct worker *w)
{
	struct guard *g = w->guard;
	struct ask *ask, *tmp;

	if (g == NULL)
		return;
	DL_FOREACH_SAFE (g->in_order, ask, tmp) {
		HASH_DEL(g->by_stream, ask);
		free(ask);
	}
	if (g->event != NULL)
		event_free(g->event);
	if (g->deadline != NULL)
		event_free(g->deadline);
	if (g->fd >= 0)
		close(g->fd);
	shared_unref(&g->told_policy);
	free(g);
	w->guard = NULL;
}

enum guard_answer
guard_ask(struct worker *w, const struct report_record *record, uint64_t handle, uint32_t *epoch)
{
	struct guard *g = w->guard;
	enum guard_answer failed = fails_open(g) ? GUARD_ALLOW : GUARD_REFUSE;
	struct ask *ask;

	*epoch = 0;
	if (w->snap->conf->guard_socket == NULL)
		return GUARD_ALLOW;
	if (g->state != GUARD_UP || g->ask_count >= ASKS_MAX ||
	    (ask = calloc(1, sizeof(*ask))) == NULL)
		return failed;
	if (!put(g, record)) {
		free(ask);
		return failed;
	}
	ask->stream = record->stream;
	ask->handle = handle;
	ask->deadline_ms = clock_mono_ms() + w->snap->conf->guard_timeout_ms;
	HASH_ADD(hh, g->by_stream, stream, sizeof(ask->stream), ask);
	DL_APPEND(g->in_order, ask);
	g->ask_count++;
	if (g->in_order == ask)
		arm_deadline(g);
	*epoch = g->epoch;
	return GUARD_WAIT;
}

void
guard_tell(struct worker *w, const struct report_record *record, uint32_t epoch)
{
	if (epoch != 0 && epoch == w->guard->epoch && w->guard->state == GUARD_UP)
		put(w->guard, record);
}
