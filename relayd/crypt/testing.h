/* testing.h: what the room's tests share. */
#ifndef RELAYD_CRYPT_TESTING_H
#define RELAYD_CRYPT_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"

/* hex must give exactly len bytes */
static inline void
unhex(const char *hex, void *out, size_t len)
{
	size_t got;

	assert_int_equal(hex_decode(span_of_str(hex), out, len, &got), RC_OK);
	assert_int_equal(got, len);
}

static inline void
assert_hex(const void *got, size_t len, const char *hex)
{
	uint8_t want[1024];

	assert_true(len <= sizeof(want));
	unhex(hex, want, len);
	assert_memory_equal(got, want, len);
}

#endif
