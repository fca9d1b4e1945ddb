/* log.c: binding a netfilter log group over libmnl. */
#include "exitguard/nft/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COPY_BYTES     128
#define FLUSH_10MS     10 /* in steps of 10 ms */
#define QUEUE_PACKETS  64
#define RECEIVE_BUFFER (4 * 1024 * 1024)

static struct nlmsghdr *
header(char *buf, uint16_t group, uint32_t seq)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = seq;
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(group);
	return nlh;
}

/* Send one request and read its acknowledgement. */
static enum rc
talk(struct mnl_socket *socket, const struct nlmsghdr *nlh)
{
	char buf[8192];

	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return RC_SYSTEM;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(socket, buf, sizeof(buf));
		if (n < 0)
			return RC_SYSTEM;
		const struct nlmsghdr *answer = (const struct nlmsghdr *)buf;
		if (answer->nlmsg_type != NLMSG_ERROR || answer->nlmsg_seq != nlh->nlmsg_seq)
			continue; /* the first packets may come before the acknowledgement */
		const struct nlmsgerr *err = mnl_nlmsg_get_payload(answer);
		errno = -err->error;
		if (err->error == 0)
			return RC_OK;
		return err->error == -EBUSY || err->error == -EEXIST ? RC_EXISTS : RC_SYSTEM;
	}
}

static enum rc
configure(struct mnl_socket *socket, uint16_t group)
{
	struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = { .copy_range = htonl(COPY_BYTES),
		.copy_mode = NFULNL_COPY_PACKET };
	char buf[1024] = { 0 };

	struct nlmsghdr *nlh = header(buf, group, 1);
	mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(bind), &bind);
	enum rc rc = talk(socket, nlh);
	if (rc != RC_OK)
		return rc;
	nlh = header(buf, group, 2);
	mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(nlh, NFULA_CFG_TIMEOUT, htonl(FLUSH_10MS));
	mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htonl(QUEUE_PACKETS));
	mnl_attr_put_u16(nlh, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return talk(socket, nlh);
}

enum rc
nft_log_open(uint16_t group, int *out)
{
	int size = RECEIVE_BUFFER, on = 1, saved;
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (socket == NULL)
		return RC_SYSTEM;
	int fd = mnl_socket_get_fd(socket);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)mnl_socket_setsockopt(socket, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	enum rc rc = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 ? RC_OK : RC_SYSTEM;
	if (rc == RC_OK)
		rc = configure(socket, group);
	*out = -1;
	if (rc == RC_OK) /* the group is bound to this socket, whatever number it has */
		*out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (rc == RC_OK && (*out < 0 || fcntl(*out, F_SETFL, O_NONBLOCK) != 0))
		rc = RC_SYSTEM;
	saved = errno;
	mnl_socket_close(socket);
	errno = saved;
	return rc;
}
