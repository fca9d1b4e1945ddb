#!/usr/bin/env bash
# testnet.sh - a private Tor network of stock `tor` processes in a network namespace of its own,
# with an Internet beside it in a second one; room for relays of ours among them. Needs root.
#
#   testnet.sh up DIR [options]     create, start, wait until the clients have bootstrapped
#       -a N   authorities (default 3)      -m N   middles (default 3)
#       -x N   exits       (default 1)      -c N   clients (default 1)
#       -i S   voting interval in seconds (default 10, the least; divides 86400)
#       -w S   give up after S seconds (default 120)
#       -A/-M/-X/-C FILE   torrc lines added for authorities/middles/exits/clients
#       -P 'k=v k=v'       ConsensusParams
#       -n     do not wait
#   testnet.sh down DIR             stop what it started, remove both namespaces
#   testnet.sh exec DIR CMD...      run CMD in the network's namespace
#   testnet.sh inet DIR CMD...      run CMD in the Internet's namespace
#   testnet.sh fetch DIR [K [URL]]  curl URL through client K
#   testnet.sh start|stop|alive|pid DIR NAME    one node
#   testnet.sh spawn DIR NAME CMD...  start another process in the namespace; `down` stops it
#   testnet.sh torrc DIR NAME IP [LINE...]      write the torrc of one more exit, print its path
#   testnet.sh wait-listed DIR HEXFP [FLAG...]  wait until authority 1 lists it with the flags
#   testnet.sh flags DIR            nickname, fingerprint and flags, as each authority sees them
#   testnet.sh weight DIR HEXFP N   consensus weight from the next vote on (all start with 1000)
#   testnet.sh warnings DIR         warnings of the nodes, but those every test network gives
#   testnet.sh status DIR           what runs, bootstrap state, consensus summary
#
# Environment: TOR=/path/tor for all nodes; TOR_exit1=/path/relayd runs one node with another
# program, on the same torrc; LINES_exit1=FILE adds lines to one node's torrc; TORLOG=info adds nodes/NAME/log.more; TESTNET_KEYCACHE=DIR keeps
# authority keys between runs (empty: none); MAXTIME, WAIT: seconds for fetch and wait-listed.
#
# Files under DIR: netns, authorities (a line each: nick ip orport dirport rsafp v3ident),
# common.torrc (what any tor here needs), nodes/NAME/{torrc,log,out,pid,data/}, www/ (served).
#
# Addresses, network: authority i 127.0.1.i, middle i 127.0.2.i, exit i 127.0.3.i, client i
# 127.0.4.i (socks 9050, control 9051), relays of ours 127.0.5.*, web server 127.0.9.1:8080,
# name server 127.0.9.53. ORPort 9001, DirPort 9030. tor leaves from 127.0.0.1 towards loopback
# whatever OutboundBindAddress says; towards the Internet exit i leaves from 192.0.2.(10+i).
# Addresses, Internet (through the gateway 192.0.2.1):
#   198.19.0.0/16  sites: each serves the same files on 80, 443 and 8080, refuses other ports
#   198.18.0.0/16  a network as scanners find it: of 100 addresses 3 serve, 5 refuse, 92 are silent
set -u
TOR=${TOR:-/usr/sbin/tor}
GENCERT=${GENCERT:-/usr/bin/tor-gencert}
PY=${PY:-/usr/bin/python3}
LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# authority keys take 3-12 s of CPU: kept between runs (set empty to disable)
KEYCACHE=${TESTNET_KEYCACHE-/tmp/testnet-authkeys}
ORPORT=9001 DIRPORT=9030 WEB=127.0.9.1 WEBPORT=8080 DNSIP=127.0.9.53 SITE=198.19.0.10

die() { echo "testnet: $*" >&2; exit 1; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }
ns() { cat "$D/netns"; }
in_ns() { ip netns exec "$(ns)" "$@"; }
in_inet() { ip netns exec "$(ns)-inet" "$@"; }

# --- processes: pid and kernel start time, so that a reused pid is never hit
start_time() { awk '{ sub(/^.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null; }
state_of() { awk '{ sub(/^.*\) /, ""); print $1 }' "/proc/$1/stat" 2>/dev/null; }
record() { echo "$2 $(start_time "$2")" > "$D/nodes/$1/pid"; }
alive() {
	local pid started
	read -r pid started 2>/dev/null < "$D/nodes/$1/pid" || return 1
	[ -n "${started:-}" ] && [ "$(start_time "$pid")" = "$started" ] &&
	    [ "$(state_of "$pid")" != Z ]
}
stop_node() {
	local name=$1 pid _ i
	alive "$name" || return 0
	read -r pid _ < "$D/nodes/$name/pid"
	kill -TERM "$pid" 2>/dev/null
	for i in $(seq 1 30); do
		alive "$name" || return 0
		sleep 0.1
	done
	echo "testnet: $name did not end in 3 s and was killed" >&2
	kill -KILL "$pid" 2>/dev/null
	sleep 0.1
}
spawn_in() { # NAMESPACE NAME CMD...
	local space=$1 name=$2
	shift 2
	mkdir -p "$D/nodes/$name"
	setsid ip netns exec "$space" "$@" </dev/null >>"$D/nodes/$name/out" 2>&1 9>&- &
	record "$name" $!
	disown
}
spawn() { spawn_in "$(ns)" "$@"; }
start_node() {
	alive "$1" && return 0
	local program=TOR_$1
	spawn "$1" "${!program:-$TOR}" -f "$D/nodes/$1/torrc" --defaults-torrc "$D/empty.torrc"
}

# --- torrc pieces
common_lines() {
	cat <<T
TestingTorNetwork 1
AssumeReachable 1
PathsNeededToBuildCircuits 0.25
TestingDirConnectionMaxStall 10 seconds
ShutdownWaitLength 0
AvoidDiskWrites 1
NumCPUs 1
Sandbox 0
SafeLogging 0
LogTimeGranularity 1
ProtocolWarnings 1
ContactInfo none
AddressDisableIPv6 1
GeoIPFile $D/empty.torrc
GeoIPv6File $D/empty.torrc
ServerDNSResolvConfFile $D/resolv.conf
ServerDNSDetectHijacking 0
ServerDNSAllowBrokenConfig 1
T
	cat "$D/dirauth.lines"
}
auth_lines() { # IP
	cat <<T
DirPort $1:$DIRPORT
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ExitRelay 0
ExitPolicy reject *:*
V3AuthVotingInterval $INTERVAL
V3AuthVoteDelay $DELAY
V3AuthDistDelay $DELAY
V3AuthNIntervalsValid 6
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
TestingV3AuthVotingStartOffset 0
TestingAuthDirTimeToLearnReachability 0
V3BandwidthsFile $D/bandwidths
TestingDirAuthVoteGuard 127.0.1.0/24,127.0.2.0/24
TestingDirAuthVoteGuardIsStrict 1
TestingDirAuthVoteHSDir 127.0.1.0/24,127.0.2.0/24
TestingDirAuthVoteHSDirIsStrict 1
TestingMinExitFlagThreshold 0
TestingMinFastFlagThreshold 0
MinUptimeHidServDirectoryV2 0
AuthDirMaxServersPerAddr 0
T
	[ -z "$PARAMS" ] || echo "ConsensusParams $PARAMS"
}
exit_lines() { # IP
	cat <<T
DirCache 1
ExitRelay 1
ExitPolicyRejectPrivate 0
ExitPolicy accept *:*
RefuseUnknownExits 0
OutboundBindAddressOR $1
OutboundBindAddressExit 192.0.2.$((10 + ${1##*.}))
T
}
relay_lines() { # NAME IP
	cat <<T
Nickname $1
Address $2
ORPort $2:$ORPORT IPv4Only
SocksPort 0
ControlSocket $D/nodes/$1/data/control
CookieAuthentication 0
MaxMemInQueues 512 MB
T
}
client_lines() { # IP
	cat <<T
SocksPort $1:9050
ControlPort $1:9051
CookieAuthentication 0
FetchDirInfoEarly 1
FetchDirInfoExtraEarly 1
T
}
write_node() { # NAME ROLE IP [FILE]: nodes/NAME/torrc, with the lines of FILE at its end
	local name=$1 role=$2 ip=$3 more=${4:-} own=LINES_$1
	mkdir -p "$D/nodes/$name/data"
	chmod 700 "$D/nodes/$name/data"
	{
		cat "$D/common.torrc"
		echo "DataDirectory $D/nodes/$name/data"
		echo "Log notice file $D/nodes/$name/log"
		[ -z "${TORLOG:-}" ] || echo "Log $TORLOG file $D/nodes/$name/log.more"
		echo "PidFile $D/nodes/$name/data/pid"
		[ "$role" = client ] || relay_lines "$name" "$ip"
		case $role in
		auth) echo "OutboundBindAddress $ip"; auth_lines "$ip" ;;
		middle) printf 'OutboundBindAddress %s\nDirCache 1\nExitRelay 0\nExitPolicy reject *:*\n' "$ip" ;;
		exit) exit_lines "$ip" ;;
		client) client_lines "$ip" ;;
		esac
		[ -z "$more" ] || cat "$more"
		[ -z "${!own:-}" ] || cat "${!own}"
	} > "$D/nodes/$name/torrc"
}
write_torrc() { # NAME IP LINE...
	local name=$1 ip=$2
	shift 2
	printf '%s\n' "$@" > "$D/more.torrc"
	write_node "$name" exit "$ip" "$D/more.torrc"
	in_ns ip addr replace 192.0.2.$((10 + ${ip##*.}))/24 dev wan
	echo "$D/nodes/$name/torrc"
}

# --- the two namespaces
make_spaces() { # EXITS
	local space=$1 exits=$2 i
	ip netns add "$space" || die "cannot create a network namespace (root is needed)"
	echo "$space" > "$D/netns"
	ip netns add "$space-inet" || die "cannot create the second namespace"
	in_ns ip link set lo up
	in_inet ip link set lo up
	in_ns ip link add wan type veth peer name wan netns "$space-inet" ||
	    die "cannot join the namespaces"
	in_inet ip addr add 192.0.2.1/24 dev wan
	in_inet ip link set wan up
	in_ns ip addr add 192.0.2.10/24 dev wan
	for i in $(seq 1 "$exits"); do
		in_ns ip addr add 192.0.2.$((10 + i))/24 dev wan
	done
	in_ns ip link set wan up
	in_ns ip route add default via 192.0.2.1
	in_inet ip route add local 198.18.0.0/15 dev lo
	# which addresses of the scanned network answer depends on the address alone
	in_inet nft -f - <<-T || die "cannot load the Internet's firewall"
	table inet internet {
		chain input {
			type filter hook input priority 0; policy accept;
			meta l4proto icmp accept
			ip daddr 198.18.0.0/16 jhash ip daddr mod 100 seed 0x5 < 3 accept
			ip daddr 198.18.0.0/16 jhash ip daddr mod 100 seed 0x5 < 8 reject with tcp reset
			ip daddr 198.18.0.0/16 drop
		}
	}
	T
}
make_authority() { # I: keys and fingerprint
	local name=auth$1 ip=127.0.1.$1 cached=$KEYCACHE/auth$1
	local keys=$D/nodes/$name/data/keys v3 fp log=$D/nodes/$name/gencert.log
	mkdir -p "$keys"
	chmod 700 "$D/nodes/$name/data" "$keys"
	cd "$keys" || return 1
	if [ -n "$KEYCACHE" ] && [ -s "$cached/authority_certificate" ] &&
	    [ -z "$(find "$cached/authority_certificate" -mtime +300)" ]; then
		cp "$cached"/authority_* . || return 1
	else
		echo testnet | "$GENCERT" --create-identity-key -m 12 -a "$ip:$DIRPORT" \
		    --passphrase-fd 0 >"$log" 2>&1 || return 1
		[ -z "$KEYCACHE" ] || (umask 077
			mkdir -p "$cached.$$" && cp authority_* "$cached.$$/" &&
			    rm -rf "$cached" && mv "$cached.$$" "$cached")
	fi
	v3=$(awk '$1 == "fingerprint" { print $2 }' authority_certificate)
	fp=$("$TOR" --quiet -f "$D/empty.torrc" --defaults-torrc "$D/empty.torrc" \
	    --DataDirectory "$D/nodes/$name/data" --Nickname "$name" --ORPort "$ip:$ORPORT" \
	    --Address "$ip" --SocksPort 0 --list-fingerprint 2>>"$log" |
	    awk '{ sub(/^[^ ]+ /, ""); gsub(/ /, ""); print; exit }')
	[ ${#fp} -eq 40 ] && [ ${#v3} -eq 40 ] || return 1
	echo "$name $ip $ORPORT $DIRPORT $fp $v3" > "$D/nodes/$name/ident"
}

up() {
	local auths=3 middles=3 exits=1 clients=1 wait_s=120 nowait=0 opt OPTIND=1 i t0 pids=()
	local more_a= more_m= more_x= more_c=
	INTERVAL=10 PARAMS=
	while getopts a:m:x:c:i:w:A:M:X:C:P:n opt; do
		case $opt in
		a) auths=$OPTARG ;; m) middles=$OPTARG ;; x) exits=$OPTARG ;; c) clients=$OPTARG ;;
		i) INTERVAL=$OPTARG ;; w) wait_s=$OPTARG ;;
		A) more_a=$OPTARG ;; M) more_m=$OPTARG ;; X) more_x=$OPTARG ;; C) more_c=$OPTARG ;;
		P) PARAMS=$OPTARG ;; n) nowait=1 ;; *) die "bad option" ;;
		esac
	done
	[ ! -e "$D/netns" ] || die "$D is already up (or was not taken down)"
	[ "$INTERVAL" -ge 10 ] || die "voting interval must be at least 10"
	DELAY=$((INTERVAL / 5)) # both delays together stay below half the interval
	t0=$(now)
	mkdir -p "$D/nodes" "$D/www"
	chmod 755 "$D"
	: > "$D/empty.torrc"
	make_spaces "tn$(printf '%s %s' "$D" $$ | cksum | cut -d' ' -f1)" "$exits"
	echo "nameserver $DNSIP" > "$D/resolv.conf"
	[ -e "$D/www/hello.txt" ] || echo "hello through tor" > "$D/www/hello.txt"
	[ -e "$D/www/1m.bin" ] || head -c 1048576 /dev/urandom > "$D/www/1m.bin"
	spawn web "$PY" "$LIB/web.py" "$D/www" $WEB:$WEBPORT
	spawn_in "$(ns)-inet" site "$PY" "$LIB/web.py" "$D/www" 0.0.0.0:80 0.0.0.0:443 0.0.0.0:8080
	spawn dns "$PY" "$LIB/minidns.py" $DNSIP 53 $SITE

	for i in $(seq 1 "$auths"); do
		make_authority "$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || die "authority keys failed (see $D/nodes/auth*/gencert.log)"
	done
	for i in $(seq 1 "$auths"); do cat "$D/nodes/auth$i/ident"; done > "$D/authorities"
	awk '{ print "DirAuthority", $1, "orport=" $3, "no-v2", "v3ident=" $6, $2 ":" $4, $5 }' \
	    "$D/authorities" > "$D/dirauth.lines"
	common_lines > "$D/common.torrc"
	: > "$D/bandwidths"
	for i in $(seq 1 "$auths"); do write_node "auth$i" auth "127.0.1.$i" "$more_a"; done
	for i in $(seq 1 "$middles"); do write_node "mid$i" middle "127.0.2.$i" "$more_m"; done
	for i in $(seq 1 "$exits"); do write_node "exit$i" exit "127.0.3.$i" "$more_x"; done
	for i in $(seq 1 "$clients"); do write_node "client$i" client "127.0.4.$i" "$more_c"; done
	for i in $(seq 1 "$auths"); do start_node "auth$i"; done
	for i in $(seq 1 "$middles"); do start_node "mid$i"; done
	for i in $(seq 1 "$exits"); do start_node "exit$i"; done
	if [ $nowait = 0 ]; then
		wait_consensus $((auths + middles + exits)) "$exits" "$wait_s"
		echo "up: full consensus after $(since "$t0")s"
		default_weights
	fi
	for i in $(seq 1 "$clients"); do start_node "client$i"; done
	[ $nowait = 0 ] || return 0
	wait_clients "$clients" "$wait_s"
	echo "up: $auths authorities, $middles middles, $exits exits, $clients clients;" \
	    "clients bootstrapped after $(since "$t0")s (netns $(ns))"
}
# Clients start once a consensus lists every relay as Running (and the exits as Exit): one that
# comes earlier backs off for several seconds.
wait_consensus() { # RELAYS EXITS SECONDS
	local end=$(($(date +%s) + $3))
	until [ "$(consensus | awk '/^s / && / Running/ { r++ } /^s / && / Exit / { x++ }
	    END { print r + 0, x + 0 }')" = "$1 $2" ]; do
		[ "$(date +%s)" -lt $end ] || {
			status
			die "no full consensus after $3s (wanted $1 running, $2 exits)"
		}
		sleep 0.2
	done
}
wait_clients() { # CLIENTS SECONDS
	local i end=$(($(date +%s) + $2))
	for i in $(seq 1 "$1"); do
		until grep -q 'Bootstrapped 100%' "$D/nodes/client$i/log" 2>/dev/null; do
			[ "$(date +%s)" -lt $end ] || {
				status
				die "client$i not bootstrapped after $2s"
			}
			sleep 0.2
		done
	done
}

down() {
	local name pid space
	[ -e "$D/netns" ] || { echo "testnet: $D is not up"; return 0; }
	for name in $(ls "$D/nodes"); do
		if [ -e "$D/nodes/$name/pid" ] && alive "$name"; then
			kill -TERM "$(cut -d' ' -f1 "$D/nodes/$name/pid")" 2>/dev/null
		fi
	done
	for name in $(ls "$D/nodes"); do
		[ ! -e "$D/nodes/$name/pid" ] || stop_node "$name"
	done
	for space in "$(ns)" "$(ns)-inet"; do # what was started in them and forgot to end
		for pid in $(ip netns pids "$space" 2>/dev/null); do
			kill -KILL "$pid" 2>/dev/null
		done
		ip netns del "$space" 2>/dev/null
	done
	rm -f "$D/netns"
	echo "down: $D"
}

# Consensus weights: with three authorities the "measured" values below rule, so that the choice
# of paths does not depend on who happened to move bytes first.
weight() { # HEXFP N|-
	local t
	t=$(mktemp "$D/.bw.XXXX")
	{
		date +%s
		sed 1d "$D/bandwidths" 2>/dev/null | grep -v "$1"
		[ "$2" = - ] || echo "node_id=\$$1 bw=$2 nick=x"
	} > "$t"
	mv "$t" "$D/bandwidths"
}
default_weights() {
	local name
	date +%s > "$D/.bw"
	for name in $(ls "$D/nodes"); do
		[ ! -s "$D/nodes/$name/data/fingerprint" ] ||
		    echo "node_id=\$$(awk '{ print $2 }' "$D/nodes/$name/data/fingerprint") bw=1000 nick=$name"
	done >> "$D/.bw"
	mv "$D/.bw" "$D/bandwidths"
}
consensus() { # [IP]
	in_ns curl -s --max-time 5 \
	    "http://${1:-127.0.1.1}:$DIRPORT/tor/status-vote/current/consensus-microdesc"
}
flags() {
	local name ip rest
	while read -r name ip rest; do
		consensus "$ip" | awk -v a="$name" '/^r / { n = $2; id = $3 } /^s / { sub(/^s /, "")
			print a, n, id, $0 }'
	done < "$D/authorities" | "$PY" -c '
import base64, sys
for line in sys.stdin:
    auth, nick, ident, flags = line.rstrip("\n").split(" ", 3)
    print(auth, nick, base64.b64decode(ident + "=").hex().upper(), flags)'
}
wait_listed() { # HEXFP FLAG...
	local fp=$1 line= flag ok end=$(($(date +%s) + ${WAIT:-90}))
	shift
	while [ "$(date +%s)" -lt $end ]; do
		line=$(flags | awk -v fp="$fp" '$3 == fp { $1 = $2 = $3 = ""; print; exit }')
		ok=1
		[ -n "$line" ] || ok=0
		for flag in "$@"; do
			case " $line " in *" $flag "*) ;; *) ok=0 ;; esac
		done
		[ $ok = 0 ] || { echo "$line"; return 0; }
		sleep 0.5
	done
	echo "not listed: ${line:-absent}"
	return 1
}
warnings() {
	local name
	for name in $(ls "$D/nodes"); do
		[ -e "$D/nodes/$name/log" ] || continue
		grep -h '\[warn\]\|\[err\]' "$D/nodes/$name/log" | grep -v -f "$LIB/harmless" |
		    sed "s/^/$name: /"
	done
}
status() {
	local name
	for name in $(ls "$D/nodes"); do
		printf '%-10s %-5s %s\n' "$name" "$(alive "$name" && echo up || echo DOWN)" \
		    "$(grep -h Bootstrapped "$D/nodes/$name/log" 2>/dev/null | tail -1 | cut -c1-110)"
	done
	consensus | awk '/^valid-after/ { print } /^r / { n = $2 }
	    /^s / { print "  " n ": " $0 } /^w / { print "      " $0 }'
}

[ $# -ge 2 ] || { sed -n '2,/^set -u/{/^#/p}' "${BASH_SOURCE[0]}"; exit 2; }
CMD=$1
mkdir -p "$2"
D=$(cd "$2" && pwd)
shift 2
case $CMD in
up) up "$@" ;;
down) down ;;
status) status ;;
exec) in_ns "$@" ;;
inet) in_inet "$@" ;;
start) start_node "$1" ;;
stop) stop_node "$1" ;;
alive) alive "$1" ;;
pid) cut -d' ' -f1 "$D/nodes/$1/pid" ;;
spawn) spawn "$@" ;;
torrc) write_torrc "$@" ;;
wait-listed) wait_listed "$@" ;;
flags) flags ;;
weight) weight "$1" "$2" ;;
warnings) warnings ;;
fetch)
	in_ns curl -sS --max-time "${MAXTIME:-60}" --socks5-hostname "127.0.4.${1:-1}:9050" \
	    "${2:-http://$WEB:$WEBPORT/hello.txt}"
	;;
*) die "unknown command $CMD" ;;
esac
