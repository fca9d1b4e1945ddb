/* signature.c: is a consensus signed by more than half of the authorities? (dir-spec 3.4.1,
 * directory-signature.) No clock. */
#include <string.h>

#include "relayd/crypt/rsa.h"
#include "relayd/dir/keycert.h"
#include "relayd/dir/netdoc.h"

#define SIGNATURE_WORD "directory-signature "

struct signature {
	uint8_t identity[20], signing[20];
	bool sha256;
	struct span base64;
};

static enum rc
exact_hex(struct span text, uint8_t out[20])
{
	size_t len;
	enum rc rc = hex_decode(text, out, 20, &len);

	return rc == RC_OK && len != 20 ? RC_SYNTAX : rc;
}

/* directory-signature [ALGORITHM] IDENTITY SIGNING-KEY, then the object. */
static enum rc
signature_take(struct rd *rd, struct signature *out)
{
	struct span line, words[3] = { 0 }, whole;
	size_t n = 0;

	if (!rd_line(rd, &line) || !netdoc_keyword(&line, "directory-signature"))
		return RC_SYNTAX;
	while (n < 3 && netdoc_word(&line, &words[n]))
		n++;
	if (n < 2)
		return RC_SHORT;
	out->sha256 = n == 3 && span_equal_str(words[0], "sha256");
	enum rc rc = exact_hex(words[n - 2], out->identity);
	if (rc == RC_OK)
		rc = exact_hex(words[n - 1], out->signing);
	if (rc == RC_OK)
		rc = netdoc_object(rd, "SIGNATURE", &whole, &out->base64);
	return rc;
}

static size_t
authority_of(const struct dir_authority *authorities, size_t count, const uint8_t identity[20])
{
	size_t i;

	for (i = 0; i < count; i++)
		if (authorities[i].has_v3_ident &&
		    memcmp(authorities[i].v3_ident, identity, 20) == 0)
			break;
	return i;
}

static bool
signature_holds(const struct signature *sig, const struct keycert *cert, struct span digest)
{
	uint8_t bytes[RSA_SIG_MAX];
	size_t len;

	return base64_decode(sig->base64, bytes, sizeof(bytes), &len) == RC_OK &&
	       rsa_verify_raw(cert->signing_key, digest, span_of(bytes, len));
}

enum rc
consensus_check_signatures(struct span text, const struct keycert_set *certs,
    const struct dir_authority *authorities, size_t authority_count, time_t now,
    struct signature_tally *tally)
{
	size_t at = netdoc_find_line(text, SIGNATURE_WORD);
	bool counted[AUTHORITIES_MAX] = { 0 };
	uint8_t digest[32];
	struct signature sig;
	unsigned voters = 0;

	memset(tally, 0, sizeof(*tally));
	for (size_t i = 0; i < authority_count; i++)
		voters += authorities[i].has_v3_ident;
	tally->needed = voters / 2 + 1;
	if (at == text.len || authority_count > AUTHORITIES_MAX || voters == 0)
		return RC_CRYPTO;
	if (EVP_Digest(text.data, at + strlen(SIGNATURE_WORD), digest, NULL, EVP_sha256(), NULL) !=
	    1)
		return RC_CRYPTO;
	struct rd rd = rd_from(netdoc_from(text, at));
	for (unsigned i = 0; i < SIGNATURES_MAX && signature_take(&rd, &sig) == RC_OK; i++) {
		size_t who = authority_of(authorities, authority_count, sig.identity);

		if (who == authority_count || !sig.sha256 || counted[who])
			continue;
		const struct keycert *cert = keycert_set_find(certs, sig.identity, sig.signing);
		if (cert == NULL || cert->expires <= now)
			tally->unknown_key++;
		else if (signature_holds(&sig, cert, span_of(digest, sizeof(digest)))) {
			counted[who] = true;
			tally->valid++;
		} else
			tally->bad++;
	}
	if (tally->valid >= tally->needed)
		return RC_OK;
	return tally->valid + tally->unknown_key >= tally->needed ? RC_AGAIN : RC_CRYPTO;
}
