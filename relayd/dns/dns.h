/* dns.h: names to addresses and back, through libunbound: its own thread asks the resolvers of
 * resolv.conf, with one cache for the whole relay. Everything here is called in the main thread;
 * answers come from its event loop. */
#ifndef RELAYD_DNS_DNS_H
#define RELAYD_DNS_DNS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

#define DNS_NAME_MAX    253
#define DNS_PENDING_MAX 20000
#ifndef DNS_DEADLINE_MS
#define DNS_DEADLINE_MS 60000 /* libunbound's own retries come first */
#endif

enum dns_kind {
	DNS_ADDRESSES, /* A, and AAAA if wanted */
	DNS_PTR,       /* the name is under in-addr.arpa or ip6.arpa */
};

enum dns_status {
	DNS_OK,
	DNS_NXDOMAIN, /* permanent: there is no such name, or nothing of this kind under it */
	DNS_FAILED,   /* transient: the resolvers failed */
};

struct dns_answer {
	enum dns_status status;
	struct addr v4, v6; /* ADDR_NONE if there is none */
	uint32_t ttl;       /* of the shortest-lived part, seconds */
	char name[256];     /* DNS_PTR; else "" */
};

struct dns;
typedef void dns_done_fn(void *arg, const struct dns_answer *answer);

/* resolv_conf NULL: /etc/resolv.conf. Its nameserver lines are used, port 53 or address@port. why
 * gets a sentence on failure. */
enum rc dns_new(
    struct event_base *base, const char *resolv_conf, struct dns **out, char *why, size_t why_len);
void dns_free(struct dns **dns); /* answers what is pending with DNS_FAILED */
/* Read resolv.conf again; if it changed, what is pending is answered with DNS_FAILED. */
void dns_reload(struct dns *dns);

/* done is called once, from the event loop, never from in here. Names that cannot exist (wrong
 * characters or lengths, .onion, .exit) are answered DNS_NXDOMAIN without asking anybody.
 * RC_LIMIT: too many are pending. RC_SYSTEM: the resolver does not take it. */
enum rc dns_lookup(struct dns *dns, enum dns_kind kind, const char *name, bool want_v6,
    dns_done_fn *done, void *arg);

/* Pure. */
bool dns_name_is_askable(const char *name);
/* "4.3.2.1.in-addr.arpa", or the 32 nibbles of ip6.arpa. RC_NOT_FOUND: not such a name. RC_SYNTAX:
 * under such a suffix but malformed. */
enum rc dns_parse_ptr_name(const char *name, struct addr *out);
/* What clients are told: 5 minutes or an hour, give or take 4 minutes by chance (tor-spec 6.4). */
uint32_t dns_clip_ttl(uint32_t ttl, uint32_t random);
/* A name in wire form to text; RC_SYNTAX if it is compressed, overlong or has odd characters. */
enum rc dns_wire_name(struct span wire, char out[256]);

#endif
