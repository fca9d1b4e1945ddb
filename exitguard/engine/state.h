/* state.h: the engine's tables and what its parts promise each other. Private to this room.
 * Times are deciseconds; the engine's first moment is START, so that 0 means never. */
#ifndef EXITGUARD_ENGINE_STATE_H
#define EXITGUARD_ENGINE_STATE_H

#include "exitguard/engine/engine.h"
#include "exitguard/engine/keys.h"
#include "exitguard/engine/table.h"
#include "exitguard/engine/window.h"

enum limit_id {
#define LIMIT(name, value, unit) LIMIT_##name,
#include "exitguard/engine/limits.def"
#undef LIMIT
	LIMIT_COUNT
};

extern const float limits[LIMIT_COUNT];

#define START      100000u
#define SECOND     10u
#define FORGET     (450 * SECOND) /* after the last touch; wiped within half a minute more */
#define VAIN_SLOT  (60 * SECOND)  /* briefs of silence: six minutes */
#define VISIT_SLOT (15 * SECOND)  /* of visits: a minute and a half */
#define LOUD_SLOT  (15 * SECOND)  /* of loud circuits: a minute and a half */
#define GUESS_SLOT (75 * SECOND)  /* of guessing circuits: seven and a half minutes */

/* An address and port. */
struct service {
	struct table_head head;
	uint32_t silent_since;     /* counted as silent then; 0: not counted */
	uint32_t answered;         /* last connect that succeeded; 0: none */
	uint32_t answered_counted; /* last time that it was counted as answered */
	uint8_t in_port;           /* bits of enum fan_kind: also counted for its port */
};

/* An address. */
struct host {
	struct table_head head;
	struct fan ports; /* its ports: silent, answered */
	struct bucket bucket;
	struct slow usual;   /* circuits (or, without them, streams) a second */
	struct slow demand;  /* streams a second, refused ones too */
	struct brief loud;   /* circuits that passed the fair share */
	uint32_t over_until; /* above its share until then */
	uint32_t refused_at;
	struct brief asked; /* streams refused because its network is swept */
	uint32_t used;      /* last time that a service of it answered again */
};

/* A network and port, or a port: their addresses. */
struct net {
	struct table_head head;
	struct fan fan;
	uint32_t used; /* as above; 0: never */
};

struct circuit {
	struct table_head head;
	struct bucket bucket;
	uint32_t scan_until; /* known to scan until then */
	uint16_t vain, answered;
	uint16_t focus_port, focus; /* the port of most vain connects, and its lead */
};

/* A circuit and an address, or a circuit and a network and port. */
struct pair {
	struct table_head head;
	struct brief recent;
};

#define LOGIN_HOSTS 4

/* A circuit on a login port. */
struct guesser {
	struct table_head head;
	uint64_t hosts[LOGIN_HOSTS];
	struct bucket bucket, strict;
};

/* A network on a login port. */
struct login {
	struct table_head head;
	struct bucket bucket;
	struct slow usual, demand, lately;
	struct brief guessers;
	uint32_t refused_at;
};

/* A stream whose end is not known. */
struct stream {
	struct table_head head;
	struct keys keys;
	uint64_t circuit; /* of one that waits for its address */
	uint32_t opened;
	uint16_t port;
	bool by_name, waits, counted;
};

/* An element that the kernel holds for us. */
struct element {
	struct table_head head;
	struct prefix prefix;
	uint16_t port;
	uint8_t reason;
	bool doubtful;
	uint32_t since, until;
};

#define CHANGES_MAX 4096

struct changes {
	struct table elements;
	struct engine_change queue[CHANGES_MAX];
	size_t first, count;
};

#define CEILING_SLOTS    20
#define CEILING_SLOT_LEN (30 * SECOND)

struct ceiling {
	uint32_t slot;
	uint64_t streams[CEILING_SLOTS], doubtful[CEILING_SLOTS];
	bool hit;
};

struct engine {
	struct engine_config config;
	uint64_t start_ms;
	uint32_t now;
	bool started;
	struct engine_counters counters;
	struct table services, hosts, nets, circuits, pairs, guessers, logins, streams;
	struct slow total;
	struct changes changes;
	struct ceiling ceiling;
};

/* What is known of one stream when it is judged. Found entries are borrowed, NULL if there are
 * none; nothing may be added to a table while they are used. */
struct look {
	const struct engine *e;
	const struct engine_stream *stream;
	const struct keys *keys;
	uint32_t now;
	bool known; /* its service has answered not long ago */
};

struct judgement {
	uint8_t reason;  /* enum report_reason; NONE: let it out */
	bool doubtful;   /* no clear attack: counts for rule 10 */
	bool by_element; /* the kernel holds an element that covers it */
	uint64_t group;  /* the net (table nets) or host whose count decided; 0: none */
	uint32_t hold;
	const char *what; /* what was counted, for people */
	float count, limit;
};

/* scan.c: each returns true and fills out if it refuses. */
bool scan_judge_circuit(const struct look *look, struct judgement *out);
bool scan_judge_destination(const struct look *look, struct judgement *out);
/* A stream goes out; true if it was counted as silent until it answers. */
bool scan_note_out(struct engine *e, const struct look *look);
void scan_note_refused(struct engine *e, const struct look *look, const struct judgement *why);
void scan_note_connected(struct engine *e, const struct stream *stream, uint32_t now);
/* It failed for a reason of our own: it says nothing about the destination. */
void scan_note_void(struct engine *e, const struct stream *stream, uint32_t now);
bool service_is_known(const struct engine *e, uint64_t service, uint32_t now);

/* load.c */
bool load_judge_rate(const struct engine *e, uint64_t circuit, uint32_t now, struct judgement *out);
bool load_judge_login(const struct look *look, struct judgement *out);
bool load_judge_flood(const struct look *look, struct judgement *out);
void load_note_rate(struct engine *e, uint64_t circuit, uint32_t now);
void load_note_out(struct engine *e, const struct look *look);
void load_note_refused(struct engine *e, const struct look *look, const struct judgement *why);

/* changes.c: only used in ENGINE_VIEW_NFT. */
bool changes_judge(const struct look *look, struct judgement *out);
void changes_note_refused(struct engine *e, const struct look *look, const struct judgement *why);
void changes_lift_all(struct engine *e, uint32_t now);

/* ceiling.c */
void ceiling_note(struct ceiling *ceiling, bool doubtful, uint32_t now);
/* Move on to now; true if the ceiling was reached just now. */
bool ceiling_check(struct ceiling *ceiling, uint32_t now);

#endif
