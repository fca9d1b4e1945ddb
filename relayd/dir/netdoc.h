/* netdoc.h: the line format that all directory documents share (dir-spec 1.2): keyword lines,
 * objects between BEGIN and END lines, times. Pure; spans point into the input. Within dir/. */
#ifndef RELAYD_DIR_NETDOC_H
#define RELAYD_DIR_NETDOC_H

#include <stdbool.h>
#include <time.h>

#include "common/bytes.h"

#define NETDOC_OBJECT_LINES_MAX 256
#define NETDOC_TIME_LEN         20 /* "2026-11-21 05:51:30" and a NUL */

/* Take the next word off the line; false if none is left. */
bool netdoc_word(struct span *line, struct span *word);
/* Take the keyword off the line if it is this one. */
bool netdoc_keyword(struct span *line, const char *keyword);
/* "YYYY-MM-DD" and "HH:MM:SS", UTC, years 1970 to 9999. */
enum rc netdoc_time_parse(struct span date, struct span clock, time_t *out);
/* The two words of a time, taken off the line. */
enum rc netdoc_time_take(struct span *line, time_t *out);
const char *netdoc_time_str(time_t t, char buf[NETDOC_TIME_LEN]);
/* Take an object with this label, which must be what comes next: whole is from BEGIN to the end of
 * the END line, inner the base64 between. */
enum rc netdoc_object(struct rd *rd, const char *label, struct span *whole, struct span *inner);
/* Write one, in lines of 64. */
void netdoc_object_write(struct wr *wr, const char *label, struct span bytes);
/* Where the first line that begins with these words starts; text.len if there is none. */
size_t netdoc_find_line(struct span text, const char *begin);
/* text from `at` on. */
struct span netdoc_from(struct span text, size_t at);
/* Text from the network for a log line: printable ASCII, others '?', cut to fit. */
const char *netdoc_clean(struct span text, char *buf, size_t len);

#endif
