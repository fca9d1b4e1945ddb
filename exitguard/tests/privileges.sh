#!/bin/sh
# privileges.sh: started by root with another User: priv keeps CAP_NET_ADMIN alone, front nothing,
# neither can gain any; the guard works so, front's restart included.
. "${srcdir:-$PWD}/exitguard/tests/lib.sh"

write_conf "Mode enforce" "RelayUser nobody"
sed -i 's/^User root/User nobody/' "$work/conf"
mkdir "$work/run" && chown nobody "$work/run"
sed -i "s|$work/\([a-z]*\).sock|$work/run/\1.sock|; s|$work/state|$work/run/state|" "$work/conf"
ask() { "$ctl" -s "$work/run/control.sock" "$@"; }
cp "$guard" "$work/exitguard" && guard=$work/exitguard	# where nobody may read it
start_guard

caps() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
front=$(front_pid $guard_pid)
[ "$(caps $guard_pid Uid | cut -f 1)" = 65534 ] || fail "priv's user"
[ "$(caps $guard_pid CapEff)" = 0000000000001000 ] || fail "priv: $(caps $guard_pid CapEff)"
[ "$(caps $guard_pid CapPrm)" = 0000000000001000 ] || fail "priv: $(caps $guard_pid CapPrm)"
[ "$(caps $guard_pid CapBnd)" = 0000000000000000 ] || fail "priv: $(caps $guard_pid CapBnd)"
[ "$(caps $guard_pid NoNewPrivs)" = 1 ] || fail "priv may gain privileges"
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	[ "$(caps "$front" $set)" = 0000000000000000 ] || fail "front: $set $(caps "$front" $set)"
done
[ "$(caps "$front" Uid | cut -f 1)" = 65534 ] || fail "front's user"
[ "$(caps "$front" NoNewPrivs)" = 1 ] || fail "front may gain privileges"
[ "$(caps "$front" Seccomp)" = 2 ] && [ "$(caps $guard_pid Seccomp)" = 2 ] || fail "seccomp"
[ -z "$(caps "$front" Groups)" ] || [ "$(caps "$front" Groups)" = " " ] || fail "front's groups"

ask ban 198.18.7.0/24 >/dev/null || fail "ban"
wait_for 2 sh -c "[ \"\$(ip netns exec $ns $connector 65534 198.18.7.7 80)\" = EHOSTUNREACH ]" ||
	fail "the ban does not hold"
kill -9 "$front"
sleep 0.5
wait_for 10 is_ready || fail "front does not come back"
[ -f "$work/run/state/state" ] || fail "no state is kept"
nsx nft list set inet exitguard ban_net4 | grep -q 198.18.7.0 || fail "the ban is gone"
stop_guard

# The same when systemd has already changed the user and left CAP_NET_ADMIN as an ambient one.
ip netns exec "$ns" setpriv --reuid nobody --clear-groups --inh-caps=-all,+net_admin \
	--ambient-caps=-all,+net_admin --bounding-set=-all,+net_admin \
	"$guard" -c "$work/conf" >>"$work/log" 2>&1 &
guard_pid=$!
wait_for 15 is_ready || fail "exitguard does not come up with an ambient capability"
front=$(front_pid $guard_pid)
[ "$(caps $guard_pid CapEff)" = 0000000000001000 ] || fail "priv: $(caps $guard_pid CapEff)"
for set in CapInh CapPrm CapEff CapAmb; do
	[ "$(caps "$front" $set)" = 0000000000000000 ] || fail "front: $set $(caps "$front" $set)"
done
stop_guard
[ ! -e "$work/run/report.sock" ] || fail "the socket stays"
echo "CAP_NET_ADMIN alone, and nothing in front"
