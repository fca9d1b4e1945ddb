/* fold.c: see fold.h. Pure. */
#include "abuse/case/fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 3

void
fold_init(struct fold *fold)
{
	fold->seen = json_object();
}

void
fold_clear(struct fold *fold)
{
	json_decref(fold->seen);
	fold->seen = NULL;
}

/* A list of the record's members as one text; the caller frees it. NULL if one is empty. */
static char *
key_of(const json_t *record, const char *kind, const char *const *members)
{
	json_t *parts = json_array();
	bool whole = true;

	json_array_append_new(parts, json_string(kind));
	for (size_t i = 0; members[i] != NULL; i++) {
		json_t *value = json_object_get(record, members[i]);

		whole = whole && !json_is_null(value) &&
			!(json_is_array(value) && json_array_size(value) == 0);
		json_array_append(parts, value);
	}
	char *out = whole ? json_dumps(parts, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(parts);
	return out;
}

static void
make_keys(const json_t *record, const char *message_id, char *keys[KEYS])
{
	static const char *const same_log[] = { "category", "sources", "first_utc", "last_utc",
		"ports", "incidents", NULL };
	static const char *const same_ticket[] = { "ticket", "reply_to", NULL };
	json_t *mail = json_pack("[s, s]", "mail", message_id);

	keys[0] = json_dumps(mail, JSON_COMPACT);
	keys[1] = key_of(record, "log", same_log);
	keys[2] = key_of(record, "ticket", same_ticket);
	json_decref(mail);
}

void
fold_record(struct fold *fold, json_t *record, const char *message_id)
{
	const char *first = NULL;
	char *keys[KEYS];

	if (message_id[0] == '\0')
		return;
	make_keys(record, message_id, keys);
	for (size_t k = 0; k < KEYS && first == NULL; k++)
		if (keys[k] != NULL)
			first = json_string_value(json_object_get(fold->seen, keys[k]));
	if (first != NULL)
		json_object_set_new(record, "duplicate_of", json_string(first));
	for (size_t k = 0; k < KEYS; k++) {
		if (keys[k] != NULL && json_object_get(fold->seen, keys[k]) == NULL)
			json_object_set_new(
			    fold->seen, keys[k], json_string(first != NULL ? first : message_id));
		free(keys[k]);
	}
}
