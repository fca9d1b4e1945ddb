/* nflog.h: a netfilter log message, bytes to what it says about a TCP connection. */
#ifndef EXITGUARD_FEED_NFLOG_H
#define EXITGUARD_FEED_NFLOG_H

#include <stdbool.h>

#include "common/addr.h"
#include "common/rc.h"

enum nflog_kind {
	NFLOG_SYN,         /* going out, let through */
	NFLOG_SYN_REFUSED, /* going out, refused by our table */
	NFLOG_SYN_ACK,     /* coming in */
	NFLOG_RST,         /* coming in */
	NFLOG_UNREACHABLE, /* an ICMP error about one of ours, coming in */
};

struct nflog_event {
	enum nflog_kind kind;
	bool has_seq;
	uint32_t seq;
	struct addr_port ours, theirs;
};

/* One netlink message of NFNL_SUBSYS_ULOG, with its header. RC_UNSUPPORTED: a message or packet
 * of another kind; RC_SHORT, RC_SYNTAX: it does not hold what it says. *seq is set as soon as it
 * is known, for whoever counts losses. */
enum rc nflog_parse(struct span message, struct nflog_event *out);
/* The packet alone (from the IP header on; it may be cut short behind the TCP flags). */
enum rc nflog_parse_packet(struct span packet, bool outgoing, struct nflog_event *out);

#define NFLOG_REFUSED_PREFIX "refused" /* the log statement's prefix in chain refuse */

#endif
