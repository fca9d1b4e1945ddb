/* table.c: see table.h. Columns go by their names, never by their place. */
#include "abuse/report/table.h"

#include <string.h>

#include "abuse/mail/text.h"

/* Names with blanks, '_', '-' and what stands in brackets taken out. */
static const struct {
	const char *name;
	enum table_role role;
} names[] = {
	{ "time", TABLE_TIME },
	{ "timestamp", TABLE_TIME },
	{ "timestamputc", TABLE_TIME },
	{ "timeutc", TABLE_TIME },
	{ "datetime", TABLE_TIME },
	{ "date", TABLE_TIME },
	{ "sourcetime", TABLE_TIME },
	{ "zeit", TABLE_TIME },
	{ "zeitpunkt", TABLE_TIME },
	{ "zeitstempel", TABLE_TIME },
	{ "datum", TABLE_TIME },
	{ "src", TABLE_SRC },
	{ "srcip", TABLE_SRC },
	{ "source", TABLE_SRC },
	{ "sourceip", TABLE_SRC },
	{ "sourceaddress", TABLE_SRC },
	{ "ipsrc", TABLE_SRC },
	{ "attacker", TABLE_SRC },
	{ "attackerip", TABLE_SRC },
	{ "ip", TABLE_SRC },
	{ "quelle", TABLE_SRC },
	{ "quellip", TABLE_SRC },
	{ "quelladresse", TABLE_SRC },
	{ "srcport", TABLE_SRC_PORT },
	{ "sport", TABLE_SRC_PORT },
	{ "sourceport", TABLE_SRC_PORT },
	{ "quellport", TABLE_SRC_PORT },
	{ "dst", TABLE_DST },
	{ "dstip", TABLE_DST },
	{ "dest", TABLE_DST },
	{ "destip", TABLE_DST },
	{ "destination", TABLE_DST },
	{ "destinationip", TABLE_DST },
	{ "destinationaddress", TABLE_DST },
	{ "ipdst", TABLE_DST },
	{ "target", TABLE_DST },
	{ "targetip", TABLE_DST },
	{ "victim", TABLE_DST },
	{ "ziel", TABLE_DST },
	{ "zielip", TABLE_DST },
	{ "zieladresse", TABLE_DST },
	{ "dstport", TABLE_DST_PORT },
	{ "dport", TABLE_DST_PORT },
	{ "destport", TABLE_DST_PORT },
	{ "destinationport", TABLE_DST_PORT },
	{ "targetport", TABLE_DST_PORT },
	{ "port", TABLE_DST_PORT },
	{ "zielport", TABLE_DST_PORT },
	{ "proto", TABLE_PROTO },
	{ "prot", TABLE_PROTO },
	{ "protocol", TABLE_PROTO },
	{ "protokoll", TABLE_PROTO },
	{ "count", TABLE_COUNT },
	{ "hits", TABLE_COUNT },
	{ "attempts", TABLE_COUNT },
	{ "events", TABLE_COUNT },
	{ "anzahl", TABLE_COUNT },
};

static enum table_role
role_of(struct span cell)
{
	char plain[24];
	size_t len = 0;

	for (size_t i = 0; i < cell.len && text_at(cell, i) != '(' && text_at(cell, i) != '[';
	     i++) {
		if (!text_is_alnum(text_at(cell, i)))
			continue;
		if (len == sizeof(plain) - 1)
			return TABLE_OTHER;
		plain[len++] = (char)text_lower_at(cell, i);
	}
	plain[len] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, plain) == 0)
			return names[i].role;
	return TABLE_OTHER;
}

/* Quote marks of mail, and the bars at both ends that some draw. */
static struct span
without_frame(struct span line, char separator)
{
	size_t at = 0;

	while (text_at(line, at) == '>' || text_at(line, at) == ' ')
		at++;
	line = text_trim(text_from(line, at));
	if (separator == '|' && text_at(line, 0) == '|')
		line = text_from(line, 1);
	return line;
}

/* The next cell from *at on, trimmed, its quotes taken off; false behind the last one. */
static bool
next_cell(struct span line, char separator, size_t *at, struct span *out)
{
	size_t end;

	if (*at > line.len || line.len == 0)
		return false;
	if (text_at(line, *at) == '"') {
		end = text_find_char(line, '"', *at + 1);
		end = end == TEXT_NONE ? TEXT_NONE : text_find_char(line, separator, end);
	} else {
		end = text_find_char(line, separator, *at);
	}
	*out = text_trim(text_sub(line, *at, (end == TEXT_NONE ? line.len : end) - *at));
	if (text_at(*out, 0) == '"' && out->len >= 2 && text_at(*out, out->len - 1) == '"')
		*out = text_sub(*out, 1, out->len - 2);
	*at = end == TEXT_NONE ? line.len + 1 : end + 1;
	return true;
}

bool
table_heading(struct span line, struct table *out)
{
	static const char separators[] = "|;\t,";

	for (size_t s = 0; separators[s] != '\0'; s++) {
		struct table t = { .separator = separators[s] };
		struct span cell, text = without_frame(line, t.separator);
		bool seen[TABLE_COUNT + 1] = { false };
		size_t at = 0;

		while (t.columns < TABLE_COLUMNS_MAX && next_cell(text, t.separator, &at, &cell)) {
			enum table_role role = role_of(cell);

			t.roles[t.columns++] = seen[role] ? TABLE_OTHER : role;
			seen[role] = true;
		}
		if (seen[TABLE_TIME] && seen[TABLE_SRC] &&
		    (seen[TABLE_DST] || seen[TABLE_DST_PORT])) {
			*out = t;
			return true;
		}
	}
	return false;
}

static bool
cell_addr(struct span cell, const struct report_env *env, struct scan_addr *out)
{
	return scan_addr_next(cell, 0, out) && out->at <= 1 &&
	       !env->is_mail_hop(env->arg, &out->addr);
}

static uint16_t
cell_port(struct span cell)
{
	unsigned long value = 0;

	return text_digits(cell, 0, 5, &value) == cell.len && value <= 65535 ? (uint16_t)value : 0;
}

static void
take_cell(
    struct span cell, enum table_role role, const struct report_env *env, struct log_line *out)
{
	struct incident *it = &out->incident;
	unsigned long value = 0;
	struct scan_addr a;

	switch (role) {
	case TABLE_TIME:
		out->has_stamp = when_scan(cell, 0, &out->stamp);
		break;
	case TABLE_SRC:
		if (cell_addr(cell, env, &a)) {
			it->src = a.addr;
			if (it->src_port == 0)
				it->src_port = a.port;
		}
		break;
	case TABLE_SRC_PORT:
		it->src_port = cell_port(cell);
		break;
	case TABLE_DST:
		if (cell_addr(cell, env, &a)) {
			it->dst = prefix_of(&a.addr, a.bits);
			if (it->dport == 0)
				it->dport = a.port;
		}
		break;
	case TABLE_DST_PORT:
		it->dport = cell_port(cell);
		break;
	case TABLE_PROTO:
		it->proto = span_equal_str(cell, "6")    ? PROTO_TCP
			    : span_equal_str(cell, "17") ? PROTO_UDP
							 : scan_proto(cell);
		break;
	case TABLE_COUNT:
		if (text_digits(cell, 0, 9, &value) == cell.len && value > 0)
			it->count = value;
		break;
	default:
		break;
	}
}

bool
table_row(
    const struct table *table, struct span line, const struct report_env *env, struct log_line *out)
{
	struct span cell, text = without_frame(line, table->separator);
	size_t at = 0;

	*out = (struct log_line){ .form = LINE_NOTHING, .host = { NULL, 0 } };
	out->incident.count = 1;
	out->incident.service = "";
	for (size_t c = 0; c < table->columns && next_cell(text, table->separator, &at, &cell); c++)
		take_cell(cell, table->roles[c], env, out);
	if (!out->has_stamp || out->incident.src.family == ADDR_NONE)
		return false;
	out->form = LINE_FLOW;
	return true;
}
