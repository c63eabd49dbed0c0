/*
 * Removing rules that another rule of the superblock covers.
 *
 * A rule covers another if it is the same but for fields that it leaves open
 * (interface, direction, protocol, flags, ports, family, addresses) or for
 * wider networks.  pfctl walks over all pairs and drops what is covered.
 * Since covering is an order, what it leaves are the rules that nothing else
 * covers, and of equal ones the first.
 *
 * Finding a rule that covers a given one is a search by shape (as packet
 * classifiers do, "tuple space search"): a shape says which fields a rule
 * leaves open and how long its networks are.  There are few shapes in a
 * ruleset; for each there is exactly one possible rule that would cover ours,
 * and one look into a hash table says whether it exists.
 */
#include <string.h>

#include <pfkit/origin.h>

#include "compiler/optimize_int.h"

/* Everything that two rules of a superblock can differ in, by number. */
struct tuple {
	uint32_t rest, ifname, src_port, dst_port;
	uint32_t src, dst;
	uint8_t direction, proto, flags, flagset, af, pad[3];
};

enum open_field { OPEN_IFNAME = 1, OPEN_SRC_PORT = 2, OPEN_DST_PORT = 4,
    OPEN_DIRECTION = 8, OPEN_PROTO = 16, OPEN_FLAGS = 32, OPEN_AF = 64 };

struct shape {
	uint8_t open;			/* enum open_field bits */
	uint8_t src_len, dst_len;	/* as in struct opt_addr */
};

/* Which network of each length covers an address; looked up when needed. */
struct wider {
	const struct opt_addr *addr;
	const struct rule_peer_addr *peer;
	uint32_t id[129];
	bool known[129];
};

static struct tuple
tuple_of(const struct opt_rule *p)
{
	struct tuple t;

	memset(&t, 0, sizeof(t));
	t.rest = p->rest;
	t.ifname = p->ifname;
	t.src_port = p->src_port;
	t.dst_port = p->dst_port;
	t.src = p->src.id;
	t.dst = p->dst.id;
	t.direction = p->rule->direction;
	t.proto = p->rule->proto;
	t.flags = p->rule->flags;
	t.flagset = p->rule->flagset;
	t.af = p->rule->af;
	return t;
}

static struct shape
shape_of(const struct opt_rule *p)
{
	const struct rule *r = p->rule;
	unsigned open = 0;

	open |= p->ifname == 0 ? OPEN_IFNAME : 0;
	open |= p->src_port == 0 ? OPEN_SRC_PORT : 0;
	open |= p->dst_port == 0 ? OPEN_DST_PORT : 0;
	open |= r->direction == 0 ? OPEN_DIRECTION : 0;
	open |= r->proto == 0 ? OPEN_PROTO : 0;
	open |= r->flags == 0 && r->flagset == 0 ? OPEN_FLAGS : 0;
	open |= r->af == 0 ? OPEN_AF : 0;
	return (struct shape){ (uint8_t)open, p->src.len, p->dst.len };
}

static void
open_fields(struct tuple *t, unsigned open)
{
	if (open & OPEN_IFNAME)
		t->ifname = 0;
	if (open & OPEN_SRC_PORT)
		t->src_port = 0;
	if (open & OPEN_DST_PORT)
		t->dst_port = 0;
	if (open & OPEN_DIRECTION)
		t->direction = 0;
	if (open & OPEN_PROTO)
		t->proto = 0;
	if (open & OPEN_FLAGS)
		t->flags = t->flagset = 0;
	if (open & OPEN_AF)
		t->af = 0;
}

static void
wider_init(struct wider *w, const struct opt_addr *a,
    const struct rule_peer_addr *peer)
{
	memset(w->known, 0, sizeof(w->known));
	w->addr = a;
	w->peer = peer;
}

/*
 * The number of the address of this length that covers w's; 0: none.  An
 * address that is no network is covered by `any` alone, and not if negated.
 */
static uint32_t
wider_find(struct optimizer *o, struct wider *w, uint8_t len)
{
	static const struct rule_addr any;

	if (len == w->addr->len)
		return w->addr->id;
	if (len == OPT_LEN_EXACT || len > w->addr->len)
		return 0;
	if (!w->addr->network && (len != 0 || w->peer->neg))
		return 0;
	if (!w->known[len]) {
		w->id[len] = opt_find_network(o,
		    w->addr->network ? &w->peer->addr : &any, len);
		w->known[len] = true;
	}
	return w->id[len];
}

/* The number of a rule that covers it, or 0. */
static uint32_t
covered_by(struct optimizer *o, const struct opt_rule *p, uint32_t self)
{
	const struct intern_entry *e = o->shapes.entries.v;
	struct shape mine = shape_of(p), s;
	struct wider src, dst;
	struct tuple t;
	uint32_t found;

	wider_init(&src, &p->src, &p->rule->src);
	wider_init(&dst, &p->dst, &p->rule->dst);
	for (size_t i = 0; i < o->shapes.entries.n; i++) {
		memcpy(&s, o->shapes.bytes.s + e[i].off, sizeof(s));
		if ((s.open & mine.open) != mine.open)
			continue;
		t = tuple_of(p);
		open_fields(&t, s.open);
		t.src = wider_find(o, &src, s.src_len);
		t.dst = t.src != 0 ? wider_find(o, &dst, s.dst_len) : 0;
		if (t.dst == 0)
			continue;
		found = intern_find(&o->tuples, &t, sizeof(t));
		if (found != 0 && found != self)
			return found;
	}
	return 0;
}

/* Duplicates go: what is left are the tuples, in order. */
static void
remove_equal(struct optimizer *o)
{
	VEC(struct rule *) first = { NULL, 0, 0 };
	struct opt_rule *p;
	struct shape s;
	struct tuple t;
	uint32_t id;

	for (p = o->rules; p < o->rules + o->n; p++) {
		t = tuple_of(p);
		s = shape_of(p);
		id = intern_add(&o->tuples, &t, sizeof(t));
		p->gone = id <= first.n;
		if (p->gone)
			rule_stands_for(first.v[id - 1], p->rule,
			    PFK_ORIGIN_COVERED);
		else
			vec_push(o->arena, &first, p->rule);
		(void)intern_add(&o->shapes, &s, sizeof(s));
	}
	opt_squeeze(o);
}

/* A rule that is gone is told with the one that, in the end, covers it. */
static void
note_covered(struct optimizer *o, const uint32_t *by, uint32_t i)
{
	uint32_t j = i;

	while (by[j] != 0)
		j = by[j] - 1;
	rule_stands_for(o->rules[j].rule, o->rules[i].rule,
	    PFK_ORIGIN_COVERED);
}

void
opt_remove_covered(struct optimizer *o)
{
	uint32_t *by;

	intern_reset(&o->tuples);
	intern_reset(&o->shapes);
	remove_equal(o);
	by = arena_alloc(o->arena, o->n * sizeof(*by));
	for (uint32_t i = 0; i < o->n; i++) {
		by[i] = covered_by(o, &o->rules[i], i + 1);
		o->rules[i].gone = by[i] != 0;
	}
	for (uint32_t i = 0; i < o->n; i++)
		if (by[i] != 0)
			note_covered(o, by, i);
	opt_squeeze(o);
}
