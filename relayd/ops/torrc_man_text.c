/* torrc_man_text.c: writes relayd.torrc(5) from torrc.def. */
#include "relayd/ops/torrc_man.h"

#include <string.h>

#include "relayd/ops/torrc_table.h"

static const char head[] =
    ".\\\" Made from relayd/ops/torrc.def by relayd/ops/torrc_man; change that, not this.\n"
    ".TH RELAYD.TORRC 5 \"\" exitgate \"File formats\"\n"
    ".SH NAME\n"
    "relayd.torrc \\- configuration of relayd\n"
    ".SH DESCRIPTION\n"
    ".BR relayd (8)\n"
    "reads the torrc of stock tor, for the options that a relay has, with the same names, units "
    "and\n"
    "defaults. One option a line: its name, blanks, its value. Names are read without regard to "
    "case;\n"
    "the beginning of a name is taken if only one option begins so. A\n"
    ".B #\n"
    "starts a comment. A value may stand in double quotes and then hold\n"
    ".BR \\e\\(dq ,\n"
    ".BR \\e\\e ,\n"
    ".BR \\en ,\n"
    ".B \\et\n"
    "and\n"
    ".BR \\ex \\fIHH\\fR.\n"
    "A line that ends in a backslash goes on in the next one.\n"
    ".PP\n"
    "An option on the command line replaces the ones in the configuration file, and those replace "
    "the\n"
    "ones in the file of defaults. With a\n"
    ".B +\n"
    "before its name an option that can be given many times is added to the earlier ones; with a\n"
    ".B /\n"
    "before its name the earlier ones are taken away.\n"
    ".PP\n"
    ".BI %include \" PATH\"\n"
    "reads a file, all files of a folder, or all that match a pattern with\n"
    ".B *\n"
    "and\n"
    ".BR ? ,\n"
    "in lexical order, as if they stood in its place; at most eight deep.\n"
    ".PP\n"
    "Bytes take the units bytes, KBytes, MBytes, GBytes, TBytes (powers of 1024; KB and so on too) "
    "and\n"
    "bits, KBits, MBits, GBits, TBits. Times take seconds, minutes, hours, days, weeks.\n"
    ".PP\n"
    "Each option says whether a reload (SIGHUP) takes a new value or only the next start does.\n"
    ".SH OPTIONS\n";

static void
write_list(FILE *f, enum torrc_kind kind)
{
	const char *before = "";

	for (size_t i = 0; i < torrc_known_count; i++) {
		if (torrc_known[i].kind != kind)
			continue;
		fprintf(f, "%s%s", before, torrc_known[i].name);
		if (kind == TORRC_REFUSED && torrc_known[i].harmless[0] != '\0')
			fprintf(f, " (but %s)", torrc_known[i].harmless);
		before = ",\n";
	}
	fputs(".\n", f);
}

void
torrc_man_write(FILE *f)
{
	fputs(head, f);
	for (unsigned id = 0; id < TORRC_OPTION_COUNT; id++) {
		const struct torrc_option *option = &torrc_options[id];
		const struct torrc_type *type = &torrc_types[option->type];

		fprintf(f, ".TP\n\\fB%s\\fR %s\n%s\n", option->name, type->syntax, option->help);
		for (size_t i = 0; i < torrc_idle_count; i++)
			if (torrc_idle[i].option == id)
				fprintf(f, "In this version it %s.\n", torrc_idle[i].text);
		if (option->initial[0] != '\0')
			fprintf(f, "Default: %s.\n", option->initial);
		fprintf(f, "%s%s\n", type->many ? "May be given many times. " : "",
		    option->reload == TORRC_RELOAD ? "Taken by a reload." : "Taken at the start.");
	}
	fputs(".SH OPTIONS THAT ARE REFUSED\n"
	      "relayd has no such role; a value in parentheses is accepted:\n",
	    f);
	write_list(f, TORRC_REFUSED);
	fputs(".SH OPTIONS WITHOUT EFFECT\n"
	      "Accepted. These would protect or limit something, and are named at warn level:\n",
	    f);
	write_list(f, TORRC_WEAK);
	fputs(".PP\nThese are named at notice level:\n", f);
	write_list(f, TORRC_IGNORED);
	fputs(".PP\nThese are obsolete in stock tor too, and skipped:\n", f);
	write_list(f, TORRC_OBSOLETE);
	fputs(".SH SEE ALSO\n.BR relayd (8),\n.BR tor (1)\n", f);
}
