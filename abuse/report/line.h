/* line.h: one line of a log or table: when, from where, to where. Pure. */
#ifndef ABUSE_REPORT_LINE_H
#define ABUSE_REPORT_LINE_H

#include "abuse/report/scan.h"
#include "abuse/report/recognise.h"

enum line_form {
	LINE_NOTHING,
	LINE_FLOW, /* source and target told apart by an arrow or by field names */
	LINE_LOG,  /* one accused address, as in a service's log */
	LINE_PAIR, /* two addresses, which is which not told */
};

struct log_line {
	enum line_form form;
	bool has_stamp;
	struct when_stamp stamp;
	struct incident incident; /* its time not yet resolved */
	struct span host; /* the machine that wrote a syslog line; borrowed; empty if not told */
	struct scan_addr other; /* of LINE_PAIR: the second address */
};

void line_parse(struct span line, const struct report_env *env, struct log_line *out);

#endif
