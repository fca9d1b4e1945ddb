# abuse: the complaint desk; rooms mail, when, report, match, letter, case, main (left to right).
noinst_LIBRARIES += abuse/libabuse.a
abuse_libabuse_a_SOURCES = \
	abuse/mail/arena.h abuse/mail/arena.c \
	abuse/mail/text.h abuse/mail/text.c \
	abuse/mail/html.h abuse/mail/html.c \
	abuse/mail/decode.h abuse/mail/decode.c \
	abuse/mail/mail.h abuse/mail/mail.c \
	abuse/mail/mbox.h abuse/mail/mbox.c \
	abuse/when/zone.h abuse/when/zone.c \
	abuse/when/when.h abuse/when/when.c \
	abuse/report/complaint.h abuse/report/complaint.c \
	abuse/report/scan.h abuse/report/scan.c \
	abuse/report/line.h abuse/report/line.c \
	abuse/report/table.h abuse/report/table.c \
	abuse/report/envelope.c abuse/report/gravity.c abuse/report/language.c \
	abuse/report/fail2ban.c abuse/report/netscan.c abuse/report/freetext.c \
	abuse/report/recognise.h abuse/report/recognise.c \
	abuse/match/facts.h abuse/match/facts.c \
	abuse/match/match.h abuse/match/match.c \
	abuse/letter/template.h abuse/letter/template.c \
	abuse/letter/tags.c abuse/letter/vars.h abuse/letter/vars.c \
	abuse/letter/wrap.c abuse/letter/letter.h abuse/letter/letter.c \
	abuse/letter/draft.h abuse/letter/draft.c \
	abuse/case/record.h abuse/case/record.c \
	abuse/case/fold.h abuse/case/fold.c \
	abuse/main/sandbox.h abuse/main/sandbox.c \
	abuse/main/input.h abuse/main/input.c \
	abuse/main/work.h abuse/main/work.c
abuse_libabuse_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)
ABUSE_LIBS = abuse/libabuse.a common/libcommon.a $(GMIME_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS)

bin_PROGRAMS += abuse/abuse
abuse_abuse_SOURCES = abuse/main/main.c
abuse_abuse_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(JANSSON_CFLAGS)
abuse_abuse_LDADD = $(ABUSE_LIBS)

lettersendir = $(pkgdatadir)/letters/en
lettersdedir = $(pkgdatadir)/letters/de
abuse_letters = abuse/letter/templates
dist_lettersen_DATA = \
	$(abuse_letters)/en/complainant.txt $(abuse_letters)/en/hoster.txt \
	$(abuse_letters)/en/claims.txt $(abuse_letters)/en/findings.txt \
	$(abuse_letters)/en/help.txt $(abuse_letters)/en/missing.txt \
	$(abuse_letters)/en/refusals.txt $(abuse_letters)/en/times.txt \
	$(abuse_letters)/en/what.txt $(abuse_letters)/en/what_short.txt
dist_lettersde_DATA = \
	$(abuse_letters)/de/complainant.txt $(abuse_letters)/de/hoster.txt \
	$(abuse_letters)/de/claims.txt $(abuse_letters)/de/findings.txt \
	$(abuse_letters)/de/help.txt $(abuse_letters)/de/missing.txt \
	$(abuse_letters)/de/refusals.txt $(abuse_letters)/de/times.txt \
	$(abuse_letters)/de/what.txt $(abuse_letters)/de/what_short.txt
dist_man_MANS += docs/abuse.1

TESTS += abuse/abuse_test.sh
EXTRA_DIST += abuse/abuse_test.sh abuse/samples \
	abuse/mail/ROOM.md abuse/mail/.may_include \
	abuse/when/ROOM.md abuse/when/.may_include \
	abuse/report/ROOM.md abuse/report/.may_include \
	abuse/match/ROOM.md abuse/match/.may_include \
	abuse/letter/ROOM.md abuse/letter/.may_include \
	abuse/case/ROOM.md abuse/case/.may_include \
	abuse/main/ROOM.md abuse/main/.may_include

check_PROGRAMS += abuse/mail/mail_test abuse/when/when_test
abuse_test_cflags = $(AM_CFLAGS) $(GMIME_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)
abuse_mail_mail_test_SOURCES = abuse/mail/mail_test.c
abuse_mail_mail_test_CFLAGS = $(abuse_test_cflags)
abuse_mail_mail_test_LDADD = $(ABUSE_LIBS) $(CMOCKA_LIBS)
abuse_when_when_test_SOURCES = abuse/when/when_test.c
abuse_when_when_test_CFLAGS = $(abuse_test_cflags)
abuse_when_when_test_LDADD = $(ABUSE_LIBS) $(CMOCKA_LIBS)

FUZZ_TARGETS += abuse/mail/mail_fuzz abuse/when/when_fuzz
abuse_mail_mail_fuzz_SOURCES = abuse/mail/mail_fuzz.c tests/fuzz_main.c
abuse_mail_mail_fuzz_LDADD = $(ABUSE_LIBS)
abuse_when_when_fuzz_SOURCES = abuse/when/when_fuzz.c tests/fuzz_main.c
abuse_when_when_fuzz_LDADD = $(ABUSE_LIBS)

check_PROGRAMS += abuse/report/report_test abuse/match/match_test
abuse_report_report_test_SOURCES = abuse/report/report_test.c
abuse_report_report_test_CFLAGS = $(abuse_test_cflags)
abuse_report_report_test_LDADD = $(ABUSE_LIBS) $(CMOCKA_LIBS)
abuse_match_match_test_SOURCES = abuse/match/match_test.c
abuse_match_match_test_CFLAGS = $(abuse_test_cflags)
abuse_match_match_test_LDADD = $(ABUSE_LIBS) $(CMOCKA_LIBS)

FUZZ_TARGETS += abuse/report/report_fuzz
abuse_report_report_fuzz_SOURCES = abuse/report/report_fuzz.c tests/fuzz_main.c
abuse_report_report_fuzz_LDADD = $(ABUSE_LIBS)

check_PROGRAMS += abuse/letter/letter_test
abuse_letter_letter_test_SOURCES = abuse/letter/letter_test.c
abuse_letter_letter_test_CFLAGS = $(abuse_test_cflags)
abuse_letter_letter_test_LDADD = $(ABUSE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += abuse/main/sandbox_test
abuse_main_sandbox_test_SOURCES = abuse/main/sandbox_test.c
abuse_main_sandbox_test_CFLAGS = $(abuse_test_cflags)
abuse_main_sandbox_test_LDADD = $(ABUSE_LIBS) $(CMOCKA_LIBS)
