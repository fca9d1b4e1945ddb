# engine: streams in, verdicts out.
exitguard_libexitguard_a_SOURCES += \
	exitguard/engine/engine.h exitguard/engine/engine.c \
	exitguard/engine/state.h \
	exitguard/engine/limits.def exitguard/engine/limits.c \
	exitguard/engine/table.h exitguard/engine/table.c \
	exitguard/engine/window.h exitguard/engine/window.c \
	exitguard/engine/keys.h exitguard/engine/keys.c \
	exitguard/engine/scan.c exitguard/engine/load.c \
	exitguard/engine/changes.c exitguard/engine/ceiling.c
EXTRA_DIST += exitguard/engine/.may_include exitguard/engine/ROOM.md

check_PROGRAMS += exitguard/engine/engine_test exitguard/engine/engine_parts_test
exitguard_engine_engine_test_SOURCES = exitguard/engine/engine_test.c \
	exitguard/engine/engine_sim.h exitguard/engine/engine_sim.c
exitguard_engine_engine_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
exitguard_engine_engine_test_LDADD = exitguard/libexitguard.a common/libcommon.a \
	$(SODIUM_LIBS) $(CMOCKA_LIBS)
exitguard_engine_engine_parts_test_SOURCES = exitguard/engine/engine_parts_test.c \
	exitguard/engine/engine_sim.h exitguard/engine/engine_sim.c
exitguard_engine_engine_parts_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
exitguard_engine_engine_parts_test_LDADD = exitguard/libexitguard.a common/libcommon.a \
	$(SODIUM_LIBS) $(CMOCKA_LIBS)
