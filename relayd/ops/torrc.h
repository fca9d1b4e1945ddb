/* torrc.h: relayd's configuration: stock tor's torrc for the options that a relay has, with the
 * same names, units and defaults (tor(1)), and our own. One table, torrc.def, makes parser,
 * defaults, dump and man page. */
#ifndef RELAYD_OPS_TORRC_H
#define RELAYD_OPS_TORRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/log.h"
#include "common/rc.h"

struct torrc_strings { /* values of an option that may come many times, in order */
	char **items;
	size_t count;
};

struct torrc_port {       /* ORPort [address:]port [NoAdvertise|NoListen|IPv4Only|IPv6Only] */
	struct addr addr; /* ADDR_NONE: any */
	uint16_t port;
	bool no_listen, no_advertise, ipv4_only, ipv6_only;
};

struct torrc_log {
	enum log_level level;
	char *file; /* NULL: standard error or output */
};

struct torrc {
	char *data_directory, *nickname, *contact_info, *user, *pid_file;
	struct torrc_port *or_ports;
	size_t or_port_count;
	struct addr address_v4, address_v6;             /* Address; ADDR_NONE: find out */
	struct addr outbound_or_v4, outbound_or_v6;     /* OutboundBindAddress[OR] */
	struct addr outbound_exit_v4, outbound_exit_v6; /* OutboundBindAddress[Exit] */
	/* ExitRelay, auto resolved: set if ExitPolicy, ReducedExitPolicy or IPv6Exit is. */
	bool exit_relay;
	bool ipv6_exit, exit_policy_reject_private, exit_policy_reject_local, reduced_exit_policy;
	struct torrc_strings exit_policy, dir_authority, my_family;
	int refuse_unknown_exits; /* 0, 1, -1: consensus */
	bool publish_server_descriptor, assume_reachable, extend_allow_private_addresses;
	bool testing_tor_network, allow_private_dir_addresses, protocol_warnings, safe_logging;
	bool address_disable_ipv6; /* no IPv6 is left in or_ports then */
	/* Bytes/s; already lowered to RelayBandwidthRate and RelayBandwidthBurst. */
	uint64_t bandwidth_rate, bandwidth_burst, max_advertised_bandwidth;
	uint64_t relay_bandwidth_rate, relay_bandwidth_burst; /* as given */
	uint64_t max_mem_in_queues;                           /* bytes; 0: automatic */
	unsigned num_cpus;                                    /* 0: as many as there are */
	unsigned shutdown_wait_s, keepalive_s;
	unsigned heartbeat_s;         /* 0: never */
	char *server_dns_resolv_conf; /* NULL: /etc/resolv.conf */
	bool disable_network;
	struct torrc_log *logs;
	size_t log_count;

	/* Our own. */
	unsigned workers;          /* Workers N; 0: one a core */
	char *guard_socket;        /* GuardSocket PATH; NULL: no guard */
	unsigned guard_timeout_ms; /* GuardTimeout, 20 */
	bool guard_fail_open;      /* GuardFailMode open|closed */
};

/* Called for each remark: an error, or at notice level an option that is known but without
 * effect here, or a deprecated name. line 0: the file as a whole. */
typedef void torrc_remark_fn(
    void *arg, enum log_level level, const char *file, unsigned line, const char *text);

/* Read defaults_path (may be NULL), then path, then command-line pairs ("--ORPort" "9001" given as
 * key, value, key, value; "+Key" appends, a later value replaces an earlier file's). RC_OK: *out is
 * complete and consistent. Otherwise every error has been remarked, and *out is NULL. Limits: 1 MiB
 * a file, %include (files, folders, globs) eight deep. */
enum rc torrc_load(const char *path, const char *defaults_path, const char *const *pairs,
    size_t pair_count, torrc_remark_fn *remark, void *arg, struct torrc **out);
void torrc_free(struct torrc **t);

/* Each option that differs from its default ("short") or all that have a value ("full"), in torrc
 * syntax to f; reading it back gives the same configuration. What stock tor calls auto is written
 * as what it came to. */
void torrc_dump(const struct torrc *t, bool full, FILE *f);

/* For a reload: the names of options that differ and are only read at the start, separated by
 * blanks; false if there are none. They should keep their running values. */
bool torrc_needs_restart(
    const struct torrc *running, const struct torrc *wanted, char *names, size_t names_len);

#endif
