#!/bin/sh
# The directory client against three stock authorities: a consensus fetched and verified twice, all
# Ed25519 identities, a descriptor that every authority keeps; then once more from the cache.
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v tor-gencert >/dev/null || { echo "needs tor and tor-gencert"; exit 77; }
net=$(mktemp -d) || exit 1
testnet=$srcdir/tests/testnet/testnet.sh
trap '"$testnet" down "$net"; rm -rf "$net"' EXIT
mkdir -m 700 "$net/live"
"$testnet" up "$net" -a 3 -m 1 -x 1 -c 0 -n || exit 1
sed 's/^DirAuthority //' "$net/dirauth.lines" >"$net/authorities.values"
for run in first cached; do
	echo "-- $run run"
	"$testnet" exec "$net" "$builddir/relayd/dir/dir_live_test" "$net/authorities.values" \
	    127.0.5.9 "$net/live" 50 || exit 1
done
