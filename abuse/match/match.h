/* match.h: each claim of a complaint against the facts. Pure. */
#ifndef ABUSE_MATCH_MATCH_H
#define ABUSE_MATCH_MATCH_H

#include "abuse/match/facts.h"
#include "abuse/report/recognise.h"

enum policy_answer {
	POLICY_UNKNOWN, /* the facts or the mail do not tell */
	POLICY_ACCEPT,
	POLICY_REJECT,
	POLICY_NOT_EXIT,
	POLICY_NOT_TCP,
	POLICY_COUNT
};

enum verdict { VERDICT_CANNOT_BE_EXCLUDED, VERDICT_UNLIKELY, VERDICT_EXCLUDED, VERDICT_COUNT };

struct match {
	const struct facts_relay *relay; /* NULL: not ours */
	enum policy_answer policy;       /* at the first moment, as the mail tells it */
	enum verdict verdict;            /* over the whole span, widened by the doubt of it */
	/* What the guard's ledger proves for the span and the target's network. */
	bool ledger_covers;               /* counting ran through all of it */
	bool refused;                     /* limits in force refused something toward it, */
	struct prefix refused_net;        /* this network, */
	int64_t refused_from, refused_to; /* within this span, which touches the claim's */
};

const char *policy_str(enum policy_answer policy);
const char *verdict_str(enum verdict verdict);

struct match match_incident(const struct facts *facts, const struct incident *incident);
/* Policy for the target at one moment. */
enum policy_answer match_policy_at(
    const struct facts_relay *relay, const struct incident *incident, int64_t utc);
/* The environment recognisers get: the facts stay borrowed. */
struct report_env match_env(const struct facts *facts);

#endif
