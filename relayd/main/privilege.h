/* privilege.h: what the process may do: limits first, then the user. */
#ifndef RELAYD_MAIN_PRIVILEGE_H
#define RELAYD_MAIN_PRIVILEGE_H

#include "common/rc.h"

/* No core dumps (they would hold keys and destinations), as many descriptors as allowed. */
void privilege_limits(void);
/* Become `user` for good if we are root; RC_DENIED and a logged line if that fails or if root
 * could be had back. NULL: stay. Whoever is not root afterwards has no capability any more. Call it
 * when the ports are bound and before threads start. */
enum rc privilege_drop(const char *user);

#endif
