/* torrc_read.h: files, includes and command-line pairs become one list of values for each option,
 * by stock tor's rules: a later source replaces an earlier one's values of an option, '+' adds to
 * them, '/' takes them away. Inside relayd/ops only. */
#ifndef RELAYD_OPS_TORRC_READ_H
#define RELAYD_OPS_TORRC_READ_H

#include "relayd/ops/torrc_table.h"

struct torrc_value {
	char *text, *file; /* owned */
	unsigned line;
};

struct torrc_values {
	struct torrc_value *items;
	size_t count;
};

struct torrc_reader {
	torrc_remark_fn *remark;
	void *arg;
	unsigned errors; /* remarked so far */
	bool may_include;
	unsigned depth, files; /* of the current include, and read in all */
	struct torrc_values values[TORRC_OPTION_COUNT];
	bool in_source[TORRC_OPTION_COUNT]; /* given in the source being read */
	bool *named; /* for each torrc_known: remarked that it has no effect */
};

enum rc torrc_reader_init(struct torrc_reader *r, torrc_remark_fn *remark, void *arg);
void torrc_reader_clear(struct torrc_reader *r);

/* Each call is a source of its own. Errors are remarked and counted; reading goes on. */
void torrc_read_file(struct torrc_reader *r, const char *path);
void torrc_read_text(struct torrc_reader *r, const char *name, struct span text);
void torrc_read_pairs(struct torrc_reader *r, const char *const *pairs, size_t pair_count);

/* A remark with the place of an option's last value; "" and 0 if it has none. */
void torrc_remark(struct torrc_reader *r, enum log_level level, enum torrc_option_id id,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Is the option given, with another value than auto? */
bool torrc_is_given(const struct torrc_reader *r, enum torrc_option_id id);

/* Resolve what is automatic and check that the whole is consistent (torrc_check.c). */
void torrc_check(struct torrc_reader *r, struct torrc *t);

/* For torrc_load and the fuzz target: what the sources gave becomes *out. */
enum rc torrc_build(struct torrc_reader *r, struct torrc **out);

#endif
