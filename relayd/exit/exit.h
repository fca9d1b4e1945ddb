/* exit.h: exit streams: BEGIN to connected socket, bytes both ways, RESOLVE (tor-spec 6.2 to 6.4).
 * A stream lives in its circuit's worker. Each new one is asked about: policy, exitguard, DNS,
 * policy and exitguard again for the address, then connect. Nothing about it is written down. */
#ifndef RELAYD_EXIT_EXIT_H
#define RELAYD_EXIT_EXIT_H

#include "relayd/circuit/circuit.h"
#include "relayd/dns/dns.h"
#include "relayd/work/work.h"

enum rc exit_room_init(struct worker *w); /* after the guard's and before the circuits' */
void exit_room_clear(struct worker *w);
extern const struct circuit_ops exit_circuit_ops;

/* The main thread's resolver for all workers; set before the crew starts. */
void exit_set_resolver(struct dns *dns);
/* exitguard's verdict on a stream that waits for it: for guard_room_init. */
void exit_on_verdict(struct worker *w, uint64_t handle, bool allow);

#endif
