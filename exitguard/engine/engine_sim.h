/* engine_sim.h: for tests: an engine, a clock and a small made-up Internet around it. Every
 * outcome comes back after its time, as relayd or the packet feed would report it. */
#ifndef EXITGUARD_ENGINE_ENGINE_SIM_H
#define EXITGUARD_ENGINE_ENGINE_SIM_H

#include "exitguard/engine/engine.h"

#define SIM_PENDING 65536

struct sim {
	struct engine *engine;
	enum engine_view view;
	uint64_t now_ms, next_tick_ms, next_stream;
	uint64_t random;
	uint64_t pending_count;
	struct sim_pending {
		uint64_t at_ms, stream;
		enum report_outcome outcome;
	} * pending;
	bool observe; /* let refused streams out all the same */
	struct engine_verdict last;
	uint64_t opened, refused; /* since sim_reset_counts */
};

void sim_start(struct sim *sim, enum engine_view view, size_t memory_max);
void sim_stop(struct sim *sim);
void sim_advance(struct sim *sim, uint64_t ms); /* outcomes and ticks on the way */
void sim_reset_counts(struct sim *sim);
uint32_t sim_random(struct sim *sim, uint32_t below);

enum sim_end { SIM_OK, SIM_RST, SIM_SILENT, SIM_MOSTLY_SILENT, SIM_PEER };

/* One stream to address a.b.c.d (as a number); true if it was let out. */
bool sim_stream(struct sim *sim, uint64_t circuit, uint32_t addr, uint16_t port, bool by_name,
    enum sim_end end);

/* Share of streams refused since sim_reset_counts, 0 to 1. */
double sim_share(const struct sim *sim);

#endif
