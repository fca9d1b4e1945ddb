/* testing.h: what the room's tests share: a directory of their own, files in it. */
#ifndef RELAYD_KEYS_TESTING_H
#define RELAYD_KEYS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relayd/keys/keys.h"

struct place {
	char dir[64], path[192], why[512];
};

static inline int
place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/exitgate-keys.XXXXXX");
	*state = p;
	return mkdtemp(p->dir) != NULL ? 0 : -1;
}

static inline int
place_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
place_remove(void **state)
{
	struct place *p = *state;
	int rc = nftw(p->dir, place_remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(p);
	return rc;
}

static inline const char *
place_path(struct place *p, const char *name)
{
	(void)snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, name);
	return p->path;
}

static inline size_t
place_read(struct place *p, const char *name, void *out, size_t cap)
{
	FILE *f = fopen(place_path(p, name), "rb");

	assert_non_null(f);
	size_t n = fread(out, 1, cap, f);
	fclose(f);
	return n;
}

static inline void
place_write(struct place *p, const char *name, const void *content, size_t len)
{
	FILE *f = fopen(place_path(p, name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline bool
place_has(struct place *p, const char *name)
{
	return access(place_path(p, name), F_OK) == 0;
}

static inline void
place_unlink(struct place *p, const char *name)
{
	assert_int_equal(unlink(place_path(p, name)), 0);
}

/* Open the keystore at this time; it must work. */
static inline struct keystore *
place_open(struct place *p, time_t now)
{
	struct keystore *ks;

	if (keystore_open(p->dir, "unnamed", now, &ks, p->why, sizeof(p->why)) != RC_OK)
		fail_msg("%s", p->why);
	return ks;
}

#endif
