/* load.c: more than usual. Circuits that open too fast, floods, login guessing. Limits follow
 * what this exit usually carries, and a rate that is being refused teaches little, so that an
 * attack does not raise its own limit. Pure: works on the engine's tables. */
#include "exitguard/engine/state.h"

#include <string.h>

#define USUAL_S  300.0f /* how slowly a usual rate follows */
#define VISITS_S 90.0f  /* how slowly the circuits that visit an address do */
#define DEMAND_S 5.0f
#define LATELY_S 30.0f
#define TOTAL_S  20.0f
#define WARM     (60 * SECOND) /* a fresh engine does not know what is usual */

static bool
has_circuits(const struct engine *e)
{
	return e->config.view == ENGINE_VIEW_RELAY;
}

/* A young engine averages over its whole life, an old one over USUAL_S. */
static float
usual_tau(uint32_t now)
{
	float age_s = (float)(now - START) / 10.0f;

	return age_s < 20.0f ? 20.0f : age_s < USUAL_S ? age_s : USUAL_S;
}

static float
larger(float a, float b)
{
	return a > b ? a : b;
}

bool
load_judge_rate(const struct engine *e, uint64_t key, uint32_t now, struct judgement *out)
{
	const struct circuit *circuit = key != 0 ? table_find(&e->circuits, key, now) : NULL;
	float rate = limits[LIMIT_circuit_rate], burst = limits[LIMIT_circuit_burst];

	if (circuit == NULL || bucket_left(&circuit->bucket, rate, burst, now) >= 1)
		return false;
	out->reason = REPORT_REASON_CIRCUIT_RATE;
	out->what = "streams of this circuit at once";
	out->count = burst;
	out->limit = burst;
	return true;
}

void
load_note_rate(struct engine *e, uint64_t key, uint32_t now)
{
	if (key == 0)
		return;
	struct circuit *circuit = table_get(&e->circuits, key, now);
	bucket_take(&circuit->bucket, limits[LIMIT_circuit_rate], limits[LIMIT_circuit_burst], now);
}

/* Login guessing. */

static bool
is_login_port(uint16_t port)
{
	return port == 21 || port == 22 || port == 23 || port == 3389 || port == 5900;
}

static bool
guesser_knows(const struct guesser *guesser, uint64_t host, bool *full)
{
	*full = true;
	for (int i = 0; i < LOGIN_HOSTS; i++) {
		if (guesser->hosts[i] == host)
			return true;
		if (guesser->hosts[i] == 0)
			*full = false;
	}
	return false;
}

/* Two circuits or more have guessed in this network. */
static bool
is_guessed_at(const struct look *look)
{
	const struct login *login = table_find(&look->e->logins, look->keys->net24, look->now);

	return login != NULL && brief_sum(&login->guessers, GUESS_SLOT, look->now) >= 2;
}

static bool
guesser_refused(const struct look *look, struct judgement *out)
{
	const struct guesser *guesser =
	    table_find(&look->e->guessers, look->keys->circuit_port, look->now);
	bool full;

	if (guesser == NULL)
		return false;
	out->reason = REPORT_REASON_LOGIN;
	if (!guesser_knows(guesser, look->keys->host, &full) && full) {
		out->what = "login addresses of this circuit";
		out->count = out->limit = limits[LIMIT_login_hosts];
		return true;
	}
	out->what = "login streams of this circuit";
	out->count = out->limit = limits[LIMIT_login_burst];
	if (is_guessed_at(look) &&
	    bucket_left(&guesser->strict, limits[LIMIT_login_guessed_rate], 1, look->now) < 1)
		return true;
	if (bucket_left(&guesser->bucket, limits[LIMIT_login_rate], limits[LIMIT_login_burst],
		look->now) < 1)
		return true;
	out->reason = REPORT_REASON_NONE;
	return false;
}

static float
login_rate(const struct login *login, uint32_t now)
{
	float rate = larger(limits[LIMIT_login_no_circuits_rate],
	    limits[LIMIT_login_no_circuits_share] * slow_rate(&login->usual, usual_tau(now), now));

	return now - START < WARM ? larger(rate, 2.0f) : rate;
}

static bool
login_refused(const struct look *look, struct judgement *out)
{
	const struct login *login = table_find(&look->e->logins, look->keys->net24, look->now);

	if (login == NULL)
		return false;
	float rate = login_rate(login, look->now);
	if (bucket_left(&login->bucket, rate, limits[LIMIT_login_no_circuits_burst], look->now) >=
	    1)
		return false;
	out->reason = REPORT_REASON_LOGIN;
	out->group = look->keys->net24;
	out->what = "login streams a second to this network";
	out->count = slow_rate(&login->demand, DEMAND_S, look->now);
	out->limit = rate;
	out->doubtful = out->count < 3 * rate;
	return true;
}

bool
load_judge_login(const struct look *look, struct judgement *out)
{
	if (!is_login_port(look->stream->port))
		return false;
	return has_circuits(look->e) ? guesser_refused(look, out) : login_refused(look, out);
}

/* How much a stream teaches about what is usual: little while it is being refused, or when it
 * comes out of nowhere. */
static float
lesson(uint32_t refused_at, float demand, float most, uint32_t now)
{
	bool refused = refused_at != 0 && now - refused_at <= 60 * SECOND;

	return refused || (demand > most && now - START >= WARM) ? 0.1f : 1.0f;
}

static void
login_note_out(struct engine *e, const struct look *look)
{
	if (!has_circuits(e)) {
		struct login *login = table_get(&e->logins, look->keys->net24, look->now);
		float rate = login_rate(login, look->now);

		bucket_take(&login->bucket, rate, limits[LIMIT_login_no_circuits_burst], look->now);
		slow_add(&login->demand, 1, DEMAND_S, look->now);
		slow_add(&login->lately, 1, LATELY_S, look->now);
		slow_add(&login->usual,
		    lesson(login->refused_at, login->lately.rate, 0.2f + 2 * rate, look->now),
		    usual_tau(look->now), look->now);
		return;
	}
	if (look->keys->circuit == 0)
		return;
	bool full, guessed = is_guessed_at(look);
	struct guesser *guesser = table_get(&e->guessers, look->keys->circuit_port, look->now);
	if (!guesser_knows(guesser, look->keys->host, &full) && !full) {
		int i = 0;
		while (guesser->hosts[i] != 0)
			i++;
		guesser->hosts[i] = look->keys->host;
	}
	bucket_take(
	    &guesser->bucket, limits[LIMIT_login_rate], limits[LIMIT_login_burst], look->now);
	if (guessed)
		bucket_take(&guesser->strict, limits[LIMIT_login_guessed_rate], 1, look->now);
}

static void
login_note_refused(struct engine *e, const struct look *look)
{
	struct login *login = table_get(&e->logins, look->keys->net24, look->now);

	login->head.bonus = 120 * SECOND;
	login->refused_at = look->now;
	slow_add(&login->demand, 1, DEMAND_S, look->now);
	if (has_circuits(e))
		brief_add(&login->guessers, GUESS_SLOT, look->now);
}

/* Floods. */

static float
flood_rate(const struct engine *e, const struct host *host, uint32_t now)
{
	if (has_circuits(e))
		return limits[LIMIT_flood_rate] +
		       limits[LIMIT_flood_share] * slow_rate(&host->usual, VISITS_S, now);
	float rate = larger(limits[LIMIT_flood_no_circuits_rate],
	    limits[LIMIT_flood_no_circuits_share] * slow_rate(&host->usual, usual_tau(now), now));
	if (now - START < WARM)
		rate = larger(rate, 0.15f * slow_rate(&e->total, TOTAL_S, now));
	return rate;
}

static float
flood_burst(const struct engine *e)
{
	return limits[has_circuits(e) ? LIMIT_flood_burst : LIMIT_flood_no_circuits_burst];
}

static bool
flood_has_many_circuits(const struct look *look, const struct host *host, float times)
{
	return (float)brief_sum(&host->loud, LOUD_SLOT, look->now) >=
	       times * limits[LIMIT_flood_loud];
}

/* Only circuits that make the load are refused, and one alone may load a good deal: somebody
 * uploads some hundred pictures. */
static bool
flood_is_circuits_fault(const struct look *look, const struct host *host)
{
	const struct pair *pair = table_find(&look->e->pairs, look->keys->circuit_host, look->now);
	float visits = pair != NULL ? (float)brief_sum(&pair->recent, VISIT_SLOT, look->now) : 0;

	if (flood_has_many_circuits(look, host, 1))
		return visits >= limits[LIMIT_flood_fair];
	return visits >= limits[LIMIT_flood_alone];
}

bool
load_judge_flood(const struct look *look, struct judgement *out)
{
	const struct host *host = table_find(&look->e->hosts, look->keys->host, look->now);

	if (host == NULL)
		return false;
	float rate = flood_rate(look->e, host, look->now);
	if (has_circuits(look->e)) {
		if (host->over_until <= look->now || !flood_is_circuits_fault(look, host))
			return false;
	} else if (bucket_left(&host->bucket, rate, flood_burst(look->e), look->now) >= 1) {
		return false;
	}
	out->reason = REPORT_REASON_FLOOD;
	out->group = look->keys->host;
	out->what = "streams a second to this address";
	out->count = slow_rate(&host->demand, DEMAND_S, look->now);
	out->limit = rate;
	out->doubtful = has_circuits(look->e) ? !flood_has_many_circuits(look, host, 2)
					      : out->count < 1.5f * rate;
	return true;
}

static void
flood_note_demand(struct engine *e, struct host *host, uint32_t now)
{
	float rate = flood_rate(e, host, now), burst = flood_burst(e);

	slow_add(&host->demand, 1, DEMAND_S, now);
	if (bucket_left(&host->bucket, rate, burst, now) < 1)
		host->over_until = now + (uint32_t)limits[LIMIT_flood_hold] * SECOND;
	else
		bucket_take(&host->bucket, rate, burst, now);
}

static void
flood_note_out(struct engine *e, const struct look *look)
{
	struct host *host = table_get(&e->hosts, look->keys->host, look->now);
	float rate = flood_rate(e, host, look->now);

	host->head.bonus = host->usual.rate > 0.5f ? 300 * SECOND : 0;
	flood_note_demand(e, host, look->now);
	if (!has_circuits(e)) {
		slow_add(&host->usual,
		    lesson(host->refused_at, host->demand.rate, 1 + 2 * rate, look->now),
		    usual_tau(look->now), look->now);
		return;
	}
	if (look->keys->circuit == 0)
		return;
	struct pair *pair = table_get(&e->pairs, look->keys->circuit_host, look->now);
	unsigned visits = brief_sum(&pair->recent, VISIT_SLOT, look->now);
	/* A circuit counts once a minute, so that loud ones raise no limit. */
	if (visits == 0)
		slow_add(&host->usual, 1, VISITS_S, look->now);
	if (visits + 1 == (unsigned)limits[LIMIT_flood_fair])
		brief_add(&host->loud, LOUD_SLOT, look->now);
	brief_add(&pair->recent, VISIT_SLOT, look->now);
}

void
load_note_out(struct engine *e, const struct look *look)
{
	slow_add(&e->total, 1, TOTAL_S, look->now);
	if (is_login_port(look->stream->port))
		login_note_out(e, look);
	flood_note_out(e, look);
}

void
load_note_refused(struct engine *e, const struct look *look, const struct judgement *why)
{
	if (why->reason == REPORT_REASON_LOGIN) {
		login_note_refused(e, look);
	} else if (why->reason == REPORT_REASON_FLOOD) {
		struct host *host = table_get(&e->hosts, look->keys->host, look->now);
		host->refused_at = look->now;
		flood_note_demand(e, host, look->now);
	}
}
