/* render.h: an answer as text for a person. */
#ifndef EXITGUARD_CTL_RENDER_H
#define EXITGUARD_CTL_RENDER_H

#include <jansson.h>
#include <stdio.h>

/* word: the command that was asked. Keys that are missing are left out. */
void render_answer(const char *word, const json_t *answer, FILE *to);

#endif
