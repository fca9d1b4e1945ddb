/* harness.h: what the tests of a whole relayd share: the program itself as a child, a DNS server,
 * TCP servers, all on 127.0.0.1. Everything fails the running test if it cannot be had. */
#ifndef RELAYD_TESTS_HARNESS_H
#define RELAYD_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "relayd/tests/peer.h"

#define SHORT_MS 200 /* for nothing to come */
#define LONG_MS  15000

/* --- relayd ---------------------------------------------------------------------------------- */

struct relay {
	pid_t pid;
	char dir[64]; /* torrc, resolv.conf, data/ */
	struct target target;
	uint8_t ed_id[32];
	int out; /* its standard error */
	pthread_t reader;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t grown;
	bool ended, complained; /* complained: a sanitizer */
	size_t len, seen;
	char text[65536];
};

/* Start relayd/relayd below the working directory; more: torrc lines. Ready when it returns. */
struct relay *relay_start(const char *nickname, const char *more);
/* Wait for a log line with this text, after the one found last. */
void relay_wait_for(struct relay *r, const char *text);
/* Add lines to its torrc. */
void relay_append(const struct relay *r, const char *lines);
/* Wait for it to end: with status 0, and no word from a sanitizer. Frees it. */
void relay_wait_end(struct relay **r);
void relay_stop(struct relay **r); /* SIGTERM, then as above */

/* Identities of our own, 0 and 1; borrowed. */
struct relay_keys *identity(unsigned who);
/* A link to the relay, as the relay that is our identity 0. */
struct peer *relay_link(const struct relay *r);
/* A link with one circuit on it, and the end of both. */
struct peer_circuit *relay_circuit(const struct relay *r);
void relay_circuit_end(struct peer_circuit **c);

/* --- names ----------------------------------------------------------------------------------- */

/* The server answers by how the name begins: nx, servfail, silent; brief has a TTL of 60, others
 * 900. Each name has the address 127.0.0.1, each address the name ptr.example.net. */
void names_start(void);
void names_stop(void);
uint16_t names_port(void);
unsigned names_asked(void); /* questions so far */

/* --- destinations ---------------------------------------------------------------------------- */

struct server {
	int fd;
	uint16_t port;
	char at[32]; /* "127.0.0.1:port", as BEGIN wants it */
};

void server_open(struct server *s);
void server_open_narrow(struct server *s); /* its connections have a small receive buffer */
void server_open_deaf(struct server *s);   /* bound, but connects are refused */
int server_accept(const struct server *s); /* reads and writes on it give up after LONG_MS */
void server_close(struct server *s);

/* A thread that writes len bytes to fd, or reads len bytes and the end; then closes fd. */
struct pump {
	pthread_t thread;
	int fd;
	size_t len;
	bool ok;
};
void pump_write(struct pump *p, int fd, size_t len);
void pump_read(struct pump *p, int fd, size_t len);
bool pump_join(struct pump *p); /* all bytes, and the right ones */
void pattern_fill(uint8_t *out, size_t offset, size_t len);
bool pattern_is(const uint8_t *in, size_t offset, size_t len);

/* --- messages -------------------------------------------------------------------------------- */

void send_begin(struct peer_circuit *c, uint16_t stream_id, const char *to);
void send_end(struct peer_circuit *c, uint16_t stream_id);
/* What comes next must be this; *a gets it. */
void expect_message(
    struct peer_circuit *c, uint8_t command, uint16_t stream_id, struct peer_answer *a);
void expect_bytes(
    struct peer_circuit *c, uint8_t command, uint16_t stream_id, const void *data, size_t len);
void expect_end(struct peer_circuit *c, uint16_t stream_id, uint8_t reason);
void expect_destroy(struct peer_circuit *c, uint8_t reason);
void expect_nothing(struct peer_circuit *c);

/* --- the files with tests; each returns how many failed -------------------------------------- */

int run_circuits(void);
int run_extends(void);
int run_hops(void);
int run_streams(void);
int run_windows(void);
int run_guard(void);
int run_life(void);

#endif
