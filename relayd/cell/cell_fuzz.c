/* cell_fuzz.c: every parser of cells and relay messages on any bytes. */
#include <string.h>

#include "relayd/cell/cell.h"
#include "relayd/cell/relay_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct rd rd = rd_from(in);
	uint8_t body[CELL_BODY_LEN] = { 0 };
	struct cell cell;
	struct certs certs;
	struct netinfo netinfo;
	struct create2 create;
	struct begin begin;
	struct extend2 extend;
	struct relay_msg msg;
	struct span span;
	uint16_t version;
	uint8_t byte;
	bool flag;
	char host[256];

	while (cell_next(&rd, false, &cell) == RC_OK)
		;
	(void)versions_pick(in, &version);
	(void)certs_parse(in, &certs);
	(void)auth_challenge_parse(in, &flag);
	(void)netinfo_parse(in, &netinfo);
	(void)create2_parse(in, &create);
	(void)created2_parse(in, &span);
	(void)begin_parse(in, &begin);
	(void)resolve_parse(in, host);
	(void)extend2_parse(in, &extend);
	(void)sendme_parse(in, &byte, &span);
	memcpy(body, data, size < sizeof(body) ? size : sizeof(body));
	(void)relay_msg_parse(body, &msg);
	return 0;
}
