/* engine_sim.c: see engine_sim.h. Seeded, the same everywhere. */
#include "exitguard/engine/engine_sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
sim_start(struct sim *sim, enum engine_view view, size_t memory_max)
{
	struct engine_config config = {
		.view = view, .memory_max = memory_max, .hash_key = { 1, 2, 3, 4 }
	};

	memset(sim, 0, sizeof(*sim));
	sim->view = view;
	sim->engine = engine_new(&config);
	assert(sim->engine != NULL);
	sim->now_ms = sim->next_tick_ms = 5000000;
	sim->random = 0x9e3779b97f4a7c15u;
	sim->pending = calloc(SIM_PENDING, sizeof(sim->pending[0]));
	assert(sim->pending != NULL);
}

void
sim_stop(struct sim *sim)
{
	engine_free(&sim->engine);
	free(sim->pending);
}

uint32_t
sim_random(struct sim *sim, uint32_t below)
{
	sim->random ^= sim->random >> 12;
	sim->random ^= sim->random << 25;
	sim->random ^= sim->random >> 27;
	return (uint32_t)((sim->random * 0x2545f4914f6cdd1du) >> 32) % below;
}

static void
report_outcomes(struct sim *sim)
{
	for (uint64_t i = 0; i < sim->pending_count;) {
		struct sim_pending *pending = &sim->pending[i];

		if (pending->at_ms > sim->now_ms) {
			i++;
			continue;
		}
		engine_outcome(sim->engine, sim->now_ms, pending->stream, pending->outcome, 0);
		*pending = sim->pending[--sim->pending_count];
	}
}

void
sim_advance(struct sim *sim, uint64_t ms)
{
	for (uint64_t end = sim->now_ms + ms; sim->now_ms < end;) {
		uint64_t step = end - sim->now_ms < 100 ? end - sim->now_ms : 100;

		sim->now_ms += step;
		report_outcomes(sim);
		if (sim->now_ms >= sim->next_tick_ms) {
			engine_tick(sim->engine, sim->now_ms);
			sim->next_tick_ms = sim->now_ms + 1000;
		}
	}
}

void
sim_reset_counts(struct sim *sim)
{
	sim->opened = sim->refused = 0;
}

double
sim_share(const struct sim *sim)
{
	return sim->opened == 0 ? 0 : (double)sim->refused / (double)sim->opened;
}

static void
expect_outcome(struct sim *sim, uint64_t stream, enum sim_end end)
{
	uint32_t dice = sim_random(sim, 100);
	enum report_outcome outcome = REPORT_CONNECTED;

	if (end == SIM_SILENT || (end == SIM_MOSTLY_SILENT && dice < 83) ||
	    (end == SIM_PEER && dice < 45))
		outcome = REPORT_TIMEOUT;
	else if (end == SIM_RST || (end == SIM_MOSTLY_SILENT && dice < 95) ||
		 (end == SIM_PEER && dice < 57))
		outcome = REPORT_REFUSED;
	assert(sim->pending_count < SIM_PENDING);
	sim->pending[sim->pending_count++] = (struct sim_pending){
		.at_ms = sim->now_ms + (outcome == REPORT_TIMEOUT ? 10000 + sim_random(sim, 10000)
								  : 20 + sim_random(sim, 200)),
		.stream = stream,
		.outcome = outcome,
	};
}

bool
sim_stream(
    struct sim *sim, uint64_t circuit, uint32_t addr, uint16_t port, bool by_name, enum sim_end end)
{
	struct engine_stream stream = {
		.stream = ++sim->next_stream, .addr = addr_ipv4(addr), .port = port
	};

	if (sim->view == ENGINE_VIEW_RELAY) {
		stream.circuit = circuit;
		stream.by_name = by_name;
	}
	engine_open(sim->engine, sim->now_ms, &stream, &sim->last);
	sim->opened++;
	sim->refused += sim->last.refuse;
	if (sim->last.refuse && !sim->observe)
		return false;
	if (sim->last.refuse)
		engine_let_out(sim->engine, sim->now_ms, &stream);
	expect_outcome(sim, stream.stream, end);
	return !sim->last.refuse;
}
