/* report.c: the report protocol's records, checked. Pure: sockets are the callers' business. */
#include "common/report.h"

#include <string.h>

struct report_hello
report_hello_make(uint32_t enforce)
{
	return (struct report_hello){
		.magic = REPORT_MAGIC,
		.version = REPORT_VERSION,
		.record_size = sizeof(struct report_record),
		.enforce = enforce,
	};
}

enum rc
report_hello_parse(struct span packet, struct report_hello *out)
{
	memset(out, 0, sizeof(*out));
	if (packet.len != sizeof(*out))
		return packet.len < sizeof(*out) ? RC_SHORT : RC_TRAILING;
	memcpy(out, packet.data, sizeof(*out));
	if (out->magic != REPORT_MAGIC)
		return RC_PROTOCOL;
	if (out->version != REPORT_VERSION)
		return RC_UNSUPPORTED;
	if (out->record_size != sizeof(struct report_record) || out->enforce > 1)
		return RC_PROTOCOL;
	return RC_OK;
}

static bool
family_is_real(uint8_t family)
{
	return family == ADDR_IPV4 || family == ADDR_IPV6;
}

/* Bytes past the family's address must be zero: one destination has one form. */
static bool
addr_is_tidy(const struct report_record *r)
{
	size_t used = r->family == ADDR_IPV4 ? 4 : r->family == ADDR_IPV6 ? 16 : 0;

	for (size_t i = used; i < sizeof(r->addr); i++)
		if (r->addr[i] != 0)
			return false;
	return r->family == ADDR_NONE || family_is_real(r->family);
}

static bool
prefix_is_right(const struct report_record *r)
{
	unsigned most = r->family == ADDR_IPV4 ? 32 : r->family == ADDR_IPV6 ? 128 : 0;

	return r->prefix_bits <= most;
}

static enum rc
record_check(const struct report_record *r, enum report_side from)
{
	bool up = from == REPORT_FROM_RELAYD, ok = false;

	if (!addr_is_tidy(r) || !prefix_is_right(r) || r->zero != 0 ||
	    r->reason >= REPORT_REASON_COUNT)
		return RC_PROTOCOL;
	switch (r->type) {
	case REPORT_OPEN:
		ok = up && r->port != 0 && r->flags <= REPORT_BY_NAME &&
		     (r->family != ADDR_NONE || r->flags == REPORT_BY_NAME);
		break;
	case REPORT_DEST:
		ok = up && r->port != 0 && family_is_real(r->family);
		break;
	case REPORT_OUTCOME:
		ok = up && r->code >= REPORT_CONNECTED && r->code <= REPORT_LOCAL_FAILURE;
		break;
	case REPORT_CLOSED:
		ok = up;
		break;
	case REPORT_POLICY:
		ok = up && (r->code == 1 || r->code == 2) && r->port <= r->port_to;
		break;
	case REPORT_VERDICT:
		ok = !up && (r->code == REPORT_ALLOW || r->code == REPORT_REFUSE);
		break;
	case REPORT_STATE:
		ok = !up && (r->code == 1 || r->code == 2);
		break;
	case REPORT_LIMITS:
		ok = !up;
		break;
	}
	return ok ? RC_OK : RC_PROTOCOL;
}

enum rc
report_packet_check(struct span packet, enum report_side from, size_t *count)
{
	struct report_record record;

	*count = 0;
	if (packet.len == 0)
		return RC_SHORT;
	if (packet.len % sizeof(record) != 0)
		return RC_PROTOCOL;
	if (packet.len / sizeof(record) > REPORT_MAX_RECORDS)
		return RC_LIMIT;
	for (size_t i = 0; i < packet.len / sizeof(record); i++) {
		report_packet_get(packet, i, &record);
		enum rc rc = record_check(&record, from);
		if (rc != RC_OK)
			return rc;
	}
	*count = packet.len / sizeof(record);
	return RC_OK;
}

void
report_packet_get(struct span packet, size_t index, struct report_record *out)
{
	memcpy(out, packet.data + index * sizeof(*out), sizeof(*out));
}

struct addr
report_addr(const struct report_record *record)
{
	struct addr a = { .family = record->family };

	memcpy(a.bytes, record->addr, sizeof(a.bytes));
	return a;
}

void
report_set_addr(struct report_record *record, const struct addr *addr)
{
	record->family = addr->family;
	memcpy(record->addr, addr->bytes, sizeof(record->addr));
}

const char *
report_reason_str(unsigned reason)
{
	static const char *const names[REPORT_REASON_COUNT] = {
		[REPORT_REASON_NONE] = "none",
		[REPORT_REASON_SWEEP] = "sweep",
		[REPORT_REASON_CIRCUIT_SCAN] = "circuit-scan",
		[REPORT_REASON_PORT_SCAN] = "port-scan",
		[REPORT_REASON_FLOOD] = "flood",
		[REPORT_REASON_LOGIN] = "login",
		[REPORT_REASON_CIRCUIT_RATE] = "circuit-rate",
		[REPORT_REASON_BAN] = "ban",
	};

	return reason < REPORT_REASON_COUNT ? names[reason] : "unknown";
}
