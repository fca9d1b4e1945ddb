/* world.c: what lies behind an exit, for tests: a DNS server in a thread, TCP servers, and threads
 * that fill or empty a connection with a known pattern. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "relayd/tests/harness.h"

#define TYPE_A   1
#define TYPE_PTR 12

/* --- names ----------------------------------------------------------------------------------- */

static struct {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_uint asked;
} names;

static bool
begins(const char *name, const char *with)
{
	return strncasecmp(name, with, strlen(with)) == 0;
}

/* The reply lies behind the question that came, which stays as it is. False: none to be given. */
static bool
reply_to(uint8_t *packet, size_t len, struct wr *wr)
{
	static const uint8_t v4[] = { 0, 4, 127, 0, 0, 1 };
	static const uint8_t ptr[] = "\0\21\3ptr\7example\3net";
	struct rd rd = rd_from(span_of(packet, len));
	char first[64] = "";
	uint8_t label, label_count = 0;

	rd_skip(&rd, 12);
	while ((label = rd_u8(&rd)) != 0 && rd.rc == RC_OK) {
		struct span s = rd_span(&rd, label);

		if (label_count++ == 0 && s.len < sizeof(first))
			memcpy(first, s.data, s.len);
	}
	uint16_t type = rd_u16(&rd);
	rd_skip(&rd, 2);
	if (rd.rc != RC_OK || begins(first, "silent"))
		return false;
	unsigned rcode = begins(first, "nx") ? 3 : begins(first, "servfail") ? 2 : 0;
	bool has_answer = rcode == 0 && (type == TYPE_A || type == TYPE_PTR);
	wr_reserve(wr, len - rd_left(&rd));
	if (has_answer) {
		wr_u16(wr, 0xc00c); /* the question's name */
		wr_u16(wr, type);
		wr_u16(wr, 1);
		wr_u32(wr, begins(first, "brief") ? 60 : 900);
		if (type == TYPE_A)
			wr_bytes(wr, v4, sizeof(v4));
		else
			wr_bytes(wr, ptr, sizeof(ptr));
	}
	put_u16(packet + 2, (uint16_t)(0x8180 | rcode));
	put_u16(packet + 6, has_answer);
	memset(packet + 8, 0, 4);
	return true;
}

static void *
serve_names(void *arg)
{
	(void)arg;
	for (;;) {
		uint8_t packet[1024];
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(names.fd, packet, 512, 0, (struct sockaddr *)&from, &from_len);
		struct wr wr = wr_to(packet, sizeof(packet));

		if (n <= 0)
			return NULL;
		atomic_fetch_add(&names.asked, 1);
		if (reply_to(packet, (size_t)n, &wr))
			sendto(
			    names.fd, packet, wr_len(&wr), 0, (struct sockaddr *)&from, from_len);
	}
}

static int
bind_free(int type, uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

void
names_start(void)
{
	names.fd = bind_free(SOCK_DGRAM, &names.port);
	assert_int_equal(pthread_create(&names.thread, NULL, serve_names, NULL), 0);
}

void
names_stop(void)
{
	shutdown(names.fd, SHUT_RD); /* wakes the thread */
	pthread_join(names.thread, NULL);
	close(names.fd);
}

uint16_t
names_port(void)
{
	return names.port;
}

unsigned
names_asked(void)
{
	return atomic_load(&names.asked);
}

/* --- destinations ---------------------------------------------------------------------------- */

void
server_open_deaf(struct server *s)
{
	s->fd = bind_free(SOCK_STREAM, &s->port);
	snprintf(s->at, sizeof(s->at), "127.0.0.1:%u", s->port);
}

void
server_open(struct server *s)
{
	server_open_deaf(s);
	assert_int_equal(listen(s->fd, 512), 0);
}

void
server_open_narrow(struct server *s)
{
	int size = 4096;

	server_open_deaf(s);
	assert_int_equal(setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	assert_int_equal(listen(s->fd, 512), 0);
}

int
server_accept(const struct server *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	struct timeval limit = { LONG_MS / 1000, 0 };

	assert_int_equal(poll(&pfd, 1, LONG_MS), 1);
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

void
server_close(struct server *s)
{
	close(s->fd);
	s->fd = -1;
}

/* --- known bytes ----------------------------------------------------------------------------- */

static uint8_t
pattern_at(size_t offset)
{
	return (uint8_t)(((uint32_t)offset * 2654435761u) >> 24);
}

void
pattern_fill(uint8_t *out, size_t offset, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = pattern_at(offset + i);
}

bool
pattern_is(const uint8_t *in, size_t offset, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (in[i] != pattern_at(offset + i))
			return false;
	return true;
}

static void *
write_all(void *arg)
{
	struct pump *p = arg;
	uint8_t buf[16384];
	size_t done = 0;

	while (done < p->len) {
		size_t want = p->len - done < sizeof(buf) ? p->len - done : sizeof(buf);

		pattern_fill(buf, done, want);
		ssize_t n = send(p->fd, buf, want, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	p->ok = done == p->len;
	close(p->fd);
	return NULL;
}

static void *
read_all(void *arg)
{
	struct pump *p = arg;
	uint8_t buf[16384];
	size_t done = 0;
	ssize_t n;

	while ((n = recv(p->fd, buf, sizeof(buf), 0)) > 0 && pattern_is(buf, done, (size_t)n))
		done += (size_t)n;
	p->ok = n == 0 && done == p->len;
	close(p->fd);
	return NULL;
}

static void
pump_start(struct pump *p, int fd, size_t len, void *(*run)(void *))
{
	*p = (struct pump){ .fd = fd, .len = len };
	assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

void
pump_write(struct pump *p, int fd, size_t len)
{
	pump_start(p, fd, len, write_all);
}

void
pump_read(struct pump *p, int fd, size_t len)
{
	pump_start(p, fd, len, read_all);
}

bool
pump_join(struct pump *p)
{
	pthread_join(p->thread, NULL);
	return p->ok;
}
