#!/usr/bin/env bash
# t_two_exits.sh: a stock client with two exits: relayd, which refuses one network, and a stock
# one. The client's honest requests to that network all succeed, through the other exit. And
# relayd carries a stream as the middle of a circuit.
export GUARD=1
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

network -c 1 -x 2
guard_conf enforce
guard_start
check "relayd reports to exitguard" wait_for 30 guard_is_connected
ctl ban 198.19.50.0/24
# A client asks three exits at most for one destination. With the weights of a small share of the
# network, as one exit has it, three tries never all meet the one that refuses.
net weight "$exit_fp" 60
client_knows() {
	net_exec python3 - "$exit_fp" <<-P
	import socket, sys
	s = socket.create_connection(('127.0.4.1', 9051), 5)
	s.sendall(b'AUTHENTICATE\r\nGETINFO ns/id/%s\r\nQUIT\r\n' % sys.argv[1].encode())
	text = b''.join(iter(lambda: s.recv(4096), b''))
	sys.exit(b'Bandwidth=60\r' not in text)
	P
}
check "the client has the consensus with these weights" wait_for 60 client_knows

# as a browser does: a circuit of its own for each site
visit() { # N
	net_exec curl -sS --max-time 60 --proxy "socks5h://site$1:x@127.0.4.1:9050" \
	    "http://h$((50 * 256 + $1)).test/hello.txt"
}
say "100 visits of sites in the network that relayd refuses, four at once"
visits() { # FROM TO
	local i
	for i in $(seq "$1" "$2"); do
		[ "$(visit "$i")" = "hello through tor" ] || echo "visit $i failed"
	done
}
for part in 1 2 3 4; do
	background visits$part visits $((part * 25 - 24)) $((part * 25))
done
for part in 1 2 3 4; do finish visits$part; done
cat "$work"/visits?.err
holds "visits that failed" "$(cat "$work"/visits? | wc -l)" -eq 0
background three traffic download 127.0.4.1 http://198.19.50.200/1m.bin --count 30 --at-once 3
check "three downloads at once, by address" finish three
cat "$work/three"
holds "of them, refused by relayd on the way" "$(guard_value 'd["banned"]')" -ge 1
background other traffic download 127.0.4.1 http://h9.test/1m.bin --count 20 --at-once 3
check "requests to other networks" finish other
cat "$work/other"

say "relayd as the middle of a circuit that carries a download"
check "10 MiB over it, byte for byte" net_exec python3 "$srcdir/tests/middle.py" 127.0.4.1 \
    "$exit_fp" auth1 exit2 h3.test /10m.bin "$big_sum"
quiet_logs
stop_own
