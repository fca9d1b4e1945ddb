# relayd/crypt: signatures, certificates, handshakes and relay cell crypto.
relayd_librelayd_a_SOURCES += \
	relayd/crypt/algs.h relayd/crypt/algs.c \
	relayd/crypt/ed25519.h relayd/crypt/ed25519.c \
	relayd/crypt/edcert.h relayd/crypt/edcert.c \
	relayd/crypt/handshake.h relayd/crypt/handshake_internal.h relayd/crypt/handshake.c \
	relayd/crypt/ntor3.c relayd/crypt/ntor3_ext.c \
	relayd/crypt/rsa.h relayd/crypt/rsa.c relayd/crypt/x509.c \
	relayd/crypt/tor1.h relayd/crypt/tor1.c
EXTRA_DIST += relayd/crypt/ROOM.md relayd/crypt/.may_include
EXTRA_DIST += relayd/crypt/vectors/tor1_reference.py relayd/crypt/vectors/fast_reference.py

crypt_tests = relayd/crypt/ed25519_test relayd/crypt/edcert_test relayd/crypt/rsa_test \
	relayd/crypt/handshake_test relayd/crypt/ntor3_test relayd/crypt/tor1_test
check_PROGRAMS += $(crypt_tests)
RELAYD_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS) $(SODIUM_CFLAGS)
CRYPT_TEST_LDADD = relayd/librelayd.a common/libcommon.a $(OPENSSL_LIBS) $(SODIUM_LIBS) \
	$(CMOCKA_LIBS)
relayd_crypt_ed25519_test_SOURCES = relayd/crypt/ed25519_test.c relayd/crypt/testing.h \
	relayd/crypt/vectors/ed25519.inc
relayd_crypt_ed25519_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_ed25519_test_LDADD = $(CRYPT_TEST_LDADD)
relayd_crypt_edcert_test_SOURCES = relayd/crypt/edcert_test.c relayd/crypt/testing.h
relayd_crypt_edcert_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_edcert_test_LDADD = $(CRYPT_TEST_LDADD)
relayd_crypt_rsa_test_SOURCES = relayd/crypt/rsa_test.c relayd/crypt/testing.h
relayd_crypt_rsa_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_rsa_test_LDADD = $(CRYPT_TEST_LDADD)
relayd_crypt_handshake_test_SOURCES = relayd/crypt/handshake_test.c relayd/crypt/testing.h
relayd_crypt_handshake_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_handshake_test_LDADD = $(CRYPT_TEST_LDADD)
relayd_crypt_ntor3_test_SOURCES = relayd/crypt/ntor3_test.c relayd/crypt/testing.h
relayd_crypt_ntor3_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_ntor3_test_LDADD = $(CRYPT_TEST_LDADD)
relayd_crypt_tor1_test_SOURCES = relayd/crypt/tor1_test.c relayd/crypt/testing.h
relayd_crypt_tor1_test_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_tor1_test_LDADD = $(CRYPT_TEST_LDADD)

FUZZ_TARGETS += relayd/crypt/edcert_fuzz relayd/crypt/ntor3_fuzz
relayd_crypt_edcert_fuzz_SOURCES = relayd/crypt/edcert_fuzz.c tests/fuzz_main.c
relayd_crypt_edcert_fuzz_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_edcert_fuzz_LDADD = $(CRYPT_TEST_LDADD)
relayd_crypt_ntor3_fuzz_SOURCES = relayd/crypt/ntor3_fuzz.c tests/fuzz_main.c
relayd_crypt_ntor3_fuzz_CFLAGS = $(RELAYD_TEST_CFLAGS)
relayd_crypt_ntor3_fuzz_LDADD = $(CRYPT_TEST_LDADD)
