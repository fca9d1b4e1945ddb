/* tor1_test.c: relay cell crypto: a vector over 51 cells and three hops, and both directions. */
#include "relayd/crypt/tor1.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>

#include "relayd/crypt/ed25519.h"
#include "relayd/crypt/testing.h"

#define HOPS  3
#define CELLS 51

static const char *const hop_keys[HOPS] = {
	"    'My public key is in this signed x509 object', said Tom assertively.      "
	"(N-PREG-VIRYL)",
	"'Let's chart the pedal phlanges in the tomb', said Tom cryptographically.  "
	"(PELCG-GBR-TENCU)",
	"     'Segmentation fault bugs don't _just happen_', said Tom seethingly.        "
	"(P-GUVAT-YL)",
};
static const char payload_seed[] =
    "'You mean to tell me that there's a version of Sha-3 with no limit on the output length?', "
    "said Tom shakily.";

static void
hops_make(struct tor1 *hops[HOPS])
{
	for (size_t i = 0; i < HOPS; i++) {
		struct tor1_keys keys;

		tor1_keys_from_material((const uint8_t *)hop_keys[i], &keys);
		hops[i] = tor1_new(&keys);
		assert_non_null(hops[i]);
	}
}

static void
hops_free(struct tor1 *hops[HOPS])
{
	for (size_t i = 0; i < HOPS; i++)
		tor1_free(&hops[i]);
	tor1_free(&hops[0]);
	assert_null(hops[0]);
}

/* DATA, stream 1, 498 bytes. */
static void
body_make(uint8_t body[TOR1_BODY_LEN], const uint8_t payload[498])
{
	static const uint8_t header[] = { 2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 242 };

	memcpy(body, header, sizeof(header));
	memcpy(body + sizeof(header), payload, 498);
}

/* Client seals for hop 2; the first two pass it on, the third recognises it. The encrypted bodies
 * must hash to what vectors/tor1_reference.py computes. */
static void
test_vector(void **state)
{
	static uint8_t payload[CELLS * 498];
	struct tor1 *client[HOPS], *relay[HOPS];
	uint8_t body[TOR1_BODY_LEN], plain[TOR1_BODY_LEN], digest[32], sealed[20], opened[20];
	crypto_hash_sha256_state hash;
	EVP_MD_CTX *shake = EVP_MD_CTX_new();

	(void)state;
	assert_int_equal(EVP_DigestInit_ex(shake, EVP_shake256(), NULL), 1);
	assert_int_equal(EVP_DigestUpdate(shake, payload_seed, strlen(payload_seed)), 1);
	assert_int_equal(EVP_DigestFinalXOF(shake, payload, sizeof(payload)), 1);
	EVP_MD_CTX_free(shake);
	hops_make(client);
	hops_make(relay);
	crypto_hash_sha256_init(&hash);
	for (size_t i = 0; i < CELLS; i++) {
		body_make(body, payload + i * 498);
		memcpy(plain, body, sizeof(plain));
		tor1_client_seal(client[2], body, sealed);
		tor1_client_pass(client[1], body);
		tor1_client_pass(client[0], body);
		crypto_hash_sha256_update(&hash, body, sizeof(body));
		assert_false(tor1_forward_receive(relay[0], body, NULL));
		assert_false(tor1_forward_receive(relay[1], body, NULL));
		assert_true(tor1_forward_receive(relay[2], body, opened));
		assert_memory_equal(sealed, opened, sizeof(sealed));
		assert_memory_equal(body + 5, sealed, 4); /* the field stays */
		memcpy(plain + 5, sealed, 4);
		assert_memory_equal(body, plain, sizeof(body));
	}
	crypto_hash_sha256_final(&hash, digest);
	assert_hex(digest, 32, "f7d84d2fc9dc276a51d2f057b3ebe209a75765b9e824ca751656f561efb22576");
	assert_hex(sealed, 20, "baf820fd38668e73e6b783ac68870da1cc2fa0cb");
	hops_free(client);
	hops_free(relay);
}

/* Cells from all three hops, mixed; each is recognised by the layer that made it. */
static void
test_backward(void **state)
{
	struct tor1 *client[HOPS], *relay[HOPS];
	uint8_t body[TOR1_BODY_LEN], payload[498], made[20], seen[20];

	(void)state;
	hops_make(client);
	hops_make(relay);
	for (size_t i = 0; i < 60; i++) {
		size_t from = (i * 7 + i / 5) % HOPS, at = from;

		memset(payload, (int)i, sizeof(payload));
		body_make(body, payload);
		tor1_backward_originate(relay[from], body, made);
		while (at-- > 0)
			tor1_backward_relay(relay[at], body);
		for (at = 0; at < from; at++)
			assert_false(tor1_client_open(client[at], body, NULL));
		assert_true(tor1_client_open(client[from], body, seen));
		assert_memory_equal(made, seen, sizeof(made));
		assert_memory_equal(body + 11, payload, sizeof(payload));
	}
	hops_free(client);
	hops_free(relay);
}

/* A cell that only looks recognised must not move the running digest. */
static void
test_false_alarm(void **state)
{
	struct tor1 *client[HOPS], *relay[HOPS];
	uint8_t body[TOR1_BODY_LEN], payload[498] = { 0 };

	(void)state;
	hops_make(client);
	hops_make(relay);
	for (size_t i = 0; i < 10; i++) {
		body_make(body, payload);
		body[5] = 1; /* recognised is 0, the digest is wrong */
		tor1_client_pass(client[0], body);
		assert_false(tor1_forward_receive(relay[0], body, NULL));
		assert_int_equal(body[5], 1);
		body_make(body, payload);
		tor1_client_seal(client[0], body, NULL);
		assert_true(tor1_forward_receive(relay[0], body, NULL));
		body_make(body, payload);
		tor1_client_seal(client[0], body, NULL);
		body[508] ^= 1; /* flipped on the way */
		assert_false(tor1_forward_receive(relay[0], body, NULL));
		hops_free(client);
		hops_free(relay);
		hops_make(client);
		hops_make(relay);
	}
	hops_free(client);
	hops_free(relay);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_backward),
		cmocka_unit_test(test_false_alarm),
	};

	return crypt_init() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
