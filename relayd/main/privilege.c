/* privilege.c: resource limits and the change of user. */
#include "relayd/main/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* No core dump, no debugger: what is in memory is nobody's business. */
static void
hide_memory(void)
{
#ifndef SANITIZED /* the leak checker must be able to look at us */
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

void
privilege_limits(void)
{
	struct rlimit none = { 0, 0 }, files;

	(void)setrlimit(RLIMIT_CORE, &none);
	hide_memory();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The ports are bound: what a unit gave us for that (CAP_NET_BIND_SERVICE) has done its work. */
static enum rc
drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() == 0)
		return RC_OK;                        /* the operator wants it so */
	if (syscall(SYS_capset, &head, none) != 0) { /* the ambient ones go with them */
		log_error(LOG_GENERAL, "cannot give up capabilities: %s", strerror(errno));
		return RC_DENIED;
	}
	return RC_OK;
}

static enum rc
become(const char *user)
{
	struct passwd *pw;

	if (user == NULL) {
		if (geteuid() == 0)
			log_notice(
			    LOG_GENERAL, "running as root; a line \"User _relayd\" is safer");
		return RC_OK;
	}
	if (geteuid() != 0) {
		pw = getpwuid(geteuid());
		if (pw != NULL && strcmp(pw->pw_name, user) == 0)
			return RC_OK;
		log_error(LOG_GENERAL,
		    "User %s is configured, but only root can become that; "
		    "start as root or remove the line",
		    user);
		return RC_DENIED;
	}
	pw = getpwnam(user);
	if (pw == NULL) {
		log_error(LOG_GENERAL,
		    "User %s does not exist; make it (useradd --system %s) or "
		    "name another",
		    user, user);
		return RC_DENIED;
	}
	if (initgroups(user, pw->pw_gid) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0) {
		log_error(LOG_GENERAL, "cannot become %s: %s", user, strerror(errno));
		return RC_DENIED;
	}
	if (pw->pw_uid != 0 && setuid(0) == 0) {
		log_error(
		    LOG_GENERAL, "root could be had back after becoming %s; not going on", user);
		return RC_DENIED;
	}
	return RC_OK;
}

enum rc
privilege_drop(const char *user)
{
	enum rc rc = become(user);

	hide_memory(); /* the change of user has reset it */
	return rc == RC_OK ? drop_capabilities() : rc;
}
