/* main.c: relayd's command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "common/log.h"
#include "relayd/crypt/ed25519.h"
#include "relayd/main/relay.h"

#define DEFAULT_TORRC EXITGATE_SYSCONFDIR "/tor/torrc"

static const char help[] =
    "relayd, a multi-threaded Tor exit relay\n"
    "\n"
    "usage: relayd [-f TORRC] [--defaults-torrc FILE] [command] [--Option value ...]\n"
    "\n"
    "  -f TORRC             configuration, as stock tor reads it (default " DEFAULT_TORRC ")\n"
    "  --defaults-torrc F   read before it\n"
    "  --Option value       like a line of the torrc, and stronger\n"
    "  --verify-config      check the configuration and leave\n"
    "  --dump-config short  print what differs from the defaults (full: everything) and leave\n"
    "  --list-fingerprint   print the relay's identities, making keys if there are none\n"
    "  --keygen             make the keys and leave\n"
    "  --quiet, --hush      start with errors only, or with warnings, until Log lines are read\n"
    "  --version, --help\n"
    "\n"
    "Signals: HUP reloads, INT finishes open streams for ShutdownWaitLength and leaves, TERM\n"
    "leaves now. See relayd(8) and relayd.torrc(5).\n";

enum command { RUN, VERIFY_CONFIG, DUMP_SHORT, DUMP_FULL, LIST_FINGERPRINT, KEYGEN };

struct command_line {
	struct relay_options options;
	enum command command;
	const char *pairs[128];
};

static int
usage_error(const char *what, const char *arg)
{
	fprintf(stderr, "relayd: %s%s; see relayd --help\n", what, arg);
	return 1;
}

/* Options that take no value. False: not one of them. */
static bool
take_flag(const char *arg, struct command_line *cl)
{
	static const struct {
		const char *name;
		enum command command;
	} commands[] = { { "--verify-config", VERIFY_CONFIG },
		{ "--list-fingerprint", LIST_FINGERPRINT }, { "--keygen", KEYGEN } };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(arg, commands[i].name) == 0) {
			cl->command = commands[i].command;
			return true;
		}
	if (strcmp(arg, "--quiet") == 0 || strcmp(arg, "--hush") == 0) {
		log_add_stderr(arg[2] == 'q' ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN);
		return true;
	}
	return false;
}

static int
take_dump(const char *value, struct command_line *cl)
{
	if (strcmp(value, "short") == 0 || strcmp(value, "non-builtin") == 0)
		cl->command = DUMP_SHORT;
	else if (strcmp(value, "full") == 0)
		cl->command = DUMP_FULL;
	else
		return usage_error("--dump-config takes short or full, not ", value);
	return 0;
}

/* -1: go on; else the exit status. */
static int
parse_command_line(int argc, char **argv, struct command_line *cl)
{
	size_t most = sizeof(cl->pairs) / sizeof(cl->pairs[0]);

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
			fputs(help, stdout);
			return 0;
		}
		if (strcmp(arg, "--version") == 0) {
			puts("relayd " PACKAGE_VERSION);
			return 0;
		}
		if (take_flag(arg, cl))
			continue;
		if (value == NULL)
			return usage_error("value missing, or unknown option: ", arg);
		i++;
		if (strcmp(arg, "-f") == 0)
			cl->options.torrc_path = value;
		else if (strcmp(arg, "--defaults-torrc") == 0)
			cl->options.defaults_path = value;
		else if (strcmp(arg, "--dump-config") == 0) {
			if (take_dump(value, cl) != 0)
				return 1;
		} else if (arg[0] == '-' && arg[1] == '-' && arg[2] != '\0') {
			if (cl->options.pair_count * 2 + 2 > most)
				return usage_error(
				    "too many options, put them into the torrc: ", arg);
			cl->pairs[cl->options.pair_count * 2] = arg + 2;
			cl->pairs[cl->options.pair_count * 2 + 1] = value;
			cl->options.pair_count++;
		} else
			return usage_error("not understood: ", arg);
	}
	cl->options.pairs = cl->pairs;
	return -1;
}

int
main(int argc, char **argv)
{
	static struct command_line cl = { .options = { .torrc_path = DEFAULT_TORRC } };
	struct torrc *conf;
	int status;

	log_init("relayd");
	status = parse_command_line(argc, argv, &cl);
	if (status >= 0)
		return status;
	if (crypt_init() != RC_OK) {
		log_error(LOG_GENERAL, "the crypto library does not start");
		return 1;
	}
	conf = relay_load_config(&cl.options);
	if (conf == NULL)
		return 1;
	switch (cl.command) {
	case RUN:
		return relay_run(&cl.options, conf);
	case LIST_FINGERPRINT:
	case KEYGEN:
		status = relay_list_fingerprint(conf);
		break;
	case VERIFY_CONFIG:
		puts("Configuration is valid.");
		status = 0;
		break;
	case DUMP_SHORT:
	case DUMP_FULL:
		torrc_dump(conf, cl.command == DUMP_FULL, stdout);
		status = 0;
		break;
	}
	torrc_free(&conf);
	return status;
}
