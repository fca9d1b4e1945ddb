#!/usr/bin/env bash
# t_two_exits.sh: a stock client with two exits: relayd, which refuses one network, and a stock
# one. The client's honest requests to that network all succeed, through the other exit. And
# relayd carries a stream as the middle of a circuit.
export GUARD=1
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

network -c 1 -x 2
guard_conf enforce
guard_start
check "relayd reports to exitguard" wait_for 30 guard_is_connected
ctl ban 198.19.50.0/24

say "60 requests to the network that relayd refuses, one after the other and three at once"
failures=0
for i in $(seq 1 30); do
	[ "$(net fetch 1 http://h$((50 * 256 + i)).test/hello.txt)" = "hello through tor" ] ||
	    failures=$((failures + 1))
done
holds "requests that failed, one after the other" $failures -eq 0
background three traffic download 127.0.4.1 http://198.19.50.200/1m.bin --count 30 --at-once 3
check "and three at once, by address" finish three
cat "$work/three"
holds "of them, refused by relayd on the way" "$(guard_value 'd["banned"]')" -ge 1
background other traffic download 127.0.4.1 http://h9.test/1m.bin --count 20 --at-once 3
check "requests to other networks" finish other
cat "$work/other"

say "relayd as the middle of a circuit that carries a download"
check "10 MiB over it, byte for byte" net_exec python3 "$srcdir/tests/middle.py" 127.0.4.1 \
    "$exit_fp" auth1 exit2 h3.test /10m.bin "$big_sum"
quiet_logs
stop_own
