/* when.h: times as complaints write them, to UTC, with the ground each one stands on. Pure. */
#ifndef ABUSE_WHEN_WHEN_H
#define ABUSE_WHEN_WHEN_H

#include "abuse/when/zone.h"

/* From weakest to strongest. */
enum when_basis {
	WHEN_NONE,
	WHEN_ASSUMED_UTC, /* nothing told the zone */
	WHEN_DATE_HEADER, /* the zone of the mail's Date header */
	WHEN_STATED,      /* told in a sentence or note */
	WHEN_EXPLICIT,    /* with the time itself or in the head of its column */
	WHEN_BASIS_COUNT
};

/* "none", "assumed-utc", "date-header", "stated", "explicit". */
const char *when_basis_str(enum when_basis basis);
/* How far the true moment may lie from the computed one, either way. */
int64_t when_slack_s(enum when_basis basis);

/* A time stamp as it is written; not yet a moment. */
struct when_stamp {
	size_t at, len; /* where it stands in the text */
	int year;       /* 0: not told */
	unsigned month, day, hour, minute, second;
	bool swappable;   /* day and month could be meant the other way round */
	struct zone zone; /* known if it stands with the time */
};

struct when {
	int64_t utc;
	enum when_basis basis;
	struct zone zone; /* the one that was used */
};

/* What the mail tells about its times. */
struct when_context {
	bool has_date, date_offset_known;
	int64_t date_utc;
	int32_t date_offset_s;
	struct zone table, stated; /* known or not */
};

/* A time stamp (day and time) that starts exactly at `at`. */
bool when_scan(struct span text, size_t at, struct when_stamp *out);
/* The first one at or behind `from`. */
bool when_search(struct span text, size_t from, struct when_stamp *out);
/* RC_RANGE: no such time, or one that lies over a day behind the mail's Date. */
enum rc when_resolve(
    const struct when_stamp *stamp, const struct when_context *ctx, struct when *out);

/* "2025-01-01T00:00:00Z" to seconds: exactly this form, for our own files. */
enum rc when_parse_iso_z(struct span text, int64_t *out);

#define WHEN_STR_LEN 32
const char *when_iso_str(int64_t utc, char buf[WHEN_STR_LEN]); /* 2025-01-01T00:00:00Z */
/* 2025-01-01 00:00:00, as a clock in that zone shows it. */
const char *when_wall_str(int64_t utc, const struct zone *z, char buf[WHEN_STR_LEN]);

#endif
