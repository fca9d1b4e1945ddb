/* skeleton.c: the table as data: chains and rules below, sets and counters in plan/sets.def. It
 * mirrors nft-templates/exitguard.nft expression by expression. */
#include "exitguard/nft/skeleton.h"

#include <netinet/in.h> /* before linux/, which repeats it */
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define REG_A            NFT_REG_1
#define REG_PORT4        NFT_REG32_01 /* right behind 4 bytes in REG_A */
#define REG_PORT6        NFT_REG_2    /* right behind 16 bytes in REG_A */
#define SNAPLEN          64
#define SNAPLEN_ICMP6    96
#define QUEUE_THRESHOLD  64
#define LIMIT_TIMEOUT_MS 60000
#define GC_INTERVAL_MS   60000
#define OPS_MAX          12

enum op_kind {
	OP_END,
	OP_META,
	OP_CMP,
	OP_LOAD,
	OP_MASK,
	OP_LOOKUP,
	OP_LIMIT_SET,
	OP_LIMIT,
	OP_COUNT,
	OP_LOG,
	OP_REJECT,
	OP_ACCEPT,
	OP_GOTO
};
enum { LIMIT_NETWORK, LIMIT_DNS };

/* What a, b and c mean is told at each kind's builder. */
struct op {
	enum op_kind kind;
	uint32_t a, b, c;
	const char *name;
};

struct rule {
	const char *chain;
	struct op ops[OPS_MAX];
};

#define META(key)                                   \
	{                                           \
		OP_META, NFT_META_##key, 0, 0, NULL \
	}
#define CMP(len, value)                              \
	{                                            \
		OP_CMP, NFT_CMP_EQ, len, value, NULL \
	}
#define CMP_NOT(len, value)                           \
	{                                             \
		OP_CMP, NFT_CMP_NEQ, len, value, NULL \
	}
#define IS_IPV4 META(NFPROTO), CMP(1, NFPROTO_IPV4)
#define IS_IPV6 META(NFPROTO), CMP(1, NFPROTO_IPV6)
#define IS_TCP  META(L4PROTO), CMP(1, IPPROTO_TCP)
#define LOAD_NET(offset, len)                                          \
	{                                                              \
		OP_LOAD, NFT_PAYLOAD_NETWORK_HEADER, offset, len, NULL \
	}
#define LOAD_TCP(offset, len)                                            \
	{                                                                \
		OP_LOAD, NFT_PAYLOAD_TRANSPORT_HEADER, offset, len, NULL \
	}
#define MASK(len, bits)                     \
	{                                   \
		OP_MASK, len, bits, 0, NULL \
	}
#define MASK_BYTE(mask)                   \
	{                                 \
		OP_MASK, 1, 0, mask, NULL \
	}
#define PORT(reg)                                                              \
	{                                                                      \
		OP_LOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 | (reg) << 8, NULL \
	}
#define IN(set)                            \
	{                                  \
		OP_LOOKUP, set, 0, 0, NULL \
	}
#define NOT_IN(set)                        \
	{                                  \
		OP_LOOKUP, set, 1, 0, NULL \
	}
#define COUNT(counter)                        \
	{                                     \
		OP_COUNT, counter, 0, 0, NULL \
	}
#define FEED(prefix, snaplen)                 \
	{                                     \
		OP_LOG, snaplen, 0, 0, prefix \
	}
#define REJECT                           \
	{                                \
		OP_REJECT, 0, 0, 0, NULL \
	}
#define ACCEPT                           \
	{                                \
		OP_ACCEPT, 0, 0, 0, NULL \
	}
#define GOTO(chain)                     \
	{                               \
		OP_GOTO, 0, 0, 0, chain \
	}

/* tcp flags & mask against value */
#define TCP_FLAGS(mask) IS_TCP, LOAD_TCP(13, 1), MASK_BYTE(mask)
#define FIN             0x01
#define SYN             0x02
#define RST             0x04
#define ACK             0x10

/* One rule for both families: destination (masked or whole), with or without its port. */
#define RULE4(set, ...)                                                \
	{                                                              \
		"exits4",                                              \
		{                                                      \
			IS_IPV4, LOAD_NET(16, 4), IN(set), __VA_ARGS__ \
		}                                                      \
	}
#define RULE6(set, ...)                                                 \
	{                                                               \
		"exits6",                                               \
		{                                                       \
			IS_IPV6, LOAD_NET(24, 16), IN(set), __VA_ARGS__ \
		}                                                       \
	}
#define RULE4_NET(set, bits, ...)                                                     \
	{                                                                             \
		"exits4",                                                             \
		{                                                                     \
			IS_IPV4, LOAD_NET(16, 4), MASK(4, bits), IN(set), __VA_ARGS__ \
		}                                                                     \
	}
#define RULE6_NET(set, bits, ...)                                                       \
	{                                                                               \
		"exits6",                                                               \
		{                                                                       \
			IS_IPV6, LOAD_NET(24, 16), MASK(16, bits), IN(set), __VA_ARGS__ \
		}                                                                       \
	}
#define RULE4_PORT(set, ...)                                                                    \
	{                                                                                       \
		"exits4",                                                                       \
		{                                                                               \
			IS_IPV4, IS_TCP, LOAD_NET(16, 4), PORT(REG_PORT4), IN(set), __VA_ARGS__ \
		}                                                                               \
	}
#define RULE6_PORT(set, ...)                                                                     \
	{                                                                                        \
		"exits6",                                                                        \
		{                                                                                \
			IS_IPV6, IS_TCP, LOAD_NET(24, 16), PORT(REG_PORT6), IN(set), __VA_ARGS__ \
		}                                                                                \
	}
#define RULE4_NET_PORT(set, bits, ...)                                                             \
	{                                                                                          \
		"exits4",                                                                          \
		{                                                                                  \
			IS_IPV4, IS_TCP, LOAD_NET(16, 4), MASK(4, bits), PORT(REG_PORT4), IN(set), \
			    __VA_ARGS__                                                            \
		}                                                                                  \
	}
#define RULE6_NET_PORT(set, bits, ...)                                                      \
	{                                                                                   \
		"exits6",                                                                   \
		{                                                                           \
			IS_IPV6, IS_TCP, LOAD_NET(24, 16), MASK(16, bits), PORT(REG_PORT6), \
			    IN(set), __VA_ARGS__                                            \
		}                                                                           \
	}
#define REFUSE(counter) COUNT(counter), GOTO("refuse")
#define PASS(counter)   COUNT(counter), GOTO("pass")

static const struct {
	const char *name;
	uint32_t hook; /* NF_INET_NUMHOOKS: none */
} chains[] = {
	{ "refuse", NF_INET_NUMHOOKS },
	{ "pass", NF_INET_NUMHOOKS },
	{ "dns", NF_INET_NUMHOOKS },
	{ "others", NF_INET_NUMHOOKS },
	{ "exits4", NF_INET_NUMHOOKS },
	{ "exits6", NF_INET_NUMHOOKS },
	{ "exits", NF_INET_NUMHOOKS },
	{ "output", NF_INET_LOCAL_OUT },
	{ "input", NF_INET_LOCAL_IN },
};

#define HOOK_PRIORITY 10 /* behind the host's own filter chains */

static const struct rule rules[] = {
	{ "refuse", { META(NFPROTO), NOT_IN(SET_ENFORCING), GOTO("pass") } },
	{ "refuse", { META(NFPROTO), IN(SET_FEEDING), FEED("refused", SNAPLEN) } },
	{ "refuse", { COUNT(COUNTER_REFUSED), REJECT } },

	{ "pass", { META(NFPROTO), IN(SET_FEEDING), FEED(NULL, SNAPLEN) } },
	{ "pass", { COUNT(COUNTER_PASSED), ACCEPT } },

	{ "dns", { IS_IPV4, LOAD_NET(16, 4), IN(SET_RESOLVERS4), ACCEPT } },
	{ "dns", { IS_IPV6, LOAD_NET(24, 16), IN(SET_RESOLVERS6), ACCEPT } },
	{ "dns", { { OP_LIMIT, LIMIT_DNS, 0, 0, NULL }, COUNT(COUNTER_DNS), META(NFPROTO),
		     IN(SET_ENFORCING), REJECT } },

	{ "others",
	    { META(L4PROTO), CMP(1, IPPROTO_UDP), LOAD_TCP(2, 2), CMP(2, 53), GOTO("dns") } },

	RULE4_PORT(SET_RELAYS4, COUNT(COUNTER_RELAY), ACCEPT),
	RULE4(SET_ALLOW4, PASS(COUNTER_ALLOW)),
	RULE4_NET(SET_ALLOW_NET4, 24, PASS(COUNTER_ALLOW)),
	RULE4(SET_BAN4, REFUSE(COUNTER_BAN)),
	RULE4_NET(SET_BAN_NET4, 24, REFUSE(COUNTER_BAN)),
	RULE4_NET_PORT(SET_WIDE_PORT4, 16, REFUSE(COUNTER_WIDE)),
	RULE4_NET_PORT(SET_NET_PORT4, 24, REFUSE(COUNTER_NET_PORT)),
	RULE4_NET(SET_NET4, 24, REFUSE(COUNTER_NET)),
	RULE4_PORT(SET_ADDR_PORT4, REFUSE(COUNTER_ADDR_PORT)),
	RULE4(SET_ADDR4, REFUSE(COUNTER_ADDR)),
	{ "exits4",
	    { IS_IPV4, LOAD_NET(16, 4), MASK(4, 24),
		{ OP_LIMIT_SET, SET_LIMIT4, LIMIT_NETWORK, 0, NULL }, REFUSE(COUNTER_LIMIT) } },
	{ "exits4", { GOTO("pass") } },

	RULE6_PORT(SET_RELAYS6, COUNT(COUNTER_RELAY), ACCEPT),
	RULE6(SET_ALLOW6, PASS(COUNTER_ALLOW)),
	RULE6_NET(SET_ALLOW_NET6, 48, PASS(COUNTER_ALLOW)),
	RULE6(SET_BAN6, REFUSE(COUNTER_BAN)),
	RULE6_NET(SET_BAN_NET6, 48, REFUSE(COUNTER_BAN)),
	RULE6_NET_PORT(SET_WIDE_PORT6, 32, REFUSE(COUNTER_WIDE)),
	RULE6_NET_PORT(SET_NET_PORT6, 48, REFUSE(COUNTER_NET_PORT)),
	RULE6_NET(SET_NET6, 48, REFUSE(COUNTER_NET)),
	RULE6_PORT(SET_ADDR_PORT6, REFUSE(COUNTER_ADDR_PORT)),
	RULE6(SET_ADDR6, REFUSE(COUNTER_ADDR)),
	{ "exits6",
	    { IS_IPV6, LOAD_NET(24, 16), MASK(16, 48),
		{ OP_LIMIT_SET, SET_LIMIT6, LIMIT_NETWORK, 0, NULL }, REFUSE(COUNTER_LIMIT) } },
	{ "exits6", { GOTO("pass") } },

	{ "exits", { META(L4PROTO), CMP_NOT(1, IPPROTO_TCP), GOTO("others") } },
	{ "exits", { IS_IPV4, GOTO("exits4") } },
	{ "exits", { IS_IPV6, GOTO("exits6") } },

	{ "output", { TCP_FLAGS(FIN | SYN | RST | ACK), CMP_NOT(1, SYN), ACCEPT } },
	{ "output", { META(SKUID), IN(SET_EXIT_USERS), GOTO("exits") } },
	{ "output", { IS_IPV4, LOAD_NET(12, 4), IN(SET_SOURCES4), GOTO("exits") } },
	{ "output", { IS_IPV6, LOAD_NET(8, 16), IN(SET_SOURCES6), GOTO("exits") } },
	{ "output", { META(MARK), IN(SET_EXIT_MARKS), GOTO("exits") } },

	{ "input", { TCP_FLAGS(SYN | RST), CMP(1, 0), ACCEPT } },
	{ "input", { META(NFPROTO), NOT_IN(SET_FEEDING), ACCEPT } },
	{ "input", { TCP_FLAGS(FIN | SYN | RST | ACK), CMP(1, SYN | ACK),
		       COUNT(COUNTER_BACKSCATTER), FEED(NULL, SNAPLEN) } },
	{ "input",
	    { TCP_FLAGS(RST), CMP(1, RST), COUNT(COUNTER_BACKSCATTER), FEED(NULL, SNAPLEN) } },
	{ "input", { IS_IPV4, META(L4PROTO), CMP(1, IPPROTO_ICMP), LOAD_TCP(0, 1), CMP(1, 3),
		       FEED(NULL, SNAPLEN) } },
	{ "input", { IS_IPV6, META(L4PROTO), CMP(1, IPPROTO_ICMPV6), LOAD_TCP(0, 1), CMP(1, 1),
		       FEED(NULL, SNAPLEN_ICMP6) } },
};

size_t
skeleton_rule_count(void)
{
	return sizeof(rules) / sizeof(rules[0]);
}

void
skeleton_comment(const struct nft_params *params, char out[128])
{
	snprintf(out, 128, "exitguard layout %d network %u/%u dns %u/%u group %u", NFT_LAYOUT,
	    params->network_rate, params->network_burst, params->dns_rate, params->dns_burst,
	    params->nflog_group);
}

static void
put_limit(struct nftnl_expr *expr, uint32_t which, const struct nft_params *params)
{
	bool dns = which == LIMIT_DNS;

	nftnl_expr_set_u64(
	    expr, NFTNL_EXPR_LIMIT_RATE, dns ? params->dns_rate : params->network_rate);
	nftnl_expr_set_u64(expr, NFTNL_EXPR_LIMIT_UNIT, 1); /* second */
	nftnl_expr_set_u32(
	    expr, NFTNL_EXPR_LIMIT_BURST, dns ? params->dns_burst : params->network_burst);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
}

/* b: how to compare, a value of b bytes in network order */
static void
put_cmp(struct nftnl_expr *expr, const struct op *op)
{
	uint8_t data[2] = { (uint8_t)op->c, 0 };

	if (op->b == 2) {
		data[0] = (uint8_t)(op->c >> 8);
		data[1] = (uint8_t)op->c;
	}
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, REG_A);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op->a);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, op->b);
}

/* a: header, b: offset, c: length, and the register in the bits above (0: REG_A) */
static void
put_load(struct nftnl_expr *expr, const struct op *op)
{
	uint32_t reg = op->c >> 8;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, reg != 0 ? reg : REG_A);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, op->a);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, op->b);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, op->c & 0xff);
}

/* a: length in bytes, b: leading bits kept, or c: the mask of a single byte */
static void
put_mask(struct nftnl_expr *expr, const struct op *op)
{
	uint8_t mask[16] = { 0 }, none[16] = { 0 };

	for (unsigned i = 0; i < op->b / 8; i++)
		mask[i] = 0xff;
	if (op->b == 0)
		mask[0] = (uint8_t)op->c;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, REG_A);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, REG_A);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, op->a);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, op->a);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, none, op->a);
}

static void
put_lookup(struct nftnl_expr *expr, const struct op *op)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, REG_A);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, guard_sets[op->a].name);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SET_ID, op->a + 1);
	if (op->b != 0)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static enum rc
put_limit_set(struct nftnl_expr *expr, const struct op *op, const struct nft_params *params)
{
	struct nftnl_expr *limit = nftnl_expr_alloc("limit");

	if (limit == NULL)
		return RC_NO_MEMORY;
	put_limit(limit, op->b, params);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, REG_A);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, guard_sets[op->a].name);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SET_ID, op->a + 1);
	nftnl_expr_add_expr(expr, NFTNL_EXPR_DYNSET_EXPRESSIONS, limit);
	return RC_OK;
}

static void
put_log(struct nftnl_expr *expr, const struct op *op, const struct nft_params *params)
{
	if (op->name != NULL)
		nftnl_expr_set_str(expr, NFTNL_EXPR_LOG_PREFIX, op->name);
	nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_GROUP, params->nflog_group);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOG_SNAPLEN, op->a);
	nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_QTHRESHOLD, QUEUE_THRESHOLD);
}

static void
put_verdict(struct nftnl_expr *expr, int verdict, const char *chain)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain != NULL)
		nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, chain);
}

static const char *const expr_names[] = {
	[OP_META] = "meta",
	[OP_CMP] = "cmp",
	[OP_LOAD] = "payload",
	[OP_MASK] = "bitwise",
	[OP_LOOKUP] = "lookup",
	[OP_LIMIT_SET] = "dynset",
	[OP_LIMIT] = "limit",
	[OP_COUNT] = "objref",
	[OP_LOG] = "log",
	[OP_REJECT] = "reject",
	[OP_ACCEPT] = "immediate",
	[OP_GOTO] = "immediate",
};

static enum rc
put_op(struct nftnl_expr *expr, const struct op *op, const struct nft_params *params)
{
	switch (op->kind) {
	case OP_META:
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, op->a);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, REG_A);
		break;
	case OP_CMP:
		put_cmp(expr, op);
		break;
	case OP_LOAD:
		put_load(expr, op);
		break;
	case OP_MASK:
		put_mask(expr, op);
		break;
	case OP_LOOKUP:
		put_lookup(expr, op);
		break;
	case OP_LIMIT_SET:
		return put_limit_set(expr, op, params);
	case OP_LIMIT:
		put_limit(expr, op->a, params);
		break;
	case OP_COUNT:
		nftnl_expr_set_u32(expr, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
		nftnl_expr_set_str(expr, NFTNL_EXPR_OBJREF_IMM_NAME, guard_counters[op->a].name);
		break;
	case OP_LOG:
		put_log(expr, op, params);
		break;
	case OP_REJECT:
		nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
		nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
		break;
	case OP_ACCEPT:
		put_verdict(expr, NF_ACCEPT, NULL);
		break;
	case OP_GOTO:
		put_verdict(expr, NFT_GOTO, op->name);
		break;
	case OP_END:
		break;
	}
	return RC_OK;
}

static enum rc
put_rule(struct nft_link *link, const struct rule *rule, const struct nft_params *params)
{
	struct nftnl_rule *out = nftnl_rule_alloc();
	enum rc rc = out != NULL ? RC_OK : RC_NO_MEMORY;

	for (int i = 0; i < OPS_MAX && rc == RC_OK && rule->ops[i].kind != OP_END; i++) {
		struct nftnl_expr *expr = nftnl_expr_alloc(expr_names[rule->ops[i].kind]);

		rc = expr != NULL ? put_op(expr, &rule->ops[i], params) : RC_NO_MEMORY;
		if (expr != NULL)
			nftnl_rule_add_expr(out, expr);
	}
	struct nlmsghdr *nlh =
	    rc == RC_OK ? nft_link_message(link, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)
			: NULL;
	if (nlh != NULL) {
		nftnl_rule_set_str(out, NFTNL_RULE_TABLE, GUARD_TABLE);
		nftnl_rule_set_str(out, NFTNL_RULE_CHAIN, rule->chain);
		nftnl_rule_nlmsg_build_payload(nlh, out);
		nft_link_put(link, nlh);
	}
	if (out != NULL)
		nftnl_rule_free(out);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}

static enum rc
put_table(struct nft_link *link, const struct nft_params *params)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(256);
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *nlh = NULL;
	char comment[128];

	skeleton_comment(params, comment);
	if (udata != NULL && table != NULL &&
	    nftnl_udata_put_strz(udata, NFTNL_UDATA_TABLE_COMMENT, comment))
		nlh = nft_link_message(link, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	if (nlh != NULL) {
		nftnl_table_set_str(table, NFTNL_TABLE_NAME, GUARD_TABLE);
		nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, 0);
		nftnl_table_set_data(table, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(udata),
		    nftnl_udata_buf_len(udata));
		nftnl_table_nlmsg_build_payload(nlh, table);
		nft_link_put(link, nlh);
	}
	if (table != NULL)
		nftnl_table_free(table);
	if (udata != NULL)
		nftnl_udata_buf_free(udata);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}

static enum rc
put_chain(struct nft_link *link, const char *name, uint32_t hook)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *nlh = NULL;

	if (chain != NULL)
		nlh = nft_link_message(link, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (nlh != NULL) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, GUARD_TABLE);
		nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
		if (hook != NF_INET_NUMHOOKS) {
			nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
			nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
			nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, HOOK_PRIORITY);
			nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		}
		nftnl_chain_nlmsg_build_payload(nlh, chain);
		nft_link_put(link, nlh);
	}
	if (chain != NULL)
		nftnl_chain_free(chain);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}

static enum rc
put_counter(struct nft_link *link, const char *name)
{
	struct nftnl_obj *obj = nftnl_obj_alloc();
	struct nlmsghdr *nlh = NULL;

	if (obj != NULL)
		nlh = nft_link_message(link, NFT_MSG_NEWOBJ, NLM_F_CREATE);
	if (nlh != NULL) {
		nftnl_obj_set_str(obj, NFTNL_OBJ_TABLE, GUARD_TABLE);
		nftnl_obj_set_str(obj, NFTNL_OBJ_NAME, name);
		nftnl_obj_set_u32(obj, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
		nftnl_obj_set_u64(obj, NFTNL_OBJ_CTR_PKTS, 0);
		nftnl_obj_set_u64(obj, NFTNL_OBJ_CTR_BYTES, 0);
		nftnl_obj_nlmsg_build_payload(nlh, obj);
		nft_link_put(link, nlh);
	}
	if (obj != NULL)
		nftnl_obj_free(obj);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}

/* nft's own numbers for data types and byte orders, which it reads back when it lists a set. */
enum {
	TYPE_NFPROTO = 2,
	TYPE_IPADDR = 7,
	TYPE_IP6ADDR = 8,
	TYPE_SERVICE = 13,
	TYPE_MARK = 19,
	TYPE_UID = 24,
	TYPE_BITS = 6
};
enum { BYTEORDER_NONE, BYTEORDER_HOST, BYTEORDER_BIG };

static void
set_key(struct nftnl_set *out, const struct guard_set_info *info, uint32_t *byteorder)
{
	bool v4 = info->family == ADDR_IPV4;
	uint32_t type = v4 ? TYPE_IPADDR : TYPE_IP6ADDR, len = v4 ? 4 : 16;

	*byteorder = BYTEORDER_BIG;
	switch (info->key) {
	case GUARD_KEY_NFPROTO:
		type = TYPE_NFPROTO;
		len = 1;
		*byteorder = BYTEORDER_NONE;
		break;
	case GUARD_KEY_UID:
	case GUARD_KEY_MARK:
		type = info->key == GUARD_KEY_UID ? TYPE_UID : TYPE_MARK;
		len = 4;
		*byteorder = BYTEORDER_HOST;
		break;
	case GUARD_KEY_ADDR:
		break;
	case GUARD_KEY_ADDR_PORT:
		type = type << TYPE_BITS | TYPE_SERVICE;
		len += 4;
		*byteorder = BYTEORDER_NONE;
		break;
	}
	nftnl_set_set_u32(out, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(out, NFTNL_SET_KEY_LEN, len);
}

static void
set_use(struct nftnl_set *out, const struct guard_set_info *info)
{
	uint32_t flags = 0;

	if (info->use != GUARD_USE_STATIC)
		flags |= NFT_SET_TIMEOUT;
	if (info->use == GUARD_USE_LIMIT) {
		flags |= NFT_SET_EVAL;
		nftnl_set_set_u64(out, NFTNL_SET_TIMEOUT, LIMIT_TIMEOUT_MS);
	}
	if (info->use == GUARD_USE_TIMED)
		nftnl_set_set_u32(out, NFTNL_SET_GC_INTERVAL, GC_INTERVAL_MS);
	if (info->size != 0)
		nftnl_set_set_u32(out, NFTNL_SET_DESC_SIZE, info->size);
	nftnl_set_set_u32(out, NFTNL_SET_FLAGS, flags);
}

static enum rc
put_set(struct nft_link *link, enum guard_set set)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(64);
	struct nftnl_set *out = nftnl_set_alloc();
	struct nlmsghdr *nlh = NULL;
	uint32_t byteorder;

	if (out != NULL && udata != NULL)
		nlh = nft_link_message(link, NFT_MSG_NEWSET, NLM_F_CREATE);
	if (nlh != NULL) {
		nftnl_set_set_str(out, NFTNL_SET_TABLE, GUARD_TABLE);
		nftnl_set_set_str(out, NFTNL_SET_NAME, guard_sets[set].name);
		nftnl_set_set_u32(out, NFTNL_SET_FAMILY, NFPROTO_INET);
		nftnl_set_set_u32(out, NFTNL_SET_ID, set + 1);
		set_key(out, &guard_sets[set], &byteorder);
		set_use(out, &guard_sets[set]);
		nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER, byteorder);
		nftnl_set_set_data(out, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
		    nftnl_udata_buf_len(udata));
		nftnl_set_nlmsg_build_payload(nlh, out);
		nft_link_put(link, nlh);
	}
	if (out != NULL)
		nftnl_set_free(out);
	if (udata != NULL)
		nftnl_udata_buf_free(udata);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc
skeleton_put(struct nft_link *link, const struct nft_params *params)
{
	enum rc rc = put_table(link, params);

	for (int i = 0; i < GUARD_COUNTER_COUNT && rc == RC_OK; i++)
		rc = put_counter(link, guard_counters[i].name);
	for (int i = 0; i < GUARD_SET_COUNT && rc == RC_OK; i++)
		rc = put_set(link, (enum guard_set)i);
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]) && rc == RC_OK; i++)
		rc = put_chain(link, chains[i].name, chains[i].hook);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && rc == RC_OK; i++)
		rc = put_rule(link, &rules[i], params);
	return rc;
}

enum rc
skeleton_put_delete(struct nft_link *link)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *nlh = NULL;

	if (table != NULL)
		nlh = nft_link_message(link, NFT_MSG_DELTABLE, 0);
	if (nlh != NULL) {
		nftnl_table_set_str(table, NFTNL_TABLE_NAME, GUARD_TABLE);
		nftnl_table_nlmsg_build_payload(nlh, table);
		nft_link_put(link, nlh);
	}
	if (table != NULL)
		nftnl_table_free(table);
	return nlh != NULL ? RC_OK : RC_NO_MEMORY;
}
