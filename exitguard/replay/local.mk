# replay: a trace on standard input through the engine.
exitguard_libexitguard_a_SOURCES += \
	exitguard/replay/replay.h exitguard/replay/replay.c \
	exitguard/replay/trace.h exitguard/replay/trace.c
EXTRA_DIST += exitguard/replay/.may_include exitguard/replay/ROOM.md

check_PROGRAMS += exitguard/replay/replay_test
exitguard_replay_replay_test_SOURCES = exitguard/replay/replay_test.c
exitguard_replay_replay_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
exitguard_replay_replay_test_LDADD = exitguard/libexitguard.a common/libcommon.a \
	$(SODIUM_LIBS) $(CMOCKA_LIBS)

FUZZ_TARGETS += exitguard/replay/trace_fuzz
exitguard_replay_trace_fuzz_SOURCES = exitguard/replay/trace_fuzz.c tests/fuzz_main.c
exitguard_replay_trace_fuzz_LDADD = exitguard/libexitguard.a common/libcommon.a $(SODIUM_LIBS)
EXTRA_DIST += exitguard/replay/corpus/new exitguard/replay/corpus/res
