/* template.c: see template.h. A template is walked over its text; checking walks every branch
 * and writes nothing. */
#include "abuse/letter/template.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abuse/mail/text.h"

#define DEPTH_MAX 12u
#define FILE_MAX  65536u

struct walk {
	const struct template_set *set;
	const struct template_tag *tags; /* checking: what is known */
	const struct template_scope *scopes[DEPTH_MAX + 2];
	size_t scope_count;
	struct arena_text *out; /* NULL: checking */
	unsigned depth;
	const char *file;
	char *error;
};

struct tag {
	size_t start, end; /* in the text, with the braces and what belongs to its line */
	char kind;         /* 0, '#', '^', '/', '>', '!' */
	struct span name;
};

static enum rc walk_text(struct walk *w, struct span text);

static enum rc
complain(struct walk *w, const char *what, struct span name)
{
	if (w->error != NULL && w->error[0] == '\0')
		snprintf(w->error, TEMPLATE_ERROR_LEN, "%s.txt: %s {{%.*s}}", w->file, what,
		    (int)(name.len < 60 ? name.len : 60), (const char *)name.data);
	return RC_SYNTAX;
}

/* A tag that is alone on its line takes the line with it. */
static void
widen_to_line(struct span text, struct tag *tag)
{
	size_t start = tag->start, end = tag->end;

	while (start > 0 && text_is_space(text_at(text, start - 1)))
		start--;
	while (text_is_space(text_at(text, end)))
		end++;
	if ((start == 0 || text_at(text, start - 1) == '\n') &&
	    (end == text.len || text_at(text, end) == '\n')) {
		tag->start = start;
		tag->end = end == text.len ? end : end + 1;
	}
}

/* The next tag from `at`. RC_NOT_FOUND: none; RC_SYNTAX: one that is not closed. */
static enum rc
next_tag(struct span text, size_t at, struct tag *out)
{
	size_t start = text_find_ci(text, "{{", at);

	if (start == TEXT_NONE)
		return RC_NOT_FOUND;
	size_t end = text_find_ci(text, "}}", start);
	out->name = text_from(text, start);
	if (end == TEXT_NONE)
		return RC_SYNTAX;
	struct span inside = text_trim(text_sub(text, start + 2, end - start - 2));
	int first = text_at(inside, 0);
	bool marked = first > 0 && strchr("#^/>!", first) != NULL;
	out->kind = marked ? (char)first : 0;
	out->name = text_trim(text_from(inside, marked ? 1 : 0));
	out->start = start;
	out->end = end + 2;
	if (marked)
		widen_to_line(text, out);
	return RC_OK;
}

/* Where the section that begins with `open` ends: its inside and its closing tag. */
static enum rc
find_close(struct span text, const struct tag *open, struct tag *close)
{
	size_t at = open->end;
	unsigned depth = 1;

	while (next_tag(text, at, close) == RC_OK) {
		if (span_equal(close->name, open->name)) {
			if (close->kind == '#' || close->kind == '^')
				depth++;
			if (close->kind == '/' && --depth == 0)
				return RC_OK;
		}
		at = close->end;
	}
	return RC_SYNTAX;
}

static const struct template_tag *
known_tag(const struct walk *w, struct span name)
{
	for (size_t i = 0; w->tags[i].name != NULL; i++)
		if (span_equal_str(name, w->tags[i].name))
			return &w->tags[i];
	return NULL;
}

static const struct template_value *
find_value(const struct walk *w, struct span name)
{
	for (size_t s = w->scope_count; s-- > 0;)
		for (size_t i = 0; i < w->scopes[s]->count; i++)
			if (span_equal_str(name, w->scopes[s]->values[i].name))
				return &w->scopes[s]->values[i];
	return NULL;
}

static bool
is_true(const struct template_value *v)
{
	switch (v->type) {
	case TEMPLATE_TEXT:
		return v->text[0] != '\0';
	case TEMPLATE_FLAG:
		return v->flag;
	default:
		return v->element_count != 0;
	}
}

static enum rc
walk_section(struct walk *w, const struct tag *open, struct span inside)
{
	enum rc rc = RC_OK;

	if (w->out == NULL) {
		if (known_tag(w, open->name) == NULL)
			return complain(w, "unknown tag", open->name);
		return walk_text(w, inside);
	}
	const struct template_value *v = find_value(w, open->name);
	if (v == NULL)
		return complain(w, "no value for", open->name);
	if (open->kind == '^')
		return is_true(v) ? RC_OK : walk_text(w, inside);
	if (v->type != TEMPLATE_LIST)
		return is_true(v) ? walk_text(w, inside) : RC_OK;
	for (size_t i = 0; rc == RC_OK && i < v->element_count; i++) {
		w->scopes[w->scope_count++] = &v->elements[i];
		rc = walk_text(w, inside);
		w->scope_count--;
	}
	return rc;
}

static struct span
file_text(const struct template_set *set, const char *name, size_t len, bool *found)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strlen(set->files[i].name) == len &&
		    strncmp(set->files[i].name, name, len) == 0) {
			*found = true;
			return set->files[i].text;
		}
	}
	*found = false;
	return span_of("", 0);
}

static enum rc
walk_partial(struct walk *w, struct span name)
{
	char path[128];
	const char *slash = strrchr(w->file, '/');
	size_t dir = slash == NULL ? 0 : (size_t)(slash - w->file) + 1;
	bool found;

	int n = snprintf(path, sizeof(path), "%.*s%.*s", (int)dir, w->file,
	    (int)(name.len < 60 ? name.len : 60), (const char *)name.data);
	if (n < 0 || (size_t)n >= sizeof(path))
		return complain(w, "no partial", name);
	struct span text = file_text(w->set, path, (size_t)n, &found);
	return found ? walk_text(w, text) : complain(w, "no partial", name);
}

static enum rc
walk_value(struct walk *w, struct span name)
{
	if (w->out == NULL) {
		const struct template_tag *tag = known_tag(w, name);

		if (tag == NULL)
			return complain(w, "unknown tag", name);
		return tag->type == TEMPLATE_TEXT ? RC_OK : complain(w, "is no text:", name);
	}
	const struct template_value *v = find_value(w, name);
	if (v == NULL || v->type != TEMPLATE_TEXT)
		return complain(w, "no value for", name);
	arena_text_add_str(w->out, v->text);
	return RC_OK;
}

static enum rc
walk_tag(struct walk *w, struct span text, const struct tag *tag, size_t *at)
{
	struct tag close;

	*at = tag->end;
	switch (tag->kind) {
	case '!':
		return RC_OK;
	case '/':
		return complain(w, "closes nothing:", tag->name);
	case '>':
		return walk_partial(w, tag->name);
	case 0:
		return walk_value(w, tag->name);
	default:
		if (find_close(text, tag, &close) != RC_OK)
			return complain(w, "is not closed:", tag->name);
		*at = close.end;
		return walk_section(w, tag, text_sub(text, tag->end, close.start - tag->end));
	}
}

static enum rc
walk_text(struct walk *w, struct span text)
{
	enum rc rc = RC_OK;
	size_t at = 0;
	struct tag tag;

	if (w->depth >= DEPTH_MAX)
		return complain(w, "nested too deeply near", text_sub(text, 0, 20));
	w->depth++;
	while (rc == RC_OK) {
		enum rc found = next_tag(text, at, &tag);

		if (found == RC_SYNTAX)
			rc = complain(w, "is not closed:", text_sub(tag.name, 0, 20));
		size_t end = found == RC_OK ? tag.start : text.len;
		if (w->out != NULL && end > at)
			arena_text_add(w->out, text_sub(text, at, end - at));
		if (found != RC_OK)
			break;
		rc = walk_tag(w, text, &tag, &at);
	}
	w->depth--;
	return rc;
}

enum rc
template_set_add(struct template_set *set, const char *name, struct span text)
{
	if (set->count == TEMPLATE_FILES_MAX)
		return RC_LIMIT;
	set->files[set->count].name = arena_str(set->arena, span_of_str(name));
	set->files[set->count].text = arena_copy(set->arena, text);
	set->count++;
	return RC_OK;
}

static enum rc
load_file(
    struct template_set *set, const char *path, const char *name, char error[TEMPLATE_ERROR_LEN])
{
	char buf[FILE_MAX];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		snprintf(error, TEMPLATE_ERROR_LEN, "%.180s: %.60s", path, strerror(errno));
		return RC_SYSTEM;
	}
	size_t len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	if (len == sizeof(buf)) {
		snprintf(error, TEMPLATE_ERROR_LEN, "%.180s: longer than 64 KiB", path);
		return RC_LIMIT;
	}
	return template_set_add(set, name, span_of(buf, len));
}

static int
is_template(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len >= 5 && len <= 60 && entry->d_name[0] != '.' &&
	       strcmp(&entry->d_name[len - 4], ".txt") == 0;
}

enum rc
template_set_load(
    struct template_set *set, const char *dir, const char *language, char error[TEMPLATE_ERROR_LEN])
{
	char path[4096], name[128];
	struct dirent **entries = NULL;
	enum rc rc = RC_OK;

	error[0] = '\0';
	snprintf(path, sizeof(path), "%.3900s/%.20s", dir, language);
	int count = scandir(path, &entries, is_template, alphasort);
	if (count <= 0) {
		snprintf(error, TEMPLATE_ERROR_LEN, "%.180s: %.60s", path,
		    count < 0 ? strerror(errno) : "no letters there");
		rc = RC_NOT_FOUND;
	}
	for (int i = 0; i < count; i++) {
		const char *file = entries[i]->d_name;

		snprintf(name, sizeof(name), "%.20s/%.*s", language, (int)strlen(file) - 4, file);
		snprintf(path, sizeof(path), "%.3900s/%.20s/%.64s", dir, language, file);
		if (rc == RC_OK)
			rc = load_file(set, path, name, error);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

enum rc
template_set_check(
    const struct template_set *set, const struct template_tag *tags, char error[TEMPLATE_ERROR_LEN])
{
	enum rc rc = RC_OK;

	error[0] = '\0';
	for (size_t i = 0; rc == RC_OK && i < set->count; i++) {
		struct walk w = {
			.set = set, .tags = tags, .file = set->files[i].name, .error = error
		};

		rc = walk_text(&w, set->files[i].text);
	}
	return rc;
}

enum rc
template_render(const struct template_set *set, const char *name,
    const struct template_scope *scope, struct arena_text *out)
{
	bool found;
	struct span text = file_text(set, name, strlen(name), &found);
	struct walk w = {
		.set = set, .scopes = { scope }, .scope_count = 1, .out = out, .file = name
	};

	if (out->arena == NULL)
		return RC_LIMIT;
	return found ? walk_text(&w, text) : RC_NOT_FOUND;
}
