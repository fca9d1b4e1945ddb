#!/usr/bin/env bash
# t_exit.sh: relayd in place of a stock exit, on the torrc written for the stock exit.
. "${srcdir:-$(dirname "$0")/..}/tests/lib.sh"

network -c 2 -m 2
say "what the authorities say"
for auth in auth1 auth2 auth3; do
	line=$(net flags | awk -v a=$auth -v fp="$exit_fp" '$1 == a && $3 == fp')
	for flag in Running Valid Exit Fast; do
		case " $line " in *" $flag "*) ok "$auth lists relayd as $flag" ;;
		*) bad "$auth does not list relayd as $flag: $line" ;; esac
	done
done

say "downloads by a stock client with no option changed"
check "hello by name" test "$(net fetch 1 http://h7.test/hello.txt)" = "hello through tor"
check "hello by address" test "$(net fetch 1 http://198.19.0.9/hello.txt)" = "hello through tor"
background by_name traffic download 127.0.4.1 http://h3.test/10m.bin --count 10 --at-once 10 --sha256 "$big_sum"
background by_address traffic download 127.0.4.1 http://198.19.4.4:8080/10m.bin --count 10 --at-once 10 --sha256 "$big_sum"
check "10 MiB ten times at once by name, byte for byte" finish by_name
check "10 MiB ten times at once by address, byte for byte" finish by_address
cat "$work/by_name" "$work/by_address"
background one traffic download 127.0.4.1 http://h3.test/10m.bin --sha256 "$big_sum"
check "10 MiB alone" finish one
cat "$work/one"
out=$(traffic upload 127.0.4.2 http://h2.test/up --files 100)
check "100 uploads, as sent" test "$(json "$out" 'd["failed"]')" = 0

say "what relayd says to what does not work"
check "a name that is not there" sh -c "! '$srcdir/tests/testnet/testnet.sh' fetch '$work/net' 1 http://nx1.test/ 2>/dev/null"
check "a port that refuses" sh -c "! '$srcdir/tests/testnet/testnet.sh' fetch '$work/net' 1 http://198.19.0.1:81/ 2>/dev/null"
check "and goes on" test "$(net fetch 1 http://h8.test/hello.txt)" = "hello through tor"

say "relayd as a middle"
for last in mid1 mid2 auth2; do
	check "a circuit over relayd to $last" \
	    net_exec python3 "$srcdir/tests/path.py" 127.0.4.2 auth1,"$exit_fp",$last
done

sleep 2
quiet_logs
stop_own
