#!/usr/bin/env bash
# compare.sh: relayd beside a stock exit, in one private network, by stock clients, alternating:
# what a download reaches, how many small streams a second, and the exit's CPU time for them.
# Needs root and a finished build without sanitizers (./quickstart build). Prints medians.
#
#   bench/compare.sh [RUNS]      (default 5; about half a minute a run)
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-5}
work=$(mktemp -d /tmp/exitgate-compare.XXXXXX)
net() { "$top/tests/testnet/testnet.sh" "$1" "$work/net" "${@:2}"; }
finish() { net down >/dev/null; rm -rf "$work"; }
trap finish EXIT
trap 'exit 130' INT TERM
[ "$(id -u)" = 0 ] || { echo "compare.sh: needs root" >&2; exit 2; }

TOR_exit1=$top/relayd/relayd net up -x 2 -c 2 || exit 1
head -c 52428800 /dev/urandom > "$work/net/www/50m.bin"

# client 1 leaves through exit1 (relayd), client 2 through exit2 (stock)
for k in 1 2; do
	net exec python3 - $k <<-'P' || exit 1
	import socket, sys
	k = sys.argv[1]
	s = socket.create_connection(('127.0.4.' + k, 9051), 5).makefile('rwb')
	for command in ('AUTHENTICATE', 'SETCONF ExitNodes=exit' + k, 'SIGNAL NEWNYM'):
	    s.write(command.encode() + b'\r\n')
	    s.flush()
	    assert s.readline().startswith(b'250')
	P
done
sleep 5

cpu_ms() { # NODE: user and system time of all its threads, in ms
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/^.*\) /, ""); print ($12 + $13) * 1000 / hz }' \
	    "/proc/$(net pid "$1")/stat"
}
traffic() { net exec python3 "$top/tests/traffic.py" "$@"; }
value() { python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

one() { # RUN K WHAT ARGUMENT...: a line "WHAT exitK VALUE CPU" into $work/results
	local k=$2 what=$3 expression=$4 before after got
	before=$(cpu_ms "exit$k")
	got=$(traffic download "127.0.4.$k" "${@:5}" | value "$expression")
	after=$(cpu_ms "exit$k")
	echo "$what exit$k $got $(awk -v a="$before" -v b="$after" 'BEGIN { print b - a }')" |
	    tee -a "$work/results"
}
site=http://198.19.0.10
for run in $(seq "$runs"); do
	for k in 1 2; do
		one "$run" $k single 'd["bytes_a_second"] / 1e6' $site/50m.bin
		one "$run" $k eight 'd["bytes_a_second"] / 1e6' $site/50m.bin --count 8 --at-once 8
		one "$run" $k streams 'd["done"] / d["seconds"]' $site/hello.txt --count 1500 --at-once 40
	done
done
python3 - "$work/results" <<'P'
import collections, statistics, sys
value, cpu = collections.defaultdict(list), collections.defaultdict(list)
for line in open(sys.argv[1]):
    what, node, v, ms = line.split()
    value[what, node].append(float(v))
    cpu[what, node].append(float(ms))
amount = {'single': .0524288, 'eight': .4194304, 'streams': 1500}
print('%-28s %12s %12s %8s' % ('median of %d runs' % len(value['single', 'exit1']), 'relayd', 'stock', 'ratio'))
for what, label in (('single', 'one download, MB/s'), ('eight', 'eight at once, MB/s'),
                    ('streams', 'small streams a second')):
    a, b = (statistics.median(value[what, n]) for n in ('exit1', 'exit2'))
    print('%-28s %12.1f %12.1f %8.2f' % (label, a, b, a / b))
for what, label in (('single', 'one download, CPU-s/GB'), ('eight', 'eight at once, CPU-s/GB'),
                    ('streams', 'CPU ms a small stream')):
    scale = amount[what] * (1000 if what != 'streams' else 1)
    a, b = (statistics.median(cpu[what, n]) / scale for n in ('exit1', 'exit2'))
    print('%-28s %12.3f %12.3f %8.2f' % (label, a, b, a / b))
P
