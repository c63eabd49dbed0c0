/*
 * Strings of JSON (RFC 8259).
 */
#include "out.h"

/* The second byte says whether it is too long a form, or no character. */
static bool
is_second(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

size_t
utf8_length(const char *s, size_t left)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 :
	    c >= 0xf0 && c < 0xf5 ? 4 : 0;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	return n > 0 && is_second(c, (unsigned char)s[1]) ? n : 0;
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
		n = utf8_length(s, 4);	/* a NUL is none */
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
