/* work.c: see work.h. */
#include "abuse/main/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abuse/case/record.h"
#include "abuse/report/recognise.h"

static void
write_all(int fd, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, &data[done], len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(3);
		done += (size_t)n;
	}
}

static void
set_text(json_t *out, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(out, key, json_string(text));
}

/* Where the complaint was sent to, for the choice of our own mailbox. */
static const char *
sent_to(const struct mail *mail, struct arena *a)
{
	const char *delivered = mail_header(mail, "Delivered-To"), *to = mail_header(mail, "To");

	return arena_printf(a, "%s %s", delivered == NULL ? "" : delivered, to == NULL ? "" : to);
}

static void
write_letter(
    const struct work *work, const struct mail *mail, const struct complaint *c, json_t *out)
{
	struct arena_text body = { .arena = c->arena }, draft = { .arena = c->arena };
	const struct zone *zone = &work->facts->timezone;
	struct draft_info info = { .now_utc = work->now_utc,
		.unique = work->unique,
		.offset_s = zone_offset_at(zone, work->now_utc),
		.sent_to = sent_to(mail, c->arena) };
	char wall[WHEN_STR_LEN], zone_name[ZONE_STR_LEN];

	set_text(out, "refusal", letter_refusal(c));
	set_text(out, "form", c->reply_form);
	if (c->has_deadline)
		set_text(out, "deadline",
		    arena_printf(c->arena, "%s %s", when_wall_str(c->deadline_utc, zone, wall),
			zone_str(zone, c->deadline_utc, zone_name)));
	if (letter_refusal(c) != NULL)
		return;
	enum rc rc = letter_write(work->letters, work->facts, c, &body);
	if (rc == RC_OK)
		rc = draft_write(work->facts, c, arena_text_span(&body), &info, &draft);
	if (rc == RC_RANGE)
		set_text(out, "refusal", "the facts name no mailbox to write from");
	else if (rc != RC_OK)
		set_text(out, "refusal", "the letter could not be made");
	else
		set_text(out, "draft", arena_text_str(&draft));
	set_text(out, "to", c->reply_to);
}

/* What is wrong with the mail itself, in words; NULL if nothing that matters. */
static const char *
damage_of(const struct mail *mail, const struct complaint *c)
{
	if (mail->problems & MAIL_NO_BODY)
		return "the mail ends with its header; save it again, whole";
	if (mail->problems & MAIL_ENCRYPTED)
		return "the mail is encrypted; decrypt it and save the plain text";
	if ((mail->problems & (MAIL_CUT_OFF | MAIL_OVER_LIMIT)) == MAIL_CUT_OFF &&
	    c->handling == HANDLING_REVIEW)
		return "the mail is cut off (its last boundary is missing); save it again, whole";
	return NULL;
}

void
work_run(void *arg, int answer_fd)
{
	const struct work *work = arg;
	struct arena *a = arena_new();
	struct complaint *c = arena_alloc(a, sizeof(*c));
	struct mail *mail = arena_alloc(a, sizeof(*mail));
	struct report_env env = match_env(work->facts);
	json_t *out = json_object();

	enum rc rc = mail_parse(a, work->mail, mail);
	complaint_init(c, a);
	if (rc == RC_OK) {
		complaint_read(mail, &env, c);
		json_object_set_new(out, "record", record_of(work->facts, c));
		set_text(out, "error", damage_of(mail, c));
		set_text(out, "message_id", mail->message_id);
		if (work->letters != NULL)
			write_letter(work, mail, c, out);
	} else {
		set_text(out, "error",
		    rc == RC_SHORT
			? "there is no mail in it"
			: "is no mail: it does not begin with header lines; save the whole mail, "
			  "headers and all");
	}
	char *text = json_dumps(out, JSON_COMPACT);
	if (text != NULL)
		write_all(answer_fd, text, strlen(text));
	free(text);
	json_decref(out);
	arena_free(&a);
}

enum rc
work_result_read(const char *answer, size_t len, struct work_result *out)
{
	*out = (struct work_result){ .record = NULL };
	if (len == 0)
		return RC_SYNTAX;
	out->answer = json_loadb(answer, len, 0, NULL);
	if (!json_is_object(out->answer)) {
		work_result_clear(out);
		return RC_SYNTAX;
	}
	out->record = json_incref(json_object_get(out->answer, "record"));
	out->draft = json_string_value(json_object_get(out->answer, "draft"));
	out->to = json_string_value(json_object_get(out->answer, "to"));
	out->form = json_string_value(json_object_get(out->answer, "form"));
	out->deadline = json_string_value(json_object_get(out->answer, "deadline"));
	out->refusal = json_string_value(json_object_get(out->answer, "refusal"));
	out->message_id = json_string_value(json_object_get(out->answer, "message_id"));
	out->error = json_string_value(json_object_get(out->answer, "error"));
	return RC_OK;
}

void
work_result_clear(struct work_result *result)
{
	json_decref(result->record);
	json_decref(result->answer);
	*result = (struct work_result){ .record = NULL };
}

json_t *
work_unread_record(const struct facts *facts, const char *flag)
{
	struct arena *a = arena_new();
	struct complaint *c = arena_alloc(a, sizeof(*c));

	complaint_init(c, a);
	c->reply = REPLY_NEVER_AUTO;
	complaint_flag(c, flag);
	json_t *out = record_of(facts, c);
	arena_free(&a);
	return out;
}
