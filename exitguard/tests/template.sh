#!/bin/sh
# template.sh: the table laid over netlink and the one loaded from the template are the same,
# byte for byte; other tables are untouched from before the start until after the stop.
. "${srcdir:-$PWD}/exitguard/tests/lib.sh"

nsx nft -f "$srcdir/nft-templates/exitguard.nft" || fail "the template does not load"
nsx nft list table inet exitguard >"$work/template"
nsx nft delete table inet exitguard
nsx nft -f "$srcdir/nft-templates/inbound.nft" || fail "the inbound template does not load"

for i in 1 2 3 4 5 6 7 8 9 10; do
	nsx nft -f - <<EOF
table inet foreign$i {
	set some { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 203.0.113.$i } }
	chain out { type filter hook output priority $i; ip daddr @some counter drop; }
}
EOF
done
nsx nft -s list ruleset >"$work/before"

write_conf "Mode observe"
start_guard
nsx nft -t list table inet exitguard >"$work/ours"
sed '/elements = /d' "$work/template" | diff - "$work/ours" || fail "template and netlink differ"
nsx nft -s list ruleset | sed '/^table inet exitguard {/,/^}/d' >"$work/during"
diff "$work/before" "$work/during" || fail "foreign tables changed at the start"

stop_guard
nsx nft -s list ruleset | diff "$work/before" - || fail "foreign tables changed, or something stays"
echo "same table, foreign tables untouched"
