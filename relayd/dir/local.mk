# relayd/dir
relayd_librelayd_a_SOURCES += \
	relayd/dir/dir.h relayd/dir/dir_internal.h relayd/dir/dir.c \
	relayd/dir/fetch.c relayd/dir/micro_fetch.c relayd/dir/publish.c \
	relayd/dir/exchange.h relayd/dir/exchange.c relayd/dir/cache.h relayd/dir/cache.c \
	relayd/dir/authority.c relayd/dir/descriptor.c \
	relayd/dir/netdoc.h relayd/dir/netdoc.c \
	relayd/dir/consensus.h relayd/dir/consensus.c \
	relayd/dir/consensus_parse.h relayd/dir/consensus_parse.c relayd/dir/endpoint.c \
	relayd/dir/keycert.h relayd/dir/keycert.c relayd/dir/signature.c \
	relayd/dir/micro.h relayd/dir/micro.c \
	relayd/dir/http.h relayd/dir/http.c
EXTRA_DIST += relayd/dir/ROOM.md relayd/dir/.may_include \
	relayd/dir/vectors/authorities.txt relayd/dir/vectors/consensus.txt \
	relayd/dir/vectors/consensus.http relayd/dir/vectors/certs.txt \
	relayd/dir/vectors/micro.http

check_PROGRAMS += relayd/dir/document_test relayd/dir/descriptor_test relayd/dir/dir_test
relayd_dir_dir_test_SOURCES = relayd/dir/dir_test.c \
	relayd/dir/fake_authority.h relayd/dir/fake_authority.c
relayd_dir_dir_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
relayd_dir_dir_test_LDADD = $(RELAYD_LIBS) $(CMOCKA_LIBS)
relayd_dir_document_test_SOURCES = relayd/dir/document_test.c
relayd_dir_document_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
relayd_dir_document_test_LDADD = $(RELAYD_LIBS) $(CMOCKA_LIBS)
relayd_dir_descriptor_test_SOURCES = relayd/dir/descriptor_test.c
relayd_dir_descriptor_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
relayd_dir_descriptor_test_LDADD = $(RELAYD_LIBS) $(CMOCKA_LIBS)

FUZZ_TARGETS += relayd/dir/consensus_fuzz relayd/dir/micro_fuzz relayd/dir/keycert_fuzz \
	relayd/dir/http_fuzz
relayd_dir_consensus_fuzz_SOURCES = relayd/dir/consensus_fuzz.c tests/fuzz_main.c
relayd_dir_consensus_fuzz_LDADD = $(RELAYD_LIBS)
relayd_dir_micro_fuzz_SOURCES = relayd/dir/micro_fuzz.c tests/fuzz_main.c
relayd_dir_micro_fuzz_LDADD = $(RELAYD_LIBS)
relayd_dir_keycert_fuzz_SOURCES = relayd/dir/keycert_fuzz.c tests/fuzz_main.c
relayd_dir_keycert_fuzz_LDADD = $(RELAYD_LIBS)
relayd_dir_http_fuzz_SOURCES = relayd/dir/http_fuzz.c tests/fuzz_main.c
relayd_dir_http_fuzz_LDADD = $(RELAYD_LIBS)
EXTRA_DIST += relayd/dir/consensus_corpus/consensus relayd/dir/micro_corpus/micro \
	relayd/dir/keycert_corpus/certs relayd/dir/http_corpus/answer \
	relayd/dir/http_corpus/plain

# The client against the stock authorities of a private network: make check-system.
EXTRA_PROGRAMS += relayd/dir/dir_live_test
relayd_dir_dir_live_test_SOURCES = relayd/dir/dir_live_test.c
relayd_dir_dir_live_test_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
relayd_dir_dir_live_test_LDADD = $(RELAYD_LIBS)
SYSTEM_TESTS += relayd/dir/t_dir_live.sh
EXTRA_DIST += relayd/dir/t_dir_live.sh
check-system: relayd/dir/dir_live_test
