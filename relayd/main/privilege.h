/* privilege.h: what the process may do: limits first, then the user. */
#ifndef RELAYD_MAIN_PRIVILEGE_H
#define RELAYD_MAIN_PRIVILEGE_H

#include "common/rc.h"

/* No core dumps (they would hold keys and destinations), as many descriptors as allowed. */
void privilege_limits(void);
/* Become `user` for good if we are root; RC_DENIED and a logged line if that fails or if root
 * could be had back. NULL: stay. */
enum rc privilege_drop(const char *user);

#endif
