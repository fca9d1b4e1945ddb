/* table.h: tables with named columns, parted by '|', ';', tab or comma. Pure. */
#ifndef ABUSE_REPORT_TABLE_H
#define ABUSE_REPORT_TABLE_H

#include "abuse/report/line.h"

#define TABLE_COLUMNS_MAX 32u

enum table_role {
	TABLE_OTHER,
	TABLE_TIME,
	TABLE_SRC,
	TABLE_SRC_PORT,
	TABLE_DST,
	TABLE_DST_PORT,
	TABLE_PROTO,
	TABLE_COUNT,
};

struct table {
	char separator; /* 0: no heading seen yet */
	size_t columns;
	enum table_role roles[TABLE_COLUMNS_MAX];
};

/* True if the line names at least a time, a source and a target or port. */
bool table_heading(struct span line, struct table *out);
/* A row under that heading; its form is LINE_FLOW. */
bool table_row(const struct table *table, struct span line, const struct report_env *env,
    struct log_line *out);

#endif
