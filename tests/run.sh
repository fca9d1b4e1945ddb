#!/bin/sh
# run.sh TEST...: run tests as root, each with a time limit; one line for each and a sum at the
# end. Programs are looked for in $builddir, scripts in $srcdir. A test ends with 0 (passed), 77
# (skipped, with the reason as its last line) or else (failed).
#	TEST_TIMEOUT	seconds for one test (default 200)
#	TEST_JOBS	how many at once (default 1)
#	TEST_LOGDIR	where the tests' output goes (default $builddir/test-logs)
builddir=${builddir:-$PWD}
srcdir=${srcdir:-$PWD}
export builddir srcdir
logs=${TEST_LOGDIR:-$builddir/test-logs}
mkdir -p "$logs" || exit 1

find_test() {
	for dir in "$builddir" "$srcdir"; do
		[ -x "$dir/$1" ] && { echo "$dir/$1"; return 0; }
	done
	return 1
}
run_one() {
	log=$logs/$(echo "$1" | tr / _).log
	start=$(date +%s)
	if program=$(find_test "$1"); then
		(cd "$builddir" && exec timeout -k 10 "${TEST_TIMEOUT:-200}" "$program") \
		    >"$log" 2>&1 </dev/null
		status=$?
	else
		echo "not built" >"$log"
		status=127
	fi
	took=$(($(date +%s) - start))
	case $status in
	0) echo "PASS: $1 (${took}s)" ;;
	77) echo "SKIP: $1: $(tail -n 1 "$log")" ;;
	*)
		[ $status = 124 ] && echo "timed out" >>"$log"
		printf 'FAIL: %s (%ss, exit %s); the end of %s:\n%s\n' "$1" "$took" "$status" "$log" \
		    "$(tail -n 25 "$log" | sed 's/^/    /')"
		;;
	esac
}

if [ "${1:-}" = --one ]; then
	run_one "$2"
	exit 0
fi
results=$logs/results
[ $# = 0 ] || printf '%s\n' "$@" | xargs -P "${TEST_JOBS:-1}" -I '{}' sh "$0" --one '{}' |
    tee "$results"
[ $# -gt 0 ] || : >"$results"
count() { grep -c "^$1: " "$results"; }
echo "$(count PASS) passed, $(count FAIL) failed, $(count SKIP) skipped"
[ "$(count FAIL)" = 0 ] && [ $(($(count PASS) + $(count SKIP))) = $# ]
