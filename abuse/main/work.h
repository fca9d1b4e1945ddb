/* work.h: what is done with one mail, in the child: read it, match it, write the letter. */
#ifndef ABUSE_MAIN_WORK_H
#define ABUSE_MAIN_WORK_H

#include <jansson.h>

#include "abuse/letter/draft.h"

struct work {
	const struct facts *facts;
	const struct template_set *letters; /* NULL: only parse */
	struct span mail;
	int64_t now_utc;
	char unique[17]; /* by the mail's bytes */
};

/* What came out; NULL members were not given. */
struct work_result {
	json_t *record;    /* owned */
	const char *draft; /* the rest lives in answer */
	const char *message_id, *to, *form, *deadline, *refusal;
	const char *error; /* a word for the operator: the mail is damaged */
	json_t *answer;    /* owned */
};

/* For sandbox_run: writes one JSON object with record, draft, ... */
void work_run(void *arg, int answer_fd);
/* The object again; RC_SYNTAX if it is not one. */
enum rc work_result_read(const char *answer, size_t len, struct work_result *out);
void work_result_clear(struct work_result *result);
/* The record of a mail that could not be read at all. */
json_t *work_unread_record(const struct facts *facts, const char *flag);

#endif
