#!/bin/sh
# enforce.sh: a ban by hand and a sweep reported by relayd stop real connects with EHOSTUNREACH
# when enforcing and not when observing; bad records close one connection and nothing else.
. "${srcdir:-$PWD}/exitguard/tests/lib.sh"

uid=65534
write_conf "Mode observe" "RelayUser nobody"
start_guard

# What a relay of user nobody gets there.
try() { nsx "$connector" $uid "$1" "$2"; }
[ "$(try 198.18.7.7 80)" = silent ] || fail "without a ban: $(try 198.18.7.7 80)"
ask ban 198.18.7.0/24 10m >/dev/null || fail "ban"
ask ban 2001:db8:7::/48 >/dev/null || fail "ban of IPv6"
[ "$(try 198.18.7.7 80)" = silent ] || fail "observing, yet a banned address was refused"
ask mode enforce >/dev/null || fail "mode"
[ "$(try 198.18.7.7 80)" = EHOSTUNREACH ] || fail "enforcing: $(try 198.18.7.7 80)"
[ "$(try 198.18.8.7 80)" = silent ] || fail "the next network is not banned"
[ "$(try 2001:db8:7::5 80)" = EACCES ] || fail "IPv6: $(try 2001:db8:7::5 80)"
[ "$(nsx "$connector" 0 198.18.7.7 80)" = silent ] || fail "another user's connects are not ours"
ask allow 198.18.7.9 >/dev/null || fail "allow"
[ "$(try 198.18.7.9 80)" = silent ] || fail "an allowance goes before a ban"
ask unban 198.18.7.0/24 >/dev/null || fail "unban"
wait_for 2 sh -c "[ \"\$(ip netns exec $ns $connector $uid 198.18.7.7 80)\" = silent ]" ||
	fail "still banned"

# relayd reports a sweep; after the first addresses it is refused.
echo "scan 77 198.18.64.0 300 8080" | "$client" "$work/report.sock" >"$work/scan" || fail "client"
grep -q '^hello enforce' "$work/scan" || fail "greeting"
let=$(sed -n 's/^scan let \([0-9]*\) .*/\1/p' "$work/scan")
[ "$let" -lt 100 ] || fail "a sweep of 300: $(cat "$work/scan")"
ask mode observe >/dev/null
echo "scan 78 198.19.64.0 300 8080" | "$client" "$work/report.sock" >"$work/scan"
grep -q '^scan let 300 refused 0 [a-z-]*[a-mo-z]' "$work/scan" ||
	fail "observing: $(cat "$work/scan")"
[ "$(field matched)" -gt 200 ] || fail "observing does not count"

# Whatever comes in wrong ends that connection only.
for bad in 00 $(printf '%0112d' 0) $(printf '63%0110d' 0) $(printf '%0160d' 0); do
	[ "$(echo "raw $bad" | "$client" "$work/report.sock" | tail -n 1)" = closed ] ||
		fail "record $bad was taken"
done
[ "$(echo "raw 4142434445" | "$client" "$work/report.sock" rude)" = closed ] || fail "no greeting"
[ "$(field broken)" = 5 ] || fail "broken connections: $(field broken)"
[ "$(echo "open 1 1 198.18.0.9 443" | "$client" "$work/report.sock" | tail -n 1)" = "1 allow none" ] ||
	fail "an honest one afterwards"
printf 'status extra\nx' | timeout 5 nc -U "$work/control.sock" >/dev/null 2>&1
ask nonsense >/dev/null 2>&1 && fail "a command that is none"
stop_guard
echo "bans, sweeps and bad records as they should be"
