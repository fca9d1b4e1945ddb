/* hostile_peer.c: a peer that sends what no honest one would, and checks each answer against the
 * specification. usage: hostile_peer ADDR:PORT DATADIR [WEB_ADDR:PORT]
 *
 * DATADIR is the relay's, for its fingerprint and onion key. The last thing it does is an honest
 * fetch: whatever came before, the relay must still work. */
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "relayd/tests/peer.h"

#define SHORT_MS 300 /* for nothing to come */
#define LONG_MS  10000

static struct target target;
static struct relay_keys *keys;
static unsigned passed, failed;

static void
check(const char *what, bool ok)
{
	printf("%s: %s\n", ok ? "ok" : "NOT OK", what);
	if (ok)
		passed++;
	else
		failed++;
}

/* --- before there is a link ------------------------------------------------------------------ */

/* Does the relay hang up within the time? */
static bool
is_hung_up(int fd, int timeout_ms)
{
	uint64_t end = clock_mono_ms() + (uint64_t)timeout_ms;
	char buf[4096];

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_mono_ms();

		if (now >= end || poll(&pfd, 1, (int)(end - now)) <= 0)
			return false;
		if (recv(fd, buf, sizeof(buf), 0) <= 0)
			return true;
	}
}

static void
raw_garbage(void)
{
	static const char http[] = "GET / HTTP/1.0\r\n\r\n";
	uint8_t noise[3000];
	int fd = peer_tcp(&target);

	(void)!write(fd, http, sizeof(http) - 1);
	check("HTTP on the ORPort is hung up on", is_hung_up(fd, LONG_MS));
	close(fd);
	fd = peer_tcp(&target);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * 131 + 7);
	(void)!write(fd, noise, sizeof(noise));
	check("noise on the ORPort is hung up on", is_hung_up(fd, LONG_MS));
	close(fd);
}

/* Connections that begin and go no further must not hurt the others. */
static void
half_handshakes(void)
{
	static const uint8_t hello[] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };
	int fds[20];

	for (unsigned i = 0; i < 20; i++) {
		fds[i] = peer_tcp(&target);
		(void)!write(fds[i], hello, i % sizeof(hello));
	}
	struct peer *p = peer_open(&target, keys);
	check("a link is made beside twenty half handshakes", p->hs.step == LINK_OPEN);
	peer_close(&p);
	for (unsigned i = 0; i < 20; i++)
		close(fds[i]);
}

/* TLS, then these bytes instead of a handshake. */
static void
tls_then(const char *what, const void *bytes, size_t len)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	int fd = peer_tcp(&target);

	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		peer_die("TLS handshake failed");
	(void)SSL_write(ssl, bytes, (int)len);
	check(what, is_hung_up(fd, LONG_MS));
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
}

static void
bad_link_handshakes(void)
{
	static const uint8_t old[] = { 0, 0, 7, 0, 2, 0, 3 };
	static const uint8_t odd[] = { 0, 0, 7, 0, 3, 0, 4, 0 };
	static const uint8_t early_cell[CELL_LEN] = { 0, 0, 0, 0, 3 };
	static const uint8_t certs_twice[] = { 0, 0, 7, 0, 2, 0, 4, 0, 0, 0, 0, 129, 0, 9, 2, 4, 0,
		1, 9, 4, 0, 1, 9 };
	static const uint8_t huge[] = { 0, 0, 7, 0, 2, 0, 4, 0, 0, 0, 0, 128, 0xff, 0xff };
	uint8_t *long_padding = calloc(1, 70000);

	tls_then("VERSIONS of link protocol 3 only closes the link", old, sizeof(old));
	tls_then("VERSIONS of an odd length closes the link", odd, sizeof(odd));
	tls_then("a relay cell before VERSIONS closes the link", early_cell, sizeof(early_cell));
	tls_then("CERTS with one type twice closes the link", certs_twice, sizeof(certs_twice));
	memcpy(long_padding, huge, sizeof(huge));
	tls_then("64 KiB of padding in a handshake closes the link", long_padding, 70000);
	free(long_padding);
}

/* Somebody else's broken certificates must not touch the links beside them: the TLS library keeps
 * its errors by thread, not by connection. */
static void
innocent_links(void)
{
	/* VERSIONS, then CERTS with an X.509 certificate of type 2 that is none */
	static const uint8_t no_x509[] = { 0, 0, 7, 0, 2, 0, 4, 0, 0, 0, 0, 129, 0, 8, 1, 2, 0, 4,
		'n', 'o', 'n', 'e' };
	struct peer *innocent[8];
	struct peer_answer a;
	unsigned alive = 0;

	for (unsigned i = 0; i < 8; i++)
		innocent[i] = peer_open(&target, keys);
	for (uint32_t round = 1; round <= 4; round++) {
		tls_then(
		    "CERTS with a broken certificate closes the link", no_x509, sizeof(no_x509));
		for (unsigned i = 0; i < 8; i++) {
			peer_send_cell(innocent[i], 0x80000000u + round, CELL_CREATE, "", 1);
			peer_wait(innocent[i], NULL, LONG_MS, &a);
			alive += a.event == PEER_DESTROYED;
		}
	}
	for (unsigned i = 0; i < 8; i++)
		peer_close(&innocent[i]);
	check("and leaves all other links alone", alive == 32);
}

/* --- making circuits ------------------------------------------------------------------------- */

static void
expect_destroy(struct peer *p, const char *what, uint8_t reason)
{
	struct peer_answer a;

	peer_wait(p, NULL, LONG_MS, &a);
	check(what, a.event == PEER_DESTROYED && a.reason == reason);
}

static void
bad_creates(void)
{
	struct peer *p = peer_open(&target, keys);
	uint8_t body[CELL_BODY_LEN] = { 0 };

	peer_send_cell(p, 0x80000001, CELL_CREATE, body, sizeof(body));
	expect_destroy(p, "CREATE (TAP) gets DESTROY PROTOCOL", DESTROY_PROTOCOL);
	peer_send_cell(p, 0x80000002, CELL_CREATE2, "\0\0\0\4abcd", 8);
	expect_destroy(p, "CREATE2 of type 0 gets DESTROY PROTOCOL", DESTROY_PROTOCOL);
	peer_send_cell(p, 0x80000003, CELL_CREATE2, "\0\2\0\4abcd", 8);
	expect_destroy(p, "an ntor request of four bytes gets DESTROY PROTOCOL", DESTROY_PROTOCOL);
	memcpy(body, "\0\2\0\124", 4); /* 84 zero bytes: not our id, not our key */
	peer_send_cell(p, 0x80000004, CELL_CREATE2, body, sizeof(body));
	expect_destroy(p, "ntor for another relay gets DESTROY PROTOCOL", DESTROY_PROTOCOL);
	memcpy(body, "\0\3\2\0", 4); /* longer than the cell */
	peer_send_cell(p, 0x80000005, CELL_CREATE2, body, sizeof(body));
	expect_destroy(p, "CREATE2 longer than its cell gets DESTROY PROTOCOL", DESTROY_PROTOCOL);
	peer_send_cell(p, 0x00000006, CELL_CREATE_FAST, body, 20);
	expect_destroy(p, "a circuit id of the wrong side gets DESTROY PROTOCOL", DESTROY_PROTOCOL);
	peer_close(&p);
}

/* Questions without end, and no answer ever read: the relay must not keep them all. */
static void
unread_answers(void)
{
	struct peer *p = peer_open(&target, keys);
	uint8_t cells[31 * CELL_LEN] = { 0 };
	size_t sent = 0;

	for (uint32_t i = 0; i < 31; i++) {
		put_u32(cells + i * CELL_LEN, 0x80000001u + i);
		cells[i * CELL_LEN + 4] = CELL_CREATE;
	}
	while (sent < (100u << 20) && SSL_write(p->ssl, cells, sizeof(cells)) > 0)
		sent += sizeof(cells);
	check("who reads no answers is hung up on before 100 MB of them", sent < (100u << 20));
	peer_close(&p);
}

/* Circuits without end on one link of somebody who is no relay of the consensus. */
static void
too_many_circuits(void)
{
	struct peer *p = peer_open(&target, keys);
	struct peer_answer a = { .event = PEER_CELL };
	unsigned made = 0;

	for (uint32_t i = 0; i < 30000 && a.event == PEER_CELL; i++) {
		peer_send_cell(p, 0x80000001u + i, CELL_CREATE_FAST, "12345678901234567890", 20);
		peer_wait(p, NULL, LONG_MS, &a);
		made += a.event == PEER_CELL && a.command == CELL_CREATED_FAST;
	}
	check("a stranger's 16,385th circuit on a link gets DESTROY RESOURCELIMIT",
	    made == 16384 && a.event == PEER_DESTROYED && a.reason == DESTROY_RESOURCELIMIT);
	peer_close(&p);
}

/* --- relay messages -------------------------------------------------------------------------- */

struct message_case {
	const char *what;
	uint8_t cell, command;
	uint16_t stream_id;
	const char *data;
	size_t len;
	enum peer_event event;
	uint8_t answer, reason;
	size_t answer_len; /* 0: any */
};

#define STR(s)        s, sizeof(s) - 1
#define LEN_PAST_CELL 60000

static const struct message_case cases[] = {
	{ "BEGIN without NUL gets END TORPROTOCOL", CELL_RELAY, RELAY_BEGIN, 1, STR("192.0.2.1:80"),
	    PEER_MESSAGE, RELAY_END, END_TORPROTOCOL, 1 },
	{ "BEGIN to port 0 gets END TORPROTOCOL", CELL_RELAY, RELAY_BEGIN, 2, STR("192.0.2.1:0\0"),
	    PEER_MESSAGE, RELAY_END, END_TORPROTOCOL, 1 },
	{ "BEGIN without a port gets END TORPROTOCOL", CELL_RELAY, RELAY_BEGIN, 3,
	    STR("192.0.2.1\0"), PEER_MESSAGE, RELAY_END, END_TORPROTOCOL, 1 },
	{ "an empty BEGIN gets END TORPROTOCOL", CELL_RELAY, RELAY_BEGIN, 4, STR(""), PEER_MESSAGE,
	    RELAY_END, END_TORPROTOCOL, 1 },
	{ "a path-bias probe gets EXITPOLICY with its address", CELL_RELAY, RELAY_BEGIN, 5,
	    STR("0.1.2.3:25\0"), PEER_MESSAGE, RELAY_END, END_EXITPOLICY, 9 },
	{ "an IPv4 address in IPv6 clothes is one of IPv4", CELL_RELAY, RELAY_BEGIN, 5,
	    STR("[::ffff:0.1.2.3]:25\0"), PEER_MESSAGE, RELAY_END, END_EXITPOLICY, 9 },
	{ "BEGIN_DIR gets END NOTDIRECTORY", CELL_RELAY, RELAY_BEGIN_DIR, 6, STR(""), PEER_MESSAGE,
	    RELAY_END, END_NOTDIRECTORY, 1 },
	{ "RESOLVE of an address gets a permanent error", CELL_RELAY, RELAY_RESOLVE, 7,
	    STR("192.0.2.1\0"), PEER_MESSAGE, RELAY_RESOLVED, 0, 30 },
	{ "BEGIN to a name that cannot be gets END RESOLVEFAILED", CELL_RELAY, RELAY_BEGIN, 8,
	    STR("no good name:80\0"), PEER_MESSAGE, RELAY_END, END_RESOLVEFAILED, 1 },
	{ "BEGIN on stream 0 is dropped", CELL_RELAY, RELAY_BEGIN, 0, STR("0.1.2.3:25\0"),
	    PEER_NOTHING, 0, 0, 0 },
	{ "DATA on an unknown stream is dropped", CELL_RELAY, RELAY_DATA, 99, STR("x"),
	    PEER_NOTHING, 0, 0, 0 },
	{ "an unknown command is dropped", CELL_RELAY, 77, 0, STR("x"), PEER_NOTHING, 0, 0, 0 },
	{ "DROP is dropped", CELL_RELAY, RELAY_DROP, 0, STR("x"), PEER_NOTHING, 0, 0, 0 },
	{ "EXTEND2 in an ordinary cell is dropped", CELL_RELAY, RELAY_EXTEND2, 0, STR("\0"),
	    PEER_NOTHING, 0, 0, 0 },
	{ "padding negotiation is answered by no", CELL_RELAY, RELAY_PADDING_NEGOTIATE, 0,
	    STR("\0\2\1\0\0\0\0\5"), PEER_MESSAGE, RELAY_PADDING_NEGOTIATED, 0, 8 },
	{ "TRUNCATE gets TRUNCATED", CELL_RELAY, RELAY_TRUNCATE, 0, STR("\3"), PEER_MESSAGE,
	    RELAY_TRUNCATED, 0, 1 },
	{ "an empty EXTEND2 closes the circuit", CELL_RELAY_EARLY, RELAY_EXTEND2, 0, STR("\0"),
	    PEER_DESTROYED, 0, DESTROY_PROTOCOL, 0 },
	{ "the old EXTEND closes the circuit", CELL_RELAY, RELAY_EXTEND, 0, STR("x"),
	    PEER_DESTROYED, 0, DESTROY_PROTOCOL, 0 },
	{ "a SENDME for nothing closes the circuit", CELL_RELAY, RELAY_SENDME, 0,
	    STR("\1\0\24aaaaaaaaaaaaaaaaaaaa"), PEER_DESTROYED, 0, DESTROY_PROTOCOL, 0 },
	{ "a length past the cell closes the circuit", CELL_RELAY, RELAY_DATA, 1, "x",
	    LEN_PAST_CELL, PEER_DESTROYED, 0, DESTROY_PROTOCOL, 0 },
	{ "an empty TRUNCATE closes the circuit", CELL_RELAY, RELAY_TRUNCATE, 0, STR(""),
	    PEER_DESTROYED, 0, DESTROY_PROTOCOL, 0 },
};

/* Seal a head that lies about its length; the data stays inside the cell. */
static void
send_case(struct peer_circuit *c, const struct message_case *mc)
{
	uint8_t body[CELL_BODY_LEN] = { 0 };

	if (mc->len != LEN_PAST_CELL) {
		peer_relay(c, mc->cell, mc->command, mc->stream_id, mc->data, mc->len);
		return;
	}
	relay_msg_write_head(body, mc->command, mc->stream_id, (uint16_t)mc->len);
	tor1_client_seal(c->hop[0], body, NULL);
	peer_send_cell(c->peer, c->circid, mc->cell, body, sizeof(body));
}

static void
message_cases(void)
{
	struct peer *p = peer_open(&target, keys);
	struct peer_answer a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct message_case *mc = &cases[i];
		struct peer_circuit *c = peer_circuit_open(p, &target, 0x80001000u + (uint32_t)i);

		send_case(c, mc);
		peer_wait(p, c, mc->event == PEER_NOTHING ? SHORT_MS : LONG_MS, &a);
		bool ok =
		    a.event == mc->event && (a.event == PEER_NOTHING || a.reason == mc->reason);
		if (mc->event == PEER_MESSAGE)
			ok = ok && a.command == mc->answer &&
			     (mc->answer_len == 0 || a.len == mc->answer_len) &&
			     a.stream_id == mc->stream_id;
		check(mc->what, ok);
		if (a.event != PEER_DESTROYED)
			peer_send_cell(p, c->circid, CELL_DESTROY, "", 1);
		peer_circuit_free(&c);
	}
	peer_close(&p);
}

static void
bad_relay_cells(void)
{
	struct peer *p = peer_open(&target, keys);
	uint8_t noise[CELL_BODY_LEN] = { 1, 2, 3 };
	struct peer_answer a;
	struct peer_circuit *c = peer_circuit_open(p, &target, 0x80000001);

	peer_send_cell(p, 0x80000777, CELL_RELAY, noise, sizeof(noise));
	peer_wait(p, NULL, SHORT_MS, &a);
	check("a cell for an unknown circuit is dropped", a.event == PEER_NOTHING);
	peer_send_cell(p, c->circid, CELL_RELAY, noise, sizeof(noise));
	peer_wait(p, c, LONG_MS, &a);
	check("an unrecognised cell at the last hop closes the circuit",
	    a.event == PEER_DESTROYED && a.reason == DESTROY_PROTOCOL);
	peer_circuit_free(&c);
	c = peer_circuit_open(p, &target, 0x80000002);
	for (unsigned i = 0; i < 9; i++)
		peer_relay(c, CELL_RELAY_EARLY, RELAY_DROP, 0, "", 0);
	peer_wait(p, c, LONG_MS, &a);
	check("the ninth RELAY_EARLY closes the circuit", a.event == PEER_DESTROYED);
	peer_circuit_free(&c);
	peer_close(&p);
}

/* --- and then an honest fetch ---------------------------------------------------------------- */

static void
honest_fetch(const char *web)
{
	static const char get[] = "GET /hello.txt HTTP/1.0\r\nConnection: close\r\n\r\n";
	struct peer *p = peer_open(&target, keys);
	struct peer_circuit *c = peer_circuit_open(p, &target, 0x80000001);
	struct peer_answer a;
	bool connected = false, data = false, done = false;

	peer_relay(c, CELL_RELAY, RELAY_BEGIN, 1, web, strlen(web) + 1);
	peer_relay(c, CELL_RELAY, RELAY_DATA, 1, get, sizeof(get) - 1); /* before CONNECTED */
	do {
		peer_wait(p, c, LONG_MS, &a);
		connected = connected || a.command == RELAY_CONNECTED;
		data = data ||
		       (a.command == RELAY_DATA && connected && memcmp(a.data, "HTTP/1.", 7) == 0 &&
			   memcmp(a.data + 8, " 200", 4) == 0);
		done = a.command == RELAY_END && a.reason == END_DONE;
	} while (a.event == PEER_MESSAGE && !done);
	check("after all that an honest fetch works", connected && data && done);
	peer_circuit_free(&c);
	peer_close(&p);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int
main(int argc, char **argv)
{
	char dir[] = "/tmp/hostile_peer_XXXXXX", why[256], path[2][4096];
	struct keystore *store;

	if (argc < 3) {
		fprintf(stderr, "usage: hostile_peer ADDR:PORT DATADIR [WEB_ADDR:PORT]\n");
		return 2;
	}
	snprintf(path[0], sizeof(path[0]), "%s/fingerprint", argv[2]);
	snprintf(path[1], sizeof(path[1]), "%s/keys/secret_onion_key_ntor", argv[2]);
	if (crypt_init() != RC_OK || mkdtemp(dir) == NULL ||
	    keystore_open(dir, "hostile", clock_wall_s(), &store, why, sizeof(why)) != RC_OK)
		peer_die("no keys of our own");
	keys = keystore_current(store);
	target_read(&target, argv[1], path[0], path[1]);
	signal(SIGPIPE, SIG_IGN);
	raw_garbage();
	half_handshakes();
	bad_link_handshakes();
	innocent_links();
	bad_creates();
	unread_answers();
	too_many_circuits();
	message_cases();
	bad_relay_cells();
	if (argc > 3)
		honest_fetch(argv[3]);
	relay_keys_unref(&keys);
	keystore_close(&store);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
