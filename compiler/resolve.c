/*
 * From host specifications to addresses.
 *
 * A specification is tried as an interface or group with modifiers, then as
 * an address or network, then as a host name; the first that gives anything
 * is it.  An address of an interface, a name's address and a written one
 * all become one host_item each, in the order of the host's files.
 *
 * An IPv6 link-local address belongs to an interface.  Its item names that
 * interface, and the rule made of it will be limited to it.
 */
#include "compiler/resolve.h"

#include <stdlib.h>
#include <string.h>

#include <pfkit/host.h>

#define FULL_MASK	(-1)		/* no "/bits" was written */
#define MODE_MASK	(RULE_IF_NETWORK | RULE_IF_BROADCAST | RULE_IF_PEER)
#define MAX_LOOKUP	64		/* addresses of a name: first guess */

/* What a specification is about while it is looked up. */
struct lookup {
	struct pfk_ruleset *rs;
	const struct ast *node;
	const char	*text;
	struct host_list *list;
	unsigned	 messages;	/* queued so far */
};

/* A message that pfctl prints bare, about the whole specification. */
static struct diag *
host_message(struct lookup *l, const char *code, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = diag_vadd(&l->rs->diags, DIAG_ERROR, code, fmt, ap);
	va_end(ap);
	d->plain = PLAIN_BARE;
	d->cascade = l->messages++ > 0;
	if (l->node != NULL) {
		d->span = l->node->span;
		d->via = l->node->via;
	}
	return d;
}

/* The mask of so many bits; the address keeps only what it covers. */
static void
set_mask(struct rule_addr *addr, int bits)
{
	addr_prefix_mask(&addr->mask, bits == FULL_MASK ?
	    addr_bits(addr->af) : (unsigned)bits);
	addr_and(&addr->addr, &addr->mask);
}

static struct host_item *
add_item(struct lookup *l, uint8_t af, const uint8_t bytes[16])
{
	struct arena *a = &l->rs->scratch;
	struct host_item *item = arena_new(a, struct host_item);

	if (l->list == NULL)
		l->list = arena_new(a, struct host_list);
	if (l->list->last != NULL)
		l->list->last->next = item;
	else
		l->list->first = item;
	l->list->last = item;
	l->list->n++;
	item->af = item->addr.af = af;
	item->addr.kind = RULE_ADDR_MASK;
	memcpy(item->addr.addr.b, bytes, af == PFK_AF_INET ? 4 : 16);
	item->node = l->node;
	return item;
}

static const char *
index_name(struct pfk_ruleset *rs, unsigned index)
{
	const struct pfk_interface *all;
	size_t n;

	all = pfk_host_interfaces(rs->host, &n);
	for (size_t i = 0; i < n; i++)
		if (all[i].index == index)
			return all[i].name;
	return NULL;
}

static void
set_scope(struct pfk_ruleset *rs, struct host_item *item, uint32_t scope)
{
	item->ifindex = scope;
	item->ifname = scope != 0 ? index_name(rs, scope) : NULL;
}

/*
 * Whether the modifiers want this address.  first[] remembers which
 * families the interface has given already, for ":0".
 */
static bool
address_wanted(const struct pfk_interface *iface, const struct pfk_ifaddr *a,
    unsigned mods, bool first[2])
{
	static const uint8_t none[16];
	bool *seen = &first[a->af == PFK_AF_INET6];

	if ((mods & RULE_IF_BROADCAST) && (a->af != PFK_AF_INET ||
	    !(iface->flags & PFK_IFF_BROADCAST) ||
	    memcmp(a->broadcast, none, 4) == 0))
		return false;
	if ((mods & RULE_IF_PEER) && !(iface->flags & PFK_IFF_POINTOPOINT))
		return false;
	if ((mods & RULE_IF_NETWORK) && a->scope_id != 0)
		return false;
	if ((mods & RULE_IF_NOALIAS) && *seen)
		return false;
	*seen = true;
	return true;
}

static void
add_interface_addresses(struct lookup *l, const struct pfk_interface *iface,
    unsigned mods)
{
	bool first[2] = { false, false };

	for (size_t i = 0; i < iface->naddrs; i++) {
		const struct pfk_ifaddr *a = &iface->addrs[i];
		struct host_item *item;

		if (!address_wanted(iface, a, mods, first))
			continue;
		item = add_item(l, a->af, mods & RULE_IF_BROADCAST ?
		    a->broadcast : mods & RULE_IF_PEER ? a->peer : a->addr);
		set_mask(&item->addr, mods & RULE_IF_NETWORK ?
		    a->prefixlen : FULL_MASK);
		set_scope(l->rs, item, a->scope_id);
		item->ifa_loopback = (iface->flags & PFK_IFF_LOOPBACK) != 0;
	}
}

/* "em" stands for em0, em1 ...; a name ending in a digit for itself only. */
static bool
name_covers(const char *name, const char *ifname)
{
	size_t n = strlen(name);

	if (strcmp(name, ifname) == 0)
		return true;
	if (n == 0 || n >= RULE_IFNAMSIZ ||
	    (name[n - 1] >= '0' && name[n - 1] <= '9'))
		return false;
	return strncmp(name, ifname, n) == 0 &&
	    ifname[n] >= '0' && ifname[n] <= '9';
}

/* Addresses of a group, of "self", or of an interface, in this order. */
static void
add_named_addresses(struct lookup *l, const char *name, unsigned mods)
{
	const struct pfk_interface *all, *one;
	bool self = strcmp(name, "self") == 0;
	size_t n;

	all = pfk_host_interfaces(l->rs->host, &n);
	if (pfk_host_is_group(l->rs->host, name)) {
		for (size_t i = 0; i < n; i++)
			if (pfk_host_in_group(&all[i], name))
				add_interface_addresses(l, &all[i], mods);
		if (l->list != NULL)
			return;
	}
	if (!self && (one = pfk_host_interface(l->rs->host, name)) != NULL) {
		add_interface_addresses(l, one, mods);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (self || name_covers(name, all[i].name))
			add_interface_addresses(l, &all[i], mods);
}

struct host_list *
resolve_interface(struct pfk_ruleset *rs, const char *name, unsigned ifmods)
{
	struct lookup l = { .rs = rs, .text = name };

	add_named_addresses(&l, name, ifmods);
	return l.list;
}

const struct pfk_interface *
resolve_ifname(struct pfk_ruleset *rs, const char *name)
{
	return pfk_host_interface(rs->host, name);
}

bool
resolve_is_group(struct pfk_ruleset *rs, const char *name)
{
	return pfk_host_is_group(rs->host, name);
}

/*
 * Cuts the modifiers off the end of name; false if one is unknown, and it
 * is no interface's name then.
 */
static bool
cut_modifiers(char *name, unsigned *mods)
{
	static const struct { const char *name; unsigned bit; } words[] = {
		{ "network", RULE_IF_NETWORK },
		{ "broadcast", RULE_IF_BROADCAST },
		{ "peer", RULE_IF_PEER },
		{ "0", RULE_IF_NOALIAS },
	};
	const size_t nwords = sizeof(words) / sizeof(words[0]);
	char *colon;

	for (*mods = 0; (colon = strrchr(name, ':')) != NULL; *colon = '\0') {
		size_t i;

		for (i = 0; i < nwords; i++)
			if (strcmp(colon + 1, words[i].name) == 0)
				break;
		if (i == nwords)
			return false;
		*mods |= words[i].bit;
	}
	return true;
}

static void
try_interface(struct lookup *l, const char *text, int bits)
{
	char *name = arena_strdup(&l->rs->scratch, text);
	struct host_item *item;
	unsigned mods, mode;

	if (!cut_modifiers(name, &mods))
		return;
	mode = mods & (mods - 1) & MODE_MASK;
	if (mods != 0 && mode != 0) {
		(void)host_message(l, "interface-modifier",
		    "illegal combination of interface modifiers");
		return;
	}
	if ((mods & (RULE_IF_NETWORK | RULE_IF_BROADCAST)) && bits >= 0) {
		(void)host_message(l, "netmask", "network or broadcast "
		    "lookup, but extra netmask given");
		return;
	}
	if (!pfk_host_is_group(l->rs->host, name) &&
	    pfk_host_interface(l->rs->host, name) == NULL &&
	    strcmp(name, "self") != 0)
		return;
	add_named_addresses(l, name, mods);
	if (bits < 0 || l->list == NULL)
		return;
	for (item = l->list->first; item != NULL; item = item->next)
		set_mask(&item->addr, bits);
}

static bool
is_link_local(const struct pfk_addr *a)
{
	return (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) ||
	    (a->b[0] == 0xff && ((a->b[1] & 0x0f) == 1 ||
	    (a->b[1] & 0x0f) == 2));
}

/* The interface index after '%': a name, if link-local, or a number. */
static bool
parse_scope(struct pfk_ruleset *rs, const struct pfk_addr *addr,
    const char *s, uint32_t *scope)
{
	const struct pfk_interface *iface = pfk_host_interface(rs->host, s);
	unsigned long long value;
	char *end;

	if (iface != NULL && is_link_local(addr)) {
		*scope = iface->index;
		return true;
	}
	value = strtoull(s, &end, 10);
	*scope = (uint32_t)value;
	return *s >= '0' && *s <= '9' && *end == '\0' && value <= UINT32_MAX;
}

static bool
parse_ip6(struct pfk_ruleset *rs, const char *text, struct pfk_addr *addr,
    uint32_t *scope)
{
	char buf[PFK_ADDRSTRLEN];
	size_t n = strcspn(text, "%");

	*scope = 0;
	if (n >= sizeof(buf))
		return false;
	memcpy(buf, text, n);
	buf[n] = '\0';
	return addr_parse(buf, PFK_AF_INET6, addr) && (text[n] == '\0' ||
	    parse_scope(rs, addr, text + n + 1, scope));
}

static void
try_address(struct lookup *l, const char *text, int bits)
{
	struct host_item *item;
	struct pfk_addr addr;
	uint32_t scope = 0;
	unsigned netbits;
	uint8_t af;

	memset(&addr, 0, sizeof(addr));
	if (addr_parse(text, PFK_AF_INET, &addr))
		af = PFK_AF_INET;
	else if (parse_ip6(l->rs, text, &addr, &scope))
		af = PFK_AF_INET6;
	else if (bits >= 0 && strchr(text, '/') == NULL &&
	    addr_parse_net4(text, &addr, &netbits))	/* as in 10.1/16 */
		af = PFK_AF_INET;
	else
		return;
	item = add_item(l, af, addr.b);
	set_mask(&item->addr, bits);
	set_scope(l->rs, item, scope);
}

/* All addresses that the host knows for the name. */
static const struct pfk_hostaddr *
lookup_name(struct pfk_ruleset *rs, const char *name, size_t *n)
{
	size_t size = MAX_LOOKUP;
	struct pfk_hostaddr *v;

	for (;;) {
		v = arena_alloc(&rs->scratch, size * sizeof(*v));
		*n = pfk_host_lookup(rs->host, name, v, size);
		if (*n <= size)
			return v;
		size = *n;
	}
}

/* A host name, perhaps with ":0": the first address of each family. */
static void
try_name(struct lookup *l, const char *text, int bits)
{
	char *name = arena_strdup(&l->rs->scratch, text);
	char *colon = strrchr(name, ':');
	const struct pfk_hostaddr *v;
	bool first_only = colon != NULL && strcmp(colon, ":0") == 0;
	bool seen[2] = { false, false };
	size_t n;

	if (l->rs->opts->numeric_hosts)
		return;
	if (first_only)
		*colon = '\0';
	v = lookup_name(l->rs, name, &n);
	for (size_t i = 0; i < n; i++) {
		struct host_item *item;
		bool *s = &seen[v[i].af == PFK_AF_INET6];

		if (first_only && *s)
			continue;
		*s = true;
		item = add_item(l, v[i].af, v[i].addr);
		set_mask(&item->addr, bits);
		set_scope(l->rs, item, v[i].scope_id);
	}
}

/*
 * strtonum(3) for the bits after '/', with its words for what is wrong.
 * => *end must be the end of the text, for a number.
 */
static const char *
parse_bits(const char *s, int *bits)
{
	unsigned long long value;
	char *end;

	value = strtoull(s, &end, 10);
	if (end == s || *end != '\0')
		return "invalid";
	if (strchr(s, '-') != NULL && value != 0)
		return "too small";
	if (value > 128)
		return "too large";
	*bits = (int)value;
	return NULL;
}

/* An interface with nearly this name, for "did you mean". */
static const char *
nearly(struct pfk_ruleset *rs, const char *text)
{
	const struct pfk_interface *all;
	const char **names;
	size_t n;

	all = pfk_host_interfaces(rs->host, &n);
	names = arena_alloc(&rs->scratch, (n + 2) * sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = all[i].name;
	names[n] = "self";
	return suggest(text, names);
}

struct host_list *
resolve_host(struct pfk_ruleset *rs, const struct ast *node, const char *text)
{
	struct lookup l = { .rs = rs, .node = node, .text = text };
	char *name = arena_strdup(&rs->scratch, text);
	char *slash = strchr(name, '/');
	const char *wrong;
	int bits = FULL_MASK;

	if (slash != NULL) {
		if ((wrong = parse_bits(slash + 1, &bits)) != NULL) {
			(void)host_message(&l, "netmask", "netmask is %s: %s",
			    wrong, slash);
			return NULL;
		}
		*slash = '\0';
	}
	try_interface(&l, name, bits);
	if (l.list == NULL)
		try_address(&l, name, bits);
	if (l.list == NULL)
		try_name(&l, name, bits);
	if (l.list == NULL)
		host_message(&l, "unknown-host", "no IP address found for %s",
		    text)->suggestion = nearly(rs, name);
	return l.list;
}
