# common: codes, bytes, addresses, log, clock, option lines, the report protocol.
noinst_LIBRARIES += common/libcommon.a
common_libcommon_a_SOURCES = \
	common/rc.def common/rc.h common/rc.c \
	common/bytes.h common/bytes.c \
	common/addr.h common/addr.c \
	common/clock.h common/clock.c \
	common/conf.h common/conf.c \
	common/log.h common/log.c \
	common/report.h common/report.c
EXTRA_DIST += common/ROOM.md common/.may_include

check_PROGRAMS += common/common_test
common_common_test_SOURCES = common/common_test.c
common_common_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
common_common_test_LDADD = common/libcommon.a $(CMOCKA_LIBS)
