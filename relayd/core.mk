# relayd/core.mk: the rooms on the way of a cell, and the program.
relayd_librelayd_a_SOURCES += \
	relayd/cell/cell.h relayd/cell/cell.c \
	relayd/cell/relay_msg.h relayd/cell/relay_msg.c \
	relayd/work/snapshot.h relayd/work/snapshot.c \
	relayd/work/work.h relayd/work/work.c \
	relayd/link/handshake.h relayd/link/handshake.c \
	relayd/link/tls.h relayd/link/tls.c \
	relayd/link/link.h relayd/link/link.c \
	relayd/link/queue.c relayd/link/table.c \
	relayd/link/registry.h relayd/link/registry.c \
	relayd/circuit/circuit.h relayd/circuit/circuit.c relayd/circuit/next.c \
	relayd/guard/guard.h relayd/guard/guard.c \
	relayd/dns/dns.h relayd/dns/dns.c relayd/dns/name.c \
	relayd/exit/exit.h relayd/exit/exit.c \
	relayd/exit/stream.h relayd/exit/open.c relayd/exit/lookup.c relayd/exit/io.c

check_PROGRAMS += relayd/cell/cell_test
relayd_cell_cell_test_SOURCES = relayd/cell/cell_test.c
relayd_cell_cell_test_CFLAGS = $(relayd_librelayd_a_CFLAGS) $(CMOCKA_CFLAGS)
relayd_cell_cell_test_LDADD = relayd/librelayd.a common/libcommon.a $(CMOCKA_LIBS)

FUZZ_TARGETS += relayd/cell/cell_fuzz
relayd_cell_cell_fuzz_SOURCES = relayd/cell/cell_fuzz.c tests/fuzz_main.c
relayd_cell_cell_fuzz_LDADD = relayd/librelayd.a common/libcommon.a

EXTRA_DIST += relayd/cell/ROOM.md relayd/cell/.may_include
EXTRA_DIST += relayd/work/ROOM.md relayd/work/.may_include
EXTRA_DIST += relayd/link/ROOM.md relayd/link/.may_include
EXTRA_DIST += relayd/circuit/ROOM.md relayd/circuit/.may_include
EXTRA_DIST += relayd/exit/ROOM.md relayd/exit/.may_include
EXTRA_DIST += relayd/guard/ROOM.md relayd/guard/.may_include
EXTRA_DIST += relayd/main/ROOM.md relayd/main/.may_include
EXTRA_DIST += relayd/dns/ROOM.md relayd/dns/.may_include
check_PROGRAMS += relayd/link/handshake_test
relayd_link_handshake_test_SOURCES = relayd/link/handshake_test.c
relayd_link_handshake_test_CFLAGS = $(relayd_librelayd_a_CFLAGS) $(CMOCKA_CFLAGS)
relayd_link_handshake_test_LDADD = $(RELAYD_LIBS) $(CMOCKA_LIBS)

# A peer that misbehaves, for the tests on the private network.
EXTRA_PROGRAMS += relayd/tests/hostile_peer
relayd_tests_hostile_peer_SOURCES = relayd/tests/hostile_peer.c relayd/tests/peer.h relayd/tests/peer.c
relayd_tests_hostile_peer_CFLAGS = $(relayd_librelayd_a_CFLAGS)
relayd_tests_hostile_peer_LDADD = $(RELAYD_LIBS)

# A whole relayd on loopback; it starts relayd/relayd.
check_PROGRAMS += relayd/tests/relay_test
relayd_tests_relay_test_SOURCES = \
	relayd/tests/peer.h relayd/tests/peer.c \
	relayd/tests/harness.h relayd/tests/harness.c relayd/tests/world.c \
	relayd/tests/relay_test.c relayd/tests/relay_test_circuits.c \
	relayd/tests/relay_test_extends.c relayd/tests/relay_test_hops.c \
	relayd/tests/relay_test_streams.c \
	relayd/tests/relay_test_windows.c relayd/tests/relay_test_guard.c \
	relayd/tests/relay_test_life.c
relayd_tests_relay_test_CFLAGS = $(relayd_librelayd_a_CFLAGS) $(CMOCKA_CFLAGS)
relayd_tests_relay_test_LDADD = $(RELAYD_LIBS) $(CMOCKA_LIBS)
EXTRA_DIST += relayd/tests/ROOM.md relayd/tests/.may_include
sbin_PROGRAMS += relayd/relayd
relayd_relayd_SOURCES = \
	relayd/main/main.c \
	relayd/main/relay.h relayd/main/relay.c \
	relayd/main/privilege.h relayd/main/privilege.c \
	relayd/main/sums.h relayd/main/sums.c \
	relayd/main/view.h relayd/main/view.c
relayd_relayd_CFLAGS = $(relayd_librelayd_a_CFLAGS)
relayd_relayd_LDADD = $(RELAYD_LIBS)

check_PROGRAMS += relayd/guard/guard_test
relayd_guard_guard_test_SOURCES = relayd/guard/guard_test.c
relayd_guard_guard_test_CFLAGS = $(relayd_librelayd_a_CFLAGS) $(CMOCKA_CFLAGS)
relayd_guard_guard_test_LDADD = $(RELAYD_LIBS) $(CMOCKA_LIBS)
