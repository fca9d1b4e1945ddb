/* cache.h: the last verified documents on disk, in the files and formats of stock tor's
 * DataDirectory, so that either relay starts from what the other left. What is read back is
 * verified again by the caller. Within dir/. */
#ifndef RELAYD_DIR_CACHE_H
#define RELAYD_DIR_CACHE_H

#include "common/bytes.h"

#define CACHE_CERTS      "cached-certs"
#define CACHE_CONSENSUS  "cached-microdesc-consensus"
#define CACHE_MICROS     "cached-microdescs"
#define CACHE_MICROS_NEW "cached-microdescs.new" /* what came since CACHE_MICROS was written */

/* The file's text; the caller frees *out. RC_NOT_FOUND if there is none. */
enum rc cache_read(const char *folder, const char *name, size_t max, char **out, size_t *len);
/* Written beside and renamed, so that the file is always whole. */
enum rc cache_write(const char *folder, const char *name, const struct span *parts, size_t count);
/* *size: how long the file is now. */
enum rc cache_append(const char *folder, const char *name, struct span text, size_t *size);
void cache_remove(const char *folder, const char *name);

#endif
