/* fetch.c: the consensus and the authorities' key certificates: when to ask, whom, and what to do
 * with the answer (dir-spec 5.1). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "relayd/dir/cache.h"
#include "relayd/dir/dir_internal.h"
#include "relayd/dir/netdoc.h"

#define CONSENSUS_PATH       "/tor/status-vote/current/consensus-microdesc.z"
#define CERTS_PATH           "/tor/keys/all.z"
#define CONSENSUS_PACKED_MAX (8u << 20)
#define CONSENSUS_TEXT_MAX   (48u << 20)
#define CERTS_PACKED_MAX     (256u << 10)
#define CERTS_TEXT_MAX       (1u << 20)
#define REASONABLY_LIVE_S    (24 * 3600)
#define CERTS_AGAIN_MS       3600000u /* for the sake of one unknown key */
#define SAME_AGAIN_S         300      /* the authority had nothing newer */

/* The moment for the next consensus: on the live network somewhere in the first half of the
 * interval behind fresh-until, not all relays at once; in a test at once. */
static void
schedule_next(struct dir *dir, time_t now)
{
	time_t fresh = consensus_fresh_until(dir->bare);
	time_t interval = fresh - consensus_valid_after(dir->bare), delay = fresh - now;

	if (dir->config.testing)
		delay += 1;
	else
		delay += (interval / 16 < 120 ? interval / 16 : 120) +
			 (time_t)randombytes_uniform((uint32_t)(interval / 2) + 1);
	if (delay < 0)
		delay = 0;
	if (delay > REASONABLY_LIVE_S)
		delay = REASONABLY_LIVE_S;
	dir->consensus_task.due_ms = clock_mono_ms() + (uint64_t)delay * 1000;
	dir->consensus_task.failures = 0;
}

static void
schedule_same(struct dir *dir)
{
	uint64_t wait = SAME_AGAIN_S * 1000 + randombytes_uniform(SAME_AGAIN_S * 1000);

	if (dir->config.testing)
		wait = dir->testing_wait_ms;
	dir->consensus_task.failures = 0;
	dir->consensus_task.due_ms = clock_mono_ms() + wait;
}

/* Wait longer each time; say so when it has gone on for a while. */
static void
schedule_retry(struct dir *dir, struct task *task, const char *what, enum rc rc, unsigned status)
{
	const char *who = dir->authorities[task->authority].nickname;
	unsigned swallowed;

	task->failures++;
	task->due_ms = clock_mono_ms() + dir_retry_ms(dir, task->failures);
	if (status != 0 && status != 200)
		log_info(LOG_DIR, "%s from %s: HTTP status %u", what, who, status);
	else
		log_info(LOG_DIR, "%s from %s: %s", what, who, rc_str(rc));
	if (task->failures % (2 * (unsigned)dir->config.authority_count) == 0 &&
	    log_limit_ok(&dir->complaints, 1, clock_mono_ms(), &swallowed))
		log_write(dir->config.testing ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARN, LOG_DIR,
		    "no %s from any authority after %u tries; trying on. Last was %s: %s (HTTP "
		    "status %u). Is the way out open?",
		    what, task->failures, who, rc_str(rc), status);
}

static void
drop_unverified(struct dir *dir)
{
	free(dir->unverified);
	dir->unverified = NULL;
	dir->unverified_len = 0;
}

static void
want_certs(struct dir *dir)
{
	if (!dir->certs_wanted)
		dir->certs_task.due_ms = 0;
	dir->certs_wanted = true;
}

static void
write_certs(struct dir *dir)
{
	struct span parts[KEYCERT_SET_MAX];

	if (dir->config.cache_dir == NULL)
		return;
	for (size_t i = 0; i < dir->certs.count; i++)
		parts[i] = span_of(dir->certs.certs[i].text, dir->certs.certs[i].text_len);
	enum rc rc = cache_write(dir->config.cache_dir, CACHE_CERTS, parts, dir->certs.count);
	if (rc != RC_OK)
		log_warn(LOG_DIR, "cannot write %s/%s: %s", dir->config.cache_dir, CACHE_CERTS,
		    rc_str(rc));
}

/* Is it of use at this time, and newer than what we have? */
static enum rc
check_time(struct dir *dir, const struct consensus *c, time_t now)
{
	char when[NETDOC_TIME_LEN];

	if (consensus_valid_after(c) <= now + REASONABLY_LIVE_S &&
	    consensus_valid_until(c) + REASONABLY_LIVE_S >= now)
		return dir->bare == NULL ||
			       consensus_valid_after(c) > consensus_valid_after(dir->bare)
			   ? RC_OK
			   : RC_EXISTS;
	log_warn(LOG_DIR,
	    "the authorities' consensus is from %s UTC: is this machine's clock right?",
	    netdoc_time_str(consensus_valid_after(c), when));
	return RC_RANGE;
}

/* Take *c, whose signatures were good. */
static void
accept_consensus(struct dir *dir, struct consensus **c, const struct signature_tally *tally)
{
	char when[NETDOC_TIME_LEN];
	enum log_level level = dir->bare == NULL ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO;

	consensus_unref(&dir->bare);
	dir->bare = *c;
	*c = NULL;
	if (log_is_on(level))
		log_write(level, LOG_DIR,
		    "consensus of %s UTC with %zu relays, signed by %u of the authorities (%u "
		    "needed)",
		    netdoc_time_str(consensus_valid_after(dir->bare), when),
		    consensus_relay_count(dir->bare), tally->valid, tally->needed);
}

/* Verify, then read. RC_AGAIN: more certificates are needed. RC_EXISTS: not newer. */
static enum rc
take_consensus(struct dir *dir, struct span text, time_t now)
{
	struct addr_port dir_ports[AUTHORITIES_MAX];
	struct signature_tally tally;
	struct consensus *c = NULL;
	enum rc rc = consensus_check_signatures(
	    text, &dir->certs, dir->authorities, dir->config.authority_count, now, &tally);

	if (rc == RC_OK && tally.unknown_key != 0 && clock_mono_ms() > dir->certs_again_ms)
		want_certs(dir); /* an authority has a new signing key */
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < dir->config.authority_count; i++)
		dir_ports[i] = dir->authorities[i].dir;
	rc = consensus_parse(text, dir_ports, dir->config.authority_count, &c);
	if (rc == RC_OK)
		rc = check_time(dir, c, now);
	if (rc == RC_OK)
		accept_consensus(dir, &c, &tally);
	consensus_unref(&c);
	return rc;
}

/* What follows from a consensus that was taken. */
static void
use_consensus(struct dir *dir, struct span text, time_t now)
{
	if (dir->config.cache_dir != NULL) {
		enum rc rc = cache_write(dir->config.cache_dir, CACHE_CONSENSUS, &text, 1);

		if (rc != RC_OK)
			log_warn(LOG_DIR, "cannot write %s/%s: %s", dir->config.cache_dir,
			    CACHE_CONSENSUS, rc_str(rc));
	}
	schedule_next(dir, now);
	micro_want(dir);
	fetch_publish_view(dir);
	micro_tick(dir, clock_mono_ms());
}

/* What follows from having tried to take it. */
static void
settle_consensus(struct dir *dir, enum rc rc, struct span text, time_t now)
{
	if (rc == RC_OK)
		use_consensus(dir, text, now);
	else if (rc == RC_EXISTS)
		schedule_same(dir);
	else
		schedule_retry(dir, &dir->consensus_task, "consensus", rc, 0);
}

static void
on_consensus_answer(void *arg, enum rc rc, struct span answer)
{
	struct dir *dir = arg;
	time_t now = clock_wall_s();
	unsigned status = 0;
	char *body = NULL;
	size_t len = 0;

	dir->consensus_task.exchange = NULL;
	if (rc == RC_OK)
		rc = dir_answer(dir, answer, CONSENSUS_TEXT_MAX, &status, &body, &len);
	if (status == 304)
		schedule_same(dir);
	else if (rc != RC_OK)
		schedule_retry(dir, &dir->consensus_task, "consensus", rc, status);
	else {
		rc = take_consensus(dir, span_of(body, len), now);
		if (rc == RC_AGAIN) { /* once more when there are new certificates */
			drop_unverified(dir);
			dir->unverified = body;
			dir->unverified_len = len;
			want_certs(dir);
			return;
		}
		settle_consensus(dir, rc, span_of(body, len), now);
	}
	free(body);
}

static void
settle_unverified(struct dir *dir)
{
	struct span text = span_of(dir->unverified, dir->unverified_len);
	time_t now = clock_wall_s();

	settle_consensus(dir, take_consensus(dir, text, now), text, now);
	drop_unverified(dir);
}

static void
on_certs_answer(void *arg, enum rc rc, struct span answer)
{
	struct dir *dir = arg;
	unsigned status = 0;
	char *body = NULL;
	size_t len = 0, added = 0;

	dir->certs_task.exchange = NULL;
	if (rc == RC_OK)
		rc = dir_answer(dir, answer, CERTS_TEXT_MAX, &status, &body, &len);
	if (rc == RC_OK)
		rc = keycert_set_take(&dir->certs, span_of(body, len), dir->authorities,
		    dir->config.authority_count, clock_wall_s(), &added);
	free(body);
	if (rc != RC_OK) {
		schedule_retry(dir, &dir->certs_task, "key certificates", rc, status);
		return;
	}
	dir->certs_wanted = false;
	dir->certs_task.failures = 0;
	dir->certs_again_ms = clock_mono_ms() + CERTS_AGAIN_MS;
	if (added != 0) {
		log_info(LOG_DIR, "%zu new key certificates of authorities", added);
		write_certs(dir);
	}
	if (dir->unverified != NULL)
		settle_unverified(dir);
}

static void
ask_consensus(struct dir *dir)
{
	struct task *task = &dir->consensus_task;
	time_t since = dir->bare != NULL ? consensus_valid_after(dir->bare) : 0;

	dir_turn(dir, task);
	enum rc rc = dir_ask(dir, task->authority, "GET", CONSENSUS_PATH, span_of(NULL, 0), since,
	    CONSENSUS_PACKED_MAX, on_consensus_answer, dir, &task->exchange);
	if (rc != RC_OK)
		schedule_retry(dir, task, "consensus", rc, 0);
}

static void
ask_certs(struct dir *dir)
{
	struct task *task = &dir->certs_task;

	dir_turn(dir, task);
	enum rc rc = dir_ask(dir, task->authority, "GET", CERTS_PATH, span_of(NULL, 0), 0,
	    CERTS_PACKED_MAX, on_certs_answer, dir, &task->exchange);
	if (rc != RC_OK)
		schedule_retry(dir, task, "key certificates", rc, 0);
}

void
fetch_tick(struct dir *dir, time_t now, uint64_t now_ms)
{
	(void)now;
	if (dir->certs_wanted && dir->certs_task.exchange == NULL &&
	    now_ms >= dir->certs_task.due_ms)
		ask_certs(dir);
	if (dir->unverified == NULL && dir->consensus_task.exchange == NULL &&
	    now_ms >= dir->consensus_task.due_ms)
		ask_consensus(dir);
}

void
fetch_load_cache(struct dir *dir, time_t now)
{
	char *text = NULL;
	size_t len, added;

	if (dir->config.cache_dir != NULL &&
	    cache_read(dir->config.cache_dir, CACHE_CERTS, CERTS_TEXT_MAX, &text, &len) == RC_OK)
		(void)keycert_set_take(&dir->certs, span_of(text, len), dir->authorities,
		    dir->config.authority_count, now, &added);
	free(text);
	text = NULL;
	if (dir->config.cache_dir != NULL &&
	    cache_read(dir->config.cache_dir, CACHE_CONSENSUS, CONSENSUS_TEXT_MAX, &text, &len) ==
		RC_OK &&
	    take_consensus(dir, span_of(text, len), now) == RC_OK) {
		schedule_next(dir, now);
		micro_load_cache(dir);
		fetch_publish_view(dir);
	}
	free(text);
	if (dir->certs.count == 0)
		want_certs(dir);
}

void
fetch_clear(struct dir *dir)
{
	exchange_cancel(&dir->consensus_task.exchange);
	exchange_cancel(&dir->certs_task.exchange);
	drop_unverified(dir);
	keycert_set_clear(&dir->certs);
	consensus_unref(&dir->bare);
	consensus_unref(&dir->view);
}
