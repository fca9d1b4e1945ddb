/* handshake_test.c: two ends of a link talk to each other without a socket: cells of one are fed
 * to the other until both are open, whole and with every kind of damage. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "relayd/link/handshake.h"

#define NOW ((time_t)1790000000)

struct end {
	struct link_handshake hs;
	uint8_t buf[2 * LINK_HANDSHAKE_OUT_MAX];
	size_t len;
};

static struct keystore *stores[2];
static struct relay_keys *keys[2];
static char dirs[2][32] = { "hs_test_aXXXXXX", "hs_test_bXXXXXX" };

/* Both ends of one connection export the same, and another for another context. */
static enum rc
exporter(void *arg, const uint8_t context[32], uint8_t out[32])
{
	uint8_t in[40] = { 0 };

	memcpy(in, context, 32);
	memcpy(in + 32, arg, 4);
	SHA256(in, sizeof(in), out);
	return RC_OK;
}

static void
ends_init(struct end *initiator, struct end *responder)
{
	static char connection[] = "one";

	memset(initiator, 0, sizeof(*initiator));
	memset(responder, 0, sizeof(*responder));
	initiator->hs.initiator = true;
	memcpy(initiator->hs.peer_tls_sha256, keys[1]->tls_cert_sha256, 32);
	memcpy(initiator->hs.want_rsa_id, keys[1]->rsa_id_digest, 20);
	memcpy(initiator->hs.want_ed_id, keys[1]->ed_id, 32);
	initiator->hs.want_ed = true;
	initiator->hs.exporter = responder->hs.exporter = exporter;
	initiator->hs.exporter_arg = responder->hs.exporter_arg = connection;
	initiator->hs.peer_addr = addr_ipv4(0xc0000202);
	responder->hs.peer_addr = addr_ipv4(0xc0000201);
	responder->hs.own[0] = addr_ipv4(0xc0000202);
	responder->hs.own_count = 1;
	assert_int_equal(link_handshake_init(&initiator->hs, keys[0]), RC_OK);
	assert_int_equal(link_handshake_init(&responder->hs, keys[1]), RC_OK);
}

static void
ends_clear(struct end *initiator, struct end *responder)
{
	link_handshake_clear(&initiator->hs);
	link_handshake_clear(&responder->hs);
}

/* A change to a cell on its way: NULL leaves it. */
typedef void mangle_fn(struct cell *cell, uint8_t *bytes);

static enum rc
deliver(struct end *from, struct end *to, mangle_fn *mangle)
{
	uint8_t in[sizeof(from->buf)] = { 0 };
	struct rd rd = rd_from(span_of(in, from->len));
	struct wr out = wr_to(to->buf, sizeof(to->buf));
	struct cell cell;
	enum rc rc = RC_OK;

	memcpy(in, from->buf, from->len);
	from->len = 0;
	while (rc == RC_OK && cell_next(&rd, to->hs.step == LINK_WANT_VERSIONS, &cell) == RC_OK) {
		if (mangle != NULL)
			mangle(&cell, (uint8_t *)(uintptr_t)cell.body.data);
		rc = link_handshake_cell(&to->hs, &cell, NOW, &out);
	}
	to->len = wr_len(&out);
	return rc;
}

/* Talk until nobody has anything to say; the first error, and whose. */
static enum rc
talk(struct end *initiator, struct end *responder, mangle_fn *to_responder, mangle_fn *to_initiator)
{
	struct wr out = wr_to(initiator->buf, sizeof(initiator->buf));
	enum rc rc = RC_OK;

	link_handshake_start(&initiator->hs, &out);
	initiator->len = wr_len(&out);
	while (rc == RC_OK && (initiator->len != 0 || responder->len != 0)) {
		rc = deliver(initiator, responder, to_responder);
		if (rc == RC_OK && responder->len != 0)
			rc = deliver(responder, initiator, to_initiator);
	}
	return rc;
}

static void
test_relays_authenticate(void **state)
{
	struct end a, b;

	(void)state;
	ends_init(&a, &b);
	assert_int_equal(talk(&a, &b, NULL, NULL), RC_OK);
	assert_int_equal(a.hs.step, LINK_OPEN);
	assert_int_equal(b.hs.step, LINK_OPEN);
	assert_int_equal(a.hs.version, 5);
	assert_true(a.hs.authenticated && b.hs.authenticated);
	assert_memory_equal(b.hs.peer_rsa_id, keys[0]->rsa_id_digest, 20);
	assert_memory_equal(b.hs.peer_ed_id, keys[0]->ed_id, 32);
	assert_memory_equal(a.hs.peer_ed_id, keys[1]->ed_id, 32);
	assert_int_equal(a.hs.netinfo.own_count, 1);
	ends_clear(&a, &b);
}

static void
test_another_relay_is_refused(void **state)
{
	struct end a, b;

	(void)state;
	ends_init(&a, &b);
	a.hs.want_rsa_id[3] ^= 1;
	assert_int_equal(talk(&a, &b, NULL, NULL), RC_DENIED);
	ends_clear(&a, &b);
	ends_init(&a, &b);
	a.hs.want_ed_id[3] ^= 1;
	assert_int_equal(talk(&a, &b, NULL, NULL), RC_DENIED);
	ends_clear(&a, &b);
	/* the certificate of another TLS connection: somebody in the middle */
	ends_init(&a, &b);
	a.hs.peer_tls_sha256[0] ^= 1;
	assert_int_equal(talk(&a, &b, NULL, NULL), RC_CRYPTO);
	ends_clear(&a, &b);
}

static void
break_authenticate(struct cell *cell, uint8_t *bytes)
{
	if (cell->command == CELL_AUTHENTICATE)
		bytes[4 + 300] ^= 1; /* in the signature */
}

static void
break_secrets(struct cell *cell, uint8_t *bytes)
{
	if (cell->command == CELL_AUTHENTICATE)
		bytes[4 + 240] ^= 1; /* in TLSSECRETS */
}

static void
break_certs(struct cell *cell, uint8_t *bytes)
{
	if (cell->command == CELL_CERTS)
		bytes[cell->body.len - 1] ^= 1;
}

static void
drop_certs(struct cell *cell, uint8_t *bytes)
{
	if (cell->command == CELL_CERTS)
		bytes[0] = 2; /* only the first two remain */
}

static void
reorder(struct cell *cell, uint8_t *bytes)
{
	(void)bytes;
	if (cell->command == CELL_CERTS)
		cell->command = CELL_AUTHENTICATE;
}

static void
open_early(struct cell *cell, uint8_t *bytes)
{
	(void)bytes;
	if (cell->command == CELL_CERTS)
		cell->command = CELL_RELAY;
}

static void
test_damage_ends_the_link(void **state)
{
	static const struct {
		const char *what;
		mangle_fn *to_responder, *to_initiator;
		enum rc want;
	} vectors[] = {
		{ "signature of AUTHENTICATE", break_authenticate, NULL, RC_CRYPTO },
		{ "secrets in AUTHENTICATE", break_secrets, NULL, RC_CRYPTO },
		{ "initiator's certificates", break_certs, NULL, RC_CRYPTO },
		{ "responder's certificates", NULL, break_certs, RC_CRYPTO },
		{ "initiator's certificates missing", drop_certs, NULL, RC_CRYPTO },
		{ "responder's certificates missing", NULL, drop_certs, RC_CRYPTO },
		{ "AUTHENTICATE before CERTS", reorder, NULL, RC_PROTOCOL },
		{ "AUTHENTICATE from a responder", NULL, reorder, RC_PROTOCOL },
		{ "a relay cell in the handshake", open_early, NULL, RC_PROTOCOL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct end a, b;

		ends_init(&a, &b);
		enum rc rc = talk(&a, &b, vectors[i].to_responder, vectors[i].to_initiator);
		if (rc != vectors[i].want)
			fail_msg("%s: %s", vectors[i].what, rc_str(rc));
		assert_true(a.hs.why != NULL || b.hs.why != NULL);
		ends_clear(&a, &b);
	}
}

/* A client sends VERSIONS and NETINFO only, and stays anonymous. */
static void
test_client_stays_anonymous(void **state)
{
	struct end a, b;
	uint8_t bytes[CELL_LEN];
	struct wr wr = wr_to(bytes, sizeof(bytes));
	struct netinfo info = { .other = addr_ipv4(0xc0000202) };
	uint8_t body[CELL_BODY_LEN];
	struct wr body_wr = wr_to(body, sizeof(body));
	struct wr out = wr_to(a.buf, sizeof(a.buf));

	(void)state;
	ends_init(&a, &b);
	link_handshake_start(&a.hs, &out);
	a.len = wr_len(&out);
	assert_int_equal(deliver(&a, &b, NULL), RC_OK);
	netinfo_write_body(&body_wr, &info);
	cell_write(&wr, 0, CELL_NETINFO, wr_written(&body_wr));
	memcpy(a.buf, bytes, sizeof(bytes));
	a.len = sizeof(bytes);
	assert_int_equal(deliver(&a, &b, NULL), RC_OK);
	assert_int_equal(b.hs.step, LINK_OPEN);
	assert_false(b.hs.authenticated);
	ends_clear(&a, &b);
}

/* CERTS without AUTHENTICATE proves nothing. */
static void
test_certs_alone_prove_nothing(void **state)
{
	struct end a, b;

	(void)state;
	ends_init(&a, &b);
	struct wr out = wr_to(a.buf, sizeof(a.buf));
	link_handshake_start(&a.hs, &out);
	a.len = wr_len(&out);
	assert_int_equal(deliver(&a, &b, NULL), RC_OK);
	assert_int_equal(deliver(&b, &a, NULL), RC_OK);
	/* cut AUTHENTICATE out of CERTS, AUTHENTICATE, NETINFO */
	struct rd rd = rd_from(span_of(a.buf, a.len));
	struct cell certs, authenticate;
	assert_int_equal(cell_next(&rd, false, &certs), RC_OK);
	assert_int_equal(cell_next(&rd, false, &authenticate), RC_OK);
	assert_int_equal(authenticate.command, CELL_AUTHENTICATE);
	size_t cut = authenticate.wire.len, at = certs.wire.len;
	memmove(a.buf + at, a.buf + at + cut, a.len - at - cut);
	a.len -= cut;
	assert_int_equal(deliver(&a, &b, NULL), RC_OK);
	assert_int_equal(b.hs.step, LINK_OPEN);
	assert_true(b.hs.has_certs);
	assert_false(b.hs.authenticated);
	ends_clear(&a, &b);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int
make_keys(void **state)
{
	char why[256];

	(void)state;
	if (crypt_init() != RC_OK)
		return -1;
	for (unsigned i = 0; i < 2; i++) {
		if (mkdtemp(dirs[i]) == NULL ||
		    keystore_open(dirs[i], "tester", NOW, &stores[i], why, sizeof(why)) != RC_OK)
			return -1;
		keys[i] = keystore_current(stores[i]);
	}
	return 0;
}

static int
drop_keys(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		relay_keys_unref(&keys[i]);
		keystore_close(&stores[i]);
		nftw(dirs[i], remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relays_authenticate),
		cmocka_unit_test(test_another_relay_is_refused),
		cmocka_unit_test(test_damage_ends_the_link),
		cmocka_unit_test(test_client_stays_anonymous),
		cmocka_unit_test(test_certs_alone_prove_nothing),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
