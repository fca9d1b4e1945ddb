/* push.c: what front wants in the static sets: scope, resolvers, relays, lists, the two switches.
 * Each is emptied and filled in one batch. Reads /etc/resolv.conf. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/conf.h"
#include "exitguard/front/front.h"
#include "exitguard/ledger/ledger.h"

bool
front_wants_feed(const struct front *front)
{
	switch (front->settings.view) {
	case GUARD_VIEW_RELAY:
		return false;
	case GUARD_VIEW_AUTO:
		return front->reports.count == 0;
	default:
		return true;
	}
}

/* Both families' mark in one of the two switch sets, or none. */
static void
push_switch(struct front *front, enum guard_set set, bool on)
{
	struct guard_elem v4 = guard_elem_u32(set, NFPROTO_IPV4_KEY);
	struct guard_elem v6 = guard_elem_u32(set, NFPROTO_IPV6_KEY);

	kernel_clear_set(front, set);
	if (!on)
		return;
	kernel_elem(front, true, &v4);
	kernel_elem(front, true, &v6);
}

void
front_push_feed(struct front *front)
{
	push_switch(front, SET_FEEDING, front_wants_feed(front));
	kernel_commit(front);
}

void
front_set_mode(struct front *front, enum guard_mode mode)
{
	front->mode = mode;
	if (front->ledger != NULL)
		ledger_set_enforcing(front->ledger, mode == GUARD_ENFORCE);
	push_switch(front, SET_ENFORCING, mode == GUARD_ENFORCE);
	kernel_commit(front);
	front_save_state(front);
	log_notice(LOG_GUARD, "mode is %s", guard_mode_str(mode));
}

static void
push_addr(struct front *front, const char *text, enum guard_set set4, enum guard_set set6)
{
	struct addr addr;

	if (addr_parse(span_of_str(text), &addr) != RC_OK)
		return;
	struct guard_elem elem =
	    guard_elem_addr(addr.family == ADDR_IPV4 ? set4 : set6, &addr, 0, 0);
	kernel_elem(front, true, &elem);
}

static void
push_scope(struct front *front)
{
	const struct settings *s = &front->settings;
	uint32_t uid;
	uint64_t mark;

	kernel_clear_set(front, SET_EXIT_USERS);
	kernel_clear_set(front, SET_EXIT_MARKS);
	kernel_clear_set(front, SET_SOURCES4);
	kernel_clear_set(front, SET_SOURCES6);
	for (size_t i = 0; i < s->relay_users.count; i++)
		if (settings_user_id(s->relay_users.items[i], &uid) == RC_OK) {
			struct guard_elem elem = guard_elem_u32(SET_EXIT_USERS, uid);
			kernel_elem(front, true, &elem);
		}
	for (size_t i = 0; i < s->relay_marks.count; i++)
		if (parse_u64(span_of_str(s->relay_marks.items[i]), UINT32_MAX, &mark) == RC_OK) {
			struct guard_elem elem = guard_elem_u32(SET_EXIT_MARKS, (uint32_t)mark);
			kernel_elem(front, true, &elem);
		}
	for (size_t i = 0; i < s->source_addresses.count; i++)
		push_addr(front, s->source_addresses.items[i], SET_SOURCES4, SET_SOURCES6);
}

/* The resolvers of the configuration and of /etc/resolv.conf. */
static void
push_resolvers(struct front *front)
{
	const struct settings_list *list = &front->settings.resolvers;
	struct span line;
	char *text, addr[64];
	size_t len;

	kernel_clear_set(front, SET_RESOLVERS4);
	kernel_clear_set(front, SET_RESOLVERS6);
	for (size_t i = 0; i < list->count; i++)
		push_addr(front, list->items[i], SET_RESOLVERS4, SET_RESOLVERS6);
	if (conf_read_file("/etc/resolv.conf", 65536, &text, &len) != RC_OK)
		return;
	struct rd rd = rd_from(span_of(text, len));
	while (rd_line(&rd, &line)) {
		if (line.len < 12 || line.len >= sizeof(addr) + 11 ||
		    memcmp(line.data, "nameserver ", 11) != 0)
			continue;
		memcpy(addr, line.data + 11, line.len - 11);
		addr[line.len - 11] = '\0';
		push_addr(front, addr, SET_RESOLVERS4, SET_RESOLVERS6);
	}
	free(text);
}

static void
push_relays(struct front *front)
{
	kernel_clear_set(front, SET_RELAYS4);
	kernel_clear_set(front, SET_RELAYS6);
	for (size_t i = 0; i < front->relays.count; i++) {
		const struct addr_port *relay = &front->relays.items[i];
		enum guard_set set = relay->addr.family == ADDR_IPV4 ? SET_RELAYS4 : SET_RELAYS6;
		struct guard_elem elem = guard_elem_addr(set, &relay->addr, relay->port, 0);

		kernel_elem(front, true, &elem);
	}
}

static void
push_lists(struct front *front)
{
	struct guard_elem pieces[GUARD_PIECES_MAX];
	int64_t now = clock_wall_s();
	size_t count;

	for (int set = SET_ALLOW4; set <= SET_BAN_NET6; set++)
		kernel_clear_set(front, (enum guard_set)set);
	for (size_t i = 0; i < front->lists.count; i++) {
		const struct list_entry *entry = &front->lists.entries[i];
		uint32_t left = entry->until > now ? (uint32_t)(entry->until - now) : 0;

		if (entry->until != 0 && left == 0)
			continue;
		if (guard_plan_list(entry->list, &entry->prefix, left, pieces, &count) != RC_OK)
			continue;
		for (size_t j = 0; j < count; j++)
			kernel_elem(front, true, &pieces[j]);
	}
}

void
front_push_relays(struct front *front)
{
	push_relays(front);
	kernel_commit(front);
}

void
front_push_static(struct front *front)
{
	push_scope(front);
	push_resolvers(front);
	push_relays(front);
	push_lists(front);
	push_switch(front, SET_FEEDING, front_wants_feed(front));
	push_switch(front, SET_ENFORCING, front->mode == GUARD_ENFORCE);
	kernel_commit(front);
}

void
front_push_lists(struct front *front)
{
	push_lists(front);
	kernel_commit(front);
	front_save_state(front);
}
