/* settings.c: exitguard.conf, text to struct. Reads the user database for user names. */
#include "exitguard/plan/settings.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/addr.h"
#include "common/conf.h"
#include "common/log.h"

const struct settings_option settings_options[] = {
#define SETTING(keyword, kind, field, value, when, text) { #keyword, value, text, when },
#define RELOAD                                           true
#define AT_START                                         false
#include "exitguard/plan/settings.def"
#undef RELOAD
#undef AT_START
#undef SETTING
};
const size_t settings_option_count = sizeof(settings_options) / sizeof(settings_options[0]);

static const char *const mode_names[] = { "observe", "enforce" };
static const char *const view_names[] = { "auto", "relay", "nft", "both" };

const char *
guard_mode_str(enum guard_mode mode)
{
	return mode_names[mode == GUARD_ENFORCE];
}

const char *
guard_view_str(enum guard_view view)
{
	return view_names[(unsigned)view % 4];
}

enum rc
guard_mode_parse(const char *text, enum guard_mode *out)
{
	for (unsigned i = 0; i < 2; i++)
		if (strcasecmp(text, mode_names[i]) == 0) {
			*out = (enum guard_mode)i;
			return RC_OK;
		}
	return RC_SYNTAX;
}

enum rc
settings_user_id(const char *text, uint32_t *out)
{
	uint64_t number;

	if (parse_u64(span_of_str(text), UINT32_MAX - 1, &number) == RC_OK) {
		*out = (uint32_t)number;
		return RC_OK;
	}
	struct passwd *pw = getpwnam(text);
	if (pw == NULL)
		return RC_NOT_FOUND;
	*out = pw->pw_uid;
	return RC_OK;
}

/* One parser for each kind: the value's text to the field. */

static enum rc
parse_MODE(const char *text, enum guard_mode *out)
{
	return guard_mode_parse(text, out);
}

static enum rc
parse_VIEW(const char *text, enum guard_view *out)
{
	for (unsigned i = 0; i < 4; i++)
		if (strcasecmp(text, view_names[i]) == 0) {
			*out = (enum guard_view)i;
			return RC_OK;
		}
	return RC_SYNTAX;
}

static enum rc
parse_TEXT(const char *text, char **out)
{
	char *copy;

	if (*text == '\0')
		return RC_SYNTAX;
	copy = strdup(text);
	if (copy == NULL)
		return RC_NO_MEMORY;
	free(*out);
	*out = copy;
	return RC_OK;
}

static enum rc
parse_LIST(const char *text, struct settings_list *out)
{
	char **bigger, *copy;

	if (*text == '\0')
		return RC_SYNTAX;
	if (out->count >= SETTINGS_LIST_MAX)
		return RC_LIMIT;
	bigger = realloc(out->items, (out->count + 1) * sizeof(*bigger));
	if (bigger == NULL)
		return RC_NO_MEMORY;
	out->items = bigger;
	copy = strdup(text);
	if (copy == NULL)
		return RC_NO_MEMORY;
	out->items[out->count++] = copy;
	return RC_OK;
}

static enum rc
parse_BOOL(const char *text, bool *out)
{
	static const char *const words[] = { "off", "on", "no", "yes", "0", "1" };

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0) {
			*out = i % 2 == 1;
			return RC_OK;
		}
	return RC_SYNTAX;
}

static enum rc
parse_NUMBER(const char *text, uint32_t *out)
{
	uint64_t number;
	enum rc rc = parse_u64(span_of_str(text), UINT32_MAX, &number);

	if (rc == RC_OK)
		*out = (uint32_t)number;
	return rc;
}

/* Cut the next word off *text; "" at the end. */
static void
next_word(const char **text, char *word, size_t cap)
{
	size_t n = 0;

	while (isspace((unsigned char)**text))
		(*text)++;
	for (; **text != '\0' && !isspace((unsigned char)**text); (*text)++)
		if (n + 1 < cap)
			word[n++] = **text;
	word[n] = '\0';
}

static enum rc
parse_RATE(const char *text, struct settings_rate *out)
{
	char rate[16], burst[16], more[2];
	uint64_t r, b;

	next_word(&text, rate, sizeof(rate));
	next_word(&text, burst, sizeof(burst));
	next_word(&text, more, sizeof(more));
	if (more[0] != '\0')
		return RC_TRAILING;
	enum rc rc = parse_u64(span_of_str(rate), 10000000, &r);
	if (rc == RC_OK)
		rc = parse_u64(span_of_str(burst), 100000000, &b);
	if (rc == RC_OK && (r == 0 || b == 0))
		rc = RC_RANGE;
	if (rc == RC_OK)
		*out = (struct settings_rate){ (uint32_t)r, (uint32_t)b };
	return rc;
}

static enum rc
parse_SIZE(const char *text, uint64_t *out)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = { { "bytes", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
		{ "KBytes", 1 << 10 }, { "MBytes", 1 << 20 }, { "GBytes", 1 << 30 } };
	char number[24], unit[16];
	uint64_t n;

	next_word(&text, number, sizeof(number));
	next_word(&text, unit, sizeof(unit));
	if (*text != '\0' || parse_u64(span_of_str(number), 1 << 20, &n) != RC_OK || n == 0)
		return RC_SYNTAX;
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcasecmp(unit, units[i].unit) == 0) {
			*out = n * units[i].bytes;
			return RC_OK;
		}
	return RC_SYNTAX;
}

static void
clear_MODE(enum guard_mode *mode)
{
	(void)mode;
}
static void
clear_VIEW(enum guard_view *view)
{
	(void)view;
}
static void
clear_RATE(struct settings_rate *rate)
{
	(void)rate;
}
static void
clear_BOOL(bool *on)
{
	(void)on;
}
static void
clear_NUMBER(uint32_t *number)
{
	(void)number;
}
static void
clear_SIZE(uint64_t *size)
{
	(void)size;
}

static void
clear_TEXT(char **text)
{
	free(*text);
	*text = NULL;
}

static void
clear_LIST(struct settings_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct settings_list){ 0 };
}

void
settings_clear(struct settings *settings)
{
#define SETTING(keyword, kind, field, value, when, text) clear_##kind(&settings->field);
#include "exitguard/plan/settings.def"
#undef SETTING
}

static enum rc
set_one(struct settings *settings, size_t option, const char *value)
{
	size_t i = 0;

#define SETTING(keyword, kind, field, standard, when, text) \
	if (i++ == option)                                  \
		return parse_##kind(value, &settings->field);
#include "exitguard/plan/settings.def"
#undef SETTING
	return RC_NOT_FOUND;
}

static enum rc
set_defaults(struct settings *out)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < settings_option_count && rc == RC_OK; i++)
		if (settings_options[i].value[0] != '\0')
			rc = set_one(out, i, settings_options[i].value);
	return rc;
}

/* How many single-letter changes make b of a, case aside; words are short. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[65], lb = (unsigned)strlen(b);

	if (lb > 64)
		return 64;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1] != '\0'; i++) {
		unsigned diagonal = row[0]++;

		for (unsigned j = 1; j <= lb; j++) {
			bool same =
			    tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
			unsigned best = diagonal + !same;

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[lb];
}

static void
say_unknown(const char *key, struct settings_error *error)
{
	unsigned best = 64;
	size_t at = 0;

	for (size_t i = 0; i < settings_option_count; i++) {
		unsigned d = distance(key, settings_options[i].keyword);

		if (d < best) {
			best = d;
			at = i;
		}
	}
	if (best <= 1 + strlen(key) / 2)
		snprintf(error->text, sizeof(error->text),
		    "no option is called \"%s\"; did you mean %s?", key,
		    settings_options[at].keyword);
	else
		snprintf(error->text, sizeof(error->text), "no option is called \"%s\"", key);
}

/* Whether a value makes sense beyond its form. The text of what is wrong, or NULL. */
static const char *
check_prefix_list(const struct settings_list *list)
{
	struct prefix prefix;

	for (size_t i = 0; i < list->count; i++)
		if (prefix_parse(span_of_str(list->items[i]), &prefix) != RC_OK)
			return "not an address or a prefix with zero host bits";
	return NULL;
}

static const char *
check_addr_list(const struct settings_list *list)
{
	struct addr addr;

	for (size_t i = 0; i < list->count; i++)
		if (addr_parse(span_of_str(list->items[i]), &addr) != RC_OK)
			return "not an address";
	return NULL;
}

static const char *
check_mark_list(const struct settings_list *list)
{
	uint64_t mark;

	for (size_t i = 0; i < list->count; i++)
		if (parse_u64(span_of_str(list->items[i]), UINT32_MAX, &mark) != RC_OK || mark == 0)
			return "not a mark (1 to 4294967295)";
	return NULL;
}

static const char *
check_user_list(const struct settings_list *list)
{
	uint32_t uid;

	for (size_t i = 0; i < list->count; i++)
		if (settings_user_id(list->items[i], &uid) != RC_OK)
			return "this host has no such user";
	return NULL;
}

static const char *
check_log_list(const struct settings_list *list)
{
	char level[16], where[2];
	enum log_level parsed;

	for (size_t i = 0; i < list->count; i++) {
		const char *at = list->items[i];

		next_word(&at, level, sizeof(level));
		if (log_level_parse(level, &parsed) != RC_OK)
			return "not a log level (err, warn, notice, info, debug)";
		next_word(&at, where, sizeof(where));
		if (where[0] == '\0')
			return "needs a level and \"stderr\" or a file";
	}
	return NULL;
}

static const char *
check_all(const struct settings *s)
{
	const char *wrong = check_prefix_list(&s->allow);

	if (wrong == NULL)
		wrong = check_prefix_list(&s->ban);
	if (wrong == NULL)
		wrong = check_addr_list(&s->source_addresses);
	if (wrong == NULL)
		wrong = check_addr_list(&s->resolvers);
	if (wrong == NULL)
		wrong = check_mark_list(&s->relay_marks);
	if (wrong == NULL)
		wrong = check_user_list(&s->relay_users);
	if (wrong == NULL)
		wrong = check_log_list(&s->log);
	if (wrong == NULL && (s->nflog_group < 1 || s->nflog_group > 65535))
		wrong = "must be 1 to 65535";
	if (wrong == NULL && (s->ledger_days < 1 || s->ledger_days > 400))
		wrong = "must be 1 to 400";
	if (wrong == NULL && s->memory_max < 1024 * 1024)
		wrong = "must be at least 1 MiB";
	return wrong;
}

static bool
find_option(const char *key, size_t *out)
{
	for (size_t i = 0; i < settings_option_count; i++)
		if (strcasecmp(key, settings_options[i].keyword) == 0) {
			*out = i;
			return true;
		}
	return false;
}

static enum rc
take_line(
    struct settings *out, const struct conf_line *line, bool seen[], struct settings_error *error)
{
	size_t option;

	error->line = line->number;
	if (!find_option(line->key, &option)) {
		say_unknown(line->key, error);
		return RC_NOT_FOUND;
	}
	if (!seen[option] && strcmp(settings_options[option].keyword, "Log") == 0)
		clear_LIST(&out->log); /* the default line gives way to the first given */
	seen[option] = true;
	enum rc rc = set_one(out, option, line->value);
	const char *wrong = rc == RC_OK ? check_all(out) : rc_str(rc);
	if (wrong == NULL)
		return RC_OK;
	snprintf(error->text, sizeof(error->text), "%s \"%.100s\": %s",
	    settings_options[option].keyword, line->value, wrong);
	return rc != RC_OK ? rc : RC_RANGE;
}

enum rc
settings_parse(struct span text, struct settings *out, struct settings_error *error)
{
	struct conf_line *line = malloc(sizeof(*line));
	bool seen[sizeof(settings_options) / sizeof(settings_options[0])] = { false };
	struct conf_reader reader;

	*out = (struct settings){ 0 };
	*error = (struct settings_error){ 0 };
	enum rc rc = line != NULL ? set_defaults(out) : RC_NO_MEMORY;
	if (rc != RC_OK)
		snprintf(error->text, sizeof(error->text), "%s", rc_str(rc));
	conf_reader_init(&reader, text);
	while (rc == RC_OK) {
		rc = conf_next(&reader, line);
		if (rc == RC_OK) {
			rc = take_line(out, line, seen, error);
		} else if (rc != RC_NOT_FOUND) {
			error->line = line->number;
			snprintf(error->text, sizeof(error->text), "this line is %s", rc_str(rc));
		} else {
			rc = RC_OK;
			break;
		}
	}
	free(line);
	if (rc != RC_OK)
		settings_clear(out);
	return rc;
}

enum rc
settings_load(const char *path, struct settings *out, struct settings_error *error)
{
	char *text;
	size_t len;

	*out = (struct settings){ 0 };
	*error = (struct settings_error){ 0 };
	enum rc rc = conf_read_file(path, SETTINGS_FILE_MAX, &text, &len);
	if (rc != RC_OK) {
		snprintf(error->text, sizeof(error->text), "cannot be read: %s",
		    rc == RC_SYSTEM ? strerror(errno) : rc_str(rc));
		return rc;
	}
	rc = settings_parse(span_of(text, len), out, error);
	free(text);
	return rc;
}
