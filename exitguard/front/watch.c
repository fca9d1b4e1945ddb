/* watch.c: the kernel's log of new exit connections, into the engine's nft view. priv has bound
 * the socket; here it is only read. Every message lost is counted by its sequence number. */
#include "exitguard/front/watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "exitguard/feed/flows.h"
#include "exitguard/feed/nflog.h"
#include "exitguard/front/front.h"
#include "exitguard/ledger/ledger.h"

#define FLOWS_MAX        65536
#define DATAGRAMS_A_TURN 64
#define DATAGRAM_MAX     (256 * 1024)

struct watch {
	struct front *front;
	struct event *readable;
	struct flows flows;
	bool has_seq;
	uint32_t next_seq;
	struct watch_counters counters;
	uint8_t buf[DATAGRAM_MAX];
};

static void
count_seq(struct watch *watch, const struct nflog_event *event)
{
	if (!event->has_seq)
		return;
	uint32_t gap = event->seq - watch->next_seq;
	if (watch->has_seq && gap != 0 && gap < UINT32_MAX / 2) {
		watch->counters.lost += gap;
		if (watch->front->ledger != NULL)
			ledger_gap(watch->front->ledger);
	}
	watch->has_seq = true;
	watch->next_seq = event->seq + 1;
}

static struct engine_stream
stream_of(const struct flow *flow)
{
	return (struct engine_stream){
		.stream = flow->stream, .addr = flow->theirs.addr, .port = flow->theirs.port
	};
}

static void
end_flow(struct watch *watch, uint64_t now_ms, const struct flow *flow, enum report_outcome outcome)
{
	struct engine *engine = watch->front->engines[ENGINE_VIEW_NFT];
	uint64_t ms = now_ms - flow->since_ms;

	watch->counters.outcomes++;
	engine_outcome(engine, now_ms, flow->stream, outcome, ms < UINT32_MAX ? (uint32_t)ms : 0);
}

/* A SYN seen for the first time; a repeated one is no news. */
static bool
open_flow(struct watch *watch, uint64_t now_ms, const struct nflog_event *event, struct flow *flow)
{
	bool over = event->kind == NFLOG_SYN_REFUSED;
	struct flow evicted;

	if (!flows_open(&watch->flows, now_ms, &event->ours, &event->theirs, over, flow, &evicted))
		return false;
	if (evicted.stream != 0 && !evicted.told)
		end_flow(watch, now_ms, &evicted, REPORT_LOCAL_FAILURE);
	return true;
}

/* The kernel let it out: whatever the engine says of it now comes too late for this one. */
static void
take_syn(struct watch *watch, uint64_t now_ms, const struct nflog_event *event)
{
	struct front *front = watch->front;
	struct engine *engine = front->engines[ENGINE_VIEW_NFT];
	struct engine_verdict verdict;
	struct flow flow;

	if (!open_flow(watch, now_ms, event, &flow))
		return;
	struct engine_stream stream = stream_of(&flow);
	engine_open(engine, now_ms, &stream, &verdict);
	if (verdict.refuse)
		engine_let_out(engine, now_ms, &stream);
	if (front->ledger != NULL)
		ledger_count(front->ledger, &stream.addr, stream.port,
		    verdict.refuse ? verdict.reason : REPORT_REASON_NONE, false);
}

/* The kernel refused it. The engine hears of it, and that nothing went out. */
static void
take_refused(struct watch *watch, uint64_t now_ms, const struct nflog_event *event)
{
	struct front *front = watch->front;
	struct engine *engine = front->engines[ENGINE_VIEW_NFT];
	struct engine_verdict verdict;
	uint8_t reason = REPORT_REASON_FLOOD; /* over the coarse limit, if nothing else */
	struct flow flow;

	if (!open_flow(watch, now_ms, event, &flow))
		return;
	struct engine_stream stream = stream_of(&flow);
	engine_open(engine, now_ms, &stream, &verdict);
	if (verdict.refuse) {
		reason = verdict.reason;
	} else {
		engine_outcome(engine, now_ms, stream.stream, REPORT_LOCAL_FAILURE, 0);
		engine_closed(engine, now_ms, stream.stream);
	}
	if (lists_have(&front->lists, GUARD_LIST_BAN, &stream.addr))
		reason = REPORT_REASON_BAN;
	if (front->ledger != NULL)
		ledger_count(front->ledger, &stream.addr, stream.port, reason, true);
}

/* 0.x.y.z: clients probe circuits with such addresses, which no exit reaches. They are no
 * destination, and must not look like a scan. */
static bool
is_probe(const struct nflog_event *event)
{
	return event->theirs.addr.family == ADDR_IPV4 && event->theirs.addr.bytes[0] == 0;
}

static void
take_event(struct watch *watch, uint64_t now_ms, const struct nflog_event *event)
{
	struct flow flow;

	watch->counters.events++;
	if (is_probe(event))
		return;
	switch (event->kind) {
	case NFLOG_SYN:
		take_syn(watch, now_ms, event);
		return;
	case NFLOG_SYN_REFUSED:
		take_refused(watch, now_ms, event);
		return;
	case NFLOG_SYN_ACK:
	case NFLOG_RST:
	case NFLOG_UNREACHABLE:
		if (flows_answer(&watch->flows, &event->ours, &event->theirs, &flow))
			end_flow(watch, now_ms, &flow,
			    event->kind == NFLOG_SYN_ACK ? REPORT_CONNECTED : REPORT_REFUSED);
		return;
	}
}

static void
take_datagram(struct watch *watch, size_t len)
{
	uint64_t now_ms = front_now_ms();
	struct rd rd = rd_from(span_of(watch->buf, len));
	struct nflog_event event;

	while (rd_left(&rd) >= sizeof(struct nlmsghdr)) {
		struct rd peek = rd;
		uint32_t msg_len = 0;

		rd_copy(&peek, &msg_len, sizeof(msg_len));
		struct span message = rd_span(&rd, msg_len);
		if (rd.rc != RC_OK || msg_len < sizeof(struct nlmsghdr))
			break;
		enum rc rc = nflog_parse(message, &event);
		count_seq(watch, &event);
		if (rc == RC_OK)
			take_event(watch, now_ms, &event);
		else
			watch->counters.unknown++;
		size_t pad = NLMSG_ALIGN(msg_len) - msg_len;
		rd_skip(&rd, pad < rd_left(&rd) ? pad : rd_left(&rd));
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;

	(void)what;
	for (int i = 0; i < DATAGRAMS_A_TURN; i++) {
		ssize_t n = recv(fd, watch->buf, sizeof(watch->buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS)
			continue; /* counted by the sequence numbers */
		if (n <= 0)
			break;
		take_datagram(watch, (size_t)n);
	}
	front_push_changes(watch->front);
}

/* priv may have had no log socket to give; the number may then be something else of ours. */
static bool
is_log_socket(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK;
}

enum rc
watch_start(struct front *front, struct watch **out)
{
	*out = NULL;
	if (!is_log_socket(FRONT_FD_NFLOG) || front->engines[ENGINE_VIEW_NFT] == NULL)
		return RC_OK;
	struct watch *watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return RC_NO_MEMORY;
	watch->front = front;
	watch->readable =
	    event_new(front->base, FRONT_FD_NFLOG, EV_READ | EV_PERSIST, on_readable, watch);
	if (flows_init(&watch->flows, FLOWS_MAX, front->key) != RC_OK || watch->readable == NULL ||
	    event_add(watch->readable, NULL) != 0) {
		watch_stop(&watch);
		return RC_NO_MEMORY;
	}
	*out = watch;
	return RC_OK;
}

void
watch_stop(struct watch **watch)
{
	if (*watch == NULL)
		return;
	if ((*watch)->readable != NULL)
		event_free((*watch)->readable);
	flows_clear(&(*watch)->flows);
	free(*watch);
	*watch = NULL;
}

void
watch_tick(struct watch *watch, uint64_t now_ms)
{
	struct flow flow;

	while (watch != NULL && flows_next_timeout(&watch->flows, now_ms, &flow))
		end_flow(watch, now_ms, &flow, REPORT_TIMEOUT);
}

void
watch_counters(const struct watch *watch, struct watch_counters *out)
{
	*out = (struct watch_counters){ 0 };
	if (watch == NULL)
		return;
	*out = watch->counters;
	out->flows = watch->flows.used;
	out->evicted = watch->flows.evicted;
}
