/* html.h: readable text out of HTML. Pure. */
#ifndef ABUSE_MAIL_HTML_H
#define ABUSE_MAIL_HTML_H

#include "abuse/mail/arena.h"

/* Tags fall away, blocks and rows become lines, cells are parted by tabs, links show their
 * address behind the text; script, style and comments vanish. Input and output are UTF-8. */
struct span html_to_text(struct arena *a, struct span html);

#endif
