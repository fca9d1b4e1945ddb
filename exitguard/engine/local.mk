# engine: streams in, verdicts out.
exitguard_libexitguard_a_SOURCES += exitguard/engine/engine.h
EXTRA_DIST += exitguard/engine/.may_include
