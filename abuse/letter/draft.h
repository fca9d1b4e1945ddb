/* draft.h: the answer as a mail, ready for a person to look at and to send. */
#ifndef ABUSE_LETTER_DRAFT_H
#define ABUSE_LETTER_DRAFT_H

#include "abuse/letter/letter.h"

struct draft_info {
	int64_t now_utc;
	int32_t offset_s;    /* of the operator's zone, for the Date header */
	const char *unique;  /* for Message-ID: letters and digits */
	const char *sent_to; /* To and Delivered-To of the complaint; "" if not told */
};

/* RFC 5322 with LF line ends. RC_RANGE: the facts name no mailbox to write from. */
enum rc draft_write(const struct facts *facts, const struct complaint *c, struct span body,
    const struct draft_info *info, struct arena_text *out);

#endif
