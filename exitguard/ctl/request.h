/* request.h: the commands of exitguardctl and how a request line is read. */
#ifndef EXITGUARD_CTL_REQUEST_H
#define EXITGUARD_CTL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/addr.h"
#include "common/rc.h"
#include "exitguard/plan/settings.h"

#define CTL_REQUEST_MAX    512
#define CTL_ANSWER_MAX     (16 * 1024 * 1024)
#define CTL_DEFAULT_SOCKET "/run/exitguard/control.sock"

enum ctl_command {
#define COMMAND(id, word, arguments, who, text) id,
#include "exitguard/ctl/commands.def"
#undef COMMAND
	CTL_COMMAND_COUNT
};

struct ctl_command_info {
	const char *word, *arguments, *text;
	bool change; /* only for root and exitguard's own user */
};

extern const struct ctl_command_info ctl_commands[CTL_COMMAND_COUNT];

struct ctl_request {
	enum ctl_command command;
	bool has_mode;
	enum guard_mode mode;
	struct prefix prefix;   /* ban and kin, ledger (family ADDR_NONE: none given) */
	struct addr_port where; /* explain; port 0: none given */
	uint32_t duration_s;    /* 0: for good */
	int64_t from, to;       /* ledger; seconds since 1970, to 0: now */
};

/* A line without its end. RC_NOT_FOUND: no such command; else *why says what is wrong. */
enum rc ctl_request_parse(struct span line, struct ctl_request *out, const char **why);

/* "30s", "15m", "12h", "7d"; at most 3650 days. */
enum rc ctl_duration_parse(struct span text, uint32_t *out);
/* "2025-01-31T12:00:00Z", "2025-01-31" or seconds since 1970. */
enum rc ctl_time_parse(struct span text, int64_t *out);

#endif
