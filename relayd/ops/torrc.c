/* torrc.c: load, free, dump and compare configurations. */
#include "relayd/ops/torrc.h"

#include <stdlib.h>
#include <string.h>

#include "relayd/ops/torrc_read.h"

static void
strings_clear(struct torrc_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

void
torrc_free(struct torrc **t)
{
	struct torrc *gone = *t;

	if (gone == NULL)
		return;
	for (unsigned id = 0; id < TORRC_OPTION_COUNT; id++) {
		char **text = torrc_field(gone, id);

		switch (torrc_options[id].type) {
		case TORRC_TYPE_STRING:
		case TORRC_TYPE_PATH:
		case TORRC_TYPE_NICKNAME:
			free(*text);
			break;
		case TORRC_TYPE_STRINGS:
		case TORRC_TYPE_FAMILY:
			strings_clear(torrc_field(gone, id));
			break;
		default:
			break;
		}
	}
	for (size_t i = 0; i < gone->log_count; i++)
		free(gone->logs[i].file);
	free(gone->logs);
	free(gone->or_ports);
	free(gone);
	*t = NULL;
}

/* One value into its field; an empty one changes nothing. */
static enum rc
take(struct torrc *t, enum torrc_option_id id, const char *text, char *why, size_t why_len)
{
	why[0] = '\0';
	if (text[0] == '\0')
		return RC_OK;
	enum rc rc =
	    torrc_types[torrc_options[id].type].parse(text, t, torrc_field(t, id), why, why_len);
	if (rc != RC_OK && why[0] == '\0')
		snprintf(why, why_len, "%s", rc_str(rc));
	return rc;
}

static struct torrc *
torrc_new(bool testing)
{
	struct torrc *t = calloc(1, sizeof(*t));
	char why[128];

	for (unsigned id = 0; t != NULL && id < TORRC_OPTION_COUNT; id++)
		if (take(t, id, torrc_initial(id, testing), why, sizeof(why)) != RC_OK)
			torrc_free(&t);
	return t;
}

enum rc
torrc_build(struct torrc_reader *r, struct torrc **out)
{
	const struct torrc_values *testing = &r->values[TORRC_TestingTorNetwork];
	struct torrc *t;
	char why[256];

	*out = NULL;
	t = torrc_new(
	    testing->count != 0 && strcmp(testing->items[testing->count - 1].text, "1") == 0);
	if (t == NULL)
		return RC_NO_MEMORY;
	for (unsigned id = 0; id < TORRC_OPTION_COUNT; id++)
		for (size_t i = 0; i < r->values[id].count; i++) {
			const struct torrc_value *value = &r->values[id].items[i];

			if (take(t, id, value->text, why, sizeof(why)) == RC_OK)
				continue;
			r->errors++;
			if (r->remark != NULL) {
				char text[512];

				snprintf(text, sizeof(text), "%s: %s", torrc_options[id].name, why);
				r->remark(r->arg, LOG_LEVEL_ERROR, value->file, value->line, text);
			}
		}
	if (r->errors == 0)
		torrc_check(r, t);
	if (r->errors != 0) {
		torrc_free(&t);
		return RC_SYNTAX;
	}
	*out = t;
	return RC_OK;
}

enum rc
torrc_load(const char *path, const char *defaults_path, const char *const *pairs, size_t pair_count,
    torrc_remark_fn *remark, void *arg, struct torrc **out)
{
	struct torrc_reader reader;
	enum rc rc = torrc_reader_init(&reader, remark, arg);

	*out = NULL;
	if (rc != RC_OK)
		return rc;
	if (defaults_path != NULL)
		torrc_read_file(&reader, defaults_path);
	if (path != NULL)
		torrc_read_file(&reader, path);
	torrc_read_pairs(&reader, pairs, pair_count);
	rc = torrc_build(&reader, out);
	torrc_reader_clear(&reader);
	return rc;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A value as it must stand in a file: in quotes if it would be read otherwise without them. */
static void
write_line(FILE *f, const char *name, const char *value)
{
	size_t len = strlen(value);

	if (len == 0)
		return;
	if (strpbrk(value, "\"#\\") == NULL && !is_blank(value[0]) && !is_blank(value[len - 1])) {
		fprintf(f, "%s %s\n", name, value);
		return;
	}
	fprintf(f, "%s \"", name);
	for (; *value != '\0'; value++)
		fprintf(f, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
	fprintf(f, "\"\n");
}

/* Is the option's only value the one that it has if it is not given? */
static bool
is_initial(const struct torrc *initial, const struct torrc *t, enum torrc_option_id id)
{
	char *a = malloc(TORRC_VALUE_MAX), *b = malloc(TORRC_VALUE_MAX);
	const struct torrc_option *option = &torrc_options[id];
	bool same = false;

	/* An automatic value may come out otherwise when the dump is read: always written. */
	if (a != NULL && b != NULL && option->type != TORRC_TYPE_BOOL_AUTO) {
		bool has_a = torrc_print(initial, id, 0, a, TORRC_VALUE_MAX);
		bool has_b = torrc_print(t, id, 0, b, TORRC_VALUE_MAX);

		same = has_a == has_b && (!has_a || strcmp(a, b) == 0);
	}
	free(a);
	free(b);
	return same;
}

void
torrc_dump(const struct torrc *t, bool full, FILE *f)
{
	struct torrc *initial = torrc_new(t->testing_tor_network);
	char *value = malloc(TORRC_VALUE_MAX);

	for (unsigned id = 0; initial != NULL && value != NULL && id < TORRC_OPTION_COUNT; id++) {
		bool many = torrc_types[torrc_options[id].type].many;

		if (!full && !many && is_initial(initial, t, id))
			continue;
		for (size_t i = 0; torrc_print(t, id, i, value, TORRC_VALUE_MAX); i++)
			write_line(f, torrc_options[id].name, value);
	}
	free(value);
	torrc_free(&initial);
}

/* Have both the same values of an option? */
static bool
is_same(
    const struct torrc *a, const struct torrc *b, enum torrc_option_id id, char *one, char *other)
{
	for (size_t i = 0;; i++) {
		bool in_a = torrc_print(a, id, i, one, TORRC_VALUE_MAX);
		bool in_b = torrc_print(b, id, i, other, TORRC_VALUE_MAX);

		if (in_a != in_b || (in_a && strcmp(one, other) != 0))
			return false;
		if (!in_a)
			return true;
	}
}

bool
torrc_needs_restart(
    const struct torrc *running, const struct torrc *wanted, char *names, size_t names_len)
{
	char *one = malloc(TORRC_VALUE_MAX), *other = malloc(TORRC_VALUE_MAX);
	size_t len = 0;
	bool any = false;

	names[0] = '\0';
	for (unsigned id = 0; one != NULL && other != NULL && id < TORRC_OPTION_COUNT; id++) {
		const struct torrc_option *option = &torrc_options[id];

		if (option->reload != TORRC_AT_START || is_same(running, wanted, id, one, other))
			continue;
		int n =
		    snprintf(names + len, names_len - len, "%s%s", any ? " " : "", option->name);
		if (n > 0)
			len += (size_t)n < names_len - len ? (size_t)n : names_len - len - 1;
		any = true;
	}
	free(one);
	free(other);
	return any;
}
