/* flows.h: connections that have gone out and are not answered yet. A fixed table, keyed hash;
 * when it is full the oldest in the neighbourhood goes. */
#ifndef EXITGUARD_FEED_FLOWS_H
#define EXITGUARD_FEED_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

/* A connect that nobody has answered for so long is over: stock tor's clients give up after 10
 * to 15 seconds, and tor then closes the socket. */
#define FLOWS_TIMEOUT_MS 15000
/* Linux sends the last SYN of a connect after 63 seconds and gives up after 127; until then a
 * repeated SYN is no new connection. */
#define FLOWS_FORGET_MS 130000

struct flow {
	uint64_t stream; /* 0: free */
	uint64_t since_ms;
	struct addr_port ours, theirs;
	bool told; /* its timeout has been handed out */
};

struct flows {
	struct flow *slots;
	size_t cap, used;
	uint64_t next_stream, evicted;
	size_t sweep; /* where the next look for old ones starts */
	uint8_t hash_key[16];
};

/* cap is rounded up to a power of two. RC_NO_MEMORY. */
enum rc flows_init(struct flows *flows, size_t cap, const uint8_t hash_key[16]);
void flows_clear(struct flows *flows);

/* A SYN going out. True: a new flow, *out is it. False: a retransmission of a known one.
 * over: no answer is waited for (it was refused); it is kept to know its retransmissions.
 * evicted->stream is not 0 if an older flow had to give its place. */
bool flows_open(struct flows *flows, uint64_t now_ms, const struct addr_port *ours,
    const struct addr_port *theirs, bool over, struct flow *out, struct flow *evicted);
/* An answer: take the flow out. False: no such flow waits for one. */
bool flows_answer(struct flows *flows, const struct addr_port *ours, const struct addr_port *theirs,
    struct flow *out);
/* One flow that has waited FLOWS_TIMEOUT_MS, each once; false when there is none left in this
 * round. Call until false, about each second. */
bool flows_next_timeout(struct flows *flows, uint64_t now_ms, struct flow *out);

#endif
