/* cell.h: link cells: framing and the bodies of the cells that are not relay cells (tor-spec
 * 3, 4, 5.1; link protocols 4 and 5, so circuit ids are four bytes but in VERSIONS). Pure. */
#ifndef RELAYD_CELL_CELL_H
#define RELAYD_CELL_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/bytes.h"

#define CELL_LEN          514 /* a fixed cell on the wire */
#define CELL_HEAD_LEN     5   /* circuit id, command */
#define CELL_BODY_LEN     509
#define CELL_VAR_HEAD_LEN 7
#define CELL_VAR_MAX      (CELL_VAR_HEAD_LEN + 65535)

enum cell_command {
	CELL_PADDING = 0,
	CELL_CREATE = 1,
	CELL_CREATED = 2,
	CELL_RELAY = 3,
	CELL_DESTROY = 4,
	CELL_CREATE_FAST = 5,
	CELL_CREATED_FAST = 6,
	CELL_VERSIONS = 7,
	CELL_NETINFO = 8,
	CELL_RELAY_EARLY = 9,
	CELL_CREATE2 = 10,
	CELL_CREATED2 = 11,
	CELL_PADDING_NEGOTIATE = 12,
	CELL_VPADDING = 128,
	CELL_CERTS = 129,
	CELL_AUTH_CHALLENGE = 130,
	CELL_AUTHENTICATE = 131,
	CELL_AUTHORIZE = 132,
};

/* DESTROY and TRUNCATED reasons (tor-spec 5.4). */
enum destroy_reason {
	DESTROY_NONE = 0,
	DESTROY_PROTOCOL = 1,
	DESTROY_INTERNAL = 2,
	DESTROY_REQUESTED = 3,
	DESTROY_HIBERNATING = 4,
	DESTROY_RESOURCELIMIT = 5,
	DESTROY_CONNECTFAILED = 6,
	DESTROY_OR_IDENTITY = 7,
	DESTROY_CHANNEL_CLOSED = 8,
	DESTROY_FINISHED = 9,
	DESTROY_TIMEOUT = 10,
	DESTROY_DESTROYED = 11,
};

/* One cell in a buffer; the spans are borrowed from it. */
struct cell {
	uint32_t circid;
	uint8_t command;
	struct span body; /* CELL_BODY_LEN bytes, or what a variable cell says */
	struct span wire; /* head and body, for the handshake's digests */
};

bool cell_is_variable(uint8_t command);
/* Take the next whole cell off rd. RC_AGAIN: not all of it is there yet, nothing taken. first:
 * this is the VERSIONS cell with its two-byte circuit id (RC_PROTOCOL if it is another). */
enum rc cell_next(struct rd *rd, bool first, struct cell *out);

/* Write a whole cell; a fixed one is zero-padded (RC_LIMIT in wr if the body is too long). */
void cell_write(struct wr *wr, uint32_t circid, uint8_t command, struct span body);
void cell_write_var(struct wr *wr, uint32_t circid, uint8_t command, struct span body);

/* VERSIONS. pick: the highest of 4 and 5 that is in the body; 0 if neither. */
enum rc versions_pick(struct span body, uint16_t *version);
void versions_write(struct wr *wr); /* the whole cell, two-byte circuit id; we offer 4 and 5 */

/* CERTS. */
#define CERTS_MAX_TYPE 7
struct certs {
	struct span cert[CERTS_MAX_TYPE + 1]; /* by type; data NULL: not there */
};
enum rc certs_parse(struct span body, struct certs *out); /* twice one type: RC_PROTOCOL */

/* AUTH_CHALLENGE: is our method, 3, among those offered? */
enum rc auth_challenge_parse(struct span body, bool *has_type3);

/* NETINFO. */
#define NETINFO_MAX_OWN 8
struct netinfo {
	uint32_t timestamp;               /* 0: not told */
	struct addr other;                /* how the sender sees us; ADDR_NONE if of unknown type */
	struct addr own[NETINFO_MAX_OWN]; /* those of known type; the rest is skipped */
	size_t own_count;
};
enum rc netinfo_parse(struct span body, struct netinfo *out);
void netinfo_write_body(struct wr *wr, const struct netinfo *in);

/* CREATE2 and CREATED2; the payload is borrowed. */
struct create2 {
	uint16_t handshake_type;
	struct span onion_skin;
};
enum rc create2_parse(struct span body, struct create2 *out);
void create2_write_body(struct wr *wr, const struct create2 *in);
enum rc created2_parse(struct span body, struct span *reply);
void created2_write_body(struct wr *wr, struct span reply);

#endif
