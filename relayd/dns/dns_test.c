/* dns_test.c: lookups through libunbound against a small DNS server in a thread of its own, on a
 * port of 127.0.0.1. What it answers depends on how the name begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "relayd/dns/dns.h"

#define CROWD 200 /* questions that must be under way at once before any is answered */

#define TYPE_A    1
#define TYPE_PTR  12
#define TYPE_AAAA 28

/* --- the server --- */

struct waiting {
	uint8_t packet[512];
	size_t len;
	struct sockaddr_in from;
};

struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_uint questions;
	struct waiting crowd[CROWD]; /* of the thread */
	unsigned crowd_count;
};

static struct server server;

static bool
begins(const char *name, const char *with)
{
	return strncasecmp(name, with, strlen(with)) == 0;
}

/* Name, type and length of the question of a packet; false if it has none. */
static bool
question_of(struct span packet, char name[256], uint16_t *type, size_t *len)
{
	struct rd rd = rd_from(packet);
	struct wr wr = wr_to(name, 255);
	uint8_t label;

	rd_skip(&rd, 12);
	while ((label = rd_u8(&rd)) != 0 && rd.rc == RC_OK) {
		wr_span(&wr, rd_span(&rd, label));
		wr_u8(&wr, '.');
	}
	*type = rd_u16(&rd);
	rd_skip(&rd, 2);
	name[wr_len(&wr)] = '\0';
	*len = packet.len - rd_left(&rd);
	return rd.rc == RC_OK;
}

static void
write_record(struct wr *wr, uint16_t type, uint32_t ttl, const void *data, uint16_t len)
{
	wr_u16(wr, 0xc00c); /* the question's name */
	wr_u16(wr, type);
	wr_u16(wr, 1);
	wr_u32(wr, ttl);
	wr_u16(wr, len);
	wr_bytes(wr, data, len);
}

static void
answer(const struct waiting *asked)
{
	static const uint8_t v4[4] = { 192, 0, 2, 7 };
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 };
	static const uint8_t ptr[] = "\3ptr\7example\3net";
	uint8_t packet[512];
	struct wr wr = wr_to(packet, sizeof(packet));
	char name[256];
	uint16_t type;
	size_t question_len;
	unsigned answers = 0, rcode;

	if (!question_of(span_of(asked->packet, asked->len), name, &type, &question_len))
		return;
	rcode = begins(name, "nx") ? 3 : begins(name, "servfail") ? 2 : 0;
	wr_bytes(&wr, asked->packet, question_len); /* the spelling of the question too */
	if (rcode == 0 && type == TYPE_A && !begins(name, "six") && !begins(name, "none"))
		write_record(&wr, type, begins(name, "brief") ? 60 : 900, v4, 4), answers++;
	if (rcode == 0 && type == TYPE_AAAA && (begins(name, "six") || begins(name, "both")))
		write_record(&wr, type, 700, v6, 16), answers++;
	if (rcode == 0 && type == TYPE_PTR)
		write_record(&wr, type, 900, ptr, sizeof(ptr)), answers++;
	put_u16(packet + 2, (uint16_t)(0x8180 | rcode));
	put_u16(packet + 6, (uint16_t)answers);
	put_u16(packet + 8, 0);
	put_u16(packet + 10, 0);
	sendto(server.fd, packet, wr_len(&wr), 0, (const struct sockaddr *)&asked->from,
	    sizeof(asked->from));
}

static void *
serve(void *arg)
{
	(void)arg;
	for (;;) {
		struct waiting asked = { .len = 0 };
		socklen_t from_len = sizeof(asked.from);
		ssize_t n = recvfrom(server.fd, asked.packet, sizeof(asked.packet), 0,
		    (struct sockaddr *)&asked.from, &from_len);
		char name[256];
		uint16_t type;
		size_t len;

		if (n <= 0)
			return NULL;
		asked.len = (size_t)n;
		if (!question_of(span_of(asked.packet, asked.len), name, &type, &len))
			continue;
		atomic_fetch_add(&server.questions, 1);
		if (begins(name, "silent"))
			continue;
		if (!begins(name, "crowd")) {
			answer(&asked);
			continue;
		}
		if (server.crowd_count < CROWD)
			server.crowd[server.crowd_count++] = asked;
		for (unsigned i = 0; server.crowd_count == CROWD && i < CROWD; i++)
			answer(&server.crowd[i]);
	}
}

static void
start_server(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	memset(&server, 0, sizeof(server));
	server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(server.fd >= 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(server.fd, (struct sockaddr *)&sin, &len), 0);
	server.port = ntohs(sin.sin_port);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void
stop_server(void)
{
	shutdown(server.fd, SHUT_RD); /* wakes the thread */
	pthread_join(server.thread, NULL);
	close(server.fd);
}

/* --- lookups --- */

struct house {
	struct event_base *base;
	struct dns *dns;
	char resolv_conf[64];
};

struct result {
	struct dns_answer answer;
	unsigned calls;
};

static void
write_resolv_conf(const struct house *house, const char *more)
{
	FILE *f = fopen(house->resolv_conf, "w");

	assert_non_null(f);
	fprintf(f, "# a comment\nsearch example.org\n%snameserver 127.0.0.1@%u\noptions ndots:1\n",
	    more, server.port);
	assert_int_equal(fclose(f), 0);
}

static int
open_house(void **state)
{
	static struct house house;
	char why[256];

	start_server();
	strcpy(house.resolv_conf, "/tmp/dns_test.XXXXXX");
	int fd = mkstemp(house.resolv_conf);
	assert_true(fd >= 0);
	close(fd);
	write_resolv_conf(&house, "");
	house.base = event_base_new();
	assert_non_null(house.base);
	if (dns_new(house.base, house.resolv_conf, &house.dns, why, sizeof(why)) != RC_OK)
		fail_msg("%s", why);
	*state = &house;
	return 0;
}

static int
close_house(void **state)
{
	struct house *house = *state;

	dns_free(&house->dns);
	assert_null(house->dns);
	event_base_free(house->base);
	unlink(house->resolv_conf);
	stop_server();
	return 0;
}

static void
on_done(void *arg, const struct dns_answer *answer_in)
{
	struct result *result = arg;

	result->answer = *answer_in;
	result->calls++;
}

/* Turn the event loop until *calls is wanted, or for_ms are over. */
static void
turn(struct house *house, const unsigned *calls, unsigned wanted, uint64_t for_ms)
{
	uint64_t end = clock_mono_ms() + for_ms;

	while (*calls < wanted && clock_mono_ms() < end) {
		const struct timeval soon = { 0, 20000 };

		event_base_loopexit(house->base, &soon);
		event_base_loop(house->base, EVLOOP_ONCE);
	}
}

static struct dns_answer
look(struct house *house, enum dns_kind kind, const char *name, bool want_v6)
{
	struct result result = { .calls = 0 };

	assert_int_equal(dns_lookup(house->dns, kind, name, want_v6, on_done, &result), RC_OK);
	assert_int_equal(result.calls, 0); /* never from inside */
	turn(house, &result.calls, 1, 20000);
	assert_int_equal(result.calls, 1);
	return result.answer;
}

static void
test_found(void **state)
{
	struct dns_answer a = look(*state, DNS_ADDRESSES, "Www.Example.Net", false);

	assert_int_equal(a.status, DNS_OK);
	assert_int_equal(addr_ipv4_u32(&a.v4), 0xc0000207);
	assert_int_equal(a.v6.family, ADDR_NONE);
	assert_in_range(a.ttl, 890, 900);
	assert_string_equal(a.name, "");
	a = look(*state, DNS_ADDRESSES, "both.example.net", true);
	assert_int_equal(a.status, DNS_OK);
	assert_int_equal(a.v4.family, ADDR_IPV4);
	assert_int_equal(a.v6.family, ADDR_IPV6);
	assert_in_range(a.ttl, 690, 700);
	a = look(*state, DNS_ADDRESSES, "six.example.net", true);
	assert_int_equal(a.status, DNS_OK);
	assert_int_equal(a.v4.family, ADDR_NONE);
	assert_int_equal(a.v6.family, ADDR_IPV6);
	a = look(*state, DNS_ADDRESSES, "www.dot.example.net.", false);
	assert_int_equal(a.status, DNS_OK);
	a = look(*state, DNS_ADDRESSES, "www.test", false); /* no zone is answered unasked */
	assert_int_equal(a.status, DNS_OK);
	a = look(*state, DNS_PTR, "7.2.0.203.in-addr.arpa", false);
	assert_int_equal(a.status, DNS_OK);
	assert_string_equal(a.name, "ptr.example.net");
}

static void
test_missing(void **state)
{
	unsigned before;

	assert_int_equal(look(*state, DNS_ADDRESSES, "nx.example.net", true).status, DNS_NXDOMAIN);
	assert_int_equal(
	    look(*state, DNS_ADDRESSES, "none.example.net", true).status, DNS_NXDOMAIN);
	assert_int_equal(
	    look(*state, DNS_ADDRESSES, "six.example.com", false).status, DNS_NXDOMAIN);
	assert_int_equal(
	    look(*state, DNS_ADDRESSES, "servfail.example.net", false).status, DNS_FAILED);
	before = atomic_load(&server.questions);
	assert_int_equal(look(*state, DNS_ADDRESSES, "a b", false).status, DNS_NXDOMAIN);
	assert_int_equal(look(*state, DNS_ADDRESSES, "duck.onion", false).status, DNS_NXDOMAIN);
	assert_int_equal(look(*state, DNS_ADDRESSES, "", false).status, DNS_NXDOMAIN);
	assert_int_equal(atomic_load(&server.questions), before); /* nobody was asked */
}

static void
test_cache(void **state)
{
	unsigned before = atomic_load(&server.questions);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
		    look(*state, DNS_ADDRESSES, "once.example.net", false).status, DNS_OK);
	assert_int_equal(atomic_load(&server.questions), before + 1);
	look(*state, DNS_ADDRESSES, "ONCE.example.net", false);
	assert_int_equal(atomic_load(&server.questions), before + 1);
}

/* A busy exit has hundreds of questions under way while a resolver thinks. */
static void
test_crowd(void **state)
{
	struct result result = { .calls = 0 };
	struct house *house = *state;

	for (unsigned i = 0; i < CROWD; i++) {
		char name[64];

		snprintf(name, sizeof(name), "crowd%u.example.net", i);
		assert_int_equal(
		    dns_lookup(house->dns, DNS_ADDRESSES, name, false, on_done, &result), RC_OK);
	}
	turn(house, &result.calls, CROWD, 20000);
	assert_int_equal(result.calls, CROWD);
	assert_int_equal(result.answer.status, DNS_OK);
}

static void
test_deadline(void **state)
{
	uint64_t start = clock_mono_ms();

	assert_int_equal(
	    look(*state, DNS_ADDRESSES, "silent.example.net", true).status, DNS_FAILED);
	assert_in_range(clock_mono_ms() - start, DNS_DEADLINE_MS - 100, DNS_DEADLINE_MS + 5000);
}

static void
test_reload(void **state)
{
	struct result result = { .calls = 0 };
	struct house *house = *state;

	assert_int_equal(
	    dns_lookup(house->dns, DNS_ADDRESSES, "silent.example.com", false, on_done, &result),
	    RC_OK);
	dns_reload(house->dns); /* nothing changed */
	assert_int_equal(result.calls, 0);
	write_resolv_conf(house, "nameserver 127.0.0.1@1\n");
	dns_reload(house->dns);
	turn(house, &result.calls, 1, 1000);
	assert_int_equal(result.calls, 1);
	assert_int_equal(result.answer.status, DNS_FAILED);
	assert_int_equal(look(house, DNS_ADDRESSES, "www.example.com", false).status, DNS_OK);
	unlink(house->resolv_conf);
	dns_reload(house->dns); /* goes on with what it has */
	assert_int_equal(look(house, DNS_ADDRESSES, "www.example.org", false).status, DNS_OK);
}

static void
test_end(void **state)
{
	struct result result = { .calls = 0 };
	struct house *house = *state;

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
		    dns_lookup(house->dns, DNS_ADDRESSES, i == 1 ? "no such" : "silent.example.org",
			i == 2, on_done, &result),
		    RC_OK);
	dns_free(&house->dns);
	assert_int_equal(result.calls, 3);
	assert_int_equal(result.answer.status, DNS_FAILED);
	turn(house, &result.calls, 4, 100);
	assert_int_equal(result.calls, 3);
}

static void
test_no_file(void **state)
{
	struct event_base *base = event_base_new();
	struct dns *dns;
	char why[256];

	(void)state;
	assert_int_not_equal(
	    dns_new(base, "/nonexistent/resolv.conf", &dns, why, sizeof(why)), RC_OK);
	assert_null(dns);
	assert_string_equal(why, "cannot read /nonexistent/resolv.conf: No such file or directory");
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_missing, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_cache, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_crowd, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_deadline, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_reload, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_end, open_house, close_house),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
