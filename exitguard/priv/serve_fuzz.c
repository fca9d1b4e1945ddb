/* serve_fuzz.c: any bytes as packets from front: refused or kept in bounds, never acted on past
 * the table of requests. No kernel behind it. */
#include "exitguard/priv/serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct priv_request packet[PRIV_PACKET_MAX + 1];
	static struct serve serve;
	static int pair[2] = { -1, -1 };
	struct priv_reply reply;

	if (pair[0] < 0) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
			return 0;
		serve_init(&serve);
	}
	if (size > sizeof(packet))
		size = sizeof(packet);
	memset(packet, 0, sizeof(packet));
	if (size != 0)
		memcpy(packet, data, size);
	(void)serve_packet(&serve, pair[0], packet, size);
	if (serve.batch_len > GUARD_BATCH_MAX)
		abort();
	for (size_t i = 0; i < serve.batch_len; i++)
		if (serve.batch[i].elem.set >= GUARD_SET_COUNT)
			abort();
	while (recv(pair[1], &reply, sizeof(reply), MSG_DONTWAIT) > 0)
		;
	return 0;
}
