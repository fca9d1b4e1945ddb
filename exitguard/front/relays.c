/* relays.c: the consensus files: read when they changed, never half. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/conf.h"
#include "exitguard/front/front.h"

/* A number that changes when one of the files does. */
static uint64_t
stamp_of(const struct settings_list *files)
{
	uint64_t stamp = files->count + 1;
	struct stat st;

	for (size_t i = 0; i < files->count; i++)
		if (stat(files->items[i], &st) == 0)
			stamp = stamp * 1000003 + (uint64_t)st.st_mtim.tv_sec * 1000000007u +
				(uint64_t)st.st_mtim.tv_nsec + (uint64_t)st.st_size +
				(uint64_t)st.st_ino;
	return stamp;
}

static enum rc
read_one(const char *path, struct relays *out)
{
	size_t len, skipped = 0;
	char *text;
	enum rc rc = conf_read_file(path, CONSENSUS_FILE_MAX, &text, &len);

	if (rc == RC_OK) {
		rc = relays_add_consensus(out, span_of(text, len), &skipped);
		free(text);
	}
	if (rc == RC_SYSTEM)
		log_warn(LOG_GUARD, "consensus file %s: %m", path);
	else if (rc != RC_OK)
		log_warn(LOG_GUARD, "consensus file %s: %s", path, rc_str(rc));
	else if (skipped != 0)
		log_warn(LOG_GUARD, "consensus file %s: %zu lines not understood", path, skipped);
	return rc;
}

bool
front_read_relays(struct front *front)
{
	const struct settings_list *files = &front->settings.consensus_files;
	uint64_t stamp = stamp_of(files);
	struct relays fresh = { 0 };
	size_t good = 0;

	if (stamp == front->relays_stamp)
		return false;
	front->relays_stamp = stamp;
	for (size_t i = 0; i < files->count; i++)
		good += read_one(files->items[i], &fresh) == RC_OK;
	if (good < files->count && fresh.count < front->relays.count) {
		relays_clear(&fresh); /* a file is away for now: keep what is known */
		return false;
	}
	relays_sort(&fresh);
	relays_clear(&front->relays);
	front->relays = fresh;
	if (files->count != 0)
		log_notice(LOG_GUARD, "%zu relay addresses are exempt", fresh.count);
	return true;
}
