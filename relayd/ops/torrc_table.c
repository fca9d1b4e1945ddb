/* torrc_table.c: torrc.def made into arrays, and names looked up in them. Pure. */
#include "relayd/ops/torrc_table.h"

#include <string.h>
#include <strings.h>

#define NAME_LEN_MAX 64

const char *const torrc_reasons[TORRC_REASON_COUNT] = {
#define REASON(id, text) text,
#include "relayd/ops/torrc.def"
};

const struct torrc_option torrc_options[TORRC_OPTION_COUNT] = {
#define OPT(field, name, type, initial, reload, help) \
	{ offsetof(struct torrc, field), #name, TORRC_TYPE_##type, initial, TORRC_##reload, help },
#include "relayd/ops/torrc.def"
};

static const struct {
	enum torrc_option_id option;
	const char *initial;
} testing_initials[] = {
#define TESTING(name, initial) { TORRC_##name, initial },
#include "relayd/ops/torrc.def"
};

const struct torrc_known torrc_known[] = {
#define OPT(field, word, type, initial, reload, help) \
	{ .name = #word, .kind = TORRC_SUPPORTED, .option = TORRC_##word },
#define WEAK(word, why)    { .name = #word, .kind = TORRC_WEAK, .reason = TORRC_REASON_##why },
#define IGNORED(word, why) { .name = #word, .kind = TORRC_IGNORED, .reason = TORRC_REASON_##why },
#define REFUSED(word, value, why) \
	{ .name = #word, .kind = TORRC_REFUSED, .harmless = value, .reason = TORRC_REASON_##why },
#define OBSOLETE(word)  { .name = #word, .kind = TORRC_OBSOLETE },
#define ALIAS(from, to) { .name = #from, .kind = TORRC_ALIAS, .alias_of = #to },
#include "relayd/ops/torrc.def"
};

const struct torrc_idle torrc_idle[] = {
#define IDLE(name, level, text) { TORRC_##name, LOG_LEVEL_##level, text },
#include "relayd/ops/torrc.def"
};

const size_t torrc_idle_count = sizeof(torrc_idle) / sizeof(torrc_idle[0]);
const size_t torrc_known_count = sizeof(torrc_known) / sizeof(torrc_known[0]);

const char *
torrc_initial(enum torrc_option_id id, bool testing)
{
	for (size_t i = 0; testing && i < sizeof(testing_initials) / sizeof(testing_initials[0]);
	     i++)
		if (testing_initials[i].option == id)
			return testing_initials[i].initial;
	return torrc_options[id].initial;
}

void *
torrc_field(struct torrc *t, enum torrc_option_id id)
{
	return (char *)t + torrc_options[id].offset;
}

bool
torrc_print(const struct torrc *t, enum torrc_option_id id, size_t index, char *buf, size_t len)
{
	const struct torrc_type *type = &torrc_types[torrc_options[id].type];

	if (!type->many && index != 0)
		return false;
	return type->print(t, (const char *)t + torrc_options[id].offset, index, buf, len);
}

const struct torrc_known *
torrc_known_find(const char *name)
{
	for (size_t i = 0; i < torrc_known_count; i++)
		if (strcasecmp(torrc_known[i].name, name) == 0)
			return torrc_known[i].kind != TORRC_ALIAS
				   ? &torrc_known[i]
				   : torrc_known_find(torrc_known[i].alias_of);
	return NULL;
}

size_t
torrc_known_prefix(const char *name, const struct torrc_known *first[2])
{
	size_t count = 0, len = strlen(name);

	first[0] = first[1] = NULL;
	for (size_t i = 0; len != 0 && i < torrc_known_count; i++) {
		const struct torrc_known *known = &torrc_known[i];

		if (known->kind == TORRC_ALIAS || known->kind == TORRC_OBSOLETE ||
		    strncasecmp(known->name, name, len) != 0)
			continue;
		if (count < 2)
			first[count] = known;
		count++;
	}
	return count;
}

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Letters to insert, delete or change to make b of a. Both at most NAME_LEN_MAX long. */
static unsigned
edit_distance(const char *a, const char *b)
{
	unsigned row[NAME_LEN_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; i < a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < b_len; j++) {
			unsigned best = diagonal + (lower(a[i]) != lower(b[j]));

			diagonal = row[j + 1];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			row[j + 1] = best;
		}
	}
	return row[b_len];
}

const char *
torrc_known_nearest(const char *name)
{
	const char *nearest = NULL;
	size_t len = strlen(name);
	unsigned best = len < 6 ? 2 : len < 12 ? 3 : 5; /* below this it is near */

	if (len > NAME_LEN_MAX)
		return NULL;
	for (size_t i = 0; i < torrc_known_count; i++) {
		if (torrc_known[i].kind == TORRC_OBSOLETE || torrc_known[i].kind == TORRC_ALIAS)
			continue;
		unsigned distance = edit_distance(name, torrc_known[i].name);
		if (distance < best) {
			best = distance;
			nearest = torrc_known[i].name;
		}
	}
	return nearest;
}
