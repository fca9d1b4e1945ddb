/* front.c: the unprivileged process: start, ticks, reload, leaving. */
#include "exitguard/front/front.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/conf.h"
#include "exitguard/front/watch.h"
#include "exitguard/ledger/ledger.h"

#define STATUS_EVERY_MS 2000

uint64_t
front_now_ms(void)
{
	return clock_mono_ms();
}

void
front_state_path(const struct front *front, const char *name, char out[4096])
{
	snprintf(out, 4096, "%s/%s", front->settings.state_directory, name);
}

void
front_save_state(struct front *front)
{
	char path[4096];

	front_state_path(front, "state", path);
	enum rc rc = lists_save(&front->lists, front->mode, path);
	if (rc != RC_OK)
		log_warn(LOG_GUARD, "mode and bans could not be kept in %s: %m", path);
}

/* Another exitguard has bound our report socket's path: it is its turn. */
static bool
was_replaced(const struct front *front)
{
	struct stat st;

	return stat(front->settings.report_socket, &st) != 0 ||
	       st.st_ino != front->report_path_stat.st_ino ||
	       st.st_dev != front->report_path_stat.st_dev;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	static uint64_t ticks;
	struct front *front = arg;
	uint64_t now_ms = front_now_ms();

	(void)fd;
	(void)what;
	if (front->orphaned && was_replaced(front)) {
		log_notice(LOG_GUARD, "a new exitguard has taken over");
		event_base_loopexit(front->base, NULL);
		return;
	}
	for (int view = 0; view < 2; view++)
		if (front->engines[view] != NULL)
			engine_tick(front->engines[view], now_ms);
	watch_tick(front->watch, now_ms);
	front_push_changes(front);
	if (lists_expire(&front->lists, clock_wall_s()))
		front_save_state(front);
	if (ticks % 10 == 0 && front_read_relays(front)) {
		front_push_relays(front);
	}
	if (front->ledger != NULL && ledger_tick(front->ledger, clock_wall_s()) != RC_OK)
		log_warn(LOG_GUARD, "the ledger cannot be written to %s",
		    front->settings.state_directory);
	if (ticks++ % (STATUS_EVERY_MS / 1000) == 0)
		kernel_ask_status(front);
}

static void
on_term_signal(evutil_socket_t fd, short what, void *arg)
{
	struct front *front = arg;

	(void)fd;
	(void)what;
	event_base_loopexit(front->base, NULL);
}

static void
take_config_lists(struct front *front)
{
	const struct settings_list *lists[] = {
		[GUARD_LIST_BAN] = &front->settings.ban, [GUARD_LIST_ALLOW] = &front->settings.allow
	};

	lists_drop_config(&front->lists);
	for (int list = 0; list < 2; list++)
		for (size_t i = 0; i < lists[list]->count; i++) {
			struct list_entry entry = { .list = (enum guard_list)list,
				.from_config = true };

			if (prefix_parse(span_of_str(lists[list]->items[i]), &entry.prefix) !=
				RC_OK ||
			    lists_put(&front->lists, &entry) != RC_OK)
				log_warn(LOG_CONFIG,
				    "%s: this prefix is too wide (at most a /16, IPv6 /40)",
				    lists[list]->items[i]);
		}
}

enum rc
front_reload(struct front *front, struct settings_error *error)
{
	struct settings fresh;
	enum rc rc = settings_load(front->config_path, &fresh, error);

	if (rc != RC_OK) {
		log_warn(LOG_CONFIG, "%s:%u: %s; the old configuration stays", front->config_path,
		    error->line, error->text);
		return rc;
	}
	/* What is bound at start stays as it was. */
	char *state = strdup(front->settings.state_directory);
	char *socket = strdup(front->settings.report_socket);
	if (state == NULL || socket == NULL) {
		free(state);
		free(socket);
		settings_clear(&fresh);
		return RC_NO_MEMORY;
	}
	free(fresh.state_directory);
	free(fresh.report_socket);
	fresh.state_directory = state;
	fresh.report_socket = socket;
	settings_clear(&front->settings);
	front->settings = fresh;
	take_config_lists(front);
	front->relays_stamp = 0;
	(void)front_read_relays(front);
	front_push_static(front);
	log_notice(LOG_CONFIG, "configuration read again");
	return RC_OK;
}

static void
on_hup_signal(evutil_socket_t fd, short what, void *arg)
{
	struct front *front = arg;
	struct settings_error error;

	(void)fd;
	(void)what;
	log_reopen();
	(void)front_reload(front, &error);
}

static bool
is_relay(void *arg, const struct addr *addr, uint16_t port)
{
	const struct front *front = arg;

	return relays_have(&front->relays, addr, port);
}

static enum rc
start_engines(struct front *front)
{
	static const enum guard_view without[] = {
		[ENGINE_VIEW_RELAY] = GUARD_VIEW_NFT, [ENGINE_VIEW_NFT] = GUARD_VIEW_RELAY
	};

	for (int view = 0; view < 2; view++) {
		struct engine_config config = { .view = (enum engine_view)view,
			.memory_max = (size_t)front->settings.memory_max,
			.is_relay = is_relay,
			.is_relay_arg = front };

		if (front->settings.view == without[view])
			continue;
		randombytes_buf(config.hash_key, sizeof(config.hash_key));
		front->engines[view] = engine_new(&config);
		sodium_memzero(&config, sizeof(config));
		if (front->engines[view] == NULL)
			return RC_NO_MEMORY;
	}
	return RC_OK;
}

static void
load_state(struct front *front)
{
	enum guard_mode mode = front->settings.mode;
	char path[4096];
	bool has_mode;
	unsigned wrong;

	front_state_path(front, "state", path);
	enum rc rc = lists_load(&front->lists, path, clock_wall_s(), &has_mode, &mode, &wrong);
	if (rc != RC_OK)
		log_warn(LOG_GUARD, "%s cannot be read: %s", path, rc_str(rc));
	if (wrong != 0)
		log_warn(LOG_GUARD, "%s: %u lines not understood", path, wrong);
	front->mode = has_mode ? mode : front->settings.mode;
	take_config_lists(front);
	front_state_path(front, "ledger.db", path);
	rc = ledger_open(path, front->settings.ledger_days, clock_wall_s(), &front->ledger);
	if (rc != RC_OK)
		log_warn(LOG_GUARD, "no ledger: %s: %s", path, rc_str(rc));
	else
		ledger_set_enforcing(front->ledger, front->mode == GUARD_ENFORCE);
}

static enum rc
start_events(struct front *front)
{
	static const struct timeval second = { .tv_sec = 1 };

	front->base = event_base_new();
	if (front->base == NULL)
		return RC_NO_MEMORY;
	front->ticker = event_new(front->base, -1, EV_PERSIST, on_tick, front);
	front->on_term = evsignal_new(front->base, SIGTERM, on_term_signal, front);
	front->on_hup = evsignal_new(front->base, SIGHUP, on_hup_signal, front);
	if (front->ticker == NULL || front->on_term == NULL || front->on_hup == NULL)
		return RC_NO_MEMORY;
	event_add(front->ticker, &second);
	event_add(front->on_term, NULL);
	event_add(front->on_hup, NULL);
	enum rc rc = kernel_start(front);
	if (rc == RC_OK)
		rc = reports_start(front);
	if (rc == RC_OK)
		rc = control_start(front);
	if (rc == RC_OK)
		rc = watch_start(front, &front->watch);
	return rc;
}

static void
stop(struct front *front)
{
	watch_stop(&front->watch);
	if (front->base != NULL) {
		reports_stop(front);
		control_stop(front);
		kernel_stop(front);
	}
	ledger_close(&front->ledger, clock_wall_s());
	for (int view = 0; view < 2; view++)
		engine_free(&front->engines[view]);
	relays_clear(&front->relays);
	lists_clear(&front->lists);
	if (front->ticker != NULL)
		event_free(front->ticker);
	if (front->on_term != NULL)
		event_free(front->on_term);
	if (front->on_hup != NULL)
		event_free(front->on_hup);
	if (front->base != NULL)
		event_base_free(front->base);
	settings_clear(&front->settings);
}

/* No core file with destinations in it, no new privileges, no debugger of the same user. */
static void
harden(void)
{
	struct rlimit none = { 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* a terminal sends it to all; priv tells us */
}

int
front_main(const char *config_path)
{
	static struct front front;
	struct settings_error error;

	harden();
	if (sodium_init() < 0)
		return 1;
	front.config_path = config_path;
	front.started_ms = front_now_ms();
	enum rc rc = settings_load(config_path, &front.settings, &error);
	if (rc != RC_OK) {
		log_error(LOG_CONFIG, "%s:%u: %s", config_path, error.line, error.text);
		return 2;
	}
	randombytes_buf(front.key, sizeof(front.key));
	lists_init(&front.lists, front.key);
	(void)stat(front.settings.report_socket, &front.report_path_stat);
	rc = start_engines(&front);
	if (rc == RC_OK) {
		load_state(&front);
		rc = start_events(&front);
	}
	if (rc == RC_OK) {
		(void)front_read_relays(&front);
		front_push_static(&front);
		log_notice(LOG_GUARD, "ready, mode %s", guard_mode_str(front.mode));
		event_base_dispatch(front.base);
	} else {
		log_error(LOG_GUARD, "cannot start: %s", rc_str(rc));
	}
	stop(&front);
	return rc == RC_OK ? 0 : 1;
}
