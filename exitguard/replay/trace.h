/* trace.h: one line of a trace, as replay reads it. Pure. */
#ifndef EXITGUARD_REPLAY_TRACE_H
#define EXITGUARD_REPLAY_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "common/report.h"

#define TRACE_LINE_MAX 1024 /* longer lines are refused */

enum trace_event {
	TRACE_NEW = 1,
	TRACE_RESULT = 2,
};

struct trace_line {
	enum trace_event event;
	uint64_t t_ms;
	uint64_t id;
	uint64_t circuit;            /* NEW; 0 if the line does not tell */
	struct addr addr;            /* NEW */
	uint16_t port;               /* NEW */
	bool by_name;                /* NEW */
	enum report_outcome outcome; /* RESULT */
};

/* A flat JSON object: numbers and strings without escapes. Keys that are not known are skipped.
 * RC_SYNTAX for anything else, RC_RANGE for a value that cannot be, RC_SHORT if a key that the
 * event needs is missing. Circuits are counted from 0 in a trace and from 1 here. */
enum rc trace_parse(struct span line, struct trace_line *out);

#endif
