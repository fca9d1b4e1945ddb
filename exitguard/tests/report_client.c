/* report_client.c: relayd's side of the report socket for the tests, driven by lines:
 *
 *	open STREAM CIRCUIT ADDRESS PORT	name STREAM CIRCUIT PORT
 *	dest STREAM CIRCUIT ADDRESS PORT	outcome STREAM connected|refused|timeout MS
 *	closed STREAM				wait MS
 *	scan CIRCUIT ADDRESS COUNT PORT		open, and time out what was let out
 *	raw HEX					bytes as they are; then the end is expected
 *
 * Prints "hello observe|enforce", a line "STREAM allow|refuse REASON" for each verdict, "scan let
 * N refused N REASON", and "closed" when exitguard ends the connection. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/report.h"

#define ANSWER_MS 3000

static int sock = -1;

static void
die(const char *what)
{
	fprintf(stderr, "report_client: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* One packet, or its length 0: closed. */
static size_t
receive(void *buf, size_t cap)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	if (poll(&pfd, 1, ANSWER_MS) <= 0)
		die("no answer");
	ssize_t n = recv(sock, buf, cap, 0);
	return n > 0 ? (size_t)n : 0;
}

static void
deliver(const void *buf, size_t len)
{
	if (send(sock, buf, len, MSG_NOSIGNAL) < 0)
		die("send");
}

static void
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sun.sun_path))
		die(path);
	memcpy(sun.sun_path, path, strlen(path));
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (const struct sockaddr *)&sun, sizeof(sun)) != 0)
		die(path);
}

static void
greet(void)
{
	struct report_hello hello = report_hello_make(0);
	uint8_t buf[256];

	deliver(&hello, sizeof(hello));
	size_t n = receive(buf, sizeof(buf));
	if (report_hello_parse(span_of(buf, n), &hello) != RC_OK)
		die("greeting");
	printf("hello %s\n", hello.enforce ? "enforce" : "observe");
}

static struct report_record
ask(const struct report_record *record)
{
	struct report_record packet[REPORT_MAX_RECORDS] = { 0 };

	deliver(record, sizeof(*record));
	if (receive(packet, sizeof(packet)) != sizeof(packet[0])) {
		puts("closed");
		exit(0);
	}
	return packet[0];
}

static void
print_verdict(const struct report_record *verdict)
{
	printf("%llu %s %s\n", (unsigned long long)verdict->stream,
	    verdict->code == REPORT_REFUSE ? "refuse" : "allow",
	    report_reason_str(verdict->reason));
}

static void
do_stream(
    enum report_type type, uint64_t stream, uint64_t circuit, const char *address, unsigned port)
{
	struct report_record record = {
		.type = (uint8_t)type, .stream = stream, .circuit = circuit, .port = (uint16_t)port
	};
	struct addr addr;

	if (address == NULL)
		record.flags = REPORT_BY_NAME;
	else if (addr_parse(span_of_str(address), &addr) == RC_OK)
		report_set_addr(&record, &addr);
	record = ask(&record);
	print_verdict(&record);
}

static void
do_outcome(uint64_t stream, const char *how, unsigned ms)
{
	struct report_record record = { .type = REPORT_OUTCOME, .stream = stream, .ms = ms };

	record.code = strcmp(how, "connected") == 0 ? REPORT_CONNECTED
		      : strcmp(how, "refused") == 0 ? REPORT_REFUSED
						    : REPORT_TIMEOUT;
	deliver(&record, sizeof(record));
}

static void
do_scan(uint64_t circuit, const char *from, unsigned count, unsigned port)
{
	unsigned let = 0, refused = 0, reason = 0;
	struct addr addr;

	if (addr_parse(span_of_str(from), &addr) != RC_OK)
		die(from);
	uint32_t base = addr_ipv4_u32(&addr);
	for (unsigned i = 0; i < count; i++) {
		struct report_record record = { .type = REPORT_OPEN,
			.stream = circuit << 32 | i,
			.circuit = circuit,
			.port = (uint16_t)port };

		addr = addr_ipv4(base + i);
		report_set_addr(&record, &addr);
		struct report_record verdict = ask(&record);
		if (verdict.reason != REPORT_REASON_NONE)
			reason = verdict.reason;
		if (verdict.code == REPORT_REFUSE) {
			refused++;
			continue;
		}
		let++;
		do_outcome(record.stream, "timeout", 10000);
	}
	printf("scan let %u refused %u %s\n", let, refused, report_reason_str(reason));
}

static void
do_raw(const char *hex)
{
	uint8_t buf[8192];
	size_t len;

	if (hex_decode(span_of_str(hex), buf, sizeof(buf), &len) != RC_OK)
		die("hex");
	deliver(buf, len);
	puts(receive(buf, sizeof(buf)) == 0 ? "closed" : "open");
	exit(0);
}

static uint64_t
number(const char *text)
{
	uint64_t n;

	if (parse_u64(span_of_str(text), UINT64_MAX, &n) != RC_OK)
		die(text);
	return n;
}

/* The words of a line; those that are missing are "". */
static void
do_words(const char *const word[6])
{
	const char *what = word[0];
	uint64_t first = strcmp(what, "raw") != 0 ? number(word[1]) : 0;

	if (strcmp(what, "open") == 0)
		do_stream(REPORT_OPEN, first, number(word[2]), word[3], (unsigned)number(word[4]));
	else if (strcmp(what, "name") == 0)
		do_stream(REPORT_OPEN, first, number(word[2]), NULL, (unsigned)number(word[3]));
	else if (strcmp(what, "dest") == 0)
		do_stream(REPORT_DEST, first, number(word[2]), word[3], (unsigned)number(word[4]));
	else if (strcmp(what, "outcome") == 0)
		do_outcome(first, word[2], (unsigned)number(word[3]));
	else if (strcmp(what, "closed") == 0)
		deliver(&(struct report_record){ .type = REPORT_CLOSED, .stream = first },
		    sizeof(struct report_record));
	else if (strcmp(what, "wait") == 0)
		usleep((unsigned)first * 1000);
	else if (strcmp(what, "scan") == 0)
		do_scan(first, word[2], (unsigned)number(word[3]), (unsigned)number(word[4]));
	else if (strcmp(what, "raw") == 0)
		do_raw(word[1]);
	else
		die(what);
}

static void
do_line(char *line)
{
	const char *word[6] = { "", "", "", "", "", "" };
	char *rest = NULL;

	for (int i = 0; i < 6; i++) {
		const char *next = strtok_r(i == 0 ? line : NULL, " \n", &rest);

		if (next == NULL)
			break;
		word[i] = next;
	}
	do_words(word);
}

int
main(int argc, char **argv)
{
	char line[8192];

	if (argc != 2 && !(argc == 3 && strcmp(argv[2], "rude") == 0)) {
		fprintf(stderr, "usage: report_client SOCKET [rude]	(rude: no greeting)\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	dial(argv[1]);
	if (argc == 2)
		greet();
	while (fgets(line, sizeof(line), stdin) != NULL)
		do_line(line);
	close(sock);
	return 0;
}
