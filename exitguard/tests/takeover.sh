#!/bin/sh
# takeover.sh: kill -9 of either process, a flush of the whole ruleset, and a restart: the table
# stays or is back within a second, once, with its elements; foreign tables stay as they are.
. "${srcdir:-$PWD}/exitguard/tests/lib.sh"

write_conf "Mode enforce" "RelayUser nobody"
nsx nft add table inet neighbour
start_guard
ask ban 198.18.7.0/24 1h >/dev/null || fail "ban"
echo "scan 77 198.18.64.0 300 8080" | "$client" "$work/report.sock" >/dev/null || fail "client"

tables() { nsx nft list tables | grep -c exitguard; }
banned() { nsx nft list set inet exitguard ban_net4 | grep -q 198.18.7.0; }
refused() { [ "$(nsx "$connector" 65534 198.18.7.7 80)" = EHOSTUNREACH ]; }
wait_for 2 banned || fail "the ban is not in the kernel"
refused || fail "the ban does not hold"

# front dies: priv starts it again; the table does not change.
front=$(front_pid $guard_pid)
handle=$(nsx nft -a list table inet exitguard | head -n 1)
kill -9 "$front"
refused || fail "front's death opened the gate"
wait_for 5 ask status || fail "front does not come back"
wait_for 5 refused || fail "after front's death"
[ "$(nsx nft -a list table inet exitguard | head -n 1)" = "$handle" ] || fail "another table"
[ "$(tables)" = 1 ] || fail "doubled"

# priv dies: front goes on answering, the kernel goes on refusing.
front=$(front_pid $guard_pid)
kill -9 $guard_pid
wait $guard_pid 2>/dev/null
sleep 0.3
[ "$(echo "open 1 1 198.18.0.9 443" | "$client" "$work/report.sock" | tail -n 1)" = "1 allow none" ] ||
	fail "no verdict after priv's death"
refused || fail "priv's death opened the gate"
[ "$(field state)" = priv-gone ] || fail "status does not tell: $(field state)"

# A new exitguard takes over, the old front leaves.
start_guard
grep -q "taken over with" "$work/log" || fail "the table was not taken over"
wait_for 5 sh -c "! kill -0 $front" || fail "the old front stays"
[ "$(nsx nft -a list table inet exitguard | head -n 1)" = "$handle" ] || fail "another table"
[ "$(tables)" = 1 ] || fail "doubled"
banned && refused || fail "the ban did not outlive priv"
ask list | grep -q 198.18.7.0/24 || fail "the list did not outlive priv"

# Somebody flushes everything, or only our rules.
nsx nft flush ruleset
wait_for 1 banned || fail "not laid again within a second"
refused || fail "after the flush"
nsx nft flush table inet exitguard
wait_for 1 sh -c "ip netns exec $ns nft list chain inet exitguard output | grep -q exit_users" ||
	fail "rules not laid again within a second"
wait_for 1 banned || fail "elements lost with the rules"
refused || fail "after the second flush"
[ "$(tables)" = 1 ] || fail "doubled"

# A second exitguard on the same state does not start.
nsx "$guard" -c "$work/conf" >"$work/second" 2>&1 && fail "two at once"
grep -q "another exitguard" "$work/second" || fail "$(cat "$work/second")"
stop_guard
[ "$(tables)" = 0 ] || fail "a clean stop leaves the table"
echo "taken over, laid again, never doubled"
