/* answers.h: what exitguardctl is told, as JSON documents. */
#ifndef EXITGUARD_FRONT_ANSWERS_H
#define EXITGUARD_FRONT_ANSWERS_H

#include <jansson.h>

#include "exitguard/ctl/request.h"
#include "exitguard/front/front.h"

/* The answer to a request that was parsed and is permitted; NULL if there is no memory. The
 * caller owns it. An answer with a key "error" says that nothing was done. */
json_t *answer_request(struct front *front, const struct ctl_request *request);
json_t *answer_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
