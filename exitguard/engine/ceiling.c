/* ceiling.c: rule 10. Counts all streams and the doubtful refusals of ten minutes; past a share
 * the engine refuses nothing until the share has halved. */
#include "exitguard/engine/state.h"

#include <string.h>

static void
ceiling_roll(struct ceiling *ceiling, uint32_t slot)
{
	if (slot - ceiling->slot >= CEILING_SLOTS) {
		memset(ceiling->streams, 0, sizeof(ceiling->streams));
		memset(ceiling->doubtful, 0, sizeof(ceiling->doubtful));
		ceiling->slot = slot;
	}
	while (ceiling->slot != slot) {
		ceiling->slot++;
		ceiling->streams[ceiling->slot % CEILING_SLOTS] = 0;
		ceiling->doubtful[ceiling->slot % CEILING_SLOTS] = 0;
	}
}

void
ceiling_note(struct ceiling *ceiling, bool doubtful, uint32_t now)
{
	ceiling_roll(ceiling, now / CEILING_SLOT_LEN);
	ceiling->streams[ceiling->slot % CEILING_SLOTS]++;
	ceiling->doubtful[ceiling->slot % CEILING_SLOTS] += doubtful;
}

bool
ceiling_check(struct ceiling *ceiling, uint32_t now)
{
	double streams = 0, doubtful = 0;
	bool was_hit = ceiling->hit;

	ceiling_roll(ceiling, now / CEILING_SLOT_LEN);
	for (int i = 0; i < CEILING_SLOTS; i++) {
		streams += (double)ceiling->streams[i];
		doubtful += (double)ceiling->doubtful[i];
	}
	double most = streams * (double)limits[LIMIT_ceiling_share];
	if (was_hit)
		ceiling->hit = doubtful > most / 2 && doubtful > 0;
	else
		ceiling->hit = doubtful > most && doubtful >= (double)limits[LIMIT_ceiling_least];
	return ceiling->hit && !was_hit;
}
