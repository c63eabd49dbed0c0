/*
 * Interfaces, from what `ifconfig -A` (OpenBSD) or `ifconfig -a` (FreeBSD,
 * macOS) printed:
 *
 *	em0: flags=8843<UP,BROADCAST,...> rdomain 1 mtu 1500
 *		index 4 priority 0 llprio 3
 *		groups: em egress
 *		inet 203.0.113.5 netmask 0xffffff00 broadcast 203.0.113.255
 *		inet6 fe80::1%em0 prefixlen 64 scopeid 0x4
 *	tun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1500
 *		inet 172.16.23.1 --> 172.16.23.2 netmask 0xffffffff
 *
 * A line that starts in the first column opens an interface; of the indented
 * ones only those are looked at that say something pf.conf can mean.  Order
 * is kept: it is the order in which an interface name expands.
 */
#include "compiler/host_impl.h"

#include <string.h>

#define MAX_FIELDS	64

/* An interface while its lines are read. */
struct reading {
	struct arena	*arena;
	struct pfk_interface iface;
	VEC(const char *) groups;
	VEC(struct pfk_ifaddr) addrs;
	bool		 open;		/* an interface was opened */
};

typedef VEC(struct pfk_interface) interface_vec;

/* Closes the interface being read, and appends it. */
static void
close_interface(struct reading *r, interface_vec *all)
{
	struct pfk_interface *i = &r->iface;

	if (!r->open)
		return;
	r->open = false;
	vec_push(r->arena, &r->groups, NULL);
	i->groups = r->groups.v;
	i->addrs = r->addrs.v;
	i->naddrs = r->addrs.n;
	if (i->index == 0)
		i->index = (unsigned)all->n + 1;
	for (size_t k = 0; k < r->addrs.n; k++) {
		struct pfk_ifaddr *a = &r->addrs.v[k];

		if (a->scope_id == UINT32_MAX)	/* written as %name only */
			a->scope_id = i->index;
	}
	vec_push(r->arena, all, *i);
}

/* "flags=8843<UP,BROADCAST>" */
static unsigned
parse_flags(char *s)
{
	static const struct { const char *name; unsigned flag; } names[] = {
		{ "UP", PFK_IFF_UP }, { "BROADCAST", PFK_IFF_BROADCAST },
		{ "LOOPBACK", PFK_IFF_LOOPBACK },
		{ "POINTOPOINT", PFK_IFF_POINTOPOINT },
	};
	unsigned flags = 0;
	char *p = strchr(s, '<');

	while (p != NULL && *p != '>' && *p != '\0') {
		size_t n = strcspn(++p, ",>");

		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strlen(names[i].name) == n &&
			    strncmp(names[i].name, p, n) == 0)
				flags |= names[i].flag;
		p += n;
	}
	return flags;
}

/* The number after the word, if both are there. */
static bool
number_after(char **fields, size_t n, const char *word, uint32_t *number)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (strcmp(fields[i], word) == 0)
			return parse_number(fields[i + 1], UINT32_MAX, number);
	return false;
}

static int
open_interface(struct reading *r, struct lines *l, char **fields, size_t n,
    char *errbuf)
{
	size_t len = strlen(fields[0]);
	uint32_t number;

	if (len < 2 || fields[0][len - 1] != ':')
		return line_error(l, errbuf, "expected an interface name and "
		    "':', found '%s'", fields[0]);
	memset(&r->iface, 0, sizeof(r->iface));
	memset(&r->groups, 0, sizeof(r->groups));
	memset(&r->addrs, 0, sizeof(r->addrs));
	r->open = true;
	r->iface.name = arena_strndup(r->arena, fields[0], len - 1);
	if (n > 1 && strncmp(fields[1], "flags=", 6) == 0)
		r->iface.flags = parse_flags(fields[1]);
	if (number_after(fields, n, "rdomain", &number))
		r->iface.rdomain = number;
	if (number_after(fields, n, "mtu", &number))
		r->iface.mtu = number;
	return 0;
}

/* Bits of "0xffffff00" or "255.255.255.0"; 33 if it is neither. */
static unsigned
netmask_bits(const char *s)
{
	struct pfk_addr a;
	uint32_t mask;

	memset(&a, 0, sizeof(a));
	if (parse_number(s, UINT32_MAX, &mask)) {
		for (unsigned i = 0; i < 4; i++)
			a.b[i] = (uint8_t)(mask >> (24 - 8 * i));
	} else if (!addr_parse(s, PFK_AF_INET, &a))
		return 33;
	memset(a.b + 4, 0, 12);
	return addr_mask_bits(&a);
}

/* One "word value" pair after an address; unknown words are passed over. */
static bool
parse_attribute(struct pfk_ifaddr *a, const char *word, const char *value)
{
	uint32_t number, ignored;
	uint8_t af;

	if (strcmp(word, "netmask") == 0) {
		a->prefixlen = (uint8_t)netmask_bits(value);
		return a->prefixlen <= 32;
	}
	if (strcmp(word, "prefixlen") == 0) {
		if (!parse_number(value, 128, &number))
			return false;
		a->prefixlen = (uint8_t)number;
	} else if (strcmp(word, "scopeid") == 0) {
		if (!parse_number(value, UINT32_MAX, &number))
			return false;
		a->scope_id = number;
	} else if (strcmp(word, "broadcast") == 0) {
		a->has_broadcast = 1;
		return parse_address(value, &af, a->broadcast, NULL,
		    &ignored) && af == a->af;
	} else if (strcmp(word, "-->") == 0 || strcmp(word, "->") == 0) {
		a->has_peer = 1;
		return parse_address(value, &af, a->peer, NULL, &ignored) &&
		    af == a->af;
	}
	return true;
}

static int
add_address(struct reading *r, struct lines *l, char **fields, size_t n,
    char *errbuf)
{
	uint8_t want = strcmp(fields[0], "inet") == 0 ? PFK_AF_INET :
	    PFK_AF_INET6;
	const char *scope;
	struct pfk_ifaddr a;
	uint32_t bits, embedded = 0;
	char *slash;

	memset(&a, 0, sizeof(a));
	if (n < 2)
		return line_error(l, errbuf, "no address after '%s'",
		    fields[0]);
	bits = want == PFK_AF_INET ? 32 : 128;
	if ((slash = strchr(fields[1], '/')) != NULL) {
		*slash = '\0';
		if (!parse_number(slash + 1, bits, &bits))
			return line_error(l, errbuf, "'%s' is no prefix "
			    "length", slash + 1);
	}
	if (!parse_address(fields[1], &a.af, a.addr, &scope, &embedded) ||
	    a.af != want)
		return line_error(l, errbuf, "'%s' is no %s address",
		    fields[1], want == PFK_AF_INET ? "IPv4" : "IPv6");
	a.prefixlen = (uint8_t)bits;
	if (scope != NULL)
		a.scope_id = UINT32_MAX;	/* see close_interface() */
	if (embedded != 0)
		a.scope_id = embedded;
	for (size_t i = 2; i + 1 < n; i++)
		if (!parse_attribute(&a, fields[i], fields[i + 1]))
			return line_error(l, errbuf, "cannot read '%s' after "
			    "'%s'", fields[i + 1], fields[i]);
	vec_push(r->arena, &r->addrs, a);
	return 0;
}

/* An indented line of the interface that is open. */
static int
interface_line(struct reading *r, struct lines *l, char **fields, size_t n,
    char *errbuf)
{
	uint32_t number;

	if (strcmp(fields[0], "inet") == 0 || strcmp(fields[0], "inet6") == 0)
		return add_address(r, l, fields, n, errbuf);
	if (strcmp(fields[0], "groups:") == 0)
		for (size_t i = 1; i < n; i++)
			vec_push(r->arena, &r->groups,
			    arena_strdup(r->arena, fields[i]));
	else if (strcmp(fields[0], "index") == 0 &&
	    number_after(fields, n, "index", &number))
		r->iface.index = number;
	else if (strcmp(fields[0], "fib:") == 0 &&
	    number_after(fields, n, "fib:", &number))
		r->iface.rdomain = number;
	return 0;
}

int
host_parse_interfaces(struct pfk_host *h, struct lines *l, char *errbuf)
{
	struct reading r = { .arena = &h->arena };
	interface_vec all = { 0 };
	char *line;

	while ((line = next_line(l)) != NULL) {
		bool inner = *line == '\t' || *line == ' ';
		char *fields[MAX_FIELDS];
		size_t n = split_fields(line, fields, MAX_FIELDS);
		int error = 0;

		if (n == 0)
			continue;
		if (!inner) {
			close_interface(&r, &all);
			error = open_interface(&r, l, fields, n, errbuf);
		} else if (r.open)
			error = interface_line(&r, l, fields, n, errbuf);
		if (error != 0)
			return error;
	}
	close_interface(&r, &all);
	host_set_interfaces(h, all.v, all.n);
	return 0;
}
