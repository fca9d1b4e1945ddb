/* sandbox.c: see sandbox.h. Limits by setrlimit and alarm, system calls by seccomp. Files may
 * be opened for reading only: iconv loads its tables that way. */
#include "abuse/main/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#define GRACE_MS 2000

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const int allowed[] = { SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(mmap),
	SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(futex), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(getrandom), SCMP_SYS(sched_yield), SCMP_SYS(exit), SCMP_SYS(exit_group) };

/* What is not allowed fails with EPERM; calls that could only be an attack end the child. */
static bool
forbid_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool ok = ctx != NULL;

	for (size_t i = 0; ok && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		ok = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
	ok = ok &&
	     seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		 SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)) == 0 &&
	     seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 0) == 0 &&
	     seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 0) == 0 &&
	     seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(ptrace), 0) == 0 &&
	     seccomp_load(ctx) == 0;
	seccomp_release(ctx);
	return ok;
}

/* Sanitizers map terabytes of shadow and ask the kernel things we do not allow. Kernels without
 * the call, and valgrind, have no filter to offer. */
bool
sandbox_has_filter(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	if (SANITIZED)
		return false;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 || errno != ENOSYS;
}

static bool
limit(int what, rlim_t value)
{
	struct rlimit rl = { .rlim_cur = value, .rlim_max = value };

	return setrlimit(what, &rl) == 0;
}

static void
enter(void)
{
	bool ok = limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, SANDBOX_SECONDS) &&
		  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;

	if (!SANITIZED)
		ok = ok && limit(RLIMIT_DATA, SANDBOX_MEMORY);
	if (sandbox_has_filter())
		ok = ok && forbid_calls();
	if (!ok)
		_exit(3);
}

static void
run_child(void (*work)(void *arg, int answer_fd), void *arg, int answer_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	/* Libraries' last words (out of memory) are no news to the reader of our messages. */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    (!SANITIZED && dup2(null, STDERR_FILENO) < 0))
		_exit(3);
	alarm(SANDBOX_SECONDS);
	enter();
	work(arg, answer_fd);
	_exit(0);
}

/* Read to the end, at most the answer's limit and a little longer than the child may take. */
static bool
collect(int fd, char **answer, size_t *len)
{
	uint64_t until = clock_mono_ms() + SANDBOX_SECONDS * 1000u + GRACE_MS;
	size_t cap = 0;

	*answer = NULL;
	*len = 0;
	for (;;) {
		uint64_t now = clock_mono_ms();
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int ready = poll(&pfd, 1, now >= until ? 0 : (int)(until - now));

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		if (cap - *len < 4096) {
			char *grown = cap >= SANDBOX_ANSWER_MAX
					  ? NULL
					  : realloc(*answer, cap == 0 ? 65536 : cap * 2);

			if (grown == NULL)
				return false;
			*answer = grown;
			cap = cap == 0 ? 65536 : cap * 2;
		}
		ssize_t n = read(fd, &(*answer)[*len], cap - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		*len += (size_t)n;
	}
}

static enum sandbox_end
end_of(int status, bool collected)
{
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU))
		return SANDBOX_TOO_LONG;
	if (!collected)
		return SANDBOX_TOO_LONG;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? SANDBOX_ANSWERED : SANDBOX_DIED;
}

enum sandbox_end
sandbox_run(void (*work)(void *arg, int answer_fd), void *arg, char **answer, size_t *len)
{
	int fds[2], status = 0;

	*answer = NULL;
	*len = 0;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return SANDBOX_FAILED;
	pid_t child = fork();
	if (child < 0) {
		int saved = errno;

		close(fds[0]);
		close(fds[1]);
		errno = saved;
		return SANDBOX_FAILED;
	}
	if (child == 0) {
		close(fds[0]);
		run_child(work, arg, fds[1]);
	}
	close(fds[1]);
	bool collected = collect(fds[0], answer, len);
	close(fds[0]);
	if (!collected)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return end_of(status, collected);
}
