#!/usr/bin/env bash
# t_scan_relayd.sh: a scan of a /16 through relayd with exitguard beside it, first observed, then
# refused; meanwhile another client downloads and uploads 300 files, and sees no failure.
export GUARD=1
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

network -c 3
guard_conf observe
guard_start
check "relayd reports to exitguard" wait_for 30 guard_is_connected

say "observe: a scan through client 1"
before=$(ctl --json status)
background scan traffic scan 127.0.4.1 --rate 20 --seconds 30 --grace 15
check "the scan ends" finish scan
cat "$work/scan"
after=$(ctl --json status)
holds "attempts turned away as END MISC" \
    "$(json "$work/scan" 'd["first"].get("refused", 0) + d["after"].get("refused", 0)')" -eq 0
holds "attempts let out" "$(json "$work/scan" 'd["after"].get("let out", 0)')" -ge 50
holds "streams that would have been refused" "$(json "$after" 'd["relay"]["matched"]')" -ge 50
holds "refused by the kernel" "$(json "$after" 'd["kernel"]["counters"]["refused"]')" -eq 0

say "enforce: the same through client 3, with people on client 2"
ctl mode enforce
background people traffic download 127.0.4.2 http://h9.test/1m.bin --at-once 3 --seconds 92 --pause 1
background files traffic upload 127.0.4.2 http://h11.test/album --files 300 --at-once 6
background scan traffic scan 127.0.4.3 --rate 20 --seconds 95 --grace 60 --seed 2
check "300 files uploaded to one site, no failure" finish files
check "every download succeeded" finish people
check "the scan ends" finish scan
cat "$work/files" "$work/people" "$work/scan"
holds "attempts after the first minute" \
    "$(json "$work/scan" 'd["after"].get("refused", 0) + d["after"].get("let out", 0)')" -ge 20
holds "share of them refused as END MISC" "$(json "$work/scan" 'd["after"]["share_refused"]')" -ge 0.95
ctl status
ctl limits
quiet_logs
stop_own
