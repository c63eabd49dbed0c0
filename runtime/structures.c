/*
 * Blocks and strips, told part by part, with their sizes.
 */
#include "runtime/block_index.h"
#include "runtime/block_vectors.h"
#include "runtime/strip.h"
#include "runtime/structures.h"

struct teller {
	structure_fn	 fn;
	void		*ctx;
	size_t		 all;
	size_t		 untold;	/* bytes of what is empty */
};

static void
tell(struct teller *t, const char *name, uint32_t n, const char *of,
    size_t bytes)
{
	struct structure s = { name, n, of, bytes };

	if (n == 0) {
		t->untold += bytes;
		return;
	}
	t->all += bytes;
	t->fn(t->ctx, &s);
}

/* ---- blocks ---- */

static void
tell_tables(struct teller *t, const struct block_family *f, bool six)
{
	static const char *const names[SETS][2] = {
		[SET_QUICK] = { "quick rules, inet", "quick rules, inet6" },
		[SET_LAST] = { "other rules, inet", "other rules, inet6" }
	};

	for (unsigned set = 0; set < SETS; set++)
		tell(t, names[set][six], f->sets[set].n, "hash tables",
		    f->sets[set].n * sizeof(*f->sets[set].v));
	tell(t, six ? "in these, inet6" : "in these, inet", f->nrules,
	    "rules", f->size);
}

static size_t
places_size(const struct block_index *x)
{
	return (size_t)x->nplaces * x->stride * sizeof(*x->m);
}

static void
tell_pruning(struct teller *t, const struct block_family *f, bool six)
{
	bool pruned = f->sets[SET_QUICK].words + f->sets[SET_LAST].words != 0;
	const struct block_index *x = f->index;

	tell(t, six ? "which are asked, inet6" : "which are asked, inet",
	    pruned ? x[SRC].nplaces + x[DST].nplaces : 0, "sets of tables",
	    places_size(&x[SRC]) + places_size(&x[DST]));
}

/* But for its places. */
static void
tell_index(struct teller *t, const char *name, const struct block_index *x)
{
	tell(t, name, x->n, "pieces", x->size - places_size(x));
}

static void
tell_family(struct teller *t, const struct block *b, bool six)
{
	const struct block_family *f = &b->family[six];

	tell_tables(t, f, six);
	tell_pruning(t, f, six);
	tell_index(t, six ? "sources, inet6" : "sources, inet",
	    &f->index[SRC]);
	tell_index(t, six ? "destinations, inet6" : "destinations, inet",
	    &f->index[DST]);
}

static void
tell_vectors(struct teller *t, const struct block *b)
{
	const struct block_vectors *x = b->vectors;

	if (x == NULL)
		return;
	tell(t, "rules that match", x->n, "bit vectors", x->size);
	for (unsigned side = 0; side < 2; side++) {
		const struct port_pieces *p = &x->ports[side];

		tell(t, side == SRC ? "source ports" : "destination ports",
		    p->n, "pieces", p->cappages * sizeof(*p->pages) +
		    p->n * sizeof(*p->piece));
	}
	t->untold += sizeof(*x) + 2 * bits_size(b->n) +
	    b->n * sizeof(*x->jumps);
}

size_t
block_structures(const struct block *b, structure_fn fn, void *ctx)
{
	struct teller t = { fn, ctx, 0, 0 };
	size_t n = b->n;

	tell_vectors(&t, b);
	tell_family(&t, b, false);
	tell_family(&t, b, true);
	t.untold += places_size(&b->ports[SRC]) + places_size(&b->ports[DST]);
	tell_index(&t, "source ports", &b->ports[SRC]);
	tell_index(&t, "destination ports", &b->ports[DST]);
	tell(&t, "where packets may stray", b->nids - 1, "in lists",
	    b->capids * sizeof(*b->ids));
	tell(&t, "always asked", b->nalways, "rules",
	    (n + 1) * sizeof(*b->always));
	tell(&t, "code, and the usual ways", b->n, "rules",
	    t.untold + sizeof(*b) + n * sizeof(*b->usual) +
	    (n + 1) * sizeof(*b->code) + 2 * bits_size(b->n));
	return t.all;
}

static size_t
around(const void *p, size_t size)
{
	return p == NULL ? 0 : far_size(size) - size;
}

static size_t
around_index(const struct block_index *x)
{
	return around(x->m, x->size);
}

size_t
block_around_arrays(const struct block *b)
{
	size_t all = around(b->usual, b->n * sizeof(*b->usual)) +
	    around(b->code, ((size_t)b->n + 1) * sizeof(*b->code));

	for (unsigned i = 0; i < 2; i++) {
		const struct block_family *f = &b->family[i];

		all += around(f->entries4, f->size) +
		    around(f->entries6, f->size) +
		    around_index(&f->index[SRC]) +
		    around_index(&f->index[DST]) + around_index(&b->ports[i]);
	}
	return all;
}

size_t
block_class_size(const struct block *b)
{
	const struct block_class *c = NULL;
	size_t n = (size_t)b->n + BLOCK_EXITS;

	return sizeof(*c) + n * (sizeof(*c->nodes) + sizeof(*c->steps) +
	    sizeof(*c->ends)) + 2 * bits_size(b->n);
}

uint32_t
block_rules(const struct block *b)
{
	return b->n;
}

/* ---- strips ---- */

static unsigned
count(uint64_t rows)
{
	unsigned n = 0;

	for (; rows != 0; rows &= rows - 1)
		n++;
	return n;
}

size_t
strip_structures(const struct strip *s, structure_fn fn, void *ctx)
{
	static const char *const names[ROW_FIELDS] = {
		[ROW_SRC] = "sources", [ROW_DST] = "destinations",
		[ROW_SPORT] = "source ports", [ROW_DPORT] = "destination ports"
	};
	static const size_t widths[ROW_FIELDS] = {
		[ROW_SRC] = sizeof(s->addr[0]) + sizeof(s->mask[0]),
		[ROW_DST] = sizeof(s->addr[0]) + sizeof(s->mask[0]),
		[ROW_SPORT] = sizeof(s->low[0]) + sizeof(s->high[0]),
		[ROW_DPORT] = sizeof(s->low[0]) + sizeof(s->high[0])
	};
	struct teller t = { fn, ctx, 0, 0 };
	size_t columns = 0;

	for (unsigned f = 0; f < ROW_FIELDS; f++)
		if (s->asks[f] != 0) {
			tell(&t, names[f], count(s->asks[f]), "rows",
			    widths[f]);
			columns += widths[f];
		}
	for (unsigned side = 0; side < 2; side++)
		if (s->six[side] != NULL)
			tell(&t, side == SRC ? "sources, inet6" :
			    "destinations, inet6", count(s->six[side]->rows),
			    "rows", sizeof(*s->six[side]));
	tell(&t, "where misfits lead, and room", s->n, "rows",
	    sizeof(*s) - columns);
	return t.all;
}

size_t
strip_class_size(void)
{
	return sizeof(struct strip_class);
}
