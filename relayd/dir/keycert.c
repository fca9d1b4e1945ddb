/* keycert.c: key certificates: text to struct, both signatures, the set of those that hold. */
#include "relayd/dir/keycert.h"

#include <stdlib.h>
#include <string.h>

#include "relayd/crypt/rsa.h"
#include "relayd/dir/netdoc.h"

#define CLOCK_SKEW_ALLOWED_S (24 * 3600)

/* What is read before it is checked. */
struct draft {
	struct keycert *cert;
	EVP_PKEY *identity_key;
	struct span fingerprint, cross, certification;
	size_t signed_len; /* up to and including "dir-key-certification\n" */
};

static enum rc
sha1_of(struct span a, uint8_t out[20])
{
	return EVP_Digest(a.data, a.len, out, NULL, EVP_sha1(), NULL) == 1 ? RC_OK : RC_CRYPTO;
}

static enum rc
take_key(struct rd *rd, EVP_PKEY **out)
{
	struct span whole, inner;
	enum rc rc = netdoc_object(rd, "RSA PUBLIC KEY", &whole, &inner);

	if (rc != RC_OK)
		return rc;
	if (*out != NULL)
		return RC_SYNTAX; /* twice */
	*out = rsa_public_from_pem(whole);
	return *out != NULL ? RC_OK : RC_CRYPTO;
}

/* dir-key-crosscert comes as "ID SIGNATURE" from today's authorities and may be "SIGNATURE". */
static enum rc
take_crosscert(struct rd *rd, struct span *inner)
{
	struct rd again = *rd;
	struct span whole;
	enum rc rc = netdoc_object(rd, "ID SIGNATURE", &whole, inner);

	if (rc == RC_SYNTAX) {
		*rd = again;
		rc = netdoc_object(rd, "SIGNATURE", &whole, inner);
	}
	return rc;
}

static enum rc
take_line(struct draft *d, struct span text, struct rd *rd, struct span line)
{
	struct keycert *cert = d->cert;
	struct span whole;

	if (netdoc_keyword(&line, "dir-key-published"))
		return netdoc_time_take(&line, &cert->published);
	if (netdoc_keyword(&line, "dir-key-expires"))
		return netdoc_time_take(&line, &cert->expires);
	if (netdoc_keyword(&line, "fingerprint"))
		return netdoc_word(&line, &d->fingerprint) ? RC_OK : RC_SHORT;
	if (netdoc_keyword(&line, "dir-identity-key"))
		return take_key(rd, &d->identity_key);
	if (netdoc_keyword(&line, "dir-signing-key"))
		return take_key(rd, &cert->signing_key);
	if (netdoc_keyword(&line, "dir-key-crosscert"))
		return take_crosscert(rd, &d->cross);
	if (netdoc_keyword(&line, "dir-key-certification")) {
		d->signed_len = text.len - rd_left(rd);
		enum rc rc = netdoc_object(rd, "SIGNATURE", &whole, &d->certification);
		return rc == RC_OK ? rd_end(rd) : rc;
	}
	return RC_OK;
}

/* Does the base64 text open, by key, to this digest? */
static enum rc
check_signature(EVP_PKEY *key, struct span digest, struct span base64)
{
	uint8_t sig[RSA_SIG_MAX];
	size_t len;
	enum rc rc = base64_decode(base64, sig, sizeof(sig), &len);

	if (rc != RC_OK)
		return rc;
	return rsa_verify_raw(key, digest, span_of(sig, len)) ? RC_OK : RC_CRYPTO;
}

static enum rc
check(const struct draft *d, struct span text)
{
	struct keycert *cert = d->cert;
	uint8_t digest[20], told[20];
	size_t len;

	if (d->identity_key == NULL || cert->signing_key == NULL || cert->published == 0 ||
	    cert->expires <= cert->published || d->signed_len == 0 || d->cross.len == 0)
		return RC_SYNTAX;
	enum rc rc = rsa_digest_sha1(d->identity_key, cert->identity);
	if (rc == RC_OK)
		rc = rsa_digest_sha1(cert->signing_key, cert->signing);
	if (rc == RC_OK)
		rc = hex_decode(d->fingerprint, told, sizeof(told), &len);
	if (rc == RC_OK && (len != 20 || memcmp(told, cert->identity, 20) != 0))
		rc = RC_CRYPTO;
	if (rc == RC_OK)
		rc = check_signature(cert->signing_key, span_of(cert->identity, 20), d->cross);
	if (rc == RC_OK)
		rc = sha1_of(span_of(text.data, d->signed_len), digest);
	if (rc == RC_OK)
		rc = check_signature(d->identity_key, span_of(digest, 20), d->certification);
	return rc;
}

enum rc
keycert_parse(struct span text, struct keycert *out)
{
	struct draft d = { .cert = out };
	struct rd rd = rd_from(text);
	struct span line, rest;
	enum rc rc = RC_OK;

	memset(out, 0, sizeof(*out));
	if (text.len > KEYCERT_LEN_MAX)
		return RC_LIMIT;
	if (!rd_line(&rd, &line) || !netdoc_keyword(&line, "dir-key-certificate-version") ||
	    !netdoc_word(&line, &rest) || !span_equal_str(rest, "3"))
		return RC_SYNTAX;
	while (rc == RC_OK && rd_line(&rd, &line))
		rc = take_line(&d, text, &rd, line);
	if (rc == RC_OK)
		rc = check(&d, text);
	if (rc == RC_OK) {
		out->text = malloc(text.len + 1);
		if (out->text == NULL)
			rc = RC_NO_MEMORY;
		else {
			memcpy(out->text, text.data, text.len);
			out->text[text.len] = '\0';
			out->text_len = text.len;
		}
	}
	EVP_PKEY_free(d.identity_key);
	if (rc != RC_OK)
		keycert_clear(out);
	return rc;
}

void
keycert_clear(struct keycert *cert)
{
	EVP_PKEY_free(cert->signing_key);
	free(cert->text);
	memset(cert, 0, sizeof(*cert));
}

const struct keycert *
keycert_set_find(
    const struct keycert_set *set, const uint8_t identity[20], const uint8_t signing[20])
{
	for (size_t i = 0; i < set->count; i++)
		if (memcmp(set->certs[i].identity, identity, 20) == 0 &&
		    memcmp(set->certs[i].signing, signing, 20) == 0)
			return &set->certs[i];
	return NULL;
}

static bool
is_authority(const struct dir_authority *authorities, size_t count, const uint8_t identity[20])
{
	for (size_t i = 0; i < count; i++)
		if (authorities[i].has_v3_ident &&
		    memcmp(authorities[i].v3_ident, identity, 20) == 0)
			return true;
	return false;
}

/* Where a certificate goes: over an older one for the same keys, behind the others, or, if the set
 * is full, over the one published first. KEYCERT_SET_MAX: nowhere, it is not newer. */
static size_t
set_place(const struct keycert_set *set, const struct keycert *cert)
{
	const struct keycert *same = keycert_set_find(set, cert->identity, cert->signing);
	size_t oldest = 0;

	if (same != NULL)
		return same->published < cert->published ? (size_t)(same - set->certs)
							 : KEYCERT_SET_MAX;
	if (set->count < KEYCERT_SET_MAX)
		return set->count;
	for (size_t i = 1; i < set->count; i++)
		if (set->certs[i].published < set->certs[oldest].published)
			oldest = i;
	return oldest;
}

/* Takes *cert if it is new. */
static bool
set_put(struct keycert_set *set, struct keycert *cert)
{
	size_t place = set_place(set, cert);

	if (place == KEYCERT_SET_MAX)
		return false;
	if (place == set->count)
		set->count++;
	else
		keycert_clear(&set->certs[place]);
	set->certs[place] = *cert;
	memset(cert, 0, sizeof(*cert));
	return true;
}

/* Where the next certificate of a document ends. */
static size_t
cert_length(struct span text)
{
	size_t first_line = netdoc_find_line(text, "dir-key-certificate-version");
	struct rd rd = rd_from(netdoc_from(text, first_line));
	struct span line;

	(void)rd_line(&rd, &line);
	size_t head = text.len - rd_left(&rd);
	return head + netdoc_find_line(netdoc_from(text, head), "dir-key-certificate-version");
}

enum rc
keycert_set_take(struct keycert_set *set, struct span text, const struct dir_authority *authorities,
    size_t authority_count, time_t now, size_t *added)
{
	enum rc rc = RC_SYNTAX;

	*added = 0;
	text = netdoc_from(text, netdoc_find_line(text, "dir-key-certificate-version"));
	for (unsigned i = 0; i < KEYCERT_SET_MAX && text.len != 0; i++) {
		struct keycert cert;
		size_t len = cert_length(text);

		if (keycert_parse(span_of(text.data, len), &cert) == RC_OK) {
			rc = RC_OK;
			if (is_authority(authorities, authority_count, cert.identity) &&
			    cert.expires > now && cert.published < now + CLOCK_SKEW_ALLOWED_S)
				*added += set_put(set, &cert);
			keycert_clear(&cert);
		}
		text = netdoc_from(text, len);
	}
	return rc;
}

void
keycert_set_clear(struct keycert_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		keycert_clear(&set->certs[i]);
	set->count = 0;
}
