/* lookup.c: a stream's name goes to the resolver in the main thread, the answer comes back. */
#include <stdlib.h>
#include <string.h>

#include "relayd/exit/exit.h"
#include "relayd/exit/stream.h"

struct lookup {
	struct message msg; /* there, and with the answer back */
	uint64_t handle;
	enum dns_kind kind;
	bool want_v6;
	char name[256];
	struct dns_answer answer;
	struct worker *main;
};

static struct dns *resolver; /* the main thread's; set before the workers start */

void
exit_set_resolver(struct dns *dns)
{
	resolver = dns;
}

/* In the stream's worker. */
static void
answer_deliver(struct worker *w, struct message *m)
{
	struct lookup *lookup = (struct lookup *)m;
	struct stream *s = stream_by_handle(w, lookup->handle);

	if (s != NULL)
		stream_answered(s, &lookup->answer);
	free(lookup);
}

static void
send_answer(struct lookup *lookup)
{
	lookup->msg.deliver = answer_deliver;
	worker_post(lookup->main, id_worker(lookup->handle), &lookup->msg);
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct lookup *lookup = arg;

	lookup->answer = *answer;
	send_answer(lookup);
}

/* In the main thread. */
static void
question_deliver(struct worker *w, struct message *m)
{
	struct lookup *lookup = (struct lookup *)m;

	lookup->main = w;
	if (resolver == NULL || dns_lookup(resolver, lookup->kind, lookup->name, lookup->want_v6,
				    on_answer, lookup) != RC_OK) {
		memset(&lookup->answer, 0, sizeof(lookup->answer));
		lookup->answer.status = DNS_FAILED;
		send_answer(lookup);
	}
}

enum rc
lookup_start(struct stream *s, enum dns_kind kind, const char *name, bool want_v6)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL)
		return RC_NO_MEMORY;
	lookup->msg.deliver = question_deliver;
	lookup->handle = s->handle;
	lookup->kind = kind;
	lookup->want_v6 = want_v6;
	memcpy(lookup->name, name, strlen(name) + 1); /* at most 255 bytes: cells are shorter */
	worker_post(s->worker, WORKER_MAIN, &lookup->msg);
	return RC_OK;
}
