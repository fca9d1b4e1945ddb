/* guard_test.c: the report socket from relayd's side, against a listener of the test's own. */
#include "relayd/guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define EPOCH_FIRST 1

struct fixture {
	char dir[64], path[96], why[128];
	int listener, peer;
	struct torrc conf;
	struct snapshot *snap;
	struct crew crew;
	struct worker *w;
};

static unsigned verdicts, allowed;

static void
on_verdict(struct worker *w, uint64_t handle, bool allow)
{
	(void)w;
	assert_int_not_equal(handle, 0);
	verdicts++;
	allowed += allow;
}

static void
turn(struct fixture *f)
{
	(void)event_base_loop(f->w->base, EVLOOP_NONBLOCK);
}

static void
turn_end(struct fixture *f)
{
	for (unsigned i = 0; i < f->w->turn_end_count; i++)
		f->w->turn_end[i](f->w);
}

static void
listen_there(struct fixture *f)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(f->dir, sizeof(f->dir), "/tmp/guard_test_XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	memcpy(sun.sun_path, f->path, strlen(f->path) + 1);
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(f->listener, 4), 0);
}

static void
policy_gone(void *ptr)
{
	struct policy *policy = ptr;

	policy_free(&policy);
}

/* A view with this policy, nothing or one line. */
static struct snapshot *
view(struct fixture *f, const char *line)
{
	struct policy_options options = { .exit_relay = line != NULL };
	struct snapshot *s = snapshot_new();
	struct policy *policy;

	assert_int_equal(
	    policy_build(&line, line != NULL, &options, &policy, f->why, sizeof(f->why)), RC_OK);
	s->conf = &f->conf;
	s->policy = policy;
	s->policy_ref = shared_new(policy, policy_gone);
	return s;
}

/* One worker, connected and greeted. */
static void
set_up(struct fixture *f, bool fail_open)
{
	struct report_hello hello, ours = report_hello_make(1);

	memset(f, 0, sizeof(*f));
	verdicts = allowed = 0;
	listen_there(f);
	f->conf = (struct torrc){
		.guard_socket = f->path,
		.guard_timeout_ms = 60000,
		.guard_fail_open = fail_open,
	};
	f->snap = view(f, NULL);
	assert_int_equal(crew_init(&f->crew, 1, f->snap), RC_OK);
	f->w = &f->crew.workers[0];
	assert_int_equal(guard_room_init(f->w, on_verdict), RC_OK);
	f->peer = accept(f->listener, NULL, NULL);
	assert_int_equal(recv(f->peer, &hello, sizeof(hello), 0), (ssize_t)sizeof(hello));
	assert_int_equal(send(f->peer, &ours, sizeof(ours), 0), (ssize_t)sizeof(ours));
	turn(f);
}

static void
tear_down(struct fixture *f)
{
	guard_room_clear(f->w);
	crew_clear(&f->crew);
	snapshot_unref(&f->snap);
	if (f->peer >= 0)
		close(f->peer);
	close(f->listener);
	unlink(f->path);
	rmdir(f->dir);
}

static enum guard_answer
ask(struct fixture *f, uint64_t stream, uint32_t *epoch)
{
	struct report_record r = { .type = REPORT_OPEN,
		.flags = REPORT_BY_NAME,
		.port = 80,
		.stream = stream,
		.circuit = 7 };

	return guard_ask(f->w, &r, stream, epoch);
}

static void
test_verdict(void **state)
{
	struct fixture f;
	struct report_record got[REPORT_MAX_RECORDS],
	    v = { .type = REPORT_VERDICT, .code = REPORT_REFUSE, .stream = 42 };
	uint32_t epoch;

	(void)state;
	set_up(&f, true);
	assert_int_equal(ask(&f, 42, &epoch), GUARD_WAIT);
	assert_int_equal(epoch, EPOCH_FIRST);
	turn_end(&f);
	assert_true(recv(f.peer, got, sizeof(got), 0) > 0);
	assert_int_equal(send(f.peer, &v, sizeof(v), 0), (ssize_t)sizeof(v));
	turn(&f);
	assert_int_equal(verdicts, 1);
	assert_int_equal(allowed, 0);
	tear_down(&f);
}

/* exitguard dies, and it is a report about another stream that finds out: whoever makes that
 * report may be freeing a stream of the same circuit, so no verdict may come out of it. */
static void
dies_while_told(bool fail_open)
{
	struct fixture f;
	uint32_t epoch;

	set_up(&f, fail_open);
	for (uint64_t stream = 1; stream <= 10; stream++)
		assert_int_equal(ask(&f, stream, &epoch), GUARD_WAIT);
	close(f.peer);
	f.peer = -1;
	for (uint64_t i = 0; i < REPORT_MAX_RECORDS * 2; i++) {
		struct report_record closed = { .type = REPORT_CLOSED, .stream = 1000 + i };

		guard_tell(f.w, &closed, epoch);
	}
	assert_int_equal(verdicts, 0);
	assert_int_equal(ask(&f, 999, &epoch), fail_open ? GUARD_ALLOW : GUARD_REFUSE);
	assert_int_equal(epoch, 0);
	turn(&f);
	assert_int_equal(verdicts, 10);
	assert_int_equal(allowed, fail_open ? 10 : 0);
	tear_down(&f);
}

/* How many POLICY records wait at exitguard's end? */
static unsigned
policy_lines(struct fixture *f)
{
	struct report_record got[REPORT_MAX_RECORDS];
	ssize_t n = recv(f->peer, got, sizeof(got), MSG_DONTWAIT);
	unsigned lines = 0;

	for (ssize_t i = 0; i < n / (ssize_t)sizeof(got[0]); i++)
		lines += got[i].type == REPORT_POLICY;
	return lines;
}

static void
test_policy_after_reload(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, true);
	turn_end(&f);
	unsigned first = policy_lines(&f);
	assert_true(first > 0);
	turn_end(&f);
	assert_int_equal(policy_lines(&f), 0);
	snapshot_unref(&f.w->snap);
	f.w->snap = view(&f, "accept 198.51.100.7:80, reject *:*");
	turn_end(&f);
	assert_int_equal(policy_lines(&f), first + 1);
	turn_end(&f);
	assert_int_equal(policy_lines(&f), 0);
	tear_down(&f);
}

static void
test_dies_open(void **state)
{
	(void)state;
	dies_while_told(true);
}

static void
test_dies_closed(void **state)
{
	(void)state;
	dies_while_told(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_policy_after_reload),
		cmocka_unit_test(test_dies_open),
		cmocka_unit_test(test_dies_closed),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
