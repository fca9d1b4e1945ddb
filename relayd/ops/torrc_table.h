/* torrc_table.h: what torrc.def says, as data: the options, the names that are only known, and
 * how a value of each type is read and written. Inside relayd/ops only. */
#ifndef RELAYD_OPS_TORRC_TABLE_H
#define RELAYD_OPS_TORRC_TABLE_H

#include "relayd/ops/torrc.h"

enum torrc_option_id {
#define OPT(field, name, type, initial, reload, help) TORRC_##name,
#include "relayd/ops/torrc.def"
	TORRC_OPTION_COUNT
};

enum torrc_type_id {
#define TYPE(id, many, syntax) TORRC_TYPE_##id,
#include "relayd/ops/torrc.def"
	TORRC_TYPE_COUNT
};

enum torrc_reason_id {
#define REASON(id, text) TORRC_REASON_##id,
#include "relayd/ops/torrc.def"
	TORRC_REASON_COUNT
};

enum torrc_reload { TORRC_RELOAD, TORRC_AT_START };

struct torrc_type {
	bool many;
	const char *syntax;
	/* One value into the field; a list grows by it. why gets a reason on failure. */
	enum rc (*parse)(const char *text, struct torrc *t, void *field, char *why, size_t why_len);
	/* Item index as text; false if there is none. */
	bool (*print)(
	    const struct torrc *t, const void *field, size_t index, char *buf, size_t len);
};

struct torrc_option {
	size_t offset; /* of its field in struct torrc */
	const char *name;
	enum torrc_type_id type;
	const char *initial; /* "": nothing */
	enum torrc_reload reload;
	const char *help;
};

enum torrc_kind {
	TORRC_SUPPORTED,
	TORRC_WEAK,
	TORRC_REFUSED,
	TORRC_IGNORED,
	TORRC_OBSOLETE,
	TORRC_ALIAS
};

struct torrc_known {
	const char *name;
	enum torrc_kind kind;
	enum torrc_option_id option; /* TORRC_SUPPORTED */
	const char *harmless;        /* TORRC_REFUSED: the value that is accepted */
	enum torrc_reason_id reason; /* TORRC_WEAK, _REFUSED, _IGNORED */
	const char *alias_of;        /* TORRC_ALIAS */
};

extern const struct torrc_type torrc_types[TORRC_TYPE_COUNT];
extern const struct torrc_option torrc_options[TORRC_OPTION_COUNT];
struct torrc_idle {
	enum torrc_option_id option;
	enum log_level level;
	const char *text; /* completes "NAME ..." */
};

extern const struct torrc_idle torrc_idle[];
extern const size_t torrc_idle_count;
extern const struct torrc_known torrc_known[];
extern const size_t torrc_known_count;
extern const char *const torrc_reasons[TORRC_REASON_COUNT];

#define TORRC_VALUE_MAX 16384 /* text of one value, with its NUL */

const char *torrc_initial(enum torrc_option_id id, bool testing);
void *torrc_field(struct torrc *t, enum torrc_option_id id);
bool torrc_print(
    const struct torrc *t, enum torrc_option_id id, size_t index, char *buf, size_t len);

/* By name, without regard to case, aliases followed. NULL: see torrc_known_prefix. */
const struct torrc_known *torrc_known_find(const char *name);
/* Names that begin like this: how many, and the first two. */
size_t torrc_known_prefix(const char *name, const struct torrc_known *first[2]);
/* The name that is most like this one; NULL if none is near. */
const char *torrc_known_nearest(const char *name);

#endif
