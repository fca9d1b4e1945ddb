/* engine.h: what has been seen of exit streams in, verdicts and kernel set changes out.
 *
 * Pure: no socket, no clock of its own (time is an argument, milliseconds, never going back),
 * memory bounded by the configuration and taken at start. Keys are hashed with the random key
 * given at start. Nothing about a destination or circuit outlives its window (ten minutes at
 * most). Not thread-safe. The rules: docs/ARCHITECTURE.md, "the ten rules". */
#ifndef EXITGUARD_ENGINE_ENGINE_H
#define EXITGUARD_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/report.h"

enum engine_view {
	ENGINE_VIEW_RELAY, /* relayd asks: circuits are known, refusal before DNS */
	ENGINE_VIEW_NFT,   /* stock tor, NFLOG: no circuits, the kernel refuses */
};

struct engine_config {
	enum engine_view view;
	size_t memory_max;    /* bytes for all tables together */
	uint8_t hash_key[16]; /* random */
	/* Rule 3. True: this address and port is a relay of the consensus. May be NULL. */
	bool (*is_relay)(void *arg, const struct addr *addr, uint16_t port);
	void *is_relay_arg;
};

struct engine_stream {
	uint64_t stream;  /* random or counting; unique among those alive */
	uint64_t circuit; /* 0 in ENGINE_VIEW_NFT */
	struct addr addr; /* family ADDR_NONE until it is known */
	uint16_t port;
	bool by_name; /* the client gave a host name */
};

struct engine_verdict {
	bool refuse;      /* what enforcing would do; observing is the caller's business */
	uint8_t reason;   /* enum report_reason; NONE if not refused */
	uint32_t hold_ms; /* how much longer the reason holds; 0: this stream only */
};

/* A set element to add (or to renew) or to take out, for the kernel's net. Prefixes come only in
 * lengths 16, 24, 32 (IPv4) and 32, 48, 128 (IPv6). */
struct engine_change {
	bool add;
	struct prefix prefix;
	uint16_t port;    /* 0: any port */
	uint32_t hold_ms; /* at most one hour */
	uint8_t reason;   /* enum report_reason */
};

/* Sums since start, by reason; coarse by nature. */
struct engine_counters {
	uint64_t streams, allowed, refused, exempt;
	uint64_t refused_by[REPORT_REASON_COUNT];
	uint64_t outcomes[5];   /* index: enum report_outcome */
	uint64_t evicted;       /* table entries given up for memory */
	uint64_t ceiling_trips; /* rule 10 */
};

struct engine;

struct engine *engine_new(const struct engine_config *config); /* NULL: no memory */
void engine_free(struct engine **engine);                      /* wipes; *engine becomes NULL */

/* A new stream. With an address: the whole answer. By name without one: the circuit's part, and
 * engine_dest is owed if it was let on. A refused stream is forgotten at once. */
void engine_open(struct engine *e, uint64_t now_ms, const struct engine_stream *stream,
    struct engine_verdict *out);
void engine_dest(struct engine *e, uint64_t now_ms, uint64_t stream, const struct addr *addr,
    struct engine_verdict *out);
/* Unknown streams are ignored by both. */
void engine_outcome(
    struct engine *e, uint64_t now_ms, uint64_t stream, enum report_outcome outcome, uint32_t ms);
void engine_closed(struct engine *e, uint64_t now_ms, uint64_t stream);
/* The caller let a stream out in spite of a refusal (observe mode): count it as going out. Call
 * it right after engine_open or engine_dest said refuse. */
void engine_let_out(struct engine *e, uint64_t now_ms, const struct engine_stream *stream);
/* Call about each second: windows move on, old entries go. */
void engine_tick(struct engine *e, uint64_t now_ms);
/* Changes queued for the kernel since the last call; false when there is none left. Only
 * ENGINE_VIEW_NFT makes any. The engine takes it that they are applied: until an element's end
 * every stream that it covers is refused. */
bool engine_next_change(struct engine *e, struct engine_change *out);

/* What would happen to such a stream now; changes nothing. text gets one line for a person
 * that names the counters and limits that decide. */
void engine_explain(struct engine *e, uint64_t now_ms, const struct engine_stream *stream,
    struct engine_verdict *out, char *text, size_t text_len);

const struct engine_counters *engine_counters(const struct engine *e);
bool engine_ceiling_is_hit(const struct engine *e); /* rule 10: not refusing at present */

/* The limits in force, for `exitguardctl limits`: name, value, unit, one at a time by index;
 * false past the last. */
struct engine_limit {
	const char *name, *unit;
	double value;
};
bool engine_limit(const struct engine *e, size_t index, struct engine_limit *out);

#endif
