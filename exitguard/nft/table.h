/* table.h: table inet exitguard in the kernel: look, lay, take away; change and read elements. */
#ifndef EXITGUARD_NFT_TABLE_H
#define EXITGUARD_NFT_TABLE_H

#include "exitguard/nft/link.h"
#include "exitguard/nft/skeleton.h"
#include "exitguard/plan/elems.h"

enum nft_state {
	NFT_MISSING,
	NFT_OTHER, /* a table of our name, but not this layout, or changed by hand */
	NFT_OURS,
};

enum rc nft_look(struct nft_link *link, const struct nft_params *params, enum nft_state *out);
/* Lay the table with these elements (expiries on the clock of now_s), in one batch; replace:
 * take the old one away in the same batch. */
enum rc nft_lay(struct nft_link *link, const struct nft_params *params, bool replace,
    const struct elems *elements, uint32_t now_s);
enum rc nft_remove(struct nft_link *link); /* RC_OK if it was not there */
/* Add what the kernel's sets hold; expiries become now_s + what is left. */
enum rc nft_read_elements(struct nft_link *link, struct elems *out, uint32_t now_s);
enum rc nft_read_counters(struct nft_link *link, uint64_t out[GUARD_COUNTER_COUNT]);

/* Into the open batch. Elements are gathered: nft_put_elems takes those of one set. */
#define NFT_ELEMS_A_MESSAGE 512
enum rc nft_put_elems(struct nft_link *link, bool add, enum guard_set set,
    const struct guard_elem *elems, size_t count);
enum rc nft_put_clear(struct nft_link *link, enum guard_set set);

/* The kernel's news about tables, to hear of changes by others. */
struct nft_news {
	struct mnl_socket *socket;
};
enum rc nft_news_open(struct nft_news *news);
void nft_news_close(struct nft_news *news);
/* Read what is there. True: somebody else (not portid) changed our table's skeleton, or news was
 * lost, so that it must be looked at. */
bool nft_news_read(struct nft_news *news, uint32_t portid);

#endif
