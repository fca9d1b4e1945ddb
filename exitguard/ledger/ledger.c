/* ledger.c: the ledger. Touches its SQLite file only; time comes in as an argument. */
#include "exitguard/ledger/ledger.h"

#include <errno.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_S     86400
#define HASH_LEN  16
#define KEY_LEN   32
#define KEEP_OPEN 6 /* spans kept for another try when the file cannot be written */

struct mark {
	uint8_t family;
	uint8_t bytes[16];
};

struct ledger {
	sqlite3 *db;
	int64_t span;             /* start of the running one */
	bool whole;               /* counted since its start, with no gap */
	bool enforcing, enforced; /* now; since the span's start */
	bool counted;             /* something, in this span */
	unsigned keep_days, failures;
	int64_t forgot; /* day of the last forgetting */
	uint64_t streams[LEDGER_CLASS_COUNT];
	uint64_t matched[LEDGER_CLASS_COUNT][REPORT_REASON_COUNT];
	uint64_t refused[LEDGER_CLASS_COUNT][REPORT_REASON_COUNT];
	uint64_t kernel_refused;
	struct mark *marks; /* networks refused in this span, each once */
	size_t mark_count;
	bool marks_full;
};

static const char schema[] =
    "PRAGMA journal_mode=DELETE; PRAGMA secure_delete=ON; PRAGMA synchronous=NORMAL;"
    "PRAGMA busy_timeout=2000;"
    "CREATE TABLE IF NOT EXISTS span(start INTEGER PRIMARY KEY, whole INTEGER NOT NULL,"
    " kernel_refused INTEGER NOT NULL, enforced INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS count(start INTEGER NOT NULL, class INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, matched INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " PRIMARY KEY(start, class, reason)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS day(day INTEGER PRIMARY KEY, key BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS mark(start INTEGER NOT NULL, hash BLOB NOT NULL,"
    " PRIMARY KEY(start, hash)) WITHOUT ROWID;";

const char *
ledger_class_str(unsigned class)
{
	static const char *const names[] = { "web", "mail", "login", "other" };

	return class < LEDGER_CLASS_COUNT ? names[class] : "unknown";
}

enum ledger_class
ledger_class_of(uint16_t port)
{
	static const struct {
		uint16_t port;
		enum ledger_class class;
	} known[] = { { 80, LEDGER_WEB }, { 443, LEDGER_WEB }, { 8080, LEDGER_WEB },
		{ 8443, LEDGER_WEB }, { 25, LEDGER_MAIL }, { 110, LEDGER_MAIL },
		{ 143, LEDGER_MAIL }, { 465, LEDGER_MAIL }, { 587, LEDGER_MAIL },
		{ 993, LEDGER_MAIL }, { 995, LEDGER_MAIL }, { 22, LEDGER_LOGIN },
		{ 23, LEDGER_LOGIN }, { 3389, LEDGER_LOGIN }, { 5900, LEDGER_LOGIN } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].port == port)
			return known[i].class;
	return LEDGER_OTHER;
}

static int64_t
span_of_time(int64_t now)
{
	return now - now % LEDGER_SPAN_S;
}

static struct mark
mark_of(const struct addr *addr)
{
	struct prefix prefix = prefix_of(addr, addr->family == ADDR_IPV4 ? 24 : 48);
	struct mark mark = { .family = addr->family };

	memcpy(mark.bytes, prefix.addr.bytes, sizeof(mark.bytes));
	return mark;
}

/* Run a statement made of integers only; "?" are bound in order. */
static enum rc
run(struct ledger *ledger, const char *sql, const int64_t *values, int count)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(ledger->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return RC_SYSTEM;
	for (int i = 0; i < count; i++)
		sqlite3_bind_int64(stmt, i + 1, values[i]);
	int step = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return step == SQLITE_DONE || step == SQLITE_ROW ? RC_OK : RC_SYSTEM;
}

/* The key of a day. make: a new one if there is none. RC_NOT_FOUND otherwise. */
static enum rc
day_key(struct ledger *ledger, int64_t day, bool make, uint8_t key[KEY_LEN])
{
	sqlite3_stmt *stmt;
	enum rc rc = RC_NOT_FOUND;

	if (sqlite3_prepare_v2(ledger->db, "SELECT key FROM day WHERE day = ?", -1, &stmt, NULL) !=
	    SQLITE_OK)
		return RC_SYSTEM;
	sqlite3_bind_int64(stmt, 1, day);
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == KEY_LEN) {
		memcpy(key, sqlite3_column_blob(stmt, 0), KEY_LEN);
		rc = RC_OK;
	}
	sqlite3_finalize(stmt);
	if (rc == RC_OK || !make)
		return rc;
	randombytes_buf(key, KEY_LEN);
	if (sqlite3_prepare_v2(ledger->db, "INSERT OR REPLACE INTO day(day, key) VALUES(?, ?)", -1,
		&stmt, NULL) != SQLITE_OK)
		return RC_SYSTEM;
	sqlite3_bind_int64(stmt, 1, day);
	sqlite3_bind_blob(stmt, 2, key, KEY_LEN, SQLITE_TRANSIENT);
	rc = sqlite3_step(stmt) == SQLITE_DONE ? RC_OK : RC_SYSTEM;
	sqlite3_finalize(stmt);
	return rc;
}

/* The span is hashed in, so that one network's marks of a day cannot be joined without the key
 * and are not equal with it. */
static void
mark_hash(const uint8_t key[KEY_LEN], int64_t span, const struct mark *mark, uint8_t out[HASH_LEN])
{
	struct {
		int64_t span;
		struct mark mark;
	} input;

	memset(&input, 0, sizeof(input));
	input.span = span;
	input.mark = *mark;
	crypto_generichash(out, HASH_LEN, (const uint8_t *)&input, sizeof(input), key, KEY_LEN);
}

static enum rc
write_marks(struct ledger *ledger)
{
	uint8_t key[KEY_LEN], hash[HASH_LEN];
	sqlite3_stmt *stmt;

	if (ledger->mark_count == 0)
		return RC_OK;
	enum rc rc = day_key(ledger, ledger->span / DAY_S, true, key);
	if (rc != RC_OK)
		return rc;
	if (sqlite3_prepare_v2(ledger->db, "INSERT OR IGNORE INTO mark(start, hash) VALUES(?, ?)",
		-1, &stmt, NULL) != SQLITE_OK)
		return RC_SYSTEM;
	for (size_t i = 0; i < ledger->mark_count && rc == RC_OK; i++) {
		mark_hash(key, ledger->span, &ledger->marks[i], hash);
		sqlite3_bind_int64(stmt, 1, ledger->span);
		sqlite3_bind_blob(stmt, 2, hash, HASH_LEN, SQLITE_TRANSIENT);
		rc = sqlite3_step(stmt) == SQLITE_DONE ? RC_OK : RC_SYSTEM;
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	sodium_memzero(key, sizeof(key));
	return rc;
}

static enum rc
write_counts(struct ledger *ledger)
{
	static const char sql[] =
	    "INSERT INTO count(start, class, reason, matched, refused) VALUES(?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT DO UPDATE SET matched = matched + ?4, refused = refused + ?5";
	enum rc rc = RC_OK;

	for (int c = 0; c < LEDGER_CLASS_COUNT && rc == RC_OK; c++)
		for (int r = 0; r < REPORT_REASON_COUNT && rc == RC_OK; r++) {
			uint64_t n = r == 0 ? ledger->streams[c] : ledger->matched[c][r];
			int64_t values[] = { ledger->span, c, r, (int64_t)n,
				(int64_t)ledger->refused[c][r] };

			if (n != 0)
				rc = run(ledger, sql, values, 5);
		}
	return rc;
}

/* A span written in two parts (a restart within it) is not whole; its counts add up. */
static enum rc
write_span(struct ledger *ledger, bool ended)
{
	int64_t values[] = { ledger->span, ledger->whole && ended && !ledger->marks_full,
		(int64_t)ledger->kernel_refused, ledger->enforced };

	if (run(ledger, "BEGIN IMMEDIATE", NULL, 0) != RC_OK)
		return RC_SYSTEM;
	enum rc rc = run(ledger,
	    "INSERT INTO span(start, whole, kernel_refused, enforced) VALUES(?1, ?2, ?3, ?4)"
	    " ON CONFLICT DO UPDATE SET whole = 0, kernel_refused = kernel_refused + ?3,"
	    " enforced = min(enforced, ?4)",
	    values, 4);
	if (rc == RC_OK)
		rc = write_counts(ledger);
	if (rc == RC_OK)
		rc = write_marks(ledger);
	if (rc == RC_OK)
		rc = run(ledger, "COMMIT", NULL, 0);
	if (rc != RC_OK)
		(void)run(ledger, "ROLLBACK", NULL, 0);
	return rc;
}

static void
start_span(struct ledger *ledger, int64_t span, bool whole)
{
	ledger->span = span;
	ledger->whole = whole;
	ledger->enforced = ledger->enforcing;
	ledger->marks_full = ledger->counted = false;
	ledger->kernel_refused = 0;
	memset(ledger->streams, 0, sizeof(ledger->streams));
	memset(ledger->matched, 0, sizeof(ledger->matched));
	memset(ledger->refused, 0, sizeof(ledger->refused));
	sodium_memzero(ledger->marks, ledger->mark_count * sizeof(*ledger->marks));
	ledger->mark_count = 0;
}

static void
forget(struct ledger *ledger, int64_t now)
{
	int64_t day = now / DAY_S, oldest = day - (int64_t)ledger->keep_days;
	int64_t before[] = { oldest * DAY_S };

	if (ledger->forgot == day)
		return;
	ledger->forgot = day;
	(void)run(ledger, "DELETE FROM day WHERE day < ?", &oldest, 1);
	(void)run(ledger, "DELETE FROM mark WHERE start < ?", before, 1);
	(void)run(ledger, "DELETE FROM count WHERE start < ?", before, 1);
	(void)run(ledger, "DELETE FROM span WHERE start < ?", before, 1);
}

static enum rc
open_db(struct ledger *ledger, const char *path)
{
	mode_t old = umask(0077);
	int rc = sqlite3_open_v2(path, &ledger->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(ledger->db, schema, NULL, NULL, NULL);
	umask(old);
	if (rc == SQLITE_OK)
		return RC_OK;
	sqlite3_close(ledger->db);
	ledger->db = NULL;
	return rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? RC_SYNTAX : RC_SYSTEM;
}

enum rc
ledger_open(const char *path, unsigned keep_days, int64_t now, struct ledger **out)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	char aside[4096];

	*out = NULL;
	if (ledger == NULL)
		return RC_NO_MEMORY;
	ledger->keep_days = keep_days;
	ledger->marks = calloc(LEDGER_MARKS_MAX, sizeof(*ledger->marks));
	enum rc rc = ledger->marks != NULL ? open_db(ledger, path) : RC_NO_MEMORY;
	if (rc == RC_SYNTAX &&
	    snprintf(aside, sizeof(aside), "%s.broken", path) < (int)sizeof(aside) &&
	    rename(path, aside) == 0)
		rc = open_db(ledger, path);
	if (rc != RC_OK) {
		free(ledger->marks);
		free(ledger);
		return rc;
	}
	start_span(ledger, span_of_time(now), now % LEDGER_SPAN_S == 0);
	forget(ledger, now);
	*out = ledger;
	return RC_OK;
}

void
ledger_close(struct ledger **ledger, int64_t now)
{
	if (*ledger == NULL)
		return;
	(void)ledger_tick(*ledger, now);
	(void)write_span(*ledger, false);
	sqlite3_close((*ledger)->db);
	sodium_memzero((*ledger)->marks, LEDGER_MARKS_MAX * sizeof(*(*ledger)->marks));
	free((*ledger)->marks);
	free(*ledger);
	*ledger = NULL;
}

static void
add_mark(struct ledger *ledger, const struct addr *addr)
{
	struct mark mark = mark_of(addr);

	/* The last few are enough to keep a burst from filling the table with one network. */
	for (size_t i = ledger->mark_count; i-- > 0 && ledger->mark_count - i <= 512;)
		if (memcmp(&ledger->marks[i], &mark, sizeof(mark)) == 0)
			return;
	if (ledger->mark_count < LEDGER_MARKS_MAX)
		ledger->marks[ledger->mark_count++] = mark;
	else
		ledger->marks_full = true;
}

void
ledger_count(
    struct ledger *ledger, const struct addr *addr, uint16_t port, uint8_t reason, bool refused)
{
	enum ledger_class class = ledger_class_of(port);

	if ((addr->family == ADDR_NONE && reason == REPORT_REASON_NONE) ||
	    reason >= REPORT_REASON_COUNT)
		return;
	ledger->counted = true;
	ledger->streams[class]++;
	if (reason == REPORT_REASON_NONE)
		return;
	ledger->matched[class][reason]++;
	if (refused)
		ledger->refused[class][reason]++;
	if (refused && addr->family != ADDR_NONE)
		add_mark(ledger, addr);
}

void
ledger_count_kernel(struct ledger *ledger, uint64_t refused)
{
	ledger->kernel_refused += refused;
}

void
ledger_set_enforcing(struct ledger *ledger, bool enforcing)
{
	if (!enforcing || !ledger->counted)
		ledger->enforced = enforcing;
	ledger->enforcing = enforcing;
}

enum rc
ledger_tick(struct ledger *ledger, int64_t now)
{
	int64_t span = span_of_time(now);
	enum rc rc = RC_OK;

	if (span == ledger->span)
		return RC_OK;
	/* The clock went back or stood still for long: what ran meanwhile is unknown. */
	bool next = span == ledger->span + LEDGER_SPAN_S;
	rc = write_span(ledger, next);
	if (rc != RC_OK && ++ledger->failures < KEEP_OPEN && next)
		return rc;
	ledger->failures = 0;
	start_span(ledger, span, next);
	forget(ledger, now);
	return rc;
}

void
ledger_gap(struct ledger *ledger)
{
	ledger->whole = false;
}

static enum rc
ask_spans(struct ledger *ledger, struct ledger_answer *out)
{
	sqlite3_stmt *stmt;
	int64_t known;

	if (sqlite3_prepare_v2(ledger->db,
		"SELECT count(*), coalesce(sum(whole), 0), coalesce(sum(kernel_refused), 0),"
		" (SELECT min(start) FROM span), coalesce(min(enforced), -1) FROM span WHERE start "
		">= ? AND start < ?",
		-1, &stmt, NULL) != SQLITE_OK)
		return RC_SYSTEM;
	sqlite3_bind_int64(stmt, 1, out->from);
	sqlite3_bind_int64(stmt, 2, out->to);
	enum rc rc = sqlite3_step(stmt) == SQLITE_ROW ? RC_OK : RC_SYSTEM;
	if (rc == RC_OK) {
		out->spans_covered = (unsigned)sqlite3_column_int64(stmt, 1);
		out->kernel_refused = (uint64_t)sqlite3_column_int64(stmt, 2);
		out->first = sqlite3_column_int64(stmt, 3);
		known = sqlite3_column_int64(stmt, 4);
		if (ledger->span >= out->from && ledger->span < out->to)
			known = ledger->enforced && known != 0;
		out->enforced = known == 1;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static enum rc
ask_counts(struct ledger *ledger, struct ledger_answer *out)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(ledger->db,
		"SELECT class, reason, sum(matched), sum(refused) FROM count"
		" WHERE start >= ? AND start < ? GROUP BY class, reason",
		-1, &stmt, NULL) != SQLITE_OK)
		return RC_SYSTEM;
	sqlite3_bind_int64(stmt, 1, out->from);
	sqlite3_bind_int64(stmt, 2, out->to);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		int64_t c = sqlite3_column_int64(stmt, 0), r = sqlite3_column_int64(stmt, 1);

		if (c < 0 || c >= LEDGER_CLASS_COUNT || r < 0 || r >= REPORT_REASON_COUNT)
			continue;
		if (r == 0)
			out->streams[c] += (uint64_t)sqlite3_column_int64(stmt, 2);
		else
			out->matched[c][r] += (uint64_t)sqlite3_column_int64(stmt, 2);
		out->refused[c][r] += (uint64_t)sqlite3_column_int64(stmt, 3);
	}
	sqlite3_finalize(stmt);
	return RC_OK;
}

static enum rc
ask_network(struct ledger *ledger, const struct addr *network, struct ledger_answer *out)
{
	struct mark mark = mark_of(network);
	uint8_t key[KEY_LEN], hash[HASH_LEN];
	int64_t have_day = -1;
	sqlite3_stmt *stmt;
	enum rc rc = RC_OK;

	out->network_asked = true;
	if (sqlite3_prepare_v2(ledger->db, "SELECT 1 FROM mark WHERE start = ? AND hash = ?", -1,
		&stmt, NULL) != SQLITE_OK)
		return RC_SYSTEM;
	for (int64_t span = out->from; span < out->to; span += LEDGER_SPAN_S) {
		if (span / DAY_S != have_day) {
			rc = day_key(ledger, span / DAY_S, false, key);
			have_day = span / DAY_S;
		}
		if (rc != RC_OK)
			continue;
		mark_hash(key, span, &mark, hash);
		sqlite3_bind_int64(stmt, 1, span);
		sqlite3_bind_blob(stmt, 2, hash, HASH_LEN, SQLITE_TRANSIENT);
		out->network_refused += sqlite3_step(stmt) == SQLITE_ROW;
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	sodium_memzero(key, sizeof(key));
	return RC_OK;
}

/* What the running span has so far; it is not covered yet. */
static void
add_running(const struct ledger *ledger, const struct addr *network, struct ledger_answer *out)
{
	if (ledger->span < out->from || ledger->span >= out->to)
		return;
	out->kernel_refused += ledger->kernel_refused;
	for (int c = 0; c < LEDGER_CLASS_COUNT; c++) {
		out->streams[c] += ledger->streams[c];
		for (int r = 1; r < REPORT_REASON_COUNT; r++) {
			out->matched[c][r] += ledger->matched[c][r];
			out->refused[c][r] += ledger->refused[c][r];
		}
	}
	if (network == NULL)
		return;
	struct mark mark = mark_of(network);
	for (size_t i = 0; i < ledger->mark_count; i++)
		if (memcmp(&ledger->marks[i], &mark, sizeof(mark)) == 0) {
			out->network_refused++;
			return;
		}
}

enum rc
ledger_ask(struct ledger *ledger, int64_t from, int64_t to, const struct addr *network,
    struct ledger_answer *out)
{
	*out = (struct ledger_answer){ 0 };
	if (from < 0 || from >= to || to - from > (int64_t)LEDGER_SPANS_MAX * LEDGER_SPAN_S)
		return RC_RANGE;
	out->from = span_of_time(from);
	out->to = span_of_time(to + LEDGER_SPAN_S - 1);
	out->spans = (unsigned)((out->to - out->from) / LEDGER_SPAN_S);
	enum rc rc = ask_spans(ledger, out);
	if (rc == RC_OK)
		rc = ask_counts(ledger, out);
	if (rc == RC_OK && network != NULL && network->family != ADDR_NONE)
		rc = ask_network(ledger, network, out);
	if (rc == RC_OK)
		add_running(ledger, out->network_asked ? network : NULL, out);
	out->covered = rc == RC_OK && out->spans_covered == out->spans;
	return rc;
}
