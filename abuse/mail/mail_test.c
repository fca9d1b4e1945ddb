/* mail_test.c: mails to headers, parts and text; the limits; text, HTML and mbox by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abuse/mail/html.h"
#include "abuse/mail/mail.h"
#include "abuse/mail/mbox.h"
#include "abuse/mail/text.h"

#define HEAD "From: a@example.com\nMessage-ID: <1@example.com>\nSubject: x\n"

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

static enum rc
parse(const char *text, struct mail *out)
{
	return mail_parse(arena, span_of_str(text), out);
}

static void
test_plain(void **state)
{
	struct mail m;

	(void)state;
	assert_int_equal(parse("From: =?utf-8?Q?J=C3=BCrgen?= <j@example.com>\r\n"
			       "Reply-To: list:;, <r@example.com>\r\n"
			       "Date: Tue, 07 Apr 2026 10:31:20 +0200\r\n"
			       "Subject: =?iso-8859-1?Q?Gr=FC=DFe?= [T-1]\r\n"
			       "Message-ID: <1@example.com>\r\n\r\nline\r\n",
			     &m),
	    RC_OK);
	assert_string_equal(m.from.name, "Jürgen");
	assert_string_equal(m.from.address, "j@example.com");
	assert_string_equal(m.reply_to.address, "r@example.com");
	assert_string_equal(m.subject, "Grüße [T-1]");
	assert_string_equal(m.message_id, "1@example.com");
	assert_true(m.has_date && m.date_offset_known);
	assert_true(m.date_utc == 1775550680);
	assert_int_equal(m.date_offset_s, 7200);
	assert_string_equal((const char *)text_trim(m.text).data, "line\n\n");
	assert_int_equal(m.problems, 0);
}

static void
test_no_mail(void **state)
{
	struct mail m;

	(void)state;
	assert_int_equal(parse("", &m), RC_SHORT);
	assert_int_equal(parse("\n\n", &m), RC_SHORT);
	assert_int_equal(parse("hello world\n", &m), RC_SYNTAX);
	assert_int_equal(parse("\177ELF\2\1\1", &m), RC_SYNTAX);
	assert_int_equal(parse(HEAD, &m), RC_OK);
	assert_true(m.problems & MAIL_NO_BODY);
}

static void
test_charsets(void **state)
{
	static const struct {
		const char *charset, *body, *want;
	} cases[] = {
		{ "utf-8",
		    "Gr\xc3\xbc\xc3\x9f"
		    "e",
		    "Grüße" },
		{ "utf8",
		    "Gr\xc3\xbc\xc3\x9f"
		    "e",
		    "Grüße" },
		{ "iso-8859-1",
		    "Gr\xfc\xdf"
		    "e",
		    "Grüße" },
		{ "us-ascii",
		    "Gr\xc3\xbc\xc3\x9f"
		    "e",
		    "Grüße" },
		{ "us-ascii",
		    "Gr\xfc\xdf"
		    "e",
		    "Grüße" },
		{ "windows-1252", "5 \x80", "5 €" },
		{ "koi8-r", "\xd0\xd2\xc9", "при" },
		{ "utf-7", "Gr+APwA3w-e", "Grüße" },
		{ "nonsense",
		    "Gr\xfc\xdf"
		    "e",
		    "Grüße" },
		{ "../../etc/passwd", "x", "x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mail m;
		char *text =
		    arena_printf(arena, HEAD "Content-Type: text/plain; charset=\"%s\"\n\n%s",
			cases[i].charset, cases[i].body);

		assert_int_equal(parse(text, &m), RC_OK);
		if (!span_equal_str(text_trim(m.text), cases[i].want))
			fail_msg("%s: \"%.*s\"", cases[i].charset, (int)m.text.len,
			    (const char *)m.text.data);
	}
}

static void
test_parts(void **state)
{
	struct mail m;

	(void)state;
	assert_int_equal(parse(HEAD "Content-Type: multipart/mixed; boundary=o\n\n"
				    "--o\nContent-Type: multipart/alternative; boundary=i\n\n"
				    "--i\nContent-Type: text/plain\n\nplain words\n"
				    "--i\nContent-Type: text/html\n\n<p>html words</p>\n--i--\n"
				    "--o\nContent-Type: message/rfc822\n\n"
				    "From: b@example.net\nSubject: inner\n\ninner words\n"
				    "--o\nContent-Type: application/zip; name=a.zip\n\nPK\n--o--\n",
			     &m),
	    RC_OK);
	assert_int_equal(m.part_count, 4);
	assert_true(text_has_ci(m.text, "plain words"));
	assert_false(text_has_ci(m.text, "html words"));
	assert_false(text_has_ci(m.text, "inner words"));
	assert_string_equal(m.parts[3].type, "application/zip");
	assert_string_equal(m.parts[3].filename, "a.zip");
	assert_string_equal(mail_innermost(&m)->subject, "inner");
	assert_string_equal(mail_innermost(&m)->from.address, "b@example.net");
	assert_int_equal(m.problems, 0);
	assert_int_equal(parse(HEAD "Content-Type: multipart/mixed; boundary=o\n\n"
				    "--o\nContent-Type: text/plain\n\nwords\n",
			     &m),
	    RC_OK);
	assert_int_equal(m.problems, MAIL_CUT_OFF);
	assert_true(text_has_ci(m.text, "words"));
}

static void
test_limits(void **state)
{
	struct arena_text t = { .arena = arena };
	struct mail m;

	(void)state;
	arena_text_add_str(&t, HEAD "Content-Type: multipart/mixed; boundary=o\n\n");
	for (int i = 0; i < 300; i++)
		arena_text_add_str(&t, "--o\nContent-Type: text/plain\n\nx\n");
	assert_int_equal(mail_parse(arena, arena_text_span(&t), &m), RC_OK);
	assert_int_equal(m.part_count, MAIL_PARTS_MAX);
	assert_true(m.problems & MAIL_OVER_LIMIT);
	t = (struct arena_text){ .arena = arena };
	for (int i = 0; i < 50; i++)
		arena_text_add_str(&t, HEAD "Content-Type: message/rfc822\n\n");
	assert_int_equal(mail_parse(arena, arena_text_span(&t), &m), RC_OK);
	assert_true(m.problems & MAIL_OVER_LIMIT);
	assert_non_null(mail_innermost(&m));
}

static void
test_clean(void **state)
{
	bool changed = false;
	static const char dirty[] = "a\0b\x1b[1m\xe2\x80\xaeq\r\nc\rd\xff\xc0\x80\xed\xa0\x80";
	struct span out = text_clean(arena, span_of(dirty, sizeof(dirty) - 1), &changed);

	(void)state;
	assert_true(changed);
	assert_true(span_equal_str(out, "ab[1mq\nc\nd??????"));
	assert_string_equal(text_one_line(arena, span_of_str(" a\nb\t€€ "), 6), "a b ");
	assert_string_equal(text_one_line(arena, span_of_str("€€"), 4), "€");
}

static void
test_html(void **state)
{
	static const struct {
		const char *html, *want;
	} cases[] = {
		{ "<p>a<br>b</p>", "a\nb" },
		{ "a <b>b</b>&amp;&#228;&uuml;&lt;x&gt;", "a b&äü<x>" },
		{ "<style>p{}</style><script>1<2</script>x", "x" },
		{ "<!-- <p>no</p> -->x", "x" },
		{ "<table><tr><td>1</td><td>2</td></tr></table>", "1\t2" },
		{ "<a href=\"https://example.com/f?x=1\">form</a>",
		    "<https://example.com/f?x=1> form" },
		{ "1 < 2 &", "1 < 2 &" },
		{ "<pre>a\nb</pre>", "a\nb" },
		{ "x<", "x<" },
		{ "x<p", "x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span out = text_trim(html_to_text(arena, span_of_str(cases[i].html)));

		if (!span_equal_str(out, cases[i].want))
			fail_msg("\"%s\" is \"%.*s\"", cases[i].html, (int)out.len,
			    (const char *)out.data);
	}
}

static void
test_mbox(void **state)
{
	struct mbox box;
	struct span mail;

	(void)state;
	mbox_init(
	    &box, span_of_str("From a@b Tue Apr  7 10:31:22 2026\nA: 1\n\n>From here\n"
			      "From there to here\n\nFrom a@b Tue Apr  7 10:31:22 2026\nB: 2\n"));
	assert_true(box.many);
	assert_true(mbox_next(&box, arena, &mail));
	assert_true(span_equal_str(mail, "A: 1\n\nFrom here\nFrom there to here\n\n"));
	assert_true(mbox_next(&box, arena, &mail));
	assert_true(span_equal_str(mail, "B: 2\n"));
	assert_false(mbox_next(&box, arena, &mail));
	mbox_init(&box, span_of_str("From: a\n\nFrom a@b Tue Apr  7 10:31:22 2026\n"));
	assert_false(box.many);
	assert_true(mbox_next(&box, arena, &mail));
	assert_false(mbox_next(&box, arena, &mail));
}

static void
test_addresses(void **state)
{
	static const char *const good[] = { "a@b.example", "a+b.c@b-d.example", "o'x@b.example" };
	static const char *const bad[] = { "", "@", "a@", "@b", "a b@c", "a@b\nBcc: x@y", "a@b@c",
		"a,b@c", "<a@b>", "-f@b", "a@.b", "\xc3\xa4@b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(mail_address_is_valid(span_of_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mail_address_is_valid(span_of_str(bad[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_mail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_charsets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(test_html, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mbox, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
	};

	mail_library_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
