/* priv.h: the privileged process. */
#ifndef EXITGUARD_PRIV_PRIV_H
#define EXITGUARD_PRIV_PRIV_H

#include "exitguard/plan/settings.h"

/* Run as root or with CAP_NET_ADMIN until told to leave. Starts itself again as front, with the
 * arguments "front -c CONFIG". The exit status. */
int priv_main(const char *config_path, const struct settings *settings);

#endif
