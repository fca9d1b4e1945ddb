/* torrc_read.c: sources become lists of values. Reads files; changes nothing. */
#include "relayd/ops/torrc_read.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/conf.h"

#define FILE_MAX    (1024u * 1024)
#define FILES_MAX   256
#define DEPTH_MAX   8
#define VALUES_MAX  8192 /* of one option */
#define REMARK_MAX  512
#define INCLUDE_KEY "%include"

struct place {
	const char *file;
	unsigned line;
};

enum rc
torrc_reader_init(struct torrc_reader *r, torrc_remark_fn *remark, void *arg)
{
	memset(r, 0, sizeof(*r));
	r->remark = remark;
	r->arg = arg;
	r->may_include = true;
	r->named = calloc(torrc_known_count, sizeof(*r->named));
	return r->named != NULL ? RC_OK : RC_NO_MEMORY;
}

static void
values_clear(struct torrc_values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		free(values->items[i].text);
		free(values->items[i].file);
	}
	free(values->items);
	*values = (struct torrc_values){ 0 };
}

void
torrc_reader_clear(struct torrc_reader *r)
{
	for (size_t i = 0; i < TORRC_OPTION_COUNT; i++)
		values_clear(&r->values[i]);
	free(r->named);
	r->named = NULL;
}

static void vremark(struct torrc_reader *r, enum log_level level, struct place place,
    const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void
vremark(
    struct torrc_reader *r, enum log_level level, struct place place, const char *fmt, va_list ap)
{
	char text[REMARK_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (level == LOG_LEVEL_ERROR)
		r->errors++;
	if (r->remark != NULL)
		r->remark(r->arg, level, place.file, place.line, text);
}

static void say(struct torrc_reader *r, enum log_level level, struct place place, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

static void
say(struct torrc_reader *r, enum log_level level, struct place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vremark(r, level, place, fmt, ap);
	va_end(ap);
}

void
torrc_remark(
    struct torrc_reader *r, enum log_level level, enum torrc_option_id id, const char *fmt, ...)
{
	const struct torrc_values *values = &r->values[id];
	struct place place = { "configuration", 0 };
	va_list ap;

	if (values->count != 0)
		place = (struct place){ values->items[values->count - 1].file,
			values->items[values->count - 1].line };
	va_start(ap, fmt);
	vremark(r, level, place, fmt, ap);
	va_end(ap);
}

bool
torrc_is_given(const struct torrc_reader *r, enum torrc_option_id id)
{
	const struct torrc_values *values = &r->values[id];

	return values->count != 0 && strcasecmp(values->items[values->count - 1].text, "auto") != 0;
}

/* --- one option --- */

static void
value_add(struct torrc_reader *r, enum torrc_option_id id, const char *text, struct place place)
{
	struct torrc_values *values = &r->values[id];
	struct torrc_value value = { strdup(text), strdup(place.file), place.line };
	struct torrc_value *items = NULL;

	if (values->count >= VALUES_MAX)
		say(r, LOG_LEVEL_ERROR, place, "%s: too many values", torrc_options[id].name);
	else
		items = reallocarray(values->items, values->count + 1, sizeof(value));
	if (items != NULL)
		values->items = items;
	if (items == NULL || value.text == NULL || value.file == NULL) {
		free(value.text);
		free(value.file);
		r->errors++;
		return;
	}
	items[values->count++] = value;
}

/* how: '+', '/' or '\0'. */
static void
option_take(
    struct torrc_reader *r, enum torrc_option_id id, char how, const char *text, struct place place)
{
	const struct torrc_option *option = &torrc_options[id];
	bool many = torrc_types[option->type].many;
	bool again = r->in_source[id];

	if (how == '/') {
		values_clear(&r->values[id]);
		r->in_source[id] = true;
		return;
	}
	if (text[0] == '\0' && many) {
		say(r, LOG_LEVEL_NOTICE, place, "%s has no value and is skipped", option->name);
		return;
	}
	if (!many && again)
		say(r, LOG_LEVEL_NOTICE, place, "%s is given more than once; the last one counts",
		    option->name);
	if (!many || (!again && how != '+'))
		values_clear(&r->values[id]);
	r->in_source[id] = true;
	if (text[0] != '\0')
		value_add(r, id, text, place);
}

static bool
is_off(const char *text)
{
	return strcmp(text, "0") == 0 || strcasecmp(text, "auto") == 0;
}

static void
known_take(struct torrc_reader *r, const struct torrc_known *known, char how, const char *text,
    struct place place)
{
	const char *reason = torrc_reasons[known->reason];
	bool *named = &r->named[known - torrc_known], named_before = *named;

	switch (known->kind) {
	case TORRC_SUPPORTED:
		option_take(r, known->option, how, text, place);
		return;
	case TORRC_REFUSED:
		if (how != '/' && text[0] != '\0' &&
		    (known->harmless[0] == '\0' || strcmp(text, known->harmless) != 0))
			say(r, LOG_LEVEL_ERROR, place, "%s is refused: %s", known->name, reason);
		return;
	case TORRC_OBSOLETE:
		*named = true;
		if (!named_before)
			say(r, LOG_LEVEL_NOTICE, place, "%s is obsolete and skipped", known->name);
		return;
	default:
		*named = true;
		if (!named_before)
			say(r,
			    known->kind == TORRC_WEAK && !is_off(text) ? LOG_LEVEL_WARN
								       : LOG_LEVEL_NOTICE,
			    place, "%s has no effect: %s", known->name, reason);
	}
}

/* The option a name means; unknown and ambiguous ones are remarked and give NULL. */
static const struct torrc_known *
known_of(struct torrc_reader *r, const char *name, struct place place)
{
	const struct torrc_known *known = torrc_known_find(name), *first[2];

	if (known != NULL)
		return known;
	size_t count = torrc_known_prefix(name, first);
	if (count == 1) {
		say(r, LOG_LEVEL_NOTICE, place, "%s is taken for %s; please write it out", name,
		    first[0]->name);
		return first[0];
	}
	const char *nearest = torrc_known_nearest(name);
	if (count > 1)
		say(r, LOG_LEVEL_ERROR, place, "%s is ambiguous: %s, %s%s", name, first[0]->name,
		    first[1]->name, count > 2 ? ", ..." : "");
	else if (nearest != NULL)
		say(r, LOG_LEVEL_ERROR, place, "unknown option %s; did you mean %s?", name,
		    nearest);
	else
		say(r, LOG_LEVEL_ERROR, place, "unknown option %s", name);
	return NULL;
}

/* Can the value be written to a file again, in quotes? NULL: yes. */
static const char *
value_fault(const char *text)
{
	size_t len = 2;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
			return "control characters in the value";
		len += *c == '"' || *c == '\\' ? 2 : 1;
	}
	return len < CONF_LINE_MAX ? NULL : "the value is too long";
}

static void
assign(struct torrc_reader *r, const char *key, const char *text, struct place place)
{
	char how = key[0] == '+' || key[0] == '/' ? key[0] : '\0';
	const struct torrc_known *known = known_of(r, key + (how != '\0'), place);
	const char *fault = value_fault(text);

	if (fault != NULL)
		say(r, LOG_LEVEL_ERROR, place, "%s: %s", key, fault);
	else if (known != NULL)
		known_take(r, known, how, text, place);
}

/* --- files --- */

static void read_path(struct torrc_reader *r, const char *path, struct place from);

/* All plain files of a folder in lexical order, but for those whose name begins with a dot. */
static void
read_folder(struct torrc_reader *r, const char *path, struct place from)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	char file[4096];
	struct stat st;

	if (count < 0) {
		say(r, LOG_LEVEL_ERROR, from, "cannot read %s: %s", path, strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		int n = snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.' && n > 0 && (size_t)n < sizeof(file) &&
		    stat(file, &st) == 0 && S_ISREG(st.st_mode))
			read_path(r, file, from);
		free(entries[i]);
	}
	free(entries);
}

static void
include(struct torrc_reader *r, const char *pattern, struct place from)
{
	struct stat st;
	glob_t found;

	if (!r->may_include || r->depth >= DEPTH_MAX) {
		say(r, LOG_LEVEL_ERROR, from, "%s: more than %d levels of %s", pattern,
		    r->may_include ? DEPTH_MAX : 0, INCLUDE_KEY);
		return;
	}
	int failed = glob(pattern, GLOB_ERR, NULL, &found);
	if (failed != 0) {
		if (failed != GLOB_NOMATCH || strpbrk(pattern, "*?") == NULL)
			say(r, LOG_LEVEL_ERROR, from, "cannot include %s: %s", pattern,
			    failed == GLOB_NOMATCH ? "no such file or folder" : "cannot read it");
		return;
	}
	r->depth++;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (stat(found.gl_pathv[i], &st) == 0 && S_ISDIR(st.st_mode))
			read_folder(r, found.gl_pathv[i], from);
		else
			read_path(r, found.gl_pathv[i], from);
	}
	r->depth--;
	globfree(&found);
}

static void
read_lines(struct torrc_reader *r, const char *name, struct span text)
{
	struct conf_line *line = malloc(sizeof(*line));
	struct conf_reader reader;
	enum rc rc;

	if (line == NULL) {
		r->errors++;
		return;
	}
	conf_reader_init(&reader, text);
	while ((rc = conf_next(&reader, line)) != RC_NOT_FOUND) {
		struct place place = { name, line->number };

		if (rc != RC_OK)
			say(r, LOG_LEVEL_ERROR, place, "%s",
			    rc == RC_LIMIT ? "the line is too long"
					   : "the line is malformed (quotes?)");
		else if (strcasecmp(line->key, INCLUDE_KEY) == 0)
			include(r, line->value, place);
		else
			assign(r, line->key, line->value, place);
	}
	free(line);
}

/* from: where an error is remarked if the file cannot be read. */
static void
read_path(struct torrc_reader *r, const char *path, struct place from)
{
	char *text;
	size_t len;

	if (++r->files > FILES_MAX) {
		say(r, LOG_LEVEL_ERROR, from, "%s: more than %d files", path, FILES_MAX);
		return;
	}
	enum rc rc = conf_read_file(path, FILE_MAX, &text, &len);
	if (rc == RC_OK)
		read_lines(r, path, span_of(text, len));
	else
		say(r, LOG_LEVEL_ERROR, from, "cannot read %s: %s", path,
		    rc == RC_SYSTEM   ? strerror(errno)
		    : rc == RC_LIMIT  ? "larger than 1 MiB"
		    : rc == RC_SYNTAX ? "not a text file"
				      : rc_str(rc));
	free(text);
}

void
torrc_read_file(struct torrc_reader *r, const char *path)
{
	memset(r->in_source, 0, sizeof(r->in_source));
	read_path(r, path, (struct place){ path, 0 });
}

void
torrc_read_text(struct torrc_reader *r, const char *name, struct span text)
{
	memset(r->in_source, 0, sizeof(r->in_source));
	read_lines(r, name, text);
}

void
torrc_read_pairs(struct torrc_reader *r, const char *const *pairs, size_t pair_count)
{
	struct place place = { "command line", 0 };

	memset(r->in_source, 0, sizeof(r->in_source));
	for (size_t i = 0; i < pair_count; i++) {
		const char *key = pairs[2 * i];

		assign(r, key + (strncmp(key, "--", 2) == 0 ? 2 : 0), pairs[2 * i + 1], place);
	}
}
