/* fake_authority.h: three directory authorities inside a test: keys, certificates, signed
 * consensuses, and HTTP answers on loopback that a test can spoil. For tests only. */
#ifndef RELAYD_DIR_FAKE_AUTHORITY_H
#define RELAYD_DIR_FAKE_AUTHORITY_H

#include <event2/event.h>
#include <event2/listener.h>
#include <time.h>

#include "relayd/dir/dir.h"

#define FAKES            3
#define FAKE_RELAYS      3
#define FAKE_CONNECTIONS 64

enum fake_mood {
	FAKE_GOOD,
	FAKE_GARBAGE, /* answers with bytes that are not HTTP */
	FAKE_CUT,     /* closes in the middle of the answer */
	FAKE_ENDLESS, /* never stops sending */
	FAKE_EMPTY,   /* 404 to everything */
};

enum fake_post { FAKE_KEEPS, FAKE_REFUSES, FAKE_DROPS };

struct fake {
	struct fake_world *world;
	unsigned index;
	EVP_PKEY *identity, *signing;
	struct evconnlistener *listener;
	enum fake_mood mood;
	enum fake_post post;
	char kept[20001]; /* the last descriptor that it kept */
	unsigned gets, posts;
	struct bufferevent *open[FAKE_CONNECTIONS];
};

struct fake_world {
	struct event_base *base;
	struct fake fakes[FAKES];
	struct dir_authority authorities[FAKES];
	char *certs, *micros, *consensus; /* served to all */
	uint8_t ed_ids[FAKE_RELAYS][32];
};

void fake_world_init(struct fake_world *world, struct event_base *base, time_t now);
void fake_world_clear(struct fake_world *world);
/* Serve a consensus of this time, signed by the first so many authorities. */
void fake_world_vote(struct fake_world *world, time_t valid_after, unsigned signers);

#endif
