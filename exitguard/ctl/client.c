/* client.c: one question over the control socket. Touches that socket only. */
#include "exitguard/ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "exitguard/ctl/request.h"

static enum rc
dial(const char *path, unsigned timeout_s, int *out)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = timeout_s };

	if (strlen(path) >= sizeof(sun.sun_path))
		return RC_LIMIT;
	memcpy(sun.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return RC_SYSTEM;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) != 0 ||
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return RC_SYSTEM;
	}
	*out = fd;
	return RC_OK;
}

static enum rc
send_all(int fd, const char *data, size_t len)
{
	while (len != 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? RC_AGAIN : RC_SYSTEM;
		data += n;
		len -= (size_t)n;
	}
	return RC_OK;
}

static enum rc
read_all(int fd, char **out, size_t *out_len)
{
	size_t cap = 8192, len = 0;
	char *buf = malloc(cap + 1);

	while (buf != NULL) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len + (size_t)n > CTL_ANSWER_MAX) {
			free(buf);
			return n >= 0 ? RC_LIMIT : errno == EAGAIN ? RC_AGAIN : RC_SYSTEM;
		}
		len += (size_t)n;
		if (n == 0) {
			buf[len] = '\0';
			*out = buf;
			*out_len = len;
			return RC_OK;
		}
		if (len == cap) {
			char *bigger = realloc(buf, (cap *= 2) + 1);

			if (bigger == NULL)
				free(buf);
			buf = bigger;
		}
	}
	return RC_NO_MEMORY;
}

enum rc
ctl_ask(const char *socket_path, const char *line, unsigned timeout_s, char **answer,
    size_t *answer_len)
{
	int fd;
	enum rc rc = dial(socket_path, timeout_s, &fd);

	*answer = NULL;
	*answer_len = 0;
	if (rc != RC_OK)
		return rc;
	rc = send_all(fd, line, strlen(line));
	if (rc == RC_OK)
		rc = send_all(fd, "\n", 1);
	if (rc == RC_OK)
		rc = read_all(fd, answer, answer_len);
	int saved = errno;
	close(fd);
	errno = saved;
	return rc;
}
