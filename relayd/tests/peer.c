/* peer.c: the test peer: blocking sockets, TLS, link handshake, circuits. */
#include "relayd/tests/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/conf.h"
#include "relayd/link/tls.h"

void
peer_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("peer: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void
target_read(
    struct target *t, const char *addr_port, const char *fingerprint_file, const char *onion_file)
{
	char *text, hex[41] = "";
	uint8_t onion[96];
	size_t len, n;
	FILE *f;

	if (addr_port_parse(span_of_str(addr_port), &t->at) != RC_OK)
		peer_die("not an address and port: %s", addr_port);
	if (conf_read_file(fingerprint_file, 256, &text, &len) != RC_OK ||
	    sscanf(text, "%*s %40s", hex) != 1 ||
	    hex_decode(span_of_str(hex), t->rsa_id, 20, &n) != RC_OK || n != 20)
		peer_die("no fingerprint in %s", fingerprint_file);
	free(text);
	f = fopen(onion_file, "rb");
	if (f == NULL || fread(onion, 1, sizeof(onion), f) != sizeof(onion))
		peer_die("no onion key in %s", onion_file);
	fclose(f);
	memcpy(t->onion, onion + 64, 32);
}

int
peer_tcp(const struct target *t)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_port_to_sockaddr(&t->at, &ss);
	int one = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len) != 0)
		peer_die("cannot connect: %s", strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

void
peer_send(struct peer *p, const void *bytes, size_t len)
{
	if (len != 0 && SSL_write(p->ssl, bytes, (int)len) != (int)len)
		peer_die("cannot write to the link");
}

void
peer_send_cell(struct peer *p, uint32_t circid, uint8_t command, const void *body, size_t len)
{
	uint8_t bytes[CELL_LEN];
	struct wr wr = wr_to(bytes, sizeof(bytes));

	cell_write(&wr, circid, command, span_of(body, len));
	peer_send(p, bytes, sizeof(bytes));
}

/* The next cell, or RC_AGAIN after the time, or RC_CLOSED. */
static enum rc
next_cell(struct peer *p, int timeout_ms, bool first, struct cell *cell)
{
	uint64_t end = clock_mono_ms() + (uint64_t)timeout_ms;

	for (;;) {
		struct rd rd = rd_from(span_of(p->in + p->in_used, p->in_len - p->in_used));
		enum rc rc = cell_next(&rd, first, cell);
		uint64_t now = clock_mono_ms();

		if (rc != RC_AGAIN) {
			p->in_used += cell->wire.len;
			return rc;
		}
		memmove(p->in, p->in + p->in_used, p->in_len - p->in_used);
		p->in_len -= p->in_used;
		p->in_used = 0;
		struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
		if (SSL_pending(p->ssl) == 0 && !SSL_has_pending(p->ssl) &&
		    (now >= end || poll(&pfd, 1, (int)(end - now)) == 0))
			return RC_AGAIN;
		int n = SSL_read(p->ssl, p->in + p->in_len, (int)(sizeof(p->in) - p->in_len));
		if (n <= 0)
			return RC_CLOSED;
		p->in_len += (size_t)n;
	}
}

static void
handshake(struct peer *p)
{
	uint8_t buf[LINK_HANDSHAKE_OUT_MAX];
	struct cell cell;
	struct wr out = wr_to(buf, sizeof(buf));

	link_handshake_start(&p->hs, &out);
	peer_send(p, buf, wr_len(&out));
	while (p->hs.step != LINK_OPEN) {
		out = wr_to(buf, sizeof(buf));
		enum rc rc = next_cell(p, 10000, p->hs.step == LINK_WANT_VERSIONS, &cell);
		if (rc == RC_OK)
			rc = link_handshake_cell(&p->hs, &cell, clock_wall_s(), &out);
		if (rc != RC_OK)
			peer_die("link handshake: %s (%s)", rc_str(rc), p->hs.why ? p->hs.why : "");
		peer_send(p, buf, wr_len(&out));
	}
}

static struct peer *
tls_open(const struct target *t)
{
	struct peer *p = calloc(1, sizeof(*p));
	SSL_CTX *ctx = tls_client_ctx();

	if (p == NULL || ctx == NULL)
		peer_die("out of memory");
	p->fd = peer_tcp(t);
	p->ssl = tls_client_new(ctx);
	SSL_CTX_free(ctx);
	if (p->ssl == NULL || SSL_set_fd(p->ssl, p->fd) != 1 || SSL_connect(p->ssl) != 1)
		peer_die("TLS handshake failed");
	SSL_clear_mode(p->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
	return p;
}

struct peer *
peer_open(const struct target *t, struct relay_keys *keys)
{
	struct peer *p = tls_open(t);

	p->hs.initiator = true;
	p->hs.peer_addr = t->at.addr;
	memcpy(p->hs.want_rsa_id, t->rsa_id, 20);
	p->hs.exporter = tls_exporter;
	p->hs.exporter_arg = p->ssl;
	if (tls_peer_cert_sha256(p->ssl, p->hs.peer_tls_sha256) != RC_OK ||
	    link_handshake_init(&p->hs, keys) != RC_OK)
		peer_die("no certificate, or no memory");
	handshake(p);
	return p;
}

struct peer *
peer_open_client(const struct target *t)
{
	struct peer *p = tls_open(t);
	struct netinfo info = { .other = t->at.addr };
	uint8_t buf[CELL_BODY_LEN];
	struct wr wr = wr_to(buf, sizeof(buf));
	struct cell cell;
	bool first = true;

	versions_write(&wr);
	peer_send(p, buf, wr_len(&wr));
	do {
		if (next_cell(p, 10000, first, &cell) != RC_OK)
			peer_die("no link handshake for a client");
		first = false;
	} while (cell.command != CELL_NETINFO);
	wr = wr_to(buf, sizeof(buf));
	netinfo_write_body(&wr, &info);
	peer_send_cell(p, 0, CELL_NETINFO, buf, wr_len(&wr));
	return p;
}

void
peer_close(struct peer **peer)
{
	struct peer *p = *peer;

	*peer = NULL;
	if (p->hs.keys != NULL)
		link_handshake_clear(&p->hs);
	SSL_free(p->ssl);
	close(p->fd);
	free(p);
}

void
peer_create2(struct peer *p, uint32_t circid, uint16_t type, struct span onion_skin)
{
	uint8_t body[CELL_BODY_LEN];
	struct wr wr = wr_to(body, sizeof(body));
	struct create2 create = { type, onion_skin };

	create2_write_body(&wr, &create);
	peer_send_cell(p, circid, CELL_CREATE2, body, wr_len(&wr));
}

void
peer_ntor_ask(const struct target *t, struct ntor_client *client, uint8_t skin[84])
{
	memset(client, 0, sizeof(*client));
	memcpy(client->rsa_id, t->rsa_id, 20);
	memcpy(client->onion, t->onion, 32);
	ntor_ask(client, skin);
}

void
peer_circuit_add_hop(struct peer_circuit *c, const struct tor1_keys *keys)
{
	if (c->hops == PEER_HOPS_MAX || (c->hop[c->hops] = tor1_new(keys)) == NULL)
		peer_die("no room for a hop");
	c->hops++;
}

struct peer_circuit *
peer_circuit_of(struct peer *p, uint32_t circid, const struct tor1_keys *keys)
{
	struct peer_circuit *c = calloc(1, sizeof(*c));

	if (c == NULL)
		peer_die("out of memory");
	c->peer = p;
	c->circid = circid;
	peer_circuit_add_hop(c, keys);
	return c;
}

struct peer_circuit *
peer_circuit_open(struct peer *p, const struct target *t, uint32_t circid)
{
	struct ntor_client client;
	uint8_t skin[NTOR_REQUEST_LEN];
	struct tor1_keys keys;
	struct cell cell;
	struct span reply;

	peer_ntor_ask(t, &client, skin);
	peer_create2(p, circid, HANDSHAKE_NTOR, span_of(skin, sizeof(skin)));
	do {
		if (next_cell(p, 10000, false, &cell) != RC_OK)
			peer_die("no answer to CREATE2");
	} while (cell.circid != circid);
	if (cell.command != CELL_CREATED2 || created2_parse(cell.body, &reply) != RC_OK ||
	    ntor_finish(&client, reply, &keys) != RC_OK)
		peer_die("CREATE2 was answered by cell %u", cell.command);
	return peer_circuit_of(p, circid, &keys);
}

void
peer_circuit_free(struct peer_circuit **c)
{
	while ((*c)->hops > 0)
		tor1_free(&(*c)->hop[--(*c)->hops]);
	free(*c);
	*c = NULL;
}

void
peer_relay_to(struct peer_circuit *c, unsigned hop, uint8_t cell, uint8_t command,
    uint16_t stream_id, const void *data, size_t len)
{
	uint8_t body[CELL_BODY_LEN] = { 0 };

	relay_msg_write_head(body, command, stream_id, (uint16_t)len);
	if (len != 0)
		memcpy(body + RELAY_HEAD_LEN, data, len < RELAY_DATA_MAX ? len : RELAY_DATA_MAX);
	tor1_client_seal(c->hop[hop], body, c->sent_tag);
	while (hop > 0)
		tor1_client_pass(c->hop[--hop], body);
	peer_send_cell(c->peer, c->circid, cell, body, sizeof(body));
}

void
peer_relay(struct peer_circuit *c, uint8_t cell, uint8_t command, uint16_t stream_id,
    const void *data, size_t len)
{
	peer_relay_to(c, c->hops - 1, cell, command, stream_id, data, len);
}

static void
take_relay(struct peer_circuit *c, const struct cell *cell, struct peer_answer *out)
{
	uint8_t body[CELL_BODY_LEN];
	struct relay_msg msg;

	memcpy(body, cell->body.data, sizeof(body));
	while (out->hop < c->hops && !tor1_client_open(c->hop[out->hop], body, out->tag))
		out->hop++;
	if (out->hop == c->hops || relay_msg_parse(body, &msg) != RC_OK)
		peer_die("a relay cell that does not open");
	out->event = PEER_MESSAGE;
	out->command = msg.command;
	out->stream_id = msg.stream_id;
	out->len = msg.data.len;
	memcpy(out->data, msg.data.data, msg.data.len);
	if (msg.command == RELAY_END && msg.data.len != 0)
		out->reason = msg.data.data[0];
}

void
peer_wait(struct peer *p, struct peer_circuit *c, int timeout_ms, struct peer_answer *out)
{
	struct cell cell;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	do
		rc = next_cell(p, timeout_ms, false, &cell);
	while (rc == RC_OK && (cell.circid == 0 || (c != NULL && cell.circid != c->circid)));
	if (rc != RC_OK) {
		out->event = rc == RC_AGAIN ? PEER_NOTHING : PEER_CLOSED;
		return;
	}
	out->command = cell.command;
	out->circid = cell.circid;
	out->event = PEER_CELL;
	out->len = cell.body.len < sizeof(out->data) ? cell.body.len : sizeof(out->data);
	memcpy(out->data, cell.body.data, out->len);
	if (cell.command == CELL_DESTROY) {
		out->event = PEER_DESTROYED;
		out->reason = cell.body.data[0];
	} else if (cell.command == CELL_RELAY && c != NULL)
		take_relay(c, &cell, out);
}
