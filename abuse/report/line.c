/* line.c: see line.h. Field names first, then an arrow, then what stands alone. */
#include "abuse/report/line.h"

#include <string.h>

#include "abuse/mail/text.h"

#define ADDRS_MAX 8u

struct found {
	struct scan_addr addr[ADDRS_MAX];
	size_t count;
};

static void
find_addrs(struct span line, const struct report_env *env, struct found *out)
{
	struct scan_addr a;
	size_t at = 0;

	out->count = 0;
	while (out->count < ADDRS_MAX && scan_addr_next(line, at, &a)) {
		at = a.at + a.len;
		if (!env->is_mail_hop(env->arg, &a.addr) && a.addr.bytes[0] != 0)
			out->addr[out->count++] = a;
	}
}

/* The address whose text begins right behind one of the names ("SRC=", "src_ip:"). */
static const struct scan_addr *
addr_behind(struct span line, const struct found *found, const char *const *names)
{
	for (size_t n = 0; names[n] != NULL; n++) {
		size_t at = 0, len = strlen(names[n]);

		for (; (at = text_find_ci(line, names[n], at)) != TEXT_NONE; at += len) {
			size_t i = at + len;

			if (at > 0 && text_is_alnum(text_at(line, at - 1)))
				continue;
			while (text_is_space(text_at(line, i)) || text_at(line, i) == '"' ||
			       text_at(line, i) == '=' || text_at(line, i) == ':' ||
			       text_at(line, i) == '[')
				i++;
			for (size_t f = 0; f < found->count; f++)
				if (found->addr[f].at == i)
					return &found->addr[f];
		}
	}
	return NULL;
}

static uint16_t
number_behind(struct span line, const char *const *names)
{
	unsigned long value = 0;

	for (size_t n = 0; names[n] != NULL; n++) {
		size_t at = text_find_ci(line, names[n], 0);

		if (at == TEXT_NONE || (at > 0 && text_is_alnum(text_at(line, at - 1))))
			continue;
		at += strlen(names[n]);
		while (text_is_space(text_at(line, at)) || text_at(line, at) == '"' ||
		       text_at(line, at) == '=' || text_at(line, at) == ':')
			at++;
		if (text_digits(line, at, 5, &value) != 0 && value <= 65535)
			return (uint16_t)value;
	}
	return 0;
}

/* A port standing by itself behind an address: blanks, perhaps a colon, digits, blank or end. */
static uint16_t
port_behind(struct span line, const struct scan_addr *a)
{
	unsigned long value = 0;
	size_t i = text_skip_space(line, a->at + a->len);

	if (a->port != 0)
		return a->port;
	if (text_at(line, i) == ':' || text_at(line, i) == ',' || text_at(line, i) == ';' ||
	    text_at(line, i) == '|')
		i = text_skip_space(line, i + 1);
	size_t n = text_digits(line, i, 5, &value);
	int after = text_at(line, i + n);
	if (n == 0 || value > 65535 || text_is_alnum(after) || after == '.' || after == ':' ||
	    after == '-')
		return 0;
	return (uint16_t)value;
}

static void
set_target(struct incident *incident, const struct scan_addr *a)
{
	incident->dst = prefix_of(&a->addr, a->bits);
}

static bool
read_named(struct span line, const struct found *found, struct incident *out)
{
	static const char *const sources[] = { "src", "src_ip", "srcip", "src-ip", "source ip",
		"source_ip", "sourceip", "source address", "source", "rhost", "rip", "client_ip",
		"attacker ip", "attacker", "quell-ip", "quelladresse", "quelle", NULL };
	static const char *const targets[] = { "dst", "dst_ip", "dstip", "dst-ip", "dest_ip",
		"destip", "dest ip", "destination ip", "destination_ip", "destination address",
		"destination", "dest", "lip", "target ip", "target", "victim", "ziel-ip",
		"zieladresse", "ziel", NULL };
	static const char *const src_ports[] = { "spt", "sport", "src_port", "srcport", "src port",
		"source port", "source_port", "quellport", NULL };
	static const char *const dst_ports[] = { "dpt", "dport", "dst_port", "dstport", "dst port",
		"dest_port", "dest port", "destport", "destination port", "destination_port",
		"target port", "zielport", NULL };
	const struct scan_addr *src = addr_behind(line, found, sources);
	const struct scan_addr *dst = addr_behind(line, found, targets);

	if (src == NULL)
		return false;
	out->src = src->addr;
	out->src_port = src->port != 0 ? src->port : number_behind(line, src_ports);
	out->dport = number_behind(line, dst_ports);
	if (dst != NULL) {
		set_target(out, dst);
		if (out->dport == 0)
			out->dport = dst->port;
	}
	out->proto = scan_proto(line);
	return dst != NULL || out->dport != 0;
}

static bool
has_arrow(struct span between)
{
	return text_has_ci(between, "->") || text_has_ci(between, "=>") ||
	       text_has_ci(between, "→") || span_equal_str(text_trim(between), ">") ||
	       text_has_ci(between, " > ");
}

static bool
read_arrow(struct span line, const struct found *found, struct incident *out)
{
	for (size_t f = 0; f + 1 < found->count; f++) {
		const struct scan_addr *src = &found->addr[f], *dst = &found->addr[f + 1];
		size_t from = src->at + src->len;

		if (!has_arrow(text_sub(line, from, dst->at - from)))
			continue;
		out->src = src->addr;
		out->src_port = port_behind(text_sub(line, 0, dst->at), src);
		set_target(out, dst);
		out->dport = port_behind(line, dst);
		out->proto = scan_proto(line);
		return true;
	}
	return false;
}

/* What a service writes about one address; behind it "port N" is the source's port. */
static void
read_single(struct span line, const struct scan_addr *a, struct incident *out)
{
	size_t i = text_skip_space(line, a->at + a->len);
	unsigned long value = 0;

	out->src = a->addr;
	out->src_port = a->port;
	if (text_starts_at_ci(line, i, "port ") && text_digits(line, i + 5, 5, &value) != 0 &&
	    value <= 65535)
		out->src_port = (uint16_t)value;
	out->proto = scan_proto(line);
	bool several;

	out->dport = scan_named_port(line, &out->proto, &several);
}

/* "Apr  7 10:02:11 web1 sshd[3121]: ...": the name behind the time, if a program's follows. */
static struct span
syslog_host(struct span line, const struct when_stamp *stamp)
{
	size_t start = text_skip_space(line, stamp->at + stamp->len), end = start;
	struct scan_addr a;

	while (text_is_alnum(text_at(line, end)) || text_at(line, end) == '-' ||
	       text_at(line, end) == '.')
		end++;
	struct span host = text_sub(line, start, end - start);
	size_t program = text_skip_space(line, end), at = program;
	while (text_is_alnum(text_at(line, at)) || text_at(line, at) == '-' ||
	       text_at(line, at) == '/' || text_at(line, at) == '_' || text_at(line, at) == '.')
		at++;
	if (text_at(line, at) == '[') {
		at++;
		while (text_is_digit(text_at(line, at)))
			at++;
		if (text_at(line, at) == ']')
			at++;
	}
	bool is_host = host.len > 0 && host.len < 64 && program > end && at > program &&
		       text_at(line, at) == ':' && text_at(line, at + 1) == ' ' &&
		       !scan_addr_next(host, 0, &a);
	return is_host ? host : span_of("", 0);
}

void
line_parse(struct span line, const struct report_env *env, struct log_line *out)
{
	struct found found;

	*out = (struct log_line){ .form = LINE_NOTHING, .host = { NULL, 0 } };
	out->incident.count = 1;
	out->incident.service = "";
	line = text_sub(line, 0, REPORT_LINE_MAX);
	find_addrs(line, env, &found);
	if (found.count == 0)
		return;
	out->has_stamp = when_search(line, 0, &out->stamp);
	if (out->has_stamp)
		out->host = syslog_host(line, &out->stamp);
	if (read_named(line, &found, &out->incident) || read_arrow(line, &found, &out->incident)) {
		out->form = LINE_FLOW;
	} else if (found.count == 1) {
		read_single(line, &found.addr[0], &out->incident);
		out->form = LINE_LOG;
	} else {
		read_single(line, &found.addr[0], &out->incident);
		out->incident.src_port = port_behind(line, &found.addr[0]);
		out->other = found.addr[1];
		out->other.port = port_behind(line, &found.addr[1]);
		out->form = LINE_PAIR;
	}
	const struct service *service = scan_service(line);
	if (service != NULL)
		out->incident.service = service->name;
}
