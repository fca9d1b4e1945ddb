/* relay_test_hops.c: the relay as a middle, with the test at both ends: a client before it and,
 * over the link of another identity, the next hop behind it. Shows what is passed on as it is. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relayd/tests/harness.h"

#define SKIN_LEN  400
#define REPLY_LEN 300
#define FLOOD_MAX 60000 /* cells, many times what a queue may hold */

static struct relay *relay;

/* A circuit through the relay, seen from both ends. */
struct both {
	struct peer_circuit *client;
	struct peer *next;
	uint32_t circid;     /* on the next hop's link */
	struct tor1 *crypto; /* the next hop's */
};

static void
send_extend(struct peer_circuit *c, const struct addr_port *at, uint16_t type, struct span skin)
{
	const struct relay_keys *keys = identity(1);
	uint8_t body[RELAY_DATA_MAX];
	struct wr wr = wr_to(body, sizeof(body));

	wr_u8(&wr, 4);
	wr_u16(&wr, 0x0004 | 99 << 8); /* an unknown specifier of four bytes: skipped */
	wr_u32(&wr, 0);
	wr_u16(&wr, 0x0006); /* address and port */
	wr_bytes(&wr, at->addr.bytes, 4);
	wr_u16(&wr, at->port);
	wr_u16(&wr, 0x0214); /* RSA id */
	wr_bytes(&wr, keys->rsa_id_digest, 20);
	wr_u16(&wr, 0x0320); /* Ed25519 id */
	wr_bytes(&wr, keys->ed_id, 32);
	wr_u16(&wr, type);
	wr_u16(&wr, (uint16_t)skin.len);
	wr_span(&wr, skin);
	assert_int_equal(wr.rc, RC_OK);
	peer_relay(c, CELL_RELAY_EARLY, RELAY_EXTEND2, 0, body, wr_len(&wr));
}

/* The next cell of the next hop's link. */
static void
expect_cell(struct both *b, uint8_t command, struct peer_answer *a)
{
	peer_wait(b->next, NULL, LONG_MS, a);
	if (a->command != command)
		fail_msg(
		    "wanted cell %u, got event %d, cell %u", command, (int)a->event, a->command);
}

/* A circuit to the relay, asked on to us; what the next hop is asked with is checked. */
static void
ask(struct both *b)
{
	struct addr_port at = { addr_ipv4(0x7f000001), 9 }; /* the open link is used, not this */
	uint8_t skin[SKIN_LEN];
	struct create2 create;
	struct peer_answer a;

	memset(b, 0, sizeof(*b));
	b->next = peer_open(&relay->target, identity(1));
	struct peer_circuit *own = peer_circuit_open(b->next, &relay->target, 0x80000001);
	peer_circuit_free(&own); /* its link is up for certain */
	b->client = relay_circuit(relay);
	pattern_fill(skin, 0, sizeof(skin));
	send_extend(b->client, &at, 0x1234, span_of(skin, sizeof(skin)));
	expect_cell(b, CELL_CREATE2, &a);
	b->circid = a.circid;
	assert_true(b->circid != 0 && (b->circid & 0x80000000u) == 0); /* we made the link */
	assert_int_equal(create2_parse(span_of(a.data, a.len), &create), RC_OK);
	assert_int_equal(create.handshake_type, 0x1234);
	assert_int_equal(create.onion_skin.len, SKIN_LEN);
	assert_true(pattern_is(create.onion_skin.data, 0, SKIN_LEN));
}

/* And answered: what the client gets is checked. Both ends then share keys made up here. */
static void
open_both(struct both *b)
{
	uint8_t body[CELL_BODY_LEN];
	struct tor1_keys keys;
	struct peer_answer a;

	ask(b);
	put_u16(body, REPLY_LEN);
	pattern_fill(body + 2, 7, REPLY_LEN);
	peer_send_cell(b->next, b->circid, CELL_CREATED2, body, 2 + REPLY_LEN);
	expect_message(b->client, RELAY_EXTENDED2, 0, &a);
	assert_int_equal(a.len, 2 + REPLY_LEN);
	assert_memory_equal(a.data, body, 2 + REPLY_LEN);
	memset(&keys, 0x42, sizeof(keys));
	peer_circuit_add_hop(b->client, &keys);
	b->crypto = tor1_new(&keys);
	assert_non_null(b->crypto);
}

/* Close it and wait until the relay has: it must not be offered to the next test. */
static void
hang_up(struct peer **p)
{
	char buf[4096];

	shutdown((*p)->fd, SHUT_WR);
	while (recv((*p)->fd, buf, sizeof(buf), 0) > 0)
		continue;
	peer_close(p);
}

static void
close_both(struct both *b)
{
	tor1_free(&b->crypto);
	hang_up(&b->next);
	relay_circuit_end(&b->client);
}

static void
send_back(struct both *b, uint8_t cell, const char *text)
{
	uint8_t body[CELL_BODY_LEN] = { 0 };

	relay_msg_write_head(body, RELAY_DATA, 5, (uint16_t)strlen(text));
	memcpy(body + RELAY_HEAD_LEN, text, strlen(text));
	tor1_backward_originate(b->crypto, body, NULL);
	peer_send_cell(b->next, b->circid, cell, body, sizeof(body));
}

static void
test_passes_on(void **state)
{
	static const uint8_t cells[] = { CELL_RELAY, CELL_RELAY_EARLY, CELL_RELAY };
	struct both b;
	struct relay_msg msg;
	struct peer_answer a;

	(void)state;
	open_both(&b);
	for (size_t i = 0; i < sizeof(cells); i++) {
		peer_relay(b.client, cells[i], 99, 5, "onwards", 7);
		expect_cell(&b, cells[i], &a); /* early stays early */
		assert_int_equal(a.circid, b.circid);
		assert_true(tor1_forward_receive(b.crypto, a.data, NULL));
		assert_int_equal(relay_msg_parse(a.data, &msg), RC_OK);
		assert_int_equal(msg.command, 99);
		assert_memory_equal(msg.data.data, "onwards", 7);
		send_back(&b, CELL_RELAY, "and back");
		expect_message(b.client, RELAY_DATA, 5, &a);
		assert_int_equal(a.hop, 1);
		assert_memory_equal(a.data, "and back", 8);
	}
	/* Cells for circuits that there are not. */
	peer_send_cell(b.next, b.circid ^ 1, CELL_RELAY, a.data, sizeof(a.data));
	peer_send_cell(b.next, b.circid ^ 1, CELL_CREATED2, a.data, sizeof(a.data));
	peer_send_cell(b.next, b.circid ^ 1, CELL_DESTROY, "\1", 1);
	expect_nothing(b.client);
	send_back(&b, CELL_RELAY, "still there");
	expect_message(b.client, RELAY_DATA, 5, &a);
	close_both(&b);
}

/* The next hop breaks the rules, gives up or goes. */
static void
test_next_ends_it(void **state)
{
	static const uint8_t wants[] = { DESTROY_PROTOCOL, DESTROY_PROTOCOL, DESTROY_DESTROYED,
		DESTROY_CHANNEL_CLOSED };
	struct peer_answer a;
	struct both b;

	(void)state;
	for (unsigned i = 0; i < sizeof(wants); i++) {
		open_both(&b);
		switch (i) {
		case 0: /* RELAY_EARLY goes forward only */
			send_back(&b, CELL_RELAY_EARLY, "x");
			break;
		case 1: /* once is enough: a second one would be words put into our mouth */
			peer_send_cell(b.next, b.circid, CELL_CREATED2, "\0\1x", 3);
			break;
		case 2: /* reasons are not passed on */
			peer_send_cell(b.next, b.circid, CELL_DESTROY, "\3", 1);
			break;
		case 3:
			shutdown(b.next->fd, SHUT_WR);
			break;
		}
		expect_destroy(b.client, wants[i]);
		if (i < 2) {
			expect_cell(&b, CELL_DESTROY, &a);
			assert_int_equal(a.circid, b.circid);
		}
		close_both(&b);
	}
}

static void
test_next_answers_badly(void **state)
{
	struct peer_answer a;
	struct both b;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		ask(&b);
		if (i == 0) /* longer than its cell */
			peer_send_cell(b.next, b.circid, CELL_CREATED2, "\377\377", 2);
		else if (i == 1) /* fits its cell, but not into EXTENDED2 */
			peer_send_cell(b.next, b.circid, CELL_CREATED2, "\1\373", 2);
		else /* talks before it has answered */
			peer_send_cell(b.next, b.circid, CELL_RELAY, "\1", 1);
		expect_destroy(b.client, DESTROY_PROTOCOL);
		expect_cell(&b, CELL_DESTROY, &a);
		close_both(&b);
	}
	ask(&b);
	peer_send_cell(b.next, b.circid, CELL_DESTROY, "\5", 1);
	expect_destroy(b.client, DESTROY_DESTROYED);
	close_both(&b);
}

static void
test_client_ends_it(void **state)
{
	static const uint8_t requested = DESTROY_REQUESTED;
	struct peer_answer a;
	struct both b;

	(void)state;
	open_both(&b);
	peer_send_cell(b.client->peer, b.client->circid, CELL_DESTROY, "\11", 1);
	expect_cell(&b, CELL_DESTROY, &a);
	assert_int_equal(a.circid, b.circid);
	assert_int_equal(a.reason, DESTROY_DESTROYED);
	close_both(&b);
	open_both(&b);
	peer_relay_to(b.client, 0, CELL_RELAY, RELAY_TRUNCATE, 0, "\11", 1);
	expect_cell(&b, CELL_DESTROY, &a);
	assert_int_equal(a.reason, DESTROY_FINISHED); /* as the client says */
	expect_bytes(b.client, RELAY_TRUNCATED, 0, &requested, 1);
	send_back(&b, CELL_RELAY, "too late");
	expect_nothing(b.client);
	close_both(&b);
	open_both(&b); /* the client's link goes */
	shutdown(b.client->peer->fd, SHUT_RDWR);
	expect_cell(&b, CELL_DESTROY, &a);
	assert_int_equal(a.reason, DESTROY_CHANNEL_CLOSED);
	close_both(&b);
}

static void
read_little(const struct peer *p)
{
	int size = 65536;

	assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
}

/* Who sends on towards somebody that does not read fills one queue, whose end is the circuit's. */
static void
test_full_queues(void **state)
{
	struct peer_answer a = { .event = PEER_NOTHING };
	struct both b;

	(void)state;
	open_both(&b);
	read_little(b.next);
	for (unsigned i = 0; i < FLOOD_MAX && a.event == PEER_NOTHING; i++) {
		peer_relay(b.client, CELL_RELAY, RELAY_DATA, 5, "x", 1);
		if (i % 100 == 0)
			peer_wait(b.client->peer, b.client, 1, &a);
	}
	assert_int_equal(a.event, PEER_DESTROYED);
	assert_int_equal(a.reason, DESTROY_RESOURCELIMIT);
	do
		peer_wait(b.next, NULL, LONG_MS, &a); /* what was on its way, then the end */
	while (a.event == PEER_CELL);
	assert_int_equal(a.event, PEER_DESTROYED);
	close_both(&b);

	open_both(&b);
	read_little(b.client->peer);
	a.event = PEER_NOTHING;
	for (unsigned i = 0; i < FLOOD_MAX && a.event == PEER_NOTHING; i++) {
		send_back(&b, CELL_RELAY, "x");
		if (i % 100 == 0)
			peer_wait(b.next, NULL, 1, &a);
	}
	assert_int_equal(a.event, PEER_DESTROYED);
	assert_int_equal(a.reason, DESTROY_RESOURCELIMIT);
	expect_destroy(b.client, DESTROY_RESOURCELIMIT);
	close_both(&b);
}

/* While the next hop has not answered: no second one, but it can be cut off and asked anew. What
 * becomes of the first one later changes nothing. */
static void
test_pending(void **state)
{
	static const uint8_t requested = DESTROY_REQUESTED;
	struct peer_circuit *c = relay_circuit(relay);
	struct addr_port at = { addr_ipv4(0x7f000001), 0 };
	struct server silent;
	struct peer_answer a;
	struct both b = { .client = c };

	(void)state;
	server_open(&silent);
	at.port = silent.port;
	send_extend(c, &at, 2, span_of("x", 1));
	int fd = server_accept(&silent); /* it connects, and hears nothing */
	peer_relay(c, CELL_RELAY, RELAY_TRUNCATE, 0, "\0", 1);
	expect_bytes(c, RELAY_TRUNCATED, 0, &requested, 1);
	b.next = peer_open(&relay->target, identity(1)); /* a better link to the same relay */
	struct peer_circuit *own = peer_circuit_open(b.next, &relay->target, 0x80000001);
	peer_circuit_free(&own);
	send_extend(c, &at, 2, span_of("y", 1));
	expect_cell(&b, CELL_CREATE2, &a);
	close(fd); /* the first one fails */
	peer_send_cell(b.next, a.circid, CELL_CREATED2, "\0\1z", 3);
	expect_bytes(c, RELAY_EXTENDED2, 0, "\0\1z", 3);
	send_extend(c, &at, 2, span_of("x", 1)); /* it has a next hop */
	expect_destroy(c, DESTROY_PROTOCOL);
	server_close(&silent);
	hang_up(&b.next);
	relay_circuit_end(&c);
}

static int
set_up(void **state)
{
	(void)state;
	names_start();
	relay = relay_start("middle", "");
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
run_hops(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes_on),
		cmocka_unit_test(test_next_ends_it),
		cmocka_unit_test(test_next_answers_badly),
		cmocka_unit_test(test_client_ends_it),
		cmocka_unit_test(test_full_queues),
		cmocka_unit_test(test_pending),
	};

	return cmocka_run_group_tests_name("hops", tests, set_up, tear_down);
}
