# quickstart-demo.sh: what `./quickstart demo` does; read by quickstart, in the top folder, after
# the programs were built there.
began=$(date +%s)
srcdir=$top builddir=$top GUARD=1
export srcdir builddir GUARD
. tests/lib.sh
trap - EXIT
exec 3>&1 # where the end is told, wherever it happens
demo_end() {
	local status=$?
	trap - EXIT INT TERM
	[ ! -e "$work/net/netns" ] || net down >/dev/null
	[ $faults = 0 ] && [ $status = 0 ] || {
		printf '\nThe demonstration did not get to its end; what the programs said lies in %s\n' "$work" >&3
		[ ! -s "$work/up" ] || tail -n 15 "$work/up" >&3
		exit 1
	}
	rm -rf "$work"
	exit 0
}
trap demo_end EXIT

step() { printf '\n%s%s  %s%s\n' "$bold" "$(elapsed)" "$*" "$plain"; }
elapsed() { printf '%d:%02d' $((($(date +%s) - began) / 60)) $((($(date +%s) - began) % 60)); }
indent() { sed 's/^/      /'; }
percent() { python3 -c 'import sys; v = sys.argv[1]; print("%.1f %%" % (100 * float(v)) if v[0].isdigit() else v)' "$1"; }
megabytes() { python3 -c 'import sys; print("%.1f MB/s" % (float(sys.argv[1]) / 1e6))' "$1"; }

step "A Tor network of its own: 3 authorities, 3 middles and 2 clients of stock tor $(tor --version | awk 'NR == 1 { sub(/\.$/, "", $3); print $3 }'), relayd as the exit"
network -c 2 >"$work/up" || exit 1
flags=$(net flags | awk -v fp="$exit_fp" '$3 == fp { $1 = $2 = $3 = ""; print; exit }' | xargs)
echo "the consensus lists relayd as: $flags" | indent

step "exitguard lays its table in the kernel of that network and starts to enforce"
guard_conf enforce
guard_start
wait_for 30 guard_is_connected || die "relayd does not reach exitguard"
ctl status | sed -n '2,3p' | indent

step "A download through relayd: 10 MiB, by name"
traffic download 127.0.4.1 http://h3.test/10m.bin --sha256 "$big_sum" > "$work/first" ||
    die "the download failed: $(cat "$work/first")"
speed=$(megabytes "$(json "$work/first" 'd["bytes_a_second"]')")
echo "byte for byte the same, at $speed" | indent

step "A scan of 198.18.0.0/16, port 22, through client 2; people go on through client 1"
scan_s=45
background scan traffic scan 127.0.4.2 --rate 15 --seconds $scan_s --grace 20
background people traffic download 127.0.4.1 http://h9.test/1m.bin --at-once 3 --seconds $((scan_s - 2)) --pause 1
background files traffic upload 127.0.4.1 http://h11.test/album --files 300 --at-once 6
for i in $(seq 1 $((scan_s / 5))); do
	sleep 5
	status=$(ctl --json status)
	stats=$(net_exec curl -s -m 2 http://198.19.0.10/stats)
	printf '%3d s   at the exit: %5s streams asked for, %5s turned away    people: %3s downloads, %3s uploads done\n' \
	    $((i * 5)) "$(json "$status" 'd["relay"]["streams"]')" "$(json "$status" 'd["relay"]["matched"]')" \
	    "$(json "$stats" 'd["gets"]')" "$(json "$stats" 'd["uploads"]')" | indent
done
scanned=$(date -u +%Y-%m-%dT%H:%M:%SZ)
finish scan
finish files || bad "uploads failed"
finish people || bad "downloads failed"

step "exitguardctl status"
ctl status | indent
step "Then a complaint comes in, from the fail2ban of a network that was scanned"
cat > "$work/facts.json" <<T
{ "operator": "Example Exit Operators", "mailboxes": ["abuse@exit.example.org"],
  "timezone": "Europe/Berlin",
  "relays": [ { "nickname": "exit1", "fingerprint": "$exit_fp", "hoster": "hoster.example",
      "or_addresses": ["127.0.3.1"], "exit_addresses": ["$exit_address"],
      "policies": [ { "from": "2025-01-01T00:00:00Z", "accept": "all-but-25" } ] } ],
  "mail_hop_ranges": [] }
T
sed -e "s/@TIME@/$scanned/g" -e "s/@SOURCE@/$exit_address/g" -e "s/@PORT@/22/g" \
    -e "s/@TARGET@/198.18.5.5/g" abuse/samples/fail2ban-demo.eml.in > "$work/complaint.eml"
sed -n '/^Lines containing/,$p' "$work/complaint.eml" | head -n 3 | indent
ctl --json ledger --prefix 198.18.5.5 --from "$scanned" > "$work/ledger.json"
mkdir "$work/letters"
"$ABUSE" reply --facts "$work/facts.json" --ledger "$work/ledger.json" --out "$work/letters" \
    "$work/complaint.eml" >/dev/null || die "no letter was drafted"
step "abuse drafts the answer from what relayd and exitguard know, for you to send"
cat "$work"/letters/*.eml | indent

tried=$(json "$work/scan" 'd["probes"]')
first=$(percent "$(json "$work/scan" 'd["first"]["share_refused"]')")
after=$(percent "$(json "$work/scan" 'd["after"]["share_refused"]')")
net down >/dev/null
cat <<T

${bold}What you saw, in $(elapsed)${plain}

   relayd     is an exit to stock tor: listed as $flags;
              10 MiB came through it byte for byte, at $speed
   the scan   tried $tried addresses; of what it asked the exit for, $first was turned away in
              the first 20 seconds and $after after that, so that a client goes elsewhere
   people     made $(json "$work/people" 'd["done"]') downloads and $(json "$work/files" 'd["done"]') uploads meanwhile; $(json "$work/people" 'd["failed"]') and $(json "$work/files" 'd["failed"]') failed
   the letter says what the policy was, that it was limited, and nothing that is not known

   All of it ran in two network namespaces on this machine, which are gone again.
   To put it on a real exit, see README: it starts by observing and refuses nothing.
T
