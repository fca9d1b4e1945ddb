/* scan.h: addresses, ports and services in text. Pure. */
#ifndef ABUSE_REPORT_SCAN_H
#define ABUSE_REPORT_SCAN_H

#include "abuse/report/complaint.h"

struct scan_addr {
	size_t at, len; /* with brackets, port or prefix length */
	struct addr addr;
	uint8_t bits;  /* full length unless a network was written */
	uint16_t port; /* 0 if none was written with it */
};

/* The first address at or behind `from`. Defanged ("192[.]0[.]2[.]1") and zero-padded forms
 * count; parts of host names and version numbers do not. */
bool scan_addr_next(struct span text, size_t from, struct scan_addr *out);

struct service {
	const char *word, *name;
	uint16_t port; /* where it usually listens; 0 if that says nothing */
	enum category category;
};

/* The first service of our list that is named in the line; NULL if none. */
const struct service *scan_service(struct span line);
/* A port named in words: "port 22", "22/tcp", "tcp/22", "dpt=22"; 0 if none, or if several are
 * named. The number behind "from ADDRESS port" is the source's and is not taken. *proto is set
 * where it stands with the port. */
uint16_t scan_named_port(struct span text, enum proto *proto, bool *several);
/* The protocol named; not told if there are several. */
enum proto scan_proto(struct span line);

#endif
