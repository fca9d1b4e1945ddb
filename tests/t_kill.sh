#!/usr/bin/env bash
# t_kill.sh: kill -9 of exitguard's front, of its priv and of relayd in turn, while people download:
# the others go on, what is started again takes over, table inet exitguard is neither lost nor
# doubled, and other tables stay byte for byte what they were.
export GUARD=1
EXPECTED_COMPLAINTS='exitguard|front|priv|guard|'
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

tables() { net_exec nft list tables | grep -c 'inet exitguard'; }
foreign() { net_exec nft list table inet operator; }
elements() { net_exec nft list set inet exitguard ban_net4 | grep -c 198.19.60; }
front_pid() { pgrep -P "$(net pid exitguard)" | head -n 1; }
front_is_new() { [ -n "$(front_pid)" ] && [ "$(front_pid)" != "$1" ] && ctl status >/dev/null 2>&1; }
the_table() {
	holds "$1: tables called exitguard" "$(tables)" -eq 1
	holds "$1: the ban is in the kernel" "$(elements)" -eq 1
	[ "$(foreign)" = "$before" ] && ok "$1: the other table is what it was" ||
	    bad "$1: the other table has changed: $(foreign)"
}
fetches() { test "$(MAXTIME=${MAXTIME:-10} net fetch 2 http://h7.test/hello.txt)" = "hello through tor"; }

network -c 2
net_exec nft -f - <<T
table inet operator {
	set own { type ipv4_addr; flags timeout; elements = { 203.0.113.9 } }
	chain output {
		type filter hook output priority 10; policy accept;
		ip daddr @own counter drop comment "of the operator's own"
		ip daddr 203.0.113.77 tcp dport 25 reject
	}
}
T
guard_conf enforce
guard_start
check "relayd reports to exitguard" wait_for 30 guard_is_connected
ctl ban 198.19.60.0/24
before=$(foreign)
sleep 1
the_table "before"
background people traffic download 127.0.4.1 http://h9.test/1m.bin --at-once 3 --seconds 40 --pause 0.5

say "kill -9 front"
old=$(front_pid)
kill -9 "$old"
check "relayd lets streams out while front is away" fetches
check "priv starts another" wait_for 15 front_is_new "$old"
check "relayd reports again" wait_for 30 guard_is_connected
the_table "after front"
check "the mode was kept" test "$(json "$(ctl --json mode)" 'd["mode"]')" = enforce

say "kill -9 priv"
kill -9 "$(net pid exitguard)"
sleep 0.5
check "downloads go on" fetches
the_table "without priv"
check "a new exitguard takes over" guard_start
check "relayd reports again" wait_for 30 guard_is_connected
sleep 1
the_table "after priv"
holds "exitguard processes" "$(ip netns pids "$(cat "$work/net/netns")" |
    while read -r p; do tr '\0' ' ' < "/proc/$p/cmdline"; echo; done | grep -c 'exitguard.* -c')" -eq 2

check "nobody's download failed by then" finish people
cat "$work/people"
say "kill -9 relayd"
kill -9 "$(net pid exit1)"
sleep 0.5
check "exitguard goes on" ctl status
the_table "without relayd"
net start exit1
check "relayd reports again" wait_for 30 guard_is_connected
# A stock relay that could not connect to it remembers that for 60 s, and refuses extends meanwhile.
check "a client finds it again" wait_for 120 fetches
the_table "after relayd"

say "somebody flushes the ruleset"
net_exec nft flush ruleset
wait_for 5 net_exec nft list table inet exitguard >/dev/null
holds "the table is laid again" "$(tables)" -eq 1
check "with the ban in it" wait_for 5 elements
holds "and the operator's is not made up" "$(net_exec nft list tables | grep -c operator)" -eq 0
quiet_logs
stop_own
