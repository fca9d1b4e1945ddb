/* arena.h: memory that lives and dies together: everything about one complaint. */
#ifndef ABUSE_MAIL_ARENA_H
#define ABUSE_MAIL_ARENA_H

#include <stddef.h>

#include "common/bytes.h"

struct arena;

struct arena *arena_new(void);     /* caller owns */
void arena_free(struct arena **a); /* NULL is fine; *a becomes NULL */

/* Zeroed and aligned for any type, never NULL: where the system has no memory left the process
 * ends, as it does in GLib. A mail is read in a child with a memory limit for that reason. */
void *arena_alloc(struct arena *a, size_t len);
/* count elements of size bytes; the product is checked. */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_str(struct arena *a, struct span s); /* copy, NUL-terminated */
struct span arena_copy(struct arena *a, struct span s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A text that grows; .text.data is NUL-terminated once something was added. */
struct arena_text {
	struct arena *arena;
	char *data;
	size_t len, cap;
};

void arena_text_add(struct arena_text *t, struct span s);
void arena_text_add_str(struct arena_text *t, const char *s);
void arena_text_add_char(struct arena_text *t, char c);
struct span arena_text_span(const struct arena_text *t);
const char *arena_text_str(const struct arena_text *t); /* "" if nothing was added */

#endif
