/* harness.c: relayd as a child of the test, and the messages that its tests share. */
#include "relayd/tests/harness.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define PROGRAM    "relayd/relayd"
#define RELAYS_MAX 32
#define NEVER_PORT 1 /* nobody listens there: the authority that is never reached */
#define END_WAIT_S 20

static char dirs[RELAYS_MAX][64];
static unsigned dir_count;
static struct keystore *own_stores[2];
static struct relay_keys *own_keys[2];

/* --- directories ----------------------------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void
remove_dirs(void)
{
	for (unsigned who = 0; who < 2; who++)
		if (own_stores[who] != NULL) {
			relay_keys_unref(&own_keys[who]);
			keystore_close(&own_stores[who]);
		}
	for (unsigned i = 0; i < dir_count; i++)
		nftw(dirs[i], remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A directory that goes when the program ends, however it ends. */
static const char *
make_dir(void)
{
	assert_true(dir_count < RELAYS_MAX);
	if (dir_count == 0)
		atexit(remove_dirs);
	char *dir = dirs[dir_count];
	strcpy(dir, "/tmp/relay_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	dir_count++;
	return dir;
}

/* --- the child ------------------------------------------------------------------------------- */

static void
write_torrc(const struct relay *r, const char *nickname, uint16_t port, const char *more)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/torrc", r->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	    "TestingTorNetwork 1\n"
	    "DirAuthority never orport=%d no-v2 "
	    "v3ident=0123456789ABCDEF0123456789ABCDEF01234567 127.0.0.1:%d "
	    "89ABCDEF0123456789ABCDEF0123456789ABCDEF\n"
	    "Nickname %s\nORPort 127.0.0.1:%u\nAddress 127.0.0.1\nDataDirectory %s/data\n"
	    "PublishServerDescriptor 0\nServerDNSResolvConfFile %s/resolv.conf\nLog info stderr\n"
	    "ExitRelay 1\nExitPolicyRejectPrivate 0\nRefuseUnknownExits 0\n%s",
	    NEVER_PORT, NEVER_PORT, nickname, port, r->dir, r->dir, more);
	if (strstr(more, "ExitPolicy ") == NULL)
		fputs("ExitPolicy accept *:*\n", f);
	if (strstr(more, "Workers ") == NULL)
		fputs("Workers 2\n", f);
	assert_int_equal(fclose(f), 0);
}

/* Room for n bytes more of log: the older half goes. */
static void
forget_old(struct relay *r, size_t n)
{
	size_t half = sizeof(r->text) / 2;

	if (r->len + n < sizeof(r->text))
		return;
	memmove(r->text, r->text + half, r->len - half);
	r->len -= half;
	r->seen = r->seen > half ? r->seen - half : 0;
}

/* Take in the log and say so. */
static void *
read_log(void *arg)
{
	struct relay *r = arg;
	char buf[4096];
	ssize_t n;

	while ((n = read(r->out, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		pthread_mutex_lock(&r->lock);
		r->complained = r->complained || strstr(buf, "Sanitizer") != NULL ||
				strstr(buf, "runtime error") != NULL;
		forget_old(r, (size_t)n);
		memcpy(r->text + r->len, buf, (size_t)n + 1);
		r->len += (size_t)n;
		pthread_cond_broadcast(&r->grown);
		pthread_mutex_unlock(&r->lock);
	}
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_broadcast(&r->grown);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void
spawn(struct relay *r)
{
	char torrc[128];
	int ends[2];

	snprintf(torrc, sizeof(torrc), "%s/torrc", r->dir);
	assert_int_equal(pipe(ends), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a test that dies */
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		execl(PROGRAM, PROGRAM, "-f", torrc, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	r->out = ends[0];
	assert_int_equal(pthread_create(&r->reader, NULL, read_log, r), 0);
}

void
relay_wait_for(struct relay *r, const char *text)
{
	struct timespec end;
	const char *at;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += LONG_MS / 1000;
	pthread_mutex_lock(&r->lock);
	while ((at = strstr(r->text + r->seen, text)) == NULL)
		if (r->ended || pthread_cond_timedwait(&r->grown, &r->lock, &end) != 0)
			break;
	if (at != NULL)
		r->seen = (size_t)(at - r->text) + strlen(text);
	pthread_mutex_unlock(&r->lock);
	if (at == NULL)
		fail_msg("relayd did not say \"%s\":\n%s", text, r->text);
}

void
relay_append(const struct relay *r, const char *lines)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/torrc", r->dir);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs(lines, f);
	assert_int_equal(fclose(f), 0);
}

static void
read_target(struct relay *r, uint16_t port)
{
	char at[32], fingerprint[128], onion[128], master[128];
	uint8_t bytes[64];
	FILE *f;

	snprintf(at, sizeof(at), "127.0.0.1:%u", port);
	snprintf(fingerprint, sizeof(fingerprint), "%s/data/fingerprint", r->dir);
	snprintf(onion, sizeof(onion), "%s/data/keys/secret_onion_key_ntor", r->dir);
	snprintf(master, sizeof(master), "%s/data/keys/ed25519_master_id_public_key", r->dir);
	target_read(&r->target, at, fingerprint, onion);
	f = fopen(master, "rb");
	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), f), sizeof(bytes));
	fclose(f);
	memcpy(r->ed_id, bytes + 32, 32);
}

static void
write_resolv_conf(const struct relay *r, uint16_t port)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/resolv.conf", r->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "nameserver 127.0.0.1@%u\n", port);
	assert_int_equal(fclose(f), 0);
}

struct relay *
relay_start(const char *nickname, const char *more)
{
	struct relay *r = calloc(1, sizeof(*r));
	struct server port;

	assert_non_null(r);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->grown, NULL);
	strcpy(r->dir, make_dir());
	server_open_deaf(&port); /* a free port, given back at once */
	server_close(&port);
	write_torrc(r, nickname, port.port, more);
	write_resolv_conf(r, names_port());
	spawn(r);
	relay_wait_for(r, ", fingerprint ");
	read_target(r, port.port);
	return r;
}

void
relay_wait_end(struct relay **relay)
{
	struct relay *r = *relay;
	struct timespec end;
	int status;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += END_WAIT_S;
	if (pthread_timedjoin_np(r->reader, NULL, &end) != 0) { /* the pipe ends with the child */
		kill(r->pid, SIGKILL);
		pthread_join(r->reader, NULL);
	}
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || r->complained)
		fail_msg("relayd ended with status %x:\n%s", (unsigned)status, r->text);
	close(r->out);
	pthread_cond_destroy(&r->grown);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*relay = NULL;
}

void
relay_stop(struct relay **r)
{
	if (*r == NULL)
		return; /* it was not started, and that has been said */
	assert_int_equal(kill((*r)->pid, SIGTERM), 0);
	relay_wait_end(r);
}

/* --- links ----------------------------------------------------------------------------------- */

struct relay_keys *
identity(unsigned who)
{
	char why[256];

	if (own_stores[who] == NULL) {
		if (keystore_open(make_dir(), "peer", clock_wall_s(), &own_stores[who], why,
			sizeof(why)) != RC_OK)
			fail_msg("no keys of our own: %s", why);
		own_keys[who] = keystore_current(own_stores[who]);
	}
	return own_keys[who];
}

struct peer *
relay_link(const struct relay *r)
{
	return peer_open(&r->target, identity(0));
}

struct peer_circuit *
relay_circuit(const struct relay *r)
{
	return peer_circuit_open(relay_link(r), &r->target, 0x80000001);
}

void
relay_circuit_end(struct peer_circuit **c)
{
	struct peer *p = (*c)->peer;

	peer_circuit_free(c);
	peer_close(&p);
}

/* --- messages -------------------------------------------------------------------------------- */

void
send_begin(struct peer_circuit *c, uint16_t stream_id, const char *to)
{
	peer_relay(c, CELL_RELAY, RELAY_BEGIN, stream_id, to, strlen(to) + 1);
}

void
send_end(struct peer_circuit *c, uint16_t stream_id)
{
	uint8_t reason = END_DONE;

	peer_relay(c, CELL_RELAY, RELAY_END, stream_id, &reason, 1);
}

void
expect_message(struct peer_circuit *c, uint8_t command, uint16_t stream_id, struct peer_answer *a)
{
	peer_wait(c->peer, c, LONG_MS, a);
	if (a->event != PEER_MESSAGE || a->command != command || a->stream_id != stream_id)
		fail_msg("wanted message %u on stream %u; event %d, message %u on stream %u, "
			 "reason %u",
		    command, stream_id, (int)a->event, a->command, a->stream_id, a->reason);
}

void
expect_bytes(
    struct peer_circuit *c, uint8_t command, uint16_t stream_id, const void *data, size_t len)
{
	struct peer_answer a;

	expect_message(c, command, stream_id, &a);
	assert_int_equal(a.len, len);
	assert_memory_equal(a.data, data, len);
}

void
expect_end(struct peer_circuit *c, uint16_t stream_id, uint8_t reason)
{
	expect_bytes(c, RELAY_END, stream_id, &reason, 1);
}

void
expect_destroy(struct peer_circuit *c, uint8_t reason)
{
	struct peer_answer a;

	do
		peer_wait(c->peer, c, LONG_MS, &a);
	while (a.event == PEER_MESSAGE);
	assert_int_equal(a.event, PEER_DESTROYED);
	assert_int_equal(a.reason, reason);
}

void
expect_nothing(struct peer_circuit *c)
{
	struct peer_answer a;

	peer_wait(c->peer, c, SHORT_MS, &a);
	if (a.event != PEER_NOTHING)
		fail_msg("event %d came, message %u, reason %u", (int)a.event, a.command, a.reason);
}
