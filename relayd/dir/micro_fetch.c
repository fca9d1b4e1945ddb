/* micro_fetch.c: the microdescriptors that a consensus names: asked for in batches, kept on disk,
 * and the view with the identities in them. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "relayd/dir/cache.h"
#include "relayd/dir/dir_internal.h"

#define BATCH            90 /* digests in a request */
#define MICRO_PACKED_MAX (2u << 20)
#define MICRO_TEXT_MAX   (8u << 20)
#define CACHE_TEXT_MAX   (64u << 20)
#define CACHE_NEW_MAX    (16u << 20) /* past this the two files become one */

static const uint8_t *
find_ed_id(void *arg, const uint8_t micro_digest[32])
{
	static const uint8_t none[32];
	const struct dir *dir = arg;
	const struct micro_entry *entry = micro_table_find(&dir->micros, micro_digest);

	return entry != NULL && memcmp(entry->ed_id, none, sizeof(none)) != 0 ? entry->ed_id : NULL;
}

void
fetch_publish_view(struct dir *dir)
{
	struct consensus *view, *before = dir->view;
	size_t missing;

	dir->micro_news = false;
	if (dir->bare == NULL ||
	    consensus_with_ed_ids(dir->bare, find_ed_id, dir, &missing, &view) != RC_OK)
		return;
	dir->view = view;
	consensus_unref(&before);
	log_info(LOG_DIR, "view with %zu relays, %zu of them without Ed25519 identity",
	    consensus_relay_count(view), missing);
	dir->config.on_consensus(dir->config.arg, view);
	publish_note_view(dir);
}

static int
digest_order(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/* The digests that c names, sorted, without those in `known` (NULL: all). The caller frees. */
static size_t
digests_of(const struct consensus *c, const struct micro_table *known, uint8_t (**out)[32])
{
	size_t n = consensus_relay_count(c), count = 0;

	*out = calloc(n != 0 ? n : 1, sizeof(**out));
	if (*out == NULL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *digest = consensus_relay_at(c, i)->micro_digest;

		if (known == NULL || micro_table_find(known, digest) == NULL)
			memcpy((*out)[count++], digest, 32);
	}
	qsort(*out, count, sizeof(**out), digest_order);
	return count;
}

static bool
digest_is_among(uint8_t (*list)[32], size_t count, const uint8_t digest[32])
{
	return count != 0 && bsearch(digest, list, count, 32, digest_order) != NULL;
}

void
micro_want(struct dir *dir)
{
	micro_table_retain(&dir->micros, dir->bare);
	free(dir->wanted);
	dir->wanted_count = digests_of(dir->bare, &dir->micros, &dir->wanted);
	dir->wanted_next = 0;
}

/* Of both cache files, what the consensus names goes into the table and, if anything else was in
 * them, is written back as one file. */
static void
compact(struct dir *dir)
{
	static const char *const names[] = { CACHE_MICROS, CACHE_MICROS_NEW };
	char *texts[2] = { NULL, NULL };
	uint8_t(*used)[32];
	size_t count = digests_of(dir->bare, NULL, &used), kept = 0, len;
	struct span *parts = calloc(count + 1, sizeof(*parts));
	bool rewrite = false;
	struct micro micro;

	for (size_t i = 0; i < 2 && parts != NULL && used != NULL; i++) {
		if (cache_read(dir->config.cache_dir, names[i], CACHE_TEXT_MAX, &texts[i], &len) !=
		    RC_OK)
			continue;
		rewrite |= i == 1;
		for (struct span rest = span_of(texts[i], len); micro_next(&rest, &micro);) {
			bool wanted = digest_is_among(used, count, micro.digest) && kept < count;

			rewrite |= !wanted;
			if (!wanted)
				continue;
			parts[kept++] = micro.text;
			(void)micro_table_add(&dir->micros, &micro);
		}
	}
	micro_table_sort(&dir->micros);
	if (rewrite && cache_write(dir->config.cache_dir, CACHE_MICROS, parts, kept) == RC_OK)
		cache_remove(dir->config.cache_dir, CACHE_MICROS_NEW);
	free(texts[0]);
	free(texts[1]);
	free(parts);
	free(used);
}

void
micro_load_cache(struct dir *dir)
{
	if (dir->config.cache_dir != NULL)
		compact(dir);
	micro_want(dir);
}

/* Take from an answer what was asked for. How many were new. */
static size_t
take_answer(struct dir *dir, struct span text)
{
	uint8_t *fresh = malloc(text.len + 1);
	struct wr wr = wr_to(fresh, fresh != NULL ? text.len : 0);
	size_t taken = 0, size = 0;
	struct micro micro;

	while (micro_next(&text, &micro)) {
		if (!digest_is_among(dir->wanted, dir->wanted_count, micro.digest) ||
		    micro_table_find(&dir->micros, micro.digest) != NULL)
			continue;
		if (micro_table_add(&dir->micros, &micro) != RC_OK)
			break;
		wr_span(&wr, micro.text);
		taken++;
	}
	micro_table_sort(&dir->micros);
	if (taken != 0 && wr.rc == RC_OK && dir->config.cache_dir != NULL)
		(void)cache_append(dir->config.cache_dir, CACHE_MICROS_NEW, wr_written(&wr), &size);
	free(fresh);
	if (size > CACHE_NEW_MAX)
		compact(dir);
	return taken;
}

static void
on_answer(void *arg, enum rc rc, struct span answer)
{
	struct micro_lane *lane = arg;
	struct dir *dir = lane->dir;
	unsigned status = 0;
	char *body = NULL;
	size_t len = 0;

	lane->task.exchange = NULL;
	if (rc == RC_OK)
		rc = dir_answer(dir, answer, MICRO_TEXT_MAX, &status, &body, &len);
	if (rc == RC_OK && take_answer(dir, span_of(body, len)) != 0)
		dir->micro_news = true;
	lane->task.failures = rc == RC_OK ? 0 : lane->task.failures + 1;
	if (rc != RC_OK)
		log_info(LOG_DIR, "microdescriptors from %s: %s (HTTP status %u)",
		    dir->authorities[lane->task.authority].nickname, rc_str(rc), status);
	free(body);
	micro_tick(dir, clock_mono_ms());
}

static void
ask_batch(struct micro_lane *lane)
{
	struct dir *dir = lane->dir;
	char path[BATCH * 44 + 32], digest[48];
	struct wr wr = wr_to(path, sizeof(path));

	wr_str(&wr, "/tor/micro/d/");
	for (unsigned i = 0; i < BATCH && dir->wanted_next < dir->wanted_count; i++) {
		(void)base64_encode(
		    span_of(dir->wanted[dir->wanted_next++], 32), false, digest, sizeof(digest));
		wr_printf(&wr, "%s%s", i != 0 ? "-" : "", digest);
	}
	wr_str(&wr, ".z");
	wr_u8(&wr, '\0');
	dir_turn(dir, &lane->task);
	if (wr.rc != RC_OK || dir_ask(dir, lane->task.authority, "GET", path, span_of(NULL, 0), 0,
				  MICRO_PACKED_MAX, on_answer, lane, &lane->task.exchange) != RC_OK)
		log_info(LOG_DIR, "cannot ask %s for microdescriptors",
		    dir->authorities[lane->task.authority].nickname);
}

/* All were asked for once: show what came, and ask again later for what did not. */
static void
end_round(struct dir *dir, uint64_t now_ms)
{
	bool news = dir->micro_news;

	dir->micro_rounds = news ? 0 : dir->micro_rounds + 1;
	dir->micro_due_ms = now_ms + dir_retry_ms(dir, dir->micro_rounds);
	micro_want(dir);
	if (news)
		fetch_publish_view(dir);
}

void
micro_tick(struct dir *dir, uint64_t now_ms)
{
	bool busy = false;

	if (dir->bare == NULL || dir->wanted_count == 0)
		return;
	for (size_t i = 0; i < MICRO_LANES; i++) {
		struct micro_lane *lane = &dir->lanes[i];

		if (lane->task.exchange == NULL && dir->wanted_next < dir->wanted_count &&
		    now_ms >= dir->micro_due_ms)
			ask_batch(lane);
		busy |= lane->task.exchange != NULL;
	}
	if (!busy && dir->wanted_next == dir->wanted_count)
		end_round(dir, now_ms);
}

void
micro_clear(struct dir *dir)
{
	for (size_t i = 0; i < MICRO_LANES; i++)
		exchange_cancel(&dir->lanes[i].task.exchange);
	free(dir->wanted);
	dir->wanted = NULL;
	dir->wanted_count = 0;
	micro_table_clear(&dir->micros);
}
