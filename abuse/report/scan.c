/* scan.c: see scan.h. */
#include "abuse/report/scan.h"

#include <string.h>

#include "abuse/mail/text.h"

/* Web before the plain names, so that "wp-login" in an nginx line counts. */
static const struct service services[] = {
	{ "wp-login", "http", 0, CATEGORY_WEB_LOGIN },
	{ "xmlrpc.php", "http", 0, CATEGORY_WEB_LOGIN },
	{ "wordpress", "http", 0, CATEGORY_WEB_LOGIN },
	{ "sshd", "ssh", 22, CATEGORY_SSH },
	{ "ssh", "ssh", 22, CATEGORY_SSH },
	{ "dovecot", "imap", 0, CATEGORY_LOGIN },
	{ "sasl", "smtp", 0, CATEGORY_LOGIN },
	{ "imap", "imap", 143, CATEGORY_LOGIN },
	{ "pop3", "pop3", 110, CATEGORY_LOGIN },
	{ "postfix", "smtp", 0, CATEGORY_LOGIN },
	{ "exim", "smtp", 0, CATEGORY_LOGIN },
	{ "smtp", "smtp", 0, CATEGORY_LOGIN },
	{ "vsftpd", "ftp", 21, CATEGORY_LOGIN },
	{ "proftpd", "ftp", 21, CATEGORY_LOGIN },
	{ "pure-ftpd", "ftp", 21, CATEGORY_LOGIN },
	{ "ftp", "ftp", 21, CATEGORY_LOGIN },
	{ "asterisk", "sip", 5060, CATEGORY_LOGIN },
	{ "rdp", "rdp", 3389, CATEGORY_LOGIN },
	{ "telnet", "telnet", 23, CATEGORY_LOGIN },
	{ "mysqld", "mysql", 3306, CATEGORY_LOGIN },
	{ "apache-auth", "http", 0, CATEGORY_WEB_LOGIN },
	{ "nginx-http-auth", "http", 0, CATEGORY_WEB_LOGIN },
	{ "apache", "http", 0, CATEGORY_WEB_ATTACK },
	{ "nginx", "http", 0, CATEGORY_WEB_ATTACK },
	{ "modsecurity", "http", 0, CATEGORY_WEB_ATTACK },
};

/* "." or its defanged spellings; bytes it takes, 0 if it is none. */
static size_t
scan_dot(struct span s, size_t at)
{
	static const char *const dots[] = { "[.]", "(.)", "{.}", "[dot]", "(dot)" };

	if (text_at(s, at) == '.')
		return 1;
	for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++)
		if (text_starts_at_ci(s, at, dots[i]))
			return strlen(dots[i]);
	return 0;
}

/* ":80", "/24", "/8080", ".80" (tcpdump) behind an address. */
static size_t
scan_tail(struct span s, size_t at, struct scan_addr *out)
{
	unsigned long value = 0;
	int c = text_at(s, at);
	size_t n = text_digits(s, at + 1, 5, &value);

	if (n == 0 || value > 65535 || (c != ':' && c != '/' && c != '.'))
		return 0;
	int after = text_at(s, at + 1 + n);
	if (text_is_alnum(after) || (after == '.' && text_is_digit(text_at(s, at + n + 2))))
		return 0;
	if (c == ':' && after == ':')
		return 0; /* "192.0.2.1:10:20:30" is a clock behind an address */
	if (c == '/' && value <= addr_len(&out->addr) * 8) {
		struct prefix net = prefix_of(&out->addr, (uint8_t)value);

		if (value >= 8 && addr_equal(&net.addr, &out->addr)) {
			out->bits = (uint8_t)value;
			return n + 1;
		}
	}
	if (value == 0)
		return 0;
	out->port = (uint16_t)value;
	return n + 1;
}

static bool
scan_ipv4(struct span s, size_t at, struct scan_addr *out)
{
	uint32_t value = 0;
	size_t i = at;

	for (unsigned part = 0; part < 4; part++) {
		unsigned long octet = 0;
		size_t dot = part == 0 ? 0 : scan_dot(s, i);

		if (part > 0 && dot == 0)
			return false;
		i += dot;
		size_t n = text_digits(s, i, 3, &octet);
		if (n == 0 || octet > 255)
			return false;
		value = value << 8 | (uint32_t)octet;
		i += n;
	}
	int after = text_at(s, i);
	if (text_is_alnum(after) || after == '_' ||
	    ((after == '.' || after == '-') && text_is_alnum(text_at(s, i + 1)) &&
		!text_is_digit(text_at(s, i + 1))))
		return false;
	*out = (struct scan_addr){ .at = at, .addr = addr_ipv4(value), .bits = 32 };
	size_t tail = scan_tail(s, i, out);
	if (after == '.' && text_is_digit(text_at(s, i + 1)) && tail == 0)
		return false;
	out->len = i + tail - at;
	return true;
}

static bool
is_ipv6_char(int c)
{
	return text_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
}

static bool
scan_ipv6(struct span s, size_t at, struct scan_addr *out)
{
	size_t len = 0, colons = 0, digits = 0;

	while (len < 46 && is_ipv6_char(text_at(s, at + len))) {
		if (text_at(s, at + len) == ':')
			colons++;
		else
			digits++;
		len++;
	}
	/* An IPv4 tail: ::ffff:192.0.2.1 */
	if (text_at(s, at + len) == '.')
		while (len < 46 &&
		       (text_is_digit(text_at(s, at + len)) || text_at(s, at + len) == '.'))
			len++;
	while (
	    len > 2 && (text_at(s, at + len - 1) == '.' ||
			   (text_at(s, at + len - 1) == ':' && text_at(s, at + len - 2) != ':'))) {
		len--;
	}
	if (colons < 2 || digits < 4 || text_is_alnum(text_at(s, at + len)))
		return false;
	*out = (struct scan_addr){ .at = at, .len = len, .bits = 128 };
	struct span token = text_sub(s, at, len);
	if (addr_parse(token, &out->addr) != RC_OK)
		return false;
	out->addr = addr_unmap(&out->addr);
	if (out->addr.family == ADDR_IPV4) {
		out->bits = 32;
		return true;
	}
	if (text_at(s, at + len) == ']' && text_at(s, at + len + 1) == ':') {
		size_t tail = scan_tail(s, at + len + 1, out);

		out->len += tail > 0 ? tail + 1 : 0;
	} else if (text_at(s, at + len) == '/') {
		out->len += scan_tail(s, at + len, out);
	}
	return true;
}

bool
scan_addr_next(struct span text, size_t from, struct scan_addr *out)
{
	for (size_t at = from; at < text.len; at++) {
		int c = text_at(text, at), before = at == 0 ? ' ' : text_at(text, at - 1);

		if (!is_ipv6_char(c))
			continue;
		if (text_is_alnum(before) || before == '.' || before == '_' || before == ':' ||
		    (before == '-' && at >= 2 && text_is_alnum(text_at(text, at - 2)) &&
			!text_is_digit(text_at(text, at - 2)))) {
			/* "ip:192.0.2.1" and "::1" may follow a colon, an address may not. */
			if (before != ':' || c == ':' || at < 2 ||
			    is_ipv6_char(text_at(text, at - 2)))
				continue;
		}
		if (text_is_digit(c) && scan_ipv4(text, at, out))
			return true;
		if (scan_ipv6(text, at, out))
			return true;
	}
	return false;
}

const struct service *
scan_service(struct span line)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (text_has_word_ci(line, services[i].word))
			return &services[i];
	return NULL;
}

enum proto
scan_proto(struct span line)
{
	bool tcp = text_has_word_ci(line, "tcp"), udp = text_has_word_ci(line, "udp");
	bool icmp = text_has_word_ci(line, "icmp");

	/* Several named: which one is meant where is not told. */
	if (tcp + udp + icmp != 1)
		return PROTO_NOT_TOLD;
	return tcp ? PROTO_TCP : udp ? PROTO_UDP : PROTO_ICMP;
}

static enum proto
proto_at(struct span s, size_t at)
{
	if (text_starts_at_ci(s, at, "tcp"))
		return PROTO_TCP;
	return text_starts_at_ci(s, at, "udp") ? PROTO_UDP : PROTO_NOT_TOLD;
}

/* "report 12" and "support 24" name no port; "dstport 22" and "Zielport 22" do. */
static bool
starts_a_word(struct span s, size_t at)
{
	static const char *const heads[] = { "dst", "dest", "target", "ziel", "tcp", "udp" };

	if (at == 0 || !text_is_alnum(text_at(s, at - 1)))
		return true;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t len = strlen(heads[i]);

		if (at >= len && text_starts_at_ci(s, at - len, heads[i]))
			return true;
	}
	return false;
}

/* True if an address stands right before `at`: then "port N" is the source's. */
static bool
follows_address(struct span s, size_t at)
{
	size_t from = at > 60 ? at - 60 : 0;
	struct scan_addr a;

	while (scan_addr_next(s, from, &a) && a.at < at) {
		if (text_skip_space(s, a.at + a.len) == at)
			return true;
		from = a.at + a.len;
	}
	return false;
}

static bool
is_source_port(struct span s, size_t at)
{
	static const char *const words[] = { "source ", "src ", "source-", "src-", "quell",
		"source_", "src_" };

	if (follows_address(s, at))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (at >= len && text_starts_at_ci(s, at - len, words[i]))
			return true;
	}
	return false;
}

struct port_reader {
	struct span text;
	uint16_t port;
	enum proto proto;
	bool several;
};

static void
take_port(struct port_reader *r, unsigned long value, enum proto proto)
{
	if (r->port == 0) {
		r->port = (uint16_t)value;
		if (r->proto == PROTO_NOT_TOLD)
			r->proto = proto;
	}
	r->several = r->several || r->port != value;
}

/* "22, 80 and 443", "20-25": the number behind the one that ended at `at` is a port as well. */
static bool
list_goes_on(struct span s, size_t at)
{
	static const char *const words[] = { ",", "-", "and ", "und ", "or ", "oder ", "to ",
		"bis ", "&" };
	unsigned long value = 0;

	at = text_skip_space(s, at);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!text_starts_at_ci(s, at, words[i]))
			continue;
		size_t next = text_skip_space(s, at + strlen(words[i]));
		size_t n = text_digits(s, next, 5, &value);
		int after = text_at(s, next + n);
		return n != 0 && value != 0 && value <= 65535 && !text_is_alnum(after) &&
		       after != ':' && (after != '.' || !text_is_digit(text_at(s, next + n + 1)));
	}
	return false;
}

/* The number behind a word such as "port" at `at`. */
static void
read_port_behind(struct port_reader *r, size_t at, size_t len)
{
	struct span s = r->text;
	size_t i = text_skip_space(s, at + len);
	enum proto proto = proto_at(s, at);
	unsigned long value = 0;

	if (!starts_a_word(s, at))
		return;
	if (text_at(s, i) == ':' || text_at(s, i) == '=')
		i = text_skip_space(s, i + 1);
	if (proto == PROTO_NOT_TOLD)
		proto = proto_at(s, i);
	if (proto_at(s, i) != PROTO_NOT_TOLD)
		i = text_skip_space(s, i + 3);
	if (text_at(s, i) == '/')
		i++;
	size_t n = text_digits(s, i, 5, &value);
	if (n == 0 || value == 0 || value > 65535 || text_is_alnum(text_at(s, i + n)) ||
	    is_source_port(s, at))
		return;
	if (proto == PROTO_NOT_TOLD && text_at(s, i + n) == '/')
		proto = proto_at(s, i + n + 1);
	take_port(r, value, proto);
	r->several = r->several || list_goes_on(s, i + n);
}

/* The number before "/tcp" at `at`. */
static void
read_port_before(struct port_reader *r, size_t at)
{
	struct span s = r->text;
	enum proto proto = proto_at(s, at + 1);
	unsigned long value = 0;
	size_t start = at;

	if (proto == PROTO_NOT_TOLD || text_is_alnum(text_at(s, at + 4)))
		return;
	while (start > 0 && text_is_digit(text_at(s, start - 1)))
		start--;
	size_t n = text_digits(s, start, 5, &value);
	if (n != 0 && value != 0 && value <= 65535)
		take_port(r, value, proto);
}

uint16_t
scan_named_port(struct span text, enum proto *proto, bool *several)
{
	static const char *const words[] = { "dpt=", "dport=", "dst_port=", "ports", "port", "tcp/",
		"udp/" };
	struct port_reader r = { .text = text, .proto = *proto };

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		size_t at = 0, len = strlen(words[w]);

		for (; (at = text_find_ci(text, words[w], at)) != TEXT_NONE; at += len)
			read_port_behind(&r, at, len);
	}
	for (size_t at = 0; (at = text_find_char(text, '/', at)) != TEXT_NONE; at++)
		read_port_before(&r, at);
	*several = r.several;
	*proto = r.proto;
	return r.several ? 0 : r.port;
}
