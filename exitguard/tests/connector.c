/* connector.c: plain TCP connects for the tests, as a relay of some user would make them:
 *
 *	connector UID ADDRESS PORT		one connect; prints "connected" or the errno's name
 *	connector UID ADDRESS COUNT PORT RATE	COUNT addresses from ADDRESS on, RATE a second,
 *		non-blocking; prints "out N refused N answered N"
 *
 * refused: the kernel said EHOSTUNREACH (admin-prohibited) at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"

#define OPEN_MAX_AT_ONCE 512
#define LOOK_AFTER_US    2000

static int
start(const struct addr_port *to, int *fd)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_port_to_sockaddr(to, &ss);

	*fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return errno;
	return connect(*fd, (const struct sockaddr *)&ss, len) == 0 ? 0 : errno;
}

static int
error_of(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

static int
one(const struct addr_port *to)
{
	int fd, error = start(to, &fd);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	for (int i = 0; i < 30 && error == EINPROGRESS; i++) {
		usleep(100000);
		int late = error_of(fd);
		if (late != 0 || getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
			error = late;
	}
	puts(error == 0 ? "connected" : error == EINPROGRESS ? "silent" : strerrorname_np(error));
	return 0;
}

static int
many(struct addr_port to, unsigned count, unsigned rate)
{
	unsigned out = 0, refused = 0, answered = 0;
	uint32_t base = addr_ipv4_u32(&to.addr);
	static int open_fds[OPEN_MAX_AT_ONCE];

	memset(open_fds, 0xff, sizeof(open_fds));
	for (unsigned i = 0; i < count; i++) {
		int *slot = &open_fds[i % OPEN_MAX_AT_ONCE], error;

		if (*slot >= 0)
			close(*slot);
		to.addr = addr_ipv4(base + i);
		error = start(&to, slot);
		usleep(LOOK_AFTER_US);
		if (error == EINPROGRESS)
			error = error_of(*slot);
		out += error == 0;
		refused += error == EHOSTUNREACH;
		answered += error == ECONNREFUSED;
		if (rate < 1000000 / LOOK_AFTER_US)
			usleep(1000000 / rate - LOOK_AFTER_US);
	}
	printf("out %u refused %u answered %u\n", out, refused, answered);
	return 0;
}

static unsigned
number(const char *text)
{
	uint64_t n;

	if (parse_u64(span_of_str(text), INT32_MAX, &n) != RC_OK) {
		fprintf(stderr, "connector: %s is no number\n", text);
		exit(2);
	}
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	struct addr_port to = { 0 };

	if ((argc != 4 && argc != 6) || addr_parse(span_of_str(argv[2]), &to.addr) != RC_OK) {
		fprintf(
		    stderr, "usage: connector UID ADDRESS PORT | UID ADDRESS COUNT PORT RATE\n");
		return 2;
	}
	if (setgid(number(argv[1])) != 0 || setuid(number(argv[1])) != 0) {
		perror("connector: setuid");
		return 1;
	}
	to.port = (uint16_t)number(argv[argc == 4 ? 3 : 4]);
	if (argc == 4)
		return one(&to);
	return many(to, number(argv[3]), number(argv[5]));
}
