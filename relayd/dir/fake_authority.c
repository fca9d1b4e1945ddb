/* fake_authority.c: directory authorities inside a test. */
#include "relayd/dir/fake_authority.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/dir/netdoc.h"

#define TEXT_MAX 65536

static void
sign(struct wr *wr, EVP_PKEY *key, const uint8_t *digest, size_t digest_len, const char *label)
{
	uint8_t sig[RSA_SIG_MAX];
	size_t len;

	assert(rsa_sign_raw(key, span_of(digest, digest_len), sig, &len) == RC_OK);
	netdoc_object_write(wr, label, span_of(sig, len));
}

static void
write_digest(struct wr *wr, EVP_PKEY *key)
{
	uint8_t digest[20];
	char hex[41];

	assert(rsa_digest_sha1(key, digest) == RC_OK);
	assert(hex_encode(span_of(digest, 20), hex, sizeof(hex)) == RC_OK);
	wr_str(wr, hex);
}

static void
write_cert(struct wr *wr, const struct fake *fake, time_t now)
{
	char pem[1200], from[NETDOC_TIME_LEN], to[NETDOC_TIME_LEN];
	uint8_t digest[20];
	struct wr one = *wr; /* the signature is over this certificate only */

	one.start = one.at;
	wr_str(&one, "dir-key-certificate-version 3\nfingerprint ");
	write_digest(&one, fake->identity);
	wr_printf(&one, "\ndir-key-published %s\ndir-key-expires %s\ndir-identity-key\n",
	    netdoc_time_str(now - 3600, from), netdoc_time_str(now + 86400, to));
	assert(rsa_public_pem(fake->identity, pem, sizeof(pem)) == RC_OK);
	wr_printf(&one, "%sdir-signing-key\n", pem);
	assert(rsa_public_pem(fake->signing, pem, sizeof(pem)) == RC_OK);
	wr_printf(&one, "%sdir-key-crosscert\n", pem);
	assert(rsa_digest_sha1(fake->identity, digest) == RC_OK);
	sign(&one, fake->signing, digest, 20, "ID SIGNATURE");
	wr_str(&one, "dir-key-certification\n");
	struct span text = wr_written(&one);
	assert(EVP_Digest(text.data, text.len, digest, NULL, EVP_sha1(), NULL) == 1);
	sign(&one, fake->identity, digest, 20, "SIGNATURE");
	assert(one.rc == RC_OK);
	wr->at = one.at;
}

/* Microdescriptor number i. */
static struct span
micro_text(const struct fake_world *world, unsigned i, char *buf, size_t len)
{
	char id[48];

	assert(base64_encode(span_of(world->ed_ids[i], 32), false, id, sizeof(id)) == RC_OK);
	snprintf(buf, len, "onion-key\nntor-onion-key x\nid ed25519 %s\n", id);
	return span_of_str(buf);
}

static void
write_relay(struct wr *wr, const struct fake_world *world, unsigned i)
{
	uint8_t digest[32], id[20] = { 0 };
	char text[200], id64[32], digest64[48];
	struct span micro = micro_text(world, i, text, sizeof(text));

	id[0] = (uint8_t)(i + 1);
	assert(EVP_Digest(micro.data, micro.len, digest, NULL, EVP_sha256(), NULL) == 1);
	assert(base64_encode(span_of(id, 20), false, id64, sizeof(id64)) == RC_OK);
	assert(base64_encode(span_of(digest, 32), false, digest64, sizeof(digest64)) == RC_OK);
	wr_printf(wr, "r relay%u %s 2038-01-01 00:00:00 192.0.2.%u 9001 0\nm %s\ns Running Valid\n",
	    i, id64, i + 1, digest64);
}

void
fake_world_vote(struct fake_world *world, time_t valid_after, unsigned signers)
{
	char *text = malloc(TEXT_MAX), a[NETDOC_TIME_LEN], f[NETDOC_TIME_LEN], u[NETDOC_TIME_LEN];
	struct wr wr = wr_to(text, TEXT_MAX);
	uint8_t digest[32];

	assert(text != NULL);
	wr_printf(&wr,
	    "network-status-version 3 microdesc\nvalid-after %s\nfresh-until %s\nvalid-until %s\n"
	    "params test=5\n",
	    netdoc_time_str(valid_after, a), netdoc_time_str(valid_after + 10, f),
	    netdoc_time_str(valid_after + 60, u));
	for (unsigned i = 0; i < FAKE_RELAYS; i++)
		write_relay(&wr, world, i);
	wr_str(&wr, "directory-footer\ndirectory-signature ");
	struct span signed_part = wr_written(&wr);
	assert(EVP_Digest(text, signed_part.len, digest, NULL, EVP_sha256(), NULL) == 1);
	for (unsigned i = 0; i < signers; i++) {
		wr_printf(&wr, "%ssha256 ", i != 0 ? "directory-signature " : "");
		write_digest(&wr, world->fakes[i].identity);
		wr_str(&wr, " ");
		write_digest(&wr, world->fakes[i].signing);
		wr_str(&wr, "\n");
		sign(&wr, world->fakes[i].signing, digest, 32, "SIGNATURE");
	}
	wr_u8(&wr, '\0');
	assert(wr.rc == RC_OK);
	free(world->consensus);
	world->consensus = text;
}

/* The place of a connection; with NULL a free one. */
static struct bufferevent **
find_open(struct fake *fake, const struct bufferevent *bev)
{
	size_t i = 0;

	while (i < FAKE_CONNECTIONS && fake->open[i] != bev)
		i++;
	assert(i < FAKE_CONNECTIONS);
	return &fake->open[i];
}

static void
hang_up(struct fake *fake, struct bufferevent *bev)
{
	*find_open(fake, bev) = NULL;
	bufferevent_free(bev);
}

static void
on_drained(struct bufferevent *bev, void *arg)
{
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		hang_up(arg, bev);
}

static void
on_endless(struct bufferevent *bev, void *arg)
{
	static const char some[16384];

	(void)arg;
	bufferevent_write(bev, some, sizeof(some));
}

static void
on_gone(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	hang_up(arg, bev);
}

static void
answer_get(struct fake *fake, struct evbuffer *out, const char *path)
{
	const struct fake_world *world = fake->world;
	const char *body = strstr(path, "/consensus-microdesc") != NULL ? world->consensus
			   : strstr(path, "/keys/") != NULL             ? world->certs
			   : strstr(path, "/micro/") != NULL            ? world->micros
									: NULL;

	if (fake->mood == FAKE_GARBAGE)
		evbuffer_add_printf(out, "SSH-2.0-who are you?\r\n\r\n");
	else if (fake->mood == FAKE_EMPTY || body == NULL)
		evbuffer_add_printf(out, "HTTP/1.0 404 Not found\r\n\r\n");
	else
		evbuffer_add_printf(out,
		    "HTTP/1.0 200 OK\r\nX-Your-Address-Is: 192.0.2.77\r\nContent-Length: "
		    "%zu\r\n\r\n%.*s",
		    strlen(body), (int)(fake->mood == FAKE_CUT ? strlen(body) / 2 : strlen(body)),
		    body);
}

static void
answer_post(struct fake *fake, struct evbuffer *out, const char *body)
{
	bool known = strcmp(fake->kept, body) == 0;

	fake->posts++;
	if (fake->post == FAKE_REFUSES)
		evbuffer_add_printf(out, "HTTP/1.0 400 I do not like \x1b[31myour face\r\n\r\n");
	else
		evbuffer_add_printf(out, "HTTP/1.0 200 %s\r\n%s\r\n", known ? "OK" : "[None]",
		    known ? "X-Descriptor-Not-New: Yes\r\n" : "");
	if (fake->post == FAKE_KEEPS)
		snprintf(fake->kept, sizeof(fake->kept), "%s", body);
}

/* Answer once the whole request is there. */
static void
on_request(struct bufferevent *bev, void *arg)
{
	struct fake *fake = arg;
	struct evbuffer *in = bufferevent_get_input(bev), *out = bufferevent_get_output(bev);
	size_t len = evbuffer_get_length(in);
	char *text = malloc(len + 1);

	assert(text != NULL);
	assert(evbuffer_copyout(in, text, len) == (ev_ssize_t)len);
	text[len] = '\0';
	char *body = strstr(text, "\r\n\r\n"), *told = strstr(text, "Content-Length: ");
	if (body != NULL && (told == NULL || strlen(body + 4) == strtoul(told + 16, NULL, 10))) {
		evbuffer_drain(in, len);
		if (strncmp(text, "POST ", 5) == 0)
			answer_post(fake, out, body + 4);
		else {
			fake->gets++;
			*strchr(text, '\r') = '\0';
			answer_get(fake, out, text);
		}
		bufferevent_setcb(bev, NULL,
		    fake->mood == FAKE_ENDLESS && text[0] == 'G' ? on_endless : on_drained, on_gone,
		    fake);
	}
	free(text);
}

static void
on_connection(
    struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct fake *fake = arg;
	struct bufferevent *bev =
	    bufferevent_socket_new(fake->world->base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)sa;
	(void)len;
	assert(bev != NULL);
	*find_open(fake, NULL) = bev;
	bufferevent_setcb(bev, on_request, NULL, on_gone, fake);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void
listen_on_loopback(struct fake *fake, struct dir_authority *authority)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	fake->listener = evconnlistener_new_bind(fake->world->base, on_connection, fake,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1, (struct sockaddr *)&sin,
	    sizeof(sin));
	assert(fake->listener != NULL);
	assert(
	    getsockname(evconnlistener_get_fd(fake->listener), (struct sockaddr *)&ss, &len) == 0);
	assert(addr_port_from_sockaddr((struct sockaddr *)&ss, len, &authority->dir) == RC_OK);
}

void
fake_world_init(struct fake_world *world, struct event_base *base, time_t now)
{
	struct wr certs, micros;
	char text[200];

	memset(world, 0, sizeof(*world));
	world->base = base;
	world->certs = malloc(TEXT_MAX);
	world->micros = malloc(TEXT_MAX);
	assert(world->certs != NULL && world->micros != NULL);
	certs = wr_to(world->certs, TEXT_MAX);
	micros = wr_to(world->micros, TEXT_MAX);
	for (unsigned i = 0; i < FAKES; i++) {
		struct fake *fake = &world->fakes[i];
		struct dir_authority *authority = &world->authorities[i];

		fake->world = world;
		fake->index = i;
		fake->identity = rsa_generate(1024);
		fake->signing = rsa_generate(1024);
		snprintf(authority->nickname, sizeof(authority->nickname), "fake%u", i);
		assert(rsa_digest_sha1(fake->identity, authority->v3_ident) == RC_OK);
		authority->has_v3_ident = true;
		listen_on_loopback(fake, authority);
		write_cert(&certs, fake, now);
	}
	for (unsigned i = 0; i < FAKE_RELAYS; i++) {
		memset(world->ed_ids[i], 0x40 + (int)i, 32);
		wr_span(&micros, micro_text(world, i, text, sizeof(text)));
	}
	wr_u8(&certs, '\0');
	wr_u8(&micros, '\0');
	assert(certs.rc == RC_OK && micros.rc == RC_OK);
	fake_world_vote(world, now, FAKES);
}

void
fake_world_clear(struct fake_world *world)
{
	for (unsigned i = 0; i < FAKES; i++) {
		EVP_PKEY_free(world->fakes[i].identity);
		EVP_PKEY_free(world->fakes[i].signing);
		evconnlistener_free(world->fakes[i].listener);
		for (unsigned k = 0; k < FAKE_CONNECTIONS; k++)
			if (world->fakes[i].open[k] != NULL)
				bufferevent_free(world->fakes[i].open[k]);
	}
	free(world->certs);
	free(world->micros);
	free(world->consensus);
}
