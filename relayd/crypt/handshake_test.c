/* handshake_test.c: CREATE_FAST and ntor: vectors, both sides against each other, refusals. */
#include "relayd/crypt/handshake.h"

#include <sodium.h>

#include "relayd/crypt/ed25519.h"
#include "relayd/crypt/handshake_internal.h"
#include "relayd/crypt/testing.h"

static void
test_fast_vector(void **state)
{
	uint8_t x[20], y[20], reply[FAST_REPLY_LEN], want[92];
	struct tor1_keys keys;

	(void)state;
	memset(x, 0x11, sizeof(x));
	memset(y, 0x22, sizeof(y));
	/* vectors/fast_reference.py */
	unhex("2f60fbd1f87f25ca09b99ac9c14619ce6a5aeff818dd178a556819ff22452b08"
	      "22a4f736ecbececd8c5564d2362852d7b8a8f6f154b7e62c5012d809cb3690e3"
	      "1781ca0158d5a2d176ceb6080a154030f4f5782e1e53c845a59a4ffd",
	    want, sizeof(want));
	assert_int_equal(fast_answer_with(y, span_of(x, 20), reply, &keys), RC_OK);
	assert_memory_equal(reply, y, 20);
	assert_memory_equal(reply + 20, want, 20);
	assert_memory_equal(keys.nonce, want, 20);
	assert_memory_equal(keys.forward_digest, want + 20, 20);
	assert_memory_equal(keys.backward_digest, want + 40, 20);
	assert_memory_equal(keys.forward_key, want + 60, 16);
	assert_memory_equal(keys.backward_key, want + 76, 16);
}

static void
test_fast_lengths(void **state)
{
	uint8_t x[21] = { 0 }, reply[FAST_REPLY_LEN], first[FAST_REPLY_LEN];
	struct tor1_keys keys;

	(void)state;
	assert_int_equal(fast_answer(span_of(x, 19), reply, &keys), RC_SHORT);
	assert_int_equal(fast_answer(span_of(x, 21), reply, &keys), RC_TRAILING);
	assert_int_equal(fast_answer(span_of(x, 20), first, &keys), RC_OK);
	assert_int_equal(fast_answer(span_of(x, 20), reply, &keys), RC_OK);
	assert_memory_not_equal(first, reply, 20);
}

/* Values published with tor's reference of ntor. */
static const char ntor_b[] = "4820544f4c4420594f5520444f474954204b454550532048415050454e494e47";
static const char ntor_b_public[] =
    "ccbc8541904d18af08753eae967874749e6149f873de937f57f8fd903a21c471";
static const char ntor_x[] = "706f6461792069207075742e2e2e2e2e2e2e2e4a454c4c59206f6e2074686973";
static const char ntor_x_public[] =
    "e65dfdbef8b2635837fe2cebc086a8096eae3213e6830dc407516083d412b078";
static const char ntor_y[] = "70686520737175697272656c2e2e2e2e2e2e2e2e686173206869732067616d65";
static const char ntor_y_public[] =
    "390480a14362761d6aec1fea840f6e9e928fb2adb7b25c670be1045e35133a37";
static const char ntor_id[] = "69546f6c64596f7541626f75745374616972732e";
static const char ntor_reply[] = "390480a14362761d6aec1fea840f6e9e928fb2adb7b25c670be1045e35133a37"
				 "1cbdf68b89923e1f85e8e18ee6e805ea333fe4849c790ffd2670bd80fec95cc8";
static const char ntor_keys[] = "0c62dee7f48893370d0ef896758d35729867beef1a5121df80e00f79ed349af3"
				"9b51cae125719182f19d932a667dae1afbf2e336e6910e7822223e763afad0a1"
				"3342157969dc6b79";

static void
test_ntor_vector(void **state)
{
	struct onion_keys own = { 0 };
	struct ntor_client client = { 0 };
	struct curve_key y;
	uint8_t request[NTOR_REQUEST_LEN], reply[NTOR_REPLY_LEN], keys[72];

	(void)state;
	unhex(ntor_id, own.rsa_id, 20);
	unhex(ntor_b, own.onion.secret, 32);
	unhex(ntor_b_public, own.onion.public, 32);
	unhex(ntor_y, y.secret, 32);
	unhex(ntor_y_public, y.public, 32);
	unhex(ntor_id, client.rsa_id, 20);
	unhex(ntor_b_public, client.onion, 32);
	unhex(ntor_x, client.eph.secret, 32);
	unhex(ntor_x_public, client.eph.public, 32);
	unhex(ntor_id, request, 20);
	unhex(ntor_b_public, request + 20, 32);
	unhex(ntor_x_public, request + 52, 32);
	assert_int_equal(ntor_answer_with(&own, &y, span_of(request, sizeof(request)), reply, keys,
			     sizeof(keys)),
	    RC_OK);
	assert_hex(reply, sizeof(reply), ntor_reply);
	assert_hex(keys, sizeof(keys), ntor_keys);
	memset(keys, 0, sizeof(keys));
	assert_int_equal(
	    ntor_finish_with(&client, span_of(reply, sizeof(reply)), keys, sizeof(keys)), RC_OK);
	assert_hex(keys, sizeof(keys), ntor_keys);
}

static void
own_make(struct onion_keys *own)
{
	memset(own, 0, sizeof(*own));
	randombytes_buf(own->rsa_id, sizeof(own->rsa_id));
	curve_generate(&own->onion);
	curve_generate(&own->onion_old);
	own->has_old = true;
}

static void
client_make(const struct onion_keys *own, const struct curve_key *onion, struct ntor_client *c)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->rsa_id, own->rsa_id, sizeof(c->rsa_id));
	memcpy(c->onion, onion->public, sizeof(c->onion));
}

static void
test_ntor_both_sides(void **state)
{
	struct onion_keys own;
	struct ntor_client client;
	struct tor1_keys ours, theirs;
	uint8_t request[NTOR_REQUEST_LEN], reply[NTOR_REPLY_LEN];

	(void)state;
	own_make(&own);
	for (int old = 0; old < 2; old++) {
		client_make(&own, old ? &own.onion_old : &own.onion, &client);
		ntor_ask(&client, request);
		assert_int_equal(
		    ntor_answer(&own, span_of(request, sizeof(request)), reply, &ours), RC_OK);
		assert_int_equal(
		    ntor_finish(&client, span_of(reply, sizeof(reply)), &theirs), RC_OK);
		assert_memory_equal(&ours, &theirs, sizeof(ours));
		reply[40] ^= 1;
		assert_int_equal(
		    ntor_finish(&client, span_of(reply, sizeof(reply)), &theirs), RC_CRYPTO);
		assert_int_equal(ntor_finish(&client, span_of(reply, 63), &theirs), RC_SHORT);
	}
}

static void
test_ntor_refusals(void **state)
{
	static const uint8_t zero[NTOR_REPLY_LEN];
	struct onion_keys own;
	struct ntor_client client;
	struct tor1_keys keys;
	uint8_t request[NTOR_REQUEST_LEN + 1], reply[NTOR_REPLY_LEN], good[NTOR_REQUEST_LEN];

	(void)state;
	own_make(&own);
	client_make(&own, &own.onion_old, &client);
	ntor_ask(&client, good);
	memcpy(request, good, sizeof(good));
	assert_int_equal(ntor_answer(&own, span_of(request, 83), reply, &keys), RC_SHORT);
	assert_int_equal(ntor_answer(&own, span_of(request, 85), reply, &keys), RC_TRAILING);
	struct span in = span_of(request, NTOR_REQUEST_LEN);
	request[0] ^= 1; /* not our identity */
	assert_int_equal(ntor_answer(&own, in, reply, &keys), RC_CRYPTO);
	assert_memory_equal(reply, zero, sizeof(reply));
	memcpy(request, good, sizeof(good));
	request[51] ^= 1; /* not our onion key */
	assert_int_equal(ntor_answer(&own, in, reply, &keys), RC_CRYPTO);
	memcpy(request, good, sizeof(good));
	memset(request + 52, 0, 32); /* a point without shared secret */
	assert_int_equal(ntor_answer(&own, in, reply, &keys), RC_CRYPTO);
	request[52] = 1;
	assert_int_equal(ntor_answer(&own, in, reply, &keys), RC_CRYPTO);
	own.has_old = false;
	assert_int_equal(ntor_answer(&own, span_of(good, sizeof(good)), reply, &keys), RC_CRYPTO);
	own.has_old = true;
	assert_int_equal(ntor_answer(&own, span_of(good, sizeof(good)), reply, &keys), RC_OK);
	memset(reply, 0, 32);
	assert_int_equal(ntor_finish(&client, span_of(reply, sizeof(reply)), &keys), RC_CRYPTO);
}

static void
test_material_order(void **state)
{
	uint8_t material[92];
	struct tor1_keys keys;

	(void)state;
	for (size_t i = 0; i < sizeof(material); i++)
		material[i] = (uint8_t)i;
	tor1_keys_from_material(material, &keys);
	assert_memory_equal(keys.forward_digest, material, 20);
	assert_memory_equal(keys.backward_digest, material + 20, 20);
	assert_memory_equal(keys.forward_key, material + 40, 16);
	assert_memory_equal(keys.backward_key, material + 56, 16);
	assert_memory_equal(keys.nonce, material + 72, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast_vector),
		cmocka_unit_test(test_fast_lengths),
		cmocka_unit_test(test_ntor_vector),
		cmocka_unit_test(test_ntor_both_sides),
		cmocka_unit_test(test_ntor_refusals),
		cmocka_unit_test(test_material_order),
	};

	return crypt_init() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
