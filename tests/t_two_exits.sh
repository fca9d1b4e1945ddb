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
# A client asks three exits at most for one destination. With weights that give the one exit a small
# share, as it has on the real network, a client that met it once goes elsewhere the next time.
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

say "visits of sites in the network that relayd refuses, each trying relayd first"
hello=$(printf 'hello through tor\n' | sha256sum | cut -d' ' -f1)
for i in 1 2 3 4 5 6 7 8; do
	check "visit $i" net_exec python3 "$srcdir/tests/path.py" 127.0.4.1 "auth$((i % 3 + 1)),mid$((i % 3 + 1)),$exit_fp" \
	    h$((50 * 256 + i)).test /hello.txt "$hello"
done
holds "streams that relayd refused" "$(guard_value 'd["banned"]')" -ge 8
background three traffic download 127.0.4.1 http://198.19.50.200/1m.bin --count 30 --at-once 3
check "three downloads at once, by address" finish three
cat "$work/three"
background other traffic download 127.0.4.1 http://h9.test/1m.bin --count 20 --at-once 3
check "requests to other networks" finish other
cat "$work/other"

say "relayd as the middle of a circuit that carries a download"
check "10 MiB over it, byte for byte" net_exec python3 "$srcdir/tests/path.py" 127.0.4.1 \
    auth1,"$exit_fp",exit2 h3.test /10m.bin "$big_sum"
quiet_logs
stop_own
