/* confine.h: system calls that neither process ever needs, taken away for good. */
#ifndef EXITGUARD_PRIV_CONFINE_H
#define EXITGUARD_PRIV_CONFINE_H

#include "common/rc.h"

/* Needs no_new_privs. What is taken here front inherits. RC_SYSTEM: this kernel has no seccomp. */
enum rc confine_priv(void);
/* In front, on top: no new program, no socket but Unix ones. */
enum rc confine_front(void);

#endif
