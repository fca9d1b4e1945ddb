/* torrc_units.h: numbers with stock tor's units: "20 KB", "1.5 hours", "100 MBits". */
#ifndef RELAYD_OPS_TORRC_UNITS_H
#define RELAYD_OPS_TORRC_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "common/rc.h"

enum torrc_quantity { TORRC_BYTES, TORRC_SECONDS, TORRC_MSECONDS };

/* A number, perhaps with a fraction, and a unit; without one it is bytes, seconds or milliseconds.
 * Bits become bytes, rounded down. On failure why says what is wrong. */
enum rc torrc_quantity(const char *text, enum torrc_quantity kind, uint64_t max, uint64_t *out,
    char *why, size_t why_len);

#endif
