/* keyfile.c: key files, read and written. Touches files in the directory that it is given, and
 * nothing else; buffers that held secrets are wiped. */
#include "relayd/keys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relayd/crypt/rsa.h"

#define TAG_LEN      32
#define TAGGED_MAX   512
#define RSA_FILE_MAX 4096

enum rc
why_set(const struct why *why, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	if (why->len == 0)
		return rc;
	va_start(ap, fmt);
	(void)vsnprintf(why->text, why->len, fmt, ap);
	va_end(ap);
	return rc;
}

/* Read to the end of the file or until the buffer is full. */
static ssize_t
read_all(int fd, uint8_t *out, size_t cap)
{
	struct wr wr = wr_to(out, cap);

	for (;;) {
		uint8_t chunk[1024];
		size_t room = cap - wr_len(&wr);
		ssize_t n = read(fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			wr_bytes(&wr, chunk, (size_t)n);
		sodium_memzero(chunk, sizeof(chunk));
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)wr_len(&wr);
	}
}

enum rc
keyfile_read(const struct keydir *dir, const char *name, uint8_t *out, size_t cap, size_t *len,
    const struct why *why)
{
	struct stat st;
	int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*len = 0;
	if (fd < 0 && errno == ENOENT)
		return RC_NOT_FOUND;
	if (fd < 0)
		return why_set(why, RC_SYSTEM, "cannot read %s/%s: %m", dir->path, name);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, RC_SYNTAX, "%s/%s is not a plain file", dir->path, name);
	}
	ssize_t n = (uint64_t)st.st_size <= cap ? read_all(fd, out, cap) : -2;
	close(fd);
	if (n == -2)
		return why_set(why, RC_LIMIT, "%s/%s is longer than the %zu bytes that it may have",
		    dir->path, name, cap);
	if (n < 0)
		return why_set(why, RC_SYSTEM, "cannot read %s/%s: %m", dir->path, name);
	*len = (size_t)n;
	return RC_OK;
}

static bool
write_all(int fd, struct span content)
{
	struct rd rd = rd_from(content);

	while (rd_left(&rd) != 0) {
		struct rd ahead = rd;
		struct span rest = rd_rest(&ahead);
		ssize_t n = write(fd, rest.data, rest.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		rd_skip(&rd, (size_t)n);
	}
	return true;
}

enum rc
keyfile_write(
    const struct keydir *dir, const char *name, struct span content, const struct why *why)
{
	char temp[128];

	(void)snprintf(temp, sizeof(temp), "%s.tmp", name);
	(void)unlinkat(dir->fd, temp, 0); /* left by a crash */
	int fd = openat(dir->fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return why_set(why, RC_SYSTEM, "cannot make %s/%s: %m", dir->path, temp);
	bool ok = write_all(fd, content) && fsync(fd) == 0;
	int error = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		error = errno;
	}
	if (ok && renameat(dir->fd, temp, dir->fd, name) != 0) {
		ok = false;
		error = errno;
	}
	if (ok) {
		(void)fsync(dir->fd);
		return RC_OK;
	}
	(void)unlinkat(dir->fd, temp, 0);
	errno = error;
	return why_set(why, RC_SYSTEM, "cannot write %s/%s: %m", dir->path, name);
}

bool
keyfile_exists(const struct keydir *dir, const char *name)
{
	return faccessat(dir->fd, name, F_OK, 0) == 0;
}

void
keyfile_remove(const struct keydir *dir, const char *name)
{
	(void)unlinkat(dir->fd, name, 0);
}

static void
tag_make(const char *tag, uint8_t out[TAG_LEN])
{
	struct wr wr = wr_to(out, TAG_LEN);

	memset(out, 0, TAG_LEN);
	wr_str(&wr, "== ");
	wr_str(&wr, tag);
	wr_str(&wr, " ==");
}

enum rc
keyfile_read_tagged(const struct keydir *dir, const char *name, const char *tag, void *out,
    size_t len, const struct why *why)
{
	uint8_t buf[TAGGED_MAX], want[TAG_LEN];
	size_t got;
	enum rc rc = keyfile_read(dir, name, buf, sizeof(buf), &got, why);

	if (rc != RC_OK)
		return rc;
	tag_make(tag, want);
	struct rd rd = rd_from(span_of(buf, got));
	struct span head = rd_span(&rd, TAG_LEN);
	rd_copy(&rd, out, len);
	if (rd_end(&rd) != RC_OK || !span_equal(head, span_of(want, TAG_LEN)))
		rc = why_set(why, RC_SYNTAX,
		    "%s/%s is damaged: not %zu bytes that begin with "
		    "\"== %s ==\"; restore it from a backup",
		    dir->path, name, TAG_LEN + len, tag);
	sodium_memzero(buf, sizeof(buf));
	return rc;
}

enum rc
keyfile_write_tagged(const struct keydir *dir, const char *name, const char *tag,
    const void *content, size_t len, const struct why *why)
{
	uint8_t buf[TAGGED_MAX];
	struct wr wr = wr_to(buf, sizeof(buf));
	uint8_t *head = wr_reserve(&wr, TAG_LEN);

	if (head != NULL)
		tag_make(tag, head);
	wr_bytes(&wr, content, len);
	enum rc rc = wr.rc;
	if (rc == RC_OK)
		rc = keyfile_write(dir, name, wr_written(&wr), why);
	sodium_memzero(buf, sizeof(buf));
	return rc;
}

/* Key files have no passphrase; never ask the terminal for one. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* RSA, of the size and exponent that the network takes, and its parts fit together. */
static bool
rsa_is_good(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	BIGNUM *e = NULL;
	bool good = ctx != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
		    EVP_PKEY_get_bits(key) == RSA_ID_BITS &&
		    EVP_PKEY_get_bn_param(key, "e", &e) == 1 && BN_is_word(e, 65537) &&
		    EVP_PKEY_check(ctx) == 1;

	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return good;
}

enum rc
keyfile_read_rsa(const struct keydir *dir, const char *name, EVP_PKEY **out, const struct why *why)
{
	uint8_t buf[RSA_FILE_MAX];
	size_t len;
	enum rc rc = keyfile_read(dir, name, buf, sizeof(buf), &len, why);

	*out = NULL;
	if (rc != RC_OK)
		return rc;
	ERR_set_mark();
	BIO *bio = BIO_new_mem_buf(buf, (int)len);
	if (bio != NULL)
		*out = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	sodium_memzero(buf, sizeof(buf));
	bool good = *out != NULL && rsa_is_good(*out);
	ERR_pop_to_mark();
	if (good)
		return RC_OK;
	EVP_PKEY_free(*out);
	*out = NULL;
	return why_set(why, RC_SYNTAX,
	    "%s/%s is damaged: not an RSA key of %d bits in PEM without "
	    "a passphrase; restore it from a backup",
	    dir->path, name, RSA_ID_BITS);
}

enum rc
keyfile_write_rsa(const struct keydir *dir, const char *name, EVP_PKEY *key, const struct why *why)
{
	BIO *bio = BIO_new(BIO_s_mem()); /* wipes its memory when freed */
	char *text;
	enum rc rc = RC_NO_MEMORY;

	if (bio != NULL &&
	    PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
		long len = BIO_get_mem_data(bio, &text);

		rc = keyfile_write(dir, name, span_of(text, (size_t)len), why);
	} else {
		(void)why_set(why, rc, "no memory to write %s/%s", dir->path, name);
	}
	BIO_free(bio);
	return rc;
}
