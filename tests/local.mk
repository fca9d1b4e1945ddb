# tests: the drivers, the private Tor network, whole programs.
EXTRA_DIST += tests/ROOM.md tests/run.sh tests/fuzz_main.c \
	tests/testnet/testnet.sh tests/testnet/minidns.py tests/testnet/web.py tests/testnet/harmless tests/traffic.py
EXTRA_DIST += tests/lint/lint.sh tests/lint/may_include.py tests/lint/cppcheck.txt tests/lint/macros.h .clang-tidy
EXTRA_DIST += quickstart .ci/run tests/quickstart-check.sh tests/quickstart-demo.sh
EXTRA_DIST += tests/lib.sh tests/knock.py tests/path.py tests/hostile_reporter.py
whole_programs = tests/t_scan_relayd.sh tests/t_kill.sh tests/t_stock_guard.sh \
	tests/t_letter.sh tests/t_exit.sh tests/t_two_exits.sh tests/t_badinput.sh
SYSTEM_TESTS += $(whole_programs)
EXTRA_DIST += $(whole_programs)
