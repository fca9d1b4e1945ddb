# exitguard: see ROOM.md. Each room adds its sources to libexitguard.a in its own local.mk.
noinst_LIBRARIES += exitguard/libexitguard.a
exitguard_libexitguard_a_SOURCES = \
	exitguard/plan/sets.def exitguard/plan/plan.h exitguard/plan/plan.c \
	exitguard/plan/elems.h exitguard/plan/elems.c exitguard/plan/request.h \
	exitguard/plan/settings.def exitguard/plan/settings.h exitguard/plan/settings.c \
	exitguard/feed/consensus.h exitguard/feed/consensus.c \
	exitguard/feed/nflog.h exitguard/feed/nflog.c \
	exitguard/feed/flows.h exitguard/feed/flows.c \
	exitguard/nft/link.h exitguard/nft/link.c \
	exitguard/nft/skeleton.h exitguard/nft/skeleton.c \
	exitguard/nft/table.h exitguard/nft/table.c exitguard/nft/elements.c \
	exitguard/nft/log.h exitguard/nft/log.c \
	exitguard/priv/priv.h exitguard/priv/priv.c \
	exitguard/priv/serve.h exitguard/priv/serve.c \
	exitguard/priv/start.h exitguard/priv/start.c \
	exitguard/priv/confine.h exitguard/priv/confine.c \
	exitguard/ledger/ledger.h exitguard/ledger/ledger.c \
	exitguard/ctl/commands.def exitguard/ctl/request.h exitguard/ctl/request.c \
	exitguard/ctl/client.h exitguard/ctl/client.c \
	exitguard/ctl/render.h exitguard/ctl/render.c \
	exitguard/front/front.h exitguard/front/front.c exitguard/front/push.c \
	exitguard/front/reports.c exitguard/front/decide.c exitguard/front/kernel.c \
	exitguard/front/relays.c exitguard/front/control.c \
	exitguard/front/answers.h exitguard/front/answers.c \
	exitguard/front/lists.h exitguard/front/lists.c \
	exitguard/front/watch.h exitguard/front/watch.c
exitguard_libexitguard_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) \
	$(MNL_CFLAGS) $(NFTNL_CFLAGS) $(SQLITE_CFLAGS) $(CAPNG_CFLAGS) $(SECCOMP_CFLAGS)
# No OpenSSL here: the licences of netfilter's libraries and OpenSSL do not go together.
EXITGUARD_LIBS = exitguard/libexitguard.a common/libcommon.a $(SODIUM_LIBS) $(EVENT_LIBS) \
	$(JANSSON_LIBS) $(NFTNL_LIBS) $(MNL_LIBS) $(SQLITE_LIBS) $(CAPNG_LIBS) $(SECCOMP_LIBS)

include exitguard/engine/local.mk
include exitguard/replay/local.mk

sbin_PROGRAMS += exitguard/exitguard exitguard/exitguardctl
exitguard_exitguard_SOURCES = exitguard/main/exitguard.c
exitguard_exitguard_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(EVENT_CFLAGS)
exitguard_exitguard_LDADD = $(EXITGUARD_LIBS)
exitguard_exitguardctl_SOURCES = exitguard/main/exitguardctl.c
exitguard_exitguardctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
exitguard_exitguardctl_LDADD = exitguard/libexitguard.a common/libcommon.a $(JANSSON_LIBS) \
	$(SODIUM_LIBS)

EXTRA_DIST += \
	exitguard/ROOM.md exitguard/plan/ROOM.md exitguard/plan/.may_include \
	exitguard/feed/ROOM.md exitguard/feed/.may_include \
	exitguard/nft/ROOM.md exitguard/nft/.may_include \
	exitguard/priv/ROOM.md exitguard/priv/.may_include \
	exitguard/ledger/ROOM.md exitguard/ledger/.may_include \
	exitguard/ctl/ROOM.md exitguard/ctl/.may_include \
	exitguard/front/ROOM.md exitguard/front/.may_include \
	exitguard/main/ROOM.md exitguard/main/.may_include

# Unit tests and fuzz targets.
check_PROGRAMS += exitguard/plan/plan_test
exitguard_plan_plan_test_SOURCES = exitguard/plan/plan_test.c
exitguard_plan_plan_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
exitguard_plan_plan_test_LDADD = $(EXITGUARD_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += exitguard/feed/feed_test
exitguard_feed_feed_test_SOURCES = exitguard/feed/feed_test.c
exitguard_feed_feed_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
exitguard_feed_feed_test_LDADD = $(EXITGUARD_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += exitguard/ctl/ctl_test
exitguard_ctl_ctl_test_SOURCES = exitguard/ctl/ctl_test.c
exitguard_ctl_ctl_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
exitguard_ctl_ctl_test_LDADD = $(EXITGUARD_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += exitguard/ledger/ledger_test
exitguard_ledger_ledger_test_SOURCES = exitguard/ledger/ledger_test.c
exitguard_ledger_ledger_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
exitguard_ledger_ledger_test_LDADD = $(EXITGUARD_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += exitguard/front/lists_test
exitguard_front_lists_test_SOURCES = exitguard/front/lists_test.c
exitguard_front_lists_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
exitguard_front_lists_test_LDADD = $(EXITGUARD_LIBS) $(CMOCKA_LIBS)
FUZZ_TARGETS += exitguard/plan/settings_fuzz
exitguard_plan_settings_fuzz_SOURCES = exitguard/plan/settings_fuzz.c tests/fuzz_main.c
exitguard_plan_settings_fuzz_LDADD = $(EXITGUARD_LIBS)
FUZZ_TARGETS += exitguard/feed/nflog_fuzz
exitguard_feed_nflog_fuzz_SOURCES = exitguard/feed/nflog_fuzz.c tests/fuzz_main.c
exitguard_feed_nflog_fuzz_LDADD = $(EXITGUARD_LIBS)
FUZZ_TARGETS += exitguard/feed/consensus_fuzz
exitguard_feed_consensus_fuzz_SOURCES = exitguard/feed/consensus_fuzz.c tests/fuzz_main.c
exitguard_feed_consensus_fuzz_LDADD = $(EXITGUARD_LIBS)
FUZZ_TARGETS += exitguard/ctl/request_fuzz
exitguard_ctl_request_fuzz_SOURCES = exitguard/ctl/request_fuzz.c tests/fuzz_main.c
exitguard_ctl_request_fuzz_LDADD = $(EXITGUARD_LIBS)
FUZZ_TARGETS += exitguard/front/report_fuzz
exitguard_front_report_fuzz_SOURCES = exitguard/front/report_fuzz.c tests/fuzz_main.c
exitguard_front_report_fuzz_LDADD = $(EXITGUARD_LIBS)
FUZZ_TARGETS += exitguard/priv/serve_fuzz
exitguard_priv_serve_fuzz_SOURCES = exitguard/priv/serve_fuzz.c tests/fuzz_main.c
exitguard_priv_serve_fuzz_LDADD = $(EXITGUARD_LIBS)

# Tests that need root, and two programs they use.
noinst_PROGRAMS = exitguard/tests/report_client exitguard/tests/connector
exitguard_tests_report_client_SOURCES = exitguard/tests/report_client.c
exitguard_tests_report_client_LDADD = common/libcommon.a
exitguard_tests_connector_SOURCES = exitguard/tests/connector.c
exitguard_tests_connector_LDADD = common/libcommon.a
EXITGUARD_ROOT_TESTS = exitguard/tests/template.sh exitguard/tests/enforce.sh \
	exitguard/tests/takeover.sh exitguard/tests/stocktor.sh exitguard/tests/privileges.sh
ROOT_TESTS += $(EXITGUARD_ROOT_TESTS)
EXTRA_DIST += exitguard/tests/lib.sh $(EXITGUARD_ROOT_TESTS)

dist_man_MANS += docs/exitguard.8 docs/exitguardctl.1 docs/exitguard.conf.5
