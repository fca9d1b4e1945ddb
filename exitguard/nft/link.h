/* link.h: netlink: batches out, acknowledgements in, dumps. */
#ifndef EXITGUARD_NFT_LINK_H
#define EXITGUARD_NFT_LINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rc.h"

/* One batch while it is made, and the socket it goes over. Messages carry sequence numbers
 * first..next-1; each asks for an acknowledgement. */
struct nft_link {
	struct mnl_socket *socket;
	uint32_t portid;
	uint32_t next_seq;
	uint32_t first_seq; /* of the open batch */
	char *buf;
	size_t len, cap;
	int error;          /* errno of the batch that failed last */
	uint32_t error_seq; /* its message, counted from 0 */
};

enum rc nft_link_open(struct nft_link *link);
void nft_link_close(struct nft_link *link);

enum rc nft_link_begin(struct nft_link *link);
/* The header of the batch's next message; the caller adds at most NFT_MESSAGE_MAX bytes and
 * calls nft_link_put. NULL: no memory. */
#define NFT_MESSAGE_MAX 65000
struct nlmsghdr *nft_link_message(struct nft_link *link, uint16_t type, uint16_t flags);
void nft_link_put(struct nft_link *link, const struct nlmsghdr *nlh);
/* Send it and read every acknowledgement. RC_OK: all of it holds. RC_SYSTEM: nothing of it does,
 * link->error says why. */
enum rc nft_link_commit(struct nft_link *link);

/* Ask, and call cb for each message of the answer. RC_NOT_FOUND: the kernel says ENOENT. */
enum rc nft_link_ask(struct nft_link *link, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg);
uint32_t nft_link_seq(struct nft_link *link); /* a new one, for nft_link_ask */

#endif
