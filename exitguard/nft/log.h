/* log.h: the socket that the kernel's log of new connections comes out of. */
#ifndef EXITGUARD_NFT_LOG_H
#define EXITGUARD_NFT_LOG_H

#include <stdint.h>

#include "common/rc.h"

/* Bind the group: packets of up to 128 bytes, sequence numbers on, at most 100 ms late. *out is
 * the socket's descriptor, non-blocking. RC_EXISTS: another program has the group. */
enum rc nft_log_open(uint16_t group, int *out);

#endif
