/* record.h: a complaint as the JSON object that `abuse parse` prints. */
#ifndef ABUSE_CASE_RECORD_H
#define ABUSE_CASE_RECORD_H

#include <jansson.h>

#include "abuse/match/match.h"

/* Every key is there, null or [] where the mail does not tell. New reference. */
json_t *record_of(const struct facts *facts, const struct complaint *c);

#endif
