/* render.c: answers as text. Writes to the given file only. */
#include "exitguard/ctl/render.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static json_int_t
number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *
text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static bool
truth(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* 1234567 as 1,234,567 */
static const char *
grouped(json_int_t n, char buf[32])
{
	char plain[24];
	size_t len = (size_t)snprintf(plain, sizeof(plain), "%" JSON_INTEGER_FORMAT, n), out = 0;

	for (size_t i = 0; i < len; i++) {
		if (i != 0 && (len - i) % 3 == 0 && plain[i - 1] != '-')
			buf[out++] = ',';
		buf[out++] = plain[i];
	}
	buf[out] = '\0';
	return buf;
}

static const char *
duration(json_int_t s, char buf[32])
{
	if (s >= 86400)
		snprintf(buf, 32, "%d d %d h", (int)(s / 86400), (int)(s / 3600 % 24));
	else if (s >= 3600)
		snprintf(buf, 32, "%d h %d min", (int)(s / 3600), (int)(s / 60 % 60));
	else if (s >= 60)
		snprintf(buf, 32, "%d min %d s", (int)(s / 60), (int)(s % 60));
	else
		snprintf(buf, 32, "%d s", (int)s);
	return buf;
}

static const char *
moment(json_int_t s, char buf[32])
{
	time_t t = (time_t)s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, 32, "%Y-%m-%d %H:%M UTC", &tm);
	return buf;
}

/* "reason 12, other 3" of the keys that are not zero; "-" if all are. */
static void
render_counts(const json_t *object, FILE *to)
{
	const char *key, *comma = "";
	char n[32];
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		fprintf(to, "%s%s %s", comma, key, grouped(json_integer_value(value), n));
		comma = ", ";
	}
	fputs(*comma == '\0' ? "-\n" : "\n", to);
}

static void
render_view(const char *title, const json_t *view, bool enforcing, FILE *to)
{
	json_int_t streams = number(view, "streams"), matched = number(view, "matched");
	char a[32], b[32];

	if (!json_is_object(view) || streams == 0)
		return;
	fprintf(to, "\n%s\n", title);
	fprintf(to, "  streams        %s\n", grouped(streams, a));
	fprintf(to, "  %s %s (%.2f %%)\n", enforcing ? "refused       " : "would refuse  ",
	    grouped(matched, b), 100.0 * (double)matched / (double)streams);
	fputs("  by reason      ", to);
	render_counts(json_object_get(view, "by_reason"), to);
	fputs("  outcomes       ", to);
	render_counts(json_object_get(view, "outcomes"), to);
	if (truth(view, "ceiling_hit"))
		fputs("  ALERT          too much would be refused outside known attacks: refusing "
		      "nothing "
		      "for now\n",
		    to);
}

static void
render_kernel(const json_t *kernel, FILE *to)
{
	const json_t *counters = json_object_get(kernel, "counters");
	char a[32];

	fprintf(to, "kernel           table %s, %s elements", text(kernel, "state"),
	    grouped(number(kernel, "elements"), a));
	if (number(kernel, "batches_failed") != 0)
		fprintf(to, ", %s batches refused (%s)",
		    grouped(number(kernel, "batches_failed"), a), text(kernel, "last_error"));
	fputs("\n                 ", to);
	render_counts(counters, to);
}

static void
render_status(const json_t *s, FILE *to)
{
	const json_t *reports = json_object_get(s, "reports"), *feed = json_object_get(s, "feed");
	bool enforcing = strcmp(text(s, "mode"), "enforce") == 0;
	char a[32];

	fprintf(
	    to, "exitguard %s, up %s\n", text(s, "version"), duration(number(s, "uptime_s"), a));
	fprintf(to, "mode             %s%s\n", text(s, "mode"),
	    enforcing ? "" : " (counts what it would refuse, refuses nothing)");
	fprintf(to, "relayd           %d connected", (int)number(reports, "connected"));
	fprintf(to, ", %s verdicts given\n", grouped(number(reports, "verdicts"), a));
	if (truth(feed, "wanted")) {
		fprintf(
		    to, "kernel's feed    %s, ", truth(feed, "available") ? "on" : "not available");
		fprintf(to, "%s events", grouped(number(feed, "events"), a));
		fprintf(to, ", %s lost\n", grouped(number(feed, "lost"), a));
	} else {
		fputs("kernel's feed    off: relayd reports\n", to);
	}
	fprintf(
	    to, "relays           %s addresses exempt\n", grouped(number(s, "relays_exempt"), a));
	fprintf(to, "own lists        %d entries\n", (int)number(s, "list_entries"));
	render_kernel(json_object_get(s, "kernel"), to);
	render_view("Through relayd", json_object_get(s, "relay"), enforcing, to);
	render_view("Seen by the kernel", json_object_get(s, "nft"), enforcing, to);
}

static void
render_said(const char *title, const json_t *said, FILE *to)
{
	if (!json_is_object(said))
		return;
	fprintf(to, "  %-18s %s%s%s\n", title, truth(said, "refuse") ? "refuse: " : "allow",
	    truth(said, "refuse") ? text(said, "reason") : "", "");
	if (*text(said, "text") != '\0')
		fprintf(to, "  %-18s %s\n", "", text(said, "text"));
}

static void
render_explain(const json_t *a, FILE *to)
{
	bool observing = strcmp(text(a, "mode"), "observe") == 0;

	fprintf(to, "A new connection to %s port %d would be %s.\n", text(a, "address"),
	    (int)number(a, "port"),
	    strcmp(text(a, "verdict"), "refuse") == 0 ? "refused"
	    : truth(a, "matches") && observing ? "let out, but only because the mode is observe"
					       : "let out");
	if (truth(a, "relay"))
		fputs("  It is a relay of the consensus: never limited.\n", to);
	if (truth(a, "allowed"))
		fputs("  It is on the operator's list of allowances.\n", to);
	if (truth(a, "banned"))
		fputs("  It is on the operator's list of bans.\n", to);
	render_said("through relayd", json_object_get(a, "relay_view"), to);
	render_said("seen by the kernel", json_object_get(a, "nft_view"), to);
}

static void
render_entry(const json_t *entry, FILE *to)
{
	char a[32];

	fprintf(to, "%-5s %-43s %s%s\n", text(entry, "list"), text(entry, "prefix"),
	    json_is_integer(json_object_get(entry, "until")) ? moment(number(entry, "until"), a)
							     : "for good",
	    strcmp(text(entry, "from"), "config") == 0 ? " (configuration)" : "");
}

static void
render_list(const json_t *a, FILE *to)
{
	const json_t *entries = json_object_get(a, "entries");

	if (json_array_size(entries) == 0)
		fputs("no bans, no allowances\n", to);
	for (size_t i = 0; i < json_array_size(entries); i++)
		render_entry(json_array_get(entries, i), to);
}

static void
render_limits(const json_t *a, FILE *to)
{
	const json_t *limits = json_object_get(a, "limits");

	fprintf(to, "mode %s\n", text(a, "mode"));
	for (size_t i = 0; i < json_array_size(limits); i++) {
		const json_t *limit = json_array_get(limits, i);

		fprintf(to, "%-6s %-28s %10g %s", text(limit, "view"), text(limit, "name"),
		    json_number_value(json_object_get(limit, "value")), text(limit, "unit"));
		if (json_object_get(limit, "burst") != NULL)
			fprintf(to, ", burst %d", (int)number(limit, "burst"));
		fputc('\n', to);
	}
}

static void
render_ledger(const json_t *a, FILE *to)
{
	const char *name;
	char n[32];
	json_t *class;

	fprintf(to, "from %s to %s: %s (%d of %d spans of ten minutes), mode %s\n", text(a, "from"),
	    text(a, "to"), truth(a, "covered") ? "counted throughout" : "not counted throughout",
	    (int)number(a, "spans_covered"), (int)number(a, "spans"), text(a, "mode"));
	if (json_is_boolean(json_object_get(a, "refused")))
		fprintf(to, "toward this network: %s\n",
		    truth(a, "refused")   ? "something was refused"
		    : truth(a, "covered") ? "nothing was refused"
					  : "nothing known to have been refused");
	json_object_foreach(json_object_get(a, "classes"), name, class)
	{
		fprintf(
		    to, "%-6s %12s streams, matched: ", name, grouped(number(class, "streams"), n));
		render_counts(json_object_get(class, "matched"), to);
	}
	fprintf(to, "refused by the kernel: %s\n", grouped(number(a, "kernel_refused"), n));
}

void
render_answer(const char *word, const json_t *answer, FILE *to)
{
	static const struct {
		const char *word;
		void (*render)(const json_t *answer, FILE *to);
	} known[] = { { "status", render_status }, { "explain", render_explain },
		{ "list", render_list }, { "limits", render_limits }, { "ledger", render_ledger },
		{ "ban", render_entry }, { "allow", render_entry } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].word, word) == 0) {
			known[i].render(answer, to);
			return;
		}
	if (strcmp(word, "mode") == 0)
		fprintf(to, "mode %s\n", text(answer, "mode"));
	else
		fputs("done\n", to);
}
