/*
 * The names in pf.os.
 *
 *	16384:64:1:60:M*,N,W0,N,N,T:OpenBSD:3.0-3.9::OpenBSD 3.0-3.9
 *	window:ttl:df:size:options:class:version:subtype:description
 *
 * Names form a tree: classes, their versions, the versions' subtypes.  A
 * version or subtype "3.0-3.9" stands for all from 3.0 to 3.9 as well.  Of
 * the other fields only the form is checked, to say what pfctl would.
 *
 * A list has the name used last in front, because the search for "version
 * and subtype in one word" takes the first that fits.
 */
#include "compiler/osfp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_SIZE	32		/* of pf's fixed array */
#define MAX_TCPOPTS	21

struct os_name {
	char		 name[NAME_SIZE];
	struct os_name	*sub;		/* versions of a class, ... */
	struct os_name	*next;
};

struct osfp {
	struct os_name	*classes;
	unsigned	 count;		/* fingerprints, each of two families */
};

/* The fields of a line that have names: class, version, subtype. */
struct os_names { char field[3][NAME_SIZE]; };

/* A line while it is read. */
struct fp_line {
	struct pfk_ruleset *rs;
	const char	*path;
	unsigned	 number;
	const char	*p, *end;
	const char	*field;		/* the field taken last */
	size_t		 len;
};

/* "path:line text", as pfctl says it; returns false. */
static bool
complain(struct fp_line *l, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(&l->rs->arena, fmt, ap);
	va_end(ap);
	d = diag_add(&l->rs->diags, DIAG_WARNING, "fingerprint", "%s:%u %s",
	    l->path, l->number, text);
	d->plain = PLAIN_BARE;
	return false;
}

static bool
is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The text up to the next ':' without white space around it. */
static void
take_field(struct fp_line *l)
{
	while (l->p < l->end && is_white(*l->p))
		l->p++;
	l->field = l->p;
	while (l->p < l->end && *l->p != ':')
		l->p++;
	l->len = (size_t)(l->p - l->field);
	if (l->p < l->end)
		l->p++;
	while (l->len > 0 && is_white(l->field[l->len - 1]))
		l->len--;
}

/*
 * A number.  prefixes: which of '*' (any), 'S' (times MSS), 'T' (times MTU)
 * and '%' (modulo) may stand before it.
 */
static bool
check_number(struct fp_line *l, const char *what, const char *prefixes,
    long max)
{
	size_t i = 0;
	long value = 0;
	char c;

	take_field(l);
	if (l->len == 0)
		return complain(l, "empty %s", what);
	c = l->field[0];
	if (c == '*' || c == 'S' || c == 'T' || c == '%') {
		if ((c == 'S' || c == 'T') && l->len == 1)
			return true;
		if (c == '*' && l->len != 1)
			return complain(l, "long '%c' %s", c, what);
		if (c == '*' && strchr(prefixes, '*') != NULL)
			return true;
		if (l->len == 1)
			return complain(l, "modulus %s must have a value",
			    what);
		if (strchr(prefixes, c) == NULL)
			return complain(l, "does not allow %c' %s", c, what);
		i = 1;
	}
	for (; i < l->len; i++) {
		if (!is_digit(l->field[i]))
			return complain(l, "non-digit character in %s", what);
		value = value * 10 + (l->field[i] - '0');
		if (value > INT32_MAX)
			return complain(l, "%s overflowed", what);
	}
	if (value > max)
		return complain(l, "%s value %ld > %ld", what, value, max);
	return true;
}

static bool
check_text(struct fp_line *l, const char *what, size_t least)
{
	take_field(l);
	if (l->len < least)
		return complain(l, "too short %s", what);
	return true;
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* "M1460,N,W0,N,N,T", or "." for none. */
static bool
check_tcpopts(struct fp_line *l, const char *s, size_t len)
{
	size_t i = 0;

	if (len == 1 && *s == '.')
		return true;
	for (unsigned n = 0; i < len && n < MAX_TCPOPTS; n++) {
		char opt = upper(s[i++]);

		if (opt == 'W' || opt == 'M') {
			if (i < len && s[i] == '*' &&
			    (i + 1 == len || s[i + 1] == ','))
				i++;
			else {
				i += i < len && s[i] == '%';
				do {
					if (i == len || !is_digit(s[i]))
						return complain(l, "unknown "
						    "character '%c' in %c TCP "
						    "opt", i < len ? s[i] : 0,
						    opt);
				} while (++i < len && s[i] != ',');
			}
		} else if (opt == 'T' && i < len && s[i] == '0')
			i++;
		if (i == len)
			break;
		if (s[i++] != ',')
			return complain(l, "unknown option to %c TCP opt",
			    opt);
	}
	return true;
}

static void
copy_name(char out[NAME_SIZE], const char *s, size_t len)
{
	if (len >= NAME_SIZE)
		len = NAME_SIZE - 1;
	memset(out, 0, NAME_SIZE);
	memcpy(out, s, len);
}

/* Checks the line and takes the names out of it; false: it is skipped. */
static bool
parse_line(struct fp_line *l, struct os_names *names)
{
	static const struct { const char *what; size_t least; } fields[] = {
		{ "OS class", 1 }, { "OS version", 0 }, { "OS subtype", 0 }
	};
	const char *options;
	size_t options_len;

	if (!check_number(l, "window size", "*ST%", 0xffff) ||
	    !check_number(l, "ttl", "", 0xff) ||
	    !check_number(l, "don't fragment frag", "", 1) ||
	    !check_number(l, "overall packet size", "*%", 8192) ||
	    !check_text(l, "TCP Options", 1))
		return false;
	options = l->field;
	options_len = l->len;
	for (unsigned i = 0; i < 3; i++) {
		if (!check_text(l, fields[i].what, fields[i].least))
			return false;
		if (i == 0 && (*l->field == '@' || *l->field == '*')) {
			l->field++;
			l->len--;
		}
		copy_name(names->field[i], l->field, l->len);
	}
	if (!check_text(l, "OS description", 2) ||
	    !check_tcpopts(l, options, options_len))
		return false;
	return l->p == l->end || complain(l, "excess field");
}

/* The name of that text in the list, moved to its front, or a new one. */
static struct os_name *
enter_name(struct arena *a, struct os_name **list, const char *text)
{
	struct os_name **p, *n;

	for (p = list; (n = *p) != NULL; p = &n->next)
		if (strcasecmp(n->name, text) == 0) {
			*p = n->next;
			break;
		}
	if (n == NULL) {
		n = arena_new(a, struct os_name);
		memcpy(n->name, text, NAME_SIZE);
	}
	n->next = *list;
	*list = n;
	return n;
}

/*
 * "2-4" or "2.0-2.4": dot is the part before the dot, or -1.  False: the
 * text is no such range.
 */
static bool
parse_range(const char *s, int *dot, int *first, int *last)
{
	*dot = -1;
	if (is_digit(s[0]) && s[1] == '.') {
		*dot = s[0] - '0';
		s += 2;
	}
	if (!is_digit(*s))
		return false;
	for (*first = 0; is_digit(*s) && *first < 10; s++)
		*first = *first * 10 + (*s - '0');
	if (*s++ != '-')
		return false;
	if (*dot != -1) {
		if (s[0] - '0' != *dot || s[1] != '.')
			return false;
		s += 2;
	}
	if (!is_digit(*s))
		return false;
	for (*last = 0; is_digit(*s) && *last < 100; s++)
		*last = *last * 10 + (*s - '0');
	return *s == '\0';
}

static void add_names(struct pfk_ruleset *, const struct os_names *);

/* Adds a copy for each member of the range in the field, if it is one. */
static void
expand_range(struct pfk_ruleset *rs, const struct os_names *names, int field)
{
	struct os_names one = *names;
	int dot, first, last;

	if (!parse_range(names->field[field], &dot, &first, &last))
		return;
	for (; first <= last; first++) {
		memset(one.field[field], 0, NAME_SIZE);
		if (dot == -1)
			(void)snprintf(one.field[field], NAME_SIZE, "%d",
			    first);
		else
			(void)snprintf(one.field[field], NAME_SIZE, "%d.%d",
			    dot, first);
		add_names(rs, &one);
	}
}

static void
add_names(struct pfk_ruleset *rs, const struct os_names *names)
{
	struct os_name **list = &rs->osfp->classes;

	expand_range(rs, names, 1);
	expand_range(rs, names, 2);
	for (unsigned i = 0; i < 3 && names->field[i][0] != '\0'; i++)
		list = &enter_name(&rs->arena, list, names->field[i])->sub;
	rs->osfp->count += 2;		/* IPv4 and IPv6 */
}

void
osfp_load(struct pfk_ruleset *rs, const char *path, const char *text)
{
	struct fp_line l = { .rs = rs, .path = path };
	struct os_names names;

	rs->osfp = arena_new(&rs->arena, struct osfp);
	rs->fingerprints = text;
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		l.number++;
		l.p = text;
		l.end = text + strcspn(text, "#\n");
		text += len + (text[len] == '\n');
		while (l.p < l.end && is_white(l.end[-1]))
			l.end--;
		while (l.p < l.end && is_white(*l.p))
			l.p++;
		if (l.p < l.end && parse_line(&l, &names))
			add_names(rs, &names);
	}
	if (rs->verbose > 1)
		strbuf_printf(&rs->echo,
		    "Loaded %u passive OS fingerprints\n", rs->osfp->count);
}

void
osfp_load_host(struct pfk_ruleset *rs)
{
	const char *name, *text;

	if (rs->osfp != NULL)
		return;
	text = pfk_host_fingerprints(rs->host, &name);
	osfp_load(rs, name, text);
}

static const struct os_name *
find_name(const struct os_name *list, const char *name)
{
	for (; list != NULL; list = list->next)
		if (strcasecmp(list->name, name) == 0)
			return list;
	return NULL;
}

/* What may stand between version and subtype. */
static bool
is_connector(char c)
{
	return c == '.' || c == ' ' || c == '\t' || c == '-';
}

/* "2.2.14": the version that text begins with, and the subtype after it. */
static bool
find_subtype(const struct os_name *versions, const char *text,
    const struct os_name **version, const struct os_name **subtype)
{
	for (; versions != NULL; versions = versions->next) {
		size_t n = strlen(versions->name);

		if (strlen(text) < n + 2 || !is_connector(text[n]) ||
		    strncasecmp(text, versions->name, n) != 0)
			continue;
		*subtype = find_name(versions->sub, text + n + 1);
		if (*subtype != NULL) {
			*version = versions;
			return true;
		}
	}
	return false;
}

/* The three names joined in the way pfctl does; NULL ones are left out. */
static const char *
join(struct arena *a, const struct os_name *class,
    const struct os_name *version, const struct os_name *subtype)
{
	const char *space = " ";

	if (version == NULL)
		return arena_strdup(a, class->name);
	if (subtype == NULL)
		return arena_printf(a, "%s %s", class->name, version->name);
	if (strchr(version->name, ' ') == NULL &&
	    strchr(version->name, '.') != NULL && is_digit(*subtype->name))
		space = ".";
	return arena_printf(a, "%s %s%s%s", class->name, version->name, space,
	    subtype->name);
}

const char *
osfp_lookup(struct pfk_ruleset *rs, const char *name)
{
	const struct os_name *class, *version, *subtype = NULL;
	struct arena *a = &rs->arena;
	const char *space;

	osfp_load_host(rs);
	if (strcasecmp(name, "unknown") == 0)
		return "unknown";
	if ((class = find_name(rs->osfp->classes, name)) != NULL)
		return join(a, class, NULL, NULL);
	if ((space = strchr(name, ' ')) == NULL)
		return NULL;
	class = find_name(rs->osfp->classes,
	    arena_strndup(a, name, (size_t)(space - name)));
	if (class == NULL)
		return NULL;
	if ((version = find_name(class->sub, space + 1)) == NULL &&
	    !find_subtype(class->sub, space + 1, &version, &subtype))
		return NULL;
	return join(a, class, version, subtype);
}

const char *const *
osfp_classes(struct pfk_ruleset *rs)
{
	VEC(const char *) names = { 0 };

	osfp_load_host(rs);
	for (const struct os_name *n = rs->osfp->classes; n != NULL;
	    n = n->next)
		vec_push(&rs->arena, &names, n->name);
	vec_push(&rs->arena, &names, NULL);
	return names.v;
}
