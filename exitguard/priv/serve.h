/* serve.h: front's requests answered, the table kept, and what it holds remembered. */
#ifndef EXITGUARD_PRIV_SERVE_H
#define EXITGUARD_PRIV_SERVE_H

#include "exitguard/nft/table.h"
#include "exitguard/plan/request.h"
#include "exitguard/plan/settings.h"

struct serve {
	bool on; /* settings.nftables */
	struct nft_link link;
	struct nft_news news;
	struct nft_params params;
	struct elems held;          /* what the kernel holds; expiry on the monotonic clock */
	struct priv_request *batch; /* of front, until it commits */
	size_t batch_len, batch_cap;
	bool table; /* in place */
	uint32_t laid;
};

void serve_init(struct serve *serve);
/* Lay the table, or take over the one that is there. Says itself what is wrong. */
enum rc serve_start(struct serve *serve, const struct settings *settings);
/* remove: a clean stop leaves nothing behind. */
void serve_stop(struct serve *serve, bool remove);

/* Read and do requests until there are none. RC_CLOSED: front is gone. Other codes: it broke the
 * rules. */
enum rc serve_read(struct serve *serve, int fd);
/* One packet of len bytes. RC_PROTOCOL: not in the table of requests. */
enum rc serve_packet(struct serve *serve, int fd, const struct priv_request *packet, size_t len);
void serve_forget_batch(struct serve *serve);

int serve_news_fd(const struct serve *serve); /* -1: none */
void serve_take_news(struct serve *serve);
/* Look at the table and lay it again if it is not ours any more. */
void serve_look(struct serve *serve);

#endif
