/* scan.c: breadth that nobody answers. A connect counts as silent for its network, address and
 * port from the moment it goes out until it is answered; so does a refused connect (RST, ICMP),
 * which found nothing either. A service that has answered is known and passes every rule here.
 * Pure: works on the engine's tables. */
#include "exitguard/engine/state.h"

struct scan_rule {
	uint8_t reason;
	enum limit_id first, all, no_circuits, again, share;
	const char *what;
};

static const struct scan_rule sweep_rule = { REPORT_REASON_SWEEP, LIMIT_sweep_first,
	LIMIT_sweep_all, LIMIT_sweep_no_circuits, LIMIT_sweep_again, LIMIT_sweep_share,
	"silent addresses of this network and port" };
static const struct scan_rule ports_rule = { REPORT_REASON_PORT_SCAN, LIMIT_ports_first,
	LIMIT_ports_all, LIMIT_ports_no_circuits, LIMIT_ports_again, LIMIT_ports_share,
	"silent ports of this address" };
static const struct scan_rule wide_rule = { REPORT_REASON_SWEEP, LIMIT_wide_first, LIMIT_wide_all,
	LIMIT_wide_no_circuits, LIMIT_wide_again, LIMIT_wide_share,
	"silent networks on this port" };

/* Refused attempts that mean that a scan goes on. */
#define GOES_ON 20

static bool
has_circuits(const struct engine *e)
{
	return e->config.view == ENGINE_VIEW_RELAY;
}

bool
service_is_known(const struct engine *e, uint64_t key, uint32_t now)
{
	const struct service *service = table_find(&e->services, key, now);

	return service != NULL && service->answered != 0;
}

static const struct fan *
fan_of_net(const struct engine *e, uint64_t key, uint32_t now)
{
	const struct net *net = table_find(&e->nets, key, now);

	return net != NULL ? &net->fan : NULL;
}

static unsigned
pair_count(const struct engine *e, uint64_t key, uint32_t slot_len, uint32_t now)
{
	const struct pair *pair = table_find(&e->pairs, key, now);

	return pair != NULL ? brief_sum(&pair->recent, slot_len, now) : 0;
}

/* Does the rule refuse, with this fan and, where circuits are known, this many silent connects
 * of the circuit's own? */
static bool
rule_refuses(const struct scan_rule *rule, const struct look *look, const struct fan *fan,
    uint64_t circuit_pair, struct judgement *out)
{
	if (fan == NULL)
		return false;
	float silent = (float)fan_sum(fan, FAN_SILENT, look->now);
	float answered = (float)fan_sum(fan, FAN_ANSWERED, look->now);
	float refused = (float)fan_sum(fan, FAN_REFUSED, look->now);
	bool again = refused >= GOES_ON;
	float more = limits[rule->share] * answered;
	float first = more, all = more;

	if (has_circuits(look->e)) {
		first += limits[again ? rule->again : rule->first];
		all += again ? 2 * limits[rule->again] : limits[rule->all];
	} else {
		first += limits[again ? rule->again : rule->no_circuits];
		all = first;
	}
	if (silent < first)
		return false;
	if (silent < all) {
		uint64_t key = circuit_pair;
		if (key == 0 || (float)pair_count(look->e, key, VAIN_SLOT, look->now) <
				    limits[LIMIT_circuit_own])
			return false;
	}
	out->reason = rule->reason;
	out->doubtful = silent + refused < answered / 4;
	out->hold = 30 * SECOND;
	out->what = rule->what;
	out->count = silent;
	out->limit = silent < all ? first : all;
	return true;
}

/* Its neighbours answer: a network of busy servers inside a larger one that is being scanned. */
static bool
neighbours_answer(const struct look *look)
{
	const struct net *near = table_find(&look->e->nets, look->keys->net24, look->now);

	if (near == NULL)
		return false;
	float answered = (float)fan_sum(&near->fan, FAN_ANSWERED, look->now);
	float silent = (float)fan_sum(&near->fan, FAN_SILENT, look->now);
	bool used = near->used != 0 && look->now - near->used < FAN_SLOTS * FAN_SLOT_LEN;
	return (used || answered >= 3) && silent <= 1 + 0.4f * answered;
}

/* A circuit whose connects find what they look for does not scan. */
static bool
circuit_is_honest(const struct look *look)
{
	const struct circuit *circuit =
	    table_find(&look->e->circuits, look->keys->circuit, look->now);

	return circuit != NULL && circuit->answered >= 1 && circuit->vain * 4 <= circuit->answered;
}

/* Those who sweep give addresses, and call on each once. Streams by host name are held back only
 * where many of them found nothing either, and later where the circuit comes back to the same
 * address, as browsers do. */
static bool
name_is_spared(const struct look *look)
{
	const struct fan *named = fan_of_net(look->e, look->keys->named16, look->now);
	float silent = (float)fan_sum(named, FAN_SILENT, look->now);
	float answered = (float)fan_sum(named, FAN_ANSWERED, look->now);
	float refused = (float)fan_sum(named, FAN_REFUSED, look->now);
	float least = limits[LIMIT_sweep_named] * (refused >= GOES_ON ? 0.5f : 1.0f);

	least += limits[LIMIT_sweep_share] * answered;
	if (silent < least)
		return true;
	return silent < 2 * least &&
	       pair_count(look->e, look->keys->circuit_host, VISIT_SLOT, look->now) > 0;
}

bool
scan_judge_circuit(const struct look *look, struct judgement *out)
{
	if (look->known || look->stream->by_name || look->keys->circuit == 0)
		return false;
	const struct circuit *circuit =
	    table_find(&look->e->circuits, look->keys->circuit, look->now);
	if (circuit == NULL || circuit->scan_until <= look->now)
		return false;
	out->reason = REPORT_REASON_CIRCUIT_SCAN;
	out->hold = circuit->scan_until - look->now;
	out->what = "silent connects of this circuit";
	out->count = circuit->vain;
	out->limit = limits[LIMIT_circuit_focus];
	return true;
}

/* Who sweeps calls on each address once (three times, if the client tries other circuits). What
 * is asked for again and again may be somebody's server: as long as few such tries are wasted,
 * one goes out to see. */
static bool
is_asked_often(const struct look *look, const struct judgement *why)
{
	const struct host *host = table_find(&look->e->hosts, look->keys->host, look->now);

	return host != NULL && why->count < why->limit + limits[LIMIT_sweep_asked] &&
	       (float)brief_sum(&host->asked, VAIN_SLOT, look->now) >= limits[LIMIT_sweep_asked];
}

static bool
sweep_refuses(const struct look *look, struct judgement *out)
{
	const struct fan *fan = fan_of_net(look->e, look->keys->net16, look->now);
	bool may_be_spared = look->stream->by_name || !has_circuits(look->e);

	if (!rule_refuses(&sweep_rule, look, fan, look->keys->circuit_net16, out))
		return false;
	if (may_be_spared && neighbours_answer(look))
		return false;
	if (look->keys->named16 != 0 && (circuit_is_honest(look) || name_is_spared(look)))
		return false;
	if (is_asked_often(look, out))
		return false;
	out->group = look->keys->net16;
	return true;
}

/* A circuit whose silence is spread over many ports looks for peers, not for a service. */
static bool
circuit_roams(const struct look *look)
{
	const struct circuit *circuit =
	    table_find(&look->e->circuits, look->keys->circuit, look->now);

	return circuit != NULL && circuit->vain >= 3 && circuit->focus * 2 < circuit->vain;
}

/* The web's own ports are too busy to be judged as a whole, and a name is no scan. */
static bool
wide_refuses(const struct look *look, struct judgement *out)
{
	uint16_t port = look->stream->port;

	if (port == 80 || port == 443 || (look->stream->by_name && has_circuits(look->e)))
		return false;
	const struct fan *fan = fan_of_net(look->e, look->keys->port, look->now);
	if (!rule_refuses(&wide_rule, look, fan, look->keys->circuit_port, out) ||
	    circuit_roams(look))
		return false;
	out->group = look->keys->port;
	return true;
}

bool
scan_judge_destination(const struct look *look, struct judgement *out)
{
	const struct host *host = table_find(&look->e->hosts, look->keys->host, look->now);

	if (look->known)
		return false;
	if (host != NULL &&
	    rule_refuses(&ports_rule, look, &host->ports, look->keys->circuit_ports, out)) {
		out->group = look->keys->host;
		return true;
	}
	return sweep_refuses(look, out) || wide_refuses(look, out);
}

static struct fan *
net_get(struct engine *e, uint64_t key, uint32_t bonus, uint32_t now)
{
	struct net *net = table_get(&e->nets, key, now);

	net->head.bonus = bonus;
	return &net->fan;
}

static struct pair *
pair_get(struct engine *e, uint64_t key, uint32_t now)
{
	return table_get(&e->pairs, key, now);
}

/* A vain connect of one circuit on one network and port, on one address, or on one port. */
static unsigned
circuit_note_vain(struct engine *e, uint64_t pair_key, uint32_t now)
{
	struct pair *pair = pair_get(e, pair_key, now);

	brief_add(&pair->recent, VAIN_SLOT, now);
	return brief_sum(&pair->recent, VAIN_SLOT, now);
}

static void
circuit_mark(struct engine *e, uint64_t circuit_key, uint32_t now)
{
	struct circuit *circuit = table_get(&e->circuits, circuit_key, now);

	circuit->scan_until = now + (uint32_t)limits[LIMIT_circuit_hold] * SECOND;
}

/* Who tries in vain is only worth knowing where more than one or two have. */
static void
circuit_note_groups(struct engine *e, const struct look *look, bool refused)
{
	const struct keys *keys = look->keys;
	const struct host *host = table_find(&e->hosts, keys->host, look->now);
	unsigned most = 0, n;

	if (refused || fan_sum(fan_of_net(e, keys->net16, look->now), FAN_SILENT, look->now) >= 4)
		most = circuit_note_vain(e, keys->circuit_net16, look->now);
	if (host != NULL && fan_sum(&host->ports, FAN_SILENT, look->now) >= 3) {
		n = circuit_note_vain(e, keys->circuit_ports, look->now);
		most = n > most ? n : most;
	}
	if (fan_sum(fan_of_net(e, keys->port, look->now), FAN_SILENT, look->now) >= 10)
		circuit_note_vain(e, keys->circuit_port, look->now);
	if ((float)most >= limits[LIMIT_circuit_focus])
		circuit_mark(e, keys->circuit, look->now);
}

static void
circuit_note_silent(struct engine *e, const struct look *look)
{
	struct circuit *circuit = table_get(&e->circuits, look->keys->circuit, look->now);

	circuit->vain += circuit->vain < UINT16_MAX;
	if (circuit->focus == 0)
		circuit->focus_port = look->stream->port;
	if (circuit->focus_port != look->stream->port)
		circuit->focus--;
	else
		circuit->focus += circuit->focus < UINT16_MAX;
	/* A lead of four fifths: nine of ten went to one port. */
	if ((float)circuit->vain >= limits[LIMIT_circuit_wide] &&
	    circuit->vain > 6 * circuit->answered && circuit->focus * 5 >= circuit->vain * 4)
		circuit_mark(e, look->keys->circuit, look->now);
}

static void
service_note_silent(struct engine *e, const struct look *look, struct service *service)
{
	const struct keys *keys = look->keys;
	struct fan *wide = net_get(e, keys->net16, 120 * SECOND, look->now);

	service->silent_since = look->now;
	service->in_port = 0;
	fan_add(wide, FAN_SILENT, look->now);
	if (fan_sum(wide, FAN_SILENT, look->now) <= 2)
		service->in_port = 1 << FAN_SILENT;
	fan_add(net_get(e, keys->net24, 0, look->now), FAN_SILENT, look->now);
	if (keys->named16 != 0)
		fan_add(net_get(e, keys->named16, 120 * SECOND, look->now), FAN_SILENT, look->now);
	if (service->in_port != 0)
		fan_add(net_get(e, keys->port, 300 * SECOND, look->now), FAN_SILENT, look->now);
	struct host *host = table_get(&e->hosts, keys->host, look->now);
	fan_add(&host->ports, FAN_SILENT, look->now);
}

bool
scan_note_out(struct engine *e, const struct look *look)
{
	const struct keys *keys = look->keys;
	struct service *service = table_get(&e->services, keys->service, look->now);

	if (service->answered != 0)
		return false;
	bool fresh = service->silent_since == 0 ||
		     look->now - service->silent_since >= FAN_SLOTS * FAN_SLOT_LEN;
	if (fresh)
		service_note_silent(e, look, service);
	if (!fresh || keys->circuit == 0)
		return fresh;
	circuit_note_silent(e, look);
	circuit_note_groups(e, look, false);
	return true;
}

/* An address that is asked for again says nothing new of the sweep. */
static void
sweep_note_refused(struct engine *e, const struct look *look, uint64_t group)
{
	const struct keys *keys = look->keys;
	struct host *host = table_get(&e->hosts, keys->host, look->now);

	brief_add(&host->asked, VAIN_SLOT, look->now);
	if (brief_sum(&host->asked, VAIN_SLOT, look->now) > 1)
		return;
	fan_add(net_get(e, group, 120 * SECOND, look->now), FAN_REFUSED, look->now);
	fan_add(net_get(e, keys->net24, 0, look->now), FAN_REFUSED, look->now);
	if (keys->named16 != 0)
		fan_add(net_get(e, keys->named16, 120 * SECOND, look->now), FAN_REFUSED, look->now);
}

void
scan_note_refused(struct engine *e, const struct look *look, const struct judgement *why)
{
	const struct keys *keys = look->keys;

	if (why->reason != REPORT_REASON_SWEEP && why->reason != REPORT_REASON_PORT_SCAN &&
	    why->reason != REPORT_REASON_CIRCUIT_SCAN)
		return;
	if (why->group == keys->host) {
		struct host *host = table_get(&e->hosts, keys->host, look->now);
		fan_add(&host->ports, FAN_REFUSED, look->now);
	} else if (why->group != 0) {
		sweep_note_refused(e, look, why->group);
	}
	if (keys->circuit == 0)
		return;
	circuit_note_groups(e, look, true);
	if (keys->named16 != 0)
		brief_add(
		    &pair_get(e, keys->circuit_host, look->now)->recent, VISIT_SLOT, look->now);
}

static void
pair_take_back(struct engine *e, uint64_t key, uint32_t when, uint32_t now)
{
	struct pair *pair = table_find(&e->pairs, key, now);

	if (pair != NULL)
		brief_take_back(&pair->recent, VAIN_SLOT, when, now);
}

static void
net_take_back(struct engine *e, uint64_t key, uint32_t when, uint32_t now)
{
	struct net *net = table_find(&e->nets, key, now);

	if (net != NULL)
		fan_take_back(&net->fan, FAN_SILENT, when, now);
}

/* It was no silence after all: take back what scan_note_out counted. */
static void
silence_take_back(
    struct engine *e, const struct stream *stream, struct service *service, uint32_t now)
{
	const struct keys *keys = &stream->keys;
	uint32_t when = service->silent_since;

	if (when != 0) {
		struct host *host = table_find(&e->hosts, keys->host, now);

		net_take_back(e, keys->net16, when, now);
		net_take_back(e, keys->net24, when, now);
		net_take_back(e, keys->named16, when, now);
		if (service->in_port & 1 << FAN_SILENT)
			net_take_back(e, keys->port, when, now);
		if (host != NULL)
			fan_take_back(&host->ports, FAN_SILENT, when, now);
		service->silent_since = 0;
		service->in_port = 0;
	}
	if (!stream->counted || keys->circuit == 0)
		return;
	struct circuit *circuit = table_find(&e->circuits, keys->circuit, now);
	if (circuit != NULL) {
		circuit->vain -= circuit->vain > 0;
		circuit->focus -= circuit->focus > 0 && circuit->focus_port == stream->port;
	}
	pair_take_back(e, keys->circuit_net16, stream->opened, now);
	pair_take_back(e, keys->circuit_ports, stream->opened, now);
	pair_take_back(e, keys->circuit_port, stream->opened, now);
}

void
scan_note_void(struct engine *e, const struct stream *stream, uint32_t now)
{
	struct service *service = table_find(&e->services, stream->keys.service, now);

	if (service != NULL && stream->counted)
		silence_take_back(e, stream, service, now);
}

static void
service_note_answered(
    struct engine *e, const struct stream *stream, struct service *service, uint32_t now)
{
	const struct keys *keys = &stream->keys;
	struct fan *wide = net_get(e, keys->net16, 120 * SECOND, now);

	service->answered_counted = now;
	fan_add(wide, FAN_ANSWERED, now);
	bool in_port = fan_sum(wide, FAN_ANSWERED, now) <= 2;
	fan_add(net_get(e, keys->net24, 60 * SECOND, now), FAN_ANSWERED, now);
	if (keys->named16 != 0)
		fan_add(net_get(e, keys->named16, 120 * SECOND, now), FAN_ANSWERED, now);
	if (in_port)
		fan_add(net_get(e, keys->port, 300 * SECOND, now), FAN_ANSWERED, now);
	struct host *host = table_get(&e->hosts, keys->host, now);
	fan_add(&host->ports, FAN_ANSWERED, now);
}

/* It has answered before: somebody uses it, which a scan's hits are not. */
static void
service_note_used(struct engine *e, const struct stream *stream, uint32_t now)
{
	struct net *wide = table_find(&e->nets, stream->keys.net16, now);
	struct net *near = table_find(&e->nets, stream->keys.net24, now);
	struct host *host = table_find(&e->hosts, stream->keys.host, now);

	if (wide != NULL)
		wide->used = now;
	if (near != NULL)
		near->used = now;
	if (host != NULL)
		host->used = now;
}

void
scan_note_connected(struct engine *e, const struct stream *stream, uint32_t now)
{
	struct service *service = table_get(&e->services, stream->keys.service, now);

	silence_take_back(e, stream, service, now);
	if (service->answered != 0)
		service_note_used(e, stream, now);
	service->answered = now;
	service->head.bonus = 300 * SECOND;
	if (service->answered_counted == 0 ||
	    now - service->answered_counted >= FAN_SLOTS * FAN_SLOT_LEN)
		service_note_answered(e, stream, service, now);
	if (stream->keys.circuit != 0) {
		struct circuit *circuit = table_get(&e->circuits, stream->keys.circuit, now);
		circuit->answered += circuit->answered < UINT16_MAX;
	}
}
