/* text.h: looking at text by index, never past its end. Case is ASCII case; text is UTF-8 whose
 * other letters compare byte for byte. Pure. */
#ifndef ABUSE_MAIL_TEXT_H
#define ABUSE_MAIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "abuse/mail/arena.h"
#include "common/bytes.h"

#define TEXT_NONE ((size_t)-1)

int text_at(struct span s, size_t i); /* -1 past the end */
int text_lower_at(struct span s, size_t i);
struct span text_sub(struct span s, size_t from, size_t len); /* cut to what is there */
struct span text_from(struct span s, size_t from);
struct span text_trim(struct span s); /* blanks, tabs, CR, LF at both ends */
bool text_is_space(int c);
bool text_is_digit(int c);
bool text_is_alnum(int c);
bool text_equal_ci(struct span a, const char *b);
bool text_starts_ci(struct span s, const char *prefix);
bool text_starts_at_ci(struct span s, size_t at, const char *prefix);
/* First place of needle from `from` on, TEXT_NONE if it is not there. */
size_t text_find_ci(struct span s, const char *needle, size_t from);
bool text_has_ci(struct span s, const char *needle);
/* Like text_find_ci, but letters and digits may not touch the found text. */
size_t text_find_word_ci(struct span s, const char *needle, size_t from);
bool text_has_word_ci(struct span s, const char *needle);
size_t text_find_char(struct span s, char c, size_t from);
size_t text_skip_space(struct span s, size_t at); /* blanks and tabs */
/* Decimal digits at `at`, at most max_digits of them: their number, 0 if none or too many.
 * *out is the value. */
size_t text_digits(struct span s, size_t at, size_t max_digits, unsigned long *out);
/* The text behind "Key:" on the first line that begins so (blanks, quote marks '>' and '*'
 * before it are skipped), trimmed; empty if there is none. */
struct span text_field(struct span text, const char *key);

/* Valid UTF-8 with no control characters but LF and tab, no bidirectional overrides, no NUL,
 * CRLF and CR as LF. *changed is set if something had to be left out. */
struct span text_clean(struct arena *a, struct span utf8, bool *changed);
/* The same on one line: LF and tab become blanks; at most max bytes, cut between characters. */
char *text_one_line(struct arena *a, struct span s, size_t max);

#endif
