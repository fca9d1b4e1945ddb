/* torrc_check.c: automatic values resolved, and options checked against each other. Pure. */
#include "relayd/ops/torrc_read.h"

#define CONTACT_MAX    1024
#define RATE_MIN       (75u * 1024) /* stock's limits for a relay */
#define ADVERTISED_MIN 38400u
#define QUEUES_MIN     (64u << 20)
#define HEARTBEAT_MIN  1800u
#define THREADS_MAX    256u
#define GUARD_WAIT_MAX 1000u

static bool
is_utf8(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	while (*c != '\0') {
		unsigned more = *c < 0x80                 ? 0
				: *c >= 0xc2 && *c < 0xe0 ? 1
				: *c >= 0xe0 && *c < 0xf0 ? 2
				: *c >= 0xf0 && *c < 0xf5 ? 3
							  : 4;

		if (more == 4)
			return false;
		if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
		    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
			return false;
		for (c++; more != 0; more--, c++)
			if ((*c & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static void
check_names(struct torrc_reader *r, const struct torrc *t)
{
	size_t len = 0;

	while (t->contact_info != NULL && t->contact_info[len] != '\0')
		len++;
	if (len > CONTACT_MAX)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_ContactInfo,
		    "ContactInfo: longer than %d bytes", CONTACT_MAX);
	if (len != 0 && !is_utf8(t->contact_info))
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_ContactInfo, "ContactInfo: not UTF-8");
}

static void
resolve_exit(struct torrc_reader *r, struct torrc *t)
{
	bool has_policy = t->exit_policy.count != 0;

	if (!torrc_is_given(r, TORRC_ReducedExitPolicy))
		t->reduced_exit_policy = t->exit_relay && !has_policy;
	if (!torrc_is_given(r, TORRC_ExitRelay))
		t->exit_relay = has_policy || t->reduced_exit_policy || t->ipv6_exit;
	else if (!t->exit_relay && t->ipv6_exit)
		torrc_remark(
		    r, LOG_LEVEL_NOTICE, TORRC_IPv6Exit, "IPv6Exit: no effect with ExitRelay 0");
	if (t->exit_relay && t->or_port_count == 0)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_ExitRelay,
		    "ExitRelay needs an ORPort, and none is given");
}

/* AddressDisableIPv6: IPv6 ports go, ports without an address become IPv4 ones. */
static void
drop_ipv6_ports(struct torrc *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->or_port_count; i++) {
		struct torrc_port port = t->or_ports[i];

		if (port.addr.family == ADDR_IPV6 || port.ipv6_only)
			continue;
		port.ipv4_only = true;
		t->or_ports[kept++] = port;
	}
	t->or_port_count = kept;
}

static void
check_ports(struct torrc_reader *r, struct torrc *t)
{
	size_t ipv4 = 0, given = t->or_port_count;

	if (t->address_disable_ipv6)
		drop_ipv6_ports(t);
	for (size_t i = 0; i < t->or_port_count; i++)
		ipv4 += t->or_ports[i].addr.family != ADDR_IPV6 && !t->or_ports[i].ipv6_only;
	if (given != 0 && ipv4 == 0)
		torrc_remark(
		    r, LOG_LEVEL_ERROR, TORRC_ORPort, "ORPort: a relay needs an IPv4 port too");
	if (t->dir_authority.count == 0 &&
	    ((t->address_v4.family != ADDR_NONE && addr_is_internal(&t->address_v4)) ||
		(t->address_v6.family != ADDR_NONE && addr_is_internal(&t->address_v6))))
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_Address,
		    "Address: a relay of the public network needs a public address");
	if (t->testing_tor_network && t->dir_authority.count == 0)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_TestingTorNetwork,
		    "TestingTorNetwork needs DirAuthority lines");
}

static uint64_t
lower_of(uint64_t value, uint64_t limit)
{
	return limit != 0 && limit < value ? limit : value;
}

static void
check_bandwidth(struct torrc_reader *r, struct torrc *t)
{
	if (t->relay_bandwidth_burst == 0)
		t->relay_bandwidth_burst = t->relay_bandwidth_rate;
	if (t->relay_bandwidth_rate == 0)
		t->relay_bandwidth_rate = t->relay_bandwidth_burst;
	if (t->bandwidth_burst < t->bandwidth_rate)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_BandwidthBurst,
		    "BandwidthBurst must be at least BandwidthRate");
	if (t->relay_bandwidth_burst < t->relay_bandwidth_rate)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_RelayBandwidthBurst,
		    "RelayBandwidthBurst must be at least RelayBandwidthRate");
	t->bandwidth_rate = lower_of(t->bandwidth_rate, t->relay_bandwidth_rate);
	t->bandwidth_burst = lower_of(t->bandwidth_burst, t->relay_bandwidth_burst);
	if (t->or_port_count == 0)
		return;
	if (t->bandwidth_rate < RATE_MIN)
		torrc_remark(r, LOG_LEVEL_ERROR,
		    t->bandwidth_rate == t->relay_bandwidth_rate ? TORRC_RelayBandwidthRate
								 : TORRC_BandwidthRate,
		    "BandwidthRate: a relay needs at least 75 KBytes a second");
	if (t->max_advertised_bandwidth < ADVERTISED_MIN)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_MaxAdvertisedBandwidth,
		    "MaxAdvertisedBandwidth: must be at least %u bytes", ADVERTISED_MIN);
}

static void
check_numbers(struct torrc_reader *r, struct torrc *t)
{
	if (t->keepalive_s == 0)
		torrc_remark(
		    r, LOG_LEVEL_ERROR, TORRC_KeepalivePeriod, "KeepalivePeriod: must not be 0");
	if (t->workers > THREADS_MAX)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_Workers, "Workers: at most %u", THREADS_MAX);
	if (t->guard_timeout_ms == 0 || t->guard_timeout_ms > GUARD_WAIT_MAX)
		torrc_remark(r, LOG_LEVEL_ERROR, TORRC_GuardTimeout,
		    "GuardTimeout: must be 1 to %u milliseconds", GUARD_WAIT_MAX);
	if (t->heartbeat_s != 0 && t->heartbeat_s < HEARTBEAT_MIN) {
		torrc_remark(r, LOG_LEVEL_NOTICE, TORRC_HeartbeatPeriod,
		    "HeartbeatPeriod: raised to 30 minutes");
		t->heartbeat_s = HEARTBEAT_MIN;
	}
	if (t->max_mem_in_queues != 0 && t->max_mem_in_queues < QUEUES_MIN) {
		torrc_remark(r, LOG_LEVEL_NOTICE, TORRC_MaxMemInQueues,
		    "MaxMemInQueues: raised to 64 MBytes");
		t->max_mem_in_queues = QUEUES_MIN;
	}
}

static void
name_idle(struct torrc_reader *r)
{
	for (size_t i = 0; i < torrc_idle_count; i++)
		if (r->values[torrc_idle[i].option].count != 0)
			torrc_remark(r, torrc_idle[i].level, torrc_idle[i].option, "%s %s",
			    torrc_options[torrc_idle[i].option].name, torrc_idle[i].text);
}

void
torrc_check(struct torrc_reader *r, struct torrc *t)
{
	check_names(r, t);
	check_ports(r, t);
	resolve_exit(r, t);
	check_bandwidth(r, t);
	check_numbers(r, t);
	name_idle(r);
}
