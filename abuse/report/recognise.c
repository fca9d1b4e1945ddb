/* recognise.c: see recognise.h. The order: what must not be answered, then the forms by their
 * structure, then mails inside the mail, then plain words. */
#include "abuse/report/recognise.h"

#include <string.h>

#include "abuse/mail/text.h"

/* Strict forms; free text comes last because nearly everything is free text. */
static const struct report_form forms[] = {
	{ "fail2ban", fail2ban_read },
	{ "netscan", netscan_read },
};
static const struct report_form last_form = { "free-text", free_text_read };

struct when_context
when_context_of(const struct mail *mail)
{
	struct when_context ctx = {
		.has_date = mail->has_date,
		.date_offset_known = mail->date_offset_known,
		.date_utc = mail->date_utc,
		.date_offset_s = mail->date_offset_s,
	};
	struct zone zone;

	if (zone_in_prose(text_sub(mail->text, 0, REPORT_PROSE_MAX), &zone))
		ctx.stated = zone;
	return ctx;
}

static void
read_problems(const struct mail *mail, struct complaint *out)
{
	if (mail->problems & MAIL_CUT_OFF)
		complaint_flag(out, "cut-off");
	if (mail->problems & MAIL_OVER_LIMIT)
		complaint_flag(out, "over-limit");
	if (mail->problems & MAIL_ENCRYPTED)
		complaint_flag(out, "encrypted");
	if (mail->problems & MAIL_NO_BODY)
		complaint_flag(out, "no-body");
	if (mail->problems & MAIL_BAD_BYTES)
		complaint_flag(out, "bad-characters");
}

/* Mail by machines about our own mail: nobody complains there. */
static bool
read_machine_mail(const struct mail *mail, struct complaint *out)
{
	const char *automatic = mail_header(mail, "Auto-Submitted");
	bool bounce = false;

	for (size_t i = 0; i < mail->part_count; i++)
		bounce = bounce || strcmp(mail->parts[i].type, "message/delivery-status") == 0;
	if (bounce)
		out->category = CATEGORY_BOUNCE;
	else if (automatic != NULL && text_starts_ci(span_of_str(automatic), "auto-replied"))
		out->category = CATEGORY_AUTO_REPLY;
	else
		return false;
	out->handling = HANDLING_IGNORE;
	out->reply = REPLY_NEVER_AUTO;
	out->reply_to = "";
	return true;
}

/* An answer to one of our own letters (draft.c makes their ids): a person goes on with it. */
static bool
is_follow_up(const struct mail *mail)
{
	static const char *const names[] = { "In-Reply-To", "References" };

	for (size_t i = 0; i < 2; i++) {
		const char *value = mail_header(mail, names[i]);

		if (value != NULL && text_has_ci(span_of_str(value), ".abuse@"))
			return true;
	}
	return false;
}

static bool
try_form(const struct report_form *form, const struct report_input *in, struct complaint *out)
{
	if (!form->read(in, out))
		return false;
	out->format = in->mail == in->outer ? form->name
					    : arena_printf(in->arena, "forwarded+%s", form->name);
	return true;
}

static bool
read_forms(const struct mail *outer, const struct mail *inner, const struct report_env *env,
    struct complaint *out)
{
	struct report_input in = { .arena = out->arena, .outer = outer, .mail = outer, .env = env };
	const struct mail *tries[] = { outer, inner };

	for (size_t t = 0; t < (inner == outer ? 1u : 2u); t++) {
		in.mail = tries[t];
		in.when = when_context_of(in.mail);
		for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
			if (try_form(&forms[f], &in, out))
				return true;
	}
	/* A forward's own words may name the address; its inside tells more. */
	for (size_t t = inner == outer ? 1u : 2u; t-- > 0;) {
		in.mail = tries[t];
		in.when = when_context_of(in.mail);
		if (try_form(&last_form, &in, out))
			return true;
	}
	return false;
}

static bool
has_own_source(const struct complaint *c, const struct report_env *env)
{
	for (size_t i = 0; i < c->incident_count; i++)
		if (env->is_own(env->arg, &c->incidents[i].src))
			return true;
	return false;
}

void
complaint_read(const struct mail *mail, const struct report_env *env, struct complaint *out)
{
	const struct mail *inner = mail_innermost(mail);

	read_problems(mail, out);
	envelope_read(mail, inner, env, out);
	language_read(text_sub(inner->text, 0, REPORT_PROSE_MAX), out);
	if (read_machine_mail(mail, out))
		return;
	bool found = read_forms(mail, inner, env, out);
	if (found && out->handling == HANDLING_PROCESS && !has_own_source(out, env))
		out->handling = HANDLING_NOT_OURS;
	if (is_follow_up(mail)) {
		out->category = CATEGORY_FOLLOW_UP;
		out->handling = HANDLING_REVIEW;
	}
	if (mail->problems & (MAIL_ENCRYPTED | MAIL_NO_BODY))
		out->handling = HANDLING_REVIEW;
	if (gravity_check(mail, out) || (inner != mail && gravity_check(inner, out))) {
		out->handling = HANDLING_ESCALATE;
		out->reply = REPLY_NEVER_AUTO;
	}
}
