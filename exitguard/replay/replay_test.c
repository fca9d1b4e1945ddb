/* replay_test.c: trace lines, and the command on traces made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "exitguard/replay/replay.h"
#include "exitguard/replay/trace.h"

static const struct {
	const char *line;
	enum rc want;
} vectors[] = {
	{ "{\"t\":1.5,\"id\":0,\"circ\":0,\"dst\":\"240.0.0.1\",\"port\":80,\"host\":1,\"ev\":"
	  "\"new\"}",
	    RC_OK },
	{ "{\"t\":1,\"id\":7,\"dst\":\"2001:db8::1\",\"port\":80,\"ev\":\"new\"}", RC_OK },
	{ " { \"ev\" : \"res\" , \"t\" : 1.000001 , \"id\" : 7 , \"res\" : \"ok\" } ", RC_OK },
	{ "{\"ev\":\"res\",\"t\":1,\"id\":7,\"res\":\"timeout\",\"more\":-1.5e3,\"s\":\"x\"}",
	    RC_OK },
	{ "{\"ev\":\"res\",\"t\":6e-06,\"id\":7,\"res\":\"ok\"}", RC_OK },
	{ "", RC_SHORT },
	{ "{}", RC_SYNTAX },
	{ "[]", RC_SYNTAX },
	{ "{\"ev\":\"new\"", RC_SHORT },
	{ "{\"ev\":\"new\"}", RC_SHORT },
	{ "{\"ev\":\"new\",\"t\":1,\"id\":7,\"dst\":\"240.0.0.1\"}", RC_SHORT },
	{ "{\"ev\":\"old\",\"t\":1,\"id\":7}", RC_RANGE },
	{ "{\"ev\":\"res\",\"t\":1,\"id\":7,\"res\":\"maybe\"}", RC_RANGE },
	{ "{\"ev\":\"res\",\"t\":1,\"id\":7,\"res\":\"ok\"}x", RC_TRAILING },
	{ "{\"ev\":\"res\",\"t\":1,\"id\":7,\"res\":\"ok\",}", RC_SYNTAX },
	{ "{\"ev\":\"res\",\"t\":-1,\"id\":7,\"res\":\"ok\"}", RC_RANGE },
	{ "{\"ev\":\"res\",\"t\":1.5.2,\"id\":7,\"res\":\"ok\"}", RC_SYNTAX },
	{ "{\"ev\":\"res\",\"t\":1e9,\"id\":7,\"res\":\"ok\"}", RC_RANGE },
	{ "{\"ev\":\"res\",\"t\":99999999999,\"id\":7,\"res\":\"ok\"}", RC_RANGE },
	{ "{\"ev\":\"res\",\"t\":1,\"id\":\"7\",\"res\":\"ok\"}", RC_SYNTAX },
	{ "{\"ev\":\"res\",\"t\":1,\"id\":7,\"res\":1}", RC_SYNTAX },
	{ "{\"ev\":\"new\",\"t\":1,\"id\":7,\"dst\":\"240.0.0.1\",\"port\":65536}", RC_RANGE },
	{ "{\"ev\":\"new\",\"t\":1,\"id\":7,\"dst\":\"240.0.0.256\",\"port\":80}", RC_SYNTAX },
	{ "{\"ev\":\"new\",\"t\":1,\"id\":7,\"dst\":\"a.example\",\"port\":80}", RC_SYNTAX },
	{ "{\"ev\":\"new\",\"t\":1,\"id\":7,\"dst\":\"240.0.0.1\",\"port\":80,\"host\":2}",
	    RC_RANGE },
	{ "{\"ev\":\"n\\u0065w\",\"t\":1,\"id\":7,\"dst\":\"240.0.0.1\",\"port\":80}", RC_SYNTAX },
	{ "{\"ev\":\"new\",\"t\":true,\"id\":7,\"dst\":\"240.0.0.1\",\"port\":80}", RC_SYNTAX },
	{ "{\"ev\":{\"new\":1},\"t\":1}", RC_SYNTAX },
};

static void
test_lines(void **state)
{
	struct trace_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		enum rc rc = trace_parse(span_of_str(vectors[i].line), &line);
		if (rc != vectors[i].want)
			fail_msg("%s: %s", vectors[i].line, rc_str(rc));
	}
	trace_parse(span_of_str(vectors[0].line), &line);
	assert_int_equal(line.event, TRACE_NEW);
	assert_int_equal(line.t_ms, 1500);
	assert_int_equal(line.circuit, 1);
	assert_int_equal(line.port, 80);
	assert_true(line.by_name);
	assert_int_equal(addr_ipv4_u32(&line.addr), 0xf0000001u);
	trace_parse(span_of_str(vectors[2].line), &line);
	assert_int_equal(line.t_ms, 1000);
	trace_parse(span_of_str("{\"ev\":\"res\",\"t\":1.001,\"id\":7,\"res\":\"ok\"}"), &line);
	assert_int_equal(line.t_ms, 1001);
	assert_int_equal(line.outcome, REPORT_CONNECTED);
	assert_int_equal(line.id, 7);
}

struct run {
	FILE *in, *out, *err;
	char text[256]; /* the beginning of standard error */
};

static void
run_init(struct run *run)
{
	run->in = tmpfile();
	run->out = tmpfile();
	run->err = tmpfile();
	assert_true(run->in != NULL && run->out != NULL && run->err != NULL);
}

/* Up to seven arguments after the command's name; NULL ends them. */
static int
run_args(struct run *run, const char *const args[])
{
	char name[] = "replay", *argv[9] = { name };
	int argc = 1;

	for (; args[argc - 1] != NULL; argc++)
		argv[argc] = strdup(args[argc - 1]);
	int status = replay_run(argc, argv, run->in, run->out, run->err);
	for (int i = 1; i < 9; i++)
		free(argv[i]);
	return status;
}

static int
run_view(struct run *run, const char *view)
{
	const char *const args[] = { "--view", view, "--summary", NULL };

	rewind(run->in);
	int status = run_args(run, args);
	rewind(run->out);
	rewind(run->err);
	size_t len = fread(run->text, 1, sizeof(run->text) - 1, run->err);
	run->text[len] = '\0';
	return status;
}

static void
run_clear(struct run *run)
{
	fclose(run->in);
	fclose(run->out);
	fclose(run->err);
}

static void
test_bad_lines_are_named(void **state)
{
	static const char good[] =
	    "{\"ev\":\"new\",\"t\":1,\"id\":1,\"dst\":\"240.0.0.1\",\"port\":80}\n";
	static const char *const bad[] = { "nonsense\n", "{\"ev\":\"new\"}\n",
		"{\"ev\":\"new\",\"t\":1" };
	char answer[8];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct run run;

		run_init(&run);
		fputs("{\"workload\": 1, \"parts\": [\"benign\"]}\n", run.in);
		fputs(good, run.in);
		if (i < 3)
			fputs(bad[i], run.in);
		else
			for (int k = 0; k < 5000; k++)
				fputs("{\"ev\":\"new\",", run.in);
		assert_int_equal(run_view(&run, "relay"), 1);
		assert_non_null(strstr(run.text, "exitguard replay: line 3: "));
		assert_non_null(fgets(answer, sizeof(answer), run.out));
		assert_string_equal(answer, "A\n");
		run_clear(&run);
	}
}

static void
test_wrong_arguments(void **state)
{
	static const struct {
		const char *args[5];
		int want;
	} calls[] = {
		{ { NULL }, 2 },
		{ { "--view", "eagle", NULL }, 2 },
		{ { "--view", "nft", "--memory", "much", NULL }, 2 },
		{ { "--view", "nft", "file", NULL }, 2 },
		{ { "--viewer", NULL }, 2 },
		{ { "--help", NULL }, 0 },
	};
	struct run run;

	(void)state;
	run_init(&run);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(run_args(&run, calls[i].args), calls[i].want);
	run_clear(&run);
}

/* Each answer comes before the next line is asked for. */
static void
test_answers_are_not_held_back(void **state)
{
	const char *const args[] = { "--view", "nft", NULL };
	int to[2], from[2], status;
	char answer[2];

	(void)state;
	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(to[1]);
		close(from[0]);
		struct run run = {
			.in = fdopen(to[0], "r"), .out = fdopen(from[1], "w"), .err = stderr
		};
		_exit(run_args(&run, args));
	}
	close(to[0]);
	close(from[1]);
	for (int i = 0; i < 50; i++) {
		assert_true(
		    dprintf(to[1],
			"{\"ev\":\"new\",\"t\":%d,\"id\":%d,\"dst\":\"240.0.0.1\",\"port\":80}\n",
			i, i) > 0);
		assert_int_equal(read(from[0], answer, 2), 2);
		assert_memory_equal(answer, "A\n", 2);
	}
	close(to[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(from[0]);
}

/* A small workload: who made each stream stands beside it. */
enum who { WEB, UPLOAD, TORRENT, SWEEP, FLOOD, WHO_COUNT };

#define STREAMS 60000

struct workload {
	enum who who[STREAMS];
	unsigned count, total[WHO_COUNT], refused[WHO_COUNT];
	uint32_t random;
	FILE *out;
};

static uint32_t
pick(struct workload *w, uint32_t below)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)w->random * below >> 32);
}

/* The outcome follows at once: in a trace the order is what counts. */
static void
put_stream(struct workload *w, enum who who, double t, unsigned circ, uint32_t addr, unsigned port,
    bool by_name, bool answers)
{
	unsigned id = w->count++;

	w->who[id] = who;
	w->total[who]++;
	fprintf(w->out,
	    "{\"t\":%.6f,\"id\":%u,\"circ\":%u,\"dst\":\"%u.%u.%u.%u\",\"port\":%u,\"host\":%d,"
	    "\"ev\":\"new\"}\n",
	    t, id, circ, addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255, port, by_name);
	if (answers)
		fprintf(w->out, "{\"ev\":\"res\",\"t\":%.6f,\"id\":%u,\"res\":\"ok\"}\n", t, id);
}

/* Ten minutes in steps of a tenth of a second. */
static void
put_workload(struct workload *w)
{
	for (unsigned step = 0; step < 6000; step++) {
		double t = step / 10.0;
		uint32_t site = pick(w, 40) * pick(w, 40);

		put_stream(w, WEB, t, 1000 + step / 8, 0xf2000000u + site * 4099, 443, true,
		    pick(w, 50) != 0);
		if (step > 1000 && step % 4 == 0 && w->total[UPLOAD] < 300)
			put_stream(w, UPLOAD, t, 10, 0xf3000001u, 443, true, true);
		if (step > 500 && step % 10 == 0 && w->total[TORRENT] < 500)
			put_stream(w, TORRENT, t, 11, 0xf0000000u + pick(w, 1u << 28),
			    1024 + pick(w, 60000), false, pick(w, 100) > 57);
		if (step > 900)
			put_stream(w, SWEEP, t, 20 + pick(w, 8), 0xf4560000u + pick(w, 65536), 8080,
			    false, pick(w, 100) < 5);
		if (step > 2000 && step < 4000)
			for (int i = 0; i < 12; i++)
				put_stream(w, FLOOD, t, 100 + step / 600 * 60 + pick(w, 60),
				    0xf5000001u, 443, true, pick(w, 4) != 0);
	}
}

static void
test_workload(void **state)
{
	static const char *const views[] = { "relay", "nft" };
	struct workload *w = calloc(1, sizeof(*w));
	char answer[8];

	(void)state;
	assert_non_null(w);
	for (int v = 0; v < 2; v++) {
		struct run run;

		memset(w, 0, sizeof(*w));
		run_init(&run);
		w->out = run.in;
		put_workload(w);
		assert_true(w->count < STREAMS);
		if (run_view(&run, views[v]) != 0)
			fail_msg("%s", run.text);
		for (unsigned i = 0; i < w->count; i++) {
			assert_non_null(fgets(answer, sizeof(answer), run.out));
			w->refused[w->who[i]] += answer[0] == 'R';
		}
		assert_null(fgets(answer, sizeof(answer), run.out));
		assert_int_equal(w->refused[UPLOAD], 0);
		assert_int_equal(w->refused[TORRENT], 0);
		assert_true(w->refused[WEB] * 1000 < w->total[WEB]);
		assert_true(w->refused[SWEEP] * 100 > w->total[SWEEP] * 95);
		assert_true(w->refused[FLOOD] * 100 > w->total[FLOOD] * 85);
		run_clear(&run);
	}
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bad_lines_are_named),
		cmocka_unit_test(test_wrong_arguments),
		cmocka_unit_test(test_answers_are_not_held_back),
		cmocka_unit_test(test_workload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
