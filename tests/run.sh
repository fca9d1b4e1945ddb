#!/bin/sh
# run.sh TEST...: run tests one after the other, as root, each with a time limit; one line for
# each and a sum at the end. Programs are looked for in $builddir, scripts in $srcdir.
# A test ends with 0 (passed), 77 (skipped, with the reason as its last line) or else (failed).
#	TEST_TIMEOUT	seconds for one test (default 150)
#	TEST_LOGDIR	where the tests' output goes (default $builddir/test-logs)
builddir=${builddir:-$PWD}
srcdir=${srcdir:-$PWD}
export builddir srcdir
logs=${TEST_LOGDIR:-$builddir/test-logs}
mkdir -p "$logs" || exit 1
passed=0 failed=0 skipped=0

find_test() {
	for dir in "$builddir" "$srcdir"; do
		[ -x "$dir/$1" ] && { echo "$dir/$1"; return 0; }
	done
	return 1
}

for test in "$@"; do
	log=$logs/$(echo "$test" | tr / _).log
	start=$(date +%s)
	if program=$(find_test "$test"); then
		(cd "$builddir" && exec timeout -k 10 "${TEST_TIMEOUT:-150}" "$program") \
		    >"$log" 2>&1 </dev/null
		status=$?
	else
		echo "not built" >"$log"
		status=127
	fi
	took=$(($(date +%s) - start))
	case $status in
	0) passed=$((passed + 1)); echo "PASS: $test (${took}s)" ;;
	77) skipped=$((skipped + 1)); echo "SKIP: $test: $(tail -n 1 "$log")" ;;
	*)
		failed=$((failed + 1))
		[ $status = 124 ] && echo "timed out" >>"$log"
		echo "FAIL: $test (${took}s, exit $status); the end of $log:"
		tail -n 25 "$log" | sed 's/^/    /'
		;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
