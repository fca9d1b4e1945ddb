/* main.c: the abuse program: its commands, its options, its exit status. Opens the files that
 * are named on the command line, writes drafts into the folder that is named, and nothing else;
 * never opens a network connection. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "abuse/case/fold.h"
#include "abuse/main/input.h"
#include "abuse/main/sandbox.h"
#include "abuse/main/work.h"
#include "abuse/mail/mbox.h"
#include "common/clock.h"
#include "config.h"

#define LEDGERS_MAX 64

struct options {
	bool reply;
	const char *facts, *out, *letters;
	const char *ledgers[LEDGERS_MAX];
	size_t ledger_count;
};

struct run {
	const struct options *options;
	struct facts facts;
	struct template_set letters;
	struct fold fold;
	int status;
};

static const char usage[] =
    "usage: abuse parse --facts FACTS FILE...\n"
    "       abuse reply --facts FACTS --out DIR [--ledger LEDGER]... FILE...\n"
    "\n"
    "Reads abuse complaints. FILE is a mail, an mbox, or - for standard input.\n"
    "\n"
    "  parse          print one JSON object a line for each mail\n"
    "  reply          write a draft into DIR for each mail that may have one\n"
    "\n"
    "  --facts FILE   the operator's relays, policies and mailboxes (JSON)\n"
    "  --ledger FILE  what the guard counted, from `exitguardctl ledger --json`\n"
    "  --out DIR      where drafts go\n"
    "  --letters DIR  letters to use instead of the installed ones\n"
    "  --help, --version\n"
    "\n"
    "Nothing is sent, and no network connection is opened. See abuse(1).\n";

static void complain(struct run *run, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
complain(struct run *run, const char *where, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "abuse: %s: ", where);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	run->status = 1;
}

static void
name_of_mail(struct span mail, char unique[17])
{
	char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, mail.data, mail.len);

	snprintf(unique, 17, "%.16s", sum == NULL ? "0" : sum);
	g_free(sum);
}

/* Write the whole file or none, readable by its owner only. RC_EXISTS: it is there already. */
static enum rc
save_draft(const char *path, const char *text)
{
	char temporary[4200];

	if (access(path, F_OK) == 0)
		return RC_EXISTS;
	snprintf(temporary, sizeof(temporary), "%s.part", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return RC_SYSTEM;
	size_t len = strlen(text), done = 0;
	while (done < len) {
		ssize_t n = write(fd, &text[done], len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	bool ok = done == len && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(temporary, path) == 0;
	if (!ok)
		unlink(temporary);
	return ok ? RC_OK : RC_SYSTEM;
}

static void
answer_mail(
    struct run *run, const char *name, const struct work *work, const struct work_result *result)
{
	char path[4100];

	if (result->draft == NULL) {
		const char *why =
		    result->refusal != NULL ? result->refusal : "it could not be read";

		printf("%s: no draft: %s\n", name, why);
	} else {
		snprintf(
		    path, sizeof(path), "%.4000s/reply-%s.eml", run->options->out, work->unique);
		enum rc rc = save_draft(path, result->draft);
		if (rc == RC_SYSTEM) {
			complain(run, path, "%s", strerror(errno));
			return;
		}
		printf("%s\n", path);
		if (rc == RC_EXISTS)
			fprintf(stderr, "abuse: %s: drafted before, left as it is\n", path);
	}
	const char *first = json_string_value(json_object_get(result->record, "duplicate_of"));
	if (first != NULL)
		fprintf(stderr, "abuse: %s: repeats <%s>; one answer may do\n", name, first);
	if (result->form != NULL)
		fprintf(stderr, "abuse: %s: the sender wants the answer in a form: %s\n", name,
		    result->form);
	if (result->deadline != NULL)
		fprintf(stderr, "abuse: %s: to be answered by %s\n", name, result->deadline);
}

static void
print_record(const json_t *record)
{
	json_dumpf(record, stdout, JSON_COMPACT);
	putchar('\n');
}

static void
one_mail(struct run *run, const char *name, struct span mail)
{
	struct work work = { .facts = &run->facts,
		.mail = mail,
		.now_utc = clock_wall_s(),
		.letters = run->options->reply ? &run->letters : NULL };
	struct work_result result = { .record = NULL };
	char *answer = NULL;
	size_t len = 0;

	const char *fixed = getenv("SOURCE_DATE_EPOCH"); /* drafts that can be made again */
	if (fixed != NULL)
		work.now_utc = strtoll(fixed, NULL, 10);
	name_of_mail(mail, work.unique);
	fflush(NULL);
	enum sandbox_end end = sandbox_run(work_run, &work, &answer, &len);
	if (end == SANDBOX_FAILED) {
		complain(run, name, "%s", strerror(errno));
	} else if (end != SANDBOX_ANSWERED || work_result_read(answer, len, &result) != RC_OK) {
		bool slow = end == SANDBOX_TOO_LONG;

		complain(run, name, "%s; look at it by hand",
		    slow ? "reading it took too long" : "it could not be read within the limits");
		result.record = work_unread_record(&run->facts, slow ? "too-slow" : "unreadable");
		result.refusal = "it could not be read within the limits";
	}
	if (result.error != NULL)
		complain(run, name, "%s", result.error);
	if (result.record != NULL && result.message_id != NULL)
		fold_record(&run->fold, result.record, result.message_id);
	if (run->options->reply && end != SANDBOX_FAILED && (result.record != NULL))
		answer_mail(run, name, &work, &result);
	else if (!run->options->reply && result.record != NULL)
		print_record(result.record);
	work_result_clear(&result);
	free(answer);
}

static void
one_file(struct run *run, const char *path)
{
	char error[INPUT_ERROR_LEN], name[4200];
	struct input in;
	struct mbox box;
	struct span mail;

	if (input_open(&in, path, error) != RC_OK) {
		complain(run, path, "%s", error);
		return;
	}
	if (in.bytes.len == 0)
		complain(run, path, "is empty; save the mail again");
	mbox_init(&box, in.bytes);
	struct arena *a = arena_new();
	for (unsigned n = 1; mbox_next(&box, a, &mail); n++) {
		snprintf(name, sizeof(name), "%.4000s", path);
		if (box.many)
			snprintf(name, sizeof(name), "%.4000s, mail %u", path, n);
		one_mail(run, name, mail);
		arena_free(&a);
		a = arena_new();
	}
	arena_free(&a);
	input_close(&in);
}

static bool
load(struct run *run)
{
	const struct options *o = run->options;
	char error[FACTS_ERROR_LEN];

	if (facts_load(o->facts, &run->facts, error) != RC_OK) {
		complain(run, o->facts, "%s", error);
		return false;
	}
	for (size_t i = 0; i < o->ledger_count; i++) {
		if (facts_load_ledger(o->ledgers[i], &run->facts, error) != RC_OK) {
			complain(run, o->ledgers[i], "%s", error);
			return false;
		}
	}
	if (!o->reply)
		return true;
	run->letters.arena = arena_new();
	if (letter_set_load(&run->letters, o->letters, error) != RC_OK) {
		complain(run, "letters", "%s", error);
		return false;
	}
	struct stat st;
	if (stat(o->out, &st) != 0 || !S_ISDIR(st.st_mode)) {
		complain(run, o->out, "is no directory; make it first");
		return false;
	}
	return true;
}

static int
wrong_use(const char *what)
{
	fprintf(stderr, "abuse: %s; see abuse --help\n", what);
	return 2;
}

/* 0: go on; else the exit status plus one. */
static int
read_options(int argc, char **argv, struct options *out)
{
	static const struct option longs[] = { { "facts", required_argument, NULL, 'f' },
		{ "ledger", required_argument, NULL, 'l' }, { "out", required_argument, NULL, 'o' },
		{ "letters", required_argument, NULL, 't' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			out->facts = optarg;
			break;
		case 'l':
			if (out->ledger_count == LEDGERS_MAX)
				return 1 + wrong_use("too many ledgers");
			out->ledgers[out->ledger_count++] = optarg;
			break;
		case 'o':
			out->out = optarg;
			break;
		case 't':
			out->letters = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		case 'V':
			puts("abuse (" PACKAGE_NAME ") " PACKAGE_VERSION);
			return 1;
		default:
			return 1 + 2;
		}
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct options options = { .reply = false };
	struct run run = { .options = &options };
	int done = read_options(argc, argv, &options);

	if (done != 0)
		return done - 1;
	if (optind == argc)
		return wrong_use("a command is missing");
	const char *command = argv[optind++];
	options.reply = strcmp(command, "reply") == 0;
	if (!options.reply && strcmp(command, "parse") != 0)
		return wrong_use("the commands are parse and reply");
	if (options.facts == NULL)
		return wrong_use("--facts is missing");
	if (options.reply && options.out == NULL)
		return wrong_use("--out is missing");
	if (optind == argc)
		return wrong_use("no mail is named");
	mail_library_init();
	input_guard();
	fold_init(&run.fold);
	if (load(&run))
		for (int i = optind; i < argc; i++)
			one_file(&run, argv[i]);
	if (fflush(stdout) != 0 || ferror(stdout))
		complain(&run, "standard output", "%s", strerror(errno));
	fold_clear(&run.fold);
	facts_clear(&run.facts);
	arena_free(&run.letters.arena);
	return run.status;
}
