/* decide.c: one stream's fate: the operator's lists first, then the engine, then the mode. */
#include "exitguard/front/front.h"
#include "exitguard/ledger/ledger.h"

/* The operator's word on an address, if any. True: decided. */
static bool
decide_by_list(struct front *front, const struct addr *addr, struct decision *out)
{
	if (lists_have(&front->lists, GUARD_LIST_ALLOW, addr)) {
		front->allowed_by_list++;
		return true;
	}
	if (lists_have(&front->lists, GUARD_LIST_BAN, addr)) {
		front->banned++;
		out->reason = REPORT_REASON_BAN;
		out->hold_ms = 60 * 1000;
		return true;
	}
	return false;
}

void
front_decide(struct front *front, enum engine_view view, enum decide_step step, uint64_t now_ms,
    const struct engine_stream *stream, struct decision *out)
{
	struct engine *engine = front->engines[view];
	struct engine_verdict verdict = { 0 };

	*out = (struct decision){ 0 };
	bool decided = !relays_have(&front->relays, &stream->addr, stream->port) &&
		       decide_by_list(front, &stream->addr, out);
	if (!decided) {
		if (step == DECIDE_OPEN)
			engine_open(engine, now_ms, stream, &verdict);
		else
			engine_dest(engine, now_ms, stream->stream, &stream->addr, &verdict);
		out->reason = verdict.refuse ? verdict.reason : REPORT_REASON_NONE;
		out->hold_ms = verdict.hold_ms;
		if (verdict.refuse && front->mode == GUARD_OBSERVE)
			engine_let_out(engine, now_ms, stream);
	}
	out->refuse = out->reason != REPORT_REASON_NONE && front->mode == GUARD_ENFORCE;
	if (front->ledger != NULL)
		ledger_count(front->ledger, &stream->addr, stream->port, out->reason, out->refuse);
}

void
front_push_changes(struct front *front)
{
	struct engine_change change;
	struct guard_elem elem;

	for (int view = 0; view < 2; view++)
		while (front->engines[view] != NULL &&
		       engine_next_change(front->engines[view], &change))
			if (guard_plan_detected(
				&change.prefix, change.port, change.hold_ms, &elem) == RC_OK)
				kernel_elem(front, change.add, &elem);
	kernel_commit(front);
}
