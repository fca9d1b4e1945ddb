/* log.c: log lines. Touches standard error and the files it was given, nothing else. */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_OUTPUTS 8
#define MAX_LINE    1024

struct output {
	int fd;
	enum log_level level;
	char *path; /* owned; NULL for standard error */
};

/* Guards outputs and output_count; taken for each line, held for one write(2) each. */
static pthread_mutex_t outputs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct output outputs[MAX_OUTPUTS];
static unsigned output_count;
static const char *program_name = "exitgate";
static _Atomic enum log_level highest_level = LOG_LEVEL_NOTICE;

static const char *const level_names[] = { "err", "warn", "notice", "info", "debug" };
static const char *const domain_names[LOG_DOMAIN_COUNT] = {
	[LOG_GENERAL] = "general",
	[LOG_CONFIG] = "config",
	[LOG_LINK] = "link",
	[LOG_CIRC] = "circuit",
	[LOG_EXIT] = "exit",
	[LOG_DIR] = "dir",
	[LOG_DNS] = "dns",
	[LOG_KEYS] = "keys",
	[LOG_GUARD] = "guard",
	[LOG_NFT] = "nft",
	[LOG_CTL] = "ctl",
};

void
log_init(const char *program)
{
	program_name = program;
	log_clear_outputs();
}

void
log_clear_outputs(void)
{
	pthread_mutex_lock(&outputs_lock);
	for (unsigned i = 0; i < output_count; i++) {
		if (outputs[i].path != NULL)
			close(outputs[i].fd);
		free(outputs[i].path);
	}
	output_count = 0;
	highest_level = LOG_LEVEL_NOTICE;
	pthread_mutex_unlock(&outputs_lock);
}

static enum rc
add_output(int fd, enum log_level level, char *path)
{
	enum rc rc = RC_LIMIT;

	pthread_mutex_lock(&outputs_lock);
	if (output_count < MAX_OUTPUTS) {
		if (output_count == 0 || level > highest_level)
			highest_level = level;
		outputs[output_count++] = (struct output){ fd, level, path };
		rc = RC_OK;
	}
	pthread_mutex_unlock(&outputs_lock);
	return rc;
}

static int
open_log(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

enum rc
log_add_file(enum log_level level, const char *path)
{
	char *copy = strdup(path);
	int fd;

	if (copy == NULL)
		return RC_NO_MEMORY;
	fd = open_log(path);
	if (fd < 0) {
		free(copy);
		return RC_SYSTEM;
	}
	enum rc rc = add_output(fd, level, copy);
	if (rc != RC_OK) {
		close(fd);
		free(copy);
	}
	return rc;
}

enum rc
log_add_stderr(enum log_level level)
{
	return add_output(STDERR_FILENO, level, NULL);
}

void
log_reopen(void)
{
	pthread_mutex_lock(&outputs_lock);
	for (unsigned i = 0; i < output_count; i++) {
		int fd = outputs[i].path != NULL ? open_log(outputs[i].path) : -1;

		if (fd >= 0) {
			close(outputs[i].fd);
			outputs[i].fd = fd;
		}
	}
	pthread_mutex_unlock(&outputs_lock);
}

enum rc
log_level_parse(const char *name, enum log_level *out)
{
	for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return RC_OK;
		}
	if (strcmp(name, "error") == 0)
		*out = LOG_LEVEL_ERROR;
	else if (strcmp(name, "warning") == 0)
		*out = LOG_LEVEL_WARN;
	else
		return RC_SYNTAX;
	return RC_OK;
}

bool
log_is_on(enum log_level level)
{
	return level <= highest_level;
}

/* "Nov 21 05:19:07.123 [warn] relayd link: " at the start of buf; its length. */
static size_t
line_head(char *buf, size_t cap, enum log_level level, enum log_domain domain)
{
	struct timespec ts;
	struct tm tm;
	char when[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%b %d %H:%M:%S", &tm);
	int n = snprintf(buf, cap, "%s.%03ld [%s] %s %s: ", when, ts.tv_nsec / 1000000,
	    level_names[level], program_name,
	    (unsigned)domain < LOG_DOMAIN_COUNT ? domain_names[domain] : "general");
	return n > 0 ? (size_t)n : 0;
}

void
log_write(enum log_level level, enum log_domain domain, const char *fmt, ...)
{
	int saved_errno = errno;
	char line[MAX_LINE];
	va_list ap;

	if (!log_is_on(level))
		return;
	size_t head = line_head(line, sizeof(line), level, domain);
	errno = saved_errno; /* for %m */
	va_start(ap, fmt);
	int n = vsnprintf(line + head, sizeof(line) - head - 1, fmt, ap);
	va_end(ap);
	size_t len = head + (n > 0 ? (size_t)n : 0);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	for (size_t i = head; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';

	pthread_mutex_lock(&outputs_lock);
	for (unsigned i = 0; i < output_count; i++)
		if (level <= outputs[i].level)
			(void)!write(outputs[i].fd, line, len);
	if (output_count == 0)
		(void)!write(STDERR_FILENO, line, len);
	pthread_mutex_unlock(&outputs_lock);
	errno = saved_errno;
}

bool
log_limit_ok(struct log_limit *limit, unsigned burst, uint64_t now_ms, unsigned *swallowed)
{
	*swallowed = 0;
	if (limit->window_start_ms == 0 || now_ms - limit->window_start_ms >= 60000) {
		limit->window_start_ms = now_ms != 0 ? now_ms : 1;
		limit->in_window = 0;
	}
	if (limit->in_window >= burst) {
		limit->swallowed++;
		return false;
	}
	limit->in_window++;
	*swallowed = limit->swallowed;
	limit->swallowed = 0;
	return true;
}
