# quickstart-check.sh: what `./quickstart check` does; read by quickstart, in the top folder.
# Builds in copies of the tree (build/check, build/clang), so that your own build stays as it is.
passed=0 failed=0 skipped=0 began=$(date +%s)

pass() { passed=$((passed + ${2:-1})); printf '   PASS  %s%s\n' "$1" "$([ "${2:-1}" = 1 ] || echo " ($2)")"; }
fail() { failed=$((failed + ${2:-1})); printf '   FAIL  %s\n' "$1"; }
skip() { skipped=$((skipped + 1)); printf '   SKIP  %s\n' "$1"; }
elapsed() { printf '%dm%02ds' $((($(date +%s) - began) / 60)) $((($(date +%s) - began) % 60)); }

copy_tree() { # FOLDER: the sources, without what a build in the tree has left
	rm -rf "$1"
	mkdir -p "$1"
	tar cf - --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.a' --exclude=.deps \
	    --exclude=.dirstamp --exclude='*_test' --exclude='*_fuzz' --exclude='*.log' \
	    --exclude='*.trs' --exclude=./Makefile --exclude=./config.status --exclude=./config.h \
	    --exclude=./configure --exclude=./autom4te.cache --exclude=./relayd/relayd \
	    --exclude=./exitguard/exitguard --exclude=./exitguard/exitguardctl \
	    --exclude=./abuse/abuse . | tar xf - -C "$1"
}
build_copy() { # NAME FOLDER CONFIGURE-ARGUMENT...: everything and the test programs
	local name=$1 folder=$2
	shift 2
	say "$name"
	copy_tree "$folder"
	if configure_and_make "$folder" "$folder.log" --enable-werror "$@" &&
	    make -C "$folder" -j"$jobs" check TESTS= >>"$folder.log" 2>&1 &&
	    ! grep -q 'warning: ' "$folder.log"; then
		pass "$name"
		return 0
	fi
	fail "$name: the end of $folder.log:"
	grep -n 'error\|warning' "$folder.log" | tail -n 20
	tail -n 5 "$folder.log"
	return 1
}
# The result of one test program, from its log: every cmocka case counts.
count_log() { # NAME RESULT LOG
	local good bad
	good=$(grep -c '^\[       OK \]' "$3")
	bad=$(grep -c '^\[  FAILED  \] [0-9]* test(s)\|^\[  ERROR   \]' "$3")
	case $2 in
	PASS) [ "$good" -gt 0 ] || good=1; pass "$1" "$good" ;;
	SKIP) skip "$1: $(tail -n 1 "$3")" ;;
	*)
		passed=$((passed + good))
		bad=$(grep '^\[  FAILED  \] [^0-9]' "$3" | sort -u | wc -l)
		[ "$bad" -gt 0 ] || bad=1
		fail "$1: the end of $3:" "$bad"
		tail -n 30 "$3" | sed 's/^/         /'
		;;
	esac
}
unit_tests() { # FOLDER
	local trs name
	say "unit tests and short fuzz runs, with sanitizers"
	(cd "$1" && timeout 420 make -k -j"$jobs" check) >"$1-check.log" 2>&1
	for trs in $(cd "$1" && find . -name '*.trs' | sort); do
		name=${trs#./}
		name=${name%.trs}
		count_log "$name" "$(awk '$1 == ":test-result:" { print $2; exit }' "$1/$trs")" \
		    "$1/${trs%.trs}.log"
	done
	[ -n "${trs:-}" ] || fail "no unit test ran; see $1-check.log"
}
root_tests() { # FOLDER TARGET WHAT SECONDS
	local line test result log
	say "$3"
	(cd "$1" && timeout -k 20 "$4" make "$2") >"$1-$2.log" 2>&1 &
	wait $!
	while read -r result test line; do
		case $result in
		PASS: | SKIP: | FAIL:) ;;
		*) continue ;;
		esac
		test=${test%:}
		log=$1/test-logs/$(echo "$test" | tr / _).log
		count_log "$test" "${result%:}" "$log"
	done <"$1-$2.log"
	grep -q '^[0-9]* passed, [0-9]* failed' "$1-$2.log" || {
		fail "make $2 did not come to its end; see $1-$2.log"
		tail -n 5 "$1-$2.log"
	}
}
lint() { # FOLDER
	local result what
	say "lint"
	(cd "$1" && timeout 400 make lint CLANG_FORMAT=clang-format-14 CLANG_TIDY=clang-tidy-14) \
	    >"$1-lint.log" 2>&1
	while read -r result what; do
		case $result in
		PASS:) pass "$what" ;;
		FAIL:) fail "$what: see $1-lint.log" ;;
		esac
	done <"$1-lint.log"
	grep -q '^PASS: \|^FAIL: ' "$1-lint.log" || fail "lint did not run; see $1-lint.log"
}

mkdir -p build
if build_copy "gcc, warnings as errors, sanitizers" build/check --enable-sanitizers; then
	unit_tests build/check
	root_tests build/check check-root "tests in namespaces of their own" 300
	TEST_JOBS=2 root_tests build/check check-system "whole programs on a private Tor network" 600
	lint build/check
fi
build_copy "clang 14, warnings as errors" build/clang CC=clang-14
say "done in $(elapsed)$([ $skipped = 0 ] || echo ", $skipped skipped")"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
