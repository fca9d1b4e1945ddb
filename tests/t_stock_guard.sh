#!/usr/bin/env bash
# t_stock_guard.sh: stock tor as the exit and exitguard beside it, seeing the kernel's log of new
# connections: a scan is seen, and the kernel refuses it with admin-prohibited; other people's
# downloads go on.
export STOCK_EXIT=1
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

network -c 2
guard_conf enforce "View nft"
guard_start
say "a scan of 198.18.0.0/16, port 22, through client 1; downloads through client 2"
background scan traffic scan 127.0.4.1 --rate 25 --seconds 60 --grace 30
background people traffic download 127.0.4.2 http://h9.test/1m.bin --at-once 3 --seconds 58 --pause 1
sleep 55
status=$(ctl --json status)
finish scan
check "downloads through client 2 all succeed" finish people
cat "$work/scan" "$work/people"
ctl status
holds "events seen in the kernel's log" "$(json "$status" 'd["feed"]["events"]')" -ge 500
holds "connections that matched" "$(json "$status" 'd["nft"]["matched"]')" -ge 30
holds "refused by the kernel" \
    "$(json "$status" 'sum(v for k, v in d["kernel"]["counters"].items() if "refus" in k or "reject" in k)')" -ge 30
say "what a new connection meets, from the exit's own address"
check "to the scanned network: refused at once, admin-prohibited" net_exec python3 "$srcdir/tests/knock.py" \
    $exit_address 198.18.77.7 22 prohibited
check "to a site: connected" net_exec python3 "$srcdir/tests/knock.py" \
    $exit_address 198.19.0.77 80 connected
check "from another address (not exit traffic): not refused" net_exec python3 "$srcdir/tests/knock.py" \
    192.0.2.10 198.18.77.7 22 silent
quiet_logs
