/* log.h: leveled log lines to standard error or files.
 *
 * error: we stop, or an operator must act. warn: someone misbehaves and we go on. notice:
 * start, reload, hourly summary. info and debug: off by default. Addresses of clients and
 * destinations never go in (private_addr_str says "[scrubbed]"). Thread-safe; a line is one
 * write(2). Control characters in a line become '?', so that a peer cannot forge lines. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rc.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

enum log_domain {
	LOG_GENERAL,
	LOG_CONFIG,
	LOG_LINK,
	LOG_CIRC,
	LOG_EXIT,
	LOG_DIR,
	LOG_DNS,
	LOG_KEYS,
	LOG_GUARD,
	LOG_NFT,
	LOG_CTL,
	LOG_DOMAIN_COUNT
};

/* Until the first log_add_*, lines from notice up go to standard error. The name is shown in
 * each line and must stay valid. */
void log_init(const char *program);
/* RC_SYSTEM (errno set) if the file cannot be opened for appending; it is made 0600.
 * RC_LIMIT past eight outputs. */
enum rc log_add_file(enum log_level level, const char *path);
enum rc log_add_stderr(enum log_level level);
void log_clear_outputs(void); /* back to the state after log_init; closes files */
/* Open the same files again by path (after logrotate). A file that fails keeps its old fd. */
void log_reopen(void);
/* "err", "warn", "notice", "info", "debug" (stock tor's names; "error" and "warning" too). */
enum rc log_level_parse(const char *name, enum log_level *out);
bool log_is_on(enum log_level level);

void log_write(enum log_level level, enum log_domain domain, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(domain, ...)  log_write(LOG_LEVEL_ERROR, domain, __VA_ARGS__)
#define log_warn(domain, ...)   log_write(LOG_LEVEL_WARN, domain, __VA_ARGS__)
#define log_notice(domain, ...) log_write(LOG_LEVEL_NOTICE, domain, __VA_ARGS__)
#define log_info(domain, ...)                                           \
	do {                                                            \
		if (log_is_on(LOG_LEVEL_INFO))                          \
			log_write(LOG_LEVEL_INFO, domain, __VA_ARGS__); \
	} while (0)
#define log_debug(domain, ...)                                           \
	do {                                                             \
		if (log_is_on(LOG_LEVEL_DEBUG))                          \
			log_write(LOG_LEVEL_DEBUG, domain, __VA_ARGS__); \
	} while (0)

/* For what a peer can trigger: at most `burst` in a minute, then silence. True if the line may
 * be written; *swallowed is then how many were held back before it. Zero-initialise it; one
 * thread at a time may use one limit. */
struct log_limit {
	uint64_t window_start_ms;
	unsigned in_window, swallowed;
};
bool log_limit_ok(struct log_limit *limit, unsigned burst, uint64_t now_ms, unsigned *swallowed);

#endif
