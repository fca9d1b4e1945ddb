/* guard.h: a worker's connection to exitguard (common/report.h): asks about new streams, tells
 * what became of them. While exitguard is away GuardFailMode decides. One worker's thread. */
#ifndef RELAYD_GUARD_GUARD_H
#define RELAYD_GUARD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/report.h"
#include "relayd/work/work.h"

enum guard_answer { GUARD_ALLOW, GUARD_REFUSE, GUARD_WAIT };

/* The verdict on an ask that was GUARD_WAIT; handle is the one given with it. Called from the event
 * loop only, never from within guard_ask or guard_tell. */
typedef void guard_verdict_fn(struct worker *w, uint64_t handle, bool allow);

enum rc guard_room_init(struct worker *w, guard_verdict_fn *verdict);
void guard_room_clear(struct worker *w);

/* Ask with an OPEN or DEST record; record->stream must be set. ALLOW or REFUSE: no verdict call
 * will follow. *epoch names the connection, for guard_tell; 0: exitguard was not told. */
enum guard_answer guard_ask(
    struct worker *w, const struct report_record *record, uint64_t handle, uint32_t *epoch);
/* OUTCOME or CLOSED, if the connection is still the one that the stream was opened on. */
void guard_tell(struct worker *w, const struct report_record *record, uint32_t epoch);

#endif
