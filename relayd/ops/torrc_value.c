/* torrc_value.c: how values of each type are read and written. Pure. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "relayd/ops/torrc_table.h"
#include "relayd/ops/torrc_units.h"

#define LIST_MAX 4096 /* items of one option */

__attribute__((format(printf, 3, 4))) static enum rc
wrong(char *why, size_t why_len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, why_len, fmt, ap);
	va_end(ap);
	return RC_SYNTAX;
}

static bool
print_text(char *buf, size_t len, const char *text)
{
	snprintf(buf, len, "%s", text);
	return true;
}

/* --- single values --- */

static enum rc
parse_STRING(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	char *copy = text[0] != '\0' ? strdup(text) : NULL, **out = field;

	(void)t;
	(void)why;
	(void)why_len;
	if (text[0] != '\0' && copy == NULL)
		return RC_NO_MEMORY;
	free(*out);
	*out = copy;
	return RC_OK;
}

static bool
print_STRING(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	char *const *text = field;

	(void)t;
	(void)index;
	return *text != NULL && print_text(buf, len, *text);
}

#define parse_PATH parse_STRING
#define print_PATH print_STRING

static enum rc
parse_NICKNAME(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

	if (len == 0 || len > 19 || text[len] != '\0')
		return wrong(why, why_len, "must be 1 to 19 letters and digits");
	return parse_STRING(text, t, field, why, why_len);
}

#define print_NICKNAME print_STRING

static enum rc
parse_BOOL(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	bool *out = field;

	(void)t;
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return wrong(why, why_len, "must be 0 or 1");
	*out = text[0] == '1';
	return RC_OK;
}

static bool
print_BOOL(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	const bool *value = field;

	(void)t;
	(void)index;
	return print_text(buf, len, *value ? "1" : "0");
}

/* auto is taken for 0; torrc_check.c makes something of it. */
static enum rc
parse_BOOL_AUTO(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	if (strcasecmp(text, "auto") == 0)
		text = "0";
	if (parse_BOOL(text, t, field, why, why_len) != RC_OK)
		return wrong(why, why_len, "must be 0, 1 or auto");
	return RC_OK;
}

#define print_BOOL_AUTO print_BOOL

static enum rc
parse_TRISTATE(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	int *out = field;
	bool on = false;
	enum rc rc = parse_BOOL_AUTO(text, t, &on, why, why_len);

	if (rc == RC_OK)
		*out = strcasecmp(text, "auto") == 0 ? -1 : on;
	return rc;
}

static bool
print_TRISTATE(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	const int *value = field;

	(void)t;
	(void)index;
	return print_text(buf, len, *value < 0 ? "auto" : *value != 0 ? "1" : "0");
}

static enum rc
parse_SCRUB(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	if (strcasecmp(text, "relay") == 0)
		text = "1";
	if (parse_BOOL(text, t, field, why, why_len) != RC_OK)
		return wrong(why, why_len, "must be 0, 1 or relay");
	return RC_OK;
}

#define print_SCRUB print_BOOL

static enum rc
parse_PUBLISH(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	if (strcasecmp(text, "v3") == 0)
		text = "1";
	if (strcasecmp(text, "bridge") == 0)
		return wrong(why, why_len, "relayd is a public relay, not a bridge");
	if (parse_BOOL(text, t, field, why, why_len) != RC_OK)
		return wrong(why, why_len, "must be 0, 1 or v3");
	return RC_OK;
}

#define print_PUBLISH print_BOOL

static enum rc
parse_FAIL_MODE(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	bool *out = field;

	(void)t;
	if (strcasecmp(text, "open") != 0 && strcasecmp(text, "closed") != 0)
		return wrong(why, why_len, "must be open or closed");
	*out = strcasecmp(text, "open") == 0;
	return RC_OK;
}

static bool
print_FAIL_MODE(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	const bool *value = field;

	(void)t;
	(void)index;
	return print_text(buf, len, *value ? "open" : "closed");
}

/* --- numbers with units --- */

static enum rc
parse_BYTES(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	(void)t;
	return torrc_quantity(text, TORRC_BYTES, INT64_MAX, field, why, why_len);
}

static bool
print_BYTES(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	const uint64_t *value = field;

	(void)t;
	(void)index;
	snprintf(buf, len, "%" PRIu64, *value);
	return true;
}

static enum rc
parse_unsigned(const char *text, enum torrc_quantity kind, uint64_t max, unsigned *out, char *why,
    size_t why_len)
{
	uint64_t number = 0;
	enum rc rc = torrc_quantity(text, kind, max, &number, why, why_len);

	if (rc == RC_OK)
		*out = (unsigned)number;
	return rc;
}

static enum rc
parse_SECONDS(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	(void)t;
	return parse_unsigned(text, TORRC_SECONDS, INT32_MAX, field, why, why_len);
}

static enum rc
parse_MSECONDS(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	(void)t;
	return parse_unsigned(text, TORRC_MSECONDS, INT32_MAX, field, why, why_len);
}

static enum rc
parse_NUMBER(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	unsigned *out = field;
	uint64_t number = 0;

	(void)t;
	if (parse_u64(span_of_str(text), INT32_MAX, &number) != RC_OK)
		return wrong(why, why_len, "must be a whole number");
	*out = (unsigned)number;
	return RC_OK;
}

static bool
print_NUMBER(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	const unsigned *value = field;

	(void)t;
	(void)index;
	snprintf(buf, len, "%u", *value);
	return true;
}

#define print_SECONDS  print_NUMBER
#define print_MSECONDS print_NUMBER

/* --- addresses: two neighbours, IPv4 and IPv6 --- */

_Static_assert(offsetof(struct torrc, address_v6) ==
		       offsetof(struct torrc, address_v4) + sizeof(struct addr) &&
		   offsetof(struct torrc, outbound_or_v6) ==
		       offsetof(struct torrc, outbound_or_v4) + sizeof(struct addr) &&
		   offsetof(struct torrc, outbound_exit_v6) ==
		       offsetof(struct torrc, outbound_exit_v4) + sizeof(struct addr),
    "the IPv6 address follows the IPv4 one");

/* "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". */
static enum rc
address_of(const char *text, struct addr *out, char *why, size_t why_len)
{
	struct span span = span_of_str(text);

	if (span.len > 2 && text[0] == '[' && text[span.len - 1] == ']')
		span = span_of(text + 1, span.len - 2);
	if (addr_parse(span, out) != RC_OK)
		return wrong(
		    why, why_len, "must be an IPv4 or IPv6 address (a name is not accepted)");
	return RC_OK;
}

static enum rc
parse_BIND(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	struct addr *pair = field, addr;
	enum rc rc = address_of(text, &addr, why, why_len);

	(void)t;
	if (rc == RC_OK)
		pair[addr.family == ADDR_IPV6] = addr;
	return rc;
}

static bool
print_BIND(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	const struct addr *pair = field;
	char text[ADDR_STR_LEN];

	(void)t;
	if (pair[0].family == ADDR_NONE)
		index++;
	return index < 2 && pair[index].family != ADDR_NONE &&
	       print_text(buf, len, addr_str(&pair[index], text));
}

#define parse_ADDRESS parse_BIND
#define print_ADDRESS print_BIND

/* The general option comes before the two special ones, which overwrite it. */
static enum rc
parse_BIND_ALL(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	enum rc rc = parse_BIND(text, t, field, why, why_len);

	if (rc == RC_OK)
		rc = parse_BIND(text, t, &t->outbound_exit_v4, why, why_len);
	return rc;
}

static bool
print_BIND_ALL(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	(void)t; /* written as the two special ones */
	(void)field;
	(void)index;
	(void)buf;
	(void)len;
	return false;
}

/* --- lists --- */

/* Room for one more after count items of size bytes; NULL: too many, or no memory. */
static void *
grown(void *items, size_t count, size_t size, char *why, size_t why_len)
{
	if (count < LIST_MAX)
		return reallocarray(items, count + 1, size);
	wrong(why, why_len, "more than %d values", LIST_MAX);
	return NULL;
}

static enum rc
strings_add(struct torrc_strings *list, struct span text, char *why, size_t why_len)
{
	char **items = grown(list->items, list->count, sizeof(*items), why, why_len);

	if (items == NULL)
		return RC_LIMIT;
	list->items = items;
	items[list->count] = strndup((const char *)text.data, text.len);
	if (items[list->count] == NULL)
		return RC_NO_MEMORY;
	list->count++;
	return RC_OK;
}

static enum rc
parse_STRINGS(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	(void)t;
	return strings_add(field, span_of_str(text), why, why_len);
}

static bool
print_STRINGS(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	const struct torrc_strings *list = field;

	(void)t;
	return index < list->count && print_text(buf, len, list->items[index]);
}

/* One of MyFamily: 40 hexadecimal digits, perhaps with '$' before and =NAME or ~NAME behind. */
static enum rc
family_add(struct torrc_strings *list, const char *entry, char *why, size_t why_len)
{
	char digits[41];
	size_t digit_count;

	if (entry[0] == '$')
		entry++;
	digit_count = strspn(entry, "0123456789abcdefABCDEF");
	if (digit_count != 40 || (entry[40] != '\0' && entry[40] != '=' && entry[40] != '~'))
		return wrong(why, why_len, "%.50s is not a fingerprint", entry);
	for (size_t i = 0; i < 40; i++)
		digits[i] = (char)(entry[i] >= 'a' ? entry[i] - 'a' + 'A' : entry[i]);
	return strings_add(list, span_of(digits, 40), why, why_len);
}

static enum rc
parse_FAMILY(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	char *copy = strdup(text), *rest = copy, *entry;
	enum rc rc = RC_OK;

	(void)t;
	if (copy == NULL)
		return RC_NO_MEMORY;
	while (rc == RC_OK && (entry = strsep(&rest, ", \t")) != NULL)
		if (entry[0] != '\0')
			rc = family_add(field, entry, why, why_len);
	free(copy);
	return rc;
}

#define print_FAMILY print_STRINGS

static enum rc
port_flag(struct torrc_port *port, const char *flag, char *why, size_t why_len)
{
	if (strcasecmp(flag, "NoListen") == 0)
		port->no_listen = true;
	else if (strcasecmp(flag, "NoAdvertise") == 0)
		port->no_advertise = true;
	else if (strcasecmp(flag, "IPv4Only") == 0)
		port->ipv4_only = true;
	else if (strcasecmp(flag, "IPv6Only") == 0)
		port->ipv6_only = true;
	else
		return wrong(why, why_len, "unknown flag %.30s", flag);
	return RC_OK;
}

static enum rc
port_check(const struct torrc_port *port, char *why, size_t why_len)
{
	if (port->no_listen && port->no_advertise)
		return wrong(why, why_len, "NoListen and NoAdvertise exclude each other");
	if (port->ipv4_only && port->ipv6_only)
		return wrong(why, why_len, "IPv4Only and IPv6Only exclude each other");
	if ((port->addr.family == ADDR_IPV4 && port->ipv6_only) ||
	    (port->addr.family == ADDR_IPV6 && port->ipv4_only))
		return wrong(why, why_len, "the address is of the other family");
	return RC_OK;
}

/* "9001", "192.0.2.1:9001" or "[2001:db8::1]:9001". *port 0: "0", no port at all. */
static enum rc
port_address(const char *text, struct torrc_port *out, char *why, size_t why_len)
{
	struct addr_port both;
	uint64_t number = 0;

	if (strcasecmp(text, "auto") == 0 ||
	    (strlen(text) > 5 && strcasecmp(text + strlen(text) - 5, ":auto") == 0))
		return wrong(
		    why, why_len, "auto is not supported: a relay's port must stay the same");
	if (parse_u64(span_of_str(text), UINT16_MAX, &number) == RC_OK) {
		out->port = (uint16_t)number;
		return RC_OK;
	}
	if (addr_port_parse(span_of_str(text), &both) != RC_OK)
		return wrong(why, why_len, "%.60s is neither a port nor ADDRESS:PORT", text);
	out->addr = both.addr;
	out->port = both.port;
	return RC_OK;
}

static enum rc
parse_PORTS(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	char *copy = strdup(text), *rest = copy, *word;
	struct torrc_port port = { 0 };
	bool first = true;
	enum rc rc = RC_OK;

	(void)field;
	if (copy == NULL)
		return RC_NO_MEMORY;
	while (rc == RC_OK && (word = strsep(&rest, " \t")) != NULL) {
		if (word[0] == '\0')
			continue;
		rc = first ? port_address(word, &port, why, why_len)
			   : port_flag(&port, word, why, why_len);
		first = false;
	}
	free(copy);
	if (rc == RC_OK)
		rc = port_check(&port, why, why_len);
	if (rc != RC_OK || port.port == 0)
		return rc;
	struct torrc_port *ports = grown(t->or_ports, t->or_port_count, sizeof(port), why, why_len);
	if (ports == NULL)
		return RC_LIMIT;
	t->or_ports = ports;
	ports[t->or_port_count++] = port;
	return RC_OK;
}

static bool
print_PORTS(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	char where[ADDR_STR_LEN];

	(void)field;
	if (index >= t->or_port_count)
		return false;
	const struct torrc_port *port = &t->or_ports[index];
	struct addr_port both = { port->addr, port->port };
	if (port->addr.family == ADDR_NONE)
		snprintf(where, sizeof(where), "%u", port->port);
	else
		addr_port_str(&both, where);
	snprintf(buf, len, "%s%s%s%s%s", where, port->no_listen ? " NoListen" : "",
	    port->no_advertise ? " NoAdvertise" : "", port->ipv4_only ? " IPv4Only" : "",
	    port->ipv6_only ? " IPv6Only" : "");
	return true;
}

/* --- log lines --- */

/* "notice" or "notice-err"; a range that ends before err has no counterpart here. */
static enum rc
log_level_of(char *word, enum log_level *out, char *why, size_t why_len)
{
	char *upper = strchr(word, '-');
	enum log_level up_to = LOG_LEVEL_ERROR;

	if (word[0] == '[')
		return wrong(why, why_len, "domains are not supported");
	if (upper != NULL)
		*upper++ = '\0';
	if (log_level_parse(word, out) != RC_OK ||
	    (upper != NULL && log_level_parse(upper, &up_to) != RC_OK))
		return wrong(why, why_len, "the level must be err, warn, notice, info or debug");
	if (up_to != LOG_LEVEL_ERROR)
		return wrong(why, why_len, "a range of levels must go up to err");
	return RC_OK;
}

static enum rc
log_target(const char *text, struct torrc_log *log, char *why, size_t why_len)
{
	text += strspn(text, " \t");
	if (strncasecmp(text, "file", 4) == 0 && (text[4] == ' ' || text[4] == '\t')) {
		text += 4 + strspn(text + 4, " \t");
		log->file = strdup(text);
		return log->file != NULL ? RC_OK : RC_NO_MEMORY;
	}
	if (text[0] != '\0' && strcasecmp(text, "stderr") != 0 && strcasecmp(text, "stdout") != 0 &&
	    strcasecmp(text, "syslog") != 0)
		return wrong(why, why_len, "must be LEVEL stderr|stdout|syslog or LEVEL file PATH");
	return RC_OK;
}

static enum rc
parse_LOGS(const char *text, struct torrc *t, void *field, char *why, size_t why_len)
{
	char *copy = strdup(text), *rest = copy;
	struct torrc_log log = { LOG_LEVEL_NOTICE, NULL };

	(void)field;
	if (copy == NULL)
		return RC_NO_MEMORY;
	enum rc rc = log_level_of(strsep(&rest, " \t"), &log.level, why, why_len);
	if (rc == RC_OK && rest != NULL)
		rc = log_target(rest, &log, why, why_len);
	free(copy);
	if (rc != RC_OK)
		return rc;
	struct torrc_log *logs = grown(t->logs, t->log_count, sizeof(log), why, why_len);
	if (logs == NULL) {
		free(log.file);
		return RC_LIMIT;
	}
	t->logs = logs;
	logs[t->log_count++] = log;
	return RC_OK;
}

static bool
print_LOGS(const struct torrc *t, const void *field, size_t index, char *buf, size_t len)
{
	static const char *const levels[] = { "err", "warn", "notice", "info", "debug" };

	(void)field;
	if (index >= t->log_count)
		return false;
	const struct torrc_log *log = &t->logs[index];
	snprintf(buf, len, "%s %s%s", levels[log->level], log->file != NULL ? "file " : "stderr",
	    log->file != NULL ? log->file : "");
	return true;
}

const struct torrc_type torrc_types[TORRC_TYPE_COUNT] = {
#define TYPE(id, many, syntax) { many, syntax, parse_##id, print_##id },
#include "relayd/ops/torrc.def"
};
