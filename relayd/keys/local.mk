# relayd/keys: identity, onion and link keys in stock tor's files.
relayd_librelayd_a_SOURCES += \
	relayd/keys/keys.h relayd/keys/keys.c \
	relayd/keys/parts.h relayd/keys/identity.c relayd/keys/onion.c relayd/keys/link.c \
	relayd/keys/keyfile.h relayd/keys/keyfile.c \
	relayd/keys/datadir.h relayd/keys/datadir.c \
	relayd/keys/state.h relayd/keys/state.c
EXTRA_DIST += relayd/keys/ROOM.md relayd/keys/.may_include

check_PROGRAMS += relayd/keys/keys_test relayd/keys/keys_stock_test
relayd_keys_keys_test_SOURCES = relayd/keys/keys_test.c relayd/keys/testing.h
relayd_keys_keys_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_keys_keys_test_LDADD = $(CRYPT_TEST_LDADD)
relayd_keys_keys_stock_test_SOURCES = relayd/keys/keys_stock_test.c relayd/keys/testing.h
relayd_keys_keys_stock_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_keys_keys_stock_test_LDADD = $(CRYPT_TEST_LDADD)

FUZZ_TARGETS += relayd/keys/state_fuzz
relayd_keys_state_fuzz_SOURCES = relayd/keys/state_fuzz.c tests/fuzz_main.c
relayd_keys_state_fuzz_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_keys_state_fuzz_LDADD = $(CRYPT_TEST_LDADD)
