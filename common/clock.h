/* clock.h: the two clocks. Pure code takes the time as an argument instead of calling these. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

uint64_t clock_mono_ms(void); /* since some fixed point; for intervals and deadlines */
uint64_t clock_mono_us(void);
time_t clock_wall_s(void); /* UTC seconds; for documents and letters */

#endif
