/*
 * Looking up packets in a block, several at a time: each step is a loop over
 * all of them that fetches what the next step will read, so that packets wait
 * for memory together.
 *
 *	begin		the class; the index of both addresses
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
 * is somebody to ask (block_ask.misfit); ahead of time there is not, and the
 * packet is looked up again when its turn has come.
 */
#include "base/prefetch.h"
#include "runtime/block_index.h"
#include "runtime/block_look.h"

#define PROBES		4	/* tables asked at a time */

struct probe {
	const uint32_t	*bucket;
	uint32_t	 tag;
	uint32_t	 entry;		/* + 1 */
};

struct look {
	const struct block_ask *q;
	struct block_found *r;
	const struct block_family *f;
	struct block_key k;
	struct value	 a[2];
	const struct known *known[2];
	uint32_t	 at[2];		/* place in the index */
	const uint32_t	*cell[2];	/* where the next one stands */
	bool		 six, icmp, open;
	unsigned	 nprobes;
	uint32_t	 table, best;	/* rank */
	struct table_set left;
	struct probe	 probe[PROBES];
};

static const struct known nothing_known;

/* ---- begin ---- */

static inline uint64_t
addr4(const uint8_t *a)
{
	return get32(a);
}

static void
set_key(struct look *l)
{
	const struct block_ask *q = l->q;

	l->k.port[SRC] = q->port[SRC];
	l->k.port[DST] = q->port[DST];
	if (!l->six) {
		l->a[SRC].w[0] = addr4(q->addr[SRC]) << 32;
		l->a[DST].w[0] = addr4(q->addr[DST]) << 32;
		l->a[SRC].w[1] = l->a[DST].w[1] = 0;
		l->k.w[0] = l->a[SRC].w[0] | l->a[DST].w[0] >> 32;
		return;
	}
	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; i < 2; i++)
			l->k.w[2 * side + i] = l->a[side].w[i] =
			    get64(q->addr[side] + 8 * i);
}

static void
begin(struct pfk_engine *e, struct block *b, struct look *l)
{
	const struct strip_head *h = &l->q->head;

	l->six = h->af == PFK_AF_INET6;
	l->icmp = h->proto == PROTO_ICMP || h->proto == PROTO_ICMPV6;
	l->f = &b->family[l->six];
	l->r->class = block_class(e, b, h);
	set_key(l);
	for (unsigned side = 0; side < 2; side++)
		l->at[side] = l->f->index[side].root;
}

/* ---- descend ---- */

static inline void
fetch_piece(const struct block_index *x, uint32_t at)
{
	if (x->six) {
		PREFETCH(&x->v6[at]);
		PREFETCH(&x->v6[at + 2]);
	} else
		PREFETCH(&x->v4[at]);
}

/* One node further; whether there is another one. */
static inline bool
step_begins(struct look *l, unsigned side)
{
	const struct block_index *x = &l->f->index[side];

	l->cell[side] = NULL;
	if (!(l->at[side] & INDEX_INNER))
		return false;
	l->cell[side] = index_step(x, &l->a[side], &l->at[side]);
	if (l->cell[side] != NULL)
		PREFETCH(l->cell[side]);
	else
		fetch_piece(x, l->at[side]);
	return l->cell[side] != NULL;
}

static inline void
step_ends(struct look *l, unsigned side)
{
	const struct block_index *x = &l->f->index[side];

	if (l->cell[side] == NULL)
		return;
	l->at[side] = *l->cell[side];
	if (l->at[side] & INDEX_INNER)
		PREFETCH(&x->nodes[l->at[side] & ~INDEX_INNER]);
	else
		fetch_piece(x, l->at[side]);
}

static void
descend(struct look *v, size_t n)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			more |= step_begins(&v[i], SRC);
			more |= step_begins(&v[i], DST);
		}
		for (size_t i = 0; more && i < n; i++) {
			step_ends(&v[i], SRC);
			step_ends(&v[i], DST);
		}
	}
}

/* ---- know ---- */

static inline const struct known *
side_known(const struct look *l, unsigned side)
{
	const struct block_index *x = &l->f->index[side];

	if (x->n == 0)
		return &nothing_known;
	return l->six ? index_known6(x, &l->a[side], l->at[side]) :
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

static void
know(const struct block *b, struct look *l)
{
	for (unsigned side = 0; side < 2; side++) {
		l->known[side] = side_known(l, side);
		l->r->list[side] = l->known[side]->list;
		l->r->list[2 + side] = port_list(&b->ports[side],
		    l->k.port[side]);
	}
}

static inline const struct table_set *
known_set(const struct look *l, unsigned side, unsigned kind)
{
	return &l->f->known[side][kind].v[l->known[side]->set[kind]];
}

static void
fetch_sets(const struct look *l, unsigned kind)
{
	if (l->f->sets[kind].pruned) {
		PREFETCH(known_set(l, SRC, kind));
		PREFETCH(known_set(l, DST, kind));
	}
}

/* ---- ask ---- */

/* The next table to be asked, from i on, or n. */
static inline uint32_t
next_table(const struct table_set *set, uint32_t i, uint32_t n)
{
	while (i < n && i < PRUNE_TABLES) {
		uint64_t left = set->w[i / 64] >> (i % 64);

		if (left != 0) {
			i += strip_lowest(left);
			return i < n ? i : n;
		}
		i = (i / 64 + 1) * 64;
	}
	return i;
}

static void
open_tables(const struct block *b, struct look *l, unsigned kind)
{
	const struct tuples *s = &l->f->sets[kind];
	const struct table_set *src, *dst;

	l->best = b->n;
	l->table = 0;
	l->open = s->n > 0;
	if (!s->pruned) {
		memset(&l->left, 0xff, sizeof(l->left));
		return;
	}
	src = known_set(l, SRC, kind);
	dst = known_set(l, DST, kind);
	for (unsigned i = 0; i < PRUNE_TABLES / 64; i++)
		l->left.w[i] = src->w[i] & dst->w[i];
}

/* The next few tables that may have a better rule. */
static void
fetch_buckets(struct look *l, const struct tuples *s)
{
	uint32_t i = l->table;
	unsigned n;

	for (n = 0; n < PROBES; n++, i++) {
		const struct tuple *t;
		uint64_t hash;

		i = next_table(&l->left, i, s->n);
		t = &s->v[i];
		if (i >= s->n || t->best >= l->best) {
			l->open = false;
			break;
		}
		hash = key_hash(t, &l->k, l->six);
		l->probe[n].bucket = &t->buckets[hash & (t->nbuckets - 1)];
		l->probe[n].tag = hash_tag(hash);
		PREFETCH(l->probe[n].bucket);
	}
	l->table = i;
	l->nprobes = n;
}

static void
fetch_entries(struct look *l)
{
	for (unsigned i = 0; i < l->nprobes; i++) {
		uint32_t w = *l->probe[i].bucket, tag = w >> BUCKET_TAG;
		bool there = tag == 0 || tag == l->probe[i].tag;

		l->probe[i].entry = there ? w & BUCKET_ENTRY : 0;
		if (l->probe[i].entry == 0)
			continue;
		if (l->six)
			PREFETCH(&l->f->entries6[l->probe[i].entry - 1]);
		else
			PREFETCH(&l->f->entries4[l->probe[i].entry - 1]);
	}
}

static inline bool
prefix6_fits(const uint64_t *a, const uint64_t *k, unsigned bits)
{
	return ((a[0] ^ k[0]) & mask_word(bits)) == 0 &&
	    (bits <= 64 || ((a[1] ^ k[1]) & mask_word(bits - 64)) == 0);
}

static inline bool
addrs_fit(const struct look *l, uint32_t entry, const struct fit *f)
{
	const struct entry4 *x;
	const uint64_t *a;

	if (!l->six) {
		x = &l->f->entries4[entry];
		return ((x->addr ^ l->k.w[0]) & x->mask) == 0;
	}
	a = l->f->entries6[entry].addr;
	return prefix6_fits(a, l->k.w, f->bits[SRC]) &&
	    prefix6_fits(a + 2, l->k.w + 2, f->bits[DST]);
}

static inline bool
port_fits(const struct fit *f, const struct block_key *k, unsigned side)
{
	return (uint16_t)(k->port[side] - f->low[side]) <= f->span[side];
}

/* Whether the rule matches, of which tables do not know all. */
static bool
is_match(const struct block *b, const struct look *l, uint32_t rule)
{
	if (l->q->misfit == NULL) {
		l->r->sure = false;
		return true;
	}
	return l->q->misfit(l->q->ctx, b->first + rule, b->code[rule]) ==
	    NULL;
}

static inline bool
fits(const struct block *b, const struct look *l, uint32_t entry,
    const struct fit *f, unsigned kind)
{
	uint32_t rule = kind == SET_LAST ? b->n - 1 - f->rank : f->rank;

	return addrs_fit(l, entry, f) && port_fits(f, &l->k, SRC) &&
	    port_fits(f, &l->k, DST) && bit(l->r->class->fits, rule) &&
	    (f->check == CHECK_NONE || (f->check == CHECK_ICMP && !l->icmp) ||
	    is_match(b, l, rule));
}

static void
compare_entries(const struct block *b, struct look *l, unsigned kind)
{
	for (unsigned i = 0; i < l->nprobes; i++) {
		uint32_t x = l->probe[i].entry;
		const struct fit *f;

		for (bool more = x != 0; more; x++) {
			f = l->six ? &l->f->entries6[x - 1].f :
			    &l->f->entries4[x - 1].f;
			if (f->rank >= l->best)
				break;
			if (fits(b, l, x - 1, f, kind)) {
				l->best = f->rank;
				break;
			}
			more = f->more;
		}
	}
}

static void
ask(const struct block *b, struct look *v, size_t n, unsigned kind)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < n; i++)
			if (v[i].open)
				fetch_buckets(&v[i],
				    &v[i].f->sets[kind]);
			else
				v[i].nprobes = 0;
		for (size_t i = 0; i < n; i++)
			fetch_entries(&v[i]);
		for (size_t i = 0; i < n; i++) {
			compare_entries(b, &v[i], kind);
			more |= v[i].open;
		}
	}
}

/* ---- all of it ---- */

static void
look_up(struct pfk_engine *e, struct block *b, struct look *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		begin(e, b, &v[i]);
	descend(v, n);
	for (size_t i = 0; i < n; i++) {
		know(b, &v[i]);
		fetch_sets(&v[i], SET_QUICK);
	}
	for (size_t i = 0; i < n; i++) {
		open_tables(b, &v[i], SET_QUICK);
		v[i].open &= v[i].r->class != NULL;
	}
	ask(b, v, n, SET_QUICK);
	for (size_t i = 0; i < n; i++) {
		v[i].r->quick = v[i].best;
		v[i].r->last = b->n;
	}
}

void
block_look_up(struct pfk_engine *e, struct block *b,
    const struct block_ask *q, size_t n, struct block_found *r)
{
	struct look v[BLOCK_AHEAD];
	bool more = false;

	for (size_t i = 0; i < n; i++) {
		v[i].q = &q[i];
		v[i].r = &r[i];
		r[i].sure = true;
	}
	look_up(e, b, v, n);
	for (size_t i = 0; i < n; i++) {
		open_tables(b, &v[i], SET_LAST);
		v[i].open &= v[i].r->class != NULL && v[i].r->quick == b->n;
		more |= v[i].open;
	}
	if (!more)
		return;
	ask(b, v, n, SET_LAST);
	for (size_t i = 0; i < n; i++)
		r[i].last = v[i].best;
}

void
block_look_ahead(struct pfk_engine *e, uint32_t block,
    const struct block_ask *q, size_t n, struct block_found *r)
{
	struct block *b = e->blocks[block - 1];

	block_look_up(e, b, q, n, r);
	for (size_t i = 0; i < n; i++) {
		const struct block_found *f = &r[i];
		uint32_t rule = f->quick < b->n ? f->quick :
		    f->last < b->n ? b->n - 1 - f->last : b->n;
		const struct rt_rule *rr = &e->rules[b->first + rule];

		r[i].block = block;
		if (f->class == NULL)
			continue;
		PREFETCH(&f->class->ends[f->quick]);
		PREFETCH(rr);
		PREFETCH((const char *)rr + 64);
	}
}
