# lib.sh: for the tests of this folder that need root: a network namespace of their own with a
# network in it that swallows packets, exitguard in it, and clean-up. Sourced.
#
# The namespace has an interface with 198.18.0.0/15 and 2001:db8::/32 behind it: a SYN leaves and
# nobody answers. 127.0.0.1 answers as usual.
set -u
builddir=${builddir:-$PWD}
srcdir=${srcdir:-$PWD}
guard=$builddir/exitguard/exitguard
ctl=$builddir/exitguard/exitguardctl
client=$builddir/exitguard/tests/report_client
connector=$builddir/exitguard/tests/connector

[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v nft >/dev/null || { echo "needs nft"; exit 77; }
ns=eg$$-$(basename "$0" .sh)
ns=$(echo "$ns" | cut -c1-24)
ip netns add "$ns" || { echo "cannot make a network namespace"; exit 77; }
work=$(mktemp -d /tmp/exitguard-test.XXXXXX)
chmod 755 "$work"
guard_pid=

finish() {
	status=$?
	trap - EXIT
	for pid in $(ip netns pids "$ns" 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
	ip netns del "$ns" 2>/dev/null
	if [ $status != 0 ] && [ $status != 77 ]; then
		echo "--- log of exitguard"
		tail -n 40 "$work/log" 2>/dev/null
	fi
	rm -rf "$work"
	exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() { echo "FAILED: $*"; exit 1; }
nsx() { ip netns exec "$ns" "$@"; }

nsx ip link set lo up
# No neighbours are asked for (arp off): packets go out and the other end does not take them.
nsx ip link add quiet0 type veth peer name quiet1
nsx ip link set quiet0 arp off
nsx ip link set quiet1 arp off
nsx ip link set quiet0 up
nsx ip link set quiet1 up
nsx ip addr add 198.18.0.1/15 dev quiet0
nsx ip -6 addr add 2001:db8::1/32 dev quiet0 nodad

# write_conf LINE...: a configuration with these lines in it
write_conf() {
	{
		echo "User root"
		echo "ReportSocket $work/report.sock"
		echo "ControlSocket $work/control.sock"
		echo "StateDirectory $work/state"
		echo "Log info stderr"
		for line in "$@"; do echo "$line"; done
	} >"$work/conf"
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	tries=$(($1 * 20))
	shift
	while [ $tries -gt 0 ]; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
		tries=$((tries - 1))
	done
	return 1
}

ask() { "$ctl" -s "$work/control.sock" "$@"; }
is_ready() { ask status --json | grep -q '"state":"in-force"'; }

start_guard() {
	ip netns exec "$ns" "$guard" -c "$work/conf" >>"$work/log" 2>&1 &
	guard_pid=$!
	wait_for 15 is_ready || fail "exitguard does not come up"
}

# The process that answers: the child of priv.
front_pid() { cat "/proc/$1/task/$1/children" | tr -d ' '; }

stop_guard() {
	kill -TERM "$guard_pid"
	wait "$guard_pid" || fail "exitguard ended with $?"
	guard_pid=
}

# field KEY: a number or word out of status
field() { ask status --json | tr ',{}' '\n\n\n' | sed -n "s/^\"$1\"://p" | tr -d '"' | head -n 1; }
