/* cache.c: small files written whole, in one folder. */
#include "relayd/dir/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf.h"

static enum rc
path_make(char path[PATH_MAX], const char *folder, const char *name, const char *suffix)
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s", folder, name, suffix);

	return n > 0 && n < PATH_MAX ? RC_OK : RC_LIMIT;
}

enum rc
cache_read(const char *folder, const char *name, size_t max, char **out, size_t *len)
{
	char path[PATH_MAX];
	enum rc rc = path_make(path, folder, name, "");

	*out = NULL;
	*len = 0;
	if (rc == RC_OK)
		rc = conf_read_file(path, max, out, len);
	return rc == RC_SYSTEM && errno == ENOENT ? RC_NOT_FOUND : rc;
}

static enum rc
write_all(int fd, struct span text)
{
	struct rd rd = rd_from(text);

	while (rd_left(&rd) != 0) {
		struct rd at = rd;
		struct span left = rd_rest(&at);
		ssize_t n = write(fd, left.data, left.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return RC_SYSTEM;
		rd_skip(&rd, (size_t)n);
	}
	return RC_OK;
}

enum rc
cache_write(const char *folder, const char *name, const struct span *parts, size_t count)
{
	char path[PATH_MAX], beside[PATH_MAX];
	enum rc rc = path_make(path, folder, name, "");

	if (rc == RC_OK)
		rc = path_make(beside, folder, name, ".tmp");
	if (rc != RC_OK)
		return rc;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return RC_SYSTEM;
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = write_all(fd, parts[i]);
	if (close(fd) != 0 || (rc == RC_OK && rename(beside, path) != 0))
		rc = RC_SYSTEM;
	if (rc != RC_OK)
		unlink(beside);
	return rc;
}

enum rc
cache_append(const char *folder, const char *name, struct span text, size_t *size)
{
	char path[PATH_MAX];
	struct stat st;
	enum rc rc = path_make(path, folder, name, "");

	*size = 0;
	if (rc != RC_OK)
		return rc;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return RC_SYSTEM;
	rc = write_all(fd, text);
	if (fstat(fd, &st) == 0)
		*size = (size_t)st.st_size;
	if (close(fd) != 0)
		rc = RC_SYSTEM;
	return rc;
}

void
cache_remove(const char *folder, const char *name)
{
	char path[PATH_MAX];

	if (path_make(path, folder, name, "") == RC_OK)
		unlink(path);
}
