/* client.h: ask a running exitguard. */
#ifndef EXITGUARD_CTL_CLIENT_H
#define EXITGUARD_CTL_CLIENT_H

#include <stddef.h>

#include "common/rc.h"

/* Send one line (no line end), read the whole answer. The caller frees *answer. RC_SYSTEM with
 * errno if the socket cannot be reached; RC_AGAIN after timeout_s; RC_LIMIT past CTL_ANSWER_MAX. */
enum rc ctl_ask(const char *socket_path, const char *line, unsigned timeout_s, char **answer,
    size_t *answer_len);

#endif
