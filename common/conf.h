/* conf.h: the "Keyword value" syntax of torrc and of our own files. One option a line; '#'
 * starts a comment outside quotes; a value in double quotes may hold \" \\ \n \t \xHH; a line
 * that ends in '\' goes on in the next one (comment lines between are skipped). */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include "common/bytes.h"

#define CONF_LINE_MAX 16384

struct conf_line {
	unsigned number; /* of its first line, from 1 */
	char key[64];
	char value[CONF_LINE_MAX]; /* blanks trimmed; "" if there is none */
};

struct conf_reader {
	struct rd rd;
	unsigned line;
};

void conf_reader_init(struct conf_reader *reader, struct span text);
/* RC_OK: *out is the next option. RC_NOT_FOUND: the end. Anything else: this line is wrong
 * (out->number says which); reading may go on behind it. */
enum rc conf_next(struct conf_reader *reader, struct conf_line *out);

/* Read a whole file, at most max bytes; the caller frees *out with free(). RC_SYSTEM with
 * errno, RC_LIMIT if it is longer, RC_SYNTAX if it holds a NUL. */
enum rc conf_read_file(const char *path, size_t max, char **out, size_t *out_len);

#endif
