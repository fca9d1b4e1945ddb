/* relay_test_circuits.c: circuits made by each handshake, and what of them is refused. */
#include <openssl/evp.h>
#include <string.h>

#include "relayd/tests/harness.h"

static struct relay *relay;

/* A path-bias probe is answered without any destination: it shows that a circuit works. */
static void
expect_works(struct peer_circuit *c)
{
	static const uint8_t want[] = { END_EXITPOLICY, 0, 1, 2, 3, 0, 0, 7, 8 };

	send_begin(c, 1, "0.1.2.3:25");
	expect_bytes(c, RELAY_END, 1, want, sizeof(want));
}

static void
test_fast(void **state)
{
	uint8_t x[FAST_REQUEST_LEN], secret[2 * 20 + 1], material[5 * 20], kh[20];
	struct peer *p = relay_link(relay);
	struct tor1_keys keys;
	struct peer_answer a;

	(void)state;
	memset(x, 0x5a, sizeof(x));
	peer_send_cell(p, 0x80000001, CELL_CREATE_FAST, x, sizeof(x));
	peer_wait(p, NULL, LONG_MS, &a);
	assert_int_equal(a.event, PEER_CELL);
	assert_int_equal(a.command, CELL_CREATED_FAST);
	memcpy(secret, x, 20);
	memcpy(secret + 20, a.data, 20);
	for (uint8_t i = 0; i < 5; i++) {
		secret[40] = i;
		assert_int_equal(
		    EVP_Digest(secret, sizeof(secret), material + i * 20, NULL, EVP_sha1(), NULL),
		    1);
	}
	memcpy(kh, material, 20);
	assert_memory_equal(a.data + 20, kh, 20);
	memcpy(keys.forward_digest, material + 20, 20);
	memcpy(keys.backward_digest, material + 40, 20);
	memcpy(keys.forward_key, material + 60, 16);
	memcpy(keys.backward_key, material + 76, 16);
	struct peer_circuit *c = peer_circuit_of(p, 0x80000001, &keys);
	expect_works(c);
	relay_circuit_end(&c);
}

/* Ask by ntor v3 with this message; the answer cell comes back, and the circuit if it was made.
 * reply: the decrypted reply message. */
static struct peer_circuit *
ask_ntor3(struct peer *p, struct span message, struct peer_answer *a, uint8_t *reply, size_t *len)
{
	struct ntor_client client = { .mac = { 0 } };
	uint8_t skin[400], material[92];
	struct wr wr = wr_to(skin, sizeof(skin));
	struct tor1_keys keys;
	struct span answer;

	memcpy(client.ed_id, relay->ed_id, 32);
	memcpy(client.onion, relay->target.onion, 32);
	assert_int_equal(ntor3_ask(&client, message, &wr), RC_OK);
	peer_create2(p, 0x80000001, HANDSHAKE_NTOR3, wr_written(&wr));
	peer_wait(p, NULL, LONG_MS, a);
	if (a->event != PEER_CELL)
		return NULL;
	assert_int_equal(a->command, CELL_CREATED2);
	assert_int_equal(created2_parse(span_of(a->data, a->len), &answer), RC_OK);
	assert_int_equal(
	    ntor3_finish(&client, answer, reply, 64, len, material, sizeof(material)), RC_OK);
	tor1_keys_from_material(material, &keys);
	return peer_circuit_of(p, 0x80000001, &keys);
}

#define STR(s) s, sizeof(s) - 1

static void
test_ntor3(void **state)
{
	static const struct {
		const char *what, *message;
		size_t len;
		bool is_made;
	} cases[] = {
		{ "no extension", STR("\0"), true },
		{ "an unknown extension", STR("\1\143\2ab"), true },
		{ "congestion control asked for, which we do not do", STR("\1\1\0"), true },
		{ "Relay=6 asked for", STR("\2\1\0\3\2\2\6"), false },
		{ "Relay=5 asked for", STR("\1\3\2\2\5"), false },
		{ "more extensions said than there are", STR("\3\1\0"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *p = relay_link(relay);
		struct peer_answer a;
		uint8_t reply[64];
		size_t len;
		struct peer_circuit *c =
		    ask_ntor3(p, span_of(cases[i].message, cases[i].len), &a, reply, &len);

		if ((c != NULL) != cases[i].is_made)
			fail_msg("%s: event %d", cases[i].what, (int)a.event);
		if (c == NULL) {
			assert_int_equal(a.event, PEER_DESTROYED);
			assert_int_equal(a.reason, DESTROY_PROTOCOL);
			peer_close(&p);
			continue;
		}
		assert_int_equal(len, 1); /* an empty list: no CC_RESPONSE above all */
		assert_int_equal(reply[0], 0);
		expect_works(c);
		relay_circuit_end(&c);
	}
}

static void
test_ids(void **state)
{
	struct peer *p = relay_link(relay);
	struct peer_circuit *c = peer_circuit_open(p, &relay->target, 0x80000001);
	struct peer_circuit *d = peer_circuit_open(p, &relay->target, 0xffffffff);
	uint8_t x[FAST_REQUEST_LEN] = { 0 };

	(void)state;
	peer_send_cell(p, 0x80000001, CELL_CREATE_FAST, x, sizeof(x)); /* in use: dropped */
	expect_works(c);
	expect_works(d);
	peer_send_cell(p, d->circid, CELL_DESTROY, "\0", 1);
	peer_circuit_free(&d);
	d = peer_circuit_open(p, &relay->target, 0xffffffff); /* free again */
	expect_works(d);
	expect_works(c);
	peer_circuit_free(&d);
	relay_circuit_end(&c);
}

/* Many circuits made at once on one link, each with keys of its own. */
static void
test_crowd(void **state)
{
	struct peer_circuit *c[50];
	struct peer *p = relay_link(relay);

	(void)state;
	for (uint32_t i = 0; i < 50; i++)
		c[i] = peer_circuit_open(p, &relay->target, 0x80000100 + i);
	for (unsigned i = 50; i-- > 0;)
		expect_works(c[i]);
	for (unsigned i = 0; i < 50; i++)
		peer_circuit_free(&c[i]);
	peer_close(&p);
}

static void
test_sendme(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	peer_relay(c, CELL_RELAY, RELAY_SENDME, 0, "\1\0\24aaaaaaaaaaaaaaaaaaaa", 23);
	expect_destroy(c, DESTROY_PROTOCOL); /* nothing was sent that it could be for */
	relay_circuit_end(&c);
}

/* Clients do not exit by one hop; and who minds strangers gives them none. */
static void
test_who_may_exit(void **state)
{
	static const char want[] = "\361\30Error resolving hostname\0\0\0\74";
	struct peer *p = peer_open_client(&relay->target);
	struct peer_circuit *c = peer_circuit_open(p, &relay->target, 0x80000001);

	(void)state;
	send_begin(c, 1, "0.1.2.3:25");
	expect_end(c, 1, END_TORPROTOCOL);
	peer_relay(c, CELL_RELAY, RELAY_RESOLVE, 2, "www.example.net", 15);
	expect_bytes(c, RELAY_RESOLVED, 2, want, sizeof(want) - 1);
	peer_relay(c, CELL_RELAY, RELAY_BEGIN_DIR, 3, "", 0);
	expect_end(c, 3, END_NOTDIRECTORY);
	relay_circuit_end(&c);
	struct relay *shy = relay_start("shy", "RefuseUnknownExits 1\n");
	c = relay_circuit(shy);
	send_begin(c, 1, "0.1.2.3:25");
	expect_end(c, 1, END_MISC);
	relay_circuit_end(&c);
	relay_stop(&shy);
}

static int
set_up(void **state)
{
	(void)state;
	names_start();
	relay = relay_start("circuits", "");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	relay_stop(&relay);
	names_stop();
	return 0;
}

int
run_circuits(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_ntor3),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_sendme),
		cmocka_unit_test(test_who_may_exit),
	};

	return cmocka_run_group_tests_name("circuits", tests, set_up, tear_down);
}
