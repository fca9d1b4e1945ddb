#!/usr/bin/env bash
# measure.sh: figures, not a test: the same stock client's downloads and new streams through relayd
# and through a stock exit, by turns on one network, and the engine's decisions a second. Build
# without sanitizers for it, and let the machine do nothing else.
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"
rounds=${1:-3}

# UP="-P cc_alg=0" turns congestion control off, so that both exits have fixed windows
network -c 2 -x 2 ${UP:-}
other_fp=$(awk '{ print $2 }' "$work/net/nodes/exit2/data/fingerprint")
pin() { # CLIENT HEXFP: leave by this exit only
	net_exec python3 - "127.0.4.$1" "$2" <<-P
	import socket, sys
	s = socket.create_connection((sys.argv[1], 9051), 10)
	s.sendall(b'AUTHENTICATE\r\nSETCONF ExitNodes=\$%s\r\nSIGNAL NEWNYM\r\nQUIT\r\n' % sys.argv[2].encode())
	while s.recv(4096):
	    pass
	P
}
pin 1 "$exit_fp"
pin 2 "$other_fp"
sleep 12
row() { printf '%-28s %14s %14s\n' "$@"; }
speed() { # CLIENT
	traffic download "127.0.4.$1" http://h3.test/10m.bin --count 4 --sha256 "$big_sum" > "$work/m"
	json "$work/m" 'round(d["bytes_a_second"] / 1e6, 2)'
}
streams() { # CLIENT
	traffic download "127.0.4.$1" http://198.19.0.10/hello.txt --count 400 --at-once 20 > "$work/m"
	json "$work/m" 'round(d["done"] / d["seconds"], 1)'
}
cpu() { # NODE: seconds of CPU so far
	awk '{ sub(/^.*\) /, ""); print ($12 + $13) / 100 }' "/proc/$(net pid "$1")/stat"
}
row "" relayd "stock tor"
for round in $(seq 1 "$rounds"); do
	a=$(cpu exit1) b=$(cpu exit2)
	row "download, MB/s" "$(speed 1)" "$(speed 2)"
	row "  CPU of the exit, s/GB" \
	    "$(awk -v a="$a" -v b="$(cpu exit1)" 'BEGIN { printf "%.2f", (b - a) / 0.0419 }')" \
	    "$(awk -v a="$b" -v b="$(cpu exit2)" 'BEGIN { printf "%.2f", (b - a) / 0.0419 }')"
	row "new streams a second" "$(streams 1)" "$(streams 2)"
done
python3 - > "$work/trace" <<'P'
import json, random
r = random.Random(3)
for i in range(300000):
    t = i / 3000
    print(json.dumps({'ev': 'new', 't': round(t, 6), 'id': i, 'circ': i // 7 + r.randrange(50),
                      'dst': '240.%d.%d.%d' % (r.randrange(64), r.randrange(256), r.randrange(256)),
                      'port': r.choice((443, 443, 443, 80, 22)), 'host': 1}))
    if i % 3:
        print(json.dumps({'ev': 'res', 't': round(t + 0.01, 6), 'id': i, 'res': 'ok'}))
P
for view in relay nft; do
	start=$(date +%s.%N)
	"$EXITGUARD" replay --view $view < "$work/trace" > "$work/answers"
	awk -v v=$view -v s="$start" -v e="$(date +%s.%N)" -v n="$(wc -l < "$work/answers")" \
	    'BEGIN { printf "replay, view %-6s %d decisions in %.2f s: %.0f a second\n", v, n, e - s, n / (e - s) }'
done
