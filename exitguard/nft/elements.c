/* elements.c: set elements into batches, and out of the kernel's sets. */
#include <netinet/in.h> /* before linux/, which repeats it */
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "exitguard/nft/table.h"

/* The key as the kernel has it; its length. */
static uint32_t
key_bytes(const struct guard_elem *elem, uint8_t key[20])
{
	const struct guard_set_info *info = &guard_sets[elem->set];
	uint32_t addr_len = info->family == ADDR_IPV4 ? 4 : 16;

	memset(key, 0, 20);
	switch (info->key) {
	case GUARD_KEY_NFPROTO:
		key[0] = elem->key[0]; /* little or big: a family fits a byte */
		if (key[0] == 0)
			key[0] = elem->key[3];
		return 1;
	case GUARD_KEY_UID:
	case GUARD_KEY_MARK:
		memcpy(key, elem->key, 4);
		return 4;
	case GUARD_KEY_ADDR:
		memcpy(key, elem->key, addr_len);
		return addr_len;
	case GUARD_KEY_ADDR_PORT:
		memcpy(key, elem->key, addr_len);
		put_u16(key + addr_len, elem->port); /* padded to a register of 4 bytes */
		return addr_len + 4;
	}
	return 0;
}

static enum rc
put_elem(struct nftnl_set *set, bool add, const struct guard_elem *elem)
{
	struct nftnl_set_elem *out = nftnl_set_elem_alloc();
	uint8_t key[20];

	if (out == NULL)
		return RC_NO_MEMORY;
	uint32_t len = key_bytes(elem, key);
	nftnl_set_elem_set(out, NFTNL_SET_ELEM_KEY, key, len);
	if (add && elem->timeout_s != 0)
		nftnl_set_elem_set_u64(
		    out, NFTNL_SET_ELEM_TIMEOUT, (uint64_t)elem->timeout_s * 1000);
	nftnl_set_elem_add(set, out);
	return RC_OK;
}

static struct nftnl_set *
named_set(enum guard_set set)
{
	struct nftnl_set *out = nftnl_set_alloc();

	if (out != NULL) {
		nftnl_set_set_str(out, NFTNL_SET_TABLE, GUARD_TABLE);
		nftnl_set_set_str(out, NFTNL_SET_NAME, guard_sets[set].name);
	}
	return out;
}

enum rc
nft_put_elems(struct nft_link *link, bool add, enum guard_set set, const struct guard_elem *elems,
    size_t count)
{
	struct nftnl_set *out = named_set(set);
	enum rc rc = out != NULL ? RC_OK : RC_NO_MEMORY;

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = put_elem(out, add, &elems[i]);
	struct nlmsghdr *nlh =
	    rc == RC_OK ? nft_link_message(link, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
			      add ? NLM_F_CREATE : 0)
			: NULL;
	if (nlh != NULL) {
		nftnl_set_elems_nlmsg_build_payload(nlh, out);
		nft_link_put(link, nlh);
	}
	if (out != NULL)
		nftnl_set_free(out);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}

/* A delete without elements empties the set. */
enum rc
nft_put_clear(struct nft_link *link, enum guard_set set)
{
	struct nftnl_set *out = named_set(set);
	struct nlmsghdr *nlh = NULL;

	if (out != NULL)
		nlh = nft_link_message(link, NFT_MSG_DELSETELEM, 0);
	if (nlh != NULL) {
		nftnl_set_nlmsg_build_payload(nlh, out);
		nft_link_put(link, nlh);
	}
	if (out != NULL)
		nftnl_set_free(out);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}

struct reading {
	struct elems *out;
	enum guard_set set;
	uint32_t now_s;
	enum rc rc;
};

static int
take_elem(struct nftnl_set_elem *in, void *data)
{
	struct reading *reading = data;
	const struct guard_set_info *info = &guard_sets[reading->set];
	struct guard_elem elem = { .set = (uint8_t)reading->set };
	uint32_t addr_len = info->family == ADDR_IPV4 ? 4 : 16, len = 0, expires = 0;
	const uint8_t *key = nftnl_set_elem_get(in, NFTNL_SET_ELEM_KEY, &len);
	bool has_port = info->key == GUARD_KEY_ADDR_PORT;

	if (key == NULL || len < addr_len + (has_port ? 4 : 0))
		return 0;
	memcpy(elem.key, key, addr_len);
	if (has_port)
		elem.port = get_u16(key + addr_len);
	if (nftnl_set_elem_is_set(in, NFTNL_SET_ELEM_EXPIRATION)) {
		uint64_t left_ms = nftnl_set_elem_get_u64(in, NFTNL_SET_ELEM_EXPIRATION);

		expires = reading->now_s + (uint32_t)(left_ms / 1000) + 1;
	}
	if (guard_elem_is_valid(&elem))
		reading->rc = elems_put(reading->out, &elem, expires);
	return reading->rc == RC_OK ? 0 : -1;
}

static int
take_elems(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (set == NULL)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(nlh, set) >= 0)
		(void)nftnl_set_elem_foreach(set, take_elem, data);
	nftnl_set_free(set);
	return MNL_CB_OK;
}

/* Only the sets with timeouts: the others are set anew by front in any case. */
enum rc
nft_read_elements(struct nft_link *link, struct elems *out, uint32_t now_s)
{
	char buf[4096] = { 0 };

	for (int i = 0; i < GUARD_SET_COUNT; i++) {
		struct reading reading = { out, (enum guard_set)i, now_s, RC_OK };

		if (guard_sets[i].family == ADDR_NONE || guard_sets[i].use == GUARD_USE_LIMIT)
			continue;
		struct nftnl_set *set = named_set((enum guard_set)i);
		if (set == NULL)
			return RC_NO_MEMORY;
		struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(
		    buf, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, nft_link_seq(link));
		nftnl_set_elems_nlmsg_build_payload(nlh, set);
		nftnl_set_free(set);
		enum rc rc = nft_link_ask(link, nlh, take_elems, &reading);
		if (rc == RC_OK)
			rc = reading.rc;
		if (rc != RC_OK && rc != RC_NOT_FOUND)
			return rc;
	}
	return RC_OK;
}
