/* datadir.h: the DataDirectory, opened and locked. Only for this room. */
#ifndef RELAYD_KEYS_DATADIR_H
#define RELAYD_KEYS_DATADIR_H

#include "relayd/keys/keyfile.h"

struct datadir {
	struct keydir top, keys;
	int lock_fd;
};

/* Make what is missing (0700), refuse what others could change, take the lock. */
enum rc datadir_open(const char *path, struct datadir *out, const struct why *why);
void datadir_close(struct datadir *d);

#endif
