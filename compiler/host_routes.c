/*
 * Routes, from what `netstat -rn` printed on OpenBSD, FreeBSD or macOS:
 *
 *	Internet:
 *	Destination   Gateway      Flags  Refs  Use  Mtu  Prio Iface
 *	default       203.0.113.1  UGS       5    0    -     8 em0   "label"
 *	10.2.0/24     10.2.0.1     UCn       0    0    -     4 em1
 *
 * The heading tells which column names the interface.  A route label, which
 * OpenBSD adds with -v, is the quoted last field.  Networks are shortened in
 * the BSD way: "10.2.0/24", "127", "169.254", "default".  Tables other than
 * the first follow after a heading "rtable 1", which `pfkit snapshot` writes,
 * or "Routing tables (fib: 1)".
 */
#include "compiler/host_impl.h"

#include <string.h>

#define MAX_FIELDS	32

struct reading {
	struct pfk_host	*host;
	VEC(struct pfk_route) routes;
	uint8_t		 af;		/* of this part; 0: not one of ours */
	size_t		 ifcol, flagcol; /* columns; 0: no heading yet */
	unsigned	 rtable;
};

static bool
parse_heading(struct reading *r, char **f, size_t n)
{
	uint32_t number;

	if (n == 2 && strcmp(f[0], "rtable") == 0) {
		if (parse_number(f[1], UINT8_MAX, &number)) {
			r->rtable = number;
			pfk_host_add_rtable(r->host, number);
		}
		return true;
	}
	if (strcmp(f[0], "Routing") == 0) {
		if (n == 4 && strcmp(f[2], "(fib:") == 0) {
			f[3][strcspn(f[3], ")")] = '\0';
			if (parse_number(f[3], UINT8_MAX, &number)) {
				r->rtable = number;
				pfk_host_add_rtable(r->host, number);
			}
		}
		return true;
	}
	if (strcmp(f[0], "Destination") == 0) {
		r->ifcol = r->flagcol = 0;
		for (size_t i = 1; i < n; i++) {
			if (strcmp(f[i], "Flags") == 0)
				r->flagcol = i;
			if (strcmp(f[i], "Iface") == 0 ||
			    strcmp(f[i], "Netif") == 0)
				r->ifcol = i;
		}
		return true;
	}
	if (n == 1 && f[0][strlen(f[0]) - 1] == ':') {
		r->af = strcmp(f[0], "Internet:") == 0 ? PFK_AF_INET :
		    strcmp(f[0], "Internet6:") == 0 ? PFK_AF_INET6 : 0;
		r->ifcol = 0;
		return true;
	}
	return false;
}

/* "10.2.0", "127": bytes as far as they are written. */
static bool
parse_short4(const char *s, uint8_t addr[16], unsigned *octets)
{
	unsigned n = 0, value, digits;

	memset(addr, 0, 16);
	do {
		for (value = digits = 0; *s >= '0' && *s <= '9'; s++) {
			value = value * 10 + (unsigned)(*s - '0');
			if (++digits > 3)
				return false;
		}
		if (digits == 0 || value > 255 || n == 4)
			return false;
		addr[n++] = (uint8_t)value;
	} while (*s++ == '.');
	*octets = n;
	return s[-1] == '\0';
}

static bool
parse_destination(uint8_t af, char *s, struct pfk_route *rt)
{
	unsigned full = af == PFK_AF_INET ? 32 : 128, octets = 4;
	uint32_t bits = full, ignored;
	char *slash = strchr(s, '/'), *percent;
	uint8_t got;

	if (strcmp(s, "default") == 0)
		return true;		/* all zero */
	if (slash != NULL) {
		*slash = '\0';
		if (!parse_number(slash + 1, full, &bits))
			return false;
	}
	if ((percent = strchr(s, '%')) != NULL)
		*percent = '\0';
	if (af == PFK_AF_INET) {
		if (!parse_short4(s, rt->dst, &octets))
			return false;
	} else if (!parse_address(s, &got, rt->dst, NULL, &ignored) ||
	    got != af)
		return false;
	rt->prefixlen = (uint8_t)(slash == NULL && octets < 4 ? octets * 8 :
	    bits);
	return true;
}

static void
parse_gateway(uint8_t af, char *s, const char *flags, struct pfk_route *rt)
{
	uint8_t got, addr[16];
	uint32_t ignored;

	if (strchr(flags, 'G') == NULL)
		return;
	if (parse_address(s, &got, addr, NULL, &ignored) && got == af) {
		rt->has_gateway = 1;
		memcpy(rt->gateway, addr, 16);
	}
}

static const char *
parse_label(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	if (n < 3 || s[0] != '"' || s[n - 1] != '"')
		return NULL;
	return arena_strndup(a, s + 1, n - 2);
}

static int
parse_route(struct reading *r, struct lines *l, char **f, size_t n,
    char *errbuf)
{
	struct arena *a = &r->host->arena;
	struct pfk_route rt;
	const char *flags;

	if (n <= r->ifcol || n <= r->flagcol)
		return line_error(l, errbuf, "too few columns for a route");
	memset(&rt, 0, sizeof(rt));
	rt.af = r->af;
	rt.rtable = r->rtable;
	if (!parse_destination(r->af, f[0], &rt))
		return line_error(l, errbuf, "'%s' is no destination", f[0]);
	flags = f[r->flagcol];
	if (strchr(flags, 'U') == NULL)
		return 0;
	parse_gateway(r->af, f[1], flags, &rt);
	rt.flags = (strchr(flags, 'B') != NULL ? PFK_RTF_BLACKHOLE : 0) |
	    (strchr(flags, 'R') != NULL ? PFK_RTF_REJECT : 0);
	rt.ifname = arena_strdup(a, f[r->ifcol]);
	rt.label = parse_label(a, f[n - 1]);
	vec_push(a, &r->routes, rt);
	return 0;
}

/*
 * "link#1" is a gateway, so '#' starts no comment here; and a label may hold
 * no white space, so fields are words.
 */
static size_t
split_route(char *line, char **fields, size_t max)
{
	static const char white[] = " \t";
	size_t n = 0;

	for (line += strspn(line, white); *line != '\0' && n < max;
	    line += strspn(line, white)) {
		fields[n++] = line;
		line += strcspn(line, white);
		if (*line != '\0')
			*line++ = '\0';
	}
	return n;
}

int
host_parse_routes(struct pfk_host *h, struct lines *l, char *errbuf)
{
	struct reading r = { .host = h };
	char *line, *fields[MAX_FIELDS];

	while ((line = next_line(l)) != NULL) {
		size_t n = split_route(line, fields, MAX_FIELDS);

		if (n == 0 || parse_heading(&r, fields, n) || r.af == 0 ||
		    r.ifcol == 0)
			continue;
		if (parse_route(&r, l, fields, n, errbuf) == -1)
			return -1;
	}
	h->routes = r.routes.v;
	h->nroutes = r.routes.n;
	return 0;
}
