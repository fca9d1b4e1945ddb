/* sums.c: sums over the workers' counters, and what is made of them. */
#include "relayd/main/sums.h"

#include "common/log.h"

#define SPAN_S 10

static uint64_t
load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

struct sums
sums_of(struct crew *crew)
{
	struct sums s = { 0 };

	for (unsigned i = 0; i < crew->count; i++) {
		const struct work_counters *c = &crew->workers[i].counters;

		s.bytes_read += load(&c->bytes_read);
		s.bytes_written += load(&c->bytes_written);
		s.links_open += load(&c->links_open);
		s.streams += load(&c->streams);
		s.streams_open += load(&c->streams_open);
		s.refused_policy += load(&c->streams_refused_policy);
		s.refused_guard += load(&c->streams_refused_guard);
	}
	return s;
}

void
bandwidth_tick(struct bandwidth *b, const struct sums *now)
{
	if (++b->ticks < SPAN_S)
		return;
	uint64_t in = now->bytes_read - b->last_read, out = now->bytes_written - b->last_written;
	uint64_t rate = (in < out ? in : out) / SPAN_S;

	b->ticks = 0;
	b->last_read = now->bytes_read;
	b->last_written = now->bytes_written;
	if (rate > b->observed)
		b->observed = rate;
}

void
sums_log(const struct sums *s, uint64_t up_ms)
{
	log_notice(LOG_GENERAL,
	    "up %llu h, %llu links open, read %llu GB, written %llu GB; %llu streams asked for, of "
	    "which %llu refused by policy and %llu by exitguard",
	    (unsigned long long)(up_ms / 3600000), (unsigned long long)s->links_open,
	    (unsigned long long)(s->bytes_read >> 30), (unsigned long long)(s->bytes_written >> 30),
	    (unsigned long long)s->streams, (unsigned long long)s->refused_policy,
	    (unsigned long long)s->refused_guard);
}
