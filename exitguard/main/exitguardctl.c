/* exitguardctl.c: ask a running exitguard, show the answer. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exitguard/ctl/client.h"
#include "exitguard/ctl/render.h"
#include "exitguard/ctl/request.h"

#define PATIENCE_S 10

/* Exit codes a script can use. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NOT_RUNNING = 3 };

static void
print_usage(FILE *to)
{
	fputs("Usage: exitguardctl [--json] [--socket PATH] COMMAND [ARGUMENT]...\n\n", to);
	for (unsigned i = 0; i < CTL_COMMAND_COUNT; i++)
		fprintf(to, "  %-8s %-42s %s\n", ctl_commands[i].word, ctl_commands[i].arguments,
		    ctl_commands[i].text);
	fputs("\nOptions: -j, --json  the answer as JSON    -s, --socket PATH  another socket "
	      "than " CTL_DEFAULT_SOCKET "\n"
	      "         for ledger: --prefix ADDRESS --from TIME --to TIME\n"
	      "Exit status: 0 done, 1 exitguard says no, 2 wrong arguments, 3 it does not run.\n",
	    to);
}

/* The words of a request, one space apart. False: too long. */
static bool
add_word(char line[CTL_REQUEST_MAX], const char *word)
{
	size_t len = strlen(line);

	if (strpbrk(word, " \n") != NULL || *word == '\0')
		return false;
	return snprintf(line + len, CTL_REQUEST_MAX - len, "%s%s", len != 0 ? " " : "", word) <
	       (int)(CTL_REQUEST_MAX - len);
}

static int
show(const char *answer, const char *word, bool as_json)
{
	json_error_t error;
	json_t *json = json_loads(answer, 0, &error);

	if (json == NULL) {
		fprintf(stderr, "exitguardctl: the answer is no JSON: %s\n", error.text);
		return EXIT_NOT_RUNNING;
	}
	const char *refused = json_string_value(json_object_get(json, "error"));
	if (as_json)
		puts(answer);
	else if (refused != NULL)
		fprintf(stderr, "exitguardctl: %s\n", refused);
	else
		render_answer(word, json, stdout);
	json_decref(json);
	return refused != NULL ? EXIT_REFUSED : EXIT_DONE;
}

static int
ask(const char *socket_path, const char *line, const char *word, bool as_json)
{
	char *answer;
	size_t len;
	enum rc rc = ctl_ask(socket_path, line, PATIENCE_S, &answer, &len);

	if (rc != RC_OK) {
		fprintf(stderr,
		    "exitguardctl: no answer at %s: %s; does exitguard run, and is this its "
		    "ControlSocket?\n",
		    socket_path, rc == RC_SYSTEM ? strerror(errno) : rc_str(rc));
		return EXIT_NOT_RUNNING;
	}
	int status = show(answer, word, as_json);
	free(answer);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { "prefix", required_argument, NULL, 'p' },
		{ "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 } };
	char line[CTL_REQUEST_MAX] = "", extra[CTL_REQUEST_MAX] = "";
	const char *socket_path = CTL_DEFAULT_SOCKET, *why;
	bool as_json = false, fits = true;
	struct ctl_request request;
	int option;

	while ((option = getopt_long(argc, argv, "js:hV", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			as_json = true;
			break;
		case 's':
			socket_path = optarg;
			break;
		case 'h':
			print_usage(stdout);
			return EXIT_DONE;
		case 'V':
			puts("exitguardctl (exitgate) " PACKAGE_VERSION);
			return EXIT_DONE;
		case 'p':
			fits = fits && add_word(extra, "prefix") && add_word(extra, optarg);
			break;
		case 'f':
			fits = fits && add_word(extra, "from") && add_word(extra, optarg);
			break;
		case 't':
			fits = fits && add_word(extra, "to") && add_word(extra, optarg);
			break;
		default:
			print_usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	for (int i = optind; i < argc; i++)
		fits = fits && add_word(line, argv[i]);
	if (fits && extra[0] != '\0')
		fits = snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", extra) <
		       (int)(sizeof(line) - strlen(line));
	enum rc rc = fits ? ctl_request_parse(span_of_str(line), &request, &why) : RC_LIMIT;
	if (rc != RC_OK) {
		fprintf(stderr, "exitguardctl: %s\n",
		    !fits                ? "this is no word of a request"
		    : rc == RC_NOT_FOUND ? "no such command; see exitguardctl --help"
					 : why);
		return EXIT_USAGE;
	}
	return ask(socket_path, line, ctl_commands[request.command].word, as_json);
}
