/*
 * Addresses as ranges: networks, tables (with their exceptions), the addresses
 * of interfaces, and what only the routes know.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "addresses.h"

static unsigned
width(uint8_t af)
{
	return af == 6 ? 128 : 32;
}

static struct num
host_bits(uint8_t af, unsigned bits)
{
	unsigned n = width(af) - bits;

	if (bits >= width(af))
		return num_of(0);
	if (n == 128)
		return (struct num){ UINT64_MAX, UINT64_MAX };
	if (n > 64)
		return (struct num){ (UINT64_C(1) << (n - 64)) - 1,
		    UINT64_MAX };
	return num_of(n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1);
}

static void
add_network(struct ranges *s, uint8_t af, const uint8_t *addr, unsigned bits)
{
	struct num n = num_address(af, addr), mask = host_bits(af, bits);

	ranges_add(s, (struct num){ n.hi & ~mask.hi, n.lo & ~mask.lo },
	    (struct num){ n.hi | mask.hi, n.lo | mask.lo });
}

/* "10.0.0.0/8", "::1", "fe80::1%em0"; false: it is something else. */
static bool
parse_network(const char *word, uint8_t *af, uint8_t addr[16], unsigned *bits)
{
	char copy[64];
	size_t n = strcspn(word, "/%");
	const char *slash = strchr(word, '/');

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, word, n);
	copy[n] = '\0';
	if (inet_pton(AF_INET, copy, addr) == 1)
		*af = 4;
	else if (inet_pton(AF_INET6, copy, addr) == 1)
		*af = 6;
	else
		return false;
	*bits = slash != NULL ? (unsigned)atoi(slash + 1) : width(*af);
	return *bits <= width(*af);
}

/* ---- tables ---- */

struct table_reader {
	uint8_t		 af;
	unsigned	 bits;		/* entries of this length ... */
	bool		 neg;		/* ... and kind are added */
	struct ranges	*set;
	bool		 lengths[129], negs;
};

static bool
add_entry(void *ctx, const struct pfk_table_address *a)
{
	struct table_reader *r = ctx;

	if (a->af == r->af && a->bits == r->bits && a->neg == r->neg)
		add_network(r->set, a->af, a->addr, a->bits);
	return true;
}

static bool
add_any(void *ctx, const struct pfk_table_address *a)
{
	struct table_reader *r = ctx;

	if (a->af == r->af)
		add_network(r->set, a->af, a->addr, a->bits);
	return true;
}

static bool
note_length(void *ctx, const struct pfk_table_address *a)
{
	struct table_reader *r = ctx;

	if (a->af != r->af)
		return true;
	r->lengths[a->bits] = true;
	r->negs |= a->neg;
	return true;
}

/* From short prefixes to long ones: what is longer has the last word. */
static void
add_table(size_t table, const struct addresses *a, struct ranges *set)
{
	struct table_reader r = { .af = a->af, .set = set };
	struct num max = num_max(DIM_SRC, a->af);

	pfk_image_table_addresses(a->of->image, table, note_length, &r);
	if (!r.negs) {
		pfk_image_table_addresses(a->of->image, table, add_any, &r);
		return;
	}
	for (r.bits = 0; r.bits <= width(a->af); r.bits++) {
		if (!r.lengths[r.bits])
			continue;
		r.neg = false;
		pfk_image_table_addresses(a->of->image, table, add_entry, &r);
		r.neg = true;
		ranges_invert(set, max);
		pfk_image_table_addresses(a->of->image, table, add_entry, &r);
		ranges_invert(set, max);
	}
}

static void
table_ranges(const struct addresses *a, const char *word, struct dim_test *t)
{
	size_t len = strcspn(word + 1, ":>"), best = SIZE_MAX, n;
	struct pfk_table_origin o;

	n = pfk_image_tables(a->of->image);
	t->how = TEST_RANGES;
	for (size_t i = 0; i < n; i++) {
		pfk_image_table(a->of->image, i, &o);
		if (strlen(o.name) != len || strncmp(o.name, word + 1, len) != 0)
			continue;
		t->table = true;
		/* an anchor's own that nobody fills is the main ruleset's */
		if (o.anchor[0] != '\0' && (!o.defined || strcmp(o.anchor,
		    a->anchor) != 0))
			continue;
		if (best != SIZE_MAX && o.anchor[0] == '\0')
			continue;
		best = i;
		t->fixed = o.is_const || strncmp(o.name, "__auto", 6) == 0;
	}
	if (best != SIZE_MAX)
		add_table(best, a, &t->set);
}

/* ---- interfaces ---- */

enum part { PART_HOST, PART_NETWORK, PART_BROADCAST, PART_PEER };

static void
add_interface(const struct addresses *a, const struct pfk_interface *f,
    enum part part, bool first, int bits, struct ranges *set)
{
	for (size_t i = 0; i < f->naddrs; i++) {
		const struct pfk_ifaddr *x = &f->addrs[i];

		if (x->af != a->af || (part == PART_NETWORK && x->af == 6 &&
		    x->addr[0] == 0xfe && (x->addr[1] & 0xc0) == 0x80))
			continue;
		if (part == PART_BROADCAST && x->has_broadcast)
			add_network(set, x->af, x->broadcast, width(x->af));
		if (part == PART_PEER && x->has_peer)
			add_network(set, x->af, x->peer, width(x->af));
		if (part == PART_HOST || part == PART_NETWORK)
			add_network(set, x->af, x->addr, bits >= 0 ?
			    (unsigned)bits : part == PART_NETWORK ?
			    x->prefixlen : width(x->af));
		if (first)
			return;
	}
}

/* "(em0:network:0/24:*)" */
static void
dynamic_ranges(const struct addresses *a, const char *word, struct dim_test *t)
{
	size_t len = strcspn(word + 1, ":/)");
	const char *slash = strchr(word, '/');
	enum part part = strstr(word, ":network") != NULL ? PART_NETWORK :
	    strstr(word, ":broadcast") != NULL ? PART_BROADCAST :
	    strstr(word, ":peer") != NULL ? PART_PEER : PART_HOST;
	char name[32];

	t->how = TEST_RANGES;
	if (len >= sizeof(name))
		return;
	memcpy(name, word + 1, len);
	name[len] = '\0';
	for (size_t i = 0; i < a->of->nifs; i++) {
		const struct pfk_interface *f = &a->of->ifs[i];

		if (strcmp(name, "self") == 0 || strcmp(f->name, name) == 0 ||
		    pfk_host_in_group(f, name))
			add_interface(a, f, part, strstr(word, ":0") != NULL,
			    slash != NULL ? atoi(slash + 1) : -1, &t->set);
	}
}

/* ---- routes ---- */

/* Addresses that are looked up in another way. */
static const struct { uint8_t addr[16]; unsigned bits; } scoped[] = {
	{ { 0xfe, 0x80 }, 10 }, { { 0xff }, 8 }, { { 0xff, 0x01 }, 16 },
	{ { 0xff, 0x02 }, 16 },
};

/* Where the routes' answer may change. */
void
addresses_of_routes(const struct addresses *a, struct dim_test *t)
{
	struct ranges s = { NULL, 0 };

	t->how = TEST_CUTS;
	for (size_t i = 0; i < a->of->nroutes; i++)
		if (a->of->routes[i].af == a->af)
			add_network(&s, a->af, a->of->routes[i].dst,
			    a->of->routes[i].prefixlen);
	for (size_t i = 0; a->af == 6 && i < sizeof(scoped) /
	    sizeof(scoped[0]); i++)
		add_network(&s, 6, scoped[i].addr, scoped[i].bits);
	for (size_t i = 0; i < s.n; i++) {
		ranges_add(&t->set, s.r[i].from, s.r[i].from);
		if (num_compare(s.r[i].to, num_max(DIM_SRC, a->af)) < 0)
			ranges_add(&t->set, num_next(s.r[i].to),
			    num_next(s.r[i].to));
	}
	ranges_free(&s);
	ranges_sort(&t->set);
}

/* ---- words ---- */

void
addresses_span(const struct addresses *a, const char *from, const char *to,
    struct dim_test *t)
{
	uint8_t low[16], high[16], af, af2;
	unsigned bits;

	t->how = TEST_RANGES;
	if (parse_network(from, &af, low, &bits) && parse_network(to, &af2,
	    high, &bits) && af == af2 && af == a->af)
		ranges_add(&t->set, num_address(af, low), num_address(af,
		    high));
}

void
addresses_of(const struct addresses *a, const char *word, struct dim_test *t)
{
	uint8_t addr[16], af;
	unsigned bits;

	if (strcmp(word, "any") == 0)
		return;
	if (word[0] == '<')
		table_ranges(a, word, t);
	else if (word[0] == '(')
		dynamic_ranges(a, word, t);
	else if (parse_network(word, &af, addr, &bits)) {
		t->how = TEST_RANGES;
		if (af == a->af)
			add_network(&t->set, af, addr, bits);
	} else
		addresses_of_routes(a, t);	/* no-route, urpf-failed */
}
