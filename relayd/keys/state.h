/* state.h: "LastRotatedOnionKey" in stock tor's state file; all other lines stay as they are.
 * Only for this room. */
#ifndef RELAYD_KEYS_STATE_H
#define RELAYD_KEYS_STATE_H

#include <time.h>

#include "relayd/keys/keyfile.h"

/* 0 if there is no such file or line, or it cannot be read. */
time_t state_onion_rotated(const struct keydir *top);
enum rc state_set_onion_rotated(const struct keydir *top, time_t when, const struct why *why);

/* The same on text. state_update: RC_LIMIT if out is too small. */
time_t state_find(struct span text);
enum rc state_update(struct span text, time_t when, struct wr *out);

#endif
