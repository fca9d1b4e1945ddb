/* relay_test_streams.c: streams and lookups: opening, their answers, bytes both ways. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relayd/tests/harness.h"

#define CROWD 200

static struct relay *relay;
static struct server server;

/* CONNECTED to 127.0.0.1; its TTL. */
static uint32_t
expect_connected(struct peer_circuit *c, uint16_t stream_id)
{
	struct peer_answer a;

	expect_message(c, RELAY_CONNECTED, stream_id, &a);
	assert_int_equal(a.len, 8);
	assert_memory_equal(a.data, "\177\0\0\1", 4);
	return get_u32(a.data + 4);
}

static void
expect_from(int fd, const char *text)
{
	char buf[256];

	assert_int_equal(recv(fd, buf, strlen(text), MSG_WAITALL), strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static void
expect_eof(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
test_echo(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	send_begin(c, 7, server.at);
	int fd = server_accept(&server);
	assert_int_equal(expect_connected(c, 7), 1800);
	peer_relay(c, CELL_RELAY, RELAY_DATA, 7, "hello", 5);
	expect_from(fd, "hello");
	say(fd, "good day");
	expect_bytes(c, RELAY_DATA, 7, "good day", 8);
	say(fd, "last words");
	close(fd);
	expect_bytes(c, RELAY_DATA, 7, "last words", 10);
	expect_end(c, 7, END_DONE);
	send_begin(c, 7, server.at); /* the id is free again */
	fd = server_accept(&server);
	expect_connected(c, 7);
	send_begin(c, 7, server.at); /* and now in use: dropped */
	expect_nothing(c);
	peer_relay(c, CELL_RELAY, RELAY_DATA, 7, "bye", 3);
	send_end(c, 7);
	expect_from(fd, "bye"); /* what came before the END arrives */
	expect_eof(fd);
	expect_nothing(c); /* an END is not answered */
	relay_circuit_end(&c);
}

static void
test_reset(void **state)
{
	struct linger now = { 1, 0 };
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	send_begin(c, 1, server.at);
	int fd = server_accept(&server);
	expect_connected(c, 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	expect_end(c, 1, END_CONNRESET);
	relay_circuit_end(&c);
}

static void
test_names(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	char to[64];

	(void)state;
	snprintf(to, sizeof(to), "Long.example.net:%u", server.port);
	send_begin(c, 1, to);
	int fd = server_accept(&server);
	assert_in_range(expect_connected(c, 1), 3600 - 240, 3600 + 240);
	snprintf(to, sizeof(to), "brief.example.net:%u", server.port);
	send_begin(c, 2, to);
	peer_relay(c, CELL_RELAY, RELAY_DATA, 2, "early", 5); /* before any answer */
	peer_relay(c, CELL_RELAY, RELAY_DATA, 2, " bird", 5);
	int early_fd = server_accept(&server);
	expect_from(early_fd, "early bird");
	assert_in_range(expect_connected(c, 2), 300 - 240, 300 + 240);
	send_begin(c, 3, "nx.example.net:80");
	expect_end(c, 3, END_RESOLVEFAILED);
	send_begin(c, 4, "no_onion.onion:80");
	expect_end(c, 4, END_RESOLVEFAILED);
	send_begin(c, 5, "[::1:80"); /* not an address, so it would be a name */
	expect_end(c, 5, END_RESOLVEFAILED);
	close(fd);
	close(early_fd);
	relay_circuit_end(&c);
}

static void
test_failures(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	struct server deaf;
	char to[64];

	(void)state;
	server_open_deaf(&deaf);
	send_begin(c, 1, deaf.at);
	expect_end(c, 1, END_CONNECTREFUSED);
	snprintf(to, sizeof(to), "deaf.example.net:%u", deaf.port);
	send_begin(c, 2, to);
	expect_end(c, 2, END_CONNECTREFUSED);
	send_begin(c, 3, "255.255.255.255:80");
	expect_end(c, 3, END_NOROUTE);
	peer_relay(c, CELL_RELAY, RELAY_BEGIN, 4, "127.0.0.1:80\0\0\0\0\2", 17);
	expect_end(c, 4, END_NOROUTE); /* IPv4 not wanted, and we have nothing else */
	server_close(&deaf);
	relay_circuit_end(&c);
}

#define STR(s) s, sizeof(s) - 1

static void
test_resolve(void **state)
{
	static const struct {
		const char *name, *want;
		size_t len;
	} cases[] = {
		{ "www.example.net", STR("\4\4\177\0\0\1\0\0\0\74") },
		{ "7.2.0.203.in-addr.arpa", STR("\0\17ptr.example.net\0\0\0\74") },
		{ "nx2.example.net", STR("\361\30Error resolving hostname\0\0\0\74") },
		{ "192.0.2.1", STR("\361\30Error resolving hostname\0\0\0\74") },
		{ "1.0.0.127.in-addr.arpa", STR("\361\30Error resolving hostname\0\0\0\74") },
		{ "no good name", STR("\361\30Error resolving hostname\0\0\0\74") },
		{ "servfail.example.net", STR("\360\30Error resolving hostname\0\0\0\74") },
	};
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t id = (uint16_t)(i + 1);
		bool with_nul = i % 2 == 0; /* both are right */

		peer_relay(c, CELL_RELAY, RELAY_RESOLVE, id, cases[i].name,
		    strlen(cases[i].name) + with_nul);
		expect_bytes(c, RELAY_RESOLVED, id, cases[i].want, cases[i].len);
	}
	relay_circuit_end(&c);
}

/* A circuit that goes takes its streams along, also those that were not open yet. */
static void
test_destroy(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	send_begin(c, 1, server.at);
	int fd = server_accept(&server);
	expect_connected(c, 1);
	send_begin(c, 2, "silent.example.net:80");
	peer_relay(c, CELL_RELAY, RELAY_RESOLVE, 3, "silent.example.com", 18);
	peer_relay(c, CELL_RELAY, RELAY_DATA, 1, "the end", 7);
	peer_send_cell(c->peer, c->circid, CELL_DESTROY, "\0", 1);
	expect_from(fd, "the end");
	expect_eof(fd);
	struct peer *p = c->peer;
	peer_circuit_free(&c);
	c = peer_circuit_open(p, &relay->target, 0x80000002);
	send_begin(c, 1, server.at);
	fd = server_accept(&server);
	expect_connected(c, 1);
	relay_circuit_end(&c); /* the link goes */
	expect_eof(fd);
}

/* Take what comes until each of the streams has connected, brought its answer and ended. */
static void
collect_crowd(struct peer_circuit *c)
{
	uint8_t step[CROWD + 1] = { 0 };
	unsigned ended = 0, data = 0;
	struct peer_answer a;
	char want[16];

	while (ended < CROWD) {
		peer_wait(c->peer, c, LONG_MS, &a);
		assert_int_equal(a.event, PEER_MESSAGE);
		if (a.command == RELAY_SENDME)
			continue;
		assert_in_range(a.stream_id, 1, CROWD);
		uint8_t *at = &step[a.stream_id];
		assert_int_equal(a.command, *at == 0   ? RELAY_CONNECTED
					    : *at == 1 ? RELAY_DATA
						       : RELAY_END);
		if (a.command == RELAY_DATA) {
			size_t len = (size_t)snprintf(want, sizeof(want), "you:%05u", a.stream_id);

			assert_int_equal(a.len, len);
			assert_memory_equal(a.data, want, len);
			if (++data % 100 == 0) {
				uint8_t body[3 + TOR1_TAG_LEN];
				struct wr wr = wr_to(body, sizeof(body));

				sendme_write(&wr, span_of(a.tag, TOR1_TAG_LEN));
				peer_relay(c, CELL_RELAY, RELAY_SENDME, 0, body, wr_len(&wr));
			}
		}
		if (++*at == 3) {
			assert_int_equal(a.reason, END_DONE);
			ended++;
		}
	}
}

static void
test_crowd(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	char text[16];

	(void)state;
	for (uint16_t i = 1; i <= CROWD; i++) {
		send_begin(c, i, server.at);
		snprintf(text, sizeof(text), "i am %05u", i);
		peer_relay(c, CELL_RELAY, RELAY_DATA, i, text, 10);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		int fd = server_accept(&server);

		assert_int_equal(recv(fd, text, 10, MSG_WAITALL), 10);
		memcpy(text, "you:", 4);
		memmove(text + 4, text + 5, 6);
		say(fd, text);
		close(fd);
	}
	collect_crowd(c);
	relay_circuit_end(&c);
}

static void
test_garbage(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	static const struct {
		const char *data;
		size_t len;
	} bad[] = {
		{ STR("") },
		{ STR("127.0.0.1:80") },
		{ STR("127.0.0.1:0\0") },
		{ STR("127.0.0.1\0") },
		{ STR("127.0.0.1:99999\0") },
		{ STR(":80\0") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		peer_relay(c, CELL_RELAY, RELAY_BEGIN, (uint16_t)(i + 1), bad[i].data, bad[i].len);
		expect_end(c, (uint16_t)(i + 1), END_TORPROTOCOL);
	}
	peer_relay(c, CELL_RELAY, RELAY_END, 99, "", 0);
	peer_relay(c, CELL_RELAY, RELAY_SENDME, 99, "", 0);
	peer_relay(c, CELL_RELAY, RELAY_DATA, 99, "x", 1);
	expect_nothing(c); /* streams that we do not have: dropped */
	relay_circuit_end(&c);
}

static int
set_up(void **state)
{
	(void)state;
	names_start();
	server_open(&server);
	relay = relay_start("streams", "");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	relay_stop(&relay);
	server_close(&server);
	names_stop();
	return 0;
}

int
run_streams(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_destroy),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("streams", tests, set_up, tear_down);
}
