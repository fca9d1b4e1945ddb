/* decode.c: see decode.h. */
#include "abuse/mail/decode.h"

#include <string.h>

#include "abuse/mail/mail.h"
#include "abuse/mail/text.h"

struct span
decode_part(struct arena *a, GMimePart *part, size_t max, unsigned *problems)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);

	if (content == NULL)
		return span_of("", 0);
	GMimeStream *stream = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(content, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	struct span all = span_of(bytes->data, bytes->len);
	struct span out = arena_copy(a, text_sub(all, 0, max));
	if (out.len < all.len)
		*problems |= MAIL_OVER_LIMIT;
	g_object_unref(stream);
	return out;
}

/* Charsets whose text is plain ASCII bytes with shifts: valid UTF-8 says nothing there. */
static bool
is_shifting(const char *charset)
{
	static const char *const prefixes[] = { "utf-7", "utf7", "iso-2022", "hz", "utf-16",
		"utf16", "utf-32", "utf32", "ucs-", "csiso2022" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (text_starts_ci(span_of_str(charset), prefixes[i]))
			return true;
	return false;
}

static bool
convert(struct arena *a, struct span raw, const char *charset, struct span *out)
{
	gsize len = 0;

	/* Names come from the mail: only what a charset's name is made of goes to iconv. */
	if (charset == NULL || strlen(charset) > 40 ||
	    strspn(charset, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") !=
		strlen(charset))
		return false;
	gchar *utf8 = g_convert((const char *)raw.data, (gssize)raw.len, "UTF-8",
	    g_mime_charset_iconv_name(charset), NULL, &len, NULL);
	if (utf8 == NULL)
		return false;
	*out = arena_copy(a, span_of(utf8, len));
	g_free(utf8);
	return true;
}

struct span
decode_charset(struct arena *a, struct span raw, const char *charset)
{
	struct span out;

	if (raw.len == 0)
		return raw;
	if (charset != NULL && is_shifting(charset) && convert(a, raw, charset, &out))
		return out;
	if (g_utf8_validate_len((const char *)raw.data, raw.len, NULL))
		return raw;
	if (convert(a, raw, charset, &out) || convert(a, raw, "windows-1252", &out) ||
	    convert(a, raw, "iso-8859-1", &out))
		return out;
	return raw;
}
