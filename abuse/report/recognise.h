/* recognise.h: from a mail to a complaint. Forms are told by their structure, never by who
 * sent them; what nothing recognises stays "unknown" and goes to a person. Pure. */
#ifndef ABUSE_REPORT_RECOGNISE_H
#define ABUSE_REPORT_RECOGNISE_H

#include "abuse/report/complaint.h"

/* What the room above knows and this one needs. */
struct report_env {
	bool (*is_own)(void *arg, const struct addr *addr);
	bool (*is_mail_hop)(void *arg, const struct addr *addr);
	bool (*is_own_mailbox)(void *arg, const char *address);
	bool (*is_hoster_domain)(void *arg, const char *domain);
	void *arg;
};

/* Everything a recogniser may look at. */
struct report_input {
	struct arena *arena;
	const struct mail *outer; /* as it came */
	const struct mail *mail;  /* the one looked at: outer or one inside it */
	const struct report_env *env;
	struct when_context when;
};

#define REPORT_ROWS_MAX  50000u /* lines of one mail that are read as log or table */
#define REPORT_LINE_MAX  2000u  /* bytes of a line that are looked at */
#define REPORT_PROSE_MAX 65536u /* bytes at a text's start in which words are looked for */

/* Fill *out, made by complaint_init, from the mail. */
void complaint_read(const struct mail *mail, const struct report_env *env, struct complaint *out);

/* A recogniser says whether the mail is of its form, and if so fills what the form tells. */
struct report_form {
	const char *name;
	bool (*read)(const struct report_input *in, struct complaint *out);
};
bool fail2ban_read(const struct report_input *in, struct complaint *out);
bool netscan_read(const struct report_input *in, struct complaint *out);
bool free_text_read(const struct report_input *in, struct complaint *out);

/* The envelope: who writes, who gets the answer, ticket, form address, deadline. */
void envelope_read(const struct mail *outer, const struct mail *inner, const struct report_env *env,
    struct complaint *out);
/* Police, prosecutors, threats and the gravest content: sets handling and category. */
bool gravity_check(const struct mail *mail, struct complaint *out);
/* The text's language by its small words. */
void language_read(struct span text, struct complaint *out);

/* The context of the mail's times: Date header, zone told in prose. */
struct when_context when_context_of(const struct mail *mail);

#endif
