/* relay.h: the whole relay: what main() starts, reloads and stops. Main thread only. */
#ifndef RELAYD_MAIN_RELAY_H
#define RELAYD_MAIN_RELAY_H

#include "relayd/ops/torrc.h"

struct relay_options {
	const char *torrc_path, *defaults_path;
	const char *const *pairs; /* from the command line; borrowed for the process's life */
	size_t pair_count;
};

/* Load the configuration, with remarks to the log. NULL: an error, already said. */
struct torrc *relay_load_config(const struct relay_options *options);
/* Run until told to leave. Takes conf. The process's exit status. */
int relay_run(const struct relay_options *options, struct torrc *conf);
/* Make missing keys and print the fingerprints. The process's exit status. */
int relay_list_fingerprint(const struct torrc *conf);

#endif
