/* gravity.c: what must never be answered by a program. Errs on the side of a person. Pure. */
#include "abuse/report/recognise.h"

#include <string.h>

#include "abuse/mail/text.h"

/* Any one of them is enough. */
static const struct {
	const char *phrase;
	enum category category;
} alone[] = {
	{ "child sexual", CATEGORY_CSAM },
	{ "child abuse material", CATEGORY_CSAM },
	{ "child porn", CATEGORY_CSAM },
	{ "csam report", CATEGORY_CSAM },
	{ "csam content", CATEGORY_CSAM },
	{ "kinderporno", CATEGORY_CSAM },
	{ "missbrauchsdarstellung", CATEGORY_CSAM },
	{ "pédopornographi", CATEGORY_CSAM },
	{ "sexual exploitation of child", CATEGORY_CSAM },
	{ "subpoena", CATEGORY_LAW },
	{ "search warrant", CATEGORY_LAW },
	{ "court order", CATEGORY_LAW },
	{ "preservation request", CATEGORY_LAW },
	{ "preservation order", CATEGORY_LAW },
	{ "law enforcement request", CATEGORY_LAW },
	{ "criminal investigation", CATEGORY_LAW },
	{ "2703(d)", CATEGORY_LAW },
	{ "2703(f)", CATEGORY_LAW },
	{ "auskunftsersuchen", CATEGORY_LAW },
	{ "auskunftsverlangen", CATEGORY_LAW },
	{ "ermittlungsverfahren", CATEGORY_LAW },
	{ "staatsanwaltschaft", CATEGORY_LAW },
	{ "bestandsdatenauskunft", CATEGORY_LAW },
	{ "100j stpo", CATEGORY_LAW },
	{ "100 j stpo", CATEGORY_LAW },
	{ "174 tkg", CATEGORY_LAW },
	{ "kriminalpolizei", CATEGORY_LAW },
	{ "kriminalkommissar", CATEGORY_LAW },
	{ "landeskriminalamt", CATEGORY_LAW },
	{ "réquisition judiciaire", CATEGORY_LAW },
	{ "europol", CATEGORY_LAW },
	{ "death threat", CATEGORY_HARASSMENT },
	{ "bomb threat", CATEGORY_HARASSMENT },
	{ "threatened to kill", CATEGORY_HARASSMENT },
	{ "i will kill", CATEGORY_HARASSMENT },
	{ "suicide", CATEGORY_HARASSMENT },
	{ "morddrohung", CATEGORY_HARASSMENT },
	{ "bombendrohung", CATEGORY_HARASSMENT },
	{ "stalking", CATEGORY_HARASSMENT },
	{ "harassment", CATEGORY_HARASSMENT },
	{ "bedroht mich", CATEGORY_HARASSMENT },
};

/* An authority and a demand together: "police" by itself is said in many complaints. */
static const char *const authorities[] = { "police", "polizei", "detective", "prosecutor",
	"sheriff", "law enforcement", "gendarmerie", "politie", "the fbi", "interpol",
	"ministry of", "magistrate", "special agent", "staatsanwalt" };
static const char *const demands[] = { "subscriber", "identify the", "identity of", "preserve",
	"customer data", "user data", "personal details", "account holder", "log files of",
	"connection records", "bestandsdaten", "anschlussinhaber", "personalien", "verkehrsdaten",
	"zu erteilen", "auskunft", "sichern sie", "aktenzeichen", "case number", "case no" };

static bool
any_of(struct span text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_has_ci(text, words[i]))
			return true;
	return false;
}

bool
gravity_check(const struct mail *mail, struct complaint *out)
{
	struct span texts[] = { span_of_str(mail->subject),
		text_sub(mail->text, 0, REPORT_PROSE_MAX) };

	for (size_t t = 0; t < 2; t++) {
		for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
			if (!text_has_ci(texts[t], alone[i].phrase))
				continue;
			out->category = alone[i].category;
			if (out->category == CATEGORY_LAW)
				complaint_flag(out, "identity-requested");
			return true;
		}
	}
	for (size_t t = 0; t < 2; t++) {
		if (any_of(texts[t], authorities, sizeof(authorities) / sizeof(authorities[0])) &&
		    any_of(texts[1], demands, sizeof(demands) / sizeof(demands[0]))) {
			out->category = CATEGORY_LAW;
			complaint_flag(out, "identity-requested");
			return true;
		}
	}
	return false;
}
