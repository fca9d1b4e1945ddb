/* decode.h: the content of one part, transfer encoding and charset taken off. */
#ifndef ABUSE_MAIL_DECODE_H
#define ABUSE_MAIL_DECODE_H

#include <gmime/gmime.h>

#include "abuse/mail/arena.h"

/* At most max bytes; MAIL_OVER_LIMIT is set in *problems if there was more. */
struct span decode_part(struct arena *a, GMimePart *part, size_t max, unsigned *problems);
/* UTF-8 (not yet cleaned) from bytes said to be in charset; NULL: not told. A wrong label is
 * survived: what is valid UTF-8 is that, what fits nothing is taken as windows-1252. */
struct span decode_charset(struct arena *a, struct span raw, const char *charset);

#endif
