/* fold.h: mails of one run that repeat each other: the same mail twice, the same log by another
 * way, a reminder under the same ticket. */
#ifndef ABUSE_CASE_FOLD_H
#define ABUSE_CASE_FOLD_H

#include <jansson.h>

struct fold {
	json_t *seen; /* from what makes mails alike to the first one's Message-ID */
};

void fold_init(struct fold *fold);
void fold_clear(struct fold *fold);
/* Set the record's duplicate_of if it repeats an earlier one; else remember it. Mail without a
 * Message-ID ("") repeats nothing that could be named. */
void fold_record(struct fold *fold, json_t *record, const char *message_id);

#endif
