/* rc.h: the one list of result codes. Functions return enum rc and stay silent; whoever owns
 * the connection or the command logs once, with the context. */
#ifndef COMMON_RC_H
#define COMMON_RC_H

enum rc {
#define RC(code, text) code,
#include "common/rc.def"
#undef RC
	RC_COUNT
};

/* The text of a code, for people. Never NULL, static storage. */
const char *rc_str(enum rc rc);

#endif
