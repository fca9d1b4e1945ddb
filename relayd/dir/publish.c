/* publish.c: our descriptor: when it is made anew, to whom it goes, what they say to it, and
 * whether the consensus lists us (dir-spec 2.1; republishing as stock tor does it). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "relayd/dir/dir_internal.h"
#include "relayd/dir/netdoc.h"

#define REMAKE_AGE_S       (18 * 3600)
#define UNLISTED_AGE_S     (90 * 60)
#define CHANGE_GAP_MS      60000u /* between two that changes ask for */
#define CHANGE_GAP_TEST_MS 2000u
#define BANDWIDTH_GAP_MS   (3 * 3600 * 1000u)
#define BANDWIDTH_UPTIME_S (24 * 3600)
#define CONFIRM_MS         1000u
#define ANSWER_MAX         65536
#define FAILURES_TOLD      4 /* in a row, before an operator hears of it */

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ RELAY_FLAG_BADEXIT, "BadExit" },
	{ RELAY_FLAG_EXIT, "Exit" },
	{ RELAY_FLAG_FAST, "Fast" },
	{ RELAY_FLAG_GUARD, "Guard" },
	{ RELAY_FLAG_MIDDLEONLY, "MiddleOnly" },
	{ RELAY_FLAG_RUNNING, "Running" },
	{ RELAY_FLAG_STABLE, "Stable" },
	{ RELAY_FLAG_STALEDESC, "StaleDesc" },
	{ RELAY_FLAG_VALID, "Valid" },
};

void
publish_note_view(struct dir *dir)
{
	const struct consensus_relay *us =
	    dir->has_own_id ? consensus_find(dir->view, dir->own_id) : NULL;
	char names[200] = "";
	struct wr wr = wr_to(names, sizeof(names));

	if (!dir->has_own_id || (us != NULL) == dir->listed)
		return;
	dir->listed = us != NULL;
	if (us == NULL) {
		log_notice(LOG_DIR, "the consensus no longer lists this relay");
		return;
	}
	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		if (us->flags & flag_names[i].flag)
			wr_printf(&wr, " %s", flag_names[i].name);
	wr_u8(&wr, '\0');
	log_notice(LOG_DIR, "the consensus lists this relay:%s", names);
}

static bool
is_well_listed(const struct dir *dir)
{
	const struct consensus_relay *us = consensus_find(dir->view, dir->own_id);

	return us != NULL && (us->flags & RELAY_FLAG_STALEDESC) == 0;
}

static uint64_t
change_gap_ms(const struct dir *dir)
{
	return dir->config.testing ? CHANGE_GAP_TEST_MS : CHANGE_GAP_MS;
}

static bool
bandwidth_changed(uint64_t told, uint64_t now)
{
	if ((told == 0) != (now == 0))
		return true;
	return now > told * 2 || now < told / 2;
}

/* Has the bandwidth moved so far that it should be told? Asked once a minute. */
static bool
bandwidth_is_due(struct dir *dir, uint64_t now_ms)
{
	struct descriptor_info info = { 0 };
	struct relay_keys *keys = NULL;

	if (now_ms < dir->bandwidth_check_ms)
		return false;
	dir->bandwidth_check_ms = now_ms + change_gap_ms(dir);
	if (!dir->config.describe(dir->config.arg, &info, &keys))
		return false;
	relay_keys_unref(&keys);
	return info.uptime_s < BANDWIDTH_UPTIME_S &&
	       bandwidth_changed(dir->bandwidth_told, info.bandwidth_observed) &&
	       (dir->bandwidth_told == 0 || now_ms - dir->bandwidth_made_ms >= BANDWIDTH_GAP_MS);
}

/* Why a new descriptor should be made now; NULL: it should not. */
static const char *
reason_now(struct dir *dir, time_t now, uint64_t now_ms)
{
	time_t unlisted = dir->config.testing ? UNLISTED_AGE_S / 270 : UNLISTED_AGE_S;

	if (dir->descriptor == NULL)
		return "there is none yet";
	if (now_ms - dir->made_ms < change_gap_ms(dir))
		return NULL;
	if (dir->republish)
		return dir->because;
	if (now - dir->published >= REMAKE_AGE_S || now < dir->published - REMAKE_AGE_S)
		return "the last one is 18 hours old";
	if (dir->view != NULL && now - dir->published >= unlisted && !is_well_listed(dir))
		return "the consensus does not list this relay";
	return bandwidth_is_due(dir, now_ms) ? "the bandwidth has changed" : NULL;
}

static void
remember_made(struct dir *dir, const struct descriptor_info *info, const struct relay_keys *keys,
    time_t published, uint64_t now_ms)
{
	dir->published = published;
	dir->made_ms = now_ms;
	dir->bandwidth_check_ms = now_ms + change_gap_ms(dir);
	if (bandwidth_changed(dir->bandwidth_told, info->bandwidth_observed))
		dir->bandwidth_made_ms = now_ms;
	dir->bandwidth_told = info->bandwidth_observed;
	dir->republish = false;
	memset(dir->because, 0, sizeof(dir->because));
	memcpy(dir->own_id, keys->rsa_id_digest, sizeof(dir->own_id));
	dir->has_own_id = true;
	for (size_t i = 0; i < dir->config.authority_count; i++) {
		struct upload *up = &dir->uploads[i];

		exchange_cancel(&up->task.exchange);
		up->state = dir->authorities[i].has_v3_ident ? UPLOAD_DUE : UPLOAD_IDLE;
		up->accepted = false;
		up->task.due_ms = now_ms;
		up->task.failures = 0;
	}
}

static void
make_descriptor(struct dir *dir, const char *because, time_t now, uint64_t now_ms)
{
	bool clock_fits = now >= dir->published - REMAKE_AGE_S;
	time_t published = clock_fits && now <= dir->published ? dir->published + 1 : now;
	struct descriptor_info info = { 0 };
	struct relay_keys *keys = NULL;
	char *text = malloc(DESCRIPTOR_MAX + 1);
	size_t len;
	unsigned swallowed;

	if (text == NULL || !dir->config.describe(dir->config.arg, &info, &keys)) {
		free(text);
		return;
	}
	enum rc rc = descriptor_make(&info, keys, published, text, DESCRIPTOR_MAX + 1, &len);
	if (rc != RC_OK) {
		if (log_limit_ok(&dir->complaints, 1, now_ms, &swallowed))
			log_warn(LOG_DIR, "cannot make a descriptor: %s%s", rc_str(rc),
			    rc == RC_LIMIT ? " (over 20000 bytes: is the exit policy too long?)"
					   : "");
		relay_keys_unref(&keys);
		free(text);
		return;
	}
	log_info(LOG_DIR, "new descriptor, because %s", because);
	free(dir->descriptor);
	dir->descriptor = text;
	dir->descriptor_len = len;
	remember_made(dir, &info, keys, published, now_ms);
	relay_keys_unref(&keys);
	publish_note_view(dir);
}

static void
upload_retry(struct upload *up, const char *what)
{
	struct dir *dir = up->dir;

	up->task.failures++;
	up->task.due_ms = clock_mono_ms() + dir_retry_ms(dir, up->task.failures);
	if (up->task.failures == FAILURES_TOLD)
		log_warn(LOG_DIR, "authority %s does not take our descriptor: %s; trying on",
		    dir->authorities[up->task.authority].nickname, what);
	else
		log_info(LOG_DIR, "descriptor to %s: %s",
		    dir->authorities[up->task.authority].nickname, what);
}

static void
note_accepted(struct dir *dir)
{
	size_t accepted = 0, wanted = 0;

	for (size_t i = 0; i < dir->config.authority_count; i++) {
		wanted += dir->authorities[i].has_v3_ident;
		accepted += dir->uploads[i].accepted;
	}
	if (accepted != wanted)
		return;
	log_write(dir->told_accepted ? LOG_LEVEL_INFO : LOG_LEVEL_NOTICE, LOG_DIR,
	    "all %zu authorities have our descriptor", wanted);
	dir->told_accepted = true;
}

/* 200 alone does not tell taken from silently dropped: the same bytes again do, for what an
 * authority has it calls not new. */
static void
upload_taken(struct upload *up, bool not_new)
{
	struct dir *dir = up->dir;
	const char *who = dir->authorities[up->task.authority].nickname;

	up->task.failures = 0;
	if (not_new) {
		up->state = UPLOAD_IDLE;
		up->accepted = true;
		log_info(LOG_DIR, "authority %s has our descriptor", who);
		note_accepted(dir);
	} else if (up->state == UPLOAD_DUE) {
		up->state = UPLOAD_CONFIRM;
		up->task.due_ms = clock_mono_ms() + CONFIRM_MS;
	} else {
		up->state = UPLOAD_IDLE;
		log_warn(LOG_DIR, "authority %s answered well but dropped our descriptor", who);
	}
}

static void
on_upload_answer(void *arg, enum rc rc, struct span answer)
{
	struct upload *up = arg;
	struct dir *dir = up->dir;
	struct http_response response = { 0 };
	char text[160], line[200];

	up->task.exchange = NULL;
	if (rc == RC_OK)
		rc = http_response_parse(answer, &response);
	if (rc != RC_OK) {
		upload_retry(up, rc_str(rc));
		return;
	}
	if (response.your_address.family != ADDR_NONE && dir->config.on_own_address != NULL)
		dir->config.on_own_address(dir->config.arg, &response.your_address);
	netdoc_clean(response.reason, text, sizeof(text));
	if (response.status == 200)
		upload_taken(up, response.not_new);
	else if (response.status == 400) {
		up->state = UPLOAD_IDLE;
		log_warn(LOG_DIR, "authority %s refuses our descriptor: \"%s\"",
		    dir->authorities[up->task.authority].nickname, text);
	} else {
		snprintf(line, sizeof(line), "HTTP status %u \"%s\"", response.status, text);
		upload_retry(up, line);
	}
}

static void
upload_tick(struct upload *up, size_t authority, uint64_t now_ms)
{
	struct dir *dir = up->dir;
	struct span text = span_of(dir->descriptor, dir->descriptor_len);

	if (up->state == UPLOAD_IDLE || up->task.exchange != NULL || now_ms < up->task.due_ms)
		return;
	up->task.authority = authority;
	enum rc rc = dir_ask(dir, authority, "POST", "/tor/", text, 0, ANSWER_MAX, on_upload_answer,
	    up, &up->task.exchange);
	if (rc != RC_OK)
		upload_retry(up, rc_str(rc));
}

void
publish_tick(struct dir *dir, time_t now, uint64_t now_ms)
{
	const char *reason;

	if (!dir->config.publish)
		return;
	reason = reason_now(dir, now, now_ms);
	if (reason != NULL)
		make_descriptor(dir, reason, now, now_ms);
	for (size_t i = 0; i < dir->config.authority_count; i++)
		upload_tick(&dir->uploads[i], i, now_ms);
}

void
publish_clear(struct dir *dir)
{
	for (size_t i = 0; i < dir->config.authority_count; i++)
		exchange_cancel(&dir->uploads[i].task.exchange);
	free(dir->descriptor);
	dir->descriptor = NULL;
}
