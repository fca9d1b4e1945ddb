/* relay_test_extends.c: circuits of two hops through two relays: extending, failing to, cutting
 * off and extending again, teardown from either side. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relayd/tests/harness.h"

#define LINKS  8
#define BULK   (256u << 10)
#define ROUNDS 200

static struct relay *first, *second;
static struct server server;

struct extend_to {
	struct addr_port at;
	uint8_t rsa_id[20], ed_id[32];
};

static struct extend_to
to_relay(const struct relay *r)
{
	struct extend_to to = { .at = r->target.at };

	memcpy(to.rsa_id, r->target.rsa_id, 20);
	memcpy(to.ed_id, r->ed_id, 32);
	return to;
}

static void
send_extend(struct peer_circuit *c, uint8_t cell, const struct extend_to *to, struct span skin)
{
	uint8_t body[RELAY_DATA_MAX];
	struct wr wr = wr_to(body, sizeof(body));
	struct create2 create = { HANDSHAKE_NTOR, skin };

	wr_u8(&wr, 3);
	wr_u16(&wr, 0x0006); /* type 0, 6 bytes: address and port */
	wr_bytes(&wr, to->at.addr.bytes, 4);
	wr_u16(&wr, to->at.port);
	wr_u16(&wr, 0x0214); /* type 2, 20 bytes */
	wr_bytes(&wr, to->rsa_id, 20);
	wr_u16(&wr, 0x0320); /* type 3, 32 bytes */
	wr_bytes(&wr, to->ed_id, 32);
	create2_write_body(&wr, &create);
	assert_int_equal(wr.rc, RC_OK);
	peer_relay(c, cell, RELAY_EXTEND2, 0, body, wr_len(&wr));
}

static void
extend(struct peer_circuit *c, const struct relay *r)
{
	struct extend_to to = to_relay(r);
	struct ntor_client client;
	uint8_t skin[NTOR_REQUEST_LEN];
	struct tor1_keys keys;
	struct peer_answer a;
	struct span reply;

	peer_ntor_ask(&r->target, &client, skin);
	send_extend(c, CELL_RELAY_EARLY, &to, span_of(skin, sizeof(skin)));
	expect_message(c, RELAY_EXTENDED2, 0, &a);
	assert_int_equal(a.hop, c->hops - 1);
	assert_int_equal(a.len, 2 + NTOR_REPLY_LEN);
	assert_int_equal(created2_parse(span_of(a.data, a.len), &reply), RC_OK);
	assert_int_equal(ntor_finish(&client, reply, &keys), RC_OK);
	peer_circuit_add_hop(c, &keys);
}

/* Bytes both ways over a new stream, from the last hop. */
static void
exchange(struct peer_circuit *c, uint16_t stream_id)
{
	struct peer_answer a;
	char buf[16];

	send_begin(c, stream_id, server.at);
	int fd = server_accept(&server);
	expect_message(c, RELAY_CONNECTED, stream_id, &a);
	assert_int_equal(a.hop, c->hops - 1);
	peer_relay(c, CELL_RELAY, RELAY_DATA, stream_id, "question", 8);
	assert_int_equal(recv(fd, buf, 8, MSG_WAITALL), 8);
	assert_memory_equal(buf, "question", 8);
	assert_int_equal(send(fd, "answer", 6, MSG_NOSIGNAL), 6);
	close(fd);
	expect_bytes(c, RELAY_DATA, stream_id, "answer", 6);
	expect_end(c, stream_id, END_DONE);
}

static struct peer_circuit *
two_hops(void)
{
	struct peer_circuit *c = relay_circuit(first);

	extend(c, second);
	return c;
}

static void
test_two_hops(void **state)
{
	static const uint8_t want[] = { END_EXITPOLICY, 0, 1, 2, 3, 0, 0, 7, 8 };
	struct peer_circuit *c = two_hops();

	(void)state;
	exchange(c, 1);
	/* The hop on the way still answers too. */
	peer_relay_to(c, 0, CELL_RELAY, RELAY_BEGIN, 9, "0.1.2.3:25", 11);
	expect_bytes(c, RELAY_END, 9, want, sizeof(want));
	exchange(c, 2);
	relay_circuit_end(&c);
}

/* Links come to both workers, so that some circuits go on over a link of the other one. */
static void
test_workers(void **state)
{
	struct peer_circuit *c[LINKS];
	size_t got[LINKS] = { 0 };
	struct pump pump[LINKS];
	struct peer_answer a;

	(void)state;
	for (unsigned i = 0; i < LINKS; i++) {
		c[i] = two_hops();
		send_begin(c[i], 1, server.at);
		pump_write(&pump[i], server_accept(&server), BULK);
		expect_message(c[i], RELAY_CONNECTED, 1, &a);
	}
	for (unsigned i = 0; i < LINKS; i++) {
		unsigned cells = 0;
		for (;;) {
			peer_wait(c[i]->peer, c[i], LONG_MS, &a);
			assert_int_equal(a.event, PEER_MESSAGE);
			if (a.command != RELAY_DATA)
				break;
			assert_true(pattern_is(a.data, got[i], a.len));
			got[i] += a.len;
			if (++cells % 50 == 0)
				peer_relay(c[i], CELL_RELAY, RELAY_SENDME, 1, "", 0);
		}
		assert_int_equal(a.command, RELAY_END);
		assert_int_equal(got[i], BULK);
		assert_true(pump_join(&pump[i]));
	}
	for (unsigned i = 0; i < LINKS; i++)
		relay_circuit_end(&c[i]);
}

/* Two circuits of one link share the link to the next hop, each with its own id. */
static void
test_shared_link(void **state)
{
	struct peer *p = relay_link(first);
	struct peer_circuit *c = peer_circuit_open(p, &first->target, 0x80000001);
	struct peer_circuit *d = peer_circuit_open(p, &first->target, 0x80000002);

	(void)state;
	extend(c, second);
	extend(d, second);
	exchange(c, 1);
	exchange(d, 1);
	peer_send_cell(p, d->circid, CELL_DESTROY, "\0", 1);
	exchange(c, 2);
	peer_circuit_free(&d);
	relay_circuit_end(&c);
}

static void
test_not_reached(void **state)
{
	struct extend_to to = to_relay(second), right = to;
	uint8_t skin[NTOR_REQUEST_LEN] = { 0 };
	struct server deaf;

	(void)state;
	server_open_deaf(&deaf);
	for (unsigned i = 0; i < 4; i++) {
		struct peer_circuit *c = relay_circuit(first);
		uint8_t reason = DESTROY_CHANNEL_CLOSED;

		to = right;
		switch (i) {
		case 0: /* nobody there */
			to.at.port = deaf.port;
			memset(to.rsa_id, 0x11, 20);
			break;
		case 1: /* somebody else there: by RSA id */
			to.rsa_id[0] ^= 1;
			break;
		case 2: /* by Ed25519 id */
			to.ed_id[0] ^= 1;
			break;
		case 3: /* the right one, but the onion skin is not for it */
			reason = DESTROY_DESTROYED;
			break;
		}
		send_extend(c, CELL_RELAY_EARLY, &to, span_of(skin, sizeof(skin)));
		expect_destroy(c, reason);
		relay_circuit_end(&c);
	}
	server_close(&deaf);
}

static void
test_refused(void **state)
{
	uint8_t skin[NTOR_REQUEST_LEN] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct peer_circuit *c = i == 3 ? two_hops() : relay_circuit(first);
		struct extend_to to = to_relay(second);
		uint8_t reason = DESTROY_PROTOCOL;

		switch (i) {
		case 0: /* itself */
			to = to_relay(first);
			break;
		case 1:
			to.at.port = 0;
			break;
		case 2:
			memset(to.rsa_id, 0, 20);
			break;
		case 3: /* the second hop, back to where it came from */
			to = to_relay(first);
			reason = DESTROY_DESTROYED;
			break;
		}
		send_extend(c, CELL_RELAY_EARLY, &to, span_of(skin, sizeof(skin)));
		expect_destroy(c, reason);
		relay_circuit_end(&c);
	}
}

/* EXTEND2 counts only as RELAY_EARLY, so what the second hop does tells what it got. */
static void
test_early_is_kept(void **state)
{
	struct peer_circuit *c = two_hops();
	uint8_t skin[NTOR_REQUEST_LEN] = { 0 };
	struct extend_to to = to_relay(second);

	(void)state;
	send_extend(c, CELL_RELAY, &to, span_of(skin, sizeof(skin)));
	expect_nothing(c);
	exchange(c, 1);
	send_extend(c, CELL_RELAY_EARLY, &to, span_of(skin, sizeof(skin)));
	expect_destroy(c, DESTROY_DESTROYED); /* to itself: refused there, so it arrived early */
	relay_circuit_end(&c);
	c = two_hops(); /* one of eight */
	for (unsigned i = 0; i < 7; i++)
		peer_relay(c, CELL_RELAY_EARLY, RELAY_DROP, 0, "", 0);
	exchange(c, 1);
	peer_relay(c, CELL_RELAY_EARLY, RELAY_DROP, 0, "", 0);
	expect_destroy(c, DESTROY_PROTOCOL);
	relay_circuit_end(&c);
}

static void
test_truncate(void **state)
{
	static const uint8_t requested = DESTROY_REQUESTED;
	struct peer_circuit *c = two_hops();
	struct peer_answer a;
	char byte;

	(void)state;
	send_begin(c, 1, server.at);
	int fd = server_accept(&server);
	expect_message(c, RELAY_CONNECTED, 1, &a);
	peer_relay_to(c, 0, CELL_RELAY, RELAY_TRUNCATE, 0, "\11", 1);
	expect_bytes(c, RELAY_TRUNCATED, 0, &requested, 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 0); /* the second hop let go of it */
	close(fd);
	tor1_free(&c->hop[--c->hops]);
	exchange(c, 1); /* from the first hop */
	extend(c, second);
	exchange(c, 1);
	relay_circuit_end(&c);
}

static void
test_destroy_travels(void **state)
{
	struct peer_circuit *c = two_hops();
	uint8_t noise[CELL_BODY_LEN] = { 1, 2, 3 };
	struct peer_answer a;
	char byte;

	(void)state;
	send_begin(c, 1, server.at);
	int fd = server_accept(&server);
	expect_message(c, RELAY_CONNECTED, 1, &a);
	peer_send_cell(c->peer, c->circid, CELL_DESTROY, "\0", 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 0); /* from us to the far end */
	close(fd);
	relay_circuit_end(&c);
	c = two_hops();
	peer_send_cell(c->peer, c->circid, CELL_RELAY, noise, sizeof(noise));
	expect_destroy(c, DESTROY_DESTROYED); /* from the far end, which recognised nothing */
	relay_circuit_end(&c);
}

/* Accepts, says something, hangs up without listening; until the listening socket is shut. */
static void *
be_rude(void *arg)
{
	static const uint8_t bytes[20000];
	const struct server *s = arg;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		(void)!send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
	}
	return NULL;
}

/* End a circuit that is in full use, in one of some ways. */
static void
end_somehow(struct peer_circuit *c, unsigned way)
{
	uint8_t noise[CELL_BODY_LEN] = { 1 };

	switch (way) {
	case 0: /* with its link */
		break;
	case 1:
		peer_send_cell(c->peer, c->circid, CELL_DESTROY, "\0", 1);
		break;
	case 2:
		peer_relay_to(c, 0, CELL_RELAY, RELAY_TRUNCATE, 0, "\0", 1);
		break;
	case 3:
		peer_relay_to(c, 0, CELL_RELAY, RELAY_SENDME, 0, "", 0);
		break;
	case 4:
		peer_send_cell(c->peer, c->circid, CELL_RELAY, noise, sizeof(noise));
		break;
	case 5:
		send_end(c, 2);
		peer_relay(c, CELL_RELAY, RELAY_SENDME, 3, "", 0);
		break;
	}
	relay_circuit_end(&c);
}

/* Streams at both hops in every state, and circuits that end in their midst without a wait. */
static void
test_chaos(void **state)
{
	struct server rude;
	pthread_t thread;

	(void)state;
	server_open(&rude);
	assert_int_equal(pthread_create(&thread, NULL, be_rude, &rude), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct peer_circuit *c = i % 5 == 4 ? relay_circuit(first) : two_hops();
		struct extend_to to = to_relay(i % 3 == 0 ? first : second);

		for (uint16_t id = 1; id < 10; id++) {
			unsigned hop = id % c->hops;
			const char *to_name = id % 3 == 2 ? "silent.example.net:80" : rude.at;

			peer_relay_to(
			    c, hop, CELL_RELAY, RELAY_BEGIN, id, to_name, strlen(to_name) + 1);
			peer_relay_to(c, hop, CELL_RELAY, RELAY_DATA, id, "hello", 5);
			peer_relay_to(c, hop, CELL_RELAY, RELAY_RESOLVE, (uint16_t)(id + 100),
			    "brief.example.net", 17);
		}
		if (i % 4 == 0)
			send_extend(c, CELL_RELAY_EARLY, &to, span_of("x", 1));
		if (i % 20 == 10) /* new views for the workers meanwhile */
			kill(first->pid, SIGHUP);
		end_somehow(c, i % 6);
	}
	shutdown(rude.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	server_close(&rude);
	struct peer_circuit *c = two_hops();
	exchange(c, 1);
	relay_circuit_end(&c);
}

/* The link to the next hop goes, and comes back with the relay. */
static void
test_relay_leaves(void **state)
{
	struct peer_circuit *c = two_hops();

	(void)state;
	relay_stop(&second);
	expect_destroy(c, DESTROY_CHANNEL_CLOSED);
	relay_circuit_end(&c);
	second = relay_start("second", "");
	c = two_hops();
	exchange(c, 1);
	relay_circuit_end(&c);
}

static int
set_up(void **state)
{
	(void)state;
	names_start();
	server_open(&server);
	first = relay_start("first", "");
	second = relay_start("second", "");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	relay_stop(&first);
	relay_stop(&second);
	server_close(&server);
	names_stop();
	return 0;
}

int
run_extends(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_hops),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_shared_link),
		cmocka_unit_test(test_not_reached),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_early_is_kept),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_destroy_travels),
		cmocka_unit_test(test_chaos),
		cmocka_unit_test(test_relay_leaves),
	};

	return cmocka_run_group_tests_name("extends", tests, set_up, tear_down);
}
