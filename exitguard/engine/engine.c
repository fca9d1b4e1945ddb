/* engine.c: the engine's life and the order in which its parts are asked. Pure: no socket, no
 * clock of its own. */
#include "exitguard/engine/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define MEMORY_LEAST (1u << 20)

static const struct {
	size_t table, entry_size;
	unsigned share; /* of the memory, in parts of 100 */
} tables[] = {
	{ offsetof(struct engine, services), sizeof(struct service), 16 },
	{ offsetof(struct engine, hosts), sizeof(struct host), 26 },
	{ offsetof(struct engine, nets), sizeof(struct net), 18 },
	{ offsetof(struct engine, streams), sizeof(struct stream), 14 },
	{ offsetof(struct engine, pairs), sizeof(struct pair), 16 },
	{ offsetof(struct engine, circuits), sizeof(struct circuit), 6 },
	{ offsetof(struct engine, guessers), sizeof(struct guesser), 2 },
	{ offsetof(struct engine, logins), sizeof(struct login), 2 },
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static struct table *
table_at(const struct engine *e, size_t i)
{
	return (struct table *)(void *)((char *)(uintptr_t)e + tables[i].table);
}

struct engine *
engine_new(const struct engine_config *config)
{
	struct engine *e = calloc(1, sizeof(*e));
	size_t fixed = sizeof(*e) + CHANGES_MAX * sizeof(struct element);
	size_t memory =
	    config->memory_max > fixed + MEMORY_LEAST ? config->memory_max - fixed : MEMORY_LEAST;

	if (e == NULL)
		return NULL;
	e->config = *config;
	e->now = START;
	bool ok = table_init(&e->changes.elements, sizeof(struct element),
	    CHANGES_MAX * sizeof(struct element), FORGET);
	for (size_t i = 0; i < TABLES; i++)
		ok = table_init(table_at(e, i), tables[i].entry_size,
			 memory / 100 * tables[i].share, FORGET) &&
		     ok;
	if (!ok)
		engine_free(&e);
	return e;
}

void
engine_free(struct engine **engine)
{
	struct engine *e = *engine;

	if (e == NULL)
		return;
	for (size_t i = 0; i < TABLES; i++)
		table_clear(table_at(e, i));
	table_clear(&e->changes.elements);
	sodium_memzero(e, sizeof(*e));
	free(e);
	*engine = NULL;
}

/* Deciseconds; the first time that the engine hears is START, and time does not go back. */
static uint32_t
engine_time(const struct engine *e, uint64_t now_ms)
{
	if (!e->started || now_ms < e->start_ms)
		return e->now;
	uint64_t now = START + (now_ms - e->start_ms) / (1000 / SECOND);
	return now > e->now ? (uint32_t)now : e->now;
}

static uint32_t
engine_move_on(struct engine *e, uint64_t now_ms)
{
	if (!e->started) {
		e->started = true;
		e->start_ms = now_ms;
	}
	e->now = engine_time(e, now_ms);
	return e->now;
}

static bool
is_exempt(const struct engine *e, const struct engine_stream *stream)
{
	return e->config.is_relay != NULL && stream->addr.family != ADDR_NONE &&
	       e->config.is_relay(e->config.is_relay_arg, &stream->addr, stream->port);
}

/* The rules in their order; the first that refuses is the reason. */
static void
judge(const struct look *look, bool with_rate, struct judgement *out)
{
	memset(out, 0, sizeof(*out));
	if (with_rate && load_judge_rate(look->e, look->keys->circuit, look->now, out))
		return;
	if (look->e->config.view == ENGINE_VIEW_NFT && changes_judge(look, out))
		return;
	if (scan_judge_circuit(look, out) || scan_judge_destination(look, out) ||
	    load_judge_login(look, out) || load_judge_flood(look, out))
		return;
	memset(out, 0, sizeof(*out));
}

static void
verdict_of(const struct engine *e, const struct judgement *why, struct engine_verdict *out)
{
	memset(out, 0, sizeof(*out));
	if (why->reason == REPORT_REASON_NONE || e->ceiling.hit)
		return;
	out->refuse = true;
	out->reason = why->reason;
	out->hold_ms = why->hold * (1000 / SECOND);
}

static void
stream_remember(struct engine *e, const struct look *look, bool counted)
{
	uint64_t key = keys_of_number(e->config.hash_key, look->stream->stream);
	struct stream *stream = table_get(&e->streams, key, look->now);

	if (stream->opened != 0 && !stream->waits)
		counted = counted || stream->counted;
	stream->keys = *look->keys;
	stream->circuit = 0;
	stream->opened = look->now;
	stream->port = look->stream->port;
	stream->by_name = look->stream->by_name;
	stream->waits = false;
	stream->counted = counted;
}

static void
note_out(struct engine *e, const struct look *look)
{
	bool counted = scan_note_out(e, look);

	load_note_out(e, look);
	stream_remember(e, look, counted);
}

static void
note_refused(struct engine *e, const struct look *look, const struct judgement *why)
{
	scan_note_refused(e, look, why);
	load_note_refused(e, look, why);
	if (e->config.view == ENGINE_VIEW_NFT && !e->ceiling.hit)
		changes_note_refused(e, look, why);
}

static void
look_at(struct engine *e, const struct engine_stream *stream, uint32_t now, struct keys *keys,
    struct look *out)
{
	keys_of_stream(e->config.hash_key, stream, keys);
	*out = (struct look){ .e = e, .stream = stream, .keys = keys, .now = now };
	out->known = service_is_known(e, keys->service, now);
}

/* Judge a stream whose address is known, and remember what came of it. */
static void
decide(struct engine *e, uint32_t now, const struct engine_stream *stream, bool with_rate,
    struct engine_verdict *out)
{
	struct judgement why;
	struct keys keys;
	struct look look;

	look_at(e, stream, now, &keys, &look);
	judge(&look, with_rate, &why);
	ceiling_note(&e->ceiling, why.reason != REPORT_REASON_NONE && why.doubtful, now);
	if (ceiling_check(&e->ceiling, now)) {
		e->counters.ceiling_trips++;
		changes_lift_all(e, now);
	}
	verdict_of(e, &why, out);
	if (why.reason != REPORT_REASON_NONE)
		note_refused(e, &look, &why);
	if (!out->refuse)
		note_out(e, &look);
}

static void
count_verdict(struct engine *e, const struct engine_verdict *verdict)
{
	if (verdict->refuse) {
		e->counters.refused++;
		e->counters.refused_by[verdict->reason]++;
	} else {
		e->counters.allowed++;
	}
}

static void
stream_wait(struct engine *e, uint32_t now, const struct engine_stream *stream)
{
	uint64_t key = keys_of_number(e->config.hash_key, stream->stream);
	struct stream *waiting = table_get(&e->streams, key, now);

	waiting->circuit = stream->circuit;
	waiting->opened = now;
	waiting->port = stream->port;
	waiting->by_name = stream->by_name;
	waiting->waits = true;
}

/* By name, not yet resolved: only the circuit can be judged. */
static void
open_by_name(
    struct engine *e, uint32_t now, const struct engine_stream *stream, struct engine_verdict *out)
{
	uint64_t circuit = keys_of_circuit(e->config.hash_key, stream->circuit);
	struct judgement why = { 0 };

	load_judge_rate(e, circuit, now, &why);
	verdict_of(e, &why, out);
	if (out->refuse)
		return;
	load_note_rate(e, circuit, now);
	stream_wait(e, now, stream);
}

void
engine_open(struct engine *e, uint64_t now_ms, const struct engine_stream *stream,
    struct engine_verdict *out)
{
	uint32_t now = engine_move_on(e, now_ms);

	memset(out, 0, sizeof(*out));
	e->counters.streams++;
	if (is_exempt(e, stream)) {
		e->counters.exempt++;
	} else if (stream->addr.family == ADDR_NONE) {
		open_by_name(e, now, stream, out);
	} else {
		decide(e, now, stream, true, out);
		if (!out->refuse)
			load_note_rate(
			    e, keys_of_circuit(e->config.hash_key, stream->circuit), now);
	}
	count_verdict(e, out);
}

void
engine_dest(struct engine *e, uint64_t now_ms, uint64_t number, const struct addr *addr,
    struct engine_verdict *out)
{
	uint32_t now = engine_move_on(e, now_ms);
	uint64_t key = keys_of_number(e->config.hash_key, number);
	struct stream *waiting = table_find(&e->streams, key, now);

	memset(out, 0, sizeof(*out));
	if (waiting == NULL || !waiting->waits || addr->family == ADDR_NONE)
		return;
	struct engine_stream stream = { .stream = number,
		.circuit = waiting->circuit,
		.addr = *addr,
		.port = waiting->port,
		.by_name = waiting->by_name };
	table_remove(&e->streams, waiting);
	if (is_exempt(e, &stream)) {
		e->counters.exempt++;
		return;
	}
	decide(e, now, &stream, false, out);
	if (out->refuse) {
		e->counters.allowed--; /* engine_open had counted it so */
		count_verdict(e, out);
	}
}

void
engine_let_out(struct engine *e, uint64_t now_ms, const struct engine_stream *stream)
{
	uint32_t now = engine_move_on(e, now_ms);
	struct keys keys;
	struct look look;

	if (stream->addr.family == ADDR_NONE)
		stream_wait(e, now, stream);
	if (stream->addr.family == ADDR_NONE || is_exempt(e, stream))
		return;
	look_at(e, stream, now, &keys, &look);
	note_out(e, &look);
}

void
engine_outcome(
    struct engine *e, uint64_t now_ms, uint64_t number, enum report_outcome outcome, uint32_t ms)
{
	uint32_t now = engine_move_on(e, now_ms);
	uint64_t key = keys_of_number(e->config.hash_key, number);
	struct stream *stream = table_find(&e->streams, key, now);

	(void)ms;
	if (stream == NULL || stream->waits)
		return;
	if ((unsigned)outcome < sizeof(e->counters.outcomes) / sizeof(e->counters.outcomes[0]))
		e->counters.outcomes[outcome]++;
	if (outcome == REPORT_CONNECTED)
		scan_note_connected(e, stream, now);
	else if (outcome == REPORT_LOCAL_FAILURE)
		scan_note_void(e, stream, now);
	table_remove(&e->streams, stream);
}

/* One that ends before it was answered stays silent: scanners do not wait. */
void
engine_closed(struct engine *e, uint64_t now_ms, uint64_t number)
{
	uint32_t now = engine_move_on(e, now_ms);
	struct stream *stream =
	    table_find(&e->streams, keys_of_number(e->config.hash_key, number), now);

	if (stream != NULL)
		table_remove(&e->streams, stream);
}

void
engine_tick(struct engine *e, uint64_t now_ms)
{
	uint32_t now = engine_move_on(e, now_ms);

	for (size_t i = 0; i < TABLES; i++)
		table_forget(table_at(e, i), now, 30);
	table_forget(&e->changes.elements, now, 30);
	if (ceiling_check(&e->ceiling, now)) {
		e->counters.ceiling_trips++;
		changes_lift_all(e, now);
	}
	e->counters.evicted = 0;
	for (size_t i = 0; i < TABLES; i++)
		e->counters.evicted += table_at(e, i)->evicted;
}

void
engine_explain(struct engine *e, uint64_t now_ms, const struct engine_stream *stream,
    struct engine_verdict *out, char *text, size_t text_len)
{
	uint32_t now = engine_time(e, now_ms);
	struct judgement why = { 0 };
	struct keys keys;
	struct look look;

	memset(out, 0, sizeof(*out));
	if (is_exempt(e, stream)) {
		snprintf(text, text_len, "allowed: a relay of the consensus is never limited");
		return;
	}
	if (stream->addr.family == ADDR_NONE) {
		load_judge_rate(e, keys_of_circuit(e->config.hash_key, stream->circuit), now, &why);
	} else {
		look_at(e, stream, now, &keys, &look);
		judge(&look, true, &why);
	}
	verdict_of(e, &why, out);
	if (why.reason == REPORT_REASON_NONE)
		snprintf(text, text_len, "allowed: no limit is reached");
	else
		snprintf(text, text_len, "%s: %s, %s %.4g, limit %.4g%s",
		    out->refuse ? "refused" : "allowed, too much is being refused (rule 10)",
		    report_reason_str(why.reason), why.what, (double)why.count, (double)why.limit,
		    why.doubtful ? ", not a clear attack" : "");
}

const struct engine_counters *
engine_counters(const struct engine *e)
{
	return &e->counters;
}

bool
engine_ceiling_is_hit(const struct engine *e)
{
	return e->ceiling.hit;
}
