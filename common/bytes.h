/* bytes.h: bounded reading and writing of bytes. All integers are big-endian unless the name
 * says otherwise. Pointer arithmetic over input lives in bytes.c and nowhere else. */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rc.h"

/* Borrowed bytes: good as long as whatever they point into. data may be NULL if len is 0. */
struct span {
	const uint8_t *data;
	size_t len;
};

struct span span_of(const void *data, size_t len);
struct span span_of_str(const char *s);        /* without the NUL */
bool span_equal(struct span a, struct span b); /* not constant-time */
bool span_equal_str(struct span a, const char *s);
bool span_equal_const_time(struct span a, struct span b); /* for secrets and digests */

/* A reader keeps its first error; later reads give zero or an empty span, so that a parser is
 * straight lines and one check of .rc at the end. */
struct rd {
	const uint8_t *at, *end;
	enum rc rc;
};

struct rd rd_from(struct span in);
uint8_t rd_u8(struct rd *rd);
uint16_t rd_u16(struct rd *rd);
uint32_t rd_u32(struct rd *rd);
uint64_t rd_u64(struct rd *rd);
struct span rd_span(struct rd *rd, size_t len);     /* borrowed from the input */
void rd_copy(struct rd *rd, void *out, size_t len); /* zero-filled on error */
void rd_skip(struct rd *rd, size_t len);
struct rd rd_sub(struct rd *rd, size_t len); /* a reader that cannot leave its part */
struct span rd_rest(struct rd *rd);          /* everything left; consumes it */
size_t rd_left(const struct rd *rd);
/* RC_TRAILING if something is left, else the first error. */
enum rc rd_end(struct rd *rd);
/* Take up to and including the next '\n' (or to the end); the span is without the line end,
 * LF or CRLF. False at the end of input. Embedded NULs stay inside the span. */
bool rd_line(struct rd *rd, struct span *line);

/* A writer over a fixed buffer; past its end it keeps RC_LIMIT and writes nothing more. */
struct wr {
	uint8_t *start, *at, *end;
	enum rc rc;
};

struct wr wr_to(void *buf, size_t len);
void wr_u8(struct wr *wr, uint8_t v);
void wr_u16(struct wr *wr, uint16_t v);
void wr_u32(struct wr *wr, uint32_t v);
void wr_u64(struct wr *wr, uint64_t v);
void wr_bytes(struct wr *wr, const void *data, size_t len);
void wr_span(struct wr *wr, struct span s);
void wr_zero(struct wr *wr, size_t len);
void wr_str(struct wr *wr, const char *s); /* without the NUL */
void wr_printf(struct wr *wr, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Leave room and fill it in later: wr_reserve gives the place, NULL if there is no room. */
uint8_t *wr_reserve(struct wr *wr, size_t len);
size_t wr_len(const struct wr *wr);
struct span wr_written(const struct wr *wr);

void put_u16(uint8_t out[2], uint16_t v);
void put_u32(uint8_t out[4], uint32_t v);
uint16_t get_u16(const uint8_t in[2]);
uint32_t get_u32(const uint8_t in[4]);

/* Text forms. Decoders take exactly one form, refuse everything else, and write *out_len bytes
 * at most out_cap. Encoders NUL-terminate; out_cap must hold the text and the NUL. */
enum rc hex_decode(struct span text, uint8_t *out, size_t out_cap, size_t *out_len);
enum rc hex_encode(struct span in, char *out, size_t out_cap); /* upper case */
/* Standard alphabet; padding optional when decoding, line breaks and blanks are skipped. */
enum rc base64_decode(struct span text, uint8_t *out, size_t out_cap, size_t *out_len);
enum rc base64_encode(struct span in, bool padded, char *out, size_t out_cap);

/* A decimal number that fills the whole span; RC_SYNTAX or RC_RANGE otherwise. */
enum rc parse_u64(struct span text, uint64_t max, uint64_t *out);
enum rc parse_i64(struct span text, int64_t min, int64_t max, int64_t *out);

#endif
