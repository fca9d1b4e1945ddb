# replay: a trace on standard input through the engine.
exitguard_libexitguard_a_SOURCES += \
	exitguard/replay/replay.h exitguard/replay/replay.c \
	exitguard/replay/trace.h exitguard/replay/trace.c
EXTRA_DIST += exitguard/replay/.may_include exitguard/replay/ROOM.md
