# relayd/dns: the tests; the sources stand in relayd/core.mk.
check_PROGRAMS += relayd/dns/name_test
relayd_dns_name_test_SOURCES = relayd/dns/name_test.c
relayd_dns_name_test_CFLAGS = $(relayd_librelayd_a_CFLAGS) $(CMOCKA_CFLAGS)
relayd_dns_name_test_LDADD = relayd/librelayd.a common/libcommon.a $(CMOCKA_LIBS)

# dns.c once more, with a deadline that a test can wait for.
check_PROGRAMS += relayd/dns/dns_test
relayd_dns_dns_test_SOURCES = relayd/dns/dns_test.c relayd/dns/dns.c
relayd_dns_dns_test_CFLAGS = $(relayd_librelayd_a_CFLAGS) $(CMOCKA_CFLAGS) -DDNS_DEADLINE_MS=2500
relayd_dns_dns_test_LDADD = $(RELAYD_LIBS) $(CMOCKA_LIBS)

FUZZ_TARGETS += relayd/dns/name_fuzz
relayd_dns_name_fuzz_SOURCES = relayd/dns/name_fuzz.c tests/fuzz_main.c
relayd_dns_name_fuzz_LDADD = relayd/librelayd.a common/libcommon.a
EXTRA_DIST += relayd/dns/name_corpus/ptr4 relayd/dns/name_corpus/ptr6 relayd/dns/name_corpus/wire
