/* edcert.c: Tor's Ed25519 certificates, bytes to struct and back (cert-spec 2.1). Pure: no clock,
 * no allocation; spans point into the input. */
#include "relayd/crypt/edcert.h"

#include <assert.h>
#include <string.h>

#define EDCERT_VERSION         1
#define EXT_SIGNED_WITH        4
#define EXT_AFFECTS_VALIDATION 1
#define SECONDS_PER_HOUR       3600

/* One extension: length of its body, type, flags, body. */
static void
extension_parse(struct rd *rd, struct edcert *out)
{
	uint16_t len = rd_u16(rd);
	uint8_t type = rd_u8(rd), flags = rd_u8(rd);
	struct rd body = rd_sub(rd, len);

	if (rd->rc != RC_OK)
		return;
	if (type == EXT_SIGNED_WITH) {
		if (out->has_signer || len != ED25519_LEN) {
			rd->rc = RC_SYNTAX;
			return;
		}
		rd_copy(&body, out->signer, ED25519_LEN);
		out->has_signer = true;
	} else if ((flags & EXT_AFFECTS_VALIDATION) != 0) {
		rd->rc = RC_UNSUPPORTED;
	}
}

enum rc
edcert_parse(struct span in, struct edcert *out)
{
	struct rd rd = rd_from(in);

	memset(out, 0, sizeof(*out));
	uint8_t version = rd_u8(&rd);
	out->type = rd_u8(&rd);
	out->expires_hours = rd_u32(&rd);
	out->key_type = rd_u8(&rd);
	rd_copy(&rd, out->key, sizeof(out->key));
	uint8_t extensions = rd_u8(&rd);
	if (rd.rc == RC_OK && version != EDCERT_VERSION)
		return RC_UNSUPPORTED;
	for (unsigned i = 0; i < extensions && rd.rc == RC_OK; i++)
		extension_parse(&rd, out);
	rd_copy(&rd, out->sig, sizeof(out->sig));
	if (rd_end(&rd) == RC_OK)
		out->signed_part = span_of(in.data, in.len - ED25519_SIG_LEN);
	return rd.rc;
}

enum rc
edcert_check(const struct edcert *cert, const uint8_t signer[32], time_t now)
{
	if (signer == NULL) {
		if (!cert->has_signer)
			return RC_CRYPTO;
		signer = cert->signer;
	} else if (cert->has_signer && memcmp(signer, cert->signer, ED25519_LEN) != 0) {
		return RC_CRYPTO;
	}
	if (!ed25519_verify(signer, cert->signed_part, cert->sig))
		return RC_CRYPTO;
	return (int64_t)cert->expires_hours * SECONDS_PER_HOUR > now ? RC_OK : RC_RANGE;
}

size_t
edcert_make(uint8_t type, uint8_t key_type, const uint8_t key[32], time_t expires,
    const struct ed25519_key *signer, bool with_signer, uint8_t *out)
{
	struct wr wr = wr_to(out, with_signer ? EDCERT_WITH_KEY_LEN : EDCERT_LEN);

	wr_u8(&wr, EDCERT_VERSION);
	wr_u8(&wr, type);
	wr_u32(&wr, (uint32_t)((expires + SECONDS_PER_HOUR - 1) / SECONDS_PER_HOUR));
	wr_u8(&wr, key_type);
	wr_bytes(&wr, key, ED25519_LEN);
	wr_u8(&wr, with_signer ? 1 : 0);
	if (with_signer) {
		wr_u16(&wr, ED25519_LEN);
		wr_u8(&wr, EXT_SIGNED_WITH);
		wr_u8(&wr, 0);
		wr_bytes(&wr, signer->public, ED25519_LEN);
	}
	struct span signed_part = wr_written(&wr);
	uint8_t *sig = wr_reserve(&wr, ED25519_SIG_LEN);
	assert(sig != NULL);
	ed25519_sign(signer, signed_part, sig);
	return wr_len(&wr);
}
