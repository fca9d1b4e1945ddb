#!/bin/sh
# stocktor.sh: beside a relay that knows nothing of us. A process of the relay's user scans a
# network; the kernel's log tells of its SYNs, and the kernel refuses the scan with
# admin-prohibited, while connects elsewhere go on. Observing, nothing is refused.
. "${srcdir:-$PWD}/exitguard/tests/lib.sh"

uid=65534
write_conf "Mode observe" "RelayUser nobody"
start_guard
nsx "$connector" $uid 198.18.4.0 300 8080 200 >"$work/scan"
[ "$(cat "$work/scan")" = "out 300 refused 0 answered 0" ] || fail "observing: $(cat "$work/scan")"
wait_for 3 sh -c "[ \"\$($ctl -s $work/control.sock status --json | tr ',' '\n' |
	sed -n 's/.*\"events\"://p')\" -ge 300 ]" || fail "events: $(field events)"
[ "$(field lost)" = 0 ] || fail "lost $(field lost)"
ask mode enforce >/dev/null

nsx "$connector" $uid 198.19.0.0 600 2323 200 >"$work/scan"
cat "$work/scan"
refused=$(sed -n 's/.* refused \([0-9]*\) .*/\1/p' "$work/scan")
[ "$refused" -ge 450 ] || fail "of 600 only $refused were refused"

# Elsewhere the same user connects, and is answered.
ip netns exec "$ns" python3 -c '
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("198.18.0.1", 443)); s.listen(64)
import time; time.sleep(60)' &
server=$!
sleep 0.5
for i in 1 2 3 4 5; do
	[ "$(nsx "$connector" $uid 198.18.0.1 443)" = connected ] || fail "an honest connect"
done
wait_for 3 sh -c "$ctl -s $work/control.sock status --json | grep -q '\"connected\":5'" ||
	fail "SYN-ACKs were not seen: $(ask status)"
kill $server
wait $server 2>/dev/null
ask status
[ ! -e /proc/net/nf_conntrack ] || [ "$(nsx cat /proc/net/nf_conntrack | wc -l)" = 0 ] ||
	fail "connections are tracked"
stop_guard
echo "seen and refused"
