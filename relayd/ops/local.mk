# relayd/ops
relayd_librelayd_a_SOURCES += \
	relayd/ops/torrc.def relayd/ops/torrc.h relayd/ops/torrc.c \
	relayd/ops/torrc_table.h relayd/ops/torrc_table.c \
	relayd/ops/torrc_read.h relayd/ops/torrc_read.c \
	relayd/ops/torrc_value.c relayd/ops/torrc_check.c \
	relayd/ops/torrc_units.h relayd/ops/torrc_units.c
EXTRA_DIST += relayd/ops/ROOM.md relayd/ops/.may_include \
	relayd/ops/vectors/testnet-exit.torrc relayd/ops/vectors/exit.torrc \
	relayd/ops/vectors/stock-options.txt \
	relayd/ops/corpus/exit relayd/ops/corpus/every
dist_man_MANS += docs/relayd.8 docs/relayd.torrc.5

EXTRA_PROGRAMS += relayd/ops/torrc_man
relayd_ops_torrc_man_SOURCES = relayd/ops/torrc_man.c relayd/ops/torrc_man.h \
	relayd/ops/torrc_man_text.c
relayd_ops_torrc_man_LDADD = relayd/librelayd.a common/libcommon.a

check_PROGRAMS += relayd/ops/torrc_test
relayd_ops_torrc_test_SOURCES = relayd/ops/torrc_test.c relayd/ops/torrc_man_text.c
relayd_ops_torrc_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
relayd_ops_torrc_test_LDADD = relayd/librelayd.a common/libcommon.a $(CMOCKA_LIBS)

FUZZ_TARGETS += relayd/ops/torrc_fuzz
relayd_ops_torrc_fuzz_SOURCES = relayd/ops/torrc_fuzz.c tests/fuzz_main.c
relayd_ops_torrc_fuzz_LDADD = relayd/librelayd.a common/libcommon.a
