/* descriptor.c: our server descriptor, signed (dir-spec 2.1.1). No sockets, no clock. */
#include "relayd/dir/dir.h"

#include <openssl/evp.h>
#include <string.h>

#include "relayd/dir/netdoc.h"

#define NTOR_CROSS_LIFE_S   (28 * 24 * 3600)
#define ED_SIGNATURE_PREFIX "Tor router descriptor signature v1"

/* A value from the configuration on a line of its own: control characters would end it. */
static void
write_text(struct wr *wr, const char *keyword, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			wr->rc = RC_SYNTAX;
	wr_printf(wr, "%s %s\n", keyword, text);
}

/* MyFamily, with commas or blanks between its members, as "$FINGERPRINT $FINGERPRINT ...". */
static void
write_family(struct wr *wr, const char *family)
{
	struct span rest = span_of_str(family != NULL ? family : ""), word;
	char spaced[8192];
	bool any = false;

	if (rest.len > sizeof(spaced)) {
		wr->rc = RC_LIMIT;
		return;
	}
	for (size_t i = 0; i < rest.len; i++)
		spaced[i] = rest.data[i] == ',' ? ' ' : (char)rest.data[i];
	rest = span_of(spaced, rest.len);
	for (; netdoc_word(&rest, &word); any = true) {
		uint8_t id[20];
		size_t len;

		wr_str(wr, any ? " " : "family ");
		if (hex_decode(word, id, sizeof(id), &len) == RC_OK && len == sizeof(id))
			wr_str(wr, "$");
		for (size_t i = 0; i < word.len; i++)
			if (word.data[i] < ' ' || word.data[i] > '~')
				wr->rc = RC_SYNTAX;
		wr_span(wr, word);
	}
	if (any)
		wr_str(wr, "\n");
}

static void
write_base64(struct wr *wr, const char *keyword, struct span bytes)
{
	char text[100];

	if (base64_encode(bytes, false, text, sizeof(text)) != RC_OK)
		wr->rc = RC_LIMIT;
	wr_printf(wr, "%s %s\n", keyword, text);
}

static void
write_key(struct wr *wr, const char *keyword, EVP_PKEY *key)
{
	char pem[1200];
	enum rc rc = rsa_public_pem(key, pem, sizeof(pem));

	if (rc != RC_OK)
		wr->rc = rc;
	else
		wr_printf(wr, "%s\n%s", keyword, pem);
}

/* "ABCD EFGH ..." */
static void
write_fingerprint(struct wr *wr, const uint8_t digest[20])
{
	wr_str(wr, "fingerprint");
	for (size_t i = 0; i < 20; i += 2)
		wr_printf(wr, " %02X%02X", digest[i], digest[i + 1]);
	wr_str(wr, "\n");
}

static void
write_head(struct wr *wr, const struct descriptor_info *info, const struct relay_keys *keys,
    time_t published)
{
	char buf[ADDR_STR_LEN], when[NETDOC_TIME_LEN];

	wr_printf(wr, "router %s %s %u 0 0\n", info->nickname, addr_str(&info->or_v4.addr, buf),
	    info->or_v4.port);
	wr_str(wr, "identity-ed25519\n");
	netdoc_object_write(
	    wr, "ED25519 CERT", span_of(keys->ed_signing_cert, sizeof(keys->ed_signing_cert)));
	write_base64(wr, "master-key-ed25519", span_of(keys->ed_id, sizeof(keys->ed_id)));
	if (info->or_v6.addr.family == ADDR_IPV6)
		wr_printf(wr, "or-address %s\n", addr_port_str(&info->or_v6, buf));
	write_text(wr, "platform", info->platform);
	write_text(wr, "proto", info->proto);
	wr_printf(wr, "published %s\n", netdoc_time_str(published, when));
	write_fingerprint(wr, keys->rsa_id_digest);
	wr_printf(wr, "uptime %llu\n", (unsigned long long)info->uptime_s);
	wr_printf(wr, "bandwidth %llu %llu %llu\n", (unsigned long long)info->bandwidth_rate,
	    (unsigned long long)info->bandwidth_burst,
	    (unsigned long long)info->bandwidth_observed);
}

/* The TAP key signs our two identities; its use ended there. */
static enum rc
write_tap(struct wr *wr, const struct relay_keys *keys)
{
	uint8_t both[52], sig[RSA_SIG_MAX];
	size_t len;

	memcpy(both, keys->rsa_id_digest, 20);
	memcpy(both + 20, keys->ed_id, 32);
	enum rc rc = rsa_sign_raw(keys->tap_onion, span_of(both, sizeof(both)), sig, &len);
	if (rc != RC_OK)
		return rc;
	write_key(wr, "onion-key", keys->tap_onion);
	wr_str(wr, "onion-key-crosscert\n");
	netdoc_object_write(wr, "CROSSCERT", span_of(sig, len));
	write_key(wr, "signing-key", keys->rsa_id);
	return wr->rc;
}

/* The ntor key and its certificate over the Ed25519 identity, made with the key's Ed25519 form. */
static void
write_ntor(struct wr *wr, const struct relay_keys *keys, time_t published)
{
	const struct curve_key *onion = &keys->onion.onion;
	uint8_t cert[EDCERT_LEN], sign_bit;
	struct ed25519_key key;

	ed25519_from_curve(onion->secret, onion->public, &key, &sign_bit);
	size_t len = edcert_make(EDCERT_NTOR_CROSS, EDCERT_KEY_ED25519, keys->ed_id,
	    published + NTOR_CROSS_LIFE_S, &key, false, cert);
	OPENSSL_cleanse(&key, sizeof(key));
	write_base64(wr, "ntor-onion-key", span_of(onion->public, sizeof(onion->public)));
	wr_printf(wr, "ntor-onion-key-crosscert %u\n", sign_bit);
	netdoc_object_write(wr, "ED25519 CERT", span_of(cert, len));
}

static enum rc
write_policy(struct wr *wr, const struct policy *policy)
{
	char rule[POLICY_RULE_STR_LEN], summary[POLICY_SUMMARY_STR_LEN];

	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule *r = policy_rule(policy, i);

		if (r->family == ADDR_IPV4)
			wr_printf(wr, "%s\n", policy_rule_str(r, rule, sizeof(rule)));
	}
	enum rc rc = policy_ipv6_summary(policy, summary, sizeof(summary));
	if (rc == RC_OK && summary[0] != '\0')
		wr_printf(wr, "ipv6-policy %s\n", summary);
	return rc;
}

static enum rc
digest_two(const EVP_MD *md, struct span a, struct span b, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
		  EVP_DigestUpdate(ctx, a.data, a.len) == 1 &&
		  EVP_DigestUpdate(ctx, b.data, b.len) == 1 &&
		  EVP_DigestFinal_ex(ctx, out, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return ok ? RC_OK : RC_CRYPTO;
}

/* Both signatures are over what was written so far, with their own keyword. */
static enum rc
write_signatures(struct wr *wr, const struct relay_keys *keys)
{
	uint8_t digest[32], sig[RSA_SIG_MAX];
	char text[96];
	size_t len;

	wr_str(wr, "router-sig-ed25519 ");
	enum rc rc =
	    digest_two(EVP_sha256(), span_of_str(ED_SIGNATURE_PREFIX), wr_written(wr), digest);
	if (rc != RC_OK)
		return rc;
	ed25519_sign(&keys->ed_signing, span_of(digest, 32), sig);
	rc = base64_encode(span_of(sig, ED25519_SIG_LEN), false, text, sizeof(text));
	if (rc != RC_OK)
		return rc;
	wr_printf(wr, "%s\nrouter-signature\n", text);
	rc = digest_two(EVP_sha1(), wr_written(wr), span_of(NULL, 0), digest);
	if (rc == RC_OK)
		rc = rsa_sign_raw(keys->rsa_id, span_of(digest, 20), sig, &len);
	if (rc == RC_OK)
		netdoc_object_write(wr, "SIGNATURE", span_of(sig, len));
	return rc;
}

enum rc
descriptor_make(const struct descriptor_info *info, const struct relay_keys *keys, time_t published,
    char *out, size_t cap, size_t *len)
{
	struct wr wr = wr_to(out, cap);
	enum rc rc = RC_RANGE;

	*len = 0;
	if (info->or_v4.addr.family == ADDR_IPV4 && info->or_v4.port != 0) {
		write_head(&wr, info, keys, published);
		if (info->hibernating)
			wr_str(&wr, "hibernating 1\n");
		rc = write_tap(&wr, keys);
	}
	if (rc == RC_OK) {
		write_ntor(&wr, keys, published);
		write_text(&wr, "contact", info->contact);
		write_family(&wr, info->family);
		rc = write_policy(&wr, info->policy);
	}
	if (rc == RC_OK && wr.rc == RC_OK)
		rc = write_signatures(&wr, keys);
	size_t text_len = wr_len(&wr);
	wr_u8(&wr, '\0');
	if (rc == RC_OK)
		rc = wr.rc;
	if (rc == RC_OK)
		*len = text_len;
	else if (cap != 0)
		out[0] = '\0';
	return rc;
}
