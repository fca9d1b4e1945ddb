/* sandbox_test.c: a child answers, dies or is stopped, and cannot reach what it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abuse/main/sandbox.h"

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(3);
}

static void
work_answer(void *arg, int fd)
{
	say(fd, arg);
}

static void
work_long_answer(void *arg, int fd)
{
	char block[4096];

	(void)arg;
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 1000; i++)
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			_exit(3);
}

static void
work_abort(void *arg, int fd)
{
	(void)arg;
	say(fd, "half");
	abort();
}

static void
work_socket(void *arg, int fd)
{
	(void)arg;
	(void)socket(AF_INET, SOCK_STREAM, 0);
	say(fd, "still here");
}

static void
work_write_file(void *arg, int fd)
{
	int file = open(arg, O_WRONLY | O_CREAT, 0600);

	say(fd, file < 0 && errno == EPERM ? "refused" : "written");
}

static void
work_read_file(void *arg, int fd)
{
	int file = open("/dev/null", O_RDONLY);

	(void)arg;
	say(fd, file < 0 ? "refused" : "read");
}

static void
work_memory(void *arg, int fd)
{
	volatile char *block = malloc(SANDBOX_MEMORY * 2);

	(void)arg;
	if (block != NULL)
		block[0] = 1;
	say(fd, block == NULL ? "refused" : "given");
}

static void
expect(void (*work)(void *arg, int fd), void *arg, enum sandbox_end want, const char *said)
{
	char *answer = NULL;
	size_t len = 0;

	assert_int_equal(sandbox_run(work, arg, &answer, &len), want);
	if (said != NULL) {
		assert_int_equal(len, strlen(said));
		assert_memory_equal(answer, said, len);
	}
	free(answer);
}

static void
test_answers(void **state)
{
	char hello[] = "hello", nothing[] = "";
	char *answer = NULL;
	size_t len = 0;

	(void)state;
	expect(work_answer, hello, SANDBOX_ANSWERED, "hello");
	expect(work_answer, nothing, SANDBOX_ANSWERED, "");
	assert_int_equal(sandbox_run(work_long_answer, NULL, &answer, &len), SANDBOX_ANSWERED);
	assert_int_equal(len, 4096000);
	free(answer);
	expect(work_read_file, NULL, SANDBOX_ANSWERED, "read");
}

static void
test_death(void **state)
{
	(void)state;
	expect(work_abort, NULL, SANDBOX_DIED, NULL);
}

static void
test_filter(void **state)
{
	char path[] = "/tmp/abuse-sandbox-test-XXXXXX";

	(void)state;
	if (!sandbox_has_filter())
		skip();
	int file = mkstemp(path);
	assert_true(file >= 0);
	close(file);
	expect(work_socket, NULL, SANDBOX_DIED, NULL);
	expect(work_write_file, path, SANDBOX_ANSWERED, "refused");
	expect(work_memory, NULL, SANDBOX_ANSWERED, "refused");
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
