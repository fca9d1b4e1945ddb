/* request.c: a request line, bytes to struct. Pure. */
#include "exitguard/ctl/request.h"

#include <string.h>

#define WORDS_MAX 8

const struct ctl_command_info ctl_commands[CTL_COMMAND_COUNT] = {
#define READ                                    false
#define CHANGE                                  true
#define COMMAND(id, word, arguments, who, text) [id] = { word, arguments, text, who },
#include "exitguard/ctl/commands.def"
#undef COMMAND
#undef READ
#undef CHANGE
};

struct words {
	struct span word[WORDS_MAX];
	size_t count;
	bool too_many;
};

static struct words
split(struct span line)
{
	struct words words = { 0 };
	size_t start = 0;

	for (size_t i = 0; i <= line.len; i++) {
		if (i < line.len && line.data[i] != ' ')
			continue;
		if (i > start && words.count == WORDS_MAX)
			words.too_many = true;
		else if (i > start)
			words.word[words.count++] = span_of(line.data + start, i - start);
		start = i + 1;
	}
	return words;
}

enum rc
ctl_duration_parse(struct span text, uint32_t *out)
{
	static const struct {
		uint8_t unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t n;

	if (text.len < 2)
		return RC_SYNTAX;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text.data[text.len - 1] == units[i].unit) {
			enum rc rc = parse_u64(span_of(text.data, text.len - 1),
			    3650u * 86400u / units[i].seconds, &n);
			if (rc == RC_OK && n == 0)
				rc = RC_RANGE;
			if (rc == RC_OK)
				*out = (uint32_t)n * units[i].seconds;
			return rc;
		}
	return RC_SYNTAX;
}

/* Digits at a fixed place of a date. */
static bool
digits(struct span text, size_t at, size_t len, int *out)
{
	uint64_t n;

	if (text.len < at + len || parse_u64(span_of(text.data + at, len), 9999, &n) != RC_OK)
		return false;
	*out = (int)n;
	return true;
}

static bool
has(struct span text, size_t at, char c)
{
	return at < text.len && text.data[at] == (uint8_t)c;
}

enum rc
ctl_time_parse(struct span text, int64_t *out)
{
	struct tm tm = { 0 };

	if (parse_i64(text, 0, INT32_MAX * (int64_t)4, out) == RC_OK)
		return RC_OK;
	if (!digits(text, 0, 4, &tm.tm_year) || !has(text, 4, '-') ||
	    !digits(text, 5, 2, &tm.tm_mon) || !has(text, 7, '-') ||
	    !digits(text, 8, 2, &tm.tm_mday))
		return RC_SYNTAX;
	if (text.len != 10 &&
	    (text.len != 20 || !has(text, 10, 'T') || !digits(text, 11, 2, &tm.tm_hour) ||
		!has(text, 13, ':') || !digits(text, 14, 2, &tm.tm_min) || !has(text, 16, ':') ||
		!digits(text, 17, 2, &tm.tm_sec) || !has(text, 19, 'Z')))
		return RC_SYNTAX;
	if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return RC_RANGE;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out = (int64_t)timegm(&tm);
	return RC_OK;
}

/* "prefix P", "from T", "to T" in any order. */
static enum rc
parse_ledger(const struct words *words, struct ctl_request *out, const char **why)
{
	struct addr addr;

	*why = "give prefix ADDRESS, from TIME, to TIME";
	for (size_t i = 1; i < words->count; i += 2) {
		if (i + 1 == words->count)
			return RC_SHORT;
		struct span value = words->word[i + 1];
		enum rc rc = RC_SYNTAX;

		if (span_equal_str(words->word[i], "from"))
			rc = ctl_time_parse(value, &out->from);
		else if (span_equal_str(words->word[i], "to"))
			rc = ctl_time_parse(value, &out->to);
		else if (span_equal_str(words->word[i], "prefix")) {
			rc = addr_parse(value, &addr);
			if (rc == RC_OK)
				out->prefix = prefix_of(&addr, (uint8_t)(addr_len(&addr) * 8));
			else
				rc = prefix_parse(value, &out->prefix);
		}
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
parse_where(const struct words *words, struct ctl_request *out, const char **why)
{
	*why = "give ADDRESS or ADDRESS:PORT ([ADDRESS]:PORT for IPv6)";
	if (words->count != 2)
		return RC_SYNTAX;
	if (addr_port_parse(words->word[1], &out->where) == RC_OK)
		return RC_OK;
	out->where.port = 0;
	return addr_parse(words->word[1], &out->where.addr);
}

static enum rc
parse_mode(const struct words *words, struct ctl_request *out, const char **why)
{
	char text[16] = "";

	*why = "give observe or enforce";
	if (words->count == 1)
		return RC_OK;
	if (words->count != 2 || words->word[1].len >= sizeof(text))
		return RC_SYNTAX;
	memcpy(text, words->word[1].data, words->word[1].len);
	out->has_mode = true;
	return guard_mode_parse(text, &out->mode);
}

static enum rc
parse_list_change(
    const struct words *words, bool with_duration, struct ctl_request *out, const char **why)
{
	*why = "give an address or a prefix with zero host bits";
	if (words->count < 2 || words->count > (with_duration ? 3u : 2u))
		return RC_SYNTAX;
	enum rc rc = prefix_parse(words->word[1], &out->prefix);
	if (rc == RC_OK && words->count == 3) {
		*why = "give a duration such as 30s, 15m, 12h or 7d";
		rc = ctl_duration_parse(words->word[2], &out->duration_s);
	}
	return rc;
}

static enum rc
parse_arguments(const struct words *words, struct ctl_request *out, const char **why)
{
	switch (out->command) {
	case CTL_EXPLAIN:
		return parse_where(words, out, why);
	case CTL_MODE:
		return parse_mode(words, out, why);
	case CTL_BAN:
	case CTL_ALLOW:
		return parse_list_change(words, true, out, why);
	case CTL_UNBAN:
	case CTL_UNALLOW:
		return parse_list_change(words, false, out, why);
	case CTL_LEDGER:
		return parse_ledger(words, out, why);
	default:
		*why = "this command takes no arguments";
		return words->count == 1 ? RC_OK : RC_TRAILING;
	}
}

enum rc
ctl_request_parse(struct span line, struct ctl_request *out, const char **why)
{
	struct words words = split(line);

	*out = (struct ctl_request){ 0 };
	*why = "no such command";
	if (words.count == 0)
		return RC_NOT_FOUND;
	for (unsigned i = 0; i < CTL_COMMAND_COUNT; i++)
		if (span_equal_str(words.word[0], ctl_commands[i].word)) {
			out->command = (enum ctl_command)i;
			*why = "too many words";
			return words.too_many ? RC_LIMIT : parse_arguments(&words, out, why);
		}
	return RC_NOT_FOUND;
}
