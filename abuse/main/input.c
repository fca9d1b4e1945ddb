/* input.c: see input.h. Files are mapped: an mbox may be larger than memory. */
#include "abuse/main/input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void
on_bus_error(int sig)
{
	static const char text[] = "abuse: a file became shorter while it was read; run it again\n";

	(void)sig;
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)ignored;
	_exit(1);
}

void
input_guard(void)
{
	struct sigaction sa = { .sa_handler = on_bus_error };

	sigaction(SIGBUS, &sa, NULL);
}

static enum rc
read_stream(struct input *in, int fd, char error[INPUT_ERROR_LEN])
{
	size_t cap = 65536, len = 0;
	char *buf = malloc(cap);

	for (;;) {
		if (buf == NULL) {
			snprintf(error, INPUT_ERROR_LEN, "no memory");
			return RC_NO_MEMORY;
		}
		ssize_t n = read(fd, &buf[len], cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			snprintf(error, INPUT_ERROR_LEN, "%s", strerror(errno));
			free(buf);
			return RC_SYSTEM;
		}
		if (n == 0)
			break;
		len += (size_t)n;
		if (len == INPUT_STDIN_MAX) {
			snprintf(error, INPUT_ERROR_LEN,
			    "longer than %u MiB; put it in a file and name that",
			    INPUT_STDIN_MAX >> 20);
			free(buf);
			return RC_LIMIT;
		}
		if (len == cap) {
			char *grown = realloc(buf, cap * 2);

			if (grown == NULL)
				free(buf);
			buf = grown;
			cap *= 2;
		}
	}
	in->owned = buf;
	in->bytes = span_of(buf, len);
	return RC_OK;
}

static enum rc
map_file(struct input *in, int fd, size_t len, char error[INPUT_ERROR_LEN])
{
	if (len == 0)
		return RC_OK;
	in->mapped = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (in->mapped == MAP_FAILED) {
		in->mapped = NULL;
		snprintf(error, INPUT_ERROR_LEN, "%s", strerror(errno));
		return RC_SYSTEM;
	}
	in->mapped_len = len;
	in->bytes = span_of(in->mapped, len);
	return RC_OK;
}

enum rc
input_open(struct input *in, const char *path, char error[INPUT_ERROR_LEN])
{
	struct stat st;

	*in = (struct input){ .bytes = { NULL, 0 } };
	error[0] = '\0';
	if (strcmp(path, "-") == 0)
		return read_stream(in, STDIN_FILENO, error);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		snprintf(error, INPUT_ERROR_LEN, "%s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return RC_SYSTEM;
	}
	enum rc rc = RC_SYSTEM;
	if (S_ISDIR(st.st_mode))
		snprintf(error, INPUT_ERROR_LEN,
		    "is a directory; name the mails in it (for a Maildir: cur/* new/*)");
	else if (S_ISREG(st.st_mode))
		rc = map_file(in, fd, (size_t)st.st_size, error);
	else
		rc = read_stream(in, fd, error);
	close(fd);
	return rc;
}

void
input_close(struct input *in)
{
	if (in->mapped != NULL)
		munmap(in->mapped, in->mapped_len);
	free(in->owned);
	*in = (struct input){ .bytes = { NULL, 0 } };
}
