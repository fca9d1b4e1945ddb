#!/usr/bin/env bash
# t_letter.sh: the complaint of a scan's victim, and what `abuse` answers: the facts in the draft
# are those of the relay's configuration and of the guard's ledger.
export GUARD=1
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

network -c 1
guard_conf enforce
guard_start
check "relayd reports to exitguard" wait_for 30 guard_is_connected
say "a scan"
traffic scan 127.0.4.1 --rate 20 --seconds 25 --grace 10
scanned=$(date -u +%Y-%m-%dT%H:%M:%SZ)

cat > "$work/facts.json" <<T
{ "operator": "Example Exit Operators", "mailboxes": ["abuse@exit.example.org"],
  "timezone": "Europe/Berlin",
  "relays": [ { "nickname": "exit1", "fingerprint": "$exit_fp", "hoster": "hoster.example",
      "or_addresses": ["127.0.3.1"], "exit_addresses": ["$exit_address"],
      "policies": [ { "from": "2025-01-01T00:00:00Z", "accept": "all-but-25" } ] } ],
  "mail_hop_ranges": [] }
T
complaint() { # TARGET PORT: the mail, about the time of the scan
	sed -e "s/@TIME@/$scanned/g" -e "s/@SOURCE@/$exit_address/g" -e "s/@PORT@/$2/g" \
	    -e "s/@TARGET@/$1/g" "$srcdir/abuse/samples/fail2ban-demo.eml.in"
}
letter() { # NAME LEDGER-OF: the draft for $work/NAME.eml, as one line of text
	ctl --json ledger --prefix "$2" --from "$scanned" --to "$(date -u +%Y-%m-%dT%H:%M:%SZ -d '1 second')" \
	    > "$work/$1.ledger"
	mkdir -p "$work/$1.out"
	"$ABUSE" reply --facts "$work/facts.json" --ledger "$work/$1.ledger" --out "$work/$1.out" \
	    "$work/$1.eml" > "$work/$1.said" 2>&1
	cat "$work/$1.out"/*.eml 2>/dev/null | tr -s ' \n' '  '
}
says() { # WHAT TEXT PATTERN
	case $2 in *$3*) ok "$1" ;; *) bad "$1: not in the draft: $3" ;; esac
}
says_not() {
	case $2 in *$3*) bad "$1: the draft says: $3" ;; *) ok "$1" ;; esac
}

say "about the network that was scanned"
complaint 198.18.5.5 22 > "$work/scanned.eml"
text=$(letter scanned 198.18.5.5)
cat "$work/scanned.out"/*.eml
says "it answers the one who wants the answer" "$text" "To: noc@victim.example"
says "in the thread" "$text" "In-Reply-To: <fail2ban.1@gw.victim.example>"
says "keeps the case's token" "$text" "[Case #2026-0417]"
says "names source, target, port" "$text" "$exit_address -> 198.18.5.5, port 22/tcp"
says "names the time" "$text" "$(echo "$scanned" | tr T ' ' | tr -d Z)"
says "the policy of that time" "$text" "allowed port 22"
says "that it was limited" "$text" "refused connections toward 198.18.5.0/24"
says_not "and claims no certainty" "$text" "confirmed"

say "about a port that the policy never allowed"
complaint 198.18.5.5 25 > "$work/smtp.eml"
text=$(letter smtp 198.18.5.5)
says "names the port" "$text" "port 25/tcp"
says_not "does not say that the policy allowed it" "$text" "allowed port 25"
says_not "does not say that it cannot be excluded" "$text" "cannot be excluded"
sed -n '/checked/,/^$/p' "$work"/smtp.out/*.eml

say "about a network toward which nothing was refused"
complaint 198.19.77.5 22 > "$work/quiet.eml"
text=$(letter quiet 198.19.77.5)
says "names it" "$text" "198.19.77.5, port 22/tcp"
says_not "does not claim a refusal" "$text" "refused connections toward"

say "what abuse read"
"$ABUSE" parse --facts "$work/facts.json" "$work/scanned.eml" > "$work/record"
check "policy" test "$(json "$work/record" 'd["incidents"][0]["policy"]')" = accept
check "time" test "$(json "$work/record" 'd["incidents"][0]["first_utc"]')" = "$scanned"
quiet_logs
