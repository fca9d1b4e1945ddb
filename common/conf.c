/* conf.c: the option-line syntax. Pure but for conf_read_file. */
#include "common/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
conf_reader_init(struct conf_reader *reader, struct span text)
{
	reader->rd = rd_from(text);
	reader->line = 0;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span s)
{
	while (s.len != 0 && (is_blank(s.data[0]) || s.data[0] == '\r'))
		s = span_of(s.data + 1, s.len - 1);
	while (s.len != 0 && (is_blank(s.data[s.len - 1]) || s.data[s.len - 1] == '\r'))
		s.len--;
	return s;
}

/* Cut a comment off: the first '#' outside double quotes. */
static struct span
strip_comment(struct span s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\\' && quoted)
			i++;
		else if (s.data[i] == '"')
			quoted = !quoted;
		else if (s.data[i] == '#' && !quoted)
			return span_of(s.data, i);
	}
	return s;
}

/* Append to out->value at *len. */
static enum rc
append(struct conf_line *out, size_t *len, struct span part)
{
	if (part.len >= sizeof(out->value) - *len)
		return RC_LIMIT;
	if (part.len != 0)
		memcpy(out->value + *len, part.data, part.len);
	*len += part.len;
	out->value[*len] = '\0';
	return RC_OK;
}

static int
unescape(const char *in, size_t left, size_t *used)
{
	uint8_t byte;
	size_t n;

	*used = 2;
	if (left < 2)
		return -1;
	switch (in[1]) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '"':
	case '\\':
	case '\'':
		return in[1];
	case 'x':
		*used = 4;
		if (left < 4 || hex_decode(span_of(in + 2, 2), &byte, 1, &n) != RC_OK || byte == 0)
			return -1;
		return byte;
	}
	return -1;
}

/* "text" in quotes becomes text, in place. Nothing may follow the closing quote. */
static enum rc
unquote(char *value)
{
	size_t len = strlen(value), n = 0, i = 1, used;

	if (value[0] != '"')
		return RC_OK;
	while (i < len && value[i] != '"') {
		int c = (unsigned char)value[i];

		used = 1;
		if (c == '\\')
			c = unescape(value + i, len - i, &used);
		if (c < 0)
			return RC_SYNTAX;
		value[n++] = (char)c;
		i += used;
	}
	if (i + 1 != len)
		return RC_SYNTAX;
	value[n] = '\0';
	return RC_OK;
}

/* Take continuation lines until one does not end in '\'; their text goes to out->value. */
static enum rc
gather(struct conf_reader *reader, struct span first, struct conf_line *out)
{
	struct span part = first, line;
	size_t len = 0;
	enum rc rc;

	for (;;) {
		bool more = part.len != 0 && part.data[part.len - 1] == '\\';

		if (more)
			part.len--;
		else
			part = trim(strip_comment(part));
		rc = append(out, &len, part);
		if (rc != RC_OK || !more)
			return rc;
		do {
			if (!rd_line(&reader->rd, &line))
				return RC_OK;
			reader->line++;
			part = trim(line);
		} while (part.len != 0 && part.data[0] == '#');
	}
}

enum rc
conf_next(struct conf_reader *reader, struct conf_line *out)
{
	struct span line, key;

	out->key[0] = out->value[0] = '\0';
	do {
		if (!rd_line(&reader->rd, &line))
			return RC_NOT_FOUND;
		reader->line++;
		line = trim(line);
	} while (line.len == 0 || line.data[0] == '#');
	out->number = reader->line;
	key = line;
	for (key.len = 0; key.len < line.len && !is_blank(line.data[key.len]); key.len++)
		if (line.data[key.len] == '\0' || line.data[key.len] == '"')
			return RC_SYNTAX;
	if (key.len >= sizeof(out->key))
		return RC_LIMIT;
	memcpy(out->key, key.data, key.len);
	out->key[key.len] = '\0';
	struct span rest = trim(span_of(line.data + key.len, line.len - key.len));
	enum rc rc = gather(reader, rest, out);
	if (rc == RC_OK)
		rc = unquote(out->value);
	return rc;
}

static enum rc
read_all(int fd, size_t max, char **out, size_t *out_len)
{
	size_t len = 0, cap = 4096;
	char *buf = malloc(cap + 1);

	for (;;) {
		if (buf == NULL)
			return RC_NO_MEMORY;
		ssize_t n = read(fd, buf + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len + (size_t)n > max) {
			free(buf);
			return n < 0 ? RC_SYSTEM : RC_LIMIT;
		}
		len += (size_t)n;
		if (n == 0)
			break;
		if (len == cap) {
			char *bigger = realloc(buf, (cap *= 2) + 1);

			if (bigger == NULL)
				free(buf);
			buf = bigger;
		}
	}
	buf[len] = '\0';
	*out = buf;
	*out_len = len;
	return RC_OK;
}

enum rc
conf_read_file(const char *path, size_t max, char **out, size_t *out_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = NULL;
	*out_len = 0;
	if (fd < 0)
		return RC_SYSTEM;
	enum rc rc = read_all(fd, max, out, out_len);
	int saved = errno;
	close(fd);
	errno = saved;
	if (rc == RC_OK && strlen(*out) != *out_len) {
		free(*out);
		*out = NULL;
		return RC_SYNTAX;
	}
	return rc;
}
