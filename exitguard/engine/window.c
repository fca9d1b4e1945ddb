/* window.c: see window.h. Rings of counters that saturate; a slot that falls out of the window
 * is dropped as a whole. */
#include "exitguard/engine/window.h"

#include <string.h>

static void
count_up(uint16_t *n)
{
	if (*n < UINT16_MAX)
		(*n)++;
}

static void
count_down(uint16_t *n)
{
	if (*n > 0 && *n < UINT16_MAX)
		(*n)--;
}

static void
fan_roll(struct fan *fan, uint32_t slot)
{
	if (slot - fan->slot >= FAN_SLOTS) {
		memset(fan->n, 0, sizeof(fan->n));
		fan->slot = slot;
	}
	while (fan->slot != slot) {
		fan->slot++;
		for (int kind = 0; kind < FAN_KINDS; kind++)
			fan->n[kind][fan->slot % FAN_SLOTS] = 0;
	}
}

void
fan_add(struct fan *fan, enum fan_kind kind, uint32_t now)
{
	fan_roll(fan, now / FAN_SLOT_LEN);
	count_up(&fan->n[kind][fan->slot % FAN_SLOTS]);
}

void
fan_take_back(struct fan *fan, enum fan_kind kind, uint32_t when, uint32_t now)
{
	fan_roll(fan, now / FAN_SLOT_LEN);
	if (fan->slot - when / FAN_SLOT_LEN < FAN_SLOTS)
		count_down(&fan->n[kind][when / FAN_SLOT_LEN % FAN_SLOTS]);
}

unsigned
fan_sum(const struct fan *fan, enum fan_kind kind, uint32_t now)
{
	uint32_t slot = now / FAN_SLOT_LEN;
	unsigned sum = 0;

	if (fan == NULL)
		return 0;
	for (uint32_t back = slot - fan->slot; back < FAN_SLOTS; back++)
		sum += fan->n[kind][(slot - back) % FAN_SLOTS];
	return sum;
}

static void
brief_roll(struct brief *brief, uint32_t slot)
{
	if (slot - brief->slot >= BRIEF_SLOTS) {
		memset(brief->n, 0, sizeof(brief->n));
		brief->slot = slot;
	}
	while (brief->slot != slot)
		brief->n[++brief->slot % BRIEF_SLOTS] = 0;
}

void
brief_add(struct brief *brief, uint32_t slot_len, uint32_t now)
{
	brief_roll(brief, now / slot_len);
	count_up(&brief->n[brief->slot % BRIEF_SLOTS]);
}

void
brief_take_back(struct brief *brief, uint32_t slot_len, uint32_t when, uint32_t now)
{
	brief_roll(brief, now / slot_len);
	if (brief->slot - when / slot_len < BRIEF_SLOTS)
		count_down(&brief->n[when / slot_len % BRIEF_SLOTS]);
}

unsigned
brief_sum(const struct brief *brief, uint32_t slot_len, uint32_t now)
{
	uint32_t slot = now / slot_len;
	unsigned sum = 0;

	for (uint32_t back = slot - brief->slot; back < BRIEF_SLOTS; back++)
		sum += brief->n[(slot - back) % BRIEF_SLOTS];
	return sum;
}

static float
bucket_used(const struct bucket *bucket, float rate, uint32_t now)
{
	float used = bucket->used - rate * (float)(now - bucket->at) / 10.0f;

	return used > 0 ? used : 0;
}

float
bucket_left(const struct bucket *bucket, float rate, float burst, uint32_t now)
{
	return burst - bucket_used(bucket, rate, now);
}

void
bucket_take(struct bucket *bucket, float rate, float burst, uint32_t now)
{
	float used = bucket_used(bucket, rate, now) + 1;

	bucket->used = used < burst ? used : burst;
	bucket->at = now;
}

float
slow_rate(const struct slow *slow, float tau_s, uint32_t now)
{
	float gone_s = (float)(now - slow->at) / 10.0f;

	return slow->rate * tau_s / (tau_s + gone_s);
}

void
slow_add(struct slow *slow, float weight, float tau_s, uint32_t now)
{
	slow->rate = slow_rate(slow, tau_s, now) + weight / tau_s;
	slow->at = now;
}
