/* complaint.h: what a mail complains about, as far as it tells it. All text lives in the
 * arena. Nothing in here is known from elsewhere than the mail. */
#ifndef ABUSE_REPORT_COMPLAINT_H
#define ABUSE_REPORT_COMPLAINT_H

#include "abuse/mail/mail.h"
#include "abuse/when/when.h"
#include "common/addr.h"

enum handling {
	HANDLING_PROCESS,
	HANDLING_REVIEW,   /* queue for a person */
	HANDLING_ESCALATE, /* authority or gravest matter: a person, never automatic */
	HANDLING_IGNORE,   /* loop, bounce, spam */
	HANDLING_NOT_OURS,
	HANDLING_COUNT
};

#define CATEGORIES                               \
	X(CATEGORY_UNKNOWN, "unknown")           \
	X(CATEGORY_SSH, "ssh-bruteforce")        \
	X(CATEGORY_LOGIN, "login-bruteforce")    \
	X(CATEGORY_WEB_LOGIN, "web-bruteforce")  \
	X(CATEGORY_WEB_ATTACK, "web-attack")     \
	X(CATEGORY_PORT_SCAN, "port-scan")       \
	X(CATEGORY_DOS, "dos")                   \
	X(CATEGORY_SPAM, "spam")                 \
	X(CATEGORY_COMMENT_SPAM, "comment-spam") \
	X(CATEGORY_COPYRIGHT, "copyright")       \
	X(CATEGORY_MALWARE, "malware-sinkhole")  \
	X(CATEGORY_OPEN_SERVICE, "open-service") \
	X(CATEGORY_FRAUD, "fraud")               \
	X(CATEGORY_HARASSMENT, "harassment")     \
	X(CATEGORY_CSAM, "csam")                 \
	X(CATEGORY_LAW, "law-enforcement")       \
	X(CATEGORY_BLOCK, "block-request")       \
	X(CATEGORY_FOLLOW_UP, "follow-up")       \
	X(CATEGORY_AUTO_REPLY, "auto-reply")     \
	X(CATEGORY_BOUNCE, "bounce")             \
	X(CATEGORY_NONE, "not-a-complaint")      \
	X(CATEGORY_MIXED, "mixed")

enum category {
#define X(code, name) code,
	CATEGORIES
#undef X
	    CATEGORY_COUNT
};

enum reply_kind { REPLY_EXPECTED, REPLY_OPTIONAL, REPLY_USELESS, REPLY_NEVER_AUTO, REPLY_COUNT };

enum proto { PROTO_NOT_TOLD, PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_COUNT };

enum language { LANGUAGE_EN, LANGUAGE_DE, LANGUAGE_FR, LANGUAGE_NL, LANGUAGE_ES, LANGUAGE_COUNT };

#define INCIDENTS_MAX 2000u
#define NAMES_MAX     64u

struct incident {
	struct addr src;
	uint16_t src_port; /* 0: not told, or several */
	struct prefix dst; /* family 0: not told */
	uint16_t dport;    /* 0: not told */
	enum proto proto;
	bool has_time;
	int64_t first_utc, last_utc;
	enum when_basis basis;
	struct zone zone; /* of the times as the mail writes them */
	unsigned long count;
	const char *service; /* "" if not told */
};

struct names {
	const char *name[NAMES_MAX];
	size_t count;
};

struct party {
	const char *address, *name; /* "" if not told */
};

struct complaint {
	struct arena *arena;
	enum handling handling;
	enum category category;
	const char *format;
	enum language language;
	struct names languages;
	struct party reporter, via;
	const char *via_kind; /* "" or isp, list-rewrite, reporting-service */
	const char *reply_to; /* "" if there is none */
	enum reply_kind reply;
	const char *reply_form, *ticket, *subject_token; /* "" if there is none */
	struct names other_ids;
	bool has_deadline;
	int64_t deadline_utc;
	struct incident *incidents; /* INCIDENTS_MAX of room */
	size_t incident_count;
	struct names victim_hosts;
	unsigned long events; /* as counted or told; 0: not told */
	struct names flags;
	bool from_hoster; /* the notice is the hoster's own */
	/* For the thread of the answer. */
	const char *subject, *message_id, *references;
};

const char *handling_str(enum handling handling);
const char *category_str(enum category category);
const char *reply_kind_str(enum reply_kind reply);
const char *proto_str(enum proto proto); /* NULL if not told */
const char *language_str(enum language language);

void complaint_init(struct complaint *c, struct arena *a);
/* Each name once, in the order of their coming; beyond NAMES_MAX they are dropped. */
void names_add(struct names *names, const char *name);
bool names_have(const struct names *names, const char *name);
void complaint_flag(struct complaint *c, const char *flag);
/* Fold one sighting into the incident with the same source, target, port and protocol; beyond
 * INCIDENTS_MAX the flag incidents-cut is set. */
void complaint_add(struct complaint *c, const struct incident *sighting);

#endif
