/* replay.h: the command `exitguard replay`. Reads standard input, writes standard output and
 * standard error, touches nothing else. */
#ifndef EXITGUARD_REPLAY_REPLAY_H
#define EXITGUARD_REPLAY_REPLAY_H

#include <stdio.h>

/* argv[0] is "replay". The exit status: 0, 1 for bad input, 2 for wrong arguments. */
int replay_main(int argc, char **argv);
/* The same with other streams. */
int replay_run(int argc, char **argv, FILE *in, FILE *out, FILE *err);

#endif
