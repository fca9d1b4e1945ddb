/* watch.h: the kernel's feed of new exit connections, for stock tor. */
#ifndef EXITGUARD_FRONT_WATCH_H
#define EXITGUARD_FRONT_WATCH_H

#include <stdint.h>

#include "common/rc.h"

struct front;
struct watch;

struct watch_counters {
	uint64_t events, lost, unknown, outcomes; /* lost: by sequence number */
	uint64_t flows, evicted;
};

/* Takes FRONT_FD_NFLOG if it is open; *out stays NULL if not. */
enum rc watch_start(struct front *front, struct watch **out);
void watch_stop(struct watch **watch);
void watch_tick(struct watch *watch, uint64_t now_ms); /* NULL is fine */
void watch_counters(const struct watch *watch, struct watch_counters *out);

#endif
