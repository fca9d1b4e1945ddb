/* relay_test_windows.c: flow control: windows of streams and circuits, SENDMEs with their tags,
 * and a lot of bytes each way. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relayd/tests/harness.h"

#define BULK        (3u << 20)
#define CIRC_WINDOW 1000
#define CIRC_STEP   100
#define STRM_WINDOW 500
#define STRM_STEP   50
#define STALL_MAX   (32u << 20) /* more than kernel buffers can hold */

static struct relay *relay;
static struct server server;

static void
send_circuit_sendme(struct peer_circuit *c, const uint8_t tag[TOR1_TAG_LEN])
{
	uint8_t body[3 + TOR1_TAG_LEN];
	struct wr wr = wr_to(body, sizeof(body));

	sendme_write(&wr, span_of(tag, TOR1_TAG_LEN));
	peer_relay(c, CELL_RELAY, RELAY_SENDME, 0, body, wr_len(&wr));
}

static void
send_stream_sendme(struct peer_circuit *c, uint16_t stream_id)
{
	peer_relay(c, CELL_RELAY, RELAY_SENDME, stream_id, "", 0);
}

/* An open stream; its socket at the server. */
static int
open_stream(struct peer_circuit *c, uint16_t stream_id, const struct server *s)
{
	struct peer_answer a;

	send_begin(c, stream_id, s->at);
	int fd = server_accept(s);
	expect_message(c, RELAY_CONNECTED, stream_id, &a);
	return fd;
}

static void
test_down(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	unsigned cells = 0;
	size_t got = 0;
	struct peer_answer a;
	struct pump pump;

	(void)state;
	pump_write(&pump, open_stream(c, 1, &server), BULK);
	for (;;) {
		peer_wait(c->peer, c, LONG_MS, &a);
		assert_int_equal(a.event, PEER_MESSAGE);
		if (a.command != RELAY_DATA)
			break;
		assert_true(pattern_is(a.data, got, a.len));
		got += a.len;
		if (++cells % CIRC_STEP == 0)
			send_circuit_sendme(c, a.tag);
		if (cells % STRM_STEP == 0)
			send_stream_sendme(c, 1);
	}
	assert_int_equal(a.command, RELAY_END);
	assert_int_equal(a.reason, END_DONE);
	assert_int_equal(got, BULK);
	assert_true(pump_join(&pump));
	relay_circuit_end(&c);
}

/* The sender's side of the windows. */
struct upload {
	struct peer_circuit *c;
	int circuit_window, stream_window;
	unsigned sent, acknowledged;
	uint8_t tags[16][TOR1_TAG_LEN]; /* of each hundredth cell not acknowledged yet */
};

/* Wait for a SENDME, check it and count it. False: none came in time. */
static bool
take_sendme(struct upload *u, int timeout_ms)
{
	struct peer_answer a;

	peer_wait(u->c->peer, u->c, timeout_ms, &a);
	if (a.event == PEER_NOTHING)
		return false;
	assert_int_equal(a.event, PEER_MESSAGE);
	assert_int_equal(a.command, RELAY_SENDME);
	if (a.stream_id != 0) {
		assert_int_equal(a.len, 0);
		u->stream_window += STRM_STEP;
		assert_in_range(u->stream_window, 0, STRM_WINDOW);
		return true;
	}
	assert_int_equal(a.len, 3 + TOR1_TAG_LEN);
	assert_memory_equal(a.data, "\1\0\24", 3);
	assert_memory_equal(a.data + 3, u->tags[u->acknowledged++ % 16], TOR1_TAG_LEN);
	u->circuit_window += CIRC_STEP;
	assert_in_range(u->circuit_window, 0, CIRC_WINDOW);
	return true;
}

static void
send_one(struct upload *u, size_t offset, size_t len)
{
	uint8_t data[RELAY_DATA_MAX];

	pattern_fill(data, offset, len);
	peer_relay(u->c, CELL_RELAY, RELAY_DATA, 1, data, len);
	if (++u->sent % CIRC_STEP == 0)
		memcpy(u->tags[(u->sent / CIRC_STEP - 1) % 16], u->c->sent_tag, TOR1_TAG_LEN);
	u->circuit_window--;
	u->stream_window--;
}

/* Send from offset up to len, as the windows allow. How far it came before no SENDME came. */
static size_t
send_up_to(struct upload *u, size_t offset, size_t len, int timeout_ms)
{
	while (offset < len) {
		size_t n = len - offset < RELAY_DATA_MAX ? len - offset : RELAY_DATA_MAX;

		while (u->circuit_window == 0 || u->stream_window == 0)
			if (!take_sendme(u, timeout_ms))
				return offset;
		send_one(u, offset, n);
		offset += n;
	}
	return offset;
}

static void
test_up(void **state)
{
	struct upload u = { relay_circuit(relay), CIRC_WINDOW, STRM_WINDOW, 0, 0, { { 0 } } };
	struct pump pump;

	(void)state;
	pump_read(&pump, open_stream(u.c, 1, &server), BULK);
	assert_int_equal(send_up_to(&u, 0, BULK, LONG_MS), BULK);
	send_end(u.c, 1);
	assert_true(pump_join(&pump));
	relay_circuit_end(&u.c);
}

/* A destination that does not read gets what the windows and the kernel hold, no more; once it
 * reads, all goes on. */
static void
test_stall(void **state)
{
	struct upload u = { relay_circuit(relay), CIRC_WINDOW, STRM_WINDOW, 0, 0, { { 0 } } };
	struct server narrow;
	struct pump pump;

	(void)state;
	server_open_narrow(&narrow);
	int fd = open_stream(u.c, 1, &narrow);
	size_t at = send_up_to(&u, 0, STALL_MAX, SHORT_MS);
	assert_true(at < STALL_MAX);
	assert_int_equal(u.stream_window, 0);
	size_t len = at + BULK / 4;
	pump_read(&pump, fd, len);
	assert_int_equal(send_up_to(&u, at, len, LONG_MS), len);
	send_end(u.c, 1);
	assert_true(pump_join(&pump));
	server_close(&narrow);
	relay_circuit_end(&u.c);
}

/* What was sent before an END, or before the circuit went, arrives though the destination is slow;
 * the stream's id is free meanwhile. */
static void
test_flush(void **state)
{
	struct upload u = { relay_circuit(relay), CIRC_WINDOW, STRM_WINDOW, 0, 0, { { 0 } } };
	struct peer *p = u.c->peer;
	struct server narrow;
	struct pump pump[2];
	size_t len[2];
	int fd[2];

	(void)state;
	server_open_narrow(&narrow);
	for (unsigned i = 0; i < 2; i++) {
		fd[i] = open_stream(u.c, 1, &narrow);
		u.stream_window = STRM_WINDOW;
		len[i] = send_up_to(&u, 0, STALL_MAX, SHORT_MS);
		assert_true(len[i] < STALL_MAX);
		if (i == 0)
			send_end(u.c, 1);
		else
			peer_send_cell(p, u.c->circid, CELL_DESTROY, "\0", 1);
	}
	for (unsigned i = 0; i < 2; i++)
		pump_read(&pump[i], fd[i], len[i]);
	assert_true(pump_join(&pump[0]));
	assert_true(pump_join(&pump[1]));
	server_close(&narrow);
	relay_circuit_end(&u.c);
}

/* Nobody may send beyond a stream's window, least of all before it is open. */
static void
test_overrun(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	send_begin(c, 1, "silent.example.org:80");
	for (unsigned i = 0; i < STRM_WINDOW; i++)
		peer_relay(c, CELL_RELAY, RELAY_DATA, 1, "x", 1);
	for (unsigned i = 0; i < STRM_WINDOW / CIRC_STEP; i++) {
		struct peer_answer a;

		expect_message(c, RELAY_SENDME, 0, &a); /* the circuit's go on */
	}
	expect_nothing(c);
	peer_relay(c, CELL_RELAY, RELAY_DATA, 1, "x", 1);
	expect_destroy(c, DESTROY_PROTOCOL);
	relay_circuit_end(&c);
}

/* What a client that counts sees: how many DATA cells came on each stream until none did. */
struct count {
	unsigned cells[3], all;
	uint8_t tags[CIRC_WINDOW / CIRC_STEP + 8][TOR1_TAG_LEN];
};

static void
count_until_quiet(struct peer_circuit *c, struct count *count, unsigned want)
{
	struct peer_answer a;

	while (count->all < want) {
		peer_wait(c->peer, c, LONG_MS, &a);
		assert_int_equal(a.event, PEER_MESSAGE);
		assert_int_equal(a.command, RELAY_DATA);
		assert_in_range(a.stream_id, 1, 2);
		count->cells[a.stream_id]++;
		if (++count->all % CIRC_STEP == 0)
			memcpy(count->tags[count->all / CIRC_STEP - 1], a.tag, TOR1_TAG_LEN);
	}
	expect_nothing(c);
}

static void
test_windows(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	struct count count = { .all = 0 };
	struct pump pump[2];

	(void)state;
	pump_write(&pump[0], open_stream(c, 1, &server), BULK);
	count_until_quiet(c, &count, STRM_WINDOW);
	send_stream_sendme(c, 1);
	count_until_quiet(c, &count, STRM_WINDOW + STRM_STEP);
	pump_write(&pump[1], open_stream(c, 2, &server), BULK);
	count_until_quiet(c, &count, CIRC_WINDOW);
	assert_int_equal(count.cells[2], CIRC_WINDOW - STRM_WINDOW - STRM_STEP);
	for (unsigned i = 0; i < 4; i++)
		send_stream_sendme(c, 1);
	expect_nothing(c); /* the circuit's window is used up */
	send_circuit_sendme(c, count.tags[0]);
	count_until_quiet(c, &count, CIRC_WINDOW + CIRC_STEP);
	send_circuit_sendme(c, count.tags[1]);
	count_until_quiet(c, &count, CIRC_WINDOW + 2 * CIRC_STEP);
	send_end(c, 1);
	send_end(c, 2);
	expect_nothing(c);
	(void)pump_join(&pump[0]); /* cut off, or all of it in the kernel's buffers */
	(void)pump_join(&pump[1]);
	relay_circuit_end(&c);
}

/* A client that does not read its link holds up its own streams only. */
static void
test_deaf_client(void **state)
{
	struct peer_circuit *deaf = relay_circuit(relay), *c = relay_circuit(relay);
	struct pump pump[2];
	size_t got = 0;
	struct peer_answer a;

	(void)state;
	pump_write(&pump[0], open_stream(deaf, 1, &server), BULK);
	pump_write(&pump[1], open_stream(c, 1, &server), 100 * RELAY_DATA_MAX);
	do {
		peer_wait(c->peer, c, LONG_MS, &a);
		assert_int_equal(a.event, PEER_MESSAGE);
		if (a.command == RELAY_DATA)
			got += a.len;
	} while (a.command == RELAY_DATA);
	assert_int_equal(got, 100 * RELAY_DATA_MAX);
	assert_true(pump_join(&pump[1]));
	struct count count = { .all = 0 };
	count_until_quiet(deaf, &count, STRM_WINDOW); /* and still gets what it asked for */
	relay_circuit_end(&deaf);
	(void)pump_join(&pump[0]);
	relay_circuit_end(&c);
}

/* SENDMEs that name the wrong cell, or come before their time. */
static void
test_bad_sendmes(void **state)
{
	struct pump pump;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct peer_circuit *c = relay_circuit(relay);
		struct count count = { .all = 0 };

		pump_write(&pump, open_stream(c, 1, &server), BULK);
		count_until_quiet(c, &count, STRM_WINDOW);
		switch (i) {
		case 0: /* a tag that never was */
			send_circuit_sendme(c, (const uint8_t *)"aaaaaaaaaaaaaaaaaaaa");
			break;
		case 1: /* one that is not its turn */
			send_circuit_sendme(c, count.tags[1]);
			break;
		case 2: /* the same twice */
			send_circuit_sendme(c, count.tags[0]);
			send_circuit_sendme(c, count.tags[0]);
			break;
		case 3: /* more than was sent */
			for (unsigned k = 0; k <= CIRC_WINDOW / STRM_STEP; k++)
				send_stream_sendme(c, 1);
			break;
		}
		expect_destroy(c, DESTROY_PROTOCOL);
		pump_join(&pump);
		relay_circuit_end(&c);
	}
}

static int
set_up(void **state)
{
	(void)state;
	names_start();
	server_open(&server);
	relay = relay_start("windows", "");
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
run_windows(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_deaf_client),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_bad_sendmes),
	};

	return cmocka_run_group_tests_name("windows", tests, set_up, tear_down);
}
