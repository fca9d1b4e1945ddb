/* ntor3_ext.c: the extensions that travel in ntor v3 messages: parse, decide, answer (proposals
 * 332, 324 and 346). Pure. */
#include "relayd/crypt/handshake.h"

#include <string.h>

enum extension_type {
	EXTENSION_CC_REQUEST = 1,
	EXTENSION_CC_RESPONSE = 2,
	EXTENSION_SUBPROTO = 3,
};

#define PROTOCOL_RELAY     2
#define PROTOCOL_RELAY_CGO 6

/* What the client asks for. */
struct wishes {
	bool cc, subproto, cgo;
};

/* Pairs of protocol and version, strictly ascending. The client asks for no more than we
 * advertise, so anything that we cannot grant is an error. */
static enum rc
subproto_parse(struct rd body, struct wishes *out)
{
	int last = -1;

	if (out->subproto)
		return RC_UNSUPPORTED;
	out->subproto = true;
	while (rd_left(&body) != 0) {
		uint8_t protocol = rd_u8(&body), version = rd_u8(&body);
		int pair = protocol << 8 | version;

		if (body.rc != RC_OK)
			return RC_UNSUPPORTED;
		if (pair <= last || protocol != PROTOCOL_RELAY || version != PROTOCOL_RELAY_CGO)
			return RC_UNSUPPORTED;
		out->cgo = true;
		last = pair;
	}
	return RC_OK;
}

static enum rc
wishes_parse(struct span message, struct wishes *out)
{
	struct rd rd = rd_from(message);
	uint8_t count = rd_u8(&rd);

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < count && rd.rc == RC_OK; i++) {
		uint8_t type = rd_u8(&rd), len = rd_u8(&rd);
		struct rd body = rd_sub(&rd, len);
		enum rc rc = RC_OK;

		if (rd.rc == RC_OK && type == EXTENSION_CC_REQUEST)
			out->cc = true;
		else if (rd.rc == RC_OK && type == EXTENSION_SUBPROTO)
			rc = subproto_parse(body, out);
		if (rc != RC_OK)
			return rc;
	}
	return rd.rc; /* what follows the list is ignored, as stock relays do */
}

enum rc
ntor3_negotiate(struct span message, const struct ntor3_policy *policy, struct wr *reply,
    struct ntor3_outcome *out)
{
	struct wishes wishes;
	enum rc rc = wishes_parse(message, &wishes);

	memset(out, 0, sizeof(*out));
	if (rc != RC_OK)
		return rc;
	out->cc = wishes.cc && policy->cc_allowed;
	if (wishes.cgo && (!policy->cgo_allowed || !out->cc)) {
		out->cc = false;
		return RC_UNSUPPORTED;
	}
	out->cgo = wishes.cgo;
	wr_u8(reply, out->cc ? 1 : 0);
	if (out->cc) {
		wr_u8(reply, EXTENSION_CC_RESPONSE);
		wr_u8(reply, 1);
		wr_u8(reply, policy->sendme_inc);
	}
	return reply->rc;
}
