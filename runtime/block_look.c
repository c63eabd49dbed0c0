/*
 * Looking up packets in a block, several at a time: each step is a loop over
 * all of them that fetches what the next step will read, so that packets wait
 * for memory together.
 *
 *	begin		the class; where the index of both addresses begins
 *	descend		nodes of the index
 *	know		the pieces of both addresses: lists of rules that may
 *			lead elsewhere, and sets of tables worth asking
 *	ask		a few of the tables that both sets have: buckets,
 *			entries, and again, as long as a table can have a better
 *			rule than the best so far
 *
 * Of quick rules the first that matches decides; tables are asked in the order
 * of their first rule and no further than the best answer so far.  Of others
 * it is the last before that one: they are ranked from the end.
 *
 * Rules that ask for more than tables know are asked then and there, if there
 * is somebody to ask (struct block_help); ahead of time there is not, and the
 * packet is looked up again when its turn has come.
 */
#include "base/prefetch.h"
#include "runtime/block_index.h"
#include "runtime/block_look.h"
#include "runtime/lane.h"

#define PROBES		4	/* tables asked at a time ... */
#define MANY_RULES	4096u	/* ... of blocks that the cache does not hold */

struct probe {
	const uint32_t	*bucket;
	uint32_t	 tag;
	uint32_t	 entry;		/* + 1 */
};

struct look {
	const struct strip_ask *q;
	struct block_found *r;
	struct block_key k;
	struct value	 a[2];
	const struct known *known[2];
	uint32_t	 at[2];		/* place in the index */
	const uint32_t	*cell[2];	/* where the next one stands */
	bool		 icmp, open;
	unsigned	 nprobes;
	uint32_t	 table, best;	/* rank */
	struct table_set left;
	struct probe	 probe[PROBES];
};

/* What is alike for all of them. */
struct looking {
	struct pfk_engine *e;
	struct block	*b;
	const struct block_family *f;
	const struct block_help *h;	/* or NULL */
	struct look	*v;
	size_t		 n;
	unsigned	 probes;	/* at a time */
};

static const struct known nothing_known;

/* ---- begin ---- */

static ALWAYS_INLINE void
set_key(struct look *l, bool six)
{
	const struct strip_ask *q = l->q;

	l->k.port[SRC] = q->port[SRC];
	l->k.port[DST] = q->port[DST];
	if (!six) {
		l->a[SRC].w[0] = (uint64_t)get32(q->addr[SRC]) << 32;
		l->a[DST].w[0] = (uint64_t)get32(q->addr[DST]) << 32;
		l->k.w[0] = l->a[SRC].w[0] | l->a[DST].w[0] >> 32;
		return;
	}
	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; i < 2; i++)
			l->k.w[2 * side + i] = l->a[side].w[i] =
			    get64(q->addr[side] + 8 * i);
}

static ALWAYS_INLINE bool
begin(const struct looking *g, struct look *l, bool six)
{
	const struct block_index *x = g->f->index;

	l->icmp = is_icmp(l->q->head.proto);
	l->r->class = block_class(g->e, g->b, &l->q->head);
	l->r->sure = true;
	l->r->quick = l->r->last = g->b->n;
	set_key(l, six);
	l->at[SRC] = x[SRC].root;
	l->at[DST] = x[DST].root;
	return (l->at[SRC] | l->at[DST]) & INDEX_INNER;
}

/* ---- descend ---- */

static ALWAYS_INLINE void
fetch_piece(const struct block_index *x, uint32_t at, bool six)
{
	if (six) {
		PREFETCH(&x->v6[at]);
		PREFETCH(&x->v6[at + 2]);
	} else
		PREFETCH(&x->v4[at]);
}

/* One node further: where it stands what comes next. */
static ALWAYS_INLINE void
step_begins(const struct looking *g, struct look *l, unsigned side, bool six)
{
	const struct block_index *x = &g->f->index[side];

	l->cell[side] = NULL;
	if (!(l->at[side] & INDEX_INNER))
		return;
	l->cell[side] = index_step(x, &l->a[side], &l->at[side]);
	if (l->cell[side] != NULL)
		PREFETCH(l->cell[side]);
	else
		fetch_piece(x, l->at[side], six);
}

static ALWAYS_INLINE bool
step_ends(const struct looking *g, struct look *l, unsigned side, bool six)
{
	const struct block_index *x = &g->f->index[side];

	if (l->cell[side] == NULL)
		return false;
	l->at[side] = *l->cell[side];
	if (l->at[side] & INDEX_INNER)
		PREFETCH(&x->nodes[l->at[side] & ~INDEX_INNER]);
	else
		fetch_piece(x, l->at[side], six);
	return l->at[side] & INDEX_INNER;
}

static ALWAYS_INLINE void
descend(const struct looking *g, bool six)
{
	bool more;

	do {
		more = false;
		for (size_t i = 0; i < g->n; i++) {
			step_begins(g, &g->v[i], SRC, six);
			step_begins(g, &g->v[i], DST, six);
		}
		for (size_t i = 0; i < g->n; i++) {
			more |= step_ends(g, &g->v[i], SRC, six);
			more |= step_ends(g, &g->v[i], DST, six);
		}
	} while (more);
}

/* ---- know ---- */

static ALWAYS_INLINE const struct known *
side_known(const struct looking *g, const struct look *l, unsigned side,
    bool six)
{
	const struct block_index *x = &g->f->index[side];

	if (x->n == 0)
		return &nothing_known;
	return six ? index_known6(x, &l->a[side], l->at[side]) :
	    index_known4(x, (uint32_t)(l->a[side].w[0] >> 32), l->at[side]);
}

static uint32_t
port_list(const struct block_index *x, uint16_t port)
{
	struct value v = port_value(port);
	uint32_t at = x->root;
	const uint32_t *cell;

	if (x->n == 0)
		return 0;
	while ((at & INDEX_INNER) && (cell = index_step(x, &v, &at)) != NULL)
		at = *cell;
	return index_known4(x, (uint32_t)(v.w[0] >> 32), at)->list;
}

static inline const struct table_set *
known_set(const struct looking *g, const struct look *l, unsigned side,
    unsigned kind)
{
	return &g->f->known[side][kind].v[l->known[side]->set[kind]];
}

static ALWAYS_INLINE void
know(const struct looking *g, struct look *l, bool six)
{
	for (unsigned side = 0; side < 2; side++) {
		l->known[side] = side_known(g, l, side, six);
		l->r->list[side] = l->known[side]->list;
		l->r->list[2 + side] = port_list(&g->b->ports[side],
		    l->k.port[side]);
		if (g->f->sets[SET_QUICK].pruned)
			PREFETCH(known_set(g, l, side, SET_QUICK));
	}
}

/* ---- ask ---- */

/* The next table to be asked, at l->table or behind it; or n. */
static inline uint32_t
next_table(struct look *l, uint32_t n)
{
	for (uint32_t i = l->table / 64; i < PRUNE_TABLES / 64; i++) {
		uint64_t left = l->left.w[i];

		if (left != 0) {
			l->left.w[i] = left & (left - 1);
			l->table = i * 64;
			return i * 64 + strip_lowest(left);
		}
	}
	if (l->table < PRUNE_TABLES)
		l->table = PRUNE_TABLES;
	return l->table < n ? l->table++ : n;
}

static inline void
open_tables(const struct looking *g, struct look *l, unsigned kind)
{
	const struct tuples *s = &g->f->sets[kind];
	const struct table_set *src, *dst;

	l->best = g->b->n;
	l->table = 0;
	l->open = s->n > 0 && l->r->class != NULL;
	if (!s->pruned) {
		memset(&l->left, 0xff, sizeof(l->left));
		return;
	}
	src = known_set(g, l, SRC, kind);
	dst = known_set(g, l, DST, kind);
	for (unsigned i = 0; i < PRUNE_TABLES / 64; i++)
		l->left.w[i] = src->w[i] & dst->w[i];
}

/* The next few tables that may have a better rule. */
static ALWAYS_INLINE void
fetch_buckets(const struct looking *g, struct look *l, const struct tuples *s,
    bool six)
{
	unsigned n;

	for (n = 0; n < g->probes; n++) {
		uint32_t i = next_table(l, s->n);
		const struct tuple *t = &s->v[i];
		uint64_t hash;

		if (i >= s->n || t->best >= l->best) {
			l->open = false;
			break;
		}
		hash = key_hash(t, &l->k, six);
		l->probe[n].bucket = &t->buckets[hash & (t->nbuckets - 1)];
		l->probe[n].tag = hash_tag(hash);
		PREFETCH(l->probe[n].bucket);
	}
	l->nprobes = n;
}

static ALWAYS_INLINE void
fetch_entries(const struct looking *g, struct look *l, bool six)
{
	for (unsigned i = 0; i < l->nprobes; i++) {
		uint32_t w = *l->probe[i].bucket, tag = w >> BUCKET_TAG;
		bool there = tag == 0 || tag == l->probe[i].tag;

		w = there ? w & BUCKET_ENTRY : 0;
		l->probe[i].entry = w;
		if (w == 0)
			continue;
		if (six)
			PREFETCH(&g->f->entries6[w - 1]);
		else
			PREFETCH(&g->f->entries4[w - 1]);
	}
}

static inline bool
prefix6_fits(const uint64_t *a, const uint64_t *k, unsigned bits)
{
	return ((a[0] ^ k[0]) & mask_word(bits)) == 0 &&
	    (bits <= 64 || ((a[1] ^ k[1]) & mask_word(bits - 64)) == 0);
}

static ALWAYS_INLINE bool
addrs_fit(const struct looking *g, const struct look *l, uint32_t entry,
    bool six)
{
	const struct entry4 *x;
	const struct entry6 *y;

	if (!six) {
		x = &g->f->entries4[entry];
		return ((x->addr ^ l->k.w[0]) & x->mask) == 0;
	}
	y = &g->f->entries6[entry];
	return prefix6_fits(y->addr, l->k.w, y->f.bits[SRC]) &&
	    prefix6_fits(y->addr + 2, l->k.w + 2, y->f.bits[DST]);
}

static inline bool
port_fits(const struct fit *f, const struct block_key *k, unsigned side)
{
	return (uint16_t)(k->port[side] - f->low[side]) <= f->span[side];
}

/* Whether the rule matches, of which tables do not know all. */
static NOINLINE bool
is_match(const struct looking *g, const struct look *l, uint32_t rule)
{
	const struct block *b = g->b;

	if (b->usual[rule].plain)
		return block_misfit(b, rule, l->q) == NULL;
	if (g->h == NULL) {
		l->r->sure = false;
		return true;
	}
	return g->h->misfit(g->h->ctx, b->first + rule, b->code[rule]) ==
	    NULL;
}

static ALWAYS_INLINE bool
fits(const struct looking *g, const struct look *l, uint32_t entry,
    const struct fit *f, unsigned kind, bool six)
{
	uint32_t rule = kind == SET_LAST ? g->b->n - 1 - f->rank : f->rank;

	return addrs_fit(g, l, entry, six) && port_fits(f, &l->k, SRC) &&
	    port_fits(f, &l->k, DST) && bit(l->r->class->fits, rule) &&
	    (f->check == CHECK_NONE || (f->check == CHECK_ICMP && !l->icmp) ||
	    is_match(g, l, rule));
}

static ALWAYS_INLINE void
compare_entries(const struct looking *g, struct look *l, unsigned kind,
    bool six)
{
	for (unsigned i = 0; i < l->nprobes; i++) {
		uint32_t x = l->probe[i].entry;
		const struct fit *f;

		for (bool more = x != 0; more; x++) {
			f = six ? &g->f->entries6[x - 1].f :
			    &g->f->entries4[x - 1].f;
			if (f->rank >= l->best)
				break;
			if (fits(g, l, x - 1, f, kind, six)) {
				l->best = f->rank;
				break;
			}
			more = f->more;
		}
	}
}

static ALWAYS_INLINE void
ask(const struct looking *g, unsigned kind, bool six)
{
	const struct tuples *s = &g->f->sets[kind];
	bool more;

	do {
		more = false;
		for (size_t i = 0; i < g->n; i++) {
			g->v[i].nprobes = 0;
			if (g->v[i].open)
				fetch_buckets(g, &g->v[i], s, six);
		}
		for (size_t i = 0; i < g->n; i++)
			fetch_entries(g, &g->v[i], six);
		for (size_t i = 0; i < g->n; i++) {
			compare_entries(g, &g->v[i], kind, six);
			more |= g->v[i].open;
		}
	} while (more);
}

/* Those that no quick rule decides. */
static ALWAYS_INLINE void
ask_last(const struct looking *g, bool six)
{
	bool more = false;

	for (size_t i = 0; i < g->n; i++) {
		struct look *l = &g->v[i];

		l->open = false;
		if (l->r->quick == g->b->n)
			open_tables(g, l, SET_LAST);
		more |= l->open;
	}
	if (!more)
		return;
	ask(g, SET_LAST, six);
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].r->quick == g->b->n)
			g->v[i].r->last = g->v[i].best;
}

/* ---- all of it ---- */

static ALWAYS_INLINE void
look_up(const struct looking *g, bool six)
{
	bool more = false;

	for (size_t i = 0; i < g->n; i++)
		more |= begin(g, &g->v[i], six);
	if (more)
		descend(g, six);
	for (size_t i = 0; i < g->n; i++)
		know(g, &g->v[i], six);
	for (size_t i = 0; i < g->n; i++)
		open_tables(g, &g->v[i], SET_QUICK);
	ask(g, SET_QUICK, six);
	for (size_t i = 0; i < g->n; i++)
		g->v[i].r->quick = g->v[i].best;
	if (g->f->sets[SET_LAST].n != 0)
		ask_last(g, six);
}

static void
look_up_run(struct pfk_engine *e, struct block *b, const struct block_help *h,
    struct look *v, size_t n, bool six)
{
	struct looking g = { e, b, &b->family[six], h, v, n,
	    b->n < MANY_RULES ? 1 : PROBES };

	if (six)
		look_up(&g, true);
	else
		look_up(&g, false);
}

void
block_look_up(struct pfk_engine *e, struct block *b,
    const struct strip_ask *q, const struct block_help *h,
    struct block_found *r)
{
	struct look v;

	v.q = q;
	v.r = r;
	look_up_run(e, b, h, &v, 1, q->head.af == PFK_AF_INET6);
}

static void
fetch_rule(const struct pfk_engine *e, const struct block *b,
    const struct block_found *r)
{
	uint32_t rule = r->quick < b->n ? r->quick :
	    r->last < b->n ? b->n - 1 - r->last : b->n;
	const struct rt_rule *rr = &e->rules[b->first + rule];

	PREFETCH(rr);
	PREFETCH((const char *)rr + 64);
	if (r->class != NULL)
		PREFETCH(&r->class->ends[r->quick]);
}

void
block_look_ahead(struct pfk_engine *e, uint32_t block,
    struct block_ahead *const *a, size_t n)
{
	struct block *b = e->blocks[block - 1];
	struct look v[BLOCK_AHEAD];
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t af = a[i]->q.head.af;

		v[i].q = &a[i]->q;
		v[i].r = &a[i]->found;
		if (i + 1 < n && a[i + 1]->q.head.af == af)
			continue;
		look_up_run(e, b, NULL, v + from, i + 1 - from,
		    af == PFK_AF_INET6);
		from = i + 1;
	}
	for (size_t i = 0; i < n; i++) {
		a[i]->found.block = block;
		fetch_rule(e, b, &a[i]->found);
	}
}
