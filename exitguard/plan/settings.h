/* settings.h: exitguard.conf. */
#ifndef EXITGUARD_PLAN_SETTINGS_H
#define EXITGUARD_PLAN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

#define SETTINGS_FILE_MAX (1024 * 1024)
#define SETTINGS_DEFAULT  "/etc/exitguard/exitguard.conf"
#define SETTINGS_LIST_MAX 256

enum guard_mode { GUARD_OBSERVE, GUARD_ENFORCE };
enum guard_view { GUARD_VIEW_AUTO, GUARD_VIEW_RELAY, GUARD_VIEW_NFT, GUARD_VIEW_BOTH };

struct settings_list {
	size_t count;
	char **items; /* owned */
};

struct settings_rate {
	uint32_t per_second, burst;
};

/* The C type behind each kind of settings.def. */
typedef enum guard_mode settings_MODE;
typedef enum guard_view settings_VIEW;
typedef char *settings_TEXT; /* owned, never NULL */
typedef struct settings_list settings_LIST;
typedef struct settings_rate settings_RATE;
typedef bool settings_BOOL;
typedef uint32_t settings_NUMBER;
typedef uint64_t settings_SIZE;

struct settings {
#define SETTING(keyword, kind, field, value, when, text) settings_##kind field;
#include "exitguard/plan/settings.def"
#undef SETTING
};

struct settings_error {
	unsigned line;
	char text[256]; /* one line for a person */
};

/* Parse a whole file's text over the defaults. On failure *out is cleared and *error says where
 * and why, with the nearest known keyword for an unknown one. */
enum rc settings_parse(struct span text, struct settings *out, struct settings_error *error);
/* The same from a file; error->line is 0 if it cannot be read. */
enum rc settings_load(const char *path, struct settings *out, struct settings_error *error);
void settings_clear(struct settings *settings);

const char *guard_mode_str(enum guard_mode mode);
const char *guard_view_str(enum guard_view view);
enum rc guard_mode_parse(const char *text, enum guard_mode *out);
/* A user's name or number. RC_NOT_FOUND if there is no such user. */
enum rc settings_user_id(const char *text, uint32_t *out);

/* The table of options, for the test that compares it with the manual page. */
struct settings_option {
	const char *keyword, *value, *text;
	bool reload;
};
extern const struct settings_option settings_options[];
extern const size_t settings_option_count;

#endif
