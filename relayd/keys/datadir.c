/* datadir.c: open DataDirectory and its keys folder and hold the lock. The lock is flock(2) on the
 * file "lock", as stock tor takes it on Linux, so that each keeps the other out. */
#include "relayd/keys/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open a directory that only we, root included, can change. */
static enum rc
private_dir_open(struct keydir *dir, const struct why *why)
{
	struct stat st;

	if (mkdir(dir->path, 0700) != 0 && errno != EEXIST)
		return why_set(why, RC_SYSTEM, "cannot make %s: %m", dir->path);
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0 || fstat(dir->fd, &st) != 0)
		return why_set(why, RC_SYSTEM, "cannot open %s: %m", dir->path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return why_set(why, RC_DENIED,
		    "%s belongs to user id %u, but this is %u; run as "
		    "its owner or give it away with chown -R",
		    dir->path, (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return why_set(why, RC_DENIED, "others may write to %s; chmod 700 it", dir->path);
	return RC_OK;
}

static enum rc
lock_take(struct datadir *d, const struct why *why)
{
	d->lock_fd = openat(d->top.fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock_fd < 0)
		return why_set(why, RC_SYSTEM, "cannot open %s/lock: %m", d->top.path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return RC_OK;
	if (errno == EWOULDBLOCK)
		return why_set(why, RC_EXISTS,
		    "another relay (tor or relayd) is running on %s; "
		    "stop it first",
		    d->top.path);
	return why_set(why, RC_SYSTEM, "cannot lock %s/lock: %m", d->top.path);
}

enum rc
datadir_open(const char *path, struct datadir *out, const struct why *why)
{
	memset(out, 0, sizeof(*out));
	out->top.fd = out->keys.fd = out->lock_fd = -1;
	size_t len = strlen(path);
	if (len == 0 || len + sizeof("/keys") > sizeof(out->top.path))
		return why_set(why, RC_LIMIT, "DataDirectory has a path of %zu bytes", len);
	(void)snprintf(out->top.path, sizeof(out->top.path), "%s", path);
	(void)snprintf(out->keys.path, sizeof(out->keys.path), "%.*s/keys", (int)len, path);

	enum rc rc = private_dir_open(&out->top, why);
	if (rc == RC_OK)
		rc = lock_take(out, why);
	if (rc == RC_OK)
		rc = private_dir_open(&out->keys, why);
	if (rc != RC_OK)
		datadir_close(out);
	return rc;
}

void
datadir_close(struct datadir *d)
{
	int *const fds[] = { &d->keys.fd, &d->top.fd, &d->lock_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
