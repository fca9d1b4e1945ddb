/* facts.h: what the operator's side knows: relays, their policies through time, the guard's
 * ledger. Read once from JSON, strictly: a misspelt or wrong member is an error with its place. */
#ifndef ABUSE_MATCH_FACTS_H
#define ABUSE_MATCH_FACTS_H

#include <stdbool.h>

#include "abuse/when/zone.h"
#include "common/addr.h"

struct facts_policy {
	int64_t from_utc;
	bool all_but_25; /* else the ports listed */
	uint16_t *ports;
	size_t port_count;
	struct prefix *reject_nets;
	size_t reject_net_count;
};

struct facts_relay {
	char *nickname, *fingerprint, *hoster;
	struct addr *or_addresses, *exit_addresses;
	size_t or_count, exit_count;
	struct facts_policy *policies; /* in the order of time */
	size_t policy_count;
};

enum facts_refused { FACTS_REFUSED_UNKNOWN, FACTS_REFUSED_NO, FACTS_REFUSED_YES };

/* One span of the guard's ledger toward one network. */
struct facts_ledger {
	int64_t from_utc, to_utc;
	bool covered; /* counting ran through the whole span */
	struct prefix prefix;
	enum facts_refused refused;
	bool enforce; /* limits were in force, not only observed */
};

struct facts {
	char *operator_name;
	char **mailboxes;
	size_t mailbox_count;
	char *timezone_name;
	struct zone timezone;
	struct facts_relay *relays;
	size_t relay_count;
	struct prefix *mail_hops;
	size_t mail_hop_count;
	struct facts_ledger *ledger;
	size_t ledger_count;
};

#define FACTS_ERROR_LEN 320

/* RC_SYSTEM (errno set), RC_SYNTAX, RC_RANGE, RC_LIMIT; error then says where and what. */
enum rc facts_load(const char *path, struct facts *out, char error[FACTS_ERROR_LEN]);
/* The same from text; for tests. */
enum rc facts_parse(struct span json, struct facts *out, char error[FACTS_ERROR_LEN]);
/* Add the spans of a file as `exitguardctl ledger --json` writes it; the answers of several calls
 * may follow one another. */
enum rc facts_load_ledger(const char *path, struct facts *facts, char error[FACTS_ERROR_LEN]);
enum rc facts_parse_ledger(struct span json, struct facts *facts, char error[FACTS_ERROR_LEN]);
void facts_clear(struct facts *facts);

/* The relay that has that address for ORs or exits; NULL if none. *is_exit: exit traffic leaves
 * from it. */
const struct facts_relay *facts_relay_of(
    const struct facts *facts, const struct addr *addr, bool *is_exit);
bool facts_is_mail_hop(const struct facts *facts, const struct addr *addr);
bool facts_is_mailbox(const struct facts *facts, const char *address);
bool facts_is_hoster_domain(const struct facts *facts, const char *domain);

#endif
