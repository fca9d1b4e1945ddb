/* template.h: texts with tags, in the manner of mustache, but strict: a tag nobody knows, a
 * section left open or a missing partial is an error when the set is loaded.
 *
 *	{{name}}		the text of name
 *	{{#name}}..{{/name}}	once if name is a text that is not empty or a true flag; for each
 *				element if it is a list
 *	{{^name}}..{{/name}}	once if it is empty, false or without elements
 *	{{>name}}		the file name.txt beside this one
 *	{{! words}}		nothing
 * A line that holds only one section tag, partial or comment leaves no line of its own. Values
 * are put in as they are and never looked through for tags. */
#ifndef ABUSE_LETTER_TEMPLATE_H
#define ABUSE_LETTER_TEMPLATE_H

#include <stdbool.h>

#include "abuse/mail/arena.h"

#define TEMPLATE_ERROR_LEN 256
#define TEMPLATE_FILES_MAX 128

enum template_type { TEMPLATE_TEXT, TEMPLATE_FLAG, TEMPLATE_LIST };

/* Every tag a template may name. */
struct template_tag {
	const char *name;
	enum template_type type;
};

/* Values of one scope; the scope outside is asked for what it does not hold. */
struct template_value {
	const char *name;
	enum template_type type;
	const char *text;
	bool flag;
	const struct template_scope *elements;
	size_t element_count;
};

struct template_scope {
	const struct template_value *values;
	size_t count;
};

struct template_set {
	struct arena *arena;
	struct template_file {
		const char *name; /* "en/complainant" */
		struct span text;
	} files[TEMPLATE_FILES_MAX];
	size_t count;
};

/* Add a text under its name, for tests and for template_set_load. RC_LIMIT if there are too many. */
enum rc template_set_add(struct template_set *set, const char *name, struct span text);
/* Read every .txt of dir/language; RC_NOT_FOUND if there is none. */
enum rc template_set_load(struct template_set *set, const char *dir, const char *language,
    char error[TEMPLATE_ERROR_LEN]);
/* Check every file against the tags (ended by a NULL name). */
enum rc template_set_check(const struct template_set *set, const struct template_tag *tags,
    char error[TEMPLATE_ERROR_LEN]);
/* RC_NOT_FOUND: no such file; RC_SYNTAX: a tag has no value (our own mistake). */
enum rc template_render(const struct template_set *set, const char *name,
    const struct template_scope *scope, struct arena_text *out);

#endif
