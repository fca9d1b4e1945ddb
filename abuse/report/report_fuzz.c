/* report_fuzz.c: any bytes as a complaint: mail, envelope, recognisers. */
#include <assert.h>

#include "abuse/report/recognise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 192.0.2.0/24 is ours, so that changed copies of the samples keep naming us. */
static bool
is_own(void *arg, const struct addr *addr)
{
	(void)arg;
	return addr->family == ADDR_IPV4 && addr->bytes[0] == 192 && addr->bytes[1] == 0;
}

static bool
is_mail_hop(void *arg, const struct addr *addr)
{
	(void)arg;
	return addr->bytes[3] >= 250;
}

static bool
is_known_text(void *arg, const char *text)
{
	(void)arg;
	return text[0] == 'x';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct report_env env = { .is_own = is_own,
		.is_mail_hop = is_mail_hop,
		.is_own_mailbox = is_known_text,
		.is_hoster_domain = is_known_text };
	static bool ready;
	struct arena *a = arena_new();
	struct complaint *c = arena_alloc(a, sizeof(*c));
	struct mail m;

	if (!ready)
		mail_library_init();
	ready = true;
	complaint_init(c, a);
	if (mail_parse(a, span_of(data, size), &m) == RC_OK) {
		complaint_read(&m, &env, c);
		for (size_t i = 0; i < c->incident_count; i++)
			assert(c->incidents[i].first_utc <= c->incidents[i].last_utc);
	}
	arena_free(&a);
	return 0;
}
