/* engine_test.c: what the engine sees and what it must leave alone, in both views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exitguard/engine/engine_sim.h"

#define MIB   (1u << 20)
#define SWEPT 0xf1110000u /* 241.17.0.0/16 */
#define WEB   0xf2000001u /* 242.0.0.1 */

static const enum engine_view views[] = { ENGINE_VIEW_RELAY, ENGINE_VIEW_NFT };

#define FOR_BOTH_VIEWS(sim) \
	for (int v = 0; v < 2 && (sim_start((sim), views[v], 16 * MIB), true); sim_stop(sim), v++)

/* A /16 on one port, ten a second for as long as told, over some circuits (0: one each). */
static void
sweep(struct sim *sim, unsigned seconds, unsigned circuits, bool half_by_name)
{
	for (unsigned i = 0; i < seconds * 10; i++) {
		uint64_t circuit = 1000 + (circuits != 0 ? i % circuits : i + sim->now_ms);

		sim_stream(sim, circuit, SWEPT | sim_random(sim, 65536), 8080,
		    half_by_name && i % 2 == 0, SIM_MOSTLY_SILENT);
		sim_advance(sim, 100);
	}
}

static void
test_sweep_is_refused(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		sweep(&sim, 60, 8, false);
		assert_true(sim_share(&sim) > 0.9);
		sim_reset_counts(&sim);
		sweep(&sim, 900, 8, false);
		assert_true(sim_share(&sim) > 0.95);
		assert_int_equal(sim.last.refuse ? sim.last.hold_ms > 0 : 1, 1);
	}
}

static void
test_sweep_with_a_circuit_for_each_stream(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		sweep(&sim, 60, 0, true);
		sim_reset_counts(&sim);
		sweep(&sim, 600, 0, true);
		assert_true(sim_share(&sim) > 0.95);
	}
}

/* A client that gives up after a second, as scanners do, is seen all the same. */
static void
test_sweep_that_does_not_wait(void **state)
{
	struct sim sim;
	unsigned refused = 0;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 16 * MIB);
	for (uint64_t i = 1; i <= 400; i++) {
		struct engine_stream stream = { .stream = i,
			.circuit = 1 + i % 3,
			.addr = addr_ipv4(SWEPT + (uint32_t)i),
			.port = 23 };
		struct engine_verdict verdict;

		engine_open(sim.engine, sim.now_ms + i * 50, &stream, &verdict);
		refused += verdict.refuse;
		engine_closed(sim.engine, sim.now_ms + i * 50 + 1000, i);
	}
	assert_true(refused > 360);
	sim_stop(&sim);
}

static void
test_known_services_pass_a_sweep(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		for (int i = 0; i < 2; i++) {
			assert_true(sim_stream(&sim, 1, SWEPT | 0x1234, 8080, false, SIM_OK));
			sim_advance(&sim, 1000);
		}
		sweep(&sim, 120, 0, false);
		sim_reset_counts(&sim);
		for (int i = 0; i < 20; i++)
			assert_true(sim_stream(&sim, 2, SWEPT | 0x1234, 8080, false, SIM_OK));
		/* Another port of a swept network is not swept. */
		assert_true(sim_stream(&sim, 3, SWEPT | 0x9999, 443, true, SIM_OK));
	}
}

/* A scanned /16 that also holds busy providers: first visits to them go on. */
static void
test_busy_neighbours_are_spared(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		for (unsigned i = 0; i < 60; i++) {
			assert_true(
			    sim_stream(&sim, 5000 + i, SWEPT | 0x4200 | i, 8080, true, SIM_OK));
			sim_advance(&sim, 500);
		}
		for (unsigned i = 0; i < 120; i++) {
			sweep(&sim, 1, 0, true);
			assert_true(sim_stream(
			    &sim, 7000 + i, SWEPT | 0x4200 | (60 + i), 8080, true, SIM_OK));
		}
		sim_reset_counts(&sim);
		sweep(&sim, 60, 0, true);
		assert_true(sim_share(&sim) > 0.9);
	}
}

static void
test_port_scan_is_refused(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		for (int i = 0; i < 2; i++) {
			assert_true(sim_stream(&sim, 1, WEB, 443, true, SIM_OK));
			sim_advance(&sim, 1000);
		}
		sim_reset_counts(&sim);
		for (unsigned i = 0; i < 1000; i++) {
			sim_stream(&sim, 50, WEB, (uint16_t)(1000 + i), false, SIM_RST);
			sim_advance(&sim, 40);
		}
		assert_true(sim_share(&sim) > 0.95);
		assert_true(sim_stream(&sim, 2, WEB, 443, true, SIM_OK));
	}
}

static void
test_wide_scan_is_refused(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		for (unsigned i = 0; i < 1200; i++) {
			sim_stream(&sim, 100 + i / 3, 0xf0000000u | sim_random(&sim, 1u << 28),
			    6379, false, SIM_MOSTLY_SILENT);
			sim_advance(&sim, 500);
		}
		assert_true(sim_share(&sim) > 0.8);
	}
}

static void
test_scanning_circuit_is_refused_elsewhere(void **state)
{
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 16 * MIB);
	sweep(&sim, 20, 1, false);
	assert_false(sim_stream(&sim, 1000, 0xf3330001u, 8080, false, SIM_SILENT));
	assert_int_equal(sim.last.reason, REPORT_REASON_CIRCUIT_SCAN);
	/* By name, or on another circuit, nothing is held against it. */
	assert_true(sim_stream(&sim, 1000, 0xf3330002u, 443, true, SIM_OK));
	assert_true(sim_stream(&sim, 999, 0xf3330003u, 8080, false, SIM_OK));
	sim_stop(&sim);
}

static void
test_flood_with_circuits_spares_visitors(void **state)
{
	struct sim sim;
	unsigned visits = 0, turned_away = 0;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 16 * MIB);
	for (unsigned i = 0; i < 12000; i++) {
		uint64_t generation = i / 6000;
		sim_stream(
		    &sim, 100 + generation * 100 + sim_random(&sim, 60), WEB, 443, true, SIM_OK);
		if (i % 200 == 0) {
			struct sim before = sim;
			for (int k = 0; k < 4; k++, visits++)
				turned_away += !sim_stream(&sim, 90000 + i, WEB, 443, true, SIM_OK);
			sim.opened = before.opened;
			sim.refused = before.refused;
		}
		sim_advance(&sim, 10);
	}
	assert_true(sim_share(&sim) > 0.9);
	assert_true(visits > 200 && turned_away == 0);
	assert_int_equal(engine_counters(sim.engine)->ceiling_trips, 0);
	sim_stop(&sim);
}

static void
test_flood_without_circuits(void **state)
{
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_NFT, 16 * MIB);
	sim_stream(&sim, 0, WEB, 443, false, SIM_OK);
	sim_advance(&sim, 90000); /* a fresh engine learns first */
	for (unsigned i = 0; i < 12000; i++) {
		sim_stream(&sim, 0, WEB, 443, false, SIM_OK);
		sim_advance(&sim, 10);
	}
	assert_true(sim_share(&sim) > 0.85);
	assert_true(sim_stream(&sim, 0, WEB + 1, 443, false, SIM_OK));
	sim_stop(&sim);
}

static void
test_login_guessing(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		sim_stream(&sim, 5, WEB, 443, true, SIM_OK);
		sim_advance(&sim, 90000);
		sim_reset_counts(&sim);
		for (unsigned i = 0; i < 3000; i++) {
			sim_stream(&sim, 100 + i % 4 + i / 1200 * 10,
			    0xf4440a00u | sim_random(&sim, 24), 22, false, SIM_OK);
			sim_advance(&sim, 100);
		}
		assert_true(sim_share(&sim) > 0.9);
		assert_true(sim_stream(&sim, 7, WEB, 22, false, SIM_OK));
	}
}

/* Without circuits a limit follows what is usual: it must not follow an attack that comes slowly,
 * and must follow a host that is in use from the start. */
static void
test_login_limit_learns_the_usual(void **state)
{
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_NFT, 16 * MIB);
	for (unsigned i = 0; i < 3000; i++) {
		if (i % 4 == 0)
			assert_true(sim_stream(&sim, 0, WEB, 22, false, SIM_OK));
		if (i == 300)
			sim_reset_counts(&sim);
		if (i > 300) {
			sim_stream(&sim, 0, 0xf4440a01u, 22, false, SIM_OK);
			sim.opened -= i % 4 == 0;
		}
		sim_advance(&sim, 1000);
	}
	assert_true(sim_share(&sim) > 0.7);
	sim_stop(&sim);
}

/* Three hundred pictures to one cloud, one connection each: as fast as they go, and slowly. */
static void
test_upload_is_never_refused(void **state)
{
	static const unsigned gaps_ms[] = { 0, 10, 50, 250, 800 };
	struct sim sim;

	(void)state;
	for (size_t g = 0; g < sizeof(gaps_ms) / sizeof(gaps_ms[0]); g++) {
		FOR_BOTH_VIEWS(&sim)
		{
			for (int i = 0; i < 300; i++) {
				assert_true(sim_stream(&sim, 9, WEB, 443, true, SIM_OK));
				sim_advance(&sim, gaps_ms[g]);
			}
			assert_int_equal(sim.refused, 0);
		}
	}
}

/* Many peers, each once, more than half dead, on ports all over; a sweep beside it. */
static void
test_torrent_is_never_refused(void **state)
{
	static const uint16_t common[] = { 443, 8080, 8999, 51413 };
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		for (unsigned i = 0; i < 1000; i++) {
			uint16_t port = (uint16_t)(1024 + sim_random(&sim, 64000));

			if (sim_random(&sim, 4) == 0)
				port = common[sim_random(&sim, 4)];
			assert_true(sim_stream(&sim, 3 + i / 400,
			    0xe0000000u + sim_random(&sim, 1u << 28), port, false, SIM_PEER));
			sim_advance(&sim, i < 60 ? 400 : 1000);
			sim_stream(&sim, 1000 + i % 4, SWEPT | sim_random(&sim, 65536), 8080, false,
			    SIM_MOSTLY_SILENT);
		}
	}
}

/* Ten at once, four of five peers dead, and a port that many of them have. */
static void
test_many_torrents(void **state)
{
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 64 * MIB);
	for (unsigned i = 0; i < 9000; i++) {
		uint16_t port = (uint16_t)(1024 + sim_random(&sim, 64000));
		bool dead = sim_random(&sim, 5) != 0;

		if (sim_random(&sim, 10) == 0)
			port = 6881;
		sim_stream(&sim, 10 + i % 10, 0x0b000000u + sim_random(&sim, 0xc0000000u), port,
		    false, dead ? SIM_SILENT : SIM_OK);
		sim_advance(&sim, 70);
	}
	assert_int_equal(sim.refused, 0);
	sim_stop(&sim);
}

static bool
is_swept(void *arg, const struct addr *addr, uint16_t port)
{
	(void)arg;
	return port == 8080 && addr_ipv4_u32(addr) >> 16 == SWEPT >> 16;
}

static void
test_relays_are_exempt(void **state)
{
	struct engine_config config = { .memory_max = 4 * MIB, .is_relay = is_swept };
	struct sim sim;

	(void)state;
	for (int v = 0; v < 2; v++) {
		sim_start(&sim, views[v], 4 * MIB);
		engine_free(&sim.engine);
		config.view = views[v];
		sim.engine = engine_new(&config);
		sweep(&sim, 100, 1, false);
		assert_int_equal(sim.refused, 0);
		assert_int_equal(engine_counters(sim.engine)->exempt, 1000);
		sim_stop(&sim);
	}
}

static void
test_resolved_later(void **state)
{
	struct engine_stream stream = { .circuit = 77, .port = 8080, .by_name = true };
	struct addr addr = addr_ipv4(SWEPT | 0x7777);
	struct engine_verdict verdict;
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 16 * MIB);
	sweep(&sim, 60, 0, true);
	stream.stream = 1u << 30;
	engine_open(sim.engine, sim.now_ms, &stream, &verdict);
	assert_false(verdict.refuse);
	engine_dest(sim.engine, sim.now_ms, stream.stream, &addr, &verdict);
	assert_true(verdict.refuse);
	assert_int_equal(verdict.reason, REPORT_REASON_SWEEP);
	/* It is forgotten, and an address for a stream that nobody opened is nobody's. */
	engine_dest(sim.engine, sim.now_ms, stream.stream, &addr, &verdict);
	assert_false(verdict.refuse);
	const struct engine_counters *n = engine_counters(sim.engine);
	assert_int_equal(n->streams, n->allowed + n->refused);

	addr = addr_ipv4(WEB);
	stream.stream++;
	engine_open(sim.engine, sim.now_ms, &stream, &verdict);
	engine_dest(sim.engine, sim.now_ms, stream.stream, &addr, &verdict);
	assert_false(verdict.refuse);
	engine_outcome(sim.engine, sim.now_ms + 50, stream.stream, REPORT_CONNECTED, 50);
	assert_int_equal(n->streams, n->allowed + n->refused);
	sim_stop(&sim);
}

static void
test_own_failures_are_no_evidence(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		for (unsigned i = 0; i < 200; i++) {
			assert_true(sim_stream(&sim, 1, SWEPT | i, 8080, false, SIM_OK));
			engine_outcome(
			    sim.engine, sim.now_ms, sim.next_stream, REPORT_LOCAL_FAILURE, 0);
		}
	}
}

/* Observing: what would be refused is counted and goes out. */
static void
test_observe_mode(void **state)
{
	struct sim sim;

	(void)state;
	FOR_BOTH_VIEWS(&sim)
	{
		sim.observe = true;
		sweep(&sim, 300, 4, false);
		assert_true(sim_share(&sim) > 0.9);
		const struct engine_counters *n = engine_counters(sim.engine);
		assert_int_equal(n->refused, sim.refused);
		assert_true(n->outcomes[REPORT_TIMEOUT] > 2000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweep_is_refused),
		cmocka_unit_test(test_sweep_with_a_circuit_for_each_stream),
		cmocka_unit_test(test_sweep_that_does_not_wait),
		cmocka_unit_test(test_known_services_pass_a_sweep),
		cmocka_unit_test(test_busy_neighbours_are_spared),
		cmocka_unit_test(test_port_scan_is_refused),
		cmocka_unit_test(test_wide_scan_is_refused),
		cmocka_unit_test(test_scanning_circuit_is_refused_elsewhere),
		cmocka_unit_test(test_flood_with_circuits_spares_visitors),
		cmocka_unit_test(test_flood_without_circuits),
		cmocka_unit_test(test_login_guessing),
		cmocka_unit_test(test_login_limit_learns_the_usual),
		cmocka_unit_test(test_upload_is_never_refused),
		cmocka_unit_test(test_torrent_is_never_refused),
		cmocka_unit_test(test_many_torrents),
		cmocka_unit_test(test_relays_are_exempt),
		cmocka_unit_test(test_resolved_later),
		cmocka_unit_test(test_own_failures_are_no_evidence),
		cmocka_unit_test(test_observe_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
