/* exitguard.c: the daemon's command line. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "exitguard/front/front.h"
#include "exitguard/priv/confine.h"
#include "exitguard/priv/priv.h"
#include "exitguard/replay/replay.h"

static const char usage[] =
    "Usage: exitguard [run] [-c FILE]          guard this exit (in the foreground)\n"
    "       exitguard check-config [-c FILE]   say whether the configuration is right\n"
    "       exitguard replay [OPTION]...       a trace on standard input through the engine\n"
    "       exitguard --help | --version\n"
    "\n"
    "Decides which new connections of a Tor exit go out, and keeps table inet exitguard\n"
    "in the kernel. Without -c it reads " SETTINGS_DEFAULT ". exitguardctl(1) talks to it.\n";

/* The log lines of the configuration; false (and said) if a file cannot be opened. */
static bool
open_logs(const struct settings *settings)
{
	for (size_t i = 0; i < settings->log.count; i++) {
		char level_name[16];
		enum log_level level;
		int skip = 0;

		if (sscanf(settings->log.items[i], "%15s %n", level_name, &skip) != 1 ||
		    log_level_parse(level_name, &level) != RC_OK)
			return false;
		const char *where = settings->log.items[i] + skip;
		enum rc rc = strcmp(where, "stderr") == 0 ? log_add_stderr(level)
							  : log_add_file(level, where);
		if (rc != RC_OK) {
			fprintf(stderr, "exitguard: log %s: %s\n", where, rc_str(rc));
			return false;
		}
	}
	return true;
}

static bool
load(const char *path, struct settings *settings)
{
	struct settings_error error;

	if (settings_load(path, settings, &error) == RC_OK)
		return true;
	if (error.line != 0)
		fprintf(stderr, "exitguard: %s:%u: %s\n", path, error.line, error.text);
	else
		fprintf(stderr, "exitguard: %s: %s\n", path, error.text);
	return false;
}

static int
run_front(const char *path)
{
	if (confine_front() != RC_OK)
		log_warn(LOG_GENERAL, "no seccomp filter: %m");
	return front_main(path);
}

static int
run(const char *path, bool front)
{
	static struct settings settings;
	int status = 2;

	log_init(front ? "exitguard-front" : "exitguard");
	if (load(path, &settings) && open_logs(&settings))
		status = front ? run_front(path) : priv_main(path, &settings);
	settings_clear(&settings);
	log_clear_outputs();
	return status;
}

static int
check_config(const char *path)
{
	struct settings settings;

	if (!load(path, &settings))
		return 2;
	settings_clear(&settings);
	printf("%s is right\n", path);
	return 0;
}

static int
run_command(const char *command, const char *config)
{
	if (strcmp(command, "run") == 0)
		return run(config, false);
	if (strcmp(command, "front") == 0) /* by exec from priv, never by hand */
		return run(config, true);
	if (strcmp(command, "check-config") == 0)
		return check_config(config);
	fprintf(stderr, "exitguard: no command is called \"%s\"\n%s", command, usage);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 } };
	const char *config = SETTINGS_DEFAULT, *command = "run";
	int option;

	if (argc > 1 && strcmp(argv[1], "replay") == 0)
		return replay_main(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-') {
		command = argv[1];
		argc--;
		argv++;
	}
	while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("exitguard (exitgate) " PACKAGE_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	return run_command(command, config);
}
