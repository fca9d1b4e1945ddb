/* engine_parts_test.c: tables, windows, memory and forgetting, the kernel's changes, rule 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exitguard/engine/engine_sim.h"
#include "exitguard/engine/state.h"

#define MIB   (1u << 20)
#define SWEPT 0xf1110000u /* 241.17.0.0/16 */
#define WEB   0xf2000001u /* 242.0.0.1 */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 400000u
#else
#define MANY 10000000u
#endif

struct item {
	struct table_head head;
	uint64_t value;
};

static void
test_table(void **state)
{
	struct table t;
	struct item *item;
	const uint64_t step = 0x9e3779b97f4a7c15u;

	(void)state;
	assert_true(table_init(&t, sizeof(struct item), 64 * 1024, 100));
	assert_null(table_find(&t, step, 1000));
	item = table_get(&t, step, 1000);
	item->value = 7;
	assert_ptr_equal(table_find(&t, step, 1100), item);
	assert_null(table_find(&t, step, 1101));
	item = table_get(&t, step, 1101); /* dead: made anew */
	assert_int_equal(item->value, 0);
	assert_int_equal(t.evicted, 0);
	item->head.bonus = 1000;

	/* Past its size it forgets the oldest, and what is worth keeping last. */
	for (uint64_t i = 2; i < 20000; i++)
		table_get(&t, i * step, 1101 + (uint32_t)i / 1000);
	assert_true(t.evicted > 10000);
	assert_non_null(table_find(&t, step, 1120));
	assert_non_null(table_find(&t, 19999 * step, 1120));
	assert_true(table_count(&t) <= 64 * 1024 / sizeof(struct item));

	for (int i = 0; i < 10; i++)
		table_forget(&t, 5000, 10);
	assert_int_equal(table_count(&t), 0);
	table_clear(&t);
}

static void
test_windows(void **state)
{
	struct fan fan = { 0 };
	struct brief brief = { 0 };
	struct bucket bucket = { 0 };
	struct slow slow = { 0 };
	uint32_t now = START;

	(void)state;
	for (int i = 0; i < 5; i++, now += FAN_SLOT_LEN)
		fan_add(&fan, FAN_SILENT, now);
	assert_int_equal(fan_sum(&fan, FAN_SILENT, now), 5);
	assert_int_equal(fan_sum(&fan, FAN_ANSWERED, now), 0);
	fan_take_back(&fan, FAN_SILENT, START, now);
	assert_int_equal(fan_sum(&fan, FAN_SILENT, now), 4);
	assert_int_equal(fan_sum(&fan, FAN_SILENT, START + (FAN_SLOTS + 3) * FAN_SLOT_LEN), 1);
	assert_int_equal(fan_sum(&fan, FAN_SILENT, START + (FAN_SLOTS + 4) * FAN_SLOT_LEN), 0);
	fan_take_back(&fan, FAN_SILENT, START, now + 100000); /* long gone */
	assert_int_equal(fan_sum(&fan, FAN_SILENT, now + 100000), 0);
	assert_int_equal(fan_sum(NULL, FAN_SILENT, now), 0);

	for (int i = 0; i < 10; i++)
		brief_add(&brief, 100, START + (uint32_t)i * 100);
	assert_int_equal(brief_sum(&brief, 100, START + 900), BRIEF_SLOTS);

	for (int i = 0; i < 20; i++)
		bucket_take(&bucket, 1, 10, START);
	assert_true(bucket_left(&bucket, 1, 10, START) < 1);
	assert_true(bucket_left(&bucket, 1, 10, START + 30) >= 3);
	assert_true(bucket_left(&bucket, 1, 10, START + 1000) >= 10);

	for (uint32_t i = 0; i < 6000; i++)
		slow_add(&slow, 1, 60, START + i); /* ten a second */
	assert_true(
	    slow_rate(&slow, 60, START + 6000) > 9 && slow_rate(&slow, 60, START + 6000) < 11);
	assert_true(slow_rate(&slow, 60, START + 12000) < 1);
}

/* Everything that the engine can see, told to two engines, gives the same. */
static void
test_same_input_same_verdicts(void **state)
{
	struct sim sim[2];
	uint64_t sums[2] = { 0, 0 };

	(void)state;
	for (int k = 0; k < 2; k++) {
		sim_start(&sim[k], ENGINE_VIEW_RELAY, 2 * MIB);
		for (uint32_t i = 0; i < 30000; i++) {
			uint32_t addr = 0xf0000000u + sim_random(&sim[k], i % 3 ? 4000 : 1u << 28);
			bool out = sim_stream(&sim[k], sim_random(&sim[k], 500), addr,
			    i % 5 ? 443 : 22, i % 2 == 0, i % 4 ? SIM_OK : SIM_PEER);
			sums[k] = sums[k] * 3 + (out ? 1 : 2 + sim[k].last.reason);
			sim_advance(&sim[k], 7);
		}
	}
	assert_int_equal(sums[0], sums[1]);
	assert_true(sim[0].refused > 0);
	for (int k = 0; k < 2; k++)
		sim_stop(&sim[k]);
}

static size_t
count_entries(const struct engine *e)
{
	return table_count(&e->services) + table_count(&e->hosts) + table_count(&e->nets) +
	       table_count(&e->circuits) + table_count(&e->pairs) + table_count(&e->guessers) +
	       table_count(&e->logins) + table_count(&e->streams) +
	       table_count(&e->changes.elements);
}

static void
test_nothing_is_left_after_ten_minutes(void **state)
{
	static const enum engine_view views[] = { ENGINE_VIEW_RELAY, ENGINE_VIEW_NFT };
	static const struct engine_change none;
	struct engine_change change;
	struct sim sim;

	(void)state;
	for (int v = 0; v < 2; v++) {
		sim_start(&sim, views[v], 4 * MIB);
		for (uint32_t i = 0; i < 6000; i++) {
			sim_stream(&sim, i % 50, SWEPT + i, i % 2 ? 22 : 8080, false, SIM_PEER);
			sim_stream(&sim, i % 50, WEB + i % 7, 443, true, SIM_OK);
			sim_advance(&sim, 20);
		}
		assert_true(count_entries(sim.engine) > 100);
		while (engine_next_change(sim.engine, &change))
			;
		sim_advance(&sim, 600 * 1000);
		assert_int_equal(count_entries(sim.engine), 0);
		for (size_t i = 0; i < CHANGES_MAX; i++)
			assert_memory_equal(&sim.engine->changes.queue[i], &none, sizeof(none));
		sim_stop(&sim);
	}
}

static void
test_memory_is_bounded(void **state)
{
	struct engine_config config = { .view = ENGINE_VIEW_RELAY, .memory_max = 8 * MIB };
	struct engine *e = engine_new(&config);
	struct engine_stream stream = { .circuit = 1 };
	struct engine_verdict verdict;
	size_t bytes = sizeof(*e);

	(void)state;
	assert_non_null(e);
	const struct table *all[] = { &e->services, &e->hosts, &e->nets, &e->circuits, &e->pairs,
		&e->guessers, &e->logins, &e->streams, &e->changes.elements };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		bytes += all[i]->sets * all[i]->entry_size * 8;
	assert_true(bytes <= config.memory_max);

	/* Every address once, each on a circuit of its own, half of them answering. */
	for (uint32_t i = 0; i < MANY; i++) {
		uint64_t now_ms = i / 20; /* 20,000 a second */
		stream.stream = stream.circuit = i + 1;
		stream.addr = addr_ipv4(0x0b000000u + i * 2654435761u % 0xd0000000u);
		stream.port = (uint16_t)(1024 + i % 50000);
		engine_open(e, now_ms, &stream, &verdict);
		if (i * 2246822519u >> 31)
			engine_outcome(e, now_ms, stream.stream, REPORT_CONNECTED, 0);
		if (i % 20000 == 0)
			engine_tick(e, now_ms);
	}
	engine_tick(e, MANY / 20);
	assert_true(engine_counters(e)->evicted > MANY / 4);
	/* Forgetting so much, it must not take strangers for scanners. */
	assert_true(engine_counters(e)->refused < MANY / 100);
	engine_free(&e);
	assert_null(e);
	engine_free(&e);
}

/* Changes queued since the last call, at most len of them. */
static size_t
take_changes(struct sim *sim, struct engine_change *out, size_t len)
{
	size_t n = 0;

	while (n < len && engine_next_change(sim->engine, &out[n]))
		n++;
	return n;
}

static void
sweep(struct sim *sim, unsigned streams, unsigned gap_ms)
{
	for (unsigned i = 0; i < streams; i++) {
		sim_stream(sim, 0, SWEPT | sim_random(sim, 65536), 8080, false, SIM_SILENT);
		sim_advance(sim, gap_ms);
	}
}

static void
test_changes_of_a_sweep(void **state)
{
	struct engine_change change[64];
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_NFT, 8 * MIB);
	sweep(&sim, 200, 50);
	assert_int_equal(take_changes(&sim, change, 64), 1);
	assert_true(change[0].add);
	assert_int_equal(change[0].prefix.bits, 16);
	assert_int_equal(addr_ipv4_u32(&change[0].prefix.addr), SWEPT);
	assert_int_equal(change[0].port, 8080);
	assert_int_equal(change[0].reason, REPORT_REASON_SWEEP);
	assert_true(change[0].hold_ms >= 60000 && change[0].hold_ms <= 3600000);
	/* While it goes on the element is renewed before its end, and not more often than needed. */
	sweep(&sim, 12000, 50);
	size_t renewed = take_changes(&sim, change, 64);
	assert_true(renewed >= 1 && renewed <= 3);
	/* It lapses when the sweep is over. */
	sim_advance(&sim, 400 * 1000);
	assert_true(sim_stream(&sim, 0, SWEPT | 5, 8080, false, SIM_OK));
	assert_int_equal(take_changes(&sim, change, 64), 0);
	sim_stop(&sim);
}

/* Services in use inside the swept network are not covered by what the kernel gets. */
static void
test_changes_go_round_what_is_used(void **state)
{
	struct engine_change change;
	struct addr used = addr_ipv4(SWEPT | 0x0505);
	struct sim sim;
	unsigned narrow = 0;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_NFT, 8 * MIB);
	for (int i = 0; i < 3; i++) {
		assert_true(sim_stream(&sim, 0, SWEPT | 0x0505, 8080, false, SIM_OK));
		sim_advance(&sim, 1000);
	}
	sweep(&sim, 6000, 30);
	while (engine_next_change(sim.engine, &change)) {
		assert_int_equal(change.prefix.bits, 24);
		assert_false(prefix_contains(&change.prefix, &used));
		narrow++;
	}
	assert_true(narrow > 200);
	assert_true(sim_stream(&sim, 0, SWEPT | 0x0505, 8080, false, SIM_OK));
	sim_stop(&sim);
}

static void
test_changes_of_ipv6(void **state)
{
	struct engine_stream stream = { .port = 443 };
	struct engine_verdict verdict;
	struct engine_change change;
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_NFT, 8 * MIB);
	for (unsigned i = 0; i < 40; i++) {
		bytes[5] = (uint8_t)i;
		bytes[15] = 1;
		stream.stream = i + 1;
		stream.addr = addr_ipv6(bytes);
		engine_open(sim.engine, sim.now_ms + i * 50, &stream, &verdict);
	}
	assert_true(verdict.refuse);
	assert_true(engine_next_change(sim.engine, &change));
	assert_int_equal(change.prefix.bits, 32);
	assert_int_equal(change.prefix.addr.family, ADDR_IPV6);
	sim_stop(&sim);
}

/* The relay refuses by itself there: nothing for the kernel. */
static void
test_no_changes_with_circuits(void **state)
{
	struct engine_change change;
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 8 * MIB);
	for (unsigned i = 0; i < 500; i++)
		sim_stream(&sim, 1, SWEPT | i, 8080, false, SIM_SILENT);
	assert_true(sim.refused > 400);
	assert_false(engine_next_change(sim.engine, &change));
	sim_stop(&sim);
}

/* Rule 10: somewhat above what is usual is no clear attack. When that is over a hundredth of all
 * streams, nothing is refused any more, and what the kernel holds is lifted. */
static void
test_ceiling(void **state)
{
	struct engine_change change;
	struct sim sim;
	unsigned added = 0, lifted = 0;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_NFT, 8 * MIB);
	for (unsigned i = 0; i < 6000; i++) { /* usual: ten a second */
		assert_true(sim_stream(&sim, 0, WEB, 443, false, SIM_OK));
		sim_advance(&sim, 100);
	}
	for (unsigned i = 0; i < 6000 && !engine_ceiling_is_hit(sim.engine); i++) {
		sim_stream(&sim, 0, WEB, 443, false, SIM_OK);
		sim_advance(&sim, 20);
	}
	assert_true(sim.refused > 0);
	assert_true(engine_ceiling_is_hit(sim.engine));
	assert_int_equal(engine_counters(sim.engine)->ceiling_trips, 1);
	while (engine_next_change(sim.engine, &change)) {
		added += change.add;
		lifted += !change.add;
	}
	assert_int_equal(added, 0); /* what was queued before is not asked for any more */
	assert_int_equal(lifted, 1);
	sim_reset_counts(&sim);
	for (unsigned i = 0; i < 1000; i++)
		sim_stream(&sim, 0, WEB, 443, false, SIM_OK);
	sweep(&sim, 100, 10);
	assert_int_equal(sim.refused, 0);
	assert_false(engine_next_change(sim.engine, &change));
	/* It refuses again once that is over. */
	for (unsigned i = 0; i < 1200; i++) {
		sim_stream(&sim, 0, WEB, 443, false, SIM_OK);
		sim_advance(&sim, 1000);
	}
	assert_false(engine_ceiling_is_hit(sim.engine));
	sweep(&sim, 100, 10);
	assert_true(sim.refused > 80);
	sim_stop(&sim);
}

static void
test_explain_changes_nothing(void **state)
{
	struct engine_stream stream = {
		.stream = 1u << 30, .circuit = 5, .port = 8080, .addr = addr_ipv4(SWEPT | 0x4444)
	};
	struct engine_verdict verdict;
	char text[256];
	struct sim sim;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 8 * MIB);
	engine_explain(sim.engine, sim.now_ms, &stream, &verdict, text, sizeof(text));
	assert_false(verdict.refuse);
	assert_non_null(strstr(text, "allowed"));
	for (unsigned i = 0; i < 200; i++) {
		sim_stream(&sim, 1000 + i, SWEPT | i, 8080, false, SIM_SILENT);
		sim_advance(&sim, 50);
	}
	struct engine_counters before = *engine_counters(sim.engine);
	size_t entries = count_entries(sim.engine);
	for (int i = 0; i < 100; i++)
		engine_explain(sim.engine, sim.now_ms, &stream, &verdict, text, sizeof(text));
	assert_true(verdict.refuse);
	assert_non_null(strstr(text, "refused: sweep, silent addresses"));
	assert_memory_equal(&before, engine_counters(sim.engine), sizeof(before));
	assert_int_equal(count_entries(sim.engine), entries);
	engine_explain(sim.engine, sim.now_ms, &stream, &verdict, text, 10);
	assert_int_equal(strlen(text), 9);
	sim_stop(&sim);
}

static void
test_limits_are_listed(void **state)
{
	struct engine_limit limit;
	struct sim sim;
	size_t i = 0;

	(void)state;
	sim_start(&sim, ENGINE_VIEW_RELAY, 0); /* the least memory there is */
	for (; engine_limit(sim.engine, i, &limit); i++)
		assert_true(limit.value > 0 && limit.name[0] != '\0' && limit.unit[0] != '\0');
	assert_int_equal(i, LIMIT_COUNT);
	sim_stop(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_same_input_same_verdicts),
		cmocka_unit_test(test_nothing_is_left_after_ten_minutes),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_changes_of_a_sweep),
		cmocka_unit_test(test_changes_go_round_what_is_used),
		cmocka_unit_test(test_changes_of_ipv6),
		cmocka_unit_test(test_no_changes_with_circuits),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_explain_changes_nothing),
		cmocka_unit_test(test_limits_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
