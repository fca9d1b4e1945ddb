/* input.h: files and standard input as bytes, with a clear word where that fails. */
#ifndef ABUSE_MAIN_INPUT_H
#define ABUSE_MAIN_INPUT_H

#include "common/bytes.h"

#define INPUT_STDIN_MAX (64u << 20)
#define INPUT_ERROR_LEN 200

struct input {
	struct span bytes;
	void *mapped, *owned;
	size_t mapped_len;
};

/* "-" is standard input. On failure error says what is wrong and what to do. */
enum rc input_open(struct input *in, const char *path, char error[INPUT_ERROR_LEN]);
void input_close(struct input *in);
/* A file that shrinks while it is read ends the program with one line instead of a fault. */
void input_guard(void);

#endif
