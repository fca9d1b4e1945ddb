/* skeleton.h: the table's chains, sets, counters and rules, into a batch. */
#ifndef EXITGUARD_NFT_SKELETON_H
#define EXITGUARD_NFT_SKELETON_H

#include "exitguard/nft/link.h"
#include "exitguard/plan/plan.h"

/* Raise it with every change of the skeleton: a table of another layout is replaced. */
#define NFT_LAYOUT 1

struct nft_params {
	uint32_t network_rate, network_burst;
	uint32_t dns_rate, dns_burst;
	uint16_t nflog_group;
};

/* The table's comment: layout and parameters, by which our own table is known again. */
void skeleton_comment(const struct nft_params *params, char out[128]);
size_t skeleton_rule_count(void);
/* Everything but elements. The batch is open. */
enum rc skeleton_put(struct nft_link *link, const struct nft_params *params);
enum rc skeleton_put_delete(struct nft_link *link);

#endif
