/* ledger.h: coarse counters for letters and reports, and nothing else, in SQLite.
 *
 * Spans are whole ten minutes (UTC). For each: streams by port class and reason; whether counting
 * ran all through it; and for each /24 (IPv6 /48) toward which something was refused, a keyed
 * hash. The keys are one a day and are thrown away with the day when its retention ends, so a
 * known destination can be looked up and destinations cannot be listed. */
#ifndef EXITGUARD_LEDGER_LEDGER_H
#define EXITGUARD_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/report.h"

#define LEDGER_SPAN_S    600
#define LEDGER_MARKS_MAX 65536 /* refused networks kept for one span */
#define LEDGER_SPANS_MAX 52560 /* a year, the most one question may cover */

enum ledger_class {
	LEDGER_WEB,   /* 80, 443, 8080, 8443 */
	LEDGER_MAIL,  /* 25, 110, 143, 465, 587, 993, 995 */
	LEDGER_LOGIN, /* 22, 23, 3389, 5900 */
	LEDGER_OTHER,
	LEDGER_CLASS_COUNT
};

struct ledger;

/* Open or make the file; now is UTC seconds. A file that is broken is moved aside (".broken"). */
enum rc ledger_open(const char *path, unsigned keep_days, int64_t now, struct ledger **out);
void ledger_close(struct ledger **ledger, int64_t now); /* writes the running span */

/* One stream asked for. reason NONE: nothing against it. A stream without an address counts
 * only when it is refused (it comes again with one). */
void ledger_count(
    struct ledger *ledger, const struct addr *addr, uint16_t port, uint8_t reason, bool refused);
/* The same for refusals the kernel counted, where only their number is known. */
void ledger_count_kernel(struct ledger *ledger, uint64_t refused);
/* The mode from now on; a span counts as enforced only if all that was counted in it was. */
void ledger_set_enforcing(struct ledger *ledger, bool enforcing);
/* Call at least every few seconds: ends spans, forgets old days. RC_SYSTEM: the file could not
 * be written; the span is kept for the next try. */
enum rc ledger_tick(struct ledger *ledger, int64_t now);
/* After an interruption of the feeds: the running span is not covered whole. */
void ledger_gap(struct ledger *ledger);

struct ledger_answer {
	int64_t from, to; /* rounded outwards to whole spans */
	bool covered;     /* counting ran all the time */
	unsigned spans, spans_covered;
	bool enforced; /* in all spans that are known, and there is one */
	bool network_asked;
	unsigned network_refused; /* spans in which something was refused toward it */
	uint64_t streams[LEDGER_CLASS_COUNT];
	uint64_t matched[LEDGER_CLASS_COUNT][REPORT_REASON_COUNT]; /* by reason, refused or not */
	uint64_t refused[LEDGER_CLASS_COUNT][REPORT_REASON_COUNT];
	uint64_t kernel_refused;
	int64_t first; /* oldest span kept, 0: none */
};

/* network may be NULL. RC_RANGE: from not before to, or more than LEDGER_SPANS_MAX. */
enum rc ledger_ask(struct ledger *ledger, int64_t from, int64_t to, const struct addr *network,
    struct ledger_answer *out);
const char *ledger_class_str(unsigned class);
enum ledger_class ledger_class_of(uint16_t port);

#endif
