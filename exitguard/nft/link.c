/* link.c: netlink batches and their acknowledgements. Touches its own netlink socket only. */
#include "exitguard/nft/link.h"

#include <errno.h>
#include <netinet/in.h> /* before linux/, which repeats it */
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"

#define SOCKET_BUFFER  (8 * 1024 * 1024)
#define ANSWER_WAIT_MS 5000
#define RECEIVE_MAX    (64 * 1024)

enum rc
nft_link_open(struct nft_link *link)
{
	int size = SOCKET_BUFFER, on = 1;

	*link = (struct nft_link){ .next_seq = (uint32_t)time(NULL) };
	link->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (link->socket == NULL)
		return RC_SYSTEM;
	if (mnl_socket_bind(link->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		nft_link_close(link);
		return RC_SYSTEM;
	}
	int fd = mnl_socket_get_fd(link->socket);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	/* An acknowledgement need not repeat the message. */
	(void)mnl_socket_setsockopt(link->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	link->portid = mnl_socket_get_portid(link->socket);
	return RC_OK;
}

void
nft_link_close(struct nft_link *link)
{
	if (link->socket != NULL)
		mnl_socket_close(link->socket);
	free(link->buf);
	*link = (struct nft_link){ 0 };
}

uint32_t
nft_link_seq(struct nft_link *link)
{
	return link->next_seq++;
}

/* Room for one more message of any size. */
static char *
room(struct nft_link *link)
{
	if (link->cap - link->len < NFT_MESSAGE_MAX + 512) {
		size_t cap = link->cap != 0 ? link->cap * 2 : 4 * NFT_MESSAGE_MAX;
		char *bigger = realloc(link->buf, cap);

		if (bigger == NULL)
			return NULL;
		memset(bigger + link->cap, 0, cap - link->cap); /* the padding is sent, too */
		link->buf = bigger;
		link->cap = cap;
	}
	return link->buf + link->len;
}

enum rc
nft_link_begin(struct nft_link *link)
{
	char *at;

	link->len = 0;
	at = room(link);
	if (at == NULL)
		return RC_NO_MEMORY;
	const struct nlmsghdr *nlh = nftnl_batch_begin(at, link->next_seq++);
	nft_link_put(link, nlh);
	link->first_seq = link->next_seq;
	return RC_OK;
}

struct nlmsghdr *
nft_link_message(struct nft_link *link, uint16_t type, uint16_t flags)
{
	char *at = room(link);

	if (at == NULL)
		return NULL;
	return nftnl_nlmsg_build_hdr(at, type, NFPROTO_INET, flags | NLM_F_ACK, link->next_seq++);
}

void
nft_link_put(struct nft_link *link, const struct nlmsghdr *nlh)
{
	link->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

/* Wait until something can be read; false after the deadline. */
static bool
wait_readable(struct nft_link *link, uint64_t deadline_ms)
{
	struct pollfd pfd = { .fd = mnl_socket_get_fd(link->socket), .events = POLLIN };
	uint64_t now = clock_mono_ms();

	return now < deadline_ms && poll(&pfd, 1, (int)(deadline_ms - now)) > 0;
}

/* The acknowledgements of one batch still to come. */
struct waiting {
	uint32_t first, last; /* sequence numbers, last exclusive */
	uint8_t *seen;        /* one bit each */
	uint32_t left;
	int error;
	uint32_t error_seq;
};

static void
take_ack(struct waiting *waiting, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	uint32_t at = nlh->nlmsg_seq - waiting->first;

	if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*err)))
		return;
	if (at >= waiting->last - waiting->first) {
		/* The batch's own header: the kernel could not even begin. */
		if (nlh->nlmsg_seq + 1 == waiting->first && err->error != 0)
			waiting->error = -err->error;
		return;
	}
	if ((waiting->seen[at / 8] & (1 << at % 8)) == 0) {
		waiting->seen[at / 8] |= (uint8_t)(1 << at % 8);
		waiting->left--;
	}
	if (err->error != 0 && waiting->error == 0) {
		waiting->error = -err->error;
		waiting->error_seq = at;
	}
}

static enum rc
read_acks(struct nft_link *link, struct waiting *waiting)
{
	static char buf[RECEIVE_MAX] __attribute__((aligned(16)));
	uint64_t deadline = clock_mono_ms() + ANSWER_WAIT_MS;

	while (waiting->left != 0 && waiting->error == 0) {
		if (!wait_readable(link, deadline)) {
			errno = ETIMEDOUT;
			return RC_SYSTEM;
		}
		ssize_t n = mnl_socket_recvfrom(link->socket, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return RC_SYSTEM;
		int left = (int)n;
		for (const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		     mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			take_ack(waiting, nlh);
	}
	return RC_OK;
}

/* After a refusal more answers of the same batch may be on their way; they are read now, so that
 * they cannot be taken for another's. */
static void
drain(struct nft_link *link)
{
	char buf[4096];

	while (
	    recv(mnl_socket_get_fd(link->socket), buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

static enum rc
send_batch(struct nft_link *link)
{
	ssize_t n;

	do
		n = mnl_socket_sendto(link->socket, link->buf, link->len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? RC_SYSTEM : RC_OK;
}

enum rc
nft_link_commit(struct nft_link *link)
{
	struct waiting waiting = { .first = link->first_seq, .last = link->next_seq };
	char *at = room(link);

	waiting.left = waiting.last - waiting.first;
	waiting.seen = calloc(waiting.left / 8 + 1, 1);
	link->error = 0;
	if (at == NULL || waiting.seen == NULL) {
		free(waiting.seen);
		link->error = ENOMEM;
		return RC_NO_MEMORY;
	}
	nft_link_put(link, nftnl_batch_end(at, link->next_seq++));
	drain(link);
	enum rc rc = send_batch(link);
	if (rc == RC_OK)
		rc = read_acks(link, &waiting);
	if (rc != RC_OK)
		link->error = errno != 0 ? errno : EIO;
	if (rc == RC_OK && waiting.error != 0) {
		link->error = waiting.error;
		link->error_seq = waiting.error_seq;
		drain(link);
		rc = RC_SYSTEM;
	}
	free(waiting.seen);
	return rc;
}

enum rc
nft_link_ask(struct nft_link *link, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	static char buf[RECEIVE_MAX] __attribute__((aligned(16)));
	uint64_t deadline = clock_mono_ms() + ANSWER_WAIT_MS;
	uint32_t seq = nlh->nlmsg_seq;
	int run = 1;

	drain(link);
	if (mnl_socket_sendto(link->socket, nlh, nlh->nlmsg_len) < 0)
		return RC_SYSTEM;
	while (run > 0) {
		if (!wait_readable(link, deadline)) {
			errno = ETIMEDOUT;
			return RC_SYSTEM;
		}
		ssize_t n = mnl_socket_recvfrom(link->socket, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return RC_SYSTEM;
		run = mnl_cb_run(buf, (size_t)n, seq, link->portid, cb, arg);
	}
	if (run < 0)
		return errno == ENOENT ? RC_NOT_FOUND : RC_SYSTEM;
	return RC_OK;
}
