/* vars.h: the values of a letter's tags. */
#ifndef ABUSE_LETTER_VARS_H
#define ABUSE_LETTER_VARS_H

#include "abuse/letter/letter.h"

/* The outermost scope, with its lists; all memory is the complaint's arena. */
struct template_scope letter_scope(const struct facts *facts, const struct complaint *c);

#endif
