/* serve.c: requests into batches, batches into the kernel. */
#include "exitguard/priv/serve.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#define PACKETS_A_TURN 256

static uint32_t
now_s(void)
{
	return (uint32_t)(clock_mono_ms() / 1000) + 1; /* 0 means never */
}

void
serve_init(struct serve *serve)
{
	uint8_t key[16];

	*serve = (struct serve){ 0 };
	randombytes_buf(key, sizeof(key));
	elems_init(&serve->held, key);
}

static enum rc
lay(struct serve *serve, bool replace)
{
	enum rc rc;

	(void)elems_expire(&serve->held, now_s());
	rc = nft_lay(&serve->link, &serve->params, replace, &serve->held, now_s());
	serve->table = rc == RC_OK;
	if (rc == RC_OK) {
		serve->laid++;
		log_notice(
		    LOG_NFT, "table inet exitguard laid with %zu elements", serve->held.count);
	} else {
		log_error(LOG_NFT, "table inet exitguard cannot be laid: %s",
		    rc == RC_SYSTEM ? strerror(serve->link.error) : rc_str(rc));
	}
	return rc;
}

/* Whatever is there of ours: its elements are kept. */
static enum rc
take_over(struct serve *serve, enum nft_state state)
{
	enum rc rc = nft_read_elements(&serve->link, &serve->held, now_s());

	if (rc != RC_OK)
		log_warn(LOG_NFT, "elements of the table found could not be read: %s", rc_str(rc));
	if (state != NFT_OURS)
		return lay(serve, true);
	serve->table = true;
	log_notice(LOG_NFT, "table inet exitguard taken over with %zu elements", serve->held.count);
	return RC_OK;
}

enum rc
serve_start(struct serve *serve, const struct settings *settings)
{
	enum nft_state state;

	serve->params = (struct nft_params){ settings->network_limit.per_second,
		settings->network_limit.burst, settings->dns_limit.per_second,
		settings->dns_limit.burst, (uint16_t)settings->nflog_group };
	enum rc rc = nft_link_open(&serve->link);
	if (rc == RC_OK)
		rc = nft_news_open(&serve->news);
	if (rc == RC_OK)
		rc = nft_look(&serve->link, &serve->params, &state);
	if (rc != RC_OK) {
		log_error(LOG_NFT, "nftables cannot be reached: %s%s",
		    rc == RC_SYSTEM ? strerror(errno) : rc_str(rc),
		    errno == EPERM ? "; start as root, or set Nftables off" : "");
		return rc;
	}
	serve->on = true;
	return state == NFT_MISSING ? lay(serve, false) : take_over(serve, state);
}

void
serve_stop(struct serve *serve, bool remove)
{
	if (serve->on && remove && nft_remove(&serve->link) != RC_OK)
		log_warn(LOG_NFT, "table inet exitguard could not be taken away: %s",
		    strerror(serve->link.error));
	nft_news_close(&serve->news);
	nft_link_close(&serve->link);
	elems_clear(&serve->held);
	free(serve->batch);
	*serve = (struct serve){ 0 };
}

void
serve_forget_batch(struct serve *serve)
{
	serve->batch_len = 0;
}

int
serve_news_fd(const struct serve *serve)
{
	return serve->news.socket != NULL ? mnl_socket_get_fd(serve->news.socket) : -1;
}

void
serve_look(struct serve *serve)
{
	enum nft_state state;

	if (!serve->on)
		return;
	enum rc rc = nft_look(&serve->link, &serve->params, &state);
	if (rc != RC_OK) {
		log_warn(LOG_NFT, "the table cannot be looked at: %s", rc_str(rc));
		return;
	}
	if (state == NFT_OURS)
		return;
	log_warn(LOG_NFT, "table inet exitguard was %s by somebody; laying it again",
	    state == NFT_MISSING ? "taken away" : "changed");
	(void)lay(serve, state != NFT_MISSING);
}

void
serve_take_news(struct serve *serve)
{
	if (nft_news_read(&serve->news, serve->link.portid))
		serve_look(serve);
}

/* Elements of one set going the same way share messages. */
struct gather {
	struct guard_elem part[NFT_ELEMS_A_MESSAGE];
	size_t count;
	bool add;
};

static enum rc
gather_flush(struct serve *serve, struct gather *gather)
{
	enum rc rc = RC_OK;

	if (gather->count != 0)
		rc = nft_put_elems(
		    &serve->link, gather->add, gather->part[0].set, gather->part, gather->count);
	gather->count = 0;
	return rc;
}

static enum rc
gather_put(struct serve *serve, struct gather *gather, bool add, const struct guard_elem *elem)
{
	enum rc rc = RC_OK;

	if (gather->count == NFT_ELEMS_A_MESSAGE ||
	    (gather->count != 0 && (gather->add != add || gather->part[0].set != elem->set)))
		rc = gather_flush(serve, gather);
	gather->add = add;
	gather->part[gather->count++] = *elem;
	return rc;
}

/* An element that the kernel holds already is taken out first, or it would keep its old timeout
 * (older kernels do not renew). `sure`: only what we know; else what expired a moment ago is
 * tried too. What a cleared set held is gone. */
static enum rc
put_one(struct serve *serve, struct gather *gather, const struct priv_request *request,
    const bool cleared[GUARD_SET_COUNT])
{
	uint32_t expires = 0, t = now_s();
	bool known = elems_find(&serve->held, &request->elem, &expires) &&
		     (expires == 0 || expires > t + 1) && !cleared[request->elem.set];
	enum rc rc = RC_OK;

	if (request->type == PRIV_ELEM_DEL)
		return known ? gather_put(serve, gather, false, &request->elem) : RC_OK;
	if (known && request->elem.timeout_s == 0 && expires == 0)
		return RC_OK;
	if (known)
		rc = gather_put(serve, gather, false, &request->elem);
	if (rc == RC_OK)
		rc = gather_put(serve, gather, true, &request->elem);
	return rc;
}

static enum rc
put_batch(struct serve *serve)
{
	static struct gather gather;
	bool cleared[GUARD_SET_COUNT] = { false };
	enum rc rc = nft_link_begin(&serve->link);

	gather.count = 0;
	for (size_t i = 0; i < serve->batch_len && rc == RC_OK; i++) {
		const struct priv_request *request = &serve->batch[i];

		if (request->type != PRIV_SET_CLEAR) {
			rc = put_one(serve, &gather, request, cleared);
			continue;
		}
		rc = gather_flush(serve, &gather);
		if (rc == RC_OK)
			rc = nft_put_clear(&serve->link, request->elem.set);
		cleared[request->elem.set] = true;
	}
	if (rc == RC_OK)
		rc = gather_flush(serve, &gather);
	return rc == RC_OK ? nft_link_commit(&serve->link) : rc;
}

/* What front wants is remembered, whether the kernel took it now or will when the table is laid
 * again. */
static void
remember_batch(struct serve *serve)
{
	uint32_t t = now_s();

	for (size_t i = 0; i < serve->batch_len; i++) {
		const struct guard_elem *elem = &serve->batch[i].elem;

		switch (serve->batch[i].type) {
		case PRIV_ELEM_ADD:
			(void)elems_put(
			    &serve->held, elem, elem->timeout_s != 0 ? t + elem->timeout_s : 0);
			break;
		case PRIV_ELEM_DEL:
			(void)elems_del(&serve->held, elem);
			break;
		case PRIV_SET_CLEAR:
			elems_del_set(&serve->held, elem->set);
			break;
		}
	}
}

/* Do the batch. If the kernel refuses it because something is not as we remember, the table is
 * laid anew from memory, in one batch too. The errno, or 0. */
static int
do_commit(struct serve *serve)
{
	int error = 0;

	if (!serve->on || serve->batch_len == 0) {
		serve->batch_len = 0;
		return 0;
	}
	enum rc rc = put_batch(serve);
	if (rc != RC_OK)
		error = serve->link.error != 0 ? serve->link.error : ENOMEM;
	remember_batch(serve);
	serve->batch_len = 0;
	if (rc == RC_OK)
		return 0;
	enum nft_state state;
	log_info(LOG_NFT, "a batch was refused (%s); laying the table anew", strerror(error));
	if (nft_look(&serve->link, &serve->params, &state) == RC_OK &&
	    lay(serve, state != NFT_MISSING) == RC_OK)
		return 0;
	return error;
}

static enum rc
do_batched(struct serve *serve, const struct priv_request *request)
{
	if (serve->batch_len >= GUARD_BATCH_MAX)
		return RC_LIMIT;
	if (serve->batch_len == serve->batch_cap) {
		size_t cap = serve->batch_cap != 0 ? serve->batch_cap * 2 : 256;
		struct priv_request *bigger = realloc(serve->batch, cap * sizeof(*bigger));

		if (bigger == NULL)
			return RC_NO_MEMORY;
		serve->batch = bigger;
		serve->batch_cap = cap;
	}
	serve->batch[serve->batch_len++] = *request;
	return RC_OK;
}

static enum rc
answer(const struct serve *serve, int fd, struct priv_reply *reply)
{
	reply->elements = (uint32_t)serve->held.count;
	reply->laid = serve->laid;
	reply->table = serve->on && serve->table;
	/* A front that does not read its answers loses them; they are news, not locks. */
	if (send(fd, reply, sizeof(*reply), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		return RC_CLOSED;
	return RC_OK;
}

static enum rc
on_elem(struct serve *serve, int fd, const struct priv_request *request)
{
	(void)fd;
	return guard_elem_is_valid(&request->elem) ? do_batched(serve, request) : RC_PROTOCOL;
}

static enum rc
on_clear(struct serve *serve, int fd, const struct priv_request *request)
{
	(void)fd;
	if (request->elem.set >= GUARD_SET_COUNT ||
	    guard_sets[request->elem.set].use == GUARD_USE_LIMIT)
		return RC_PROTOCOL;
	return do_batched(serve, request);
}

static enum rc
on_commit(struct serve *serve, int fd, const struct priv_request *request)
{
	struct priv_reply reply = { .type = PRIV_COMMIT, .id = request->id };

	reply.error = do_commit(serve);
	return answer(serve, fd, &reply);
}

static enum rc
on_status(struct serve *serve, int fd, const struct priv_request *request)
{
	struct priv_reply reply = { .type = PRIV_STATUS, .id = request->id };

	(void)elems_expire(&serve->held, now_s());
	if (serve->on)
		(void)nft_read_counters(&serve->link, reply.counters);
	return answer(serve, fd, &reply);
}

static const struct {
	enum priv_request_type type;
	enum rc (*act)(struct serve *serve, int fd, const struct priv_request *request);
} requests[] = {
	{ PRIV_ELEM_ADD, on_elem },
	{ PRIV_ELEM_DEL, on_elem },
	{ PRIV_SET_CLEAR, on_clear },
	{ PRIV_COMMIT, on_commit },
	{ PRIV_STATUS, on_status },
};

static enum rc
serve_one(struct serve *serve, int fd, const struct priv_request *request)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == request->type)
			return requests[i].act(serve, fd, request);
	return RC_PROTOCOL;
}

enum rc
serve_packet(struct serve *serve, int fd, const struct priv_request *packet, size_t len)
{
	enum rc rc = RC_OK;

	if (len % sizeof(*packet) != 0 || len > PRIV_PACKET_MAX * sizeof(*packet))
		return RC_PROTOCOL;
	for (size_t i = 0; i < len / sizeof(*packet) && rc == RC_OK; i++)
		rc = serve_one(serve, fd, &packet[i]);
	return rc;
}

enum rc
serve_read(struct serve *serve, int fd)
{
	static struct priv_request packet[PRIV_PACKET_MAX + 1];
	enum rc rc = RC_OK;

	for (int i = 0; i < PACKETS_A_TURN && rc == RC_OK; i++) {
		ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return RC_OK;
		if (n <= 0)
			return RC_CLOSED;
		rc = serve_packet(serve, fd, packet, (size_t)n);
	}
	return rc;
}
