/* torrc_test.c: the configuration, from real files; dumps; the man page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf.h"
#include "relayd/ops/torrc_man.h"
#include "relayd/ops/torrc_read.h"

#define VECTORS EXITGATE_SRCDIR "/relayd/ops/vectors/"

/* Remarks, one a line: "error FILE:LINE: TEXT". The folder's name is cut off. */
struct remarks {
	char text[8192];
	size_t len;
	bool keep_idle;
};

static char folder[] = "/tmp/torrc_test.XXXXXX";

/* What is named as idle is a matter of its own: see test_idle. */
static bool
is_idle(const char *text)
{
	for (size_t i = 0; i < torrc_idle_count; i++)
		if (strstr(text, torrc_idle[i].text) != NULL)
			return true;
	return false;
}

static void
on_remark(void *arg, enum log_level level, const char *file, unsigned line, const char *text)
{
	static const char *const names[] = { "error", "warn", "notice" };
	struct remarks *remarks = arg;
	const char *base = strrchr(file, '/');

	if (!remarks->keep_idle && is_idle(text))
		return;
	int n = snprintf(remarks->text + remarks->len, sizeof(remarks->text) - remarks->len,
	    "%s %s:%u: %s\n", names[level], base != NULL ? base + 1 : file, line, text);

	if (n > 0 && (size_t)n < sizeof(remarks->text) - remarks->len)
		remarks->len += (size_t)n;
}

static const char *
path_of(const char *name)
{
	static char path[2][256];
	static unsigned next;

	next ^= 1;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static const char *
write_file(const char *name, const char *text)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static enum rc
load_text(const char *text, struct torrc **out, struct remarks *remarks)
{
	remarks->len = 0;
	remarks->text[0] = '\0';
	return torrc_load(write_file("torrc", text), NULL, NULL, 0, on_remark, remarks, out);
}

static struct torrc *
must_load(const char *text)
{
	struct remarks remarks = { .len = 0 };
	struct torrc *t;
	enum rc rc = load_text(text, &t, &remarks);

	if (rc != RC_OK)
		fail_msg("%s", remarks.text);
	return t;
}

static char *
dump_of(const struct torrc *t, bool full)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	torrc_dump(t, full, f);
	fclose(f);
	return text;
}

/* --- whole files --- */

static void
test_testnet_exit(void **state)
{
	struct remarks remarks = { .len = 0 };
	char names[256];
	struct torrc *t, *other;

	(void)state;
	assert_int_equal(
	    torrc_load(VECTORS "testnet-exit.torrc", NULL, NULL, 0, on_remark, &remarks, &t),
	    RC_OK);
	assert_null(strstr(remarks.text, "error"));
	assert_null(strstr(remarks.text, "warn"));
	assert_non_null(strstr(remarks.text, ": ControlSocket has no effect"));
	assert_true(t->testing_tor_network && t->assume_reachable && t->protocol_warnings);
	assert_true(t->extend_allow_private_addresses && t->allow_private_dir_addresses);
	assert_true(t->exit_relay && !t->reduced_exit_policy && !t->exit_policy_reject_private);
	assert_int_equal(t->exit_policy.count, 1);
	assert_string_equal(t->exit_policy.items[0], "accept *:*");
	assert_int_equal(t->refuse_unknown_exits, 0);
	assert_int_equal(t->dir_authority.count, 3);
	assert_int_equal(t->or_port_count, 1);
	assert_int_equal(t->or_ports[0].port, 9001);
	assert_int_equal(addr_ipv4_u32(&t->or_ports[0].addr), 0x7f000301);
	assert_int_equal(addr_ipv4_u32(&t->address_v4), 0x7f000301);
	assert_int_equal(addr_ipv4_u32(&t->outbound_or_v4), 0x7f000301);
	assert_int_equal(addr_ipv4_u32(&t->outbound_exit_v4), 0xc000020b);
	assert_int_equal(t->max_mem_in_queues, 512u << 20);
	assert_int_equal(t->shutdown_wait_s, 0);
	assert_int_equal(t->log_count, 2);
	assert_int_equal(t->logs[1].level, LOG_LEVEL_INFO);
	assert_string_equal(t->logs[1].file, "/tmp/net/nodes/exit1/log.more");
	assert_string_equal(t->server_dns_resolv_conf, "/tmp/net/resolv.conf");
	assert_string_equal(t->nickname, "exit1");
	other = must_load("ORPort 9001\nContactInfo other\n");
	assert_true(torrc_needs_restart(t, other, names, sizeof(names)));
	assert_non_null(strstr(names, "ORPort"));
	assert_null(strstr(names, "ContactInfo"));
	assert_false(torrc_needs_restart(t, t, names, sizeof(names)));
	assert_string_equal(names, "");
	torrc_free(&other);
	torrc_free(&t);
}

static void
test_exit(void **state)
{
	struct remarks remarks = { .len = 0 };
	struct torrc *t;

	(void)state;
	assert_int_equal(
	    torrc_load(VECTORS "exit.torrc", NULL, NULL, 0, on_remark, &remarks, &t), RC_OK);
	assert_string_equal(remarks.text,
	    "notice exit.torrc:17: ControlPort has no effect: relayd has no control port\n"
	    "notice exit.torrc:19: DirPort has no effect: relayd does not serve directory "
	    "documents\n"
	    "warn exit.torrc:20: AccountingMax has no effect: relayd does not limit traffic by "
	    "this "
	    "option\n");
	assert_string_equal(t->contact_info, "abuse@example.net \"Alder\" #1");
	assert_true(t->exit_relay && t->reduced_exit_policy && t->ipv6_exit);
	assert_true(t->exit_policy_reject_private);
	assert_int_equal(t->or_port_count, 2);
	assert_int_equal(t->or_ports[0].addr.family, ADDR_NONE);
	assert_int_equal(t->or_ports[1].addr.family, ADDR_IPV6);
	assert_int_equal(t->bandwidth_rate, 13107200);
	assert_int_equal(t->bandwidth_burst, 26214400);
	assert_int_equal(t->my_family.count, 2);
	assert_string_equal(t->my_family.items[0], "0123456789ABCDEF0123456789ABCDEF01234567");
	assert_string_equal(t->my_family.items[1], "89ABCDEF0123456789ABCDEF0123456789ABCDEF");
	assert_int_equal(addr_ipv4_u32(&t->outbound_or_v4), 0xc000020a);
	assert_int_equal(t->outbound_or_v6.family, ADDR_NONE);
	assert_int_equal(addr_ipv4_u32(&t->outbound_exit_v4), 0xc000020b);
	assert_int_equal(t->outbound_exit_v6.family, ADDR_IPV6);
	assert_int_equal(t->workers, 4);
	assert_int_equal(t->guard_timeout_ms, 15);
	assert_false(t->guard_fail_open);
	assert_int_equal(t->refuse_unknown_exits, -1);
	torrc_free(&t);
}

static void
test_dump(void **state)
{
	static const char *const files[] = { VECTORS "exit.torrc", VECTORS "testnet-exit.torrc" };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct torrc *t, *again;
		bool full = i >= 2;

		assert_int_equal(torrc_load(files[i % 2], NULL, NULL, 0, NULL, NULL, &t), RC_OK);
		char *text = dump_of(t, full);
		again = must_load(text);
		char *second = dump_of(again, full);
		assert_string_equal(text, second);
		free(second);
		/* The short form and the full form say the same. */
		char *one = dump_of(t, true), *other = dump_of(again, true);
		assert_string_equal(one, other);
		free(one);
		free(other);
		free(text);
		torrc_free(&again);
		torrc_free(&t);
	}
	struct torrc *t = must_load("");
	char *text = dump_of(t, false);
	assert_string_equal(text, "ExitRelay 0\nReducedExitPolicy 0\n");
	free(text);
	torrc_free(&t);
	t = must_load("ORPort 9001\nContactInfo \"  x\\\\\"\nLog info file /a b\n");
	text = dump_of(t, false);
	assert_string_equal(text, "ContactInfo \"  x\\\\\"\nORPort 9001\nExitRelay 0\n"
				  "ReducedExitPolicy 0\nLog info file /a b\n");
	free(text);
	torrc_free(&t);
}

/* --- single lines --- */

static void
test_quantities(void **state)
{
	static const struct {
		const char *text;
		uint64_t want; /* 0: refused */
	} cases[] = {
		{ "80000", 80000 },
		{ "80 KB", 81920 },
		{ "80KB", 81920 },
		{ "100 kbytes", 102400 },
		{ "800 kbits", 102400 },
		{ "1.5 MB", 1572864 },
		{ "1. mbyte", 1048576 },
		{ ".5 GB", 536870912 },
		{ "1 tbyte", 1099511627776 },
		{ "8 megabits", 1048576 },
		{ "100 k", 0 },
		{ "1 KiB", 0 },
		{ "1 kbs", 0 },
		{ "-5", 0 },
		{ ".", 0 },
		{ "1.2.3", 0 },
		{ "0x10", 0 },
		{ "99999999 TB", 0 },
		{ "99999999999999999999999", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct remarks remarks = { .len = 0 };
		struct torrc *t;
		char text[128];

		snprintf(text, sizeof(text), "MaxAdvertisedBandwidth %s\n", cases[i].text);
		enum rc rc = load_text(text, &t, &remarks);
		if ((rc == RC_OK) != (cases[i].want != 0))
			fail_msg("%s: %s", cases[i].text, remarks.text);
		if (rc == RC_OK)
			assert_int_equal(t->max_advertised_bandwidth, cases[i].want);
		torrc_free(&t);
	}
	struct torrc *t = must_load("ShutdownWaitLength 1.5 hours\nKeepalivePeriod 2 minutes\n"
				    "HeartbeatPeriod 1 day\nGuardTimeout 0.5 seconds\n");
	assert_int_equal(t->shutdown_wait_s, 5400);
	assert_int_equal(t->keepalive_s, 120);
	assert_int_equal(t->heartbeat_s, 86400);
	assert_int_equal(t->guard_timeout_ms, 500);
	torrc_free(&t);
}

static void
test_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "Nicknmae x",
		    "error torrc:1: unknown option Nicknmae; did you mean Nickname?\n" },
		{ "ORPort 1\nExitPolcy accept *:*",
		    "error torrc:2: unknown option ExitPolcy; did you mean ExitPolicy?\n" },
		{ "Qwertzuiop 1", "error torrc:1: unknown option Qwertzuiop\n" },
		{ "Exit 1", "error torrc:1: Exit is ambiguous: ExitRelay, ExitPolicy, ...\n" },
		{ "\nHiddenServiceDir /x", "error torrc:2: HiddenServiceDir is refused: relayd "
					   "does not host onion services\n" },
		{ "SocksPort 9050",
		    "error torrc:1: SocksPort is refused: concerns clients, and relayd is "
		    "a relay only\n" },
		{ "BridgeRelay 1", "error torrc:1: BridgeRelay is refused: relayd is a public "
				   "relay, not a bridge\n" },
		{ "AuthoritativeDirectory 1",
		    "error torrc:1: AuthoritativeDirectory is refused: concerns "
		    "directory authorities, and relayd is a relay only\n" },
		{ "TransPort 9040",
		    "error torrc:1: TransPort is refused: concerns clients, and relayd is "
		    "a relay only\n" },
		{ "ORPort auto",
		    "error torrc:1: ORPort: auto is not supported: a relay's port must stay "
		    "the same\n" },
		{ "ORPort 70000",
		    "error torrc:1: ORPort: 70000 is neither a port nor ADDRESS:PORT\n" },
		{ "ORPort 1 Foo", "error torrc:1: ORPort: unknown flag Foo\n" },
		{ "ORPort 1 NoListen NoAdvertise",
		    "error torrc:1: ORPort: NoListen and NoAdvertise exclude each other\n" },
		{ "ORPort [::1]:1 IPv4Only",
		    "error torrc:1: ORPort: the address is of the other family\n" },
		{ "ORPort [2001:db8::1]:1",
		    "error torrc:1: ORPort: a relay needs an IPv4 port too\n" },
		{ "Nickname a b", "error torrc:1: Nickname: must be 1 to 19 letters and digits\n" },
		{ "Nickname abcdefghijabcdefghij",
		    "error torrc:1: Nickname: must be 1 to 19 letters and digits\n" },
		{ "ExitRelay yes", "error torrc:1: ExitRelay: must be 0, 1 or auto\n" },
		{ "IPv6Exit auto", "error torrc:1: IPv6Exit: must be 0 or 1\n" },
		{ "ExitRelay 1", "error torrc:1: ExitRelay needs an ORPort, and none is given\n" },
		{ "BandwidthRate 2 MB\nBandwidthBurst 1 MB",
		    "error torrc:2: BandwidthBurst must be at least BandwidthRate\n" },
		{ "ORPort 1\nBandwidthRate 20 KB",
		    "error torrc:2: BandwidthRate: a relay needs at least 75 KBytes a second\n" },
		{ "Address relay.example", "error torrc:1: Address: must be an IPv4 or IPv6 "
					   "address (a name is not accepted)\n" },
		{ "Address 10.0.0.1", "error torrc:1: Address: a relay of the public network needs "
				      "a public address\n" },
		{ "MyFamily alder", "error torrc:1: MyFamily: alder is not a fingerprint\n" },
		{ "TestingTorNetwork 1",
		    "error torrc:1: TestingTorNetwork needs DirAuthority lines\n" },
		{ "Log blub stderr",
		    "error torrc:1: Log: the level must be err, warn, notice, info or debug\n" },
		{ "Log notice file",
		    "error torrc:1: Log: must be LEVEL stderr|stdout|syslog or LEVEL "
		    "file PATH\n" },
		{ "GuardFailMode maybe", "error torrc:1: GuardFailMode: must be open or closed\n" },
		{ "GuardTimeout 0",
		    "error torrc:1: GuardTimeout: must be 1 to 1000 milliseconds\n" },
		{ "KeepalivePeriod 0", "error torrc:1: KeepalivePeriod: must not be 0\n" },
		{ "ContactInfo \"x", "error torrc:1: the line is malformed (quotes?)\n" },
		{ "ContactInfo \"a\\x07\"",
		    "error torrc:1: ContactInfo: control characters in the value\n" },
		{ "ContactInfo a\xff", "error torrc:1: ContactInfo: not UTF-8\n" },
		{ "PublishServerDescriptor bridge",
		    "error torrc:1: PublishServerDescriptor: relayd is a "
		    "public relay, not a bridge\n" },
		{ "%include /nonexistent/x",
		    "error torrc:1: cannot include /nonexistent/x: no such file or folder\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct remarks remarks = { .len = 0 };
		struct torrc *t;

		assert_int_not_equal(load_text(cases[i].text, &t, &remarks), RC_OK);
		assert_null(t);
		assert_string_equal(remarks.text, cases[i].want);
	}
}

static void
test_harmless(void **state)
{
	struct remarks remarks = { .len = 0 };
	struct torrc *t;

	(void)state;
	assert_int_equal(load_text("SocksPort 0\nBridgeRelay 0\nAuthoritativeDirectory 0\n"
				   "HiddenServiceDir\nTransPort 0\nUseBridges 0\n",
			     &t, &remarks),
	    RC_OK);
	assert_string_equal(remarks.text, "");
	torrc_free(&t);
	assert_int_equal(
	    load_text("Nick alder\nDirPort 0\nDirPort 0\nGroup x\nNumCPU 3\nKeepaliveP 5\n"
		      "IPv6Exit 0\nIPv6Exit 0\nMaxMemInQueues 1 MB\nExitPolicy\n",
		&t, &remarks),
	    RC_OK);
	assert_string_equal(remarks.text,
	    "notice torrc:1: Nick is taken for Nickname; please write it out\n"
	    "notice torrc:2: DirPort has no effect: relayd does not serve directory documents\n"
	    "notice torrc:4: Group is obsolete and skipped\n"
	    "notice torrc:6: KeepaliveP is taken for KeepalivePeriod; please write it out\n"
	    "notice torrc:8: IPv6Exit is given more than once; the last one counts\n"
	    "notice torrc:10: ExitPolicy has no value and is skipped\n"
	    "notice torrc:9: MaxMemInQueues: raised to 64 MBytes\n");
	assert_string_equal(t->nickname, "alder");
	assert_int_equal(t->num_cpus, 3);
	assert_int_equal(t->max_mem_in_queues, 64u << 20);
	torrc_free(&t);
}

static void
test_exit_defaults(void **state)
{
	static const struct {
		const char *text;
		bool exit, reduced;
	} cases[] = {
		{ "", false, false },
		{ "ExitRelay 1", true, true },
		{ "ExitRelay 1\nReducedExitPolicy 0", true, false },
		{ "ExitRelay 1\nExitPolicy reject *:25", true, false },
		{ "ExitRelay 1\nExitPolicy reject *:25\nReducedExitPolicy 1", true, true },
		{ "ExitPolicy accept *:80", true, false },
		{ "ReducedExitPolicy 1", true, true },
		{ "IPv6Exit 1", true, false },
		{ "ExitRelay 0\nExitPolicy accept *:80", false, false },
		{ "ExitRelay auto", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "ORPort 9001\n%s\n", cases[i].text);
		struct torrc *t = must_load(text);
		assert_int_equal(t->exit_relay, cases[i].exit);
		assert_int_equal(t->reduced_exit_policy, cases[i].reduced);
		torrc_free(&t);
	}
}

/* --- sources --- */

static void
test_sources(void **state)
{
	static const char *const pairs[] = { "--Nickname", "elm", "+ExitPolicy", "accept *:22",
		"--+Log", "warn stderr", "/ORPort", "", "Workers", "3" };
	struct remarks remarks = { .len = 0 };
	struct torrc *t;

	(void)state;
	write_file(
	    "defaults", "Nickname oak\nExitPolicy reject *:25\nLog debug stderr\nIPv6Exit 1\n");
	write_file("torrc", "Nickname ash\nExitPolicy accept *:80\nExitPolicy accept *:443\n"
			    "ORPort 9001\n");
	assert_int_equal(
	    torrc_load(path_of("torrc"), path_of("defaults"), NULL, 0, on_remark, &remarks, &t),
	    RC_OK);
	assert_string_equal(t->nickname, "ash");
	assert_int_equal(t->exit_policy.count, 2);
	assert_string_equal(t->exit_policy.items[1], "accept *:443");
	assert_int_equal(t->log_count, 1);
	assert_true(t->ipv6_exit);
	torrc_free(&t);
	assert_int_equal(
	    torrc_load(path_of("torrc"), path_of("defaults"), pairs, 3, on_remark, &remarks, &t),
	    RC_OK);
	assert_string_equal(t->nickname, "elm");
	assert_int_equal(t->exit_policy.count, 3);
	assert_string_equal(t->exit_policy.items[2], "accept *:22");
	assert_int_equal(t->log_count, 2);
	torrc_free(&t);
	assert_int_equal(
	    torrc_load(path_of("torrc"), NULL, pairs, 5, on_remark, &remarks, &t), RC_SYNTAX);
	assert_string_equal(
	    remarks.text, "error configuration:0: ExitRelay needs an ORPort, and none is given\n");
}

static void
test_include(void **state)
{
	struct remarks remarks = { .len = 0 };
	char text[512], deep[600];
	struct torrc *t;

	(void)state;
	assert_int_equal(mkdir(path_of("d"), 0700), 0);
	write_file("d/10-b", "ExitPolicy accept *:2\n");
	write_file("d/05-a", "ExitPolicy accept *:1\nBogus 1\n");
	write_file("d/.hidden", "ExitPolicy accept *:9\n");
	write_file("one.conf", "ExitPolicy accept *:3\n");
	snprintf(text, sizeof(text),
	    "ORPort 9001\n%%include %s/d\n%%INCLUDE %s/*.conf\n%%include %s/none*\n", folder,
	    folder, folder);
	assert_int_equal(load_text(text, &t, &remarks), RC_SYNTAX);
	assert_string_equal(remarks.text, "error 05-a:2: unknown option Bogus\n");
	write_file("d/05-a", "ExitPolicy accept *:1\n");
	t = must_load(text);
	assert_int_equal(t->exit_policy.count, 3);
	for (size_t i = 0; i < 3; i++) {
		snprintf(deep, sizeof(deep), "accept *:%zu", i + 1);
		assert_string_equal(t->exit_policy.items[i], deep);
	}
	torrc_free(&t);
	/* A file that includes itself. */
	snprintf(text, sizeof(text), "%%include %s/torrc\n", folder);
	assert_int_equal(load_text(text, &t, &remarks), RC_SYNTAX);
	assert_non_null(strstr(remarks.text, "more than 8 levels of %include"));
}

static void
test_unreadable(void **state)
{
	struct remarks remarks = { .len = 0 };
	struct torrc *t;

	(void)state;
	assert_int_equal(
	    torrc_load("/nonexistent/torrc", NULL, NULL, 0, on_remark, &remarks, &t), RC_SYNTAX);
	assert_string_equal(remarks.text,
	    "error torrc:0: cannot read /nonexistent/torrc: No such file or directory\n");
	assert_null(t);
	remarks.len = 0;
	assert_int_equal(torrc_load("/tmp", NULL, NULL, 0, on_remark, &remarks, &t), RC_SYNTAX);
	assert_string_equal(remarks.text, "error tmp:0: cannot read /tmp: Is a directory\n");
	remarks.len = 0;
	FILE *f = fopen(path_of("nul"), "w");
	assert_non_null(f);
	fwrite("Nickname a\0b\n", 1, 13, f);
	fclose(f);
	assert_int_equal(
	    torrc_load(path_of("nul"), NULL, NULL, 0, on_remark, &remarks, &t), RC_SYNTAX);
	assert_non_null(strstr(remarks.text, "not a text file"));
}

/* --- the table --- */

static void
test_table(void **state)
{
	struct torrc *t = must_load("");

	(void)state;
	for (size_t i = 0; i < torrc_known_count; i++) {
		const struct torrc_known *known = torrc_known_find(torrc_known[i].name);

		assert_non_null(known);
		if (torrc_known[i].kind != TORRC_ALIAS)
			assert_ptr_equal(known, &torrc_known[i]); /* no name twice */
	}
	for (unsigned id = 0; id < TORRC_OPTION_COUNT; id++) {
		assert_true(strlen(torrc_options[id].help) > 10);
		assert_null(strchr(torrc_options[id].help, '\n'));
	}
	torrc_free(&t);
}

/* Every option that stock tor 0.4.9.11 lists is classified. */
static void
test_stock_names(void **state)
{
	char *text;
	size_t len;
	struct span line;

	(void)state;
	assert_int_equal(conf_read_file(VECTORS "stock-options.txt", 1 << 20, &text, &len), RC_OK);
	struct rd rd = rd_from(span_of(text, len));
	while (rd_line(&rd, &line)) {
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)line.len, (const char *)line.data);
		if (torrc_known_find(name) == NULL)
			fail_msg("torrc.def does not name %s", name);
	}
	free(text);
}

static void
test_idle(void **state)
{
	struct remarks remarks = { .len = 0 };
	struct torrc *t;

	(void)state;
	for (size_t i = 0; i < torrc_idle_count; i++) {
		const struct torrc_option *option = &torrc_options[torrc_idle[i].option];
		char text[256];

		snprintf(text, sizeof(text), "%s %s\n", option->name,
		    option->type == TORRC_TYPE_FAMILY ? "0123456789ABCDEF0123456789ABCDEF01234567"
						      : option->initial);
		remarks.keep_idle = true;
		assert_int_equal(load_text(text, &t, &remarks), RC_OK);
		assert_true(is_idle(remarks.text));
		remarks.keep_idle = false;
		torrc_free(&t);
	}
	assert_int_equal(load_text("Nickname alder\n", &t, &remarks), RC_OK);
	assert_string_equal(remarks.text, "");
	torrc_free(&t);
}

static void
test_man_page(void **state)
{
	char *want, *have;
	size_t want_len, have_len;
	FILE *f = open_memstream(&want, &want_len);

	(void)state;
	assert_non_null(f);
	torrc_man_write(f);
	fclose(f);
	assert_int_equal(
	    conf_read_file(EXITGATE_SRCDIR "/docs/relayd.torrc.5", 1 << 20, &have, &have_len),
	    RC_OK);
	if (strcmp(have, want) != 0)
		fail_msg("docs/relayd.torrc.5 is not what relayd/ops/torrc_man prints");
	free(want);
	free(have);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = { "torrc", "defaults", "nul", "one.conf", "d/10-b",
		"d/05-a", "d/.hidden", "d" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove(path_of(names[i]));
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_testnet_exit),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_exit_defaults),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_stock_names),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_man_page),
	};

	return cmocka_run_group_tests_name("torrc", tests, make_folder, remove_folder);
}
