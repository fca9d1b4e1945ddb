/* priv.c: the privileged process's life: start, answer requests, keep the table, keep front. */
#include "exitguard/priv/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "exitguard/nft/log.h"
#include "exitguard/priv/confine.h"
#include "exitguard/priv/serve.h"
#include "exitguard/priv/start.h"

#define RESTART_FIRST_MS 200
#define RESTART_MAX_MS   30000
#define STEADY_MS        60000 /* a front that lived so long starts anew at once */
#define LOOK_EVERY_MS    10000 /* at the table, news or not */
#define STOP_WAIT_MS     5000

struct priv {
	int program; /* this very file: what front is started from */
	const char *config_path;
	const struct settings *settings;
	struct serve serve;
	struct front_fds fds;
	int lock, signals;
	pid_t front;  /* 0: none */
	int front_fd; /* -1: none */
	uint64_t front_since_ms, restart_at_ms, looked_ms;
	unsigned restart_wait_ms, births;
	bool leaving;
	int status; /* other than 0: not a clean stop, the table stays */
};

static uint64_t
now(void)
{
	return clock_mono_ms();
}

static void
birth_front(struct priv *priv)
{
	priv->front_since_ms = now();
	priv->births++;
	enum rc rc = start_front(
	    priv->program, priv->config_path, &priv->fds, &priv->front, &priv->front_fd);
	if (rc != RC_OK) {
		log_error(LOG_GENERAL, "front cannot be started: %m");
		priv->front = 0;
		priv->front_fd = -1;
		priv->restart_at_ms = now() + RESTART_MAX_MS;
	}
}

static void
close_front(struct priv *priv)
{
	if (priv->front_fd >= 0)
		close(priv->front_fd);
	priv->front_fd = -1;
	serve_forget_batch(&priv->serve);
}

static void
leave(struct priv *priv, int status)
{
	priv->leaving = true;
	if (priv->status == 0)
		priv->status = status;
}

/* Front is dead: start it again, soon the first time, later if it does not live. */
static void
bury_front(struct priv *priv, int status)
{
	bool was_steady = now() - priv->front_since_ms > STEADY_MS;

	priv->front = 0;
	close_front(priv);
	if (priv->leaving)
		return;
	if (priv->births == 1 && WIFEXITED(status) && WEXITSTATUS(status) == 2) {
		log_error(LOG_GENERAL, "front cannot use the configuration; leaving");
		leave(priv, 2);
		return;
	}
	priv->restart_wait_ms = was_steady || priv->restart_wait_ms == 0 ? RESTART_FIRST_MS
				: priv->restart_wait_ms * 2 < RESTART_MAX_MS
				    ? priv->restart_wait_ms * 2
				    : RESTART_MAX_MS;
	priv->restart_at_ms = now() + priv->restart_wait_ms;
	log_warn(LOG_GENERAL, "front has ended (%s %d); it is started again in %u ms",
	    WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), priv->restart_wait_ms);
}

static void
take_signals(struct priv *priv)
{
	struct signalfd_siginfo info;
	int status;

	while (read(priv->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			leave(priv, 0);
		else if (info.ssi_signo == SIGHUP && priv->front != 0)
			(void)kill(priv->front, SIGHUP);
	}
	pid_t pid = priv->front != 0 ? waitpid(priv->front, &status, WNOHANG) : 0;
	if (pid != 0 && pid == priv->front)
		bury_front(priv, status);
}

/* A request that is not in the table ends us: front is not what it should be. */
static void
take_requests(struct priv *priv)
{
	enum rc rc = serve_read(&priv->serve, priv->front_fd);

	if (rc == RC_OK)
		return;
	if (rc == RC_CLOSED) {
		close_front(priv); /* its end is told by SIGCHLD */
		return;
	}
	log_error(LOG_GENERAL, "front asked for what is not in the table of requests (%s); leaving",
	    rc_str(rc));
	leave(priv, 1);
}

static int
wait_ms(const struct priv *priv)
{
	uint64_t at = priv->looked_ms + LOOK_EVERY_MS, t = now();

	if (priv->front == 0 && priv->restart_at_ms < at)
		at = priv->restart_at_ms;
	return at > t ? (int)(at - t) : 0;
}

static void
turn(struct priv *priv)
{
	struct pollfd fds[] = {
		{ .fd = priv->signals, .events = POLLIN },
		{ .fd = priv->front_fd, .events = POLLIN },
		{ .fd = serve_news_fd(&priv->serve), .events = POLLIN },
	};

	if (poll(fds, 3, wait_ms(priv)) < 0 && errno != EINTR) {
		log_error(LOG_GENERAL, "poll: %m");
		leave(priv, 1);
		return;
	}
	if (fds[2].revents != 0)
		serve_take_news(&priv->serve);
	if (fds[1].revents != 0 && priv->front_fd >= 0)
		take_requests(priv);
	take_signals(priv);
	if (now() - priv->looked_ms >= LOOK_EVERY_MS) {
		priv->looked_ms = now();
		serve_look(&priv->serve);
	}
	if (priv->front == 0 && !priv->leaving && now() >= priv->restart_at_ms)
		birth_front(priv);
}

static enum rc
block_signals(int *out)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return RC_SYSTEM;
	*out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *out >= 0 ? RC_OK : RC_SYSTEM;
}

static void
open_log(struct priv *priv)
{
	enum rc rc = nft_log_open((uint16_t)priv->settings->nflog_group, &priv->fds.nflog);

	if (rc == RC_EXISTS)
		log_warn(LOG_NFT,
		    "another program has log group %u; stock tor's streams are not seen",
		    priv->settings->nflog_group);
	else if (rc != RC_OK)
		log_warn(LOG_NFT, "no netfilter log (%m); stock tor's streams are not seen");
}

static enum rc
prepare(struct priv *priv)
{
	const struct settings *settings = priv->settings;
	struct priv_user user;
	enum rc rc = start_find_user(settings->user, &user);

	if (rc == RC_OK)
		rc = start_directories(settings, &user);
	if (rc == RC_OK)
		rc = start_lock(settings->state_directory, &user, &priv->lock);
	if (rc == RC_OK && settings->nftables) {
		rc = serve_start(&priv->serve, settings);
		if (rc == RC_OK && settings->view != GUARD_VIEW_RELAY)
			open_log(priv);
	}
	if (rc == RC_OK)
		rc = start_listen(settings->report_socket, SOCK_SEQPACKET, 0666, &priv->fds.report);
	if (rc == RC_OK)
		rc = start_listen(settings->control_socket, SOCK_STREAM, 0666, &priv->fds.control);
	if (rc == RC_OK)
		rc = block_signals(&priv->signals);
	if (rc == RC_OK)
		rc = start_drop(&user, settings->nftables);
	if (rc == RC_OK && confine_priv() != RC_OK)
		log_warn(LOG_GENERAL, "no seccomp filter: %m");
	return rc;
}

static void
stop_front(struct priv *priv)
{
	uint64_t deadline = now() + STOP_WAIT_MS;
	int status;

	if (priv->front != 0)
		(void)kill(priv->front, SIGTERM);
	while (priv->front != 0 && waitpid(priv->front, &status, WNOHANG) == 0) {
		if (now() > deadline)
			(void)kill(priv->front, SIGKILL);
		poll(NULL, 0, 10);
	}
	priv->front = 0;
	close_front(priv);
}

int
priv_main(const char *config_path, const struct settings *settings)
{
	static struct priv priv;

	priv = (struct priv){ .program = open("/proc/self/exe", O_PATH | O_CLOEXEC),
		.config_path = config_path,
		.settings = settings,
		.fds = { -1, -1, -1 },
		.lock = -1,
		.front_fd = -1 };
	if (sodium_init() < 0)
		return 1;
	serve_init(&priv.serve);
	if (prepare(&priv) != RC_OK) {
		serve_stop(&priv.serve, false);
		return 1;
	}
	priv.looked_ms = now();
	birth_front(&priv);
	while (!priv.leaving)
		turn(&priv);
	stop_front(&priv);
	serve_stop(&priv.serve, priv.status == 0);
	(void)unlink(settings->report_socket);
	(void)unlink(settings->control_socket);
	log_notice(LOG_GENERAL, "stopped");
	return priv.status;
}
