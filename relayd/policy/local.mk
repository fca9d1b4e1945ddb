# relayd/policy
relayd_librelayd_a_SOURCES += \
	relayd/policy/policy.h relayd/policy/policy.c \
	relayd/policy/policy_parse.h relayd/policy/policy_parse.c \
	relayd/policy/policy_text.c
EXTRA_DIST += relayd/policy/ROOM.md relayd/policy/.may_include \
	relayd/policy/vectors/reduced.policy relayd/policy/vectors/default.policy \
	relayd/policy/vectors/mixed.policy relayd/policy/vectors/closed.policy \
	relayd/policy/corpus/mixed

check_PROGRAMS += relayd/policy/policy_test
relayd_policy_policy_test_SOURCES = relayd/policy/policy_test.c
relayd_policy_policy_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
relayd_policy_policy_test_LDADD = relayd/librelayd.a common/libcommon.a $(CMOCKA_LIBS)

FUZZ_TARGETS += relayd/policy/policy_fuzz
relayd_policy_policy_fuzz_SOURCES = relayd/policy/policy_fuzz.c tests/fuzz_main.c
relayd_policy_policy_fuzz_LDADD = relayd/librelayd.a common/libcommon.a
