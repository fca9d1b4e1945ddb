/* letter.c: see letter.h. */
#include "abuse/letter/letter.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abuse/letter/vars.h"

static const char *const languages[] = { "en", "de" };

enum rc
letter_set_load(struct template_set *set, const char *dir, char error[TEMPLATE_ERROR_LEN])
{
	static const char installed[] = EXITGATE_DATADIR "/letters";
	static const char in_source[] = EXITGATE_SRCDIR "/abuse/letter/templates";
	enum rc rc = RC_OK;

	if (dir == NULL)
		dir = access(installed, R_OK) == 0 ? installed : in_source;
	for (size_t i = 0; rc == RC_OK && i < sizeof(languages) / sizeof(languages[0]); i++)
		rc = template_set_load(set, dir, languages[i], error);
	return rc == RC_OK ? template_set_check(set, letter_tags, error) : rc;
}

const char *
letter_refusal(const struct complaint *c)
{
	if (c->handling == HANDLING_ESCALATE)
		return "an authority or a grave matter: a person must answer";
	if (c->reply == REPLY_NEVER_AUTO)
		return "mail of this kind is not answered";
	if (c->handling == HANDLING_IGNORE)
		return "automatic mail about mail, no complaint";
	if (c->handling == HANDLING_NOT_OURS)
		return "no accused address is one of the relays in the facts";
	if (c->handling == HANDLING_REVIEW)
		return "not understood well enough: a person must read it";
	if (c->reply_to[0] == '\0')
		return "it names no address for an answer";
	if (c->reply == REPLY_USELESS)
		return "the sender says that answers are not read";
	return NULL;
}

enum rc
letter_write(const struct template_set *set, const struct facts *facts, const struct complaint *c,
    struct arena_text *out)
{
	struct arena_text raw = { .arena = c->arena };
	char name[64];

	if (letter_refusal(c) != NULL)
		return RC_UNSUPPORTED;
	bool to_hoster = c->from_hoster || strcmp(c->via_kind, "isp") == 0;
	snprintf(name, sizeof(name), "%s/%s", c->language == LANGUAGE_DE ? "de" : "en",
	    to_hoster ? "hoster" : "complainant");
	struct template_scope scope = letter_scope(facts, c);
	enum rc rc = template_render(set, name, &scope, &raw);
	if (rc == RC_OK)
		letter_wrap(arena_text_span(&raw), out);
	return rc;
}
