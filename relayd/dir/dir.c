/* dir.c: the directory client's frame: start, end, the tick, and asking an authority. */
#include "relayd/dir/dir.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "relayd/dir/dir_internal.h"

#define TICK_MS         1000
#define TICK_TESTING_MS 200
#define RETRY_FIRST_S   10
#define RETRY_MOST_S    3600
#define STALL_S         30
#define TOTAL_S         300

uint64_t
dir_retry_ms(const struct dir *dir, unsigned failures)
{
	uint64_t s = RETRY_FIRST_S;

	if (dir->config.testing)
		return dir->testing_wait_ms + randombytes_uniform(dir->testing_wait_ms);
	while (failures-- > 1 && s < RETRY_MOST_S)
		s *= 2;
	s = s < RETRY_MOST_S ? s : RETRY_MOST_S;
	return s * 1000 + randombytes_uniform((uint32_t)s * 1000);
}

void
dir_turn(struct dir *dir, struct task *task)
{
	size_t next = task->failures != 0 ? task->authority + 1 : dir->next_authority++;

	task->authority = next % dir->config.authority_count;
}

enum rc
dir_ask(struct dir *dir, size_t authority, const char *method, const char *path, struct span body,
    time_t if_modified_since, size_t answer_max, exchange_done_fn *done, void *arg,
    struct exchange **out)
{
	struct exchange_request request = {
		.base = dir->config.base,
		.to = dir->authorities[authority].dir,
		.bind = dir->config.bind_addr,
		.method = method,
		.path = path,
		.body = body,
		.if_modified_since = if_modified_since,
		.answer_max = answer_max,
		.stall_s = dir->config.testing ? STALL_S / 3 : STALL_S,
		.total_s = TOTAL_S,
	};

	return exchange_start(&request, done, arg, out);
}

enum rc
dir_answer(struct dir *dir, struct span answer, size_t max, unsigned *status, char **body,
    size_t *body_len)
{
	struct http_response response;
	enum rc rc = http_response_parse(answer, &response);

	*body = NULL;
	*body_len = 0;
	*status = response.status;
	if (rc != RC_OK)
		return rc;
	if (response.your_address.family != ADDR_NONE && dir->config.on_own_address != NULL)
		dir->config.on_own_address(dir->config.arg, &response.your_address);
	if (response.status != 200)
		return RC_NOT_FOUND;
	return http_body_unpack(&response, max, body, body_len);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dir *dir = arg;
	time_t now = clock_wall_s();
	uint64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	fetch_tick(dir, now, now_ms);
	micro_tick(dir, now_ms);
	publish_tick(dir, now, now_ms);
}

enum rc
dir_new(const struct dir_config *config, struct dir **out)
{
	struct dir *dir;

	*out = NULL;
	if (config->authority_count == 0 || config->authority_count > AUTHORITIES_MAX)
		return RC_RANGE;
	dir = calloc(1, sizeof(*dir));
	if (dir == NULL)
		return RC_NO_MEMORY;
	dir->config = *config;
	memcpy(dir->authorities, config->authorities,
	    config->authority_count * sizeof(*config->authorities));
	dir->config.authorities = dir->authorities;
	dir->cache_dir = config->cache_dir != NULL ? strdup(config->cache_dir) : NULL;
	dir->config.cache_dir = dir->cache_dir;
	dir->testing_wait_ms = 1000;
	dir->next_authority = randombytes_uniform((uint32_t)config->authority_count);
	for (size_t i = 0; i < config->authority_count; i++)
		dir->uploads[i].dir = dir;
	for (size_t i = 0; i < MICRO_LANES; i++)
		dir->lanes[i].dir = dir;
	dir->tick = event_new(config->base, -1, EV_PERSIST, on_tick, dir);
	if (dir->tick == NULL || (config->cache_dir != NULL && dir->config.cache_dir == NULL)) {
		dir_free(&dir);
		return RC_NO_MEMORY;
	}
	*out = dir;
	return RC_OK;
}

void
dir_free(struct dir **dir)
{
	struct dir *gone = *dir;

	*dir = NULL;
	if (gone == NULL)
		return;
	if (gone->tick != NULL)
		event_free(gone->tick);
	publish_clear(gone);
	micro_clear(gone);
	fetch_clear(gone);
	free(gone->cache_dir);
	free(gone);
}

void
dir_start(struct dir *dir)
{
	unsigned ms = dir->config.testing ? TICK_TESTING_MS : TICK_MS;
	struct timeval tick = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	fetch_load_cache(dir, clock_wall_s());
	(void)event_add(dir->tick, &tick);
	event_active(dir->tick, EV_TIMEOUT, 1); /* the first one now */
}

void
dir_republish(struct dir *dir, const char *because)
{
	if (!dir->republish)
		strncpy(dir->because, because, sizeof(dir->because) - 1);
	dir->republish = true;
}

struct consensus *
dir_consensus(struct dir *dir)
{
	return dir->view;
}
