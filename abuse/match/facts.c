/* facts.c: see facts.h. */
#include "abuse/match/facts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "abuse/when/when.h"

#define FACTS_SIZE_MAX (16u << 20)
#define LIST_MAX       1000000u

/* A place in the file, for errors. */
struct place {
	char *error;
	char path[160];
	enum rc rc;
};

static enum rc fail(struct place *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static enum rc
fail(struct place *p, const char *fmt, ...)
{
	char what[120];
	va_list ap;

	if (p->rc != RC_OK)
		return p->rc;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(p->error, FACTS_ERROR_LEN, "%s%s%s", p->path, p->path[0] ? ": " : "", what);
	p->rc = RC_SYNTAX;
	return p->rc;
}

static struct place
place_in(const struct place *p, const char *name, long index)
{
	struct place out = { .error = p->error, .rc = RC_OK };
	size_t used = (size_t)snprintf(
	    out.path, sizeof(out.path), "%.100s%s%.30s", p->path, p->path[0] ? "." : "", name);

	if (index >= 0 && used < sizeof(out.path))
		snprintf(&out.path[used], sizeof(out.path) - used, "[%ld]", index);
	return out;
}

static void *
take_memory(size_t count, size_t size)
{
	void *out = calloc(count == 0 ? 1 : count, size);

	if (out == NULL)
		abort();
	return out;
}

static char *
take_string(const char *s)
{
	char *out = strdup(s);

	if (out == NULL)
		abort();
	return out;
}

static enum rc
check_members(json_t *object, const char *const *known, struct place *p)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return fail(p, "an object { } is expected");
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return fail(p, "unknown member \"%.40s\"", key);
	}
	return RC_OK;
}

static enum rc
get_string(json_t *object, const char *name, bool needed, char **out, struct place *p)
{
	json_t *value = json_object_get(object, name);
	struct place here = place_in(p, name, -1);

	if (value == NULL && needed)
		return p->rc = fail(&here, "missing");
	if (value != NULL && !json_is_string(value))
		return p->rc = fail(&here, "a text is expected");
	*out = take_string(value == NULL ? "" : json_string_value(value));
	return RC_OK;
}

static enum rc
get_time(json_t *object, const char *name, int64_t *out, struct place *p)
{
	json_t *value = json_object_get(object, name);
	struct place here = place_in(p, name, -1);

	if (!json_is_string(value) ||
	    when_parse_iso_z(span_of_str(json_string_value(value)), out) != RC_OK)
		return p->rc = fail(&here, "a time like 2025-01-01T00:00:00Z is expected");
	return RC_OK;
}

/* The list of that name; an absent one counts as empty. */
static enum rc
get_list(json_t *object, const char *name, json_t **out, size_t *count, struct place *p)
{
	struct place here = place_in(p, name, -1);

	*out = json_object_get(object, name);
	*count = json_array_size(*out);
	if (*out != NULL && !json_is_array(*out))
		return p->rc = fail(&here, "a list [ ] is expected");
	if (*count > LIST_MAX)
		return p->rc = fail(&here, "too long");
	return RC_OK;
}

static enum rc
get_addrs(json_t *object, const char *name, struct addr **out, size_t *count, struct place *p)
{
	json_t *list;
	size_t n;

	if (get_list(object, name, &list, &n, p) != RC_OK)
		return p->rc;
	*out = take_memory(n, sizeof(**out));
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct place here = place_in(p, name, (long)i);

		if (text == NULL || addr_parse(span_of_str(text), &(*out)[i]) != RC_OK)
			return p->rc = fail(&here, "an IP address is expected");
		(*count)++;
	}
	return RC_OK;
}

static enum rc
get_prefixes(json_t *object, const char *name, struct prefix **out, size_t *count, struct place *p)
{
	json_t *list;
	size_t n;

	if (get_list(object, name, &list, &n, p) != RC_OK)
		return p->rc;
	*out = take_memory(n, sizeof(**out));
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct place here = place_in(p, name, (long)i);

		if (text == NULL || prefix_parse(span_of_str(text), &(*out)[i]) != RC_OK)
			return p->rc = fail(&here, "a network like 203.0.113.0/24 is expected");
		(*count)++;
	}
	return RC_OK;
}

static enum rc
read_accept(json_t *object, struct facts_policy *out, struct place *p)
{
	json_t *accept = json_object_get(object, "accept");
	struct place here = place_in(p, "accept", -1);

	if (json_is_string(accept) && strcmp(json_string_value(accept), "all-but-25") == 0) {
		out->all_but_25 = true;
		return RC_OK;
	}
	if (!json_is_array(accept) || json_array_size(accept) > 65535)
		return p->rc = fail(&here, "a list of ports or \"all-but-25\" is expected");
	out->ports = take_memory(json_array_size(accept), sizeof(out->ports[0]));
	for (size_t i = 0; i < json_array_size(accept); i++) {
		json_t *port = json_array_get(accept, i);

		if (!json_is_integer(port) || json_integer_value(port) < 1 ||
		    json_integer_value(port) > 65535)
			return p->rc = fail(&here, "a port is a number from 1 to 65535");
		out->ports[out->port_count++] = (uint16_t)json_integer_value(port);
	}
	return RC_OK;
}

static enum rc
read_policies(json_t *relay, struct facts_relay *out, struct place *p)
{
	static const char *const known[] = { "from", "accept", "reject_nets", NULL };
	json_t *list;
	size_t n;

	if (get_list(relay, "policies", &list, &n, p) != RC_OK)
		return p->rc;
	out->policies = take_memory(n, sizeof(out->policies[0]));
	for (size_t i = 0; i < n; i++) {
		struct place here = place_in(p, "policies", (long)i);
		json_t *object = json_array_get(list, i);
		struct facts_policy *policy = &out->policies[i];

		out->policy_count++;
		if (check_members(object, known, &here) != RC_OK ||
		    get_time(object, "from", &policy->from_utc, &here) != RC_OK ||
		    read_accept(object, policy, &here) != RC_OK ||
		    get_prefixes(object, "reject_nets", &policy->reject_nets,
			&policy->reject_net_count, &here) != RC_OK)
			return p->rc = here.rc;
		if (i > 0 && policy->from_utc <= out->policies[i - 1].from_utc)
			return p->rc = fail(&here, "policies stand in the order of their time");
	}
	return RC_OK;
}

static enum rc
read_relays(json_t *root, struct facts *out, struct place *p)
{
	static const char *const known[] = { "nickname", "fingerprint", "hoster", "or_addresses",
		"exit_addresses", "policies", NULL };
	json_t *list;
	size_t n;

	if (get_list(root, "relays", &list, &n, p) != RC_OK)
		return p->rc;
	out->relays = take_memory(n, sizeof(out->relays[0]));
	for (size_t i = 0; i < n; i++) {
		struct place here = place_in(p, "relays", (long)i);
		json_t *object = json_array_get(list, i);
		struct facts_relay *relay = &out->relays[i];

		out->relay_count++;
		if (check_members(object, known, &here) != RC_OK ||
		    get_string(object, "nickname", true, &relay->nickname, &here) != RC_OK ||
		    get_string(object, "fingerprint", false, &relay->fingerprint, &here) != RC_OK ||
		    get_string(object, "hoster", false, &relay->hoster, &here) != RC_OK ||
		    get_addrs(object, "or_addresses", &relay->or_addresses, &relay->or_count,
			&here) != RC_OK ||
		    get_addrs(object, "exit_addresses", &relay->exit_addresses, &relay->exit_count,
			&here) != RC_OK ||
		    read_policies(object, relay, &here) != RC_OK)
			return p->rc = here.rc;
	}
	return RC_OK;
}

static enum rc
read_ledger_entry(json_t *object, struct facts_ledger *out, struct place *p)
{
	json_t *covered = json_object_get(object, "covered");
	json_t *refused = json_object_get(object, "refused");
	json_t *mode = json_object_get(object, "mode");
	json_t *prefix = json_object_get(object, "prefix");

	/* Other members, such as counts by reason, are the guard's and not needed here. */
	if (!json_is_object(object))
		return fail(p, "an object { } is expected");
	if (get_time(object, "from", &out->from_utc, p) != RC_OK ||
	    get_time(object, "to", &out->to_utc, p) != RC_OK)
		return p->rc;
	if (out->to_utc <= out->from_utc)
		return fail(p, "\"to\" lies before \"from\"");
	if (!json_is_boolean(covered))
		return fail(p, "\"covered\" must be true or false");
	if (refused != NULL && !json_is_null(refused) && !json_is_boolean(refused))
		return fail(p, "\"refused\" must be true, false or null");
	if (!json_is_string(mode) || (strcmp(json_string_value(mode), "enforce") != 0 &&
					 strcmp(json_string_value(mode), "observe") != 0))
		return fail(p, "\"mode\" must be \"observe\" or \"enforce\"");
	if (!json_is_string(prefix) ||
	    prefix_parse(span_of_str(json_string_value(prefix)), &out->prefix) != RC_OK)
		return fail(p, "\"prefix\" must be a network like 203.0.113.0/24");
	out->covered = json_is_true(covered);
	out->enforce = strcmp(json_string_value(mode), "enforce") == 0;
	if (json_is_boolean(refused))
		out->refused = json_is_true(refused) ? FACTS_REFUSED_YES : FACTS_REFUSED_NO;
	return RC_OK;
}

static enum rc
read_ledger(json_t *list, struct facts *out, struct place *p)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return fail(p, "a list [ ] of ledger spans is expected");
	if (n > LIST_MAX)
		return fail(p, "too long");
	struct facts_ledger *all = take_memory(out->ledger_count + n, sizeof(*all));
	if (out->ledger_count != 0)
		memcpy(all, out->ledger, out->ledger_count * sizeof(*all));
	free(out->ledger);
	out->ledger = all;
	for (size_t i = 0; i < n; i++) {
		struct place here = place_in(p, "ledger", (long)i);

		if (read_ledger_entry(json_array_get(list, i), &all[out->ledger_count], &here) !=
		    RC_OK)
			return p->rc = here.rc;
		out->ledger_count++;
	}
	return RC_OK;
}

static enum rc
read_mailboxes(json_t *root, struct facts *out, struct place *p)
{
	json_t *list;
	size_t n;

	if (get_list(root, "mailboxes", &list, &n, p) != RC_OK)
		return p->rc;
	out->mailboxes = take_memory(n, sizeof(out->mailboxes[0]));
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct place here = place_in(p, "mailboxes", (long)i);

		if (text == NULL || strchr(text, '@') == NULL)
			return p->rc = fail(&here, "a mail address is expected");
		out->mailboxes[out->mailbox_count++] = take_string(text);
	}
	return RC_OK;
}

static enum rc
read_root(json_t *root, struct facts *out, struct place *p)
{
	static const char *const known[] = { "operator", "mailboxes", "timezone", "relays",
		"mail_hop_ranges", "ledger", NULL };
	json_t *ledger = json_object_get(root, "ledger");

	if (check_members(root, known, p) != RC_OK ||
	    get_string(root, "operator", true, &out->operator_name, p) != RC_OK ||
	    get_string(root, "timezone", false, &out->timezone_name, p) != RC_OK ||
	    read_mailboxes(root, out, p) != RC_OK || read_relays(root, out, p) != RC_OK ||
	    get_prefixes(root, "mail_hop_ranges", &out->mail_hops, &out->mail_hop_count, p) !=
		RC_OK)
		return p->rc;
	out->timezone = zone_utc();
	struct span zone = span_of_str(out->timezone_name);
	if (zone.len != 0 && zone_scan(zone, 0, &out->timezone) != zone.len)
		return fail(p, "timezone: \"%.40s\" is not known; \"UTC\" or \"+02:00\" will do",
		    out->timezone_name);
	return ledger == NULL || json_is_null(ledger) ? RC_OK : read_ledger(ledger, out, p);
}

static json_t *
load_json(struct span text, char error[FACTS_ERROR_LEN])
{
	json_error_t where;
	json_t *root =
	    json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &where);

	if (root == NULL)
		snprintf(error, FACTS_ERROR_LEN, "line %d: %.150s", where.line, where.text);
	return root;
}

enum rc
facts_parse(struct span json, struct facts *out, char error[FACTS_ERROR_LEN])
{
	struct place p = { .error = error };

	*out = (struct facts){ 0 };
	error[0] = '\0';
	json_t *root = load_json(json, error);
	if (root == NULL)
		return RC_SYNTAX;
	enum rc rc = read_root(root, out, &p);
	json_decref(root);
	if (rc != RC_OK)
		facts_clear(out);
	return rc;
}

static enum rc
read_file(const char *path, char **out, size_t *len, char error[FACTS_ERROR_LEN])
{
	FILE *f = fopen(path, "rb");
	size_t used = 0;

	if (f == NULL) {
		snprintf(error, FACTS_ERROR_LEN, "%s", strerror(errno));
		return RC_SYSTEM;
	}
	char *buf = take_memory(FACTS_SIZE_MAX + 1, 1);
	used = fread(buf, 1, FACTS_SIZE_MAX + 1, f);
	bool failed = ferror(f) != 0;
	if (failed)
		snprintf(error, FACTS_ERROR_LEN, "%s", strerror(errno));
	else if (used > FACTS_SIZE_MAX)
		snprintf(error, FACTS_ERROR_LEN, "longer than %u MiB", FACTS_SIZE_MAX >> 20);
	fclose(f);
	if (failed || used > FACTS_SIZE_MAX) {
		free(buf);
		return failed ? RC_SYSTEM : RC_LIMIT;
	}
	*out = buf;
	*len = used;
	return RC_OK;
}

enum rc
facts_load(const char *path, struct facts *out, char error[FACTS_ERROR_LEN])
{
	char *text = NULL;
	size_t len = 0;

	*out = (struct facts){ 0 };
	enum rc rc = read_file(path, &text, &len, error);
	if (rc == RC_OK)
		rc = facts_parse(span_of(text, len), out, error);
	free(text);
	return rc;
}

/* One span by itself, a list of them, or either as the member "ledger". */
static enum rc
read_ledger_value(json_t *root, struct facts *facts, struct place *p)
{
	json_t *member = json_object_get(root, "ledger");
	json_t *value = member != NULL ? member : root;

	if (!json_is_object(value))
		return read_ledger(value, facts, p);
	json_t *single = json_array();
	json_array_append(single, value);
	enum rc rc = read_ledger(single, facts, p);
	json_decref(single);
	return rc;
}

enum rc
facts_parse_ledger(struct span json, struct facts *facts, char error[FACTS_ERROR_LEN])
{
	struct place p = { .error = error };
	struct rd rd = rd_from(json);
	enum rc rc = RC_OK;

	error[0] = '\0';
	do {
		struct rd here = rd;
		struct span rest = rd_rest(&here);
		json_error_t where;
		json_t *root = json_loadb((const char *)rest.data, rest.len,
		    JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &where);

		if (root == NULL) {
			snprintf(error, FACTS_ERROR_LEN, "line %d: %.150s", where.line, where.text);
			return RC_SYNTAX;
		}
		rc = read_ledger_value(root, facts, &p);
		json_decref(root);
		rd_skip(&rd, (size_t)where.position);
		while (rd_left(&rd) > 0) {
			struct rd ahead = rd;
			uint8_t c = rd_u8(&ahead);

			if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
				break;
			rd = ahead;
		}
	} while (rc == RC_OK && rd_left(&rd) > 0);
	return rc;
}

enum rc
facts_load_ledger(const char *path, struct facts *facts, char error[FACTS_ERROR_LEN])
{
	char *text = NULL;
	size_t len = 0;

	enum rc rc = read_file(path, &text, &len, error);
	if (rc == RC_OK)
		rc = facts_parse_ledger(span_of(text, len), facts, error);
	free(text);
	return rc;
}

static void
clear_relay(struct facts_relay *relay)
{
	for (size_t i = 0; i < relay->policy_count; i++) {
		free(relay->policies[i].ports);
		free(relay->policies[i].reject_nets);
	}
	free(relay->policies);
	free(relay->nickname);
	free(relay->fingerprint);
	free(relay->hoster);
	free(relay->or_addresses);
	free(relay->exit_addresses);
}

void
facts_clear(struct facts *facts)
{
	for (size_t i = 0; i < facts->relay_count; i++)
		clear_relay(&facts->relays[i]);
	for (size_t i = 0; i < facts->mailbox_count; i++)
		free(facts->mailboxes[i]);
	free(facts->relays);
	free(facts->mailboxes);
	free(facts->operator_name);
	free(facts->timezone_name);
	free(facts->mail_hops);
	free(facts->ledger);
	*facts = (struct facts){ 0 };
}

static bool
in_list(const struct addr *list, size_t count, const struct addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal(&list[i], addr))
			return true;
	return false;
}

const struct facts_relay *
facts_relay_of(const struct facts *facts, const struct addr *addr, bool *is_exit)
{
	const struct facts_relay *found = NULL;

	*is_exit = false;
	for (size_t i = 0; i < facts->relay_count; i++) {
		const struct facts_relay *relay = &facts->relays[i];

		if (in_list(relay->exit_addresses, relay->exit_count, addr)) {
			*is_exit = true;
			return relay;
		}
		if (found == NULL && in_list(relay->or_addresses, relay->or_count, addr))
			found = relay;
	}
	return found;
}

bool
facts_is_mail_hop(const struct facts *facts, const struct addr *addr)
{
	for (size_t i = 0; i < facts->mail_hop_count; i++)
		if (prefix_contains(&facts->mail_hops[i], addr))
			return true;
	return false;
}

bool
facts_is_mailbox(const struct facts *facts, const char *address)
{
	for (size_t i = 0; i < facts->mailbox_count; i++)
		if (strcasecmp(facts->mailboxes[i], address) == 0)
			return true;
	return false;
}

bool
facts_is_hoster_domain(const struct facts *facts, const char *domain)
{
	for (size_t i = 0; i < facts->relay_count; i++) {
		const char *hoster = facts->relays[i].hoster;
		size_t len = strlen(hoster), have = strlen(domain);

		if (len != 0 && have >= len && strcasecmp(&domain[have - len], hoster) == 0 &&
		    (have == len || domain[have - len - 1] == '.'))
			return true;
	}
	return false;
}
