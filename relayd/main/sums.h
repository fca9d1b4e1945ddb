/* sums.h: what all workers counted together: observed bandwidth for the descriptor, the log's
 * heartbeat. Coarse by nature: sums over everybody, nothing finer. Main thread only. */
#ifndef RELAYD_MAIN_SUMS_H
#define RELAYD_MAIN_SUMS_H

#include "relayd/work/work.h"

struct sums {
	uint64_t bytes_read, bytes_written; /* on links */
	uint64_t links_open, streams, streams_open, refused_policy, refused_guard;
};
struct sums sums_of(struct crew *crew);

/* The best ten seconds so far, of the weaker direction (dir-spec 2.1.1, bandwidth observed).
 * Zero-initialise it; tick once a second. Bytes a second. */
struct bandwidth {
	unsigned ticks;
	uint64_t last_read, last_written, observed;
};
void bandwidth_tick(struct bandwidth *b, const struct sums *now);

void sums_log(const struct sums *s, uint64_t up_ms);

#endif
