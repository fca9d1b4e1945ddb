/* micro.c: microdescriptors out of a document, and the table from digest to identity. */
#include "relayd/dir/micro.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "relayd/dir/netdoc.h"

#define FIRST_WORD "onion-key"

static bool
starts_micro(struct span line)
{
	return netdoc_keyword(&line, FIRST_WORD);
}

/* The text from "onion-key" to the next one, the next annotation or the end. */
static struct span
micro_cut(struct span *document)
{
	struct rd rd = rd_from(*document);
	size_t start = document->len, end = document->len, at = 0;
	struct span line;

	for (; rd_line(&rd, &line); at = document->len - rd_left(&rd)) {
		bool begins = starts_micro(line);

		if (start == document->len) {
			if (begins)
				start = at;
		} else if (begins || (line.len != 0 && line.data[0] == '@')) {
			end = at;
			break;
		}
	}
	struct span text = netdoc_from(*document, start);
	text.len = end - start;
	*document = netdoc_from(*document, end);
	return text;
}

/* "id ed25519 BASE64" */
static enum rc
micro_read(struct micro *m)
{
	struct rd rd = rd_from(m->text);
	struct span line, word;
	size_t len;

	while (rd_line(&rd, &line)) {
		if (!netdoc_keyword(&line, "id") || !netdoc_word(&line, &word) ||
		    !span_equal_str(word, "ed25519"))
			continue;
		if (m->has_ed_id || !netdoc_word(&line, &word))
			return RC_SYNTAX;
		enum rc rc = base64_decode(word, m->ed_id, sizeof(m->ed_id), &len);
		if (rc != RC_OK || len != sizeof(m->ed_id))
			return RC_SYNTAX;
		m->has_ed_id = true;
	}
	return EVP_Digest(m->text.data, m->text.len, m->digest, NULL, EVP_sha256(), NULL) == 1
		   ? RC_OK
		   : RC_CRYPTO;
}

bool
micro_next(struct span *document, struct micro *out)
{
	do {
		memset(out, 0, sizeof(*out));
		out->text = micro_cut(document);
		if (out->text.len == 0)
			return false;
	} while (out->text.len > MICRO_LEN_MAX || micro_read(out) != RC_OK);
	return true;
}

enum rc
micro_table_add(struct micro_table *table, const struct micro *micro)
{
	if (table->count == MICRO_TABLE_MAX)
		return RC_LIMIT;
	if (table->count == table->cap) {
		size_t cap = table->cap != 0 ? table->cap * 2 : 256;
		struct micro_entry *bigger = realloc(table->entries, cap * sizeof(*bigger));

		if (bigger == NULL)
			return RC_NO_MEMORY;
		table->entries = bigger;
		table->cap = cap;
	}
	struct micro_entry *entry = &table->entries[table->count++];
	memcpy(entry->digest, micro->digest, sizeof(entry->digest));
	memcpy(entry->ed_id, micro->ed_id, sizeof(entry->ed_id));
	return RC_OK;
}

static int
entry_order(const void *a, const void *b)
{
	return memcmp(a, b, 32); /* the digest comes first */
}

void
micro_table_sort(struct micro_table *table)
{
	size_t kept = 0;

	if (table->count != 0)
		qsort(table->entries, table->count, sizeof(*table->entries), entry_order);
	for (size_t i = 0; i < table->count; i++)
		if (kept == 0 || entry_order(&table->entries[kept - 1], &table->entries[i]) != 0)
			table->entries[kept++] = table->entries[i];
	table->count = table->sorted = kept;
}

const struct micro_entry *
micro_table_find(const struct micro_table *table, const uint8_t digest[32])
{
	if (table->sorted == 0)
		return NULL;
	return bsearch(digest, table->entries, table->sorted, sizeof(*table->entries), entry_order);
}

void
micro_table_retain(struct micro_table *table, const struct consensus *c)
{
	struct micro_table used = { 0 };
	size_t n = consensus_relay_count(c);

	used.entries = calloc(n != 0 ? n : 1, sizeof(*used.entries));
	if (used.entries == NULL)
		return;
	used.cap = n != 0 ? n : 1;
	for (size_t i = 0; i < n; i++) {
		const struct micro_entry *entry =
		    micro_table_find(table, consensus_relay_at(c, i)->micro_digest);

		if (entry != NULL)
			used.entries[used.count++] = *entry;
	}
	micro_table_sort(&used);
	micro_table_clear(table);
	*table = used;
}

void
micro_table_clear(struct micro_table *table)
{
	free(table->entries);
	memset(table, 0, sizeof(*table));
}
