/*
 * pf.os: lines and names.
 *
 *	16384:64:1:60:M*,N,W0,N,N,T:OpenBSD:3.0-3.9::OpenBSD 3.0-3.9
 *	window:ttl:df:size:options:class:version:subtype:description
 *
 * A version or subtype "3.0-3.9" stands for each of 3.0 to 3.9, too.  Lines
 * that the compiler has complained about are passed over here.
 */
#include <string.h>
#include <strings.h>

#include "runtime/osfp.h"

#define MAX_OPTIONS	21

/* The text up to `sep`, and what follows it. */
static struct osfp_text
cut(struct osfp_text *rest, char sep)
{
	const char *end = memchr(rest->s, sep, rest->len);
	struct osfp_text field = *rest;

	if (end != NULL) {
		field.len = (size_t)(end - rest->s);
		rest->len -= field.len + 1;
		rest->s = end + 1;
	} else {
		rest->s += rest->len;
		rest->len = 0;
	}
	return field;
}

static bool
is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct osfp_text
trim(struct osfp_text t)
{
	while (t.len > 0 && is_white(t.s[0])) {
		t.s++;
		t.len--;
	}
	while (t.len > 0 && is_white(t.s[t.len - 1]))
		t.len--;
	return t;
}

/* Digits and nothing else, up to max. */
static bool
parse_digits(struct osfp_text t, uint32_t max, uint16_t *out)
{
	uint32_t v = 0;

	if (t.len == 0)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(t.s[i] - '0');
		if (v > max)
			return false;
	}
	*out = (uint16_t)v;
	return true;
}

/* A number after one of the signs allowed. */
static bool
parse_number(struct osfp_text t, const char *signs, uint32_t max,
    struct osfp_number *out)
{
	static const char all[] = " *%ST";
	const char *sign;

	*out = (struct osfp_number){ 0, OSFP_EXACT };
	if (t.len == 0)
		return false;
	sign = t.s[0] == '\0' || t.s[0] == ' ' ? NULL : strchr(all, t.s[0]);
	if (sign == NULL)
		return parse_digits(t, max, &out->value);
	if (strchr(signs, *sign) == NULL)
		return false;
	out->how = (uint8_t)(sign - all);
	t.s++;
	t.len--;
	if (out->how == OSFP_ANY)
		return t.len == 0;
	/* "S" alone is a multiple of zero: it fits nothing */
	return (t.len == 0 && out->how != OSFP_MODULO) ||
	    parse_digits(t, max, &out->value);
}

static bool
parse_option(struct osfp_text t, struct osfp_print *p)
{
	static const char letters[] = "NWMST";
	char c = t.len > 0 ? t.s[0] : '\0';
	const char *letter;
	uint64_t kind;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == '\0' || (letter = strchr(letters, c)) == NULL)
		return false;
	kind = (uint64_t)(letter - letters);
	p->options = p->options << 3 | kind;
	p->noptions++;
	t.s++;
	t.len--;
	if (kind == OSFP_WSCALE)
		return parse_number(t, "*%", UINT16_MAX, &p->wscale);
	if (kind == OSFP_MAXSEG)
		return parse_number(t, "*%", UINT16_MAX, &p->mss);
	if (kind == OSFP_TS && t.len == 1 && t.s[0] == '0') {
		p->ts0 = true;
		return true;
	}
	return t.len == 0;
}

static bool
parse_options(struct osfp_text t, struct osfp_print *p)
{
	if (t.len == 1 && t.s[0] == '.')
		return true;
	while (t.len > 0)
		if (p->noptions == MAX_OPTIONS ||
		    !parse_option(cut(&t, ','), p))
			return false;
	return p->noptions > 0;
}

bool
osfp_parse(const char *line, size_t len, struct osfp_print *p)
{
	struct osfp_text rest = { line, len };
	struct osfp_number n;
	uint16_t ttl, df;

	memset(p, 0, sizeof(*p));
	rest = trim(cut(&rest, '#'));
	if (!parse_number(trim(cut(&rest, ':')), "*%ST", UINT16_MAX,
	    &p->window) ||
	    !parse_digits(trim(cut(&rest, ':')), UINT8_MAX, &ttl) ||
	    !parse_digits(trim(cut(&rest, ':')), 1, &df) ||
	    !parse_number(trim(cut(&rest, ':')), "*%", 8192, &n) ||
	    !parse_options(trim(cut(&rest, ':')), p))
		return false;
	p->ttl = (uint8_t)ttl;
	p->df = df != 0;
	p->size = n;
	for (unsigned i = 0; i < 3; i++)
		p->name[i] = trim(cut(&rest, ':'));
	if (p->name[0].len > 0 &&
	    (p->name[0].s[0] == '@' || p->name[0].s[0] == '*')) {
		p->name[0].s++;
		p->name[0].len--;
	}
	return p->name[0].len > 0;
}

static bool
same_number(struct osfp_number a, struct osfp_number b)
{
	return a.value == b.value && a.how == b.how;
}

bool
osfp_same(const struct osfp_print *a, const struct osfp_print *b)
{
	return same_number(a->window, b->window) &&
	    same_number(a->size, b->size) && same_number(a->mss, b->mss) &&
	    same_number(a->wscale, b->wscale) && a->ttl == b->ttl &&
	    a->df == b->df && a->ts0 == b->ts0 && a->inet6 == b->inet6 &&
	    a->noptions == b->noptions && a->options == b->options;
}

/* --- names --- */

static bool
text_is(struct osfp_text t, const char *s, size_t len)
{
	return t.len == len && strncasecmp(t.s, s, len) == 0;
}

/* "3.4" or "4": the number before the dot (or -1) and the one after it. */
static bool
parse_member(const char *s, size_t len, int *dot, uint16_t *n)
{
	struct osfp_text t = { s, len };

	*dot = -1;
	if (len > 2 && s[0] >= '0' && s[0] <= '9' && s[1] == '.') {
		*dot = s[0] - '0';
		t.s += 2;
		t.len -= 2;
	}
	/* as it would be printed: no zeros in front */
	return (t.len == 1 || (t.len > 0 && t.s[0] != '0')) &&
	    parse_digits(t, 999, n);
}

/* Whether the text is the name, or in the range that the name is. */
static bool
name_fits(struct osfp_text name, const char *s, size_t len)
{
	const char *dash = memchr(name.s, '-', name.len);
	uint16_t first, last, n;
	int dot, dot_last, dot_n;

	if (text_is(name, s, len))
		return true;
	if (dash == NULL ||
	    !parse_member(name.s, (size_t)(dash - name.s), &dot, &first) ||
	    !parse_member(dash + 1, name.len - (size_t)(dash - name.s) - 1,
	    &dot_last, &last) || !parse_member(s, len, &dot_n, &n))
		return false;
	return dot == dot_last && dot == dot_n && n >= first && n <= last;
}

bool
osfp_is(const struct osfp_print *p, const char *name)
{
	size_t len = strlen(name), class = p->name[0].len;

	if (text_is(p->name[0], name, len))
		return true;
	if (len <= class || name[class] != ' ' ||
	    !text_is(p->name[0], name, class))
		return false;
	name += class + 1;
	len -= class + 1;
	if (name_fits(p->name[1], name, len))
		return true;
	for (size_t i = 1; i + 1 < len; i++)
		if ((name[i] == ' ' || name[i] == '.') &&
		    name_fits(p->name[1], name, i) &&
		    name_fits(p->name[2], name + i + 1, len - i - 1))
			return true;
	return false;
}
