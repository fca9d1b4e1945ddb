/* language.c: the language of a text, by counting its small words. Pure. */
#include "abuse/report/recognise.h"

#include <string.h>

#include "abuse/mail/text.h"

#define WORDS_MAX 3000u

static const char *const small_words[LANGUAGE_COUNT] = {
	[LANGUAGE_EN] =
	    " the and of to from is are we you your our this that was were has have been"
	    " with please for not any ",
	[LANGUAGE_DE] =
	    " der die das und von ist sind wir sie ihr ihre ihrer ihrem unser unsere dem"
	    " den bitte wurde wurden nicht eine einer einen auf mit zu im auch haben ",
	[LANGUAGE_FR] = " le la les des une est sont nous vous votre notre cette dans avec pour pas"
			" depuis veuillez ",
	[LANGUAGE_NL] =
	    " het een van zijn wij uw onze deze dit met voor niet wordt werd vanaf graag ",
	[LANGUAGE_ES] = " el los las una es son nosotros su nuestro nuestra esta desde con para por"
			" favor ",
};

static void
count_word(struct span word, unsigned counts[LANGUAGE_COUNT])
{
	char padded[16] = " ";

	if (word.len < 2 || word.len > 12)
		return;
	for (size_t i = 0; i < word.len; i++)
		padded[i + 1] = (char)text_lower_at(word, i);
	padded[word.len + 1] = ' ';
	padded[word.len + 2] = '\0';
	for (unsigned l = 0; l < LANGUAGE_COUNT; l++)
		if (strstr(small_words[l], padded) != NULL)
			counts[l]++;
}

void
language_read(struct span text, struct complaint *out)
{
	unsigned counts[LANGUAGE_COUNT] = { 0 }, words = 0, best = LANGUAGE_EN;
	size_t at = 0;

	while (at < text.len && words < WORDS_MAX) {
		size_t start = at;

		while (text_is_alnum(text_at(text, at)))
			at++;
		if (at > start) {
			count_word(text_sub(text, start, at - start), counts);
			words++;
		} else {
			at++;
		}
	}
	for (unsigned l = 0; l < LANGUAGE_COUNT; l++)
		if (counts[l] > counts[best])
			best = l;
	out->language = (enum language)best;
	if (counts[best] > 0)
		names_add(&out->languages, language_str(out->language));
	/* In a bilingual notice both languages have a fair share of small words. */
	for (unsigned l = 0; l < LANGUAGE_COUNT; l++)
		if (counts[l] >= 5 && counts[l] * 3 >= counts[best])
			names_add(&out->languages, language_str((enum language)l));
}
