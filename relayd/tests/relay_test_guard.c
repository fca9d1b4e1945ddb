/* relay_test_guard.c: relayd and a guard that the test plays: records, their order and fields,
 * refusals, silence, a guard that goes or talks nonsense. One worker, so one connection. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/report.h"
#include "relayd/tests/harness.h"

static struct relay *relay;
static struct server server;
static char socket_path[64];
static int listener;

/* One connection of relayd's. */
struct guard {
	int fd;
	struct report_record batch[REPORT_MAX_RECORDS];
	size_t count, used;
};

static struct guard guard;

/* --- the guard's side ------------------------------------------------------------------------ */

static bool
next_packet(struct guard *g, int timeout_ms)
{
	struct pollfd pfd = { .fd = g->fd, .events = POLLIN };

	if (poll(&pfd, 1, timeout_ms) != 1)
		return false;
	ssize_t n = recv(g->fd, g->batch, sizeof(g->batch), 0);
	g->used = 0;
	assert_true(n > 0);
	assert_int_equal(
	    report_packet_check(span_of(g->batch, (size_t)n), REPORT_FROM_RELAYD, &g->count),
	    RC_OK);
	return true;
}

/* The next record must be of this type. */
static struct report_record
expect_record(enum report_type type)
{
	if (guard.used == guard.count)
		assert_true(next_packet(&guard, LONG_MS));
	struct report_record r = guard.batch[guard.used++];
	assert_int_equal(r.type, type);
	return r;
}

static void
expect_no_record(void)
{
	assert_int_equal(guard.used, guard.count);
	assert_false(next_packet(&guard, SHORT_MS));
}

static void
verdict(uint64_t stream, enum report_verdict code)
{
	struct report_record r = {
		.type = REPORT_VERDICT, .code = (uint8_t)code, .stream = stream
	};

	if (code == REPORT_REFUSE)
		r.reason = REPORT_REASON_SWEEP;
	assert_int_equal(send(guard.fd, &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
}

static void
expect_policy(unsigned code, unsigned family, unsigned from, unsigned to)
{
	struct report_record r = expect_record(REPORT_POLICY);

	assert_int_equal(r.code, code);
	assert_int_equal(r.family, family);
	assert_int_equal(r.prefix_bits, 0);
	assert_int_equal(r.port, from);
	assert_int_equal(r.port_to, to);
}

/* relayd connects, both say hello, relayd tells its policy. */
static void
accept_guard(void)
{
	struct pollfd pfd = { .fd = listener, .events = POLLIN };
	struct report_hello hello, got, own = report_hello_make(1);

	memset(&guard, 0, sizeof(guard));
	assert_int_equal(poll(&pfd, 1, LONG_MS), 1);
	guard.fd = accept(listener, NULL, NULL);
	assert_true(guard.fd >= 0);
	ssize_t n = recv(guard.fd, &got, sizeof(got), 0);
	assert_int_equal(report_hello_parse(span_of(&got, (size_t)n), &hello), RC_OK);
	assert_int_equal(hello.enforce, 0);
	assert_int_equal(send(guard.fd, &own, sizeof(own), MSG_NOSIGNAL), sizeof(own));
	expect_policy(2, ADDR_IPV6, 1, 65535); /* IPv6Exit 0 */
	expect_policy(2, ADDR_IPV4, 3, 4);
	expect_policy(1, ADDR_IPV4, 1, 65535);
	relay_wait_for(relay, "exitguard is there, mode enforce");
}

static void
guard_leaves(void)
{
	close(guard.fd);
	relay_wait_for(relay, "exitguard is away");
}

static void
assert_local(const struct report_record *r)
{
	static const uint8_t local[16] = { 127, 0, 0, 1 };

	assert_int_equal(r->family, ADDR_IPV4);
	assert_memory_equal(r->addr, local, sizeof(local));
}

static struct report_record
expect_outcome(uint64_t stream, enum report_outcome code)
{
	struct report_record r = expect_record(REPORT_OUTCOME);

	assert_int_equal(r.stream, stream);
	assert_int_equal(r.code, code);
	assert_in_range(r.ms, 0, LONG_MS);
	return r;
}

static void
expect_closed(uint64_t stream)
{
	assert_int_equal(expect_record(REPORT_CLOSED).stream, stream);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void
test_literal(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	struct peer_answer a;

	(void)state;
	send_begin(c, 1, server.at);
	struct report_record r = expect_record(REPORT_OPEN);
	assert_local(&r);
	assert_int_equal(r.port, server.port);
	assert_int_equal(r.flags, 0);
	expect_no_record();
	verdict(r.stream, REPORT_ALLOW);
	int fd = server_accept(&server);
	expect_outcome(r.stream, REPORT_CONNECTED);
	expect_message(c, RELAY_CONNECTED, 1, &a);
	send_begin(c, 2, server.at);
	struct report_record other = expect_record(REPORT_OPEN);
	assert_true(other.circuit == r.circuit && other.stream != r.stream);
	close(fd);
	expect_end(c, 1, END_DONE);
	expect_closed(r.stream);
	send_end(c, 2); /* the client has lost patience */
	expect_closed(other.stream);
	relay_circuit_end(&c);
	expect_no_record();
}

static void
test_name(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	unsigned asked = names_asked();
	struct peer_answer a;
	char to[64];

	(void)state;
	snprintf(to, sizeof(to), "first.example.net:%u", server.port);
	send_begin(c, 1, to);
	struct report_record r = expect_record(REPORT_OPEN), dest;
	assert_int_equal(r.family, ADDR_NONE);
	assert_int_equal(r.flags, REPORT_BY_NAME);
	assert_int_equal(r.port, server.port);
	expect_no_record();
	assert_int_equal(names_asked(), asked); /* nobody else hears of it before the verdict */
	verdict(r.stream, REPORT_ALLOW);
	dest = expect_record(REPORT_DEST);
	assert_true(dest.stream == r.stream && dest.circuit == r.circuit);
	assert_local(&dest);
	assert_int_equal(dest.port, server.port);
	assert_true(names_asked() > asked);
	verdict(r.stream, REPORT_ALLOW);
	int fd = server_accept(&server);
	expect_outcome(r.stream, REPORT_CONNECTED);
	expect_message(c, RELAY_CONNECTED, 1, &a);
	relay_circuit_end(&c);
	expect_closed(r.stream);
	close(fd);
}

/* Is anybody waiting to be accepted? */
static bool
is_knocked_at(const struct server *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };

	return poll(&pfd, 1, SHORT_MS) == 1;
}

static void
test_refuse(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	unsigned asked = names_asked();
	char to[64];

	(void)state;
	snprintf(to, sizeof(to), "refused.example.net:%u", server.port);
	send_begin(c, 1, to);
	struct report_record r = expect_record(REPORT_OPEN);
	verdict(r.stream, REPORT_REFUSE);
	expect_end(c, 1, END_MISC);
	expect_closed(r.stream);
	assert_int_equal(names_asked(), asked);
	send_begin(c, 2, server.at);
	r = expect_record(REPORT_OPEN);
	verdict(r.stream, REPORT_REFUSE);
	expect_end(c, 2, END_MISC);
	expect_closed(r.stream);
	send_begin(c, 3, to); /* now by its address */
	r = expect_record(REPORT_OPEN);
	verdict(r.stream, REPORT_ALLOW);
	expect_record(REPORT_DEST);
	verdict(r.stream, REPORT_REFUSE);
	expect_end(c, 3, END_MISC);
	expect_closed(r.stream);
	assert_false(is_knocked_at(&server));
	relay_circuit_end(&c);
}

static void
test_outcomes(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);
	struct server deaf;

	(void)state;
	server_open_deaf(&deaf);
	send_begin(c, 1, deaf.at);
	struct report_record r = expect_record(REPORT_OPEN);
	verdict(r.stream, REPORT_ALLOW);
	expect_outcome(r.stream, REPORT_REFUSED);
	expect_closed(r.stream);
	expect_end(c, 1, END_CONNECTREFUSED);
	send_begin(c, 2, "nx.example.net:80");
	r = expect_record(REPORT_OPEN);
	verdict(r.stream, REPORT_ALLOW);
	expect_closed(r.stream); /* nothing was let out, so nothing came of it */
	expect_end(c, 2, END_RESOLVEFAILED);
	/* What needs no guard is not told: policy, probes, lookups. */
	send_begin(c, 3, "127.0.0.1:3");
	peer_relay(c, CELL_RELAY, RELAY_RESOLVE, 4, "www.example.net", 15);
	send_begin(c, 5, "0.1.2.3:25");
	expect_no_record();
	server_close(&deaf);
	relay_circuit_end(&c);
}

/* The circuit goes while its question is out; the late verdict means nothing. */
static void
test_late_verdict(void **state)
{
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	send_begin(c, 1, server.at);
	struct report_record r = expect_record(REPORT_OPEN);
	relay_circuit_end(&c);
	expect_closed(r.stream);
	verdict(r.stream, REPORT_ALLOW);
	verdict(r.stream + 1, REPORT_REFUSE); /* never asked */
	assert_false(is_knocked_at(&server));
	c = relay_circuit(relay);
	send_begin(c, 1, server.at);
	r = expect_record(REPORT_OPEN);
	verdict(r.stream, REPORT_REFUSE);
	expect_end(c, 1, END_MISC);
	expect_closed(r.stream);
	relay_circuit_end(&c);
}

/* The guard goes with a question open: what becomes of it, and of the next stream? */
static void
expect_fail_mode(struct peer_circuit *c, uint16_t stream_id, bool open)
{
	struct peer_answer a;

	if (!open) {
		expect_end(c, stream_id, END_MISC);
		return;
	}
	close(server_accept(&server));
	expect_message(c, RELAY_CONNECTED, stream_id, &a);
	expect_end(c, stream_id, END_DONE);
}

static void
guard_goes(bool open)
{
	struct peer_circuit *c = relay_circuit(relay);

	send_begin(c, 1, server.at);
	expect_record(REPORT_OPEN);
	guard_leaves();
	expect_fail_mode(c, 1, open);
	send_begin(c, 2, server.at);
	expect_fail_mode(c, 2, open);
	relay_circuit_end(&c);
	accept_guard(); /* relayd comes back by itself */
}

static void
test_goes_open(void **state)
{
	(void)state;
	guard_goes(true);
}

static void
test_goes_closed(void **state)
{
	(void)state;
	guard_goes(false);
}

static void
test_garbage(void **state)
{
	static const struct {
		const char *what;
		size_t len;
		struct report_record r;
	} bad[] = {
		{ "half a record", 20, { .type = REPORT_VERDICT, .code = 1 } },
		{ "an unknown type", sizeof(bad[0].r), { .type = 99 } },
		{ "a verdict of an unknown code", sizeof(bad[0].r),
		    { .type = REPORT_VERDICT, .code = 9 } },
		{ "what only relayd says", sizeof(bad[0].r),
		    { .type = REPORT_OPEN, .family = ADDR_IPV4, .port = 80 } },
	};
	struct peer_circuit *c = relay_circuit(relay);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pollfd pfd = { .fd = guard.fd, .events = POLLIN };
		char byte;

		assert_int_equal(send(guard.fd, &bad[i].r, bad[i].len, MSG_NOSIGNAL), bad[i].len);
		if (poll(&pfd, 1, LONG_MS) != 1 || recv(guard.fd, &byte, 1, 0) != 0)
			fail_msg("%s: the connection is still there", bad[i].what);
		guard_leaves();
		send_begin(c, 1, server.at);
		expect_fail_mode(c, 1, true);
		accept_guard();
	}
	relay_circuit_end(&c);
}

/* No answer by GuardTimeout. */
static void
silence(bool open)
{
	struct peer_circuit *c = relay_circuit(relay);
	uint64_t began = clock_mono_ms();

	send_begin(c, 1, server.at);
	struct report_record r = expect_record(REPORT_OPEN);
	expect_fail_mode(c, 1, open);
	assert_true(clock_mono_ms() - began >= 250);
	if (open)
		expect_outcome(r.stream, REPORT_CONNECTED); /* it is told all the same */
	expect_closed(r.stream);
	verdict(r.stream, REPORT_REFUSE); /* too late */
	send_begin(c, 2, server.at);
	r = expect_record(REPORT_OPEN);
	verdict(r.stream, REPORT_REFUSE);
	expect_end(c, 2, END_MISC);
	expect_closed(r.stream);
	relay_circuit_end(&c);
}

static void
test_silent_open(void **state)
{
	(void)state;
	silence(true);
}

static void
test_silent_closed(void **state)
{
	(void)state;
	silence(false);
}

/* --- three relays: patient, hasty and open, hasty and closed --------------------------------- */

static void
set_up(const char *lines)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char more[512];

	names_start();
	server_open(&server);
	snprintf(socket_path, sizeof(socket_path), "/tmp/relay_test_guard.%ld", (long)getpid());
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", socket_path);
	unlink(socket_path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 5), 0);
	snprintf(more, sizeof(more),
	    "Workers 1\nExitPolicy reject *:3-4\nExitPolicy accept *:*\nGuardSocket %s\n%s",
	    socket_path, lines);
	relay = relay_start("guarded", more);
	accept_guard();
}

static int
set_up_patient(void **state)
{
	(void)state;
	set_up("GuardTimeout 1000\n");
	return 0;
}

static int
set_up_open(void **state)
{
	(void)state;
	set_up("GuardTimeout 250\nGuardFailMode open\n");
	return 0;
}

static int
set_up_closed(void **state)
{
	(void)state;
	set_up("GuardTimeout 250\nGuardFailMode closed\n");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	relay_stop(&relay);
	close(guard.fd);
	close(listener);
	unlink(socket_path);
	server_close(&server);
	names_stop();
	return 0;
}

int
run_guard(void)
{
	const struct CMUnitTest patient[] = {
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_late_verdict),
		cmocka_unit_test(test_goes_open),
		cmocka_unit_test(test_garbage),
	};
	const struct CMUnitTest open[] = { cmocka_unit_test(test_silent_open) };
	const struct CMUnitTest closed[] = {
		cmocka_unit_test(test_silent_closed),
		cmocka_unit_test(test_goes_closed),
	};

	return cmocka_run_group_tests_name("guard", patient, set_up_patient, tear_down) +
	       cmocka_run_group_tests_name("guard, open", open, set_up_open, tear_down) +
	       cmocka_run_group_tests_name("guard, closed", closed, set_up_closed, tear_down);
}
