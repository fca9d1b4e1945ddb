/* lists.c: bans and allowances. Touches the state file only. */
#include "exitguard/front/lists.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf.h"

#define STATE_FILE_MAX (16 * 1024 * 1024)

void
lists_init(struct lists *lists, const uint8_t hash_key[16])
{
	*lists = (struct lists){ 0 };
	elems_init(&lists->lookup, hash_key);
}

void
lists_clear(struct lists *lists)
{
	free(lists->entries);
	lists->entries = NULL;
	lists->count = 0;
	elems_clear(&lists->lookup);
}

static struct list_entry *
find(const struct lists *lists, enum guard_list list, const struct prefix *prefix)
{
	for (size_t i = 0; i < lists->count; i++)
		if (lists->entries[i].list == list &&
		    prefix_equal(&lists->entries[i].prefix, prefix))
			return &lists->entries[i];
	return NULL;
}

static enum rc
put_pieces(struct lists *lists, const struct list_entry *entry)
{
	struct guard_elem pieces[GUARD_PIECES_MAX];
	size_t count;
	enum rc rc = guard_plan_list(entry->list, &entry->prefix, 0, pieces, &count);

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = elems_put(&lists->lookup, &pieces[i], (uint32_t)entry->until);
	return rc;
}

/* Overlapping entries share pieces, so after a removal the look-up is made again. */
static void
rebuild(struct lists *lists)
{
	elems_clear(&lists->lookup);
	for (size_t i = 0; i < lists->count; i++)
		(void)put_pieces(lists, &lists->entries[i]);
}

enum rc
lists_put(struct lists *lists, const struct list_entry *entry)
{
	struct list_entry *known = find(lists, entry->list, &entry->prefix);
	enum rc rc = put_pieces(lists, entry);

	if (rc != RC_OK)
		return rc;
	if (known != NULL) {
		known->until = entry->until;
		known->from_config |= entry->from_config;
		return RC_OK;
	}
	if (lists->count >= LISTS_MAX)
		return RC_LIMIT;
	if (lists->count % 64 == 0) {
		size_t cap = (lists->count / 64 + 1) * 64;
		struct list_entry *bigger = realloc(lists->entries, cap * sizeof(*bigger));

		if (bigger == NULL)
			return RC_NO_MEMORY;
		lists->entries = bigger;
	}
	lists->entries[lists->count++] = *entry;
	return RC_OK;
}

enum rc
lists_del(struct lists *lists, enum guard_list list, const struct prefix *prefix)
{
	struct list_entry *known = find(lists, list, prefix);

	if (known == NULL)
		return RC_NOT_FOUND;
	if (known->from_config)
		return RC_DENIED;
	*known = lists->entries[--lists->count];
	rebuild(lists);
	return RC_OK;
}

/* Keep the entries that `stays` wants; true if one went. */
static bool
keep_where(struct lists *lists, bool (*stays)(const struct list_entry *, int64_t), int64_t arg)
{
	size_t kept = 0, before = lists->count;

	for (size_t i = 0; i < before; i++)
		if (stays(&lists->entries[i], arg))
			lists->entries[kept++] = lists->entries[i];
	lists->count = kept;
	if (kept != before)
		rebuild(lists);
	return kept != before;
}

static bool
is_in_time(const struct list_entry *entry, int64_t now)
{
	return entry->until == 0 || entry->until > now;
}

static bool
is_not_from_config(const struct list_entry *entry, int64_t unused)
{
	(void)unused;
	return !entry->from_config;
}

bool
lists_expire(struct lists *lists, int64_t now)
{
	return keep_where(lists, is_in_time, now);
}

void
lists_drop_config(struct lists *lists)
{
	(void)keep_where(lists, is_not_from_config, 0);
}

bool
lists_have(const struct lists *lists, enum guard_list list, const struct addr *addr)
{
	struct guard_elem pieces[GUARD_PIECES_MAX];
	size_t count;

	if (addr->family == ADDR_NONE || lists->lookup.count == 0)
		return false;
	for (int whole = 0; whole < 2; whole++) {
		uint8_t net = addr->family == ADDR_IPV4 ? 24 : 48;
		struct prefix prefix = prefix_of(addr, whole ? (uint8_t)(addr_len(addr) * 8) : net);

		if (guard_plan_list(list, &prefix, 0, pieces, &count) == RC_OK &&
		    elems_find(&lists->lookup, &pieces[0], NULL))
			return true;
	}
	return false;
}

enum rc
lists_save(const struct lists *lists, enum guard_mode mode, const char *path)
{
	char temp[4096], text[ADDR_STR_LEN];

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return RC_LIMIT;
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (file == NULL) {
		if (fd >= 0)
			close(fd);
		return RC_SYSTEM;
	}
	fprintf(file, "# Kept by exitguard; change it with exitguardctl.\nMode %s\n",
	    guard_mode_str(mode));
	for (size_t i = 0; i < lists->count; i++) {
		const struct list_entry *entry = &lists->entries[i];

		if (!entry->from_config)
			fprintf(file, "%s %s %lld\n",
			    entry->list == GUARD_LIST_BAN ? "Ban" : "Allow",
			    prefix_str(&entry->prefix, text), (long long)entry->until);
	}
	bool bad = fflush(file) != 0 || fsync(fd) != 0;
	bad |= fclose(file) != 0;
	if (bad || rename(temp, path) != 0) {
		int saved = errno;

		unlink(temp);
		errno = saved;
		return RC_SYSTEM;
	}
	return RC_OK;
}

static enum rc
load_entry(struct lists *lists, enum guard_list list, const char *value, int64_t now)
{
	struct list_entry entry = { .list = list };
	const char *space = strchr(value, ' ');

	if (space == NULL)
		return RC_SYNTAX;
	enum rc rc = prefix_parse(span_of(value, (size_t)(space - value)), &entry.prefix);
	if (rc == RC_OK)
		rc = parse_i64(span_of_str(space + 1), 0, UINT32_MAX, &entry.until);
	if (rc == RC_OK && is_in_time(&entry, now))
		rc = lists_put(lists, &entry);
	return rc;
}

static enum rc
load_line(struct lists *lists, const struct conf_line *line, int64_t now, bool *has_mode,
    enum guard_mode *mode)
{
	if (strcmp(line->key, "Mode") == 0) {
		enum rc rc = guard_mode_parse(line->value, mode);

		*has_mode |= rc == RC_OK;
		return rc;
	}
	if (strcmp(line->key, "Ban") == 0)
		return load_entry(lists, GUARD_LIST_BAN, line->value, now);
	if (strcmp(line->key, "Allow") == 0)
		return load_entry(lists, GUARD_LIST_ALLOW, line->value, now);
	return RC_NOT_FOUND;
}

enum rc
lists_load(struct lists *lists, const char *path, int64_t now, bool *has_mode,
    enum guard_mode *mode, unsigned *wrong)
{
	struct conf_line *line = malloc(sizeof(*line));
	struct conf_reader reader;
	char *text = NULL;
	size_t len;

	*has_mode = false;
	*wrong = 0;
	enum rc rc =
	    line != NULL ? conf_read_file(path, STATE_FILE_MAX, &text, &len) : RC_NO_MEMORY;
	if (rc == RC_SYSTEM && errno == ENOENT)
		rc = RC_OK;
	if (text != NULL) {
		enum rc at;

		conf_reader_init(&reader, span_of(text, len));
		while ((at = conf_next(&reader, line)) != RC_NOT_FOUND)
			if (at != RC_OK || load_line(lists, line, now, has_mode, mode) != RC_OK)
				(*wrong)++;
	}
	free(text);
	free(line);
	return rc;
}
