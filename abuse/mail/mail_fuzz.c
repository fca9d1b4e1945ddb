/* mail_fuzz.c: any bytes as a mail, an mbox, HTML. */
#include "abuse/mail/html.h"
#include "abuse/mail/mail.h"
#include "abuse/mail/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct span in = span_of(data, size), one;
	struct arena *a = arena_new();
	struct mbox box;
	struct mail m;

	if (!ready)
		mail_library_init();
	ready = true;
	(void)html_to_text(a, in);
	mbox_init(&box, in);
	while (mbox_next(&box, a, &one))
		(void)mail_parse(a, one, &m);
	arena_free(&a);
	return 0;
}
