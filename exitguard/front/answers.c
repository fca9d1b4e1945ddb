/* answers.c: requests of exitguardctl carried out, answers as JSON. */
#include "config.h"

#include "exitguard/front/answers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "exitguard/front/watch.h"
#include "exitguard/ledger/ledger.h"

#define EXPLAIN_TEXT 512

json_t *
answer_error(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return json_pack("{s:s}", "error", text);
}

static void
set_u64(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *
engine_json(const struct engine *engine)
{
	static const char *const outcomes[] = { NULL, "connected", "refused", "timeout",
		"local_failure" };
	const struct engine_counters *c = engine_counters(engine);
	json_t *out = json_object(), *by = json_object(), *ended = json_object();

	set_u64(out, "streams", c->streams);
	set_u64(out, "allowed", c->allowed);
	set_u64(out, "matched", c->refused);
	set_u64(out, "exempt", c->exempt);
	set_u64(out, "evicted", c->evicted);
	set_u64(out, "ceiling_trips", c->ceiling_trips);
	json_object_set_new(out, "ceiling_hit", json_boolean(engine_ceiling_is_hit(engine)));
	for (unsigned i = 1; i < REPORT_REASON_COUNT; i++)
		set_u64(by, report_reason_str(i), c->refused_by[i]);
	json_object_set_new(out, "by_reason", by);
	for (unsigned i = 1; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		set_u64(ended, outcomes[i], c->outcomes[i]);
	json_object_set_new(out, "outcomes", ended);
	return out;
}

static json_t *
kernel_json(const struct front *front)
{
	const struct kernel *kernel = &front->kernel;
	json_t *out = json_object(), *counters = json_object();
	const char *state = !front->settings.nftables ? "off"
			    : front->orphaned         ? "priv-gone"
			    : kernel->status.table    ? "in-force"
						      : "missing";

	json_object_set_new(out, "state", json_string(state));
	set_u64(out, "elements", kernel->status.elements);
	set_u64(out, "laid", kernel->status.laid);
	set_u64(out, "batches", kernel->batches);
	set_u64(out, "batches_failed", kernel->failed);
	set_u64(out, "changes_dropped", kernel->dropped);
	json_object_set_new(out, "last_error",
	    kernel->last_error != 0 ? json_string(strerror(kernel->last_error)) : json_null());
	for (unsigned i = 0; i < GUARD_COUNTER_COUNT; i++)
		set_u64(counters, guard_counters[i].name, kernel->status.counters[i]);
	json_object_set_new(out, "counters", counters);
	return out;
}

static json_t *
feed_json(const struct front *front)
{
	struct watch_counters c = { 0 };
	json_t *out = json_object();

	watch_counters(front->watch, &c);
	json_object_set_new(out, "wanted", json_boolean(front_wants_feed(front)));
	json_object_set_new(out, "available", json_boolean(front->watch != NULL));
	set_u64(out, "events", c.events);
	set_u64(out, "lost", c.lost);
	set_u64(out, "not_understood", c.unknown);
	set_u64(out, "outcomes", c.outcomes);
	set_u64(out, "flows", c.flows);
	set_u64(out, "flows_evicted", c.evicted);
	return out;
}

static json_t *
answer_status(struct front *front)
{
	json_t *out = json_object(), *reports = json_object();

	json_object_set_new(out, "program", json_string("exitguard"));
	json_object_set_new(out, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(out, "mode", json_string(guard_mode_str(front->mode)));
	json_object_set_new(out, "view", json_string(guard_view_str(front->settings.view)));
	set_u64(out, "uptime_s", (front_now_ms() - front->started_ms) / 1000);
	set_u64(out, "relays_exempt", front->relays.count);
	set_u64(out, "list_entries", front->lists.count);
	set_u64(out, "banned", front->banned);
	set_u64(out, "allowed_by_list", front->allowed_by_list);
	json_object_set_new(out, "ledger", json_boolean(front->ledger != NULL));
	set_u64(reports, "connected", front->reports.count);
	set_u64(reports, "accepted", front->reports.accepted);
	set_u64(reports, "not_taken", front->reports.refused_peers);
	set_u64(reports, "broken", front->reports.broken);
	set_u64(reports, "verdicts", front->reports.verdicts);
	set_u64(reports, "verdicts_dropped", front->reports.dropped);
	json_object_set_new(out, "reports", reports);
	json_object_set_new(out, "feed", feed_json(front));
	json_object_set_new(out, "kernel", kernel_json(front));
	json_object_set_new(out, "relay",
	    front->engines[ENGINE_VIEW_RELAY] != NULL
		? engine_json(front->engines[ENGINE_VIEW_RELAY])
		: json_null());
	json_object_set_new(out, "nft",
	    front->engines[ENGINE_VIEW_NFT] != NULL ? engine_json(front->engines[ENGINE_VIEW_NFT])
						    : json_null());
	return out;
}

static json_t *
explain_view(struct front *front, enum engine_view view, const struct addr_port *where)
{
	/* A circuit nobody has: the answer is about the destination alone. */
	struct engine_stream stream = { .stream = UINT64_MAX,
		.circuit = view == ENGINE_VIEW_RELAY ? UINT64_MAX : 0,
		.addr = where->addr,
		.port = where->port != 0 ? where->port : 443 };
	struct engine_verdict verdict = { 0 };
	char text[EXPLAIN_TEXT] = "";

	engine_explain(front->engines[view], front_now_ms(), &stream, &verdict, text, sizeof(text));
	return json_pack("{s:b, s:s, s:i, s:s}", "refuse", verdict.refuse, "reason",
	    report_reason_str(verdict.refuse ? verdict.reason : 0), "hold_s",
	    (int)(verdict.hold_ms / 1000), "text", text);
}

static json_t *
answer_explain(struct front *front, const struct ctl_request *request)
{
	uint16_t port = request->where.port != 0 ? request->where.port : 443;
	const struct addr *addr = &request->where.addr;
	bool relay = relays_have(&front->relays, addr, port);
	bool allowed = lists_have(&front->lists, GUARD_LIST_ALLOW, addr);
	bool banned = lists_have(&front->lists, GUARD_LIST_BAN, addr);
	char text[ADDR_STR_LEN];
	json_t *out = json_object();
	bool refuse = false;

	json_object_set_new(out, "address", json_string(addr_str(addr, text)));
	set_u64(out, "port", port);
	json_object_set_new(out, "mode", json_string(guard_mode_str(front->mode)));
	json_object_set_new(out, "relay", json_boolean(relay));
	json_object_set_new(out, "allowed", json_boolean(allowed));
	json_object_set_new(out, "banned", json_boolean(banned));
	for (int view = 0; view < 2; view++) {
		if (front->engines[view] == NULL)
			continue;
		json_t *said = explain_view(front, (enum engine_view)view, &request->where);
		refuse |= json_is_true(json_object_get(said, "refuse"));
		json_object_set_new(
		    out, view == ENGINE_VIEW_RELAY ? "relay_view" : "nft_view", said);
	}
	refuse = !relay && !allowed && (banned || refuse);
	json_object_set_new(out, "matches", json_boolean(refuse));
	json_object_set_new(out, "verdict",
	    json_string(refuse && front->mode == GUARD_ENFORCE ? "refuse" : "allow"));
	return out;
}

static json_t *
answer_mode(struct front *front, const struct ctl_request *request)
{
	if (request->has_mode && request->mode != front->mode)
		front_set_mode(front, request->mode);
	return json_pack("{s:s}", "mode", guard_mode_str(front->mode));
}

static json_t *
entry_json(const struct list_entry *entry)
{
	char text[ADDR_STR_LEN];
	json_t *out = json_object();

	json_object_set_new(out, "prefix", json_string(prefix_str(&entry->prefix, text)));
	json_object_set_new(
	    out, "list", json_string(entry->list == GUARD_LIST_BAN ? "ban" : "allow"));
	json_object_set_new(
	    out, "until", entry->until != 0 ? json_integer((json_int_t)entry->until) : json_null());
	json_object_set_new(out, "from", json_string(entry->from_config ? "config" : "ctl"));
	return out;
}

static json_t *
answer_list_add(struct front *front, const struct ctl_request *request, enum guard_list list)
{
	struct list_entry entry = { .list = list, .prefix = request->prefix };

	if (request->duration_s != 0)
		entry.until = clock_wall_s() + request->duration_s;
	enum rc rc = lists_put(&front->lists, &entry);
	if (rc == RC_RANGE)
		return answer_error("too wide: at most a /16, IPv6 a /40 (or /120 and longer)");
	if (rc != RC_OK)
		return answer_error("%s", rc_str(rc));
	front_push_lists(front);
	return entry_json(&entry);
}

static json_t *
answer_list_del(struct front *front, const struct ctl_request *request, enum guard_list list)
{
	char text[ADDR_STR_LEN];
	enum rc rc = lists_del(&front->lists, list, &request->prefix);

	if (rc == RC_NOT_FOUND)
		return answer_error("%s is not on the list", prefix_str(&request->prefix, text));
	if (rc == RC_DENIED)
		return answer_error("%s is in the configuration; take it out there and reload",
		    prefix_str(&request->prefix, text));
	front_push_lists(front);
	return json_pack("{s:s}", "removed", prefix_str(&request->prefix, text));
}

static json_t *
answer_list(const struct front *front)
{
	json_t *out = json_object(), *entries = json_array();

	for (size_t i = 0; i < front->lists.count; i++)
		json_array_append_new(entries, entry_json(&front->lists.entries[i]));
	json_object_set_new(out, "entries", entries);
	return out;
}

static json_t *
rate_json(const char *name, const char *unit, struct settings_rate rate)
{
	return json_pack("{s:s, s:i, s:i, s:s}", "name", name, "value", (int)rate.per_second,
	    "burst", (int)rate.burst, "unit", unit);
}

/* Most limits are the same in both views; then they are said once. */
static void
add_engine_limits(const struct front *front, json_t *limits)
{
	static const char *const views[] = { "relay", "nft" };
	struct engine_limit limit, other;

	for (int view = 0; view < 2; view++) {
		const struct engine *engine = front->engines[view],
				    *twin = front->engines[1 - view];

		for (size_t i = 0; engine != NULL && engine_limit(engine, i, &limit); i++) {
			bool both = twin != NULL && engine_limit(twin, i, &other) &&
				    strcmp(limit.name, other.name) == 0 &&
				    limit.value == other.value;

			if (both && view == 1)
				continue;
			json_array_append_new(limits,
			    json_pack("{s:s, s:s, s:f, s:s}", "view", both ? "both" : views[view],
				"name", limit.name, "value", limit.value, "unit", limit.unit));
		}
	}
}

static json_t *
answer_limits(struct front *front)
{
	json_t *out = json_object(), *limits = json_array();

	add_engine_limits(front, limits);
	json_array_append_new(
	    limits, rate_json("network_limit", "new connections a second to one /24 or /48",
			front->settings.network_limit));
	json_array_append_new(
	    limits, rate_json("dns_limit", "DNS queries a second past the resolvers",
			front->settings.dns_limit));
	json_object_set_new(out, "mode", json_string(guard_mode_str(front->mode)));
	json_object_set_new(out, "limits", limits);
	return out;
}

static json_t *
classes_json(const struct ledger_answer *answer)
{
	json_t *out = json_object();

	for (unsigned c = 0; c < LEDGER_CLASS_COUNT; c++) {
		json_t *class = json_object(), *matched = json_object(), *refused = json_object();

		for (unsigned r = 1; r < REPORT_REASON_COUNT; r++) {
			if (answer->matched[c][r] != 0)
				set_u64(matched, report_reason_str(r), answer->matched[c][r]);
			if (answer->refused[c][r] != 0)
				set_u64(refused, report_reason_str(r), answer->refused[c][r]);
		}
		set_u64(class, "streams", answer->streams[c]);
		json_object_set_new(class, "matched", matched);
		json_object_set_new(class, "refused", refused);
		json_object_set_new(out, ledger_class_str(c), class);
	}
	return out;
}

static json_t *
json_moment(int64_t utc)
{
	time_t t = (time_t)utc;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

/* In the form that `abuse --ledger` reads, when a network is asked about. */
static json_t *
answer_ledger(struct front *front, const struct ctl_request *request)
{
	int64_t to = request->to != 0 ? request->to : (int64_t)clock_wall_s() + 1;
	int64_t from = request->from != 0 ? request->from : to - 86400;
	bool asked = request->prefix.addr.family != ADDR_NONE;
	struct ledger_answer answer;

	if (front->ledger == NULL)
		return answer_error("there is no ledger (see the log)");
	enum rc rc =
	    ledger_ask(front->ledger, from, to, asked ? &request->prefix.addr : NULL, &answer);
	if (rc != RC_OK)
		return answer_error("%s",
		    rc == RC_RANGE ? "from must lie before to, by at most a year" : rc_str(rc));
	json_t *out = json_object();
	json_object_set_new(out, "from", json_moment(answer.from));
	json_object_set_new(out, "to", json_moment(answer.to));
	json_object_set_new(out, "mode", json_string(answer.enforced ? "enforce" : "observe"));
	if (asked) {
		char text[ADDR_STR_LEN];

		json_object_set_new(out, "prefix", json_string(prefix_str(&request->prefix, text)));
		json_object_set_new(out, "refused", json_boolean(answer.network_refused != 0));
	}
	json_object_set_new(out, "covered", json_boolean(answer.covered));
	set_u64(out, "spans", answer.spans);
	set_u64(out, "spans_covered", answer.spans_covered);
	json_object_set_new(out, "oldest",
	    answer.first != 0 ? json_integer((json_int_t)answer.first) : json_null());
	json_object_set_new(
	    out, "spans_with_refusal", asked ? json_integer(answer.network_refused) : json_null());
	set_u64(out, "kernel_refused", answer.kernel_refused);
	json_object_set_new(out, "classes", classes_json(&answer));
	return out;
}

static json_t *
answer_reload(struct front *front)
{
	struct settings_error error;

	if (front_reload(front, &error) != RC_OK)
		return answer_error("%s:%u: %s; the old configuration stays", front->config_path,
		    error.line, error.text);
	return json_pack("{s:b}", "reloaded", 1);
}

json_t *
answer_request(struct front *front, const struct ctl_request *request)
{
	switch (request->command) {
	case CTL_STATUS:
		return answer_status(front);
	case CTL_EXPLAIN:
		return answer_explain(front, request);
	case CTL_MODE:
		return answer_mode(front, request);
	case CTL_BAN:
		return answer_list_add(front, request, GUARD_LIST_BAN);
	case CTL_UNBAN:
		return answer_list_del(front, request, GUARD_LIST_BAN);
	case CTL_ALLOW:
		return answer_list_add(front, request, GUARD_LIST_ALLOW);
	case CTL_UNALLOW:
		return answer_list_del(front, request, GUARD_LIST_ALLOW);
	case CTL_LIST:
		return answer_list(front);
	case CTL_LIMITS:
		return answer_limits(front);
	case CTL_LEDGER:
		return answer_ledger(front, request);
	case CTL_RELOAD:
		return answer_reload(front);
	case CTL_COMMAND_COUNT:
		break;
	}
	return answer_error("no such command");
}
