/* request.h: what front may ask of priv. AF_UNIX SOCK_SEQPACKET; a packet holds 1 to
 * PRIV_PACKET_MAX requests of fixed size, numbers only, no text. A request that is not in this
 * list, or an element out of its form, ends priv. */
#ifndef EXITGUARD_PLAN_REQUEST_H
#define EXITGUARD_PLAN_REQUEST_H

#include <stdint.h>

#include "exitguard/plan/plan.h"

#define PRIV_PACKET_MAX 128

/* The descriptors front finds open when it starts. */
enum { FRONT_FD_PRIV = 3, FRONT_FD_REPORT = 4, FRONT_FD_CONTROL = 5, FRONT_FD_NFLOG = 6 };

enum priv_request_type {
	PRIV_ELEM_ADD = 1,  /* into the open batch: add the element, or renew its timeout */
	PRIV_ELEM_DEL = 2,  /* into the open batch: take it out; missing is fine */
	PRIV_SET_CLEAR = 3, /* into the open batch: empty elem.set (static and timed sets) */
	PRIV_COMMIT = 4,    /* do the open batch, all of it or nothing; answered */
	PRIV_STATUS = 5,    /* answered */
};

struct priv_request {
	uint32_t type;          /* enum priv_request_type */
	uint32_t id;            /* chosen by front, given back in the reply */
	struct guard_elem elem; /* zero where not used */
};

struct priv_reply {
	uint32_t type; /* PRIV_COMMIT or PRIV_STATUS */
	uint32_t id;
	int32_t error;     /* errno of the kernel's refusal, or 0 */
	uint32_t elements; /* that priv knows to be in force */
	uint32_t laid;     /* how often the table was laid since start, take-over not counted */
	uint32_t table;    /* 1: in place; 0: missing or no nftables wanted */
	uint64_t counters[GUARD_COUNTER_COUNT]; /* PRIV_STATUS only */
};

#endif
