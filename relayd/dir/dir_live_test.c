/* dir_live_test.c: the directory client against real authorities, without the rest of a relay.
 *
 *	dir_live_test AUTHORITIES ADDRESS FOLDER SECONDS
 *
 * AUTHORITIES is a file of DirAuthority values, one a line. Keys and the cache lie in FOLDER. Ends
 * with 0 as soon as all authorities have our descriptor, two consensuses were verified and every
 * relay's Ed25519 identity is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/conf.h"
#include "relayd/dir/dir_internal.h"

struct live {
	struct event_base *base;
	struct dir *dir;
	struct keystore *keys;
	struct policy *policy;
	struct addr address;
	struct consensus *view;
	unsigned consensuses;
	bool complete;
	time_t last_valid_after;
	uint64_t start_ms, end_ms;
	bool passed;
};

static void
on_consensus(void *arg, struct consensus *c)
{
	struct live *live = arg;
	size_t with_id = 0, n = consensus_relay_count(c);

	consensus_unref(&live->view);
	live->view = consensus_ref(c);
	for (size_t i = 0; i < n; i++)
		with_id += consensus_relay_at(c, i)->has_ed_id;
	live->complete = n != 0 && with_id == n;
	if (consensus_valid_after(c) != live->last_valid_after)
		live->consensuses++;
	live->last_valid_after = consensus_valid_after(c);
	printf("%.1f s: view of %zu relays, %zu with Ed25519 identity\n",
	    (double)(clock_mono_ms() - live->start_ms) / 1000, n, with_id);
}

static bool
describe(void *arg, struct descriptor_info *info, struct relay_keys **keys)
{
	struct live *live = arg;

	*info = (struct descriptor_info){
		.nickname = "dirlive",
		.contact = "none",
		.platform = "exitgate on Linux",
		.proto = "Cons=2 Desc=2 FlowCtrl=1 Link=4-5 LinkAuth=3 Microdesc=2 Relay=2-4",
		.or_v4 = { live->address, 9001 },
		.bandwidth_rate = 1000000,
		.bandwidth_burst = 1000000,
		.bandwidth_observed = 100000,
		.uptime_s = (clock_mono_ms() - live->start_ms) / 1000,
		.policy = live->policy,
	};
	*keys = keystore_current(live->keys);
	return true;
}

static void
on_own_address(void *arg, const struct addr *addr)
{
	(void)arg;
	(void)addr;
}

static void
on_check(evutil_socket_t fd, short what, void *arg)
{
	struct live *live = arg;
	unsigned accepted = 0;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < live->dir->config.authority_count; i++)
		accepted += live->dir->uploads[i].accepted;
	live->passed = accepted == live->dir->config.authority_count && live->complete &&
		       live->consensuses >= 2;
	if (live->passed || clock_mono_ms() > live->end_ms) {
		printf("%.1f s: %u authorities have our descriptor, %u consensuses verified\n",
		    (double)(clock_mono_ms() - live->start_ms) / 1000, accepted, live->consensuses);
		event_base_loopbreak(live->base);
	}
}

static size_t
read_authorities(const char *path, struct dir_authority *out, size_t max)
{
	char *text, why[100];
	size_t len, n = 0;

	if (conf_read_file(path, 65536, &text, &len) != RC_OK)
		return 0;
	struct rd rd = rd_from(span_of(text, len));
	for (struct span line; n < max && rd_line(&rd, &line);) {
		char value[512];

		snprintf(value, sizeof(value), "%.*s", (int)line.len, (const char *)line.data);
		if (dir_authority_parse(value, &out[n], why, sizeof(why)) == RC_OK)
			n++;
		else
			fprintf(stderr, "%s: %s\n", value, why);
	}
	free(text);
	return n;
}

static bool
prepare(struct live *live, char **argv, struct dir_config *config)
{
	struct policy_options options = { .exit_relay = true, .reduced = true };
	char why[300] = "";

	if (crypt_init() != RC_OK || addr_parse(span_of_str(argv[2]), &live->address) != RC_OK ||
	    keystore_open(argv[3], "dirlive", clock_wall_s(), &live->keys, why, sizeof(why)) !=
		RC_OK ||
	    policy_build(NULL, 0, &options, &live->policy, why, sizeof(why)) != RC_OK) {
		fprintf(stderr, "cannot prepare: %s\n", why);
		return false;
	}
	config->base = live->base = event_base_new();
	config->cache_dir = argv[3];
	config->testing = config->publish = true;
	config->bind_addr = live->address;
	config->on_consensus = on_consensus;
	config->describe = describe;
	config->on_own_address = on_own_address;
	config->arg = live;
	return live->base != NULL && dir_new(config, &live->dir) == RC_OK;
}

int
main(int argc, char **argv)
{
	struct dir_authority authorities[AUTHORITIES_MAX];
	struct dir_config config = { .authorities = authorities };
	struct timeval check = { .tv_usec = 200000 };
	struct live live = { 0 };

	if (argc != 5) {
		fprintf(stderr, "usage: dir_live_test AUTHORITIES ADDRESS FOLDER SECONDS\n");
		return 2;
	}
	log_init("dir_live");
	(void)log_add_stderr(LOG_LEVEL_INFO);
	setvbuf(stdout, NULL, _IOLBF, 0);
	config.authority_count = read_authorities(argv[1], authorities, AUTHORITIES_MAX);
	live.start_ms = clock_mono_ms();
	live.end_ms = live.start_ms + strtoull(argv[4], NULL, 10) * 1000;
	if (prepare(&live, argv, &config)) {
		struct event *timer = event_new(live.base, -1, EV_PERSIST, on_check, &live);

		event_add(timer, &check);
		dir_start(live.dir);
		event_base_dispatch(live.base);
		event_free(timer);
	}
	consensus_unref(&live.view);
	dir_free(&live.dir);
	policy_free(&live.policy);
	if (live.keys != NULL)
		keystore_close(&live.keys);
	if (live.base != NULL)
		event_base_free(live.base);
	puts(live.passed ? "passed" : "failed");
	return live.passed ? 0 : 1;
}
