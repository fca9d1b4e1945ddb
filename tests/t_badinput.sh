#!/usr/bin/env bash
# t_badinput.sh: bad input at every door: each time one clear line, and the program lives on or
# does not start; and nothing leaks.
export GUARD=1
EXPECTED_COMPLAINTS='report|relayd link|relayd circuit|relayd exit|relayd protocol|'
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

# refuses WHAT PATTERN CMD...: CMD ends by itself, not with 0 and not by a signal; PATTERN is in
# what it says, in at most four lines, and no sanitizer complains
refuses() {
	local what=$1 pattern=$2 status
	shift 2
	timeout 20 "$@" > "$work/said" 2>&1 </dev/null
	status=$?
	if [ $status = 0 ] || [ $status -ge 99 ]; then
		bad "$what: ended with $status: $(tail -n 2 "$work/said")"
	elif ! grep -qE "$pattern" "$work/said" || [ "$(wc -l < "$work/said")" -gt 4 ]; then
		bad "$what: said: $(head -n 5 "$work/said")"
	else
		ok "$what: $(grep -m 1 -E "$pattern" "$work/said" | cut -c1-150)"
	fi
}

say "files that cannot be used"
torrc=$work/torrc
mkdir -p "$work/data"
chmod 700 "$work/data"
lines="DataDirectory $work/data\nORPort 127.0.0.1:9001\nNickname x\n"
: > "$work/empty"
with() { printf "$lines%s\n" "$1" > "$torrc"; }
refuses "a torrc that is not there" "nowhere" "$RELAYD" -f "$work/nowhere" --defaults-torrc "$work/empty" --verify-config
refuses "a torrc that is a folder" "data" "$RELAYD" -f "$work/data" --defaults-torrc "$work/empty" --verify-config
with "ExitPolcy reject *:*"
refuses "a misspelt option" "ExitPolicy" "$RELAYD" -f "$torrc" --defaults-torrc "$work/empty" --verify-config
with "HiddenServiceDir /var/lib/hs"
refuses "another program's role" "line 4.*HiddenServiceDir" "$RELAYD" -f "$torrc" --defaults-torrc "$work/empty" --verify-config
with "ExitPolicy reject 1.2.3.4/99:*"
refuses "a broken policy" "ExitPolicy" "$RELAYD" -f "$torrc" --defaults-torrc "$work/empty" --verify-config
head -c 3000 /dev/urandom > "$torrc"
refuses "a torrc of noise" "not a text file|line 1" "$RELAYD" -f "$torrc" --defaults-torrc "$work/empty" --verify-config
printf 'Mode sometimes\n' > "$work/guard.conf"
refuses "a wrong exitguard.conf" "1:.*|line 1" "$EXITGUARD" check-config -c "$work/guard.conf"
refuses "facts that are no JSON" "line 1" "$ABUSE" parse --facts "$torrc" "$srcdir/COPYING"

say "mail that is cut off, and what is no mail"
facts=$srcdir/abuse/samples/facts.json
mail=$srcdir/abuse/samples/fail2ban-demo.eml.in
for size in 0 1 100 400 700 1000; do
	head -c $size "$mail" > "$work/cut.eml"
	timeout 20 "$ABUSE" parse --facts "$facts" "$work/cut.eml" > "$work/said" 2>&1
	status=$?
	[ $status -lt 99 ] && ! grep -q Sanitizer "$work/said" && ok "a mail cut off after $size bytes ($status)" ||
	    bad "a mail cut off after $size bytes: $status, $(tail -n 3 "$work/said")"
done
head -c 200000 /dev/urandom > "$work/noise.eml"
timeout 20 "$ABUSE" parse --facts "$facts" "$work/noise.eml" > "$work/said" 2>&1
holds "noise instead of mail: exit status" $? -le 2

say "a relay and a guard that run"
network -c 1
guard_conf enforce
guard_start
check "relayd reports to exitguard" wait_for 30 guard_is_connected
pid=$(net pid exit1)
check "hostile peer at the ORPort: garbage, half handshakes, bad cells, BEGIN without NUL" \
    net_exec sh -c 'trap "" PIPE; exec timeout 120 "$@"' sh "$builddir/relayd/tests/hostile_peer" \
    127.0.3.1:9001 "$work/net/nodes/exit1/data" 127.0.9.1:8080
check "relayd is still the same process" test "$(net pid exit1)" = "$pid"
check "hostile reporters at the guard's socket" net_exec timeout 60 python3 \
    "$srcdir/tests/hostile_reporter.py" "$work/guard/report.sock"
check "noise at the control socket" sh -c "head -c 100000 /dev/urandom | timeout 10 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
try:
    s.sendall(sys.stdin.buffer.read())
    s.recv(1000)
except OSError:
    pass' $work/guard/control.sock"
check "the guard still answers" ctl status
check "relayd still reports" wait_for 20 guard_is_connected
check "a download after all that" test "$(net fetch 1 http://h7.test/hello.txt)" = "hello through tor"
holds "lines that our programs logged about it" \
    "$(cat "$work"/net/nodes/exit1/log "$work"/net/nodes/exitguard/out | wc -l)" -le 200
stop_own
