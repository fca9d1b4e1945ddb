/* table.c: the table as a whole: what state it is in, laying it, and the kernel's news of it. */
#include "exitguard/nft/table.h"

#include <errno.h>
#include <netinet/in.h> /* before linux/, which repeats it */
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_MAX 4096
#define NEWS_BUFFER (4 * 1024 * 1024)
#define NEWS_A_TURN 4096

struct look {
	const char *comment;
	bool found, same;
};

static int
take_udata(const struct nftnl_udata *attr, void *data)
{
	struct look *look = data;
	const char *text = nftnl_udata_get(attr);
	size_t len = nftnl_udata_len(attr);

	if (nftnl_udata_type(attr) == NFTNL_UDATA_TABLE_COMMENT && len == strlen(look->comment) + 1)
		look->same = memcmp(text, look->comment, len) == 0;
	return MNL_CB_OK;
}

static int
take_table(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct look *look = data;
	uint32_t len = 0;

	if (table == NULL)
		return MNL_CB_ERROR;
	if (nftnl_table_nlmsg_parse(nlh, table) >= 0) {
		const void *udata = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &len);

		look->found = true;
		if (udata != NULL)
			nftnl_udata_parse((void *)udata, len, take_udata, look);
	}
	nftnl_table_free(table);
	return MNL_CB_OK;
}

static int
count_rule(const struct nlmsghdr *nlh, void *data)
{
	size_t *count = data;

	(void)nlh;
	(*count)++;
	return MNL_CB_OK;
}

static enum rc
count_rules(struct nft_link *link, size_t *out)
{
	char buf[REQUEST_MAX] = { 0 };
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (rule == NULL)
		return RC_NO_MEMORY;
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(
	    buf, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP, nft_link_seq(link));
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, GUARD_TABLE);
	nftnl_rule_nlmsg_build_payload(nlh, rule);
	nftnl_rule_free(rule);
	*out = 0;
	return nft_link_ask(link, nlh, count_rule, out);
}

enum rc
nft_look(struct nft_link *link, const struct nft_params *params, enum nft_state *out)
{
	char buf[REQUEST_MAX] = { 0 }, comment[128];
	struct nftnl_table *table = nftnl_table_alloc();
	struct look look = { .comment = comment };
	size_t rules = 0;

	if (table == NULL)
		return RC_NO_MEMORY;
	skeleton_comment(params, comment);
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(
	    buf, NFT_MSG_GETTABLE, NFPROTO_INET, NLM_F_ACK, nft_link_seq(link));
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, GUARD_TABLE);
	nftnl_table_nlmsg_build_payload(nlh, table);
	nftnl_table_free(table);
	enum rc rc = nft_link_ask(link, nlh, take_table, &look);
	*out = NFT_MISSING;
	if (rc == RC_NOT_FOUND || (rc == RC_OK && !look.found))
		return RC_OK;
	if (rc == RC_OK)
		rc = count_rules(link, &rules);
	*out = look.same && rules == skeleton_rule_count() ? NFT_OURS : NFT_OTHER;
	return rc;
}

/* All elements of one set, a message at a time. */
static enum rc
put_all(struct nft_link *link, enum guard_set set, const struct elems *elements, uint32_t now_s)
{
	struct guard_elem part[NFT_ELEMS_A_MESSAGE], elem;
	size_t cursor = 0, count = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && elems_next(elements, &cursor, &elem)) {
		if (elem.set != set || (elem.timeout_s != 0 && elem.timeout_s <= now_s))
			continue;
		if (elem.timeout_s != 0)
			elem.timeout_s -= now_s;
		part[count++] = elem;
		if (count == NFT_ELEMS_A_MESSAGE) {
			rc = nft_put_elems(link, true, set, part, count);
			count = 0;
		}
	}
	if (rc == RC_OK && count != 0)
		rc = nft_put_elems(link, true, set, part, count);
	return rc;
}

enum rc
nft_lay(struct nft_link *link, const struct nft_params *params, bool replace,
    const struct elems *elements, uint32_t now_s)
{
	enum rc rc = nft_link_begin(link);

	if (rc == RC_OK && replace)
		rc = skeleton_put_delete(link);
	if (rc == RC_OK)
		rc = skeleton_put(link, params);
	for (int set = 0; set < GUARD_SET_COUNT && rc == RC_OK; set++)
		if (guard_sets[set].use != GUARD_USE_LIMIT)
			rc = put_all(link, (enum guard_set)set, elements, now_s);
	if (rc == RC_OK)
		rc = nft_link_commit(link);
	return rc;
}

enum rc
nft_remove(struct nft_link *link)
{
	enum rc rc = nft_link_begin(link);

	if (rc == RC_OK)
		rc = skeleton_put_delete(link);
	if (rc == RC_OK)
		rc = nft_link_commit(link);
	return rc == RC_SYSTEM && link->error == ENOENT ? RC_OK : rc;
}

static int
take_counter(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_obj *obj = nftnl_obj_alloc();
	uint64_t *out = data;

	if (obj == NULL)
		return MNL_CB_ERROR;
	if (nftnl_obj_nlmsg_parse(nlh, obj) >= 0) {
		const char *name = nftnl_obj_get_str(obj, NFTNL_OBJ_NAME);

		for (int i = 0; name != NULL && i < GUARD_COUNTER_COUNT; i++)
			if (strcmp(name, guard_counters[i].name) == 0)
				out[i] = nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_PKTS);
	}
	nftnl_obj_free(obj);
	return MNL_CB_OK;
}

enum rc
nft_read_counters(struct nft_link *link, uint64_t out[GUARD_COUNTER_COUNT])
{
	char buf[REQUEST_MAX] = { 0 };
	struct nftnl_obj *obj = nftnl_obj_alloc();

	memset(out, 0, GUARD_COUNTER_COUNT * sizeof(*out));
	if (obj == NULL)
		return RC_NO_MEMORY;
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(
	    buf, NFT_MSG_GETOBJ, NFPROTO_INET, NLM_F_DUMP, nft_link_seq(link));
	nftnl_obj_set_str(obj, NFTNL_OBJ_TABLE, GUARD_TABLE);
	nftnl_obj_set_u32(obj, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_nlmsg_build_payload(nlh, obj);
	nftnl_obj_free(obj);
	return nft_link_ask(link, nlh, take_counter, out);
}

enum rc
nft_news_open(struct nft_news *news)
{
	int size = NEWS_BUFFER, group = NFNLGRP_NFTABLES;

	news->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (news->socket == NULL)
		return RC_SYSTEM;
	(void)setsockopt(
	    mnl_socket_get_fd(news->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (mnl_socket_bind(news->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(news->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		0) {
		nft_news_close(news);
		return RC_SYSTEM;
	}
	return RC_OK;
}

void
nft_news_close(struct nft_news *news)
{
	if (news->socket != NULL)
		mnl_socket_close(news->socket);
	news->socket = NULL;
}

/* Every skeleton message names its table in attribute 1. */
static bool
is_about_us(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(struct nfgenmsg)))
		return false;
	mnl_attr_for_each(
	    attr, nlh, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attr) == 1 &&
						    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) ==
							0) return strcmp(mnl_attr_get_str(attr),
	    GUARD_TABLE) == 0;
	return false;
}

static bool
is_skeleton(uint16_t type)
{
	switch (type & 0xff) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
	case NFT_MSG_NEWSET:
	case NFT_MSG_DELSET:
		return type >> 8 == NFNL_SUBSYS_NFTABLES;
	}
	return false;
}

bool
nft_news_read(struct nft_news *news, uint32_t portid)
{
	static char buf[64 * 1024] __attribute__((aligned(16)));
	bool changed = false;

	for (int i = 0; i < NEWS_A_TURN; i++) {
		ssize_t n = recv(mnl_socket_get_fd(news->socket), buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			changed = true;
			continue;
		}
		if (n <= 0)
			break;
		int left = (int)n;
		for (const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		     mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_pid != portid && is_skeleton(nlh->nlmsg_type) &&
			    is_about_us(nlh))
				changed = true;
	}
	return changed;
}
