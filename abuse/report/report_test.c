/* report_test.c: addresses and ports in text, lines of logs and tables, the envelope, what must
 * not be answered, and every sample mail cut off at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abuse/mail/text.h"
#include "abuse/report/line.h"

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

/* Ours are 192.0.2.10 and 2001:db8::10; mail hops are 198.51.100.224/27. */
static bool
is_own(void *arg, const struct addr *addr)
{
	char buf[ADDR_STR_LEN];

	(void)arg;
	addr_str(addr, buf);
	return strcmp(buf, "192.0.2.10") == 0 || strcmp(buf, "2001:db8::10") == 0;
}

static bool
is_mail_hop(void *arg, const struct addr *addr)
{
	(void)arg;
	return addr->family == ADDR_IPV4 && addr->bytes[0] == 198 && addr->bytes[1] == 51 &&
	       addr->bytes[3] >= 224;
}

static bool
is_own_mailbox(void *arg, const char *address)
{
	(void)arg;
	return strcmp(address, "abuse@exit.example.org") == 0;
}

static bool
is_hoster_domain(void *arg, const char *domain)
{
	(void)arg;
	return strcmp(domain, "hoster.example") == 0;
}

static const struct report_env env = { .is_own = is_own,
	.is_mail_hop = is_mail_hop,
	.is_own_mailbox = is_own_mailbox,
	.is_hoster_domain = is_hoster_domain };

static const struct {
	const char *text, *want; /* "address[/bits][#port] ..." */
} addr_cases[] = {
	{ "from 192.0.2.10, to 198.51.100.1.", "192.0.2.10 198.51.100.1" },
	{ "192.0.2.10:22 192.0.2.11.80 192.0.2.12/8080",
	    "192.0.2.10#22 192.0.2.11#80 192.0.2.12#8080" },
	{ "192[.]0[.]2[.]10 and 192(.)0(.)2(.)11 192[dot]0[dot]2[dot]12",
	    "192.0.2.10 192.0.2.11 192.0.2.12" },
	{ "192.000.002.010", "192.0.2.10" },
	{ "203.0.113.0/24 203.0.113.5/24", "203.0.113.0/24 203.0.113.5#24" },
	{ "2001:db8::10 [2001:db8::11]:443 2001:0db8:0000:0000:0000:0000:0000:0012",
	    "2001:db8::10 2001:db8::11#443 2001:db8::12" },
	{ "2001:db8::/32 ::ffff:192.0.2.10", "2001:db8::/32 192.0.2.10" },
	{ "ip:192.0.2.10 (192.0.2.11) \"192.0.2.12\" http://192.0.2.13/x",
	    "192.0.2.10 192.0.2.11 192.0.2.12 192.0.2.13" },
	{ "static-192.0.2.10.example.net host-192.0.2.11 a192.0.2.12", "" },
	{ "192.0.2.10.in-addr.arpa 1.2.3.4.5.6 256.1.1.1 1.2.3", "" },
	{ "MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 12:34:56 std::vector a::b", "" },
	{ "192.0.2.10:10:20:30", "192.0.2.10" },
	{ "192.0.2.110", "192.0.2.110" },
	{ "hxxp://192.0.2.10:8080/x", "192.0.2.10#8080" },
};

static void
test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(addr_cases) / sizeof(addr_cases[0]); i++) {
		struct arena_text got = { .arena = arena };
		struct scan_addr a;
		size_t at = 0;

		while (scan_addr_next(span_of_str(addr_cases[i].text), at, &a)) {
			char buf[ADDR_STR_LEN];
			struct prefix net = prefix_of(&a.addr, a.bits);

			at = a.at + a.len;
			if (got.len != 0)
				arena_text_add_char(&got, ' ');
			arena_text_add_str(&got, a.bits == addr_len(&a.addr) * 8
						     ? addr_str(&a.addr, buf)
						     : prefix_str(&net, buf));
			if (a.port != 0)
				arena_text_add_str(&got, arena_printf(arena, "#%u", a.port));
		}
		if (strcmp(arena_text_str(&got), addr_cases[i].want) != 0)
			fail_msg("\"%s\" has \"%s\"", addr_cases[i].text, arena_text_str(&got));
	}
}

static const struct {
	const char *text;
	uint16_t port;
	enum proto proto;
} port_cases[] = {
	{ "on port 22", 22, PROTO_NOT_TOLD },
	{ "tcp port 25 of", 25, PROTO_NOT_TOLD },
	{ "22/tcp", 22, PROTO_TCP },
	{ "udp/53", 53, PROTO_UDP },
	{ "DPT=3389", 3389, PROTO_NOT_TOLD },
	{ "Port: 443", 443, PROTO_NOT_TOLD },
	{ "Port 3389 (RDP)", 3389, PROTO_NOT_TOLD },
	{ "root from 192.0.2.10 port 50122 ssh2", 0, PROTO_NOT_TOLD },
	{ "source port 50122", 0, PROTO_NOT_TOLD },
	{ "Quellport 50122", 0, PROTO_NOT_TOLD },
	{ "from 192.0.2.10 port 50122 to port 22", 22, PROTO_NOT_TOLD },
	{ "report 12 of 13", 0, PROTO_NOT_TOLD },
	{ "port 99999", 0, PROTO_NOT_TOLD },
	{ "ports 22, 80 and 443", 0, PROTO_NOT_TOLD },
	{ "ports 20-25", 0, PROTO_NOT_TOLD },
	{ "port 22, later port 23", 0, PROTO_NOT_TOLD },
	{ "port 22 and again on port 22", 22, PROTO_NOT_TOLD },
	{ "port 22, 10.5.2026 at 20:00", 22, PROTO_NOT_TOLD },
};

static void
test_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(port_cases) / sizeof(port_cases[0]); i++) {
		enum proto proto = PROTO_NOT_TOLD;
		bool several;
		uint16_t port = scan_named_port(span_of_str(port_cases[i].text), &proto, &several);

		if (port != port_cases[i].port || proto != port_cases[i].proto)
			fail_msg("\"%s\" has port %u", port_cases[i].text, port);
	}
}

static const struct {
	const char *text;
	enum line_form form;
	const char *src, *dst;
	uint16_t sport, dport;
	enum proto proto;
} line_cases[] = {
	{ "Apr  7 10:02:11 web1 sshd[3121]: Failed password for root from 192.0.2.10 port 50122 "
	  "ssh2",
	    LINE_LOG, "192.0.2.10", "", 50122, 0, PROTO_NOT_TOLD },
	{ "Tue Aug  7 09:30:21 2018 TCP   192.0.2.10 54321 =>   198.51.100.1 22", LINE_FLOW,
	    "192.0.2.10", "198.51.100.1", 54321, 22, PROTO_TCP },
	{ "Thu Nov 13 18:14:27 2013:   192.0.2.10 => 198.51.100.1:   22", LINE_FLOW, "192.0.2.10",
	    "198.51.100.1", 0, 22, PROTO_NOT_TOLD },
	{ "2026-04-07 08:01:10  192.0.2.10  45678 -> 203.0.113.1  22   60 TCP", LINE_FLOW,
	    "192.0.2.10", "203.0.113.1", 45678, 22, PROTO_TCP },
	{ "08:01:10.123 IP 192.0.2.10.45678 > 203.0.113.1.22: Flags [S], seq 1", LINE_FLOW,
	    "192.0.2.10", "203.0.113.1", 45678, 22, PROTO_NOT_TOLD },
	{ "21-Sep-2016 06:31:07 GMT-0400 192.0.2.10:4567 -> 203.0.113.1:22 6 328", LINE_FLOW,
	    "192.0.2.10", "203.0.113.1", 4567, 22, PROTO_NOT_TOLD },
	{ "kernel: DROP SRC=192.0.2.10 DST=203.0.113.1 LEN=60 PROTO=UDP SPT=1 DPT=53", LINE_FLOW,
	    "192.0.2.10", "203.0.113.1", 1, 53, PROTO_UDP },
	{ "{\"src_ip\": \"192.0.2.10\", \"dest_ip\": \"203.0.113.1\", \"dest_port\": 80}",
	    LINE_FLOW, "192.0.2.10", "203.0.113.1", 0, 80, PROTO_NOT_TOLD },
	{ "2026-04-07 08:01:10 192.0.2.10 45678 203.0.113.1 22 TCP", LINE_PAIR, "192.0.2.10", "",
	    45678, 0, PROTO_TCP },
	{ "Received: from mx ([198.51.100.230]) by 10", LINE_NOTHING, "", "", 0, 0,
	    PROTO_NOT_TOLD },
	{ "nothing", LINE_NOTHING, "", "", 0, 0, PROTO_NOT_TOLD },
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(line_cases[0]); i++) {
		char src[ADDR_STR_LEN] = "", dst[ADDR_STR_LEN] = "";
		struct log_line line;

		line_parse(span_of_str(line_cases[i].text), &env, &line);
		if (line.incident.src.family != ADDR_NONE)
			addr_str(&line.incident.src, src);
		if (line.incident.dst.addr.family != ADDR_NONE)
			addr_str(&line.incident.dst.addr, dst);
		if (line.form != line_cases[i].form || strcmp(src, line_cases[i].src) != 0 ||
		    strcmp(dst, line_cases[i].dst) != 0 ||
		    line.incident.src_port != line_cases[i].sport ||
		    line.incident.dport != line_cases[i].dport ||
		    line.incident.proto != line_cases[i].proto)
			fail_msg("\"%s\": form %d, %s:%u to %s:%u, %d", line_cases[i].text,
			    line.form, src, line.incident.src_port, dst, line.incident.dport,
			    line.incident.proto);
	}
}

/* The complaint in a mail of these header lines and this text. */
static struct complaint *
read_mail(const char *head, const char *body)
{
	struct complaint *c = arena_alloc(arena, sizeof(*c));
	struct mail m;
	char *text = arena_printf(arena, "%s\n%s", head, body);

	complaint_init(c, arena);
	assert_int_equal(mail_parse(arena, span_of_str(text), &m), RC_OK);
	complaint_read(&m, &env, c);
	return c;
}

static const struct {
	const char *subject, *ticket, *token;
} ticket_cases[] = {
	{ "Abuse Message [AbuseID:7C54AE:1C]: NetscanOutLevel", "7C54AE:1C",
	    "[AbuseID:7C54AE:1C]" },
	{ "[rt.isp.example #95348] AutoReply", "95348", "[rt.isp.example #95348]" },
	{ "[Ticket ID: M247-44199839] Abuse", "M247-44199839", "[Ticket ID: M247-44199839]" },
	{ "Abuse Complaint [444261]", "444261", "[444261]" },
	{ "[CB-Report#20260407-1001] x", "20260407-1001", "[CB-Report#20260407-1001]" },
	{ "abuse (Ticket 4711)", "4711", "Ticket 4711" },
	{ "Case ID: AB-12/7 opened", "AB-12/7", "Case ID: AB-12/7" },
	{ "Abuse [192.0.2.10] seen", "", "" },
	{ "[SPAM] [urgent] abuse", "", "" },
	{ "Abuse from 192.0.2.10", "", "" },
};

static void
test_tickets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ticket_cases) / sizeof(ticket_cases[0]); i++) {
		struct complaint *c =
		    read_mail(arena_printf(arena, "From: a@b.example\nSubject: %s\n",
				  ticket_cases[i].subject),
			"x\n");

		assert_string_equal(c->ticket, ticket_cases[i].ticket);
		assert_string_equal(c->subject_token, ticket_cases[i].token);
	}
}

static const struct {
	const char *text, *want;
} deadline_cases[] = {
	{ "The IP can be blocked at any time after the 2026-04-07 14:20:05 +0200.",
	    "2026-04-07T12:20:05Z" },
	{ "Please answer within 24 hours.", "2026-04-08T08:31:20Z" },
	{ "Bitte antworten Sie innerhalb von 48 Stunden.", "2026-04-09T08:31:20Z" },
	{ "Bitte antworten Sie binnen 3 Tagen.", "2026-04-10T08:31:20Z" },
	{ "Bitte antworten Sie bis zum 09.04.2026, 12:00 Uhr.", "2026-04-09T10:00:00Z" },
	{ "We saw it within 24 networks.", "" },
	{ "The log runs until 2026-04-01 10:00:00.", "" },
};

static void
test_deadlines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(deadline_cases) / sizeof(deadline_cases[0]); i++) {
		struct complaint *c = read_mail("From: a@b.example\n"
						"Date: Tue, 07 Apr 2026 10:31:20 +0200\n",
		    deadline_cases[i].text);
		char buf[WHEN_STR_LEN] = "";

		if (c->has_deadline)
			when_iso_str(c->deadline_utc, buf);
		assert_string_equal(buf, deadline_cases[i].want);
	}
}

static void
test_replies(void **state)
{
	struct complaint *c;

	(void)state;
	c = read_mail("From: a@b.example\nReply-To: c@b.example\n", "x\n");
	assert_string_equal(c->reply_to, "c@b.example");
	assert_int_equal(c->reply, REPLY_EXPECTED);
	c = read_mail("From: a@b.example\nReply-To: abuse@exit.example.org\n", "x\n");
	assert_string_equal(c->reply_to, "a@b.example");
	c = read_mail("From: noreply@b.example\n", "x\n");
	assert_int_equal(c->reply, REPLY_USELESS);
	c = read_mail("From: a@b.example\nAuto-Submitted: auto-generated\n", "x\n");
	assert_int_equal(c->reply, REPLY_OPTIONAL);
	c = read_mail("From: a@b.example\nAuto-Submitted: auto-replied\n", "192.0.2.10\n");
	assert_int_equal(c->handling, HANDLING_IGNORE);
	c = read_mail("Subject: x\n", "192.0.2.10 port scan\n");
	assert_string_equal(c->reply_to, "");
	assert_int_equal(c->reply, REPLY_USELESS);
	c = read_mail("From: abuse@hoster.example\n", "x\n");
	assert_true(c->from_hoster);
}

/* What a program must not answer, and words that only look like it. */
static void
test_gravity(void **state)
{
	static const struct {
		const char *text;
		enum handling want;
	} cases[] = {
		{ "ssh brute force from 192.0.2.10. Preservation request follows.",
		    HANDLING_ESCALATE },
		{ "Auskunftsersuchen zu 192.0.2.10, port scan", HANDLING_ESCALATE },
		{ "Police. Please name the subscriber of 192.0.2.10, port scan",
		    HANDLING_ESCALATE },
		{ "Someone at 192.0.2.10 sent me a death threat", HANDLING_ESCALATE },
		{ "child sexual abuse material was posted from 192.0.2.10", HANDLING_ESCALATE },
		{ "port scan from 192.0.2.10, we will tell the police", HANDLING_PROCESS },
		{ "port scan from 192.0.2.10", HANDLING_PROCESS },
		{ "192.0.2.10 is bad", HANDLING_REVIEW },
		{ "port scan from 192.0.2.110", HANDLING_NOT_OURS },
		{ "hello", HANDLING_REVIEW },
		{ "We scanned your host 192.0.2.10 and found an open resolver", HANDLING_REVIEW },
		{ "port scan by a botnet at 192.0.2.10", HANDLING_REVIEW },
		{ "port scan:\n2026-04-07 08:00:00 198.51.100.9:5 -> 192.0.2.10:22\n",
		    HANDLING_REVIEW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct complaint *c = read_mail("From: a@b.example\n", cases[i].text);

		if (c->handling != cases[i].want)
			fail_msg("\"%s\" is %s", cases[i].text, handling_str(c->handling));
	}
}

/* What is told of several ports and protocols is not taken for one of them. */
static void
test_doubt(void **state)
{
	struct complaint *c;

	(void)state;
	c = read_mail("From: a@b.example\nDate: Tue, 07 Apr 2026 10:31:20 +0200\n",
	    "TCP and UDP port scan from 192.0.2.10 on ports 22, 53 and 80 at 2026-04-07 08:00 "
	    "UTC\n");
	assert_int_equal(c->incident_count, 1);
	assert_int_equal(c->incidents[0].dport, 0);
	assert_int_equal(c->incidents[0].proto, PROTO_NOT_TOLD);
	assert_true(names_have(&c->flags, "several-ports"));
	/* A summary of several: ours is found wherever it stands. */
	c = read_mail("From: a@b.example\nDate: Tue, 07 Apr 2026 10:31:20 +0200\n",
	    "Fail2Ban\nLines containing failures of 198.51.100.9\n"
	    "Apr  7 10:00:00 w sshd[1]: Failed password for x from 198.51.100.9 port 1 ssh2\n"
	    "Lines containing failures of 192.0.2.10\n"
	    "Apr  7 10:00:00 w sshd[1]: Failed password for x from 192.0.2.10 port 1 ssh2\n");
	assert_int_equal(c->handling, HANDLING_PROCESS);
	assert_int_equal(c->incident_count, 1);
	/* An answer to our letter is no new complaint. */
	c = read_mail("From: a@b.example\nIn-Reply-To: <0123.abuse@exit.example.org>\n",
	    "but there was an ssh brute force from 192.0.2.10\n");
	assert_int_equal(c->category, CATEGORY_FOLLOW_UP);
	assert_int_equal(c->handling, HANDLING_REVIEW);
}

/* Forms that have no recogniser here are left to a person, not guessed. */
static void
test_unread_forms(void **state)
{
	struct complaint *c;

	(void)state;
	c = read_mail("From: a@b.example\nX-ARF: yes\n", "port scan from 192.0.2.10\n");
	assert_string_equal(c->format, "unknown");
	assert_int_equal(c->handling, HANDLING_REVIEW);
	assert_int_equal(c->incident_count, 0);
	c = read_mail("From: a@b.example\nContent-Type: application/json\n",
	    "{\"source_identifier\": \"192.0.2.10\"}\n");
	assert_int_equal(c->handling, HANDLING_REVIEW);
}

/* A forward: the inner mail's form, both parties. */
static void
test_forward(void **state)
{
	struct complaint *c = read_mail("From: Desk <abuse@isp.example>\n"
					"Subject: [isp #77] Fwd\n"
					"Content-Type: multipart/mixed; boundary=b\n",
	    "--b\nContent-Type: text/plain\n\nplease see below\n"
	    "--b\nContent-Type: message/rfc822\n\n"
	    "From: bot@victim.example\nSubject: Abuse from 192.0.2.10\n"
	    "Date: Tue, 07 Apr 2026 10:31:20 +0200\n\n"
	    "Lines containing failures of 192.0.2.10\n"
	    "Apr  7 10:02:11 w sshd[1]: Failed password for x from 192.0.2.10 port 1 "
	    "ssh2\n--b--\n");

	(void)state;
	assert_string_equal(c->format, "forwarded+fail2ban");
	assert_string_equal(c->reporter.address, "bot@victim.example");
	assert_string_equal(c->via.address, "abuse@isp.example");
	assert_string_equal(c->via_kind, "isp");
	assert_string_equal(c->reply_to, "abuse@isp.example");
	assert_string_equal(c->ticket, "77");
	assert_int_equal(c->incident_count, 1);
}

static void
read_prefixes(const char *path)
{
	static char bytes[32768];
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	size_t len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_true(len > 100 && len < sizeof(bytes));
	for (size_t n = 0; n <= len; n++) {
		struct arena *a = arena_new();
		/* A block of exactly that size, so that a read past its end shows. */
		struct span cut = arena_copy(a, span_of(bytes, n));
		struct complaint *c = arena_alloc(a, sizeof(*c));
		struct mail m;

		complaint_init(c, a);
		if (mail_parse(a, cut, &m) == RC_OK)
			complaint_read(&m, &env, c);
		arena_free(&a);
	}
}

static int
is_mail(const struct dirent *entry)
{
	return strstr(entry->d_name, ".eml") != NULL;
}

static void
test_every_prefix(void **state)
{
	static const char dir[] = EXITGATE_SRCDIR "/abuse/samples/mails";
	struct dirent **entries;
	char path[4200];
	int count = scandir(dir, &entries, is_mail, alphasort);

	(void)state;
	assert_true(count >= 7);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%.200s", dir, entries[i]->d_name);
		read_prefixes(path);
		free(entries[i]);
	}
	free(entries);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tickets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadlines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gravity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doubt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unread_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forward, setup, teardown),
		cmocka_unit_test(test_every_prefix),
	};

	mail_library_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
