#!/bin/sh
# lint.sh [CHECK...]: the checks of `make lint`, all of them or those named: format, rooms, words,
# scripts, manuals, cppcheck, tidy. Run from the top of the tree.
# Environment: CLANG_FORMAT, CLANG_TIDY, CPPCHECK name the programs, LINT_CFLAGS the flags of the
# build, JOBS how many at once (default: the number of cores).
set -u
CLANG_FORMAT=${CLANG_FORMAT:-clang-format}
CLANG_TIDY=${CLANG_TIDY:-clang-tidy}
CPPCHECK=${CPPCHECK:-cppcheck}
JOBS=${JOBS:-$(nproc)}
here=$(dirname "$0")
failed=

# find_sources PATTERN...: our own files, not those of a build folder
find_sources() {
	find . \( -name 'build*' -o -name '.?*' -o -name 'exitgate-*' -o -name autom4te.cache -o -name config.h \) \
	    -prune -o -type f \( -name "$1" $(shift; for p; do printf " -o -name %s" "$p"; done) \) \
	    -print | sort
}
check_format() {
	find_sources '*.c' '*.h' | xargs "$CLANG_FORMAT" --dry-run --Werror
}
check_rooms() {
	python3 "$here/may_include.py" .
}
# Words that say something is unfinished, and text that is only for us.
check_words() {
	! find . \( -name .git -o -name 'build*' -o -name autom4te.cache \) -prune -o -type f \
	    \( -name '*.[chy]' -o -name '*.sh' -o -name '*.py' -o -name '*.mk' -o -name '*.md' \
	    -o -name '*.nft' -o -name '*.def' -o -name '*.[158]' -o -name '*.service' \
	    -o -name quickstart -o -name README \) ! -path './tests/lint/*' -print0 |
	    xargs -0 grep -nwE 'TODO|FIXME|XXX|TBD'
}
check_scripts() {
	for script in ./quickstart ./.ci/run $(find_sources '*.sh'); do
		case $(head -n 1 "$script") in
		*bash*) bash -n "$script" || return 1 ;;
		*) sh -n "$script" || return 1 ;;
		esac
	done
	find_sources '*.py' | xargs python3 -c '
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), path)'
}
check_manuals() {
	command -v mandoc >/dev/null || return 0
	mandoc -T lint -W error docs/*.[158]
}
check_cppcheck() {
	"$CPPCHECK" --quiet --error-exitcode=1 --std=c11 --language=c -j "$JOBS" -I . \
	    --enable=warning,performance,portability --inline-suppr --include="$here/macros.h" \
	    --suppressions-list="$here/cppcheck.txt" --library=posix,gnu \
	    -D__linux__ -D__x86_64__ $(find_sources '*.c') 2>&1
}
check_tidy() {
	flags='-D_GNU_SOURCE -DEXITGATE_SRCDIR="." -DEXITGATE_DATADIR="." -DEXITGATE_SYSCONFDIR="."'
	find_sources '*.c' | xargs -P "$JOBS" -n 4 sh -c '
		tidy=$1 flags=$2; shift 2
		out=$("$tidy" --quiet --warnings-as-errors="*" "$@" -- $flags 2>/dev/null) || {
			printf "%s\n" "$out"
			exit 1
		}' sh "$CLANG_TIDY" "${LINT_CFLAGS:--std=gnu11 -I.} $flags"
}

[ $# -gt 0 ] || set -- format rooms words scripts manuals cppcheck tidy
for check in "$@"; do
	if "check_$check"; then
		echo "PASS: lint $check"
	else
		echo "FAIL: lint $check"
		failed=yes
	fi
done
[ -z "$failed" ]
