#!/bin/sh
# abuse_test.sh: the program on the sample mails: abuse/samples/mails/X.eml must give X.json, and
# the draft X.letter (or, where none may be written, the reason in X.letter). Then bad input.
# With UPDATE=1 the expected files are written anew; look at the difference before keeping them.
srcdir=${srcdir:-.}
abuse=${builddir:-.}/abuse/abuse
samples=$srcdir/abuse/samples
facts=$samples/facts.json
letters=$srcdir/abuse/letter/templates
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
SOURCE_DATE_EPOCH=1779000000
export SOURCE_DATE_EPOCH

fail() {
	echo "FAIL: $*"
	failed=$((failed + 1))
}

# same EXPECTED GOT WHAT
same() {
	[ -n "$UPDATE" ] && cp "$2" "$1"
	cmp -s "$1" "$2" || {
		fail "$3"
		diff -u "$1" "$2" | head -n 40
	}
}

count=0
for mail in "$samples"/mails/*.eml; do
	base=${mail%.eml}
	name=${base##*/}
	"$abuse" parse --facts "$facts" "$mail" >"$work/json" 2>"$work/err" ||
		fail "$name: parse: $(cat "$work/err")"
	same "$base.json" "$work/json" "$name: parse"
	rm -rf "$work/out" && mkdir "$work/out"
	"$abuse" reply --facts "$facts" --letters "$letters" --out "$work/out" - <"$mail" \
	    >"$work/said" 2>"$work/err" || fail "$name: reply: $(cat "$work/err")"
	if grep -q '^-: no draft: ' "$work/said"; then
		cp "$work/said" "$work/letter"
	else
		cat "$work/out"/*.eml >"$work/letter"
	fi
	same "$base.letter" "$work/letter" "$name: reply"
	count=$((count + 1))
done
echo "$count sample mails"

# refuses WORDS ARGUMENTS...: exit status 1, one line on standard error with those words.
refuses() {
	words=$1
	shift
	"$abuse" "$@" >"$work/said" 2>"$work/err"
	status=$?
	[ $status -eq 1 ] || fail "abuse $*: exit status $status"
	[ "$(wc -l <"$work/err")" -eq 1 ] || fail "abuse $*: not one line: $(cat "$work/err")"
	grep -q "$words" "$work/err" || fail "abuse $*: $(cat "$work/err")"
}

good=$samples/mails/fail2ban-ssh-en.eml
: >"$work/empty"
head -c 5000 "$abuse" >"$work/binary"
head -c 300 "$good" >"$work/cut"
refuses "is empty" parse --facts "$facts" "$work/empty"
refuses "is no mail" parse --facts "$facts" "$work/binary"
refuses "ends with its header" parse --facts "$facts" "$work/cut"
grep -q '"handling":"review"' "$work/said" || fail "a cut mail has no record"
refuses "is a directory" parse --facts "$facts" "$work"
refuses "No such file" parse --facts "$facts" "$work/nothing"
refuses "No such file" parse --facts "$facts" "$work/nothing" "$good"
grep -q '"format":"fail2ban"' "$work/said" || fail "a bad file stopped the others"
refuses "is no directory" reply --facts "$facts" --out "$work/nothing" "$good"
echo '{ "operator": "x", "relay": [] }' >"$work/facts"
refuses 'unknown member "relay"' parse --facts "$work/facts" "$good"
mkdir -p "$work/letters/en" "$work/letters/de" "$work/out"
echo 'Hello {{operatr}}' >"$work/letters/en/complainant.txt"
echo 'Guten Tag' >"$work/letters/de/complainant.txt"
refuses 'unknown tag {{operatr}}' reply --facts "$facts" --letters "$work/letters" \
    --out "$work/out" "$good"

# An mbox has many mails; a "From " in a text is quoted there.
{
	for mail in "$samples"/mails/*.eml; do
		echo "From someone@example.com Tue Apr  7 10:31:22 2026"
		sed 's/^From />&/' "$mail"
		echo
	done
} >"$work/mbox"
[ "$("$abuse" parse --facts "$facts" "$work/mbox" | wc -l)" -eq $count ] ||
	fail "an mbox of $count mails"

# The same mail again, and a reminder under the same ticket, repeat the first; others do not.
hoster=$samples/mails/netscan-out-en.eml
sed 's/^Message-ID: .*/Message-ID: <reminder@hoster.example>/; s/ Netscan detected/ Reminder:&/' "$hoster" \
    >"$work/reminder"
"$abuse" parse --facts "$facts" "$good" "$hoster" "$hoster" "$work/reminder" >"$work/said"
[ "$(grep -c '"duplicate_of":"E1abuse7C54AE@hoster.example"' "$work/said")" -eq 2 ] &&
	[ "$(grep -c '"duplicate_of":null' "$work/said")" -eq 2 ] || fail "repeats"

# The mail of the demonstration: the limits that refused the scan are told in the letter.
sed "s/@TIME@/Tue, 07 Apr 2026 08:05:00 +0000/; s/@SOURCE@/192.0.2.10/g; s/@TARGET@/203.0.113.9/g
    s/@PORT@/22/g" "$samples/fail2ban-demo.eml.in" >"$work/demo"
mkdir -p "$work/demo.out"
draft=$("$abuse" reply --facts "$facts" --letters "$letters" --out "$work/demo.out" "$work/demo")
tr -s ' \n' ' ' <"$draft" | grep -q "they refused connections toward 203.0.113.0/24" ||
	fail "the demo mail's letter"
grep -q '^Subject: Re: Abuse from 192.0.2.10 \[Case #2026-0417\]$' "$draft" || fail "its subject"

"$abuse" --help | grep -q '^usage: abuse' || fail "--help"
"$abuse" --version | grep -q '^abuse (exitgate)' || fail "--version"
"$abuse" >/dev/null 2>&1
[ $? -eq 2 ] || fail "no command"

[ $failed -eq 0 ] && echo "all as expected"
exit $failed
