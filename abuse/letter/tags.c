/* tags.c: every tag a letter may name. The scopes in vars.c give each of them a value. */
#include "abuse/letter/letter.h"

#define TEXT(name)                  \
	{                           \
		name, TEMPLATE_TEXT \
	}
#define FLAG(name)                  \
	{                           \
		name, TEMPLATE_FLAG \
	}
#define LIST(name)                  \
	{                           \
		name, TEMPLATE_LIST \
	}

const struct template_tag letter_tags[] = {
	/* the whole letter */
	TEXT("operator"),
	TEXT("ticket"),  /* of the addressee */
	TEXT("sources"), /* our accused addresses, a comma between */
	FLAG("several_sources"),
	TEXT("relays"),       /* nicknames */
	TEXT("events"),       /* as the mail counts or tells them */
	TEXT("target_count"), /* distinct targets, if more than are shown */
	TEXT("more_count"),   /* claims beyond those shown */
	TEXT("exonerator"),   /* link for the first claim */
	TEXT("assumed_zone"), /* of times whose zone is not told */
	TEXT("slack_hours"),  /* how far such times were widened in checking */
	FLAG("zone_not_told"),
	FLAG("zone_from_date"),
	FLAG("time_missing"),
	FLAG("port_missing"),
	FLAG("target_missing"),
	FLAG("something_missing"),
	FLAG("port_by_service"),
	FLAG("all_excluded"),
	FLAG("some_exit"), /* exit traffic leaves from at least one of the addresses */
	FLAG("some_open"), /* at least one claim cannot be excluded */
	FLAG("is_ssh"),
	FLAG("is_login"),
	FLAG("is_web"),
	FLAG("is_scan"),
	FLAG("is_dos"),
	FLAG("is_spam"),
	/* claims: what the mail says, the first few */
	LIST("claims"),
	TEXT("src"),
	TEXT("dst"),
	TEXT("dport"),
	TEXT("proto"),
	TEXT("first"),       /* UTC */
	TEXT("last"),        /* UTC; empty if it is the first */
	TEXT("first_local"), /* in the zone of the mail, if that is not UTC */
	TEXT("last_local"),
	TEXT("local_zone"),
	TEXT("count"), /* empty if one or not told */
	/* findings: what the facts say, alike ones once */
	LIST("findings"),
	TEXT("relay"),
	TEXT("port"),
	TEXT("since"),   /* policy in force then, since */
	TEXT("targets"), /* of this finding, the first few, if there are several findings */
	TEXT("targets_more"),
	TEXT("verdict"), /* excluded, unlikely, cannot be excluded */
	FLAG("accept"),
	FLAG("reject"),
	FLAG("excluded"),
	FLAG("unlikely"),
	FLAG("not_exit"),
	FLAG("not_tcp"),
	FLAG("no_time"),
	FLAG("no_port"),
	FLAG("no_policy"),
	/* refusals: networks toward which limits in force refused connections in a span that
	 * touches the claim's */
	LIST("refusals"),
	TEXT("net"),
	TEXT("from"), /* the span of the ledger, UTC */
	TEXT("to"),
	TEXT("from"),
	TEXT("to"),
	{ NULL, TEMPLATE_TEXT },
};
