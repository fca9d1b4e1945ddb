/* limits.c: the limits in force as numbers and as a list for people. */
#include "exitguard/engine/state.h"

const float limits[LIMIT_COUNT] = {
#define LIMIT(name, value, unit) [LIMIT_##name] = (value),
#include "exitguard/engine/limits.def"
#undef LIMIT
};

static const struct {
	const char *name, *unit;
} texts[LIMIT_COUNT] = {
#define LIMIT(name, value, unit) [LIMIT_##name] = { #name, unit },
#include "exitguard/engine/limits.def"
#undef LIMIT
};

bool
engine_limit(const struct engine *e, size_t index, struct engine_limit *out)
{
	(void)e;
	if (index >= LIMIT_COUNT)
		return false;
	out->name = texts[index].name;
	out->unit = texts[index].unit;
	out->value = (double)limits[index];
	return true;
}
