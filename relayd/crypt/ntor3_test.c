/* ntor3_test.c: ntor v3: the published vector, both sides against each other, extensions. */
#include "relayd/crypt/handshake.h"

#include <sodium.h>

#include "relayd/crypt/ed25519.h"
#include "relayd/crypt/handshake_internal.h"
#include "relayd/crypt/testing.h"

/* Values published with tor (its ntor v3 test). */
static const char v_b[] = "4051daa5921cfa2a1c27b08451324919538e79e788a81b38cbed097a5dff454a";
static const char v_b_public[] = "f8307a2bc1870b00b828bb74dbb8fd88e632a6375ab3bcd1ae706aaa8b6cdd1d";
static const char v_id[] = "9fad2af287ef942632833d21f946c6260c33fae6172b60006e86e4a6911753a2";
static const char v_x[] = "b825a3719147bcbe5fb1d0b0fcb9c09e51948048e2e3283d2ab7b45b5ef38b49";
static const char v_x_public[] = "252fe9ae91264c91d4ecb8501f79d0387e34ad8ca0f7c995184f7d11d5da4f46";
static const char v_y[] = "4865a5b7689dafd978f529291c7171bc159be076b92186405d13220b80e2a053";
static const char v_y_public[] = "4bf4814326fdab45ad5184f5518bd7fae25dc59374062698201a50a22954246d";
static const char v_request[] = "9fad2af287ef942632833d21f946c6260c33fae6172b60006e86e4a6911753a2"
				"f8307a2bc1870b00b828bb74dbb8fd88e632a6375ab3bcd1ae706aaa8b6cdd1d"
				"252fe9ae91264c91d4ecb8501f79d0387e34ad8ca0f7c995184f7d11d5da4f46"
				"3bebd9151fd3b47c180abc9e044d53565f04d82bbb3bebed3d06cea65db8be9c"
				"72b68cd461942088502f67";
static const char v_reply[] = "4bf4814326fdab45ad5184f5518bd7fae25dc59374062698201a50a22954246d"
			      "2fc5f8773ca824542bc6cf6f57c7c29bbf4e5476461ab130c5b18ab0a9127665"
			      "1202c3e1e87c0d32054c";
static const char v_keys[] = "9c19b631fd94ed86a817e01f6c80b0743a43f5faebd39cfaa8b00fa8bcc65c3b"
			     "feaa403d91acbd68a821bf6ee8504602b094a254392a07737d5662768c7a9fb1"
			     "b2814bb34780eaee6e867c773e28c212ead563e98a1cd5d5b4576f5ee61c59bd"
			     "e025ff2851bb19b721421694f263818e3531e43a9e4e3e2c661e2ad547d8984c"
			     "aa28ebecd3e4525452299be26b9185a20a90ce1eac20a91f2832d731b54502b0"
			     "9749b5a2a2949292f8cfcbeffb790c7790ed935a9d251e7e336148ea83b063a5"
			     "618fcff674a44581585fd22077ca0e52c59a24347a38d1a1ceebddbf238541f2"
			     "26b8f88d0fb9c07a1bcd2ea764bbbb5dacdaf5312a14c0b9e4f06309b0333b4a";

static void
test_vector(void **state)
{
	struct onion_keys own = { 0 };
	struct ntor_client client = { 0 };
	struct ntor3_opened opened;
	struct curve_key y;
	struct span ver = span_of_str("xyzzy");
	uint8_t request[256], reply[256], message[NTOR3_MESSAGE_MAX], keys[256];
	struct wr wr = wr_to(request, sizeof(request));
	size_t len;

	(void)state;
	unhex(v_id, own.ed_id, 32);
	unhex(v_b, own.onion.secret, 32);
	unhex(v_b_public, own.onion.public, 32);
	unhex(v_y, y.secret, 32);
	unhex(v_y_public, y.public, 32);
	unhex(v_id, client.ed_id, 32);
	unhex(v_b_public, client.onion, 32);
	unhex(v_x, client.eph.secret, 32);
	unhex(v_x_public, client.eph.public, 32);

	assert_int_equal(ntor3_ask_with(&client, ver, span_of_str("hello world"), &wr), RC_OK);
	assert_int_equal(wr_len(&wr), strlen(v_request) / 2);
	assert_hex(request, wr_len(&wr), v_request);
	assert_int_equal(ntor3_open(&own, ver, wr_written(&wr), &opened, message, &len), RC_OK);
	assert_true(span_equal_str(span_of(message, len), "hello world"));

	wr = wr_to(reply, sizeof(reply));
	assert_int_equal(
	    ntor3_seal(&own, &opened, &y, ver, span_of_str("Hola Mundo"), &wr, keys, sizeof(keys)),
	    RC_OK);
	assert_int_equal(wr_len(&wr), strlen(v_reply) / 2);
	assert_hex(reply, wr_len(&wr), v_reply);
	assert_hex(keys, sizeof(keys), v_keys);
	memset(keys, 0, sizeof(keys));
	assert_int_equal(ntor3_finish_with(&client, ver, wr_written(&wr), message, sizeof(message),
			     &len, keys, sizeof(keys)),
	    RC_OK);
	assert_true(span_equal_str(span_of(message, len), "Hola Mundo"));
	assert_hex(keys, sizeof(keys), v_keys);
}

static const struct ntor3_policy policy_all = { true, 31, true };
static const struct ntor3_policy policy_cc = { true, 31, false };
static const struct ntor3_policy policy_none = { false, 31, false };

static const struct {
	const char *what, *message;
	const struct ntor3_policy *policy;
	enum rc want;
	const char *reply;
	bool cc, cgo;
} extensions[] = {
	{ "empty list", "00", &policy_all, RC_OK, "00", false, false },
	{ "nothing at all", "", &policy_all, RC_SHORT, "", false, false },
	{ "CC", "010100", &policy_cc, RC_OK, "0102011f", true, false },
	{ "CC, not wanted by us", "010100", &policy_none, RC_OK, "00", false, false },
	{ "CC with a body", "010101aa", &policy_cc, RC_OK, "0102011f", true, false },
	{ "unknown", "016303aabbcc", &policy_all, RC_OK, "00", false, false },
	{ "unknown and CC", "0201006300", &policy_all, RC_OK, "0102011f", true, false },
	{ "bytes after the list", "00ff", &policy_all, RC_OK, "00", false, false },
	{ "CC and CGO", "02010003020206", &policy_all, RC_OK, "0102011f", true, true },
	{ "CGO that we do not do", "02010003020206", &policy_cc, RC_UNSUPPORTED, "", false, false },
	{ "CGO without CC", "0103020206", &policy_all, RC_UNSUPPORTED, "", false, false },
	{ "CGO, but we do no CC", "02010003020206", &policy_none, RC_UNSUPPORTED, "", false,
	    false },
	{ "Relay=5", "02010003020205", &policy_all, RC_UNSUPPORTED, "", false, false },
	{ "CGO twice",
	    "0201000304"
	    "02060206",
	    &policy_all, RC_UNSUPPORTED, "", false, false },
	{ "unsorted",
	    "0201000304"
	    "02060205",
	    &policy_all, RC_UNSUPPORTED, "", false, false },
	{ "half a pair",
	    "0201000303"
	    "020602",
	    &policy_all, RC_UNSUPPORTED, "", false, false },
	{ "no pairs",
	    "0103"
	    "00",
	    &policy_all, RC_OK, "00", false, false },
	{ "two SUBPROTO",
	    "0303000300"
	    "0100",
	    &policy_all, RC_UNSUPPORTED, "", false, false },
	{ "fewer than counted", "020100", &policy_all, RC_SHORT, "", false, false },
	{ "body beyond the end", "0163ff", &policy_all, RC_SHORT, "", false, false },
};

static void
test_negotiate(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		uint8_t in[64], out[16], want[16];
		struct wr wr = wr_to(out, sizeof(out));
		struct ntor3_outcome outcome;
		size_t len, want_len;

		assert_int_equal(
		    hex_decode(span_of_str(extensions[i].message), in, sizeof(in), &len), RC_OK);
		assert_int_equal(
		    hex_decode(span_of_str(extensions[i].reply), want, sizeof(want), &want_len),
		    RC_OK);
		enum rc rc = ntor3_negotiate(span_of(in, len), extensions[i].policy, &wr, &outcome);
		if (rc != extensions[i].want)
			fail_msg("%s: %s", extensions[i].what, rc_str(rc));
		if (!span_equal(wr_written(&wr), span_of(want, want_len)))
			fail_msg("%s: another reply", extensions[i].what);
		if (outcome.cc != extensions[i].cc || outcome.cgo != extensions[i].cgo)
			fail_msg("%s: another outcome", extensions[i].what);
	}
}

static void
own_make(struct onion_keys *own)
{
	memset(own, 0, sizeof(*own));
	randombytes_buf(own->ed_id, sizeof(own->ed_id));
	curve_generate(&own->onion);
	curve_generate(&own->onion_old);
	own->has_old = true;
}

static void
client_make(const struct onion_keys *own, const struct curve_key *onion, struct ntor_client *c)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->ed_id, own->ed_id, sizeof(c->ed_id));
	memcpy(c->onion, onion->public, sizeof(c->onion));
}

static void
test_both_sides(void **state)
{
	static const uint8_t ask_cc[] = { 1, 1, 0 };
	struct onion_keys own;
	struct ntor_client client;
	struct ntor3_outcome outcome;
	uint8_t request[512], reply[512], message[16], ours[92], theirs[92];
	size_t len;

	(void)state;
	own_make(&own);
	for (int old = 0; old < 2; old++) {
		struct wr ask = wr_to(request, sizeof(request));
		struct wr answer = wr_to(reply, sizeof(reply));

		client_make(&own, old ? &own.onion_old : &own.onion, &client);
		assert_int_equal(ntor3_ask(&client, span_of(ask_cc, 3), &ask), RC_OK);
		assert_int_equal(wr_len(&ask), 131);
		assert_int_equal(ntor3_answer(&own, wr_written(&ask), &policy_cc, &answer, &outcome,
				     ours, sizeof(ours)),
		    RC_OK);
		assert_true(outcome.cc);
		assert_int_equal(wr_len(&answer), 68);
		assert_int_equal(ntor3_finish(&client, wr_written(&answer), message,
				     sizeof(message), &len, theirs, sizeof(theirs)),
		    RC_OK);
		assert_memory_equal(ours, theirs, sizeof(ours));
		assert_hex(message, len, "0102011f");
		assert_int_equal(ntor3_finish(&client, wr_written(&answer), message, 3, &len,
				     theirs, sizeof(theirs)),
		    RC_LIMIT);
		for (size_t at = 0; at < 68; at++) {
			reply[at] ^= 4;
			assert_int_equal(ntor3_finish(&client, wr_written(&answer), message,
					     sizeof(message), &len, theirs, sizeof(theirs)),
			    RC_CRYPTO);
			reply[at] ^= 4;
		}
	}
}

static void
test_refusals(void **state)
{
	static const uint8_t empty[1], bad[] = { 1, 3, 2, 2, 5 }, zero[92];
	struct onion_keys own;
	struct ntor_client client;
	struct ntor3_outcome outcome;
	uint8_t request[600] = { 0 }, reply[512], keys[92];
	struct wr ask = wr_to(request, sizeof(request)), answer = wr_to(reply, sizeof(reply));

	(void)state;
	own_make(&own);
	client_make(&own, &own.onion, &client);
	assert_int_equal(ntor3_ask(&client, span_of(empty, 1), &ask), RC_OK);
	for (size_t at = 0; at < wr_len(&ask); at += 3) {
		request[at] ^= 0x10;
		assert_int_equal(ntor3_answer(&own, wr_written(&ask), &policy_cc, &answer, &outcome,
				     keys, sizeof(keys)),
		    RC_CRYPTO);
		request[at] ^= 0x10;
	}
	for (size_t len = 0; len < wr_len(&ask); len++) {
		enum rc rc = ntor3_answer(
		    &own, span_of(request, len), &policy_cc, &answer, &outcome, keys, sizeof(keys));
		assert_int_equal(rc, len < 128 ? RC_SHORT : RC_CRYPTO);
	}
	assert_int_equal(ntor3_answer(&own, span_of(request, 529), &policy_cc, &answer, &outcome,
			     keys, sizeof(keys)),
	    RC_LIMIT);
	assert_int_equal(wr_len(&answer), 0);
	answer = wr_to(reply, 64);
	assert_int_equal(
	    ntor3_answer(&own, wr_written(&ask), &policy_cc, &answer, &outcome, keys, sizeof(keys)),
	    RC_LIMIT);
	assert_memory_equal(keys, zero, sizeof(keys));

	ask = wr_to(request, sizeof(request));
	answer = wr_to(reply, sizeof(reply));
	assert_int_equal(ntor3_ask(&client, span_of(bad, sizeof(bad)), &ask), RC_OK);
	assert_int_equal(ntor3_answer(&own, wr_written(&ask), &policy_all, &answer, &outcome, keys,
			     sizeof(keys)),
	    RC_UNSUPPORTED);
}

/* A client point of small order: the MAC can be made by anybody, the handshake still fails. */
static void
test_small_order(void **state)
{
	struct onion_keys own;
	struct ntor_client client;
	struct ntor3_opened opened = { .good = false };
	struct curve_key y;
	uint8_t reply[128], keys[92];
	struct wr wr = wr_to(reply, sizeof(reply));

	(void)state;
	own_make(&own);
	client_make(&own, &own.onion, &client);
	curve_generate(&y);
	assert_int_equal(ntor3_seal(&own, &opened, &y, span_of_str("v"), span_of_str("m"), &wr,
			     keys, sizeof(keys)),
	    RC_CRYPTO);
	assert_int_equal(wr_len(&wr), 0);
	memset(client.onion, 0, sizeof(client.onion));
	assert_int_equal(ntor3_ask(&client, span_of_str("m"), &wr), RC_CRYPTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_negotiate),
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_small_order),
	};

	return crypt_init() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
