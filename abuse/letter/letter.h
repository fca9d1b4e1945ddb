/* letter.h: the answer to a complaint, from its claims and what the facts prove. Pure but for
 * letter_set_load. */
#ifndef ABUSE_LETTER_LETTER_H
#define ABUSE_LETTER_LETTER_H

#include "abuse/letter/template.h"
#include "abuse/match/match.h"

/* Load and check the letters of a folder; NULL: the installed ones, else the source tree's. */
enum rc letter_set_load(struct template_set *set, const char *dir, char error[TEMPLATE_ERROR_LEN]);

/* Why no letter may be written for this complaint; NULL if one may. */
const char *letter_refusal(const struct complaint *c);

/* The text of the letter, wrapped for format=flowed. RC_UNSUPPORTED: no letter for it. */
enum rc letter_write(const struct template_set *set, const struct facts *facts,
    const struct complaint *c, struct arena_text *out);

/* Paragraphs filled to 72 columns with soft line breaks (RFC 3676); lines that begin with a
 * blank stay as they are, a '\' at a line's end keeps the break behind it. */
void letter_wrap(struct span text, struct arena_text *out);

extern const struct template_tag letter_tags[];

#endif
