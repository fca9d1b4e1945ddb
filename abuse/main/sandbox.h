/* sandbox.h: a child that may compute and answer, and nothing else. */
#ifndef ABUSE_MAIN_SANDBOX_H
#define ABUSE_MAIN_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#define SANDBOX_SECONDS    10u
#define SANDBOX_MEMORY     (200u << 20) /* of data, with what the parent had */
#define SANDBOX_ANSWER_MAX (64u << 20)

enum sandbox_end {
	SANDBOX_ANSWERED,
	SANDBOX_TOO_LONG, /* ran into its time limit */
	SANDBOX_DIED,     /* memory limit or fault */
	SANDBOX_FAILED,   /* no child could be made; errno says why */
};

/* True if system calls are filtered on this system and in this build (sanitizers and valgrind
 * cannot live with it); the other limits always hold. */
bool sandbox_has_filter(void);

/* Run work(arg, answer_fd) in a child with no network, no new files, no new programs, limited
 * time and memory, and collect what it writes to answer_fd; the caller frees *answer. */
enum sandbox_end sandbox_run(
    void (*work)(void *arg, int answer_fd), void *arg, char **answer, size_t *len);

#endif
