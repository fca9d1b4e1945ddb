/* authority.c: DirAuthority values, and the public network's authorities. Pure. */
#include "relayd/dir/dir.h"

#include <stdio.h>
#include <string.h>

#include "relayd/dir/netdoc.h"

/* As in stock tor 0.4.9.11. */
static const char *const defaults[] = {
	"moria1 orport=9201 v3ident=F533C81CEF0BC0267857C99B2F471ADF249FA232 128.31.0.39:9231 "
	"1A25C6358DB91342AA51720A5038B72742732498",
	"tor26 orport=443 v3ident=2F3DF9CA0E5D36F2685A2DA67184EB8DCB8CBA8C "
	"ipv6=[2a02:16a8:662:2203::1]:443 217.196.147.77:80 "
	"FAA4BCA4A6AC0FB4CA2F8AD5A11D9E122BA894F6",
	"dizum orport=443 v3ident=E8A9C45EDE6D711294FADF8E7951F4DE6CA56B58 45.66.35.11:80 "
	"7EA6EAD6FD83083C538F44038BBFA077587DD755",
	"gabelmoo orport=443 v3ident=ED03BB616EB2F60BEC80151114BB25CEF515B226 "
	"ipv6=[2001:638:a000:4140::ffff:189]:443 131.188.40.189:80 "
	"F2044413DAC2E02E3D6BCF4735A19BCA1DE97281",
	"dannenberg orport=443 v3ident=0232AF901C31A04EE9848595AF9BB7620D4C5B2E "
	"ipv6=[2001:678:558:1000::244]:443 193.23.244.244:80 "
	"7BE683E65D48141321C5ED92F075C55364AC7123",
	"maatuska orport=80 v3ident=49015F787433103580E3B66A1707A00E60F2D15B "
	"ipv6=[2001:67c:289c::9]:80 171.25.193.9:443 BD6A829255CB08E66FBE7D3748363586E46B3810",
	"longclaw orport=443 v3ident=23D15D965BC35114467363C165C4F724B64B4F66 199.58.81.140:80 "
	"74A910646BCEEFBCD2E874FC1DC997430F968145",
	"bastet orport=443 v3ident=27102BC123E7AF1D4741AE047E160C91ADC76B21 "
	"ipv6=[2620:13:4000:6000::1000:118]:443 204.13.164.118:80 "
	"24E2F139121D4394C54B5BCC368B3B411857C413",
	"faravahar orport=443 v3ident=70849B868D606BAECFB6128C5E3D782029AA394F 216.218.219.41:80 "
	"E3E42D35F801C9D5AB23584E0025D56FE2B33396",
};
#define DEFAULT_COUNT (sizeof(defaults) / sizeof(defaults[0]))

static enum rc
hex20(struct span text, uint8_t out[20])
{
	size_t len;
	enum rc rc = hex_decode(text, out, 20, &len);

	return rc == RC_OK && len != 20 ? RC_SYNTAX : rc;
}

static bool
option_value(struct span word, const char *name, struct span *value)
{
	size_t len = strlen(name);

	if (word.len < len || memcmp(word.data, name, len) != 0)
		return false;
	*value = netdoc_from(word, len);
	return true;
}

/* One word between the nickname and the address. True if it is an option; *why if a bad one. */
static bool
take_option(struct span word, struct dir_authority *out, const char **why)
{
	struct span value;
	uint64_t port;

	if (option_value(word, "orport=", &value)) {
		if (parse_u64(value, 65535, &port) != RC_OK || port == 0)
			*why = "orport= needs a port";
		else
			out->or_port = (uint16_t)port;
		return true;
	}
	if (option_value(word, "v3ident=", &value)) {
		out->has_v3_ident = hex20(value, out->v3_ident) == RC_OK;
		if (!out->has_v3_ident)
			*why = "v3ident= needs 40 hexadecimal digits";
		return true;
	}
	/* What relays do not need: IPv6, weights, roles, upload and download addresses. */
	return option_value(word, "ipv6=", &value) || option_value(word, "weight=", &value) ||
	       option_value(word, "upload=", &value) || option_value(word, "download=", &value) ||
	       option_value(word, "vote=", &value) || span_equal_str(word, "no-v2") ||
	       span_equal_str(word, "bridge") || span_equal_str(word, "hs") ||
	       span_equal_str(word, "no-hs");
}

/* The fingerprint: what is left of the line without its blanks. */
static enum rc
take_fingerprint(struct span line, uint8_t out[20])
{
	uint8_t hex[40];
	struct wr wr = wr_to(hex, sizeof(hex));
	struct span word;

	while (netdoc_word(&line, &word))
		wr_span(&wr, word);
	return wr.rc != RC_OK ? wr.rc : hex20(wr_written(&wr), out);
}

static bool
nickname_fits(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!((word.data[i] >= '0' && word.data[i] <= '9') ||
			((word.data[i] | 0x20) >= 'a' && (word.data[i] | 0x20) <= 'z')))
			return false;
	return word.len >= 1 && word.len <= 19;
}

static const char *
parse(struct span line, struct dir_authority *out)
{
	const char *why = NULL;
	struct span rest = line, word;

	if (!netdoc_word(&rest, &word))
		return "is empty";
	if (nickname_fits(word)) { /* it may be left out */
		memcpy(out->nickname, word.data, word.len);
		line = rest;
	} else
		strcpy(out->nickname, "unnamed");
	for (;;) {
		if (!netdoc_word(&line, &word))
			return "has no address";
		if (!take_option(word, out, &why))
			break;
		if (why != NULL)
			return why;
	}
	if (addr_port_parse(word, &out->dir) != RC_OK || out->dir.addr.family != ADDR_IPV4)
		return "needs an IPv4 address and port before the fingerprint";
	if (take_fingerprint(line, out->rsa_id) != RC_OK)
		return "needs a fingerprint of 40 hexadecimal digits at its end";
	return NULL;
}

enum rc
dir_authority_parse(const char *value, struct dir_authority *out, char *why, size_t why_len)
{
	memset(out, 0, sizeof(*out));
	const char *problem = parse(span_of_str(value), out);
	if (why_len != 0)
		snprintf(why, why_len, "%s", problem != NULL ? problem : "");
	return problem != NULL ? RC_SYNTAX : RC_OK;
}

size_t
dir_authority_defaults(const struct dir_authority **out)
{
	static struct dir_authority parsed[DEFAULT_COUNT];
	char why[80];

	for (size_t i = 0; i < DEFAULT_COUNT; i++)
		if (dir_authority_parse(defaults[i], &parsed[i], why, sizeof(why)) != RC_OK)
			return 0;
	*out = parsed;
	return DEFAULT_COUNT;
}
