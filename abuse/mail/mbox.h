/* mbox.h: the mails of a file: one, or many behind "From " lines. Pure. */
#ifndef ABUSE_MAIL_MBOX_H
#define ABUSE_MAIL_MBOX_H

#include <stdbool.h>

#include "abuse/mail/arena.h"

struct mbox {
	struct span rest;
	bool many; /* it began with a "From " line */
};

void mbox_init(struct mbox *box, struct span file);
/* The next mail, quoted ">From " lines set right; false when there is no more. Without "From "
 * lines the whole file is one mail. */
bool mbox_next(struct mbox *box, struct arena *a, struct span *mail);

#endif
