/* netscan.c: a hoster's or victim's notice with a table of connections: one row a connection,
 * time, source, target, ports, in any of the orders seen. Pure. */
#include "abuse/report/table.h"

#include <string.h>

#include "abuse/mail/text.h"

/* Some of these stand in the subject or text of such a notice. */
static const char *const cues[] = { "netscan", "net scan", "network scan", "port scan", "portscan",
	"port-scan", "scanning", "host scan", "port sweep", "netzwerkscan", "netz-scan",
	"scannen" };

static bool
has_cue(const struct report_input *in, struct span prose)
{
	for (size_t i = 0; i < sizeof(cues) / sizeof(cues[0]); i++)
		if (text_has_ci(prose, cues[i]) ||
		    text_has_ci(span_of_str(in->mail->subject), cues[i]))
			return true;
	return false;
}

/* The zone in the head of the table: a line of column names before the first row. */
static void
read_heading(struct span line, struct when_context *when)
{
	struct zone zone;

	if (when->table.known)
		return;
	bool has_names = text_has_word_ci(line, "src") || text_has_ci(line, "src_ip") ||
			 text_has_ci(line, "source") || text_has_word_ci(line, "dst") ||
			 text_has_ci(line, "quell") || text_has_ci(line, "ziel");
	if (has_names && zone_in_heading(line, &zone))
		when->table = zone;
}

/* Two addresses without an arrow are a row too, source first, if the columns say so. */
static bool
is_row(struct log_line *line, bool columns_known)
{
	if (!line->has_stamp)
		return false;
	if (line->form == LINE_FLOW)
		return line->incident.dst.addr.family != ADDR_NONE;
	if (line->form != LINE_PAIR || !columns_known)
		return false;
	line->incident.dst = prefix_of(&line->other.addr, line->other.bits);
	line->incident.dport = line->other.port;
	return true;
}

static bool
names_columns(struct span line)
{
	size_t src = text_find_ci(line, "src", 0), dst = text_find_ci(line, "dst", 0);

	if (src == TEXT_NONE)
		src = text_find_ci(line, "source", 0);
	if (dst == TEXT_NONE)
		dst = text_find_ci(line, "dest", 0);
	return src != TEXT_NONE && dst != TEXT_NONE && src < dst;
}

static void
take_row(const struct report_input *in, const struct when_context *ctx, struct log_line *line,
    struct complaint *out)
{
	struct incident *row = &line->incident;
	struct when when;

	/* The other direction of the same connections: our own answers coming back. */
	bool src_own = in->env->is_own(in->env->arg, &row->src);
	if (!src_own && row->dst.bits == addr_len(&row->dst.addr) * 8 &&
	    in->env->is_own(in->env->arg, &row->dst.addr))
		return;
	if (when_resolve(&line->stamp, ctx, &when) != RC_OK) {
		complaint_flag(out, "time-in-future");
		return;
	}
	row->has_time = true;
	row->first_utc = row->last_utc = when.utc;
	row->basis = when.basis;
	row->zone = when.zone;
	complaint_add(out, row);
	out->events += row->count;
}

/* A table head and a sentence that name different zones: the head is followed, and said. */
static void
check_zones(const struct when_context *ctx, struct complaint *out)
{
	if (ctx->table.known && ctx->stated.known && !zone_equal(&ctx->table, &ctx->stated))
		complaint_flag(out, "time-zone-conflict");
}

/* One line: part of the table's head, a row, or neither. */
static void
read_line(const struct report_input *in, struct span text, struct table *table, bool *columns,
    struct when_context *ctx, struct complaint *out)
{
	struct table found;
	struct log_line line;

	read_heading(text, ctx);
	if (table_heading(text, &found)) {
		*table = found;
		return;
	}
	*columns = *columns || names_columns(text);
	if (table->separator != 0 && table_row(table, text, in->env, &line)) {
		take_row(in, ctx, &line, out);
		return;
	}
	line_parse(text, in->env, &line);
	if (is_row(&line, *columns))
		take_row(in, ctx, &line, out);
}

bool
netscan_read(const struct report_input *in, struct complaint *out)
{
	struct span prose = text_sub(in->mail->text, 0, REPORT_PROSE_MAX);
	struct when_context ctx = in->when;
	struct table table = { .separator = 0 };
	struct rd rd = rd_from(in->mail->text);
	struct span text;
	bool columns = false;

	if (!has_cue(in, prose))
		return false;
	for (unsigned row = 0; row < REPORT_ROWS_MAX && rd_line(&rd, &text); row++)
		read_line(in, text_sub(text, 0, REPORT_LINE_MAX), &table, &columns, &ctx, out);
	if (out->incident_count == 0)
		return false;
	check_zones(&ctx, out);
	out->category = CATEGORY_PORT_SCAN;
	out->handling = HANDLING_PROCESS;
	/* Out: the hoster speaks to its customer. In: it speaks as the victim. */
	out->from_hoster = text_has_ci(span_of_str(in->mail->subject), "outlevel") ||
			   text_has_ci(prose, "from your server") ||
			   text_has_ci(prose, "von ihrem server");
	return true;
}
