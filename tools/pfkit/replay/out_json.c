/*
 * Strings of JSON (RFC 8259).
 */
#include "out.h"

/*
 * Bytes of a UTF-8 character that is not ASCII, or 0 if it is none: a ruleset
 * may be in any encoding, JSON may not.
 */
static size_t
utf8_length(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 :
	    c >= 0xf0 && c < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* One character as it stands in a string; returns its bytes. */
static size_t
json_char(struct out *out, const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n;

	if (c < 0x20) {
		out_printf(out, "\\u%04x", (unsigned)c);
		return 1;
	}
	if (c >= 0x80) {
		n = utf8_length(s);
		out_bytes(out, n > 0 ? s : "\xef\xbf\xbd", n > 0 ? n : 3);
		return n > 0 ? n : 1;
	}
	if (c == '"' || c == '\\')
		out_char(out, '\\');
	out_char(out, *s);
	return 1;
}

void
out_json_text(struct out *out, const char *s)
{
	while (*s != '\0')
		s += json_char(out, s);
}

void
out_json_string(struct out *out, const char *s)
{
	out_char(out, '"');
	out_json_text(out, s);
	out_char(out, '"');
}
