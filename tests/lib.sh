# lib.sh: what the whole-program tests share; read by t_*.sh and by the demonstration (bash).
#
# $srcdir and $builddir say where the tree and the programs are (both default to the tree). Each
# test has a folder of its own, $work, with the network under $work/net; all is stopped and
# removed when the test ends, the folder is kept if KEEP is set.
set -u
srcdir=${srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
builddir=${builddir:-$srcdir}
RELAYD=$builddir/relayd/relayd
EXITGUARD=$builddir/exitguard/exitguard
EXITGUARDCTL=$builddir/exitguard/exitguardctl
ABUSE=$builddir/abuse/abuse
TRAFFIC=$srcdir/tests/traffic.py
exit_address=192.0.2.11
checks=0 faults=0
# a sanitizer's word goes into the log of the program, and ends it
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:exitcode=99}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

[ "$(id -u)" = 0 ] || { echo "root is needed for network namespaces"; exit 77; }
[ -x /usr/sbin/tor ] || { echo "stock tor is needed (Debian: tor)"; exit 77; }
work=$(mktemp -d /tmp/exitgate-test.XXXXXX) || exit 1
chmod 755 "$work"

say() { echo "-- $*"; }
ok() { checks=$((checks + 1)); echo "ok   $*"; }
bad() { faults=$((faults + 1)); echo "BAD  $*"; }
# check WHAT CMD...: run CMD; it must succeed
check() {
	local what=$1
	shift
	if "$@"; then ok "$what"; else bad "$what"; fi
}
# holds WHAT LEFT -eq|-ge|= RIGHT: compare, and say what was seen; numbers may have a fraction
holds() {
	local what=$1 left=$2 how=$3 right=$4
	if python3 - "$left" "$how" "$right" <<'P'; then ok "$what: $left"; else bad "$what: $left, wanted $how $right"; fi
import operator, sys
left, how, right = sys.argv[1:]
ops = {'-eq': operator.eq, '-ge': operator.ge, '-le': operator.le, '-gt': operator.gt,
       '-lt': operator.lt, '-ne': operator.ne}
if how == '=':
    sys.exit(left != right)
try:
    sys.exit(not ops[how](float(left), float(right)))
except ValueError:
    sys.exit(1)
P
}
die() { bad "$*"; exit 1; }

# --- the network
net() { local command=$1; shift; "$srcdir/tests/testnet/testnet.sh" "$command" "$work/net" "$@"; }
net_exec() { net exec "$@"; }
# json TEXT-OR-FILE EXPRESSION: a value of a JSON document, d being the document
json() {
	python3 - "$1" "$2" <<'P'
import json, os, sys
text = open(sys.argv[1]).read() if os.path.exists(sys.argv[1]) else sys.argv[1]
try:
    d = json.loads(text)
    value = eval(sys.argv[2], {'d': d, 'sum': sum, 'len': len})
    print(value if isinstance(value, str) else json.dumps(value))
except (ValueError, KeyError, IndexError, TypeError) as e:
    print('none (%s)' % type(e).__name__)
P
}
# network UP-OPTION...: stock authorities, middles and clients; exit1 is relayd unless STOCK_EXIT=1,
# and asks exitguard if GUARD=1
network() {
	[ "${STOCK_EXIT:-0}" = 1 ] || export TOR_exit1=$RELAYD
	if [ "${GUARD:-0}" = 1 ]; then
		printf 'Workers 2\nGuardSocket %s\n' "$work/guard/report.sock" > "$work/exit.lines"
		export LINES_exit1=$work/exit.lines
		EXPECTED_COMPLAINTS="no exitguard at GuardSocket|${EXPECTED_COMPLAINTS:-}"
	fi
	head -c 10485760 /dev/urandom > "$work/10m.bin"
	mkdir -p "$work/net/www"
	cp "$work/10m.bin" "$work/net/www/10m.bin"
	big_sum=$(sha256sum < "$work/10m.bin" | cut -d' ' -f1)
	net up -w 90 "$@" || { show_logs; die "the network did not come up"; }
	exit_fp=$(awk '{ print $2 }' "$work/net/nodes/exit1/data/fingerprint")
}
traffic() { net_exec python3 "$TRAFFIC" "$@"; }
# background NAME CMD...: run in the background, output to $work/NAME; finish NAME waits for it
background() {
	local name=$1
	shift
	"$@" > "$work/$name" 2> "$work/$name.err" &
	echo $! > "$work/$name.pid"
}
finish() { wait "$(cat "$work/$1.pid")"; }

# --- exitguard
guard_conf() { # MODE [LINE...]
	local mode=$1
	shift
	mkdir -p "$work/guard"
	chmod 755 "$work/guard"
	# the guard's own user may not read the relay's folder: here it gets a copy
	install -m 644 "$work/net/nodes/client1/data/cached-microdesc-consensus" "$work/guard/consensus"
	{
		cat <<-T
		Mode $mode
		User nobody
		SourceAddress $exit_address
		ConsensusFile $work/guard/consensus
		ReportSocket $work/guard/report.sock
		ControlSocket $work/guard/control.sock
		StateDirectory $work/guard/state
		T
		[ $# = 0 ] || printf '%s\n' "$@"
	} > "$work/guard/exitguard.conf"
}
guard_start() { # waits until it answers
	local i
	net spawn exitguard "$EXITGUARD" -c "$work/guard/exitguard.conf"
	for i in $(seq 1 100); do
		ctl status >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	tail -n 20 "$work/net/nodes/exitguard/out"
	die "exitguard does not answer"
}
ctl() { net_exec "$EXITGUARDCTL" --socket "$work/guard/control.sock" "$@"; }
guard_value() { json "$(ctl --json status)" "$1"; }
# wait_for SECONDS CMD...: until CMD succeeds
wait_for() {
	local end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $end ] || return 1
		sleep 0.3
	done
}
guard_is_connected() { [ "$(guard_value 'd["reports"]["connected"]')" -ge 1 ] 2>/dev/null; }

# --- the end of a test
show_logs() {
	local name
	for name in exit1 exitguard; do
		for log in "$work/net/nodes/$name/log" "$work/net/nodes/$name/out"; do
			[ -s "$log" ] && { echo "-- the end of $log"; grep -v "has no effect" "$log" | tail -n 12; }
		done
	done
}
# What a sanitizer, valgrind or a warning said in our own programs' logs.
own_complaints() {
	grep -hE 'AddressSanitizer|LeakSanitizer|runtime error|ThreadSanitizer|\[warn\]|\[err' \
	    $([ "${STOCK_EXIT:-0}" = 1 ] || echo "$work"/net/nodes/exit1/{log,out}) \
	    "$work"/net/nodes/exitguard/out 2>/dev/null |
	    grep -vE 'TestingTorNetwork|SafeLogging|DirAuthority|as root|status code 404|choose an exit server' |
	    grep -vE "${EXPECTED_COMPLAINTS:-}nothing else"
}
quiet_logs() {
	local warnings
	warnings=$(net warnings | grep -v '^exit1: ')
	[ -z "$warnings" ] && ok "no protocol warning in a stock node's log" ||
	    bad "stock nodes warned: $(printf '%s\n' "$warnings" | head -n 5)"
	warnings=$(own_complaints)
	[ -z "$warnings" ] && ok "no warning from our programs" ||
	    bad "our programs warned: $(printf '%s\n' "$warnings" | head -n 8)"
}
# stops relayd and exitguard as an operator would, so that leak checks run
stop_own() {
	net stop exitguard
	net stop exit1
	local found
	found=$(grep -hE 'AddressSanitizer|LeakSanitizer|runtime error' \
	    "$work"/net/nodes/{exit1,exitguard}/out 2>/dev/null | head -n 3)
	[ -z "$found" ] && ok "nothing leaked" || bad "at the end: $found"
}
leave() {
	local status=$?
	trap - EXIT INT TERM
	[ -z "${job_pids:-}" ] || kill $job_pids 2>/dev/null
	[ $faults = 0 ] || show_logs
	[ ! -e "$work/net/netns" ] || net down >/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$work"
	[ -z "${KEEP:-}" ] || echo "kept: $work"
	[ $faults = 0 ] && [ $status = 0 ] && { echo "$checks checks held"; exit 0; }
	echo "$checks held, $faults did not"
	exit 1
}
trap leave EXIT
trap 'exit 1' INT TERM
