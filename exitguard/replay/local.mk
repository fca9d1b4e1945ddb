# replay: a trace on standard input through the engine.
EXTRA_DIST += exitguard/replay/.may_include
