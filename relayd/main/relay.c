/* relay.c: the relay's life: start, the views that the workers get, signals, the end. */
#include "relayd/main/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "common/clock.h"
#include "common/log.h"
#include "relayd/circuit/circuit.h"
#include "relayd/dir/dir.h"
#include "relayd/dns/dns.h"
#include "relayd/exit/exit.h"
#include "relayd/guard/guard.h"
#include "relayd/keys/keys.h"
#include "relayd/link/link.h"
#include "relayd/link/registry.h"
#include "relayd/main/privilege.h"
#include "relayd/main/sums.h"
#include "relayd/main/view.h"
#include "relayd/work/work.h"

#define PLATFORM "relayd " PACKAGE_VERSION " on Linux"
/* Only what really works: see docs/ARCHITECTURE.md for what is missing. */
#define PROTOCOLS "Cons=2 Desc=2 FlowCtrl=1 Link=4-5 LinkAuth=3 Microdesc=2 Relay=2-4"

#define LISTENERS_MAX (WORKERS_MAX * 8)

enum leaving { STAYING, DRAINING, LEAVING };

struct relay {
	const struct relay_options *options;
	struct torrc *conf; /* the one in force */
	bool owns_conf;     /* no view has it yet */
	bool was_root;
	struct keystore *keystore;
	struct crew crew;
	struct dns *dns;
	struct dir *dir;
	struct snapshot *snap;
	struct addr own_guess; /* what authorities say our address is */
	struct event *signals[4];
	char family[8192];
	uint64_t heartbeat_ms;
	uint64_t started_ms, drain_until_ms;
	enum leaving leaving;
	int listeners[LISTENERS_MAX];
	unsigned listener_count;
	struct bandwidth bandwidth;
	unsigned minute_ticks;
};

static struct relay relay; /* one a process: hooks without an argument need it */

/* --- configuration --------------------------------------------------------------------------- */

static void
remark(void *arg, enum log_level level, const char *file, unsigned line, const char *text)
{
	(void)arg;
	if (line != 0)
		log_write(level, LOG_CONFIG, "%s line %u: %s", file, line, text);
	else if (file != NULL && strstr(text, file) == NULL)
		log_write(level, LOG_CONFIG, "%s: %s", file, text);
	else
		log_write(level, LOG_CONFIG, "%s", text);
}

struct torrc *
relay_load_config(const struct relay_options *options)
{
	struct torrc *conf = NULL;

	if (torrc_load(options->torrc_path, options->defaults_path, options->pairs,
		options->pair_count, remark, NULL, &conf) != RC_OK)
		return NULL; /* each error has been said with its line */
	if (view_check_policy(conf) != RC_OK)
		torrc_free(&conf);
	return conf;
}

static void
set_logs(const struct torrc *conf)
{
	if (conf->log_count == 0)
		return;
	log_clear_outputs();
	for (size_t i = 0; i < conf->log_count; i++) {
		const struct torrc_log *l = &conf->logs[i];
		enum rc rc =
		    l->file != NULL ? log_add_file(l->level, l->file) : log_add_stderr(l->level);

		if (rc != RC_OK)
			log_error(LOG_CONFIG, "cannot write the log file %s: %s",
			    l->file != NULL ? l->file : "(standard error)", strerror(errno));
	}
}

/* A log file that root makes cannot be opened again by the user we become: until then standard
 * error has to do. */
static bool
logs_wait_for_user(const struct torrc *conf)
{
	return relay.was_root && conf->user != NULL;
}

/* Publish *s, which becomes the view; takes it. */
static void
publish(struct snapshot *s)
{
	snapshot_params(s);
	crew_publish(&relay.crew, s);
	snapshot_unref(&relay.snap);
	relay.snap = s;
}

/* --- what the directory room asks ------------------------------------------------------------ */

static void
on_consensus(void *arg, struct consensus *c)
{
	struct snapshot *s = snapshot_copy(relay.snap);

	(void)arg;
	if (s == NULL)
		return;
	consensus_unref(&s->consensus);
	s->consensus = consensus_ref(c);
	publish(s);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* All MyFamily values as one; the directory room sorts out what is in them. */
static const char *
family_text(const struct torrc *conf)
{
	struct wr wr = wr_to(relay.family, sizeof(relay.family) - 1);

	for (size_t i = 0; i < conf->my_family.count; i++) {
		if (i != 0)
			wr_u8(&wr, ' ');
		wr_str(&wr, conf->my_family.items[i]);
	}
	if (wr.rc != RC_OK)
		log_warn(LOG_CONFIG, "MyFamily is too long to publish whole; some are left out");
	relay.family[wr_len(&wr)] = '\0';
	return relay.family;
}

static bool
describe(void *arg, struct descriptor_info *info, struct relay_keys **keys)
{
	const struct torrc *conf = relay.conf;
	const struct snapshot *s = relay.snap;

	(void)arg;
	if (s->or_v4.addr.family == ADDR_NONE || relay.leaving == LEAVING)
		return false;
	memset(info, 0, sizeof(*info));
	info->nickname = conf->nickname;
	info->contact = conf->contact_info;
	info->platform = PLATFORM;
	info->proto = PROTOCOLS;
	info->family = family_text(conf);
	info->or_v4 = s->or_v4;
	info->or_v6 = s->or_v6;
	info->bandwidth_rate = least(conf->bandwidth_rate, conf->max_advertised_bandwidth);
	info->bandwidth_burst = least(conf->bandwidth_burst, conf->max_advertised_bandwidth);
	info->bandwidth_observed = least(relay.bandwidth.observed, conf->max_advertised_bandwidth);
	info->uptime_s = (clock_mono_ms() - relay.started_ms) / 1000;
	info->hibernating = relay.leaving != STAYING;
	info->policy = s->policy;
	*keys = relay_keys_ref(s->keys);
	return true;
}

static void
on_own_address(void *arg, const struct addr *addr)
{
	(void)arg;
	if (addr->family != ADDR_IPV4 || addr_equal(addr, &relay.own_guess) ||
	    (addr_is_internal(addr) && !relay.conf->testing_tor_network))
		return;
	relay.own_guess = *addr;
	struct snapshot *s = snapshot_copy(relay.snap);
	if (s == NULL)
		return;
	view_set_addresses(s, relay.conf, &relay.own_guess);
	if (view_set_policy(s, relay.conf) != RC_OK) {
		snapshot_unref(&s);
		return;
	}
	publish(s);
	dir_republish(relay.dir, "our address was found out");
}

/* --- time ------------------------------------------------------------------------------------ */

static void
rotate_keys(void)
{
	int32_t days = consensus_param(relay.snap->consensus, "onion-key-rotation-days", 28, 1, 90);
	bool descriptor_changed = false;

	if (!keystore_rotate(relay.keystore, clock_wall_s(), (unsigned)days, &descriptor_changed))
		return;
	struct snapshot *s = snapshot_copy(relay.snap);
	if (s == NULL || view_set_keys(s, relay.keystore) != RC_OK) {
		if (s != NULL)
			snapshot_unref(&s);
		return;
	}
	publish(s);
	if (descriptor_changed)
		dir_republish(relay.dir, "keys were rotated");
}

static void
main_tick(struct worker *w, uint64_t now_ms)
{
	struct sums sums = sums_of(&relay.crew);
	uint64_t period_ms = relay.conf->heartbeat_s * 1000ull;

	bandwidth_tick(&relay.bandwidth, &sums);
	if (++relay.minute_ticks >= 60) {
		relay.minute_ticks = 0;
		rotate_keys();
	}
	if (period_ms != 0 && now_ms - relay.heartbeat_ms >= period_ms) {
		relay.heartbeat_ms = now_ms;
		sums_log(&sums, now_ms - relay.started_ms);
	}
	if (relay.leaving == DRAINING &&
	    (now_ms >= relay.drain_until_ms || sums.streams_open == 0)) {
		log_notice(LOG_GENERAL, "leaving, %llu streams still open",
		    (unsigned long long)sums.streams_open);
		worker_stop(w);
	}
}

/* --- signals --------------------------------------------------------------------------------- */

static void
reload(void)
{
	struct torrc *conf = relay_load_config(relay.options);
	struct snapshot *s = conf != NULL ? snapshot_copy(relay.snap) : NULL;
	char names[512];

	log_reopen();
	if (s == NULL) {
		log_error(LOG_CONFIG, "reload refused: going on with the old configuration");
		torrc_free(&conf);
		return;
	}
	if (torrc_needs_restart(relay.conf, conf, names, sizeof(names)))
		log_warn(LOG_CONFIG, "changed, but read at the start only; restart for: %s", names);
	view_set_addresses(s, conf, &relay.own_guess);
	s->or_v4.port = relay.snap->or_v4.port; /* what we listen on does not change */
	s->or_v6.port = relay.snap->or_v6.port;
	if (view_set_policy(s, conf) != RC_OK || view_set_config(s, conf) != RC_OK) {
		log_error(LOG_CONFIG, "reload refused: going on with the old configuration");
		snapshot_unref(&s);
		torrc_free(&conf);
		return;
	}
	relay.conf = conf;
	set_logs(conf);
	publish(s);
	dns_reload(relay.dns);
	dir_republish(relay.dir, "the configuration was read again");
	log_notice(LOG_GENERAL, "configuration reloaded");
}

/* SIGINT: no new streams, the open ones may end; a second one leaves at once. */
static void
drain(void)
{
	struct snapshot *s;

	if (relay.leaving != STAYING || (s = snapshot_copy(relay.snap)) == NULL) {
		worker_stop(&relay.crew.main);
		return;
	}
	relay.leaving = DRAINING;
	relay.drain_until_ms = clock_mono_ms() + relay.conf->shutdown_wait_s * 1000ull;
	s->draining = true;
	publish(s);
	log_notice(LOG_GENERAL, "no new streams; leaving in %u s, or when the open ones have ended",
	    relay.conf->shutdown_wait_s);
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	(void)arg;
	switch (number) {
	case SIGHUP:
		reload();
		break;
	case SIGINT:
		drain();
		break;
	case SIGTERM:
		log_notice(LOG_GENERAL, "leaving");
		worker_stop(&relay.crew.main);
		break;
	case SIGUSR1: {
		struct sums sums = sums_of(&relay.crew);

		sums_log(&sums, clock_mono_ms() - relay.started_ms);
		break;
	}
	}
}

static enum rc
catch_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1 };

	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < 4; i++) {
		relay.signals[i] = evsignal_new(relay.crew.main.base, numbers[i], on_signal, NULL);
		if (relay.signals[i] == NULL || event_add(relay.signals[i], NULL) != 0)
			return RC_NO_MEMORY;
	}
	return RC_OK;
}

/* --- start ----------------------------------------------------------------------------------- */

/* One listener a worker for each ORPort, bound while we may still bind low ports. */
static enum rc
bind_ports(const struct torrc *conf, unsigned workers)
{
	char text[ADDR_STR_LEN];

	for (size_t i = 0; i < conf->or_port_count; i++) {
		const struct torrc_port *p = &conf->or_ports[i];
		struct addr_port at = { p->addr, p->port };

		if (p->no_listen)
			continue;
		if (at.addr.family == ADDR_NONE)
			at.addr.family = p->ipv6_only ? ADDR_IPV6 : ADDR_IPV4;
		for (unsigned k = 0; k < workers && relay.listener_count < LISTENERS_MAX; k++) {
			int fd = link_listen_socket(&at);

			if (fd < 0) {
				log_error(LOG_CONFIG, "cannot listen on ORPort %s: %s",
				    addr_port_str(&at, text), strerror(errno));
				return RC_SYSTEM;
			}
			relay.listeners[relay.listener_count++] = fd;
		}
		log_notice(LOG_LINK, "listening on %s", addr_port_str(&at, text));
	}
	return RC_OK;
}

static enum rc
start_rooms(unsigned workers)
{
	enum rc rc = RC_OK;

	for (unsigned i = 0; i < workers && rc == RC_OK; i++) {
		struct worker *w = &relay.crew.workers[i];

		rc = exit_room_init(w);
		if (rc == RC_OK)
			rc = circuit_room_init(w, &exit_circuit_ops);
		if (rc == RC_OK)
			rc = link_room_init(w, &circuit_link_ops);
		if (rc == RC_OK)
			rc = guard_room_init(w, exit_on_verdict);
	}
	for (unsigned i = 0; i < relay.listener_count && rc == RC_OK; i++)
		rc = link_listen(&relay.crew.workers[i % workers], relay.listeners[i]);
	return rc;
}

static void
stop_rooms(void)
{
	for (unsigned i = 0; i < relay.crew.count; i++)
		if (relay.crew.workers[i].links != NULL)
			link_close_all(&relay.crew.workers[i]);
	crew_settle(&relay.crew);
	for (unsigned i = 0; i < relay.crew.count; i++) {
		struct worker *w = &relay.crew.workers[i];

		link_room_clear(w);
		circuit_room_clear(w);
		exit_room_clear(w);
		guard_room_clear(w);
	}
	registry_clear();
}

static enum rc
start_directory(const struct torrc *conf)
{
	struct dir_authority authorities[32];
	const struct dir_authority *list = authorities;
	size_t count = 0;
	char why[256];

	for (size_t i = 0; i < conf->dir_authority.count && count < 32; i++) {
		if (dir_authority_parse(conf->dir_authority.items[i], &authorities[count], why,
			sizeof(why)) != RC_OK) {
			log_error(LOG_CONFIG, "DirAuthority: %s", why);
			return RC_SYNTAX;
		}
		count++;
	}
	if (count == 0)
		count = dir_authority_defaults(&list);
	struct dir_config config = {
		.base = relay.crew.main.base,
		.authorities = list,
		.authority_count = count,
		.cache_dir = conf->data_directory,
		.testing = conf->testing_tor_network,
		.publish = conf->publish_server_descriptor && conf->or_port_count != 0,
		.bind_addr = conf->outbound_or_v4,
		.on_consensus = on_consensus,
		.describe = describe,
		.on_own_address = on_own_address,
	};
	enum rc rc = dir_new(&config, &relay.dir);
	if (rc == RC_OK && !conf->disable_network)
		dir_start(relay.dir);
	return rc;
}

static void
write_pid(const char *path)
{
	FILE *f = path != NULL ? fopen(path, "we") : NULL;

	if (f != NULL) {
		fprintf(f, "%ld\n", (long)getpid());
		fclose(f);
	} else if (path != NULL)
		log_warn(LOG_CONFIG, "cannot write PidFile %s: %s", path, strerror(errno));
}

static unsigned
worker_count(const struct torrc *conf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = conf->workers != 0 ? conf->workers : cores > 0 ? (unsigned)cores : 1;

	return n < WORKERS_MAX ? n : WORKERS_MAX;
}

static enum rc
start(struct torrc *conf, unsigned workers)
{
	char why[512] = "no memory or no descriptors";
	enum rc rc = bind_ports(conf, workers);

	if (rc == RC_OK)
		rc = privilege_drop(conf->user);
	if (rc != RC_OK)
		return rc;
	if (logs_wait_for_user(conf))
		set_logs(conf);
	rc = keystore_open(conf->data_directory, conf->nickname, clock_wall_s(), &relay.keystore,
	    why, sizeof(why));
	if (rc != RC_OK) {
		log_error(LOG_KEYS, "%s", why);
		return rc;
	}
	relay.owns_conf = false;
	relay.snap = view_first(conf, relay.keystore);
	if (relay.snap == NULL)
		return RC_SYSTEM;
	rc = crew_init(&relay.crew, workers, relay.snap);
	if (rc == RC_OK)
		rc = dns_new(relay.crew.main.base, conf->server_dns_resolv_conf, &relay.dns, why,
		    sizeof(why));
	if (rc != RC_OK) {
		log_error(LOG_DNS, "cannot start the threads or the resolver: %s", why);
		return rc;
	}
	exit_set_resolver(relay.dns);
	rc = start_rooms(workers);
	if (rc == RC_OK)
		rc = catch_signals();
	if (rc == RC_OK)
		rc = start_directory(conf);
	if (rc == RC_OK)
		rc = crew_start(&relay.crew);
	return rc;
}

static void
clean_up(void)
{
	dir_free(&relay.dir);
	exit_set_resolver(NULL); /* questions may still be on their way */
	dns_free(&relay.dns);
	if (relay.crew.workers != NULL) {
		stop_rooms();
		for (unsigned i = 0; i < 4; i++)
			if (relay.signals[i] != NULL)
				event_free(relay.signals[i]);
		crew_clear(&relay.crew);
	}
	snapshot_unref(&relay.snap);
	keystore_close(&relay.keystore);
	libevent_global_shutdown();
}

int
relay_run(const struct relay_options *options, struct torrc *conf)
{
	unsigned workers = worker_count(conf);
	char hex[41];
	enum rc rc;

	privilege_limits();
	relay.was_root = geteuid() == 0;
	if (!logs_wait_for_user(conf))
		set_logs(conf);
	relay.options = options;
	relay.conf = conf;
	relay.owns_conf = true;
	relay.started_ms = relay.heartbeat_ms = clock_mono_ms();
	log_notice(LOG_GENERAL, "relayd %s starts with %u workers", PACKAGE_VERSION, workers);
	rc = start(conf, workers);
	if (rc != RC_OK) {
		log_error(LOG_GENERAL, "not started: %s", rc_str(rc));
		if (relay.owns_conf)
			torrc_free(&conf);
		clean_up();
		return 1;
	}
	write_pid(conf->pid_file);
	hex_encode(span_of(relay.snap->keys->rsa_id_digest, 20), hex, sizeof(hex));
	log_notice(LOG_KEYS, "relay %s, fingerprint %s", conf->nickname, hex);
	worker_on_tick(&relay.crew.main, main_tick);
	crew_run_main(&relay.crew);
	crew_stop(&relay.crew);
	if (relay.conf->pid_file != NULL)
		(void)unlink(relay.conf->pid_file);
	clean_up();
	return 0;
}

int
relay_list_fingerprint(const struct torrc *conf)
{
	struct keystore *keystore;
	struct relay_keys *keys;
	char why[512], hex[41], b64[48];

	/* Keys that root makes are of no use to the user that the relay will be. */
	if (geteuid() == 0 && privilege_drop(conf->user) != RC_OK)
		return 1;
	if (keystore_open(conf->data_directory, conf->nickname, clock_wall_s(), &keystore, why,
		sizeof(why)) != RC_OK) {
		log_error(LOG_KEYS, "%s", why);
		return 1;
	}
	keys = keystore_current(keystore);
	hex_encode(span_of(keys->rsa_id_digest, 20), hex, sizeof(hex));
	base64_encode(span_of(keys->ed_id, 32), false, b64, sizeof(b64));
	printf("%s", conf->nickname);
	for (unsigned i = 0; i < 40; i++)
		printf("%s%c", i % 4 == 0 ? " " : "", hex[i]);
	printf("\n%s ed25519 %s\n", conf->nickname, b64);
	relay_keys_unref(&keys);
	keystore_close(&keystore);
	return 0;
}
