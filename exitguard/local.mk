# exitguard: see ROOM.md. Each room adds its sources to libexitguard.a in its own local.mk.
noinst_LIBRARIES += exitguard/libexitguard.a
exitguard_libexitguard_a_SOURCES =
exitguard_libexitguard_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)

include exitguard/engine/local.mk
include exitguard/replay/local.mk
