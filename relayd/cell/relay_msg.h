/* relay_msg.h: relay messages in cell format v0 (tor-spec 6.1) and the bodies of those an exit
 * and a middle speak (5.1.2, 6.2 to 6.4, 7.4). Pure. */
#ifndef RELAYD_CELL_RELAY_MSG_H
#define RELAYD_CELL_RELAY_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "relayd/cell/cell.h"

#define RELAY_HEAD_LEN 11
#define RELAY_DATA_MAX (CELL_BODY_LEN - RELAY_HEAD_LEN) /* 498 */

enum relay_command {
	RELAY_BEGIN = 1,
	RELAY_DATA = 2,
	RELAY_END = 3,
	RELAY_CONNECTED = 4,
	RELAY_SENDME = 5,
	RELAY_EXTEND = 6,
	RELAY_EXTENDED = 7,
	RELAY_TRUNCATE = 8,
	RELAY_TRUNCATED = 9,
	RELAY_DROP = 10,
	RELAY_RESOLVE = 11,
	RELAY_RESOLVED = 12,
	RELAY_BEGIN_DIR = 13,
	RELAY_EXTEND2 = 14,
	RELAY_EXTENDED2 = 15,
	RELAY_PADDING_NEGOTIATE = 41,
	RELAY_PADDING_NEGOTIATED = 42,
};

enum end_reason {
	END_MISC = 1,
	END_RESOLVEFAILED = 2,
	END_CONNECTREFUSED = 3,
	END_EXITPOLICY = 4,
	END_DESTROY = 5,
	END_DONE = 6,
	END_TIMEOUT = 7,
	END_NOROUTE = 8,
	END_HIBERNATING = 9,
	END_INTERNAL = 10,
	END_RESOURCELIMIT = 11,
	END_CONNRESET = 12,
	END_TORPROTOCOL = 13,
	END_NOTDIRECTORY = 14,
};

struct relay_msg {
	uint8_t command;
	uint16_t stream_id;
	struct span data; /* borrowed from the body */
};

/* A recognised body. RC_PROTOCOL if the length runs past the cell. */
enum rc relay_msg_parse(const uint8_t body[CELL_BODY_LEN], struct relay_msg *out);
/* Head only: recognised and digest are left zero for the crypto; the data lies behind it. */
void relay_msg_write_head(
    uint8_t body[CELL_BODY_LEN], uint8_t command, uint16_t stream_id, uint16_t data_len);

/* BEGIN: "host:port" NUL [flags]. host is NUL-terminated, lower case, without brackets; is_literal
 * if it is an address. RC_PROTOCOL for no NUL, no port, port 0, an empty or overlong host. */
#define BEGIN_IPV6_OK        1u
#define BEGIN_IPV4_NOT_OK    2u
#define BEGIN_IPV6_PREFERRED 4u
struct begin {
	char host[256];
	uint16_t port;
	uint32_t flags;
	bool is_literal;
	struct addr addr;
};
enum rc begin_parse(struct span data, struct begin *out);

/* Writers of bodies, each at most RELAY_DATA_MAX bytes. */
void connected_write(struct wr *wr, const struct addr *addr, uint32_t ttl);
/* addr and ttl go in with END_EXITPOLICY only, and only if addr is one. */
void end_write(struct wr *wr, enum end_reason reason, const struct addr *addr, uint32_t ttl);

/* RESOLVE: a name, maybe with a NUL behind it. Lower case. RC_PROTOCOL if empty or overlong. */
enum rc resolve_parse(struct span data, char host[256]);
#define RESOLVED_TTL 60
void resolved_write_addr(struct wr *wr, const struct addr *addr);
void resolved_write_name(struct wr *wr, const char *name);
void resolved_write_error(struct wr *wr, bool transient);

/* EXTEND2. */
struct extend2 {
	struct addr_port v4, v6; /* family ADDR_NONE if not there; the first of each counts */
	uint8_t rsa_id[20], ed_id[32];
	bool has_ed_id;
	struct create2 create; /* type and onion skin, opaque, borrowed */
};
/* RC_PROTOCOL: no or two RSA ids, two Ed25519 ids, no address, a wrong specifier length, an
 * all-zero RSA id or a port of 0. */
enum rc extend2_parse(struct span data, struct extend2 *out);

/* SENDME for a circuit, version 1 with its tag; version 0 gives an empty tag. */
enum rc sendme_parse(struct span data, uint8_t *version, struct span *tag);
void sendme_write(struct wr *wr, struct span tag);

#endif
