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

/* A value in an index. */
struct spot {
	const struct block_index *x;
	struct value	 v;
	uint32_t	 cell;
};

struct look {
	const struct strip_ask *q;
	struct block_found *r;
	struct block_key k;
	struct spot	 spot[2];	/* of both addresses */
	const struct known *known[2];
	struct table_set left;		/* tables to be asked */
	uint32_t	 behind;	/* the next of those behind them */
	uint32_t	 best;		/* rank */
	bool		 icmp;
};

/* A bucket to be looked at; then the entry that it leads to. */
struct probe {
	struct look	*l;
	const uint32_t	*bucket;
	uint32_t	 tag, entry;
};

/* What is alike for all of them. */
struct looking {
	struct pfk_engine *e;
	struct block	*b;
	const struct block_family *f;
	const struct block_help *h;	/* or NULL */
	struct look	*v;
	size_t		 n;
};

/* Tables asked about a packet at a time, where the cache holds them or not. */
#define PROBES		4
#define FEW_RULES	4096u	/* the cache near by has them: one */
#define MANY_RULES	32768u	/* no cache does: up to PROBES */

/* ---- begin ---- */

static ALWAYS_INLINE void
set_key(struct look *l, bool six)
{
	const struct strip_ask *q = l->q;

	l->k.port[SRC] = q->port[SRC];
	l->k.port[DST] = q->port[DST];
	if (!six) {
		l->spot[SRC].v.w[0] = (uint64_t)get32(q->addr[SRC]) << 32;
		l->spot[DST].v.w[0] = (uint64_t)get32(q->addr[DST]) << 32;
		l->k.w[0] = l->spot[SRC].v.w[0] | l->spot[DST].v.w[0] >> 32;
		return;
	}
	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; i < 2; i++)
			l->k.w[2 * side + i] = l->spot[side].v.w[i] =
			    get64(q->addr[side] + 8 * i);
}

static ALWAYS_INLINE void
begin(const struct looking *g, struct look *l, bool six)
{
	l->icmp = is_icmp(l->q->head.proto);
	l->r->class = block_class(g->e, g->b, &l->q->head);
	l->r->sure = true;
	l->r->quick = l->r->last = g->b->n;
	set_key(l, six);
	for (unsigned side = 0; side < 2; side++) {
		l->spot[side].x = &g->f->index[side];
		l->spot[side].cell = 0;
	}
}

/* ---- descend ---- */

/* One node further; false: it is at its end, and the piece is on its way. */
static ALWAYS_INLINE bool
step(struct spot *s, bool six)
{
	const struct block_index *x = s->x;
	uint32_t at = x->cells[s->cell], inner = at >> 31;

	s->cell = index_step(x, &s->v, s->cell, six);
	PREFETCH(&x->cells[s->cell]);
	at &= inner - 1;
	if (six) {
		PREFETCH(&x->v6[at]);
		PREFETCH(&x->v6[at + 2]);
	} else
		PREFETCH(&x->v4[at]);
	return inner;
}

static ALWAYS_INLINE void
descend(const struct looking *g, bool six)
{
	struct spot *under_way[2 * BLOCK_AHEAD];
	size_t n = 0, still;

	for (size_t i = 0; i < g->n; i++) {
		under_way[n++] = &g->v[i].spot[SRC];
		under_way[n++] = &g->v[i].spot[DST];
	}
	for (; n > 0; n = still) {
		still = 0;
		for (size_t i = 0; i < n; i++) {
			under_way[still] = under_way[i];
			still += step(under_way[i], six);
		}
	}
}

/* ---- know ---- */

static ALWAYS_INLINE const struct known *
spot_known(const struct spot *s, bool six)
{
	uint32_t at = s->x->cells[s->cell];

	return six ? index_known6(s->x, &s->v, at) :
	    index_known4(s->x, (uint32_t)(s->v.w[0] >> 32), at);
}

static uint32_t
port_list(const struct block_index *x, uint16_t port)
{
	struct value v = port_value(port);
	uint32_t cell = 0;

	if (x->n == 1)
		return x->v4[0].k.list;
	while (x->cells[cell] & INDEX_INNER)
		cell = index_step(x, &v, cell, false);
	return index_known4(x, (uint32_t)(v.w[0] >> 32),
	    x->cells[cell])->list;
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
		l->known[side] = spot_known(&l->spot[side], six);
		l->r->list[side] = l->known[side]->list;
		l->r->list[2 + side] = port_list(&g->b->ports[side],
		    l->k.port[side]);
		PREFETCH(&g->b->ids[l->known[side]->list]);
		if (g->f->sets[SET_QUICK].pruned)
			PREFETCH(known_set(g, l, side, SET_QUICK));
	}
}

/* ---- ask ---- */

static ALWAYS_INLINE void
open_tables(const struct looking *g, struct look *l, unsigned kind)
{
	const struct tuples *s = &g->f->sets[kind];
	const struct table_set *src = &s->all, *dst = src;

	if (s->pruned) {
		src = known_set(g, l, SRC, kind);
		dst = known_set(g, l, DST, kind);
	}
	for (unsigned i = 0; i < PRUNE_TABLES / 64; i++)
		l->left.w[i] = src->w[i] & dst->w[i];
	l->best = g->b->n;
	l->behind = PRUNE_TABLES;
}

/* The next table to be asked, or n: without a branch in most blocks. */
static ALWAYS_INLINE uint32_t
next_table(struct look *l, uint32_t n)
{
	uint64_t *w = l->left.w, left;

	static_assert(PRUNE_TABLES == 256, "four words");
	w = w[0] != 0 ? w : w[1] != 0 ? w + 1 : w[2] != 0 ? w + 2 : w + 3;
	left = *w;
	if (left == 0)
		return l->behind < n ? l->behind++ : n;
	*w = left & (left - 1);
	return (uint32_t)(w - l->left.w) * 64 + strip_lowest(left);
}

/* The next few that may have a better rule than the best so far. */
static ALWAYS_INLINE struct probe *
fetch_buckets(const struct looking *g, struct look *l, unsigned kind,
    struct probe *p, bool six)
{
	const struct tuples *s = &g->f->sets[kind];
	unsigned n = g->b->n < FEW_RULES ? 1 :
	    g->b->n < MANY_RULES ? 2 : PROBES;

	for (unsigned k = 0; k < n; k++) {
		uint32_t i = next_table(l, s->n);
		const struct tuple *t = &s->v[i];
		uint64_t hash;

		if (i >= s->n || t->best >= l->best)
			break;
		hash = key_hash(t, &l->k, six);
		p->l = l;
		p->bucket = &t->buckets[hash & (t->nbuckets - 1)];
		p->tag = hash_tag(hash);
		PREFETCH(p->bucket);
		p++;
	}
	return p;
}

/* Of the buckets those that may have the key. */
static ALWAYS_INLINE struct probe *
fetch_entries(const struct looking *g, struct probe *v, const struct probe *end,
    bool six)
{
	struct probe *hit = v;

	for (const struct probe *p = v; p < end; p++) {
		uint32_t w = *p->bucket, tag = w >> BUCKET_TAG;
		uint32_t entry = (w & BUCKET_ENTRY) - (w != 0);

		hit->l = p->l;
		hit->entry = entry;
		hit += (w != 0) & ((tag == 0) | (tag == p->tag));
		if (six)
			PREFETCH(&g->f->entries6[entry]);
		else
			PREFETCH(&g->f->entries4[entry]);
	}
	return hit;
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

/* As far as tables know. */
static ALWAYS_INLINE bool
seems_to_fit(const struct looking *g, const struct look *l, uint32_t entry,
    const struct fit *f, uint32_t rule, bool six)
{
	unsigned fit = addrs_fit(g, l, entry, six);

	fit &= port_fits(f, &l->k, SRC);
	fit &= port_fits(f, &l->k, DST);
	return (fit & bit(l->r->class->fits, rule)) != 0;
}

static ALWAYS_INLINE void
compare_entries(const struct looking *g, struct look *l, uint32_t x,
    unsigned kind, bool six)
{
	for (;; x++) {
		const struct fit *f = six ? &g->f->entries6[x].f :
		    &g->f->entries4[x].f;
		uint32_t rule = kind == SET_LAST ? g->b->n - 1 - f->rank :
		    f->rank;

		if (f->rank >= l->best)
			break;
		if (seems_to_fit(g, l, x, f, rule, six) &&
		    (f->check == CHECK_NONE ||
		    (f->check == CHECK_ICMP && !l->icmp) ||
		    is_match(g, l, rule))) {
			l->best = f->rank;
			break;
		}
		if (!f->more)
			break;
	}
}

/* Round by round, those that some table may still have an answer for. */
static ALWAYS_INLINE void
ask(const struct looking *g, struct look **open, size_t n, unsigned kind,
    bool six)
{
	struct probe probes[BLOCK_AHEAD * PROBES], *end, *p;

	while (n > 0) {
		size_t still = 0;

		end = probes;
		for (size_t i = 0; i < n; i++) {
			p = end;
			end = fetch_buckets(g, open[i], kind, end, six);
			open[still] = open[i];
			still += end != p;
		}
		n = still;
		end = fetch_entries(g, probes, end, six);
		for (p = probes; p < end; p++)
			compare_entries(g, p->l, p->entry, kind, six);
	}
}

/* ---- all of it ---- */

static ALWAYS_INLINE void
ask_quick(const struct looking *g, bool six)
{
	struct look *open[BLOCK_AHEAD];
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		open_tables(g, &g->v[i], SET_QUICK);
		open[n] = &g->v[i];
		n += g->v[i].r->class != NULL;
	}
	ask(g, open, n, SET_QUICK, six);
	for (size_t i = 0; i < g->n; i++)
		g->v[i].r->quick = g->v[i].best;
}

/* Those that no quick rule decides. */
static ALWAYS_INLINE void
ask_last(const struct looking *g, bool six)
{
	struct look *open[BLOCK_AHEAD];
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		g->v[i].best = g->b->n;
		open[n] = &g->v[i];
		n += g->v[i].r->class != NULL &&
		    g->v[i].r->quick == g->b->n;
	}
	for (size_t i = 0; i < n; i++)
		open_tables(g, open[i], SET_LAST);
	ask(g, open, n, SET_LAST, six);
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].r->quick == g->b->n)
			g->v[i].r->last = g->v[i].best;
}

static ALWAYS_INLINE void
look_up(const struct looking *g, bool six)
{
	for (size_t i = 0; i < g->n; i++)
		begin(g, &g->v[i], six);
	descend(g, six);
	for (size_t i = 0; i < g->n; i++)
		know(g, &g->v[i], six);
	if (g->f->sets[SET_QUICK].n != 0)
		ask_quick(g, six);
	if (g->f->sets[SET_LAST].n != 0)
		ask_last(g, six);
}

static void
look_up_run(struct pfk_engine *e, struct block *b, const struct block_help *h,
    struct look *v, size_t n, bool six)
{
	struct looking g = { e, b, &b->family[six], h, v, n };

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
	PREFETCH((const char *)rr + RT_RULE_USUAL - 1);
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
