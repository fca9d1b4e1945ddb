# tests: the drivers, the private Tor network, whole programs.
EXTRA_DIST += tests/ROOM.md tests/run.sh tests/fuzz_main.c
