/* start.h: what priv does once: sockets, directories, dropping privileges, and starting front. */
#ifndef EXITGUARD_PRIV_START_H
#define EXITGUARD_PRIV_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/rc.h"
#include "exitguard/plan/settings.h"

struct priv_user {
	uid_t uid;
	gid_t gid;
	bool change; /* we are root and are to become it */
};

/* Each of these says itself what is wrong, once. */
enum rc start_find_user(const char *name, struct priv_user *out);
/* The state directory and those of the sockets, owned by the user. */
enum rc start_directories(const struct settings *settings, const struct priv_user *user);
/* One exitguard for one state directory: a lock that ends with the process. */
enum rc start_lock(const char *state_directory, const struct priv_user *user, int *out);
/* Bind a listening socket in place of what is at the path. */
enum rc start_listen(const char *path, int type, mode_t mode, int *out);
/* Keep CAP_NET_ADMIN (keep_admin) or nothing, for good; checked afterwards. */
enum rc start_drop(const struct priv_user *user, bool keep_admin);

struct front_fds {
	int report, control, nflog; /* nflog -1: none */
};
/* Start front from the program open at that descriptor; *fd becomes our end of the socket pair. */
enum rc start_front(
    int program, const char *config_path, const struct front_fds *fds, pid_t *pid, int *fd);

#endif
