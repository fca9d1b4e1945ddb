/* relay_test_life.c: signals: what becomes of open streams and new ones when the relay reloads,
 * drains, leaves. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "relayd/tests/harness.h"

static struct server server;

static void
exchange(struct peer_circuit *c, uint16_t stream_id, int fd)
{
	char buf[8];

	peer_relay(c, CELL_RELAY, RELAY_DATA, stream_id, "ping", 4);
	assert_int_equal(recv(fd, buf, 4, MSG_WAITALL), 4);
	assert_memory_equal(buf, "ping", 4);
	assert_int_equal(send(fd, "pong", 4, MSG_NOSIGNAL), 4);
	expect_bytes(c, RELAY_DATA, stream_id, "pong", 4);
}

static int
open_stream(struct peer_circuit *c, uint16_t stream_id)
{
	struct peer_answer a;

	send_begin(c, stream_id, server.at);
	int fd = server_accept(&server);
	expect_message(c, RELAY_CONNECTED, stream_id, &a);
	return fd;
}

/* Open streams until one ends for this reason: a change is on its way to the worker. */
static void
begin_until_refused(struct peer_circuit *c, uint8_t reason)
{
	uint64_t end = clock_mono_ms() + LONG_MS;
	struct peer_answer a;

	for (uint16_t id = 100;; id++) {
		send_begin(c, id, server.at);
		peer_wait(c->peer, c, LONG_MS, &a);
		assert_int_equal(a.event, PEER_MESSAGE);
		assert_int_equal(a.stream_id, id);
		if (a.command == RELAY_END)
			break;
		assert_int_equal(a.command, RELAY_CONNECTED);
		int fd = server_accept(&server);
		char byte;
		send_end(c, id);
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		close(fd);
		assert_true(clock_mono_ms() < end);
	}
	assert_int_equal(a.reason, reason);
}

static void
test_bad_reload(void **state)
{
	struct relay *r = relay_start("reload", "ExitPolicy accept *:*\n");
	struct peer_circuit *c = relay_circuit(r);

	(void)state;
	int fd = open_stream(c, 1);
	relay_append(r, "ShutdownWaitLength nonsense\n");
	kill(r->pid, SIGHUP);
	relay_wait_for(r, "reload refused");
	close(open_stream(c, 2)); /* nothing has changed */
	expect_end(c, 2, END_DONE);
	exchange(c, 1, fd);
	relay_circuit_end(&c);
	close(fd);
	relay_stop(&r);
}

static void
test_new_policy(void **state)
{
	struct relay *r = relay_start("policy", "ExitPolicy reject *:1-2\n");
	struct peer_circuit *c = relay_circuit(r);

	(void)state;
	int fd = open_stream(c, 1);
	relay_append(r, "ExitPolicy reject *:*\n");
	kill(r->pid, SIGHUP);
	relay_wait_for(r, "configuration reloaded");
	begin_until_refused(c, END_EXITPOLICY);
	exchange(c, 1, fd);
	send_end(c, 1);
	close(fd);
	relay_circuit_end(&c);
	relay_stop(&r);
}

static void
test_drain(void **state)
{
	struct relay *r = relay_start("drain", "ShutdownWaitLength 60\n");
	struct peer_circuit *c = relay_circuit(r);

	(void)state;
	int fd = open_stream(c, 1);
	kill(r->pid, SIGINT);
	relay_wait_for(r, "no new streams");
	begin_until_refused(c, END_HIBERNATING);
	exchange(c, 1, fd);
	send_end(c, 1); /* the last one: it leaves by itself */
	close(fd);
	relay_wait_end(&r);
	relay_circuit_end(&c);
}

static void
test_second_interrupt(void **state)
{
	struct relay *r = relay_start("hurry", "ShutdownWaitLength 60\n");
	struct peer_circuit *c = relay_circuit(r);

	(void)state;
	int fd = open_stream(c, 1);
	kill(r->pid, SIGINT);
	relay_wait_for(r, "no new streams");
	kill(r->pid, SIGINT);
	relay_wait_end(&r);
	close(fd);
	relay_circuit_end(&c);
}

/* In the middle of everything: half a lookup, open streams, bytes that wait, a half-made link. */
static void
test_terminate(void **state)
{
	struct relay *r = relay_start("leaves", "");
	struct peer_circuit *c = relay_circuit(r), *d = relay_circuit(r);
	struct server narrow;
	uint8_t data[RELAY_DATA_MAX] = { 0 };
	struct peer_answer a;

	(void)state;
	int fd = open_stream(c, 1), half = peer_tcp(&r->target);
	assert_int_equal(send(half, "\26\3\1", 3, MSG_NOSIGNAL), 3);
	send_begin(c, 2, "silent.example.net:80");
	server_open_narrow(&narrow);
	send_begin(d, 1, narrow.at);
	int stalled = server_accept(&narrow);
	expect_message(d, RELAY_CONNECTED, 1, &a);
	for (unsigned i = 0; i < 500; i++)
		peer_relay(d, CELL_RELAY, RELAY_DATA, 1, data, sizeof(data));
	exchange(c, 1, fd);
	relay_stop(&r);
	peer_wait(c->peer, NULL, LONG_MS, &a);
	assert_true(a.event == PEER_DESTROYED || a.event == PEER_CLOSED);
	close(fd);
	close(half);
	close(stalled);
	server_close(&narrow);
	relay_circuit_end(&c);
	relay_circuit_end(&d);
}

static int
set_up(void **state)
{
	(void)state;
	names_start();
	server_open(&server);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	server_close(&server);
	names_stop();
	return 0;
}

int
run_life(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_reload),
		cmocka_unit_test(test_new_policy),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_second_interrupt),
		cmocka_unit_test(test_terminate),
	};

	return cmocka_run_group_tests_name("life", tests, set_up, tear_down);
}
