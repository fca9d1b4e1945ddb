/* replay.c: lines in, answers out, the engine between them. See replay.h. An answer is written
 * out before the next read that could wait. */
#include "exitguard/replay/replay.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "exitguard/engine/engine.h"
#include "exitguard/replay/trace.h"

#define REPLAY_BUF (1u << 16)
#define MEMORY_MIB 256u

struct replay {
	struct engine *engine;
	FILE *in, *out, *err;
	bool summary;
	uint64_t line_number, next_tick_ms, changes;
	size_t start, end;
	uint8_t buf[REPLAY_BUF];
};

static const char usage[] =
    "usage: exitguard replay --view relay|nft [--memory MIB] [--summary] < TRACE\n"
    "Judge the streams of a trace: one JSON line in for each stream or outcome, one line that\n"
    "begins with A (let out) or R (refuse) out for each stream.\n"
    "  --view relay   the trace tells circuits and host names, as relayd does\n"
    "  --view nft     it tells addresses and ports, as packets do\n"
    "  --memory MIB   for all tables (default 256)\n"
    "  --summary      counters on standard error at the end\n";

/* The next line without its end; false at the end of input. *too_long if it does not fit. */
static bool
next_line(struct replay *replay, struct span *line, bool *too_long)
{
	*too_long = false;
	for (;;) {
		uint8_t *from = replay->buf + replay->start;
		size_t have = replay->end - replay->start;
		uint8_t *newline = have != 0 ? memchr(from, '\n', have) : NULL;

		if (newline != NULL) {
			*line = span_of(from, (size_t)(newline - from));
			replay->start += line->len + 1;
			*too_long = line->len > TRACE_LINE_MAX;
			return true;
		}
		if (have > TRACE_LINE_MAX) {
			*too_long = true;
			return true;
		}
		memmove(replay->buf, from, have);
		replay->start = 0;
		replay->end = have;
		fflush(replay->out);
		ssize_t got = read(fileno(replay->in), replay->buf + have, REPLAY_BUF - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			*line = span_of(replay->buf, have);
			replay->start = replay->end;
			return have != 0;
		}
		replay->end += (size_t)got;
	}
}

static void
take_changes(struct replay *replay)
{
	struct engine_change change;

	while (engine_next_change(replay->engine, &change))
		replay->changes++;
}

static void
apply(struct replay *replay, const struct trace_line *line)
{
	struct engine_stream stream = {
		.stream = line->id,
		.circuit = line->circuit,
		.addr = line->addr,
		.port = line->port,
		.by_name = line->by_name,
	};
	struct engine_verdict verdict;

	for (; replay->next_tick_ms <= line->t_ms; replay->next_tick_ms += 1000) {
		if (line->t_ms - replay->next_tick_ms > 3600 * 1000)
			replay->next_tick_ms = line->t_ms - 3600 * 1000;
		engine_tick(replay->engine, replay->next_tick_ms);
	}
	if (line->event == TRACE_RESULT) {
		engine_outcome(replay->engine, line->t_ms, line->id, line->outcome, 0);
		return;
	}
	engine_open(replay->engine, line->t_ms, &stream, &verdict);
	fputs(verdict.refuse ? "R\n" : "A\n", replay->out);
	take_changes(replay);
}

/* A trace's own first line is not an event. */
static bool
is_header(const struct replay *replay, struct span line)
{
	static const char key[] = "\"workload\"";
	size_t len = sizeof(key) - 1;

	if (replay->line_number != 1)
		return false;
	for (size_t i = 0; i + len <= line.len; i++)
		if (span_equal_str(span_of(line.data + i, len), key))
			return true;
	return false;
}

static int
replay_lines(struct replay *replay)
{
	struct trace_line parsed;
	struct span line;
	bool too_long;

	while (next_line(replay, &line, &too_long)) {
		replay->line_number++;
		if (!too_long && (line.len == 0 || is_header(replay, line)))
			continue;
		enum rc rc = too_long ? RC_LIMIT : trace_parse(line, &parsed);
		if (rc != RC_OK) {
			fflush(replay->out);
			fprintf(replay->err, "exitguard replay: line %llu: %s\n",
			    (unsigned long long)replay->line_number, rc_str(rc));
			return 1;
		}
		apply(replay, &parsed);
	}
	if (fflush(replay->out) != 0 || ferror(replay->out)) {
		fprintf(replay->err, "exitguard replay: standard output: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}

static void
print_summary(const struct replay *replay)
{
	const struct engine_counters *n = engine_counters(replay->engine);

	fprintf(replay->err, "streams %llu, refused %llu", (unsigned long long)n->streams,
	    (unsigned long long)n->refused);
	for (unsigned reason = 1; reason < REPORT_REASON_COUNT; reason++)
		if (n->refused_by[reason] != 0)
			fprintf(replay->err, ", %s %llu", report_reason_str(reason),
			    (unsigned long long)n->refused_by[reason]);
	fprintf(replay->err, "; kernel changes %llu, evicted %llu, ceiling trips %llu\n",
	    (unsigned long long)replay->changes, (unsigned long long)n->evicted,
	    (unsigned long long)n->ceiling_trips);
}

/* True if the arguments are right; 0 in *status means that there is nothing left to do. */
static bool
read_options(
    int argc, char **argv, struct replay *replay, struct engine_config *config, int *status)
{
	static const struct option options[] = {
		{ "view", required_argument, NULL, 'v' },
		{ "memory", required_argument, NULL, 'm' },
		{ "summary", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool has_view = false;
	uint64_t mib = MEMORY_MIB;
	int c;

	*status = 2;
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'v':
			has_view = strcmp(optarg, "relay") == 0 || strcmp(optarg, "nft") == 0;
			config->view =
			    strcmp(optarg, "nft") == 0 ? ENGINE_VIEW_NFT : ENGINE_VIEW_RELAY;
			if (!has_view) {
				fprintf(
				    replay->err, "exitguard replay: no such view: %s\n", optarg);
				return false;
			}
			break;
		case 'm':
			if (parse_u64(span_of_str(optarg), 1u << 20, &mib) != RC_OK || mib == 0) {
				fprintf(replay->err, "exitguard replay: not a number of MiB: %s\n",
				    optarg);
				return false;
			}
			break;
		case 's':
			replay->summary = true;
			break;
		case 'h':
			fputs(usage, replay->out);
			*status = 0;
			return false;
		default:
			fputs(usage, replay->err);
			return false;
		}
	}
	if (!has_view || optind != argc) {
		fputs(usage, replay->err);
		return false;
	}
	config->memory_max = (size_t)mib << 20;
	return true;
}

int
replay_run(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	/* The same trace gives the same answers: nobody outside chooses what is hashed here. */
	struct engine_config config = { .hash_key = { 'r', 'e', 'p', 'l', 'a', 'y' } };
	int status;

	if (replay == NULL)
		return 1;
	replay->in = in;
	replay->out = out;
	replay->err = err;
	if (read_options(argc, argv, replay, &config, &status)) {
		replay->engine = engine_new(&config);
		if (replay->engine == NULL) {
			fprintf(err, "exitguard replay: %s\n", rc_str(RC_NO_MEMORY));
			status = 1;
		} else {
			status = replay_lines(replay);
			if (replay->summary)
				print_summary(replay);
		}
	}
	engine_free(&replay->engine);
	free(replay);
	return status;
}

int
replay_main(int argc, char **argv)
{
	return replay_run(argc, argv, stdin, stdout, stderr);
}
