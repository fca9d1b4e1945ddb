/* mail.h: one mail, bytes to headers, parts and readable text, with limits on everything.
 *
 * Everything given out lives in the arena, is valid UTF-8 on the terms of text_clean, and no
 * header value holds a line end. Attachments are never written anywhere. */
#ifndef ABUSE_MAIL_MAIL_H
#define ABUSE_MAIL_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "abuse/mail/arena.h"
#include "common/bytes.h"

#define MAIL_SIZE_MAX    (32u << 20) /* bytes of one mail that are looked at */
#define MAIL_DASHES_MAX  20000u      /* lines that could open a part */
#define MAIL_HEADERS_MAX 500u        /* of one mail */
#define MAIL_VALUE_MAX   8000u       /* bytes of one header's value */
#define MAIL_PARTS_MAX   200u        /* of one mail with everything inside */
#define MAIL_DEPTH_MAX   12u
#define MAIL_TEXT_MAX    (8u << 20) /* bytes of text of one mail with everything inside */

/* What was found wrong; bits of mail.problems. */
enum mail_problem {
	MAIL_CUT_OFF = 1,    /* a multipart without its closing boundary */
	MAIL_OVER_LIMIT = 2, /* something was left out because of a limit */
	MAIL_ENCRYPTED = 4,
	MAIL_NO_BODY = 8,    /* ends in or right behind its header */
	MAIL_BAD_BYTES = 16, /* control or invalid characters were taken out */
};

struct mail_address {
	const char *name;    /* "" if none */
	const char *address; /* local@domain in ASCII, "" if there is none that is valid */
};

struct mail_header {
	const char *name, *value;
};

enum mail_part_kind { MAIL_PART_TEXT, MAIL_PART_HTML, MAIL_PART_MAIL, MAIL_PART_OTHER };

struct mail_part {
	enum mail_part_kind kind;
	const char *type;     /* "text/plain", lower case */
	const char *filename; /* "" if none; only ever shown */
	struct span text;     /* of text parts; HTML as text */
	struct mail *mail;    /* of MAIL_PART_MAIL */
	bool alternative;     /* another part says the same */
};

struct mail {
	struct mail_header *headers;
	size_t header_count;
	struct mail_address from, reply_to;
	const char *subject;    /* "" if none */
	const char *message_id; /* with no angle brackets; "" if none */
	bool has_date, date_offset_known;
	int64_t date_utc;
	int32_t date_offset_s;
	struct mail_part *parts;
	size_t part_count;
	struct span text; /* what a person reads in it, without the mails inside it */
	unsigned problems;
};

/* Once, before anything else here. */
void mail_library_init(void);

/* RC_SHORT: nothing in it. RC_SYNTAX: no mail (no header line at its start). Otherwise RC_OK,
 * with what is wrong in out->problems. */
enum rc mail_parse(struct arena *a, struct span bytes, struct mail *out);

/* The first header of that name, any case; NULL if there is none. */
const char *mail_header(const struct mail *m, const char *name);
/* The innermost mail of a chain of mails that carry nothing but one mail each. */
const struct mail *mail_innermost(const struct mail *m);
/* True for local@domain of plain ASCII that may stand in a header as it is. */
bool mail_address_is_valid(struct span address);

#endif
