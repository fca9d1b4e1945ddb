/* start.c: sockets, directories, privileges, and front's birth. */
#include "exitguard/priv/start.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "exitguard/plan/request.h"

enum rc
start_find_user(const char *name, struct priv_user *out)
{
	struct passwd *pw = getpwnam(name);

	*out = (struct priv_user){ geteuid(), getegid(), false };
	if (geteuid() != 0)
		return RC_OK; /* whoever started us chose the user */
	if (pw == NULL) {
		log_error(LOG_CONFIG,
		    "there is no user %s; make one (useradd --system %s) or set User", name, name);
		return RC_NOT_FOUND;
	}
	*out = (struct priv_user){ pw->pw_uid, pw->pw_gid, pw->pw_uid != 0 };
	return RC_OK;
}

/* Make one directory if it is missing, and hand it to the user. */
static enum rc
make_directory(const char *path, mode_t mode, const struct priv_user *user)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		if (user->change && chown(path, user->uid, user->gid) != 0)
			return RC_SYSTEM;
		return RC_OK;
	}
	if (errno != EEXIST || stat(path, &st) != 0)
		return RC_SYSTEM;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return RC_SYSTEM;
	}
	return RC_OK;
}

static enum rc
make_parent(const char *path, const struct priv_user *user)
{
	char *copy = strdup(path), *slash = copy != NULL ? strrchr(copy, '/') : NULL;
	enum rc rc = RC_OK;

	if (copy == NULL)
		return RC_NO_MEMORY;
	if (slash != NULL && slash != copy) {
		*slash = '\0';
		rc = make_directory(copy, 0755, user);
	}
	free(copy);
	return rc;
}

enum rc
start_directories(const struct settings *settings, const struct priv_user *user)
{
	const char *at = settings->state_directory;
	enum rc rc = make_directory(at, 0700, user);

	if (rc == RC_OK) {
		at = settings->report_socket;
		rc = make_parent(at, user);
	}
	if (rc == RC_OK) {
		at = settings->control_socket;
		rc = make_parent(at, user);
	}
	if (rc != RC_OK)
		log_error(LOG_CONFIG, "%s: %s", at, rc == RC_SYSTEM ? strerror(errno) : rc_str(rc));
	return rc;
}

enum rc
start_lock(const char *state_directory, const struct priv_user *user, int *out)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/lock", state_directory) >= (int)sizeof(path))
		return RC_LIMIT;
	*out = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*out < 0) {
		log_error(LOG_GENERAL, "%s: %m", path);
		return RC_SYSTEM;
	}
	/* The next start may be by that user itself. */
	if (user->change && fchown(*out, user->uid, user->gid) != 0)
		log_warn(LOG_GENERAL, "%s: %m", path);
	if (flock(*out, LOCK_EX | LOCK_NB) != 0) {
		log_error(
		    LOG_GENERAL, "another exitguard runs with StateDirectory %s", state_directory);
		close(*out);
		return RC_EXISTS;
	}
	return RC_OK;
}

enum rc
start_listen(const char *path, int type, mode_t mode, int *out)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char temp[sizeof(sun.sun_path)];

	/* Bound beside and moved into place: a path is never there without a listener. */
	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp)) {
		log_error(LOG_CONFIG, "%s: too long for a socket", path);
		return RC_LIMIT;
	}
	memcpy(sun.sun_path, temp, strlen(temp));
	(void)unlink(temp);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    chmod(temp, mode) != 0 || listen(fd, 64) != 0 || rename(temp, path) != 0) {
		log_error(LOG_GENERAL, "%s: %m", path);
		if (fd >= 0)
			close(fd);
		return RC_SYSTEM;
	}
	*out = fd;
	return RC_OK;
}

enum rc
start_drop(const struct priv_user *user, bool keep_admin)
{
	struct rlimit none = { 0 };
	unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
			     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	(void)setrlimit(RLIMIT_CORE, &none);
	if (geteuid() == 0 && prctl(PR_SET_SECUREBITS, bits) != 0) {
		log_error(LOG_GENERAL, "securebits: %m");
		return RC_DENIED;
	}
	/* Ambient ones would pass to front by exec. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	capng_clear(CAPNG_SELECT_BOTH);
	if (keep_admin)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	int failed = user->change ? capng_change_id((int)user->uid, (int)user->gid,
					CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING)
				  : capng_apply(CAPNG_SELECT_CAPS);
	if (failed != 0) {
		log_error(LOG_GENERAL, "privileges could not be dropped (%d)", failed);
		return RC_DENIED;
	}
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* It must not be possible to get them back. */
	capng_get_caps_process();
	if ((user->change && (setuid(0) == 0 || geteuid() == 0)) ||
	    capng_have_capability(CAPNG_PERMITTED, CAP_SETUID) ||
	    capng_have_capability(CAPNG_PERMITTED, CAP_SYS_ADMIN) ||
	    (keep_admin && !capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))) {
		log_error(
		    LOG_GENERAL, "privileges are not what they should be after dropping them");
		return RC_DENIED;
	}
	return RC_OK;
}

/* In the child: put the descriptors where front looks for them, close the rest, exec. */
static void
become_front(int program, const char *config_path, const struct front_fds *fds, int pair)
{
	int from[] = { pair, fds->report, fds->control, fds->nflog };
	char *const argv[] = { (char *)"exitguard", (char *)"front", (char *)"-c",
		(char *)config_path, NULL };
	int moved[4];
	sigset_t all;

	for (int i = 0; i < 4; i++) /* out of the way of their own targets first */
		moved[i] = from[i] >= 0 ? fcntl(from[i], F_DUPFD_CLOEXEC, 64) : -1;
	program = fcntl(program, F_DUPFD_CLOEXEC, 64);
	for (int i = 0; i < 4; i++) {
		if (moved[i] >= 0)
			(void)dup2(moved[i], FRONT_FD_PRIV + i);
		else
			close(FRONT_FD_PRIV + i);
	}
	(void)close_range(FRONT_FD_NFLOG + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	fexecve(program, argv, environ);
	log_error(LOG_GENERAL, "front cannot be started: %m");
	_exit(127);
}

enum rc
start_front(int program, const char *config_path, const struct front_fds *fds, pid_t *pid, int *fd)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return RC_SYSTEM;
	*pid = fork();
	if (*pid == 0)
		become_front(program, config_path, fds, pair[1]);
	close(pair[1]);
	if (*pid < 0) {
		close(pair[0]);
		return RC_SYSTEM;
	}
	*fd = pair[0];
	return RC_OK;
}
