/* window.h: small pieces of memory about time: sliding sums, token buckets, slow rates. All
 * times are deciseconds since the engine's start. Pure. */
#ifndef EXITGUARD_ENGINE_WINDOW_H
#define EXITGUARD_ENGINE_WINDOW_H

#include <stdint.h>

/* How many things of three kinds happened in the last FAN_SLOTS slots: 300 to 330 seconds. */
#define FAN_SLOTS    11
#define FAN_SLOT_LEN 300

enum fan_kind { FAN_SILENT, FAN_ANSWERED, FAN_REFUSED, FAN_KINDS };

struct fan {
	uint32_t slot; /* the newest one */
	uint16_t n[FAN_KINDS][FAN_SLOTS];
};

void fan_add(struct fan *fan, enum fan_kind kind, uint32_t now);
/* Take back what was added at time when, if it is still in the window. */
void fan_take_back(struct fan *fan, enum fan_kind kind, uint32_t when, uint32_t now);
unsigned fan_sum(const struct fan *fan, enum fan_kind kind, uint32_t now); /* fan may be NULL */

/* One count over BRIEF_SLOTS slots of a length that the caller names. */
#define BRIEF_SLOTS 6

struct brief {
	uint32_t slot;
	uint16_t n[BRIEF_SLOTS];
};

void brief_add(struct brief *brief, uint32_t slot_len, uint32_t now);
void brief_take_back(struct brief *brief, uint32_t slot_len, uint32_t when, uint32_t now);
unsigned brief_sum(const struct brief *brief, uint32_t slot_len, uint32_t now);

/* A token bucket whose rate may differ from call to call. A zeroed one is full. */
struct bucket {
	float used; /* tokens taken and not yet grown back */
	uint32_t at;
};

float bucket_left(const struct bucket *bucket, float rate, float burst, uint32_t now);
void bucket_take(struct bucket *bucket, float rate, float burst, uint32_t now);

/* A rate in events a second, smoothed over tau_s seconds. */
struct slow {
	float rate;
	uint32_t at;
};

float slow_rate(const struct slow *slow, float tau_s, uint32_t now);
void slow_add(struct slow *slow, float weight, float tau_s, uint32_t now);

#endif
