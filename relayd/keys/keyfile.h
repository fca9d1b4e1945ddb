/* keyfile.h: one file of keys in a directory: read whole, written whole or not at all, in stock
 * tor's formats. Every failure puts a sentence for the log into *why. Only for this room. */
#ifndef RELAYD_KEYS_KEYFILE_H
#define RELAYD_KEYS_KEYFILE_H

#include <openssl/evp.h>

#include "common/bytes.h"

/* Where the sentence goes. */
struct why {
	char *text;
	size_t len;
};
/* Write the sentence and give rc back. */
enum rc why_set(const struct why *why, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct keydir {
	int fd;
	char path[256]; /* for messages */
};

/* RC_NOT_FOUND, without a sentence, if there is no such file; RC_LIMIT if it is longer than cap. */
enum rc keyfile_read(const struct keydir *dir, const char *name, uint8_t *out, size_t cap,
    size_t *len, const struct why *why);
/* Mode 0600; the old content or the new one is there after a crash, nothing between. */
enum rc keyfile_write(
    const struct keydir *dir, const char *name, struct span content, const struct why *why);
bool keyfile_exists(const struct keydir *dir, const char *name);
void keyfile_remove(const struct keydir *dir, const char *name);

/* "== TAG ==" padded with zeros to 32 bytes, then exactly len bytes. */
enum rc keyfile_read_tagged(const struct keydir *dir, const char *name, const char *tag, void *out,
    size_t len, const struct why *why);
enum rc keyfile_write_tagged(const struct keydir *dir, const char *name, const char *tag,
    const void *content, size_t len, const struct why *why);

/* "RSA PRIVATE KEY" in PEM: 1024 bits, exponent 65537, consistent in itself. */
enum rc keyfile_read_rsa(
    const struct keydir *dir, const char *name, EVP_PKEY **out, const struct why *why);
enum rc keyfile_write_rsa(
    const struct keydir *dir, const char *name, EVP_PKEY *key, const struct why *why);

#endif
