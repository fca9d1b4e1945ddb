/* rc.c: result codes to text. Pure. */
#include "common/rc.h"

static const char *const texts[] = {
#define RC(code, text) [code] = text,
#include "common/rc.def"
#undef RC
};

const char *
rc_str(enum rc rc)
{
	if ((unsigned)rc >= RC_COUNT)
		return "unknown result";
	return texts[rc];
}
