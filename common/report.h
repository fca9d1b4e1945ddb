/* report.h: the report protocol between relayd and exitguard (docs/ARCHITECTURE.md).
 *
 * AF_UNIX SOCK_SEQPACKET. Each side's first packet is one struct report_hello, relayd first;
 * every later packet is 1..REPORT_MAX_RECORDS records of sizeof(struct report_record), in host
 * order. A hello or record of the wrong size, type, order or with a field out of its range
 * closes the connection. stream and circuit are random numbers that mean nothing outside one
 * connection; a stream's number is not used twice on it.
 *
 * relayd sends, for each exit stream:
 *	OPEN	before DNS. By name: family 0. By literal: family and address.
 *		Answered by one VERDICT.
 *	DEST	only after OPEN by name was allowed, once the address is known. Answered by
 *		one VERDICT.
 *	OUTCOME	once a connect that was let out is known to have ended.
 *	CLOSED	once, when relayd forgets the stream; in any state. Nothing follows it.
 * and POLICY for each policy line in force after connecting and after a reload.
 * exitguard sends VERDICT as answers, and STATE and LIMITS on its own. A relayd that got no
 * answer by its deadline goes on; the late VERDICT is ignored by it. */
#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/rc.h"

#define REPORT_MAGIC          0x45584754u /* "EXGT" */
#define REPORT_VERSION        1
#define REPORT_MAX_RECORDS    128
#define REPORT_DEFAULT_SOCKET "/run/exitguard/report.sock"

struct report_hello {
	uint32_t magic;
	uint16_t version;
	uint16_t record_size;
	uint32_t features; /* none defined yet: 0 */
	uint32_t enforce;  /* exitguard: 1 enforce, 0 observe; relayd: 0 */
};

enum report_type {
	REPORT_OPEN = 1,
	REPORT_DEST = 2,
	REPORT_OUTCOME = 3,
	REPORT_CLOSED = 4,
	REPORT_POLICY = 5,
	REPORT_VERDICT = 65,
	REPORT_STATE = 66,
	REPORT_LIMITS = 67,
};

/* OUTCOME.code */
enum report_outcome {
	REPORT_CONNECTED = 1,
	REPORT_REFUSED = 2,       /* RST or an ICMP error: somebody answered */
	REPORT_TIMEOUT = 3,       /* nobody answered, or unreachable after a while */
	REPORT_LOCAL_FAILURE = 4, /* our side: no port, no route, cancelled by the client */
};

/* VERDICT.code */
enum report_verdict { REPORT_ALLOW = 1, REPORT_REFUSE = 2 };

/* VERDICT.reason, STATE.reason; the names are shown to people (report_reason_str). In observe
 * mode the code stays REPORT_ALLOW and the reason says what would have refused. */
enum report_reason {
	REPORT_REASON_NONE = 0,
	REPORT_REASON_SWEEP,        /* silent addresses of one network on one port */
	REPORT_REASON_CIRCUIT_SCAN, /* one circuit, many silent addresses */
	REPORT_REASON_PORT_SCAN,    /* one host, many silent ports */
	REPORT_REASON_FLOOD,        /* one destination far above its usual share */
	REPORT_REASON_LOGIN,        /* guessing: many short connects to a login port */
	REPORT_REASON_CIRCUIT_RATE, /* one circuit opening too fast */
	REPORT_REASON_BAN,          /* the operator's own */
	REPORT_REASON_COUNT
};

/* One record; fields not named for a type are 0.
 *	OPEN	family, flags, port, stream, circuit, addr (zero if family 0)
 *	DEST	family 4 or 6, port, stream, circuit, addr
 *	OUTCOME	code, stream, ms (since the connect began)
 *	CLOSED	stream
 *	POLICY	code (1 accept, 2 reject), family (0: any), prefix_bits, port, port_to, addr
 *	VERDICT	code, reason, stream, ms (how long the reason holds; 0: this stream only)
 *	STATE	code (1 lifted, 2 refused), reason, ms, and either circuit (family 0) or
 *		family, addr, prefix_bits, port (0: any) for a destination
 *	LIMITS	ms (window), value, reason (whose limit) */
struct report_record {
	uint8_t type;
	uint8_t family; /* enum addr_family */
	uint8_t code;
	uint8_t reason;
	uint8_t flags; /* REPORT_BY_NAME */
	uint8_t prefix_bits;
	uint16_t port;
	uint16_t port_to;
	uint16_t zero;
	uint32_t ms;
	uint64_t stream;
	uint64_t circuit;
	uint8_t addr[16];
	uint64_t value;
};

#define REPORT_BY_NAME 1

_Static_assert(sizeof(struct report_hello) == 16, "hello has no padding");
_Static_assert(sizeof(struct report_record) == 56, "record has no padding");

enum report_side { REPORT_FROM_RELAYD, REPORT_FROM_EXITGUARD };

struct report_hello report_hello_make(uint32_t enforce);
/* RC_SHORT or RC_TRAILING for a wrong size, RC_PROTOCOL for a wrong magic or record size,
 * RC_UNSUPPORTED for another version. */
enum rc report_hello_parse(struct span packet, struct report_hello *out);

/* Count the records of a packet and check each by itself (type allowed from that side, fields
 * in range). Records are then read with report_packet_get. */
enum rc report_packet_check(struct span packet, enum report_side from, size_t *count);
void report_packet_get(struct span packet, size_t index, struct report_record *out);

/* The record's address; family 0 gives ADDR_NONE. */
struct addr report_addr(const struct report_record *record);
void report_set_addr(struct report_record *record, const struct addr *addr);

/* "sweep", "circuit-scan", …; never NULL. */
const char *report_reason_str(unsigned reason);

#endif
