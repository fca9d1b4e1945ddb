/* handshake.c: the link handshake, both sides (tor-spec 4, cert-spec). No socket, no clock. */
#include "relayd/link/handshake.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#define AUTH_BODY_LEN   352 /* tag to signature */
#define AUTH_HASHED_LEN 264 /* tag to TLSSECRETS: what both sides must agree on */
#define AUTH_SIGNED_LEN 288 /* and 24 random bytes */

#define X509_PAST_S   (2 * 86400) /* how far a peer's clock may be off, for X.509 only */
#define X509_FUTURE_S (30 * 86400)

enum rc
link_handshake_init(struct link_handshake *hs, struct relay_keys *keys)
{
	hs->keys = relay_keys_ref(keys);
	hs->step = LINK_WANT_VERSIONS;
	hs->sent = EVP_MD_CTX_new();
	hs->received = EVP_MD_CTX_new();
	if (hs->sent == NULL || hs->received == NULL ||
	    EVP_DigestInit_ex(hs->sent, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestInit_ex(hs->received, EVP_sha256(), NULL) != 1)
		return RC_NO_MEMORY;
	return RC_OK;
}

void
link_handshake_clear(struct link_handshake *hs)
{
	EVP_MD_CTX_free(hs->sent);
	EVP_MD_CTX_free(hs->received);
	relay_keys_unref(&hs->keys);
	OPENSSL_cleanse(hs, sizeof(*hs));
}

/* Remember what we just wrote behind `from` as sent. */
static void
note_sent(struct link_handshake *hs, const struct wr *out, size_t from)
{
	EVP_DigestUpdate(hs->sent, out->start + from, wr_len(out) - from);
}

/* The digest so far, leaving the running state as it is. */
static void
digest_so_far(EVP_MD_CTX *running, uint8_t out[32])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	memset(out, 0, 32);
	if (copy != NULL && EVP_MD_CTX_copy_ex(copy, running) == 1)
		EVP_DigestFinal_ex(copy, out, NULL);
	EVP_MD_CTX_free(copy);
}

static enum rc
fail(struct link_handshake *hs, enum rc rc, const char *why)
{
	hs->why = why;
	return rc;
}

static void
certs_one(struct wr *body, uint8_t type, struct span cert)
{
	wr_u8(body, type);
	wr_u16(body, (uint16_t)cert.len);
	wr_span(body, cert);
}

static void
write_certs(struct link_handshake *hs, struct wr *out)
{
	const struct relay_keys *k = hs->keys;
	uint8_t buf[2048];
	struct wr body = wr_to(buf, sizeof(buf));

	wr_u8(&body, 4);
	certs_one(&body, 2, span_of(k->rsa_id_x509_der, k->rsa_id_x509_len));
	certs_one(&body, 4, span_of(k->ed_signing_cert, sizeof(k->ed_signing_cert)));
	if (hs->initiator)
		certs_one(&body, 6, span_of(k->auth_cert, sizeof(k->auth_cert)));
	else
		certs_one(&body, 5, span_of(k->link_cert, sizeof(k->link_cert)));
	certs_one(&body, 7, span_of(k->rsa_ed_cross, sizeof(k->rsa_ed_cross)));
	if (body.rc != RC_OK)
		out->rc = body.rc;
	cell_write_var(out, 0, CELL_CERTS, wr_written(&body));
}

static void
write_auth_challenge(struct wr *out)
{
	uint8_t body[36];
	struct wr wr = wr_to(body, sizeof(body));
	uint8_t *random = wr_reserve(&wr, 32);

	RAND_bytes(random, 32);
	wr_u16(&wr, 1);
	wr_u16(&wr, 3);
	cell_write_var(out, 0, CELL_AUTH_CHALLENGE, wr_written(&wr));
}

static void
write_netinfo(struct link_handshake *hs, time_t now, struct wr *out)
{
	struct netinfo info = { .timestamp = (uint32_t)now, .other = hs->peer_addr };
	uint8_t body[CELL_BODY_LEN];
	struct wr wr = wr_to(body, sizeof(body));

	memcpy(info.own, hs->own, sizeof(hs->own));
	info.own_count = hs->own_count;
	netinfo_write_body(&wr, &info);
	cell_write(out, 0, CELL_NETINFO, wr_written(&wr));
}

void
link_handshake_start(struct link_handshake *hs, struct wr *out)
{
	size_t from = wr_len(out);

	if (!hs->initiator)
		return;
	versions_write(out);
	note_sent(hs, out, from);
}

static enum rc
on_versions(struct link_handshake *hs, const struct cell *cell, time_t now, struct wr *out)
{
	size_t from = wr_len(out);

	if (cell->command != CELL_VERSIONS || versions_pick(cell->body, &hs->version) != RC_OK)
		return fail(hs, RC_PROTOCOL, "bad VERSIONS cell");
	if (hs->version == 0)
		return fail(hs, RC_UNSUPPORTED, "no link protocol in common");
	if (hs->initiator) {
		write_certs(hs, out);
		note_sent(hs, out, from);
		hs->step = LINK_WANT_CERTS;
		return out->rc;
	}
	versions_write(out);
	write_certs(hs, out);
	write_auth_challenge(out);
	note_sent(hs, out, from);
	digest_so_far(hs->sent, hs->slog);
	write_netinfo(hs, now, out);
	hs->step = LINK_WANT_CERTS;
	return out->rc;
}

/* The RSA identity from the X.509 certificate of type 2. Caller frees. */
static EVP_PKEY *
rsa_identity(struct span der, time_t now)
{
	const unsigned char *p = der.data;
	X509 *x509 = der.len != 0 ? d2i_X509(NULL, &p, (long)der.len) : NULL;
	EVP_PKEY *key = x509 != NULL ? X509_get_pubkey(x509) : NULL;
	time_t early = now + X509_FUTURE_S, late = now - X509_PAST_S;

	if (key != NULL &&
	    (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) != RSA_ID_BITS ||
		X509_verify(x509, key) != 1 ||
		X509_cmp_time(X509_get0_notBefore(x509), &early) > 0 ||
		X509_cmp_time(X509_get0_notAfter(x509), &late) < 0)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	X509_free(x509);
	return key;
}

/* The Ed25519 side: identity, signing key, and what that key certifies (link or auth). */
static enum rc
ed_chain(struct link_handshake *hs, const struct certs *certs, time_t now)
{
	struct edcert signing, leaf;
	unsigned leaf_type = hs->initiator ? EDCERT_SIGNING_LINK : EDCERT_SIGNING_AUTH;
	uint8_t leaf_key = hs->initiator ? EDCERT_KEY_X509_SHA256 : EDCERT_KEY_ED25519;

	if (edcert_parse(certs->cert[4], &signing) != RC_OK || signing.type != EDCERT_ID_SIGNING ||
	    signing.key_type != EDCERT_KEY_ED25519 || edcert_check(&signing, NULL, now) != RC_OK)
		return fail(hs, RC_CRYPTO, "bad Ed25519 signing certificate");
	if (edcert_parse(certs->cert[leaf_type], &leaf) != RC_OK || leaf.type != leaf_type ||
	    leaf.key_type != leaf_key || edcert_check(&leaf, signing.key, now) != RC_OK)
		return fail(hs, RC_CRYPTO, "bad Ed25519 link or authentication certificate");
	if (hs->initiator && memcmp(leaf.key, hs->peer_tls_sha256, 32) != 0)
		return fail(hs, RC_CRYPTO, "certificate is for another TLS connection");
	memcpy(hs->peer_ed_id, signing.signer, 32);
	memcpy(hs->peer_auth_key, leaf.key, 32);
	return RC_OK;
}

static enum rc
check_certs(struct link_handshake *hs, const struct certs *certs, time_t now)
{
	EVP_PKEY *rsa_id = rsa_identity(certs->cert[2], now);
	enum rc rc;

	if (rsa_id == NULL)
		return fail(hs, RC_CRYPTO, "missing or bad RSA identity certificate");
	rc = ed_chain(hs, certs, now);
	if (rc == RC_OK && rsa_ed_cross_check(certs->cert[7], rsa_id, hs->peer_ed_id, now) != RC_OK)
		rc = fail(hs, RC_CRYPTO, "missing or bad RSA to Ed25519 cross-certificate");
	if (rc == RC_OK)
		rc = rsa_digest_sha1(rsa_id, hs->peer_rsa_id);
	if (rc == RC_OK)
		rc = rsa_digest_sha256(rsa_id, hs->peer_rsa_sha256);
	EVP_PKEY_free(rsa_id);
	return rc;
}

static enum rc
on_certs(struct link_handshake *hs, const struct cell *cell, time_t now)
{
	struct certs certs;
	enum rc rc = certs_parse(cell->body, &certs);

	if (rc != RC_OK)
		return fail(hs, rc, "malformed CERTS cell");
	rc = check_certs(hs, &certs, now);
	if (rc != RC_OK)
		return rc;
	hs->has_certs = true;
	if (!hs->initiator) {
		hs->step = LINK_WANT_AUTHENTICATE;
		return RC_OK;
	}
	if (memcmp(hs->peer_rsa_id, hs->want_rsa_id, 20) != 0 ||
	    (hs->want_ed && memcmp(hs->peer_ed_id, hs->want_ed_id, 32) != 0))
		return fail(hs, RC_DENIED, "another relay answers there");
	hs->authenticated = true;
	hs->step = LINK_WANT_CHALLENGE;
	return RC_OK;
}

/* The part of AUTHENTICATE that both sides compute: tag to TLSSECRETS. */
static enum rc
auth_common(struct link_handshake *hs, uint8_t out[AUTH_HASHED_LEN])
{
	const struct relay_keys *k = hs->keys;
	struct wr wr = wr_to(out, AUTH_HASHED_LEN);
	const uint8_t *cid = hs->initiator ? k->rsa_id_sha256 : hs->peer_rsa_sha256;
	uint8_t clog[32], secrets[32];

	digest_so_far(hs->initiator ? hs->sent : hs->received, clog);
	enum rc rc = hs->exporter(hs->exporter_arg, cid, secrets);
	wr_bytes(&wr, "AUTH0003", 8);
	wr_bytes(&wr, cid, 32);
	wr_bytes(&wr, hs->initiator ? hs->peer_rsa_sha256 : k->rsa_id_sha256, 32);
	wr_bytes(&wr, hs->initiator ? k->ed_id : hs->peer_ed_id, 32);
	wr_bytes(&wr, hs->initiator ? hs->peer_ed_id : k->ed_id, 32);
	wr_bytes(&wr, hs->slog, 32);
	wr_bytes(&wr, clog, 32);
	wr_bytes(&wr, hs->initiator ? hs->peer_tls_sha256 : k->tls_cert_sha256, 32);
	wr_bytes(&wr, secrets, 32);
	OPENSSL_cleanse(secrets, sizeof(secrets));
	return rc != RC_OK ? rc : wr.rc;
}

static enum rc
on_challenge(struct link_handshake *hs, const struct cell *cell, time_t now, struct wr *out)
{
	uint8_t buf[4 + AUTH_BODY_LEN];
	bool has_type3;
	enum rc rc = auth_challenge_parse(cell->body, &has_type3);

	if (rc != RC_OK)
		return fail(hs, rc, "malformed AUTH_CHALLENGE cell");
	digest_so_far(hs->received, hs->slog); /* this cell is in it already */
	if (has_type3) {
		uint8_t *body = buf + 4;

		put_u16(buf, 3);
		put_u16(buf + 2, AUTH_BODY_LEN);
		rc = auth_common(hs, body);
		if (rc != RC_OK)
			return fail(hs, rc, "cannot make AUTHENTICATE");
		RAND_bytes(body + AUTH_HASHED_LEN, AUTH_SIGNED_LEN - AUTH_HASHED_LEN);
		ed25519_sign(
		    &hs->keys->auth_key, span_of(body, AUTH_SIGNED_LEN), body + AUTH_SIGNED_LEN);
		cell_write_var(out, 0, CELL_AUTHENTICATE, span_of(buf, sizeof(buf)));
	}
	write_netinfo(hs, now, out);
	hs->step = LINK_WANT_NETINFO;
	return out->rc;
}

static enum rc
on_authenticate(struct link_handshake *hs, const struct cell *cell)
{
	uint8_t want[AUTH_HASHED_LEN];
	struct rd rd = rd_from(cell->body);
	uint16_t type = rd_u16(&rd), len = rd_u16(&rd);
	struct span body = rd_span(&rd, len);

	if (rd.rc != RC_OK || type != 3 || len != AUTH_BODY_LEN)
		return fail(hs, RC_PROTOCOL, "AUTHENTICATE of an unknown type or length");
	if (auth_common(hs, want) != RC_OK)
		return fail(hs, RC_SYSTEM, "cannot check AUTHENTICATE");
	if (!span_equal_const_time(
		span_of(body.data, AUTH_HASHED_LEN), span_of(want, sizeof(want))) ||
	    !ed25519_verify(hs->peer_auth_key, span_of(body.data, AUTH_SIGNED_LEN),
		body.data + AUTH_SIGNED_LEN))
		return fail(hs, RC_CRYPTO, "AUTHENTICATE does not prove the identity");
	hs->authenticated = true;
	hs->step = LINK_WANT_NETINFO;
	return RC_OK;
}

static enum rc
on_netinfo(struct link_handshake *hs, const struct cell *cell, time_t now)
{
	if (netinfo_parse(cell->body, &hs->netinfo) != RC_OK)
		return fail(hs, RC_PROTOCOL, "malformed NETINFO cell");
	if (hs->netinfo.timestamp != 0)
		hs->skew_s = (int64_t)hs->netinfo.timestamp - (int64_t)now;
	hs->step = LINK_OPEN;
	return RC_OK;
}

/* Which cell may come at this step? */
static bool
is_expected(const struct link_handshake *hs, uint8_t command)
{
	switch (hs->step) {
	case LINK_WANT_VERSIONS:
		return command == CELL_VERSIONS;
	case LINK_WANT_CERTS:
		return command == CELL_CERTS || (command == CELL_NETINFO && !hs->initiator);
	case LINK_WANT_CHALLENGE:
		return command == CELL_AUTH_CHALLENGE || command == CELL_NETINFO;
	case LINK_WANT_AUTHENTICATE:
		return command == CELL_AUTHENTICATE || command == CELL_NETINFO;
	case LINK_WANT_NETINFO:
		return command == CELL_NETINFO;
	case LINK_OPEN:
		break;
	}
	return false;
}

enum rc
link_handshake_cell(struct link_handshake *hs, const struct cell *cell, time_t now, struct wr *out)
{
	enum rc rc = RC_OK;

	/* AUTHENTICATE itself is not part of the log that it signs. */
	if (cell->command != CELL_AUTHENTICATE)
		EVP_DigestUpdate(hs->received, cell->wire.data, cell->wire.len);
	if (cell->command == CELL_VPADDING || cell->command == CELL_AUTHORIZE)
		return hs->step == LINK_WANT_VERSIONS ? fail(hs, RC_PROTOCOL, "no VERSIONS cell")
						      : RC_OK;
	if (!is_expected(hs, cell->command))
		return fail(hs, RC_PROTOCOL, "cell out of order in the handshake");
	switch (cell->command) {
	case CELL_VERSIONS:
		rc = on_versions(hs, cell, now, out);
		break;
	case CELL_CERTS:
		rc = on_certs(hs, cell, now);
		break;
	case CELL_AUTH_CHALLENGE:
		rc = on_challenge(hs, cell, now, out);
		break;
	case CELL_AUTHENTICATE:
		rc = on_authenticate(hs, cell);
		break;
	case CELL_NETINFO:
		if (hs->step == LINK_WANT_CHALLENGE) /* no challenge at all: stay anonymous */
			write_netinfo(hs, now, out);
		rc = on_netinfo(hs, cell, now);
		break;
	}
	return rc;
}
