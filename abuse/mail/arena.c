/* arena.c: a list of blocks, freed together. Pure but for malloc. */
#include "abuse/mail/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_LEN 16384
#define ALIGN     alignof(max_align_t)

struct block {
	struct block *next;
	size_t len, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *blocks; /* newest first */
};

static void *
must_have(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

struct arena *
arena_new(void)
{
	return must_have(calloc(1, sizeof(struct arena)));
}

void
arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	while ((*a)->blocks != NULL) {
		struct block *next = (*a)->blocks->next;

		free((*a)->blocks);
		(*a)->blocks = next;
	}
	free(*a);
	*a = NULL;
}

void *
arena_alloc(struct arena *a, size_t len)
{
	if (len > SIZE_MAX / 2)
		abort();
	len = (len + ALIGN - 1) / ALIGN * ALIGN;
	struct block *b = a->blocks;
	if (b == NULL || b->len - b->used < len) {
		size_t block_len = len > BLOCK_LEN / 4 ? len : BLOCK_LEN;

		b = must_have(calloc(1, sizeof(*b) + block_len));
		b->len = block_len;
		if (block_len == len && a->blocks != NULL) {
			/* A big piece goes behind the block in use, which still has room. */
			b->next = a->blocks->next;
			a->blocks->next = b;
		} else {
			b->next = a->blocks;
			a->blocks = b;
		}
	}
	void *out = &b->bytes[b->used];
	b->used += len;
	return out;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(count, size, &len))
		abort();
	return arena_alloc(a, len);
}

char *
arena_str(struct arena *a, struct span s)
{
	char *out = arena_alloc(a, s.len + 1);

	if (s.len != 0)
		memcpy(out, s.data, s.len);
	return out;
}

struct span
arena_copy(struct arena *a, struct span s)
{
	return span_of(arena_str(a, s), s.len);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	char *out = arena_alloc(a, (size_t)len + 1);
	vsnprintf(out, (size_t)len + 1, fmt, again);
	va_end(again);
	return out;
}

void
arena_text_add(struct arena_text *t, struct span s)
{
	if (s.len >= t->cap - t->len) {
		size_t cap = t->cap == 0 ? 256 : t->cap;

		while (cap - t->len <= s.len)
			cap *= 2;
		char *data = arena_alloc(t->arena, cap);
		if (t->len != 0)
			memcpy(data, t->data, t->len);
		t->data = data;
		t->cap = cap;
	}
	if (s.len != 0)
		memcpy(&t->data[t->len], s.data, s.len);
	t->len += s.len;
	t->data[t->len] = '\0';
}

void
arena_text_add_str(struct arena_text *t, const char *s)
{
	arena_text_add(t, span_of_str(s));
}

void
arena_text_add_char(struct arena_text *t, char c)
{
	arena_text_add(t, span_of(&c, 1));
}

struct span
arena_text_span(const struct arena_text *t)
{
	return span_of(t->data, t->len);
}

const char *
arena_text_str(const struct arena_text *t)
{
	return t->data == NULL ? "" : t->data;
}
