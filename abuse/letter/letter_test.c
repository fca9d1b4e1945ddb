/* letter_test.c: the template engine and its strictness, filling, the draft's headers, and that
 * a letter never says more than the facts prove. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abuse/letter/draft.h"
#include "abuse/mail/text.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const struct template_tag tags[] = { { "name", TEMPLATE_TEXT }, { "empty", TEMPLATE_TEXT },
	{ "yes", TEMPLATE_FLAG }, { "no", TEMPLATE_FLAG }, { "items", TEMPLATE_LIST },
	{ "item", TEMPLATE_TEXT }, { "none", TEMPLATE_LIST }, { NULL, TEMPLATE_TEXT } };

static const struct template_value first[] = { { .name = "item", .text = "one" } };
static const struct template_value second[] = { { .name = "item", .text = "{{name}}" } };
static const struct template_scope elements[] = { { first, 1 }, { second, 1 } };
static const struct template_value values[] = {
	{ .name = "name", .text = "N" },
	{ .name = "empty", .text = "" },
	{ .name = "yes", .type = TEMPLATE_FLAG, .flag = true },
	{ .name = "no", .type = TEMPLATE_FLAG },
	{ .name = "items", .type = TEMPLATE_LIST, .elements = elements, .element_count = 2 },
	{ .name = "none", .type = TEMPLATE_LIST },
};
static const struct template_scope scope = { values, 6 };

static const struct {
	const char *text, *want;
} renders[] = {
	{ "a {{name}} b", "a N b" },
	{ "{{#yes}}y{{/yes}}{{#no}}n{{/no}}{{^no}}m{{/no}}", "ym" },
	{ "{{#name}}{{name}}{{/name}}{{#empty}}e{{/empty}}{{^empty}}-{{/empty}}", "N-" },
	{ "{{#items}}[{{item}}{{name}}]{{/items}}{{^none}}0{{/none}}", "[oneN][{{name}}N]0" },
	{ "a\n{{#yes}}\nb\n{{/yes}}\nc\n", "a\nb\nc\n" },
	{ "a\n{{#no}}\nb\n{{/no}}\nc\n", "a\nc\n" },
	{ "a\n  {{! words }}\nc", "a\nc" },
	{ "{{>part}}!\n{{>part}}\n", "part N\n!\npart N\n" },
	{ "{{#yes}}{{#yes}}x{{/yes}}{{/yes}}", "x" },
	{ "{ {name} } }}", "{ {name} } }}" },
};

static void
test_renders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(renders) / sizeof(renders[0]); i++) {
		struct template_set set = { .arena = arena };
		struct arena_text out = { .arena = arena };
		char error[TEMPLATE_ERROR_LEN];

		template_set_add(&set, "en/a", span_of_str(renders[i].text));
		template_set_add(&set, "en/part", span_of_str("part {{name}}\n"));
		assert_int_equal(template_set_check(&set, tags, error), RC_OK);
		assert_int_equal(template_render(&set, "en/a", &scope, &out), RC_OK);
		assert_string_equal(arena_text_str(&out), renders[i].want);
		assert_int_equal(template_render(&set, "en/b", &scope, &out), RC_NOT_FOUND);
	}
}

static void
test_strictness(void **state)
{
	static const struct {
		const char *text, *want;
	} wrong[] = {
		{ "{{nmae}}", "unknown tag {{nmae}}" },
		{ "{{#nmae}}{{/nmae}}", "unknown tag {{nmae}}" },
		{ "{{#no}}{{nmae}}{{/no}}", "unknown tag {{nmae}}" },
		{ "{{#yes}}x", "is not closed: {{yes}}" },
		{ "x{{/yes}}", "closes nothing: {{yes}}" },
		{ "{{#yes}}{{#no}}{{/yes}}{{/no}}", "not closed" },
		{ "{{name", "is not closed" },
		{ "{{>nowhere}}", "no partial {{nowhere}}" },
		{ "{{>a}}", "nested too deeply" },
		{ "{{items}}", "is no text" },
		{ "{{yes}}", "is no text" },
		{ "{{}}", "unknown tag {{}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct template_set set = { .arena = arena };
		char error[TEMPLATE_ERROR_LEN];

		template_set_add(&set, "en/a", span_of_str(wrong[i].text));
		assert_int_equal(template_set_check(&set, tags, error), RC_SYNTAX);
		if (strstr(error, wrong[i].want) == NULL || strstr(error, "en/a.txt") == NULL)
			fail_msg("%s: \"%s\"", wrong[i].text, error);
	}
}

static void
test_wrap(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a\nb\n\n\n\nc", "a b\n\nc\n" },
		{ "\n\na\\\nb\n", "a\nb\n" },
		{ "a\n  fixed   line  \nb\n", "a\n   fixed   line\nb\n" },
		{ "From here\n\n> quoted\n", " From here\n\n > quoted\n" },
		{ "ääääääääääääääääääääääääääääääääääääääää bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c d\n",
		    "ääääääääääääääääääääääääääääääääääääääää bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb \nc "
		    "d\n" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena_text out = { .arena = arena };

		letter_wrap(span_of_str(cases[i].text), &out);
		assert_string_equal(arena_text_str(&out), cases[i].want);
	}
}

static void
load_facts(struct facts *facts, const char *accept)
{
	char error[FACTS_ERROR_LEN];
	char *text = arena_printf(arena,
	    "{ \"operator\": \"Zoë Operator\", \"mailboxes\": [\"abuse@exit.example.org\","
	    " \"abuse2@exit.example.org\"], \"relays\": [ { \"nickname\": \"alder\","
	    " \"or_addresses\": [\"192.0.2.10\"], \"exit_addresses\": [\"192.0.2.10\"],"
	    " \"policies\": [ { \"from\": \"2026-01-01T00:00:00Z\", \"accept\": [%s] } ] } ] }",
	    accept);

	assert_int_equal(facts_parse(span_of_str(text), facts, error), RC_OK);
}

static struct complaint *
complaint_for(enum language language)
{
	struct complaint *c = arena_alloc(arena, sizeof(*c));
	struct incident it = { .dport = 22,
		.proto = PROTO_TCP,
		.has_time = true,
		.basis = WHEN_EXPLICIT,
		.zone = zone_utc(),
		.count = 1,
		.service = "ssh",
		.first_utc = 1775549000,
		.last_utc = 1775549000 };

	complaint_init(c, arena);
	assert_int_equal(addr_parse(span_of_str("192.0.2.10"), &it.src), RC_OK);
	assert_int_equal(prefix_parse(span_of_str("203.0.113.9"), &it.dst), RC_OK);
	complaint_add(c, &it);
	c->language = language;
	c->category = CATEGORY_SSH;
	c->handling = HANDLING_PROCESS;
	c->reply_to = "noc@victim.example";
	c->subject = "Abuse [T-1]";
	c->message_id = "1@victim.example";
	return c;
}

static const char *
letter_for(const struct facts *facts, const struct complaint *c)
{
	struct template_set set = { .arena = arena };
	struct arena_text out = { .arena = arena };
	char error[TEMPLATE_ERROR_LEN];

	assert_int_equal(
	    letter_set_load(&set, EXITGATE_SRCDIR "/abuse/letter/templates", error), RC_OK);
	assert_int_equal(letter_write(&set, facts, c, &out), RC_OK);
	/* Line breaks are no part of what is said. */
	char *flat = arena_str(arena, arena_text_span(&out));
	for (char *at = flat; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	return arena_text_str(&out)[0] == '\0' ? "" : flat;
}

static bool
says(const char *letter, const char *words)
{
	struct arena_text plain = { .arena = arena };

	for (const char *at = letter; *at != '\0'; at++)
		if (*at != ' ' || at[1] != ' ')
			arena_text_add_char(&plain, *at);
	return strstr(arena_text_str(&plain), words) != NULL;
}

/* The same complaint under different policies; in no letter anything is confirmed, and of
 * limits nothing is said where the ledger proves nothing. */
static void
test_never_false(void **state)
{
	static const struct {
		const char *accept;
		enum language language;
		const char *must, *must_not;
	} cases[] = {
		{ "22, 80", LANGUAGE_EN, "cannot be excluded", "is excluded" },
		{ "80", LANGUAGE_EN, "is excluded", "cannot be excluded" },
		{ "22, 80", LANGUAGE_DE, "ist nicht auszuschließen", "ist ausgeschlossen" },
		{ "80", LANGUAGE_DE, "ist ausgeschlossen", "nicht auszuschließen" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct facts facts;

		load_facts(&facts, cases[i].accept);
		const char *letter = letter_for(&facts, complaint_for(cases[i].language));
		assert_true(says(letter, cases[i].must));
		assert_false(says(letter, cases[i].must_not));
		assert_false(says(letter, "onfirmed") || says(letter, "bestätigt"));
		assert_false(says(letter, "Limits") || says(letter, "Begrenzungen"));
		facts_clear(&facts);
	}
}

static void
test_refusals(void **state)
{
	struct complaint *c = complaint_for(LANGUAGE_EN);

	(void)state;
	assert_null(letter_refusal(c));
	c->reply = REPLY_USELESS;
	assert_non_null(letter_refusal(c));
	c->reply = REPLY_NEVER_AUTO;
	assert_non_null(letter_refusal(c));
	for (int h = HANDLING_REVIEW; h < HANDLING_COUNT; h++) {
		c = complaint_for(LANGUAGE_EN);
		c->handling = (enum handling)h;
		assert_non_null(letter_refusal(c));
	}
	c = complaint_for(LANGUAGE_EN);
	c->reply_to = "";
	assert_non_null(letter_refusal(c));
}

static const char *
draft_for(const struct complaint *c, const char *sent_to)
{
	struct draft_info info = {
		.now_utc = 1775550680, .offset_s = 7200, .unique = "0123", .sent_to = sent_to
	};
	struct arena_text out = { .arena = arena };
	struct facts facts;

	load_facts(&facts, "80");
	assert_int_equal(draft_write(&facts, c, span_of_str("Grüße\n"), &info, &out), RC_OK);
	facts_clear(&facts);
	return arena_text_str(&out);
}

static void
test_draft(void **state)
{
	struct complaint *c = complaint_for(LANGUAGE_EN);

	(void)state;
	c->references = "<a@b.example> junk <c@d.example>\t<1@victim.example>";
	assert_string_equal(draft_for(c, ""),
	    "Date: Tue, 07 Apr 2026 10:31:20 +0200\n"
	    "From: =?iso-8859-1?b?Wm/r?= Operator <abuse@exit.example.org>\n"
	    "To: noc@victim.example\n"
	    "Subject: Re: Abuse [T-1]\n"
	    "Message-ID: <0123.abuse@exit.example.org>\n"
	    "In-Reply-To: <1@victim.example>\n"
	    "References: <a@b.example>\n <c@d.example>\n <1@victim.example>\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8; format=flowed\n"
	    "Content-Transfer-Encoding: 8bit\n\nGrüße\n");
	assert_non_null(
	    strstr(draft_for(c, "abuse2@exit.example.org"), "<abuse2@exit.example.org>\n"));
	c->subject = "AW: Abuse [T-1]";
	assert_non_null(strstr(draft_for(c, ""), "\nSubject: AW: Abuse [T-1]\n"));
	c->subject_token = "[T-1]";
	c->subject = "Größe [T-1] Maß";
	assert_non_null(strstr(draft_for(c, ""), "[T-1]"));
	char *long_subject = arena_str(arena, span_of_str("x"));
	for (int i = 0; i < 9; i++)
		long_subject = arena_printf(arena, "%s wörter %s", long_subject, long_subject);
	c->subject = arena_printf(arena, "%s [T-1]", long_subject);
	c->subject_token = "[T-1]";
	const char *draft = draft_for(c, "");
	assert_non_null(strstr(draft, "[T-1]"));
	for (const char *line = draft; line != NULL; line = strchr(line + 1, '\n'))
		assert_true(strcspn(line + 1, "\n") < 900);
	c->message_id = "";
	assert_null(strstr(draft_for(c, ""), "References"));
	assert_null(strstr(draft_for(c, ""), "In-Reply-To"));
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup_teardown(test_renders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strictness, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_false, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_draft, setup, teardown),
	};

	mail_library_init();
	return cmocka_run_group_tests(all, NULL, NULL);
}
