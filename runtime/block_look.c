/*
 * Looking up packets in a block, several at a time: each step is a loop over
 * all of them that fetches what the next step will read, so that packets wait
 * for memory together.
 *
 *	begin		the class; where the index of both addresses begins
 *	descend		nodes of the index, for both addresses in turns
 *	find places	its leaves: the places of both addresses
 *	know		lists of rules that may lead elsewhere, and sets of
 *			tables worth asking
 *			(or vectors, which are the answer: block_and.c)
 *	ask		a few of the tables that both sets have: slots and the
 *			entries behind them, as long as a table can have a
 *			better rule than the best so far
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
#include "runtime/block_looking.h"
#include "runtime/lane_head.h"

/* An entry to be looked at. */
struct probe {
	struct look	*l;
	uint32_t	 entry;
};

/* Tables asked about a packet at a time: mostly the first has the answer. */
#define PROBES		2
#define MANY_RULES	32768u	/* of so many it often has not */

/* ---- begin ---- */

/* A word of an address; of IPv4 the index looks at the upper half. */
static ALWAYS_INLINE uint64_t
addr_word(const struct look *l, unsigned side, unsigned word, bool six)
{
	if (six)
		return l->k.w[2 * side + word];
	return l->k.w[0] << 32 * side;
}

static ALWAYS_INLINE void
set_addrs(struct look *l, const uint8_t *src, const uint8_t *dst, bool six)
{
	if (!six) {
		l->k.w[0] = (uint64_t)get32(src) << 32 | get32(dst);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		l->k.w[i] = get64(src + 8 * i);
		l->k.w[2 + i] = get64(dst + 8 * i);
	}
}

static ALWAYS_INLINE void
begin(const struct looking *g, struct look *l)
{
	l->r->class = block_class(g->e, g->b, l->head, l->icmp);
	l->r->sure = true;
	l->r->quick = l->r->last = g->b->n;
	l->best = l->r->class == NULL ? 0 : g->b->n;
}

/* ---- descend, find places ---- */

static ALWAYS_INLINE void
begin_index(const struct block_index *x, struct look *l, unsigned side,
    bool six)
{
	l->at[side] = index_begin(x, addr_word(l, side, 0, six));
	PREFETCH(&x->m[l->at[side]]);
}

/* A node further, if it is one; what the cell leads to is on its way. */
static ALWAYS_INLINE void
step(const struct block_index *x, struct look *l, unsigned side, bool six)
{
	uint64_t cell = x->m[l->at[side]];

	l->at[side] = index_step(cell, addr_word(l, side,
	    six ? cell >> CELL_WORD & 1 : 0, six));
	PREFETCH(&x->m[l->at[side]]);
}

/* The rest of a long way. */
static NOINLINE uint32_t
place_beyond(const struct block_index *x, const struct look *l, unsigned side,
    uint32_t at, bool six)
{
	uint64_t v[2] = { addr_word(l, side, 0, six),
	    six ? addr_word(l, side, 1, six) : 0 };

	return index_place(x, v, at);
}

static ALWAYS_INLINE void
find_place(const struct block_index *x, struct look *l, unsigned side,
    bool six)
{
	uint64_t cell = x->m[l->at[side]];
	uint32_t to;

	to = index_leaf(x, cell, addr_word(l, side, six ?
	    cell >> CELL_WORD & 1 : 0, six));
	if (cell_is_node(cell))
		to = l->at[side] | INDEX_INNER;
	if (to & INDEX_INNER)
		to = place_beyond(x, l, side, to & ~INDEX_INNER, six);
	l->at[side] = to;
	PREFETCH(&x->m[to]);
}

#define STEPS	3u	/* nodes that are looked at side by side */

static ALWAYS_INLINE void
find_places(const struct looking *g, bool six)
{
	const struct block_index *x = g->f->index;

	for (unsigned side = 0; side < 2; side++)
		for (size_t i = 0; i < g->n; i++)
			begin_index(&x[side], &g->v[i], side, six);
	for (unsigned k = 1; k < STEPS; k++)
		for (unsigned side = 0; side < 2; side++)
			for (size_t i = 0; k < x[side].depth && i < g->n; i++)
				step(&x[side], &g->v[i], side, six);
	for (unsigned side = 0; side < 2; side++)
		for (size_t i = 0; x[side].n != 1 && i < g->n; i++)
			find_place(&x[side], &g->v[i], side, six);
}

/* ---- know ---- */

/* A list, and the first rule of all lists so far. */
static ALWAYS_INLINE void
take_list(struct block_found *r, unsigned i, uint64_t word)
{
	uint32_t first = (uint32_t)(word >> INDEX_FIRST);

	r->list[i] = (uint32_t)word;
	r->asked = first < r->asked ? first : r->asked;
}

/* Lists of a side's addresses and ports, where there are such. */
static ALWAYS_INLINE void
find_lists(const struct looking *g, unsigned side)
{
	const struct block_index *x = &g->f->index[side];
	const struct block_index *y = &g->b->ports[side];

	for (size_t i = 0; x->listed && i < g->n; i++)
		take_list(g->v[i].r, side, x->m[g->v[i].at[side] + x->stride -
		    1]);
	for (size_t i = 0; y->listed && i < g->n; i++)
		take_list(g->v[i].r, 2 + side, index_word(y, port_value(
		    (uint16_t)(g->v[i].k.ports >> (side == SRC) * 16)).w));
}

static ALWAYS_INLINE void
know(const struct looking *g)
{
	for (size_t i = 0; i < g->n; i++) {
		memset(g->v[i].r->list, 0, sizeof(g->v[i].r->list));
		g->v[i].r->asked = *g->b->always;
	}
	if (!g->b->listed)
		return;
	find_lists(g, SRC);
	find_lists(g, DST);
}

/* ---- ask ---- */

static ALWAYS_INLINE void
open_tables(const struct looking *g, struct look *l, unsigned kind,
    unsigned words)
{
	const struct tuples *s = &g->f->sets[kind];
	const struct block_index *x = g->f->index;
	const uint64_t *src = s->all.w, *dst = src;

	if (s->words != 0) {
		src = &x[SRC].m[l->at[SRC] + s->word];
		dst = &x[DST].m[l->at[DST] + s->word];
	}
	for (unsigned i = 0; i < words; i++)
		l->left.w[i] = src[i] & dst[i];
	l->behind = PRUNE_TABLES;
}

/* The next table to be asked, or n: without a branch in most blocks. */
static ALWAYS_INLINE uint32_t
next_table(struct look *l, uint32_t n, unsigned words)
{
	uint64_t *w = l->left.w, left;

	static_assert(PRUNE_WORDS == 4, "four words");
	if (words == 2)
		w += w[0] == 0;
	else if (words == 4)
		w = w[0] != 0 ? w : w[1] != 0 ? w + 1 : w[2] != 0 ? w + 2 :
		    w + 3;
	left = *w;
	if (left == 0)
		return words == 4 && l->behind < n ? l->behind++ : n;
	*w = left & (left - 1);
	return (uint32_t)(w - l->left.w) * 64 + lowest_bit(left);
}

/* The next table that may have a better rule than the best so far. */
static ALWAYS_INLINE bool
fetch_slot(const struct looking *g, struct look *l, unsigned kind,
    unsigned words, struct probe *p, bool six)
{
	const struct tuples *s = &g->f->sets[kind];
	uint32_t i = next_table(l, s->n, words);
	const struct tuple *t = &s->v[i];

	if (i >= s->n || t->best >= l->best)
		return false;
	p->l = l;
	p->entry = key_slot(t, &l->k, six);
	if (six)
		PREFETCH(&g->f->entries6[p->entry]);
	else
		PREFETCH(&g->f->entries4[p->entry]);
	return true;
}

/* Bits of a word that differ, but for those behind a prefix. */
static ALWAYS_INLINE uint64_t
word_differs(uint64_t a, uint64_t b, unsigned bits)
{
	return (a ^ b) & UINT64_MAX << (-bits & 63) & (0 - (uint64_t)(bits !=
	    0));
}

static ALWAYS_INLINE bool
addrs_fit(const struct looking *g, const struct look *l, uint32_t entry,
    bool six)
{
	const struct entry6 *y;
	uint64_t odd = 0;

	if (!six) {
		const struct entry4 *x = &g->f->entries4[entry];

		return ((x->addr ^ l->k.w[0]) & x->mask) == 0;
	}
	y = &g->f->entries6[entry];
	for (unsigned i = 0; i < 4; i++)
		odd |= word_differs(y->addr[i], l->k.w[i], y->bits[i]);
	return odd == 0;
}

static ALWAYS_INLINE bool
port_fits(const struct fit *f, const struct block_key *k, unsigned side)
{
	uint16_t port = (uint16_t)(k->ports >> (side == SRC) * 16);

	return (uint16_t)(port - f->low[side]) <= f->span[side];
}

NOINLINE const struct strip_ask *
look_question(const struct look *l, struct strip_ask *room)
{
	const struct lane_packet *p = l->lane;

	if (l->q != NULL)
		return l->q;
	memset(room, 0, sizeof(*room));
	room->head = strip_head_of(l->head);
	room->addr[SRC] = lane_addr(p, SRC);
	room->addr[DST] = lane_addr(p, DST);
	room->port[SRC] = (uint16_t)(l->k.ports >> 16);
	room->port[DST] = (uint16_t)l->k.ports;
	return room;
}

NOINLINE bool
look_is_match(const struct looking *g, const struct look *l, uint32_t rule,
    enum block_check check)
{
	const struct block *b = g->b;
	struct strip_ask room;

	if (check == CHECK_ICMP && !l->icmp)
		return true;
	if (b->usual[rule].plain)
		return block_misfit(b, rule, look_question(l, &room)) == NULL;
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

/* The slot's entries, as long as they are better than the best so far. */
static ALWAYS_INLINE void
compare_entries(const struct looking *g, const struct probe *p, unsigned kind,
    bool six)
{
	struct look *l = p->l;
	uint32_t x = p->entry;

	do {
		const struct fit *f = six ? &g->f->entries6[x].f :
		    &g->f->entries4[x].f;
		enum block_check check = f->rank & 3;
		uint32_t rank = f->rank >> 2;
		uint32_t rule = kind == SET_LAST ? g->b->n - 1 - rank : rank;

		if (rank >= l->best)
			return;
		if (seems_to_fit(g, l, x, f, rule, six) &&
		    (check == CHECK_NONE || look_is_match(g, l, rule, check))) {
			l->best = rank;
			return;
		}
		x = f->next;
	} while (x != 0);
}

static ALWAYS_INLINE unsigned
at_a_time(const struct looking *g)
{
	return g->b->n < MANY_RULES ? 1 : PROBES;
}

/*
 * Some tables of each packet; then, where one has been asked, the next one
 * that may still have an answer.
 */
static ALWAYS_INLINE void
ask(const struct looking *g, unsigned kind, unsigned words, bool six)
{
	struct probe probes[BLOCK_AHEAD * PROBES];
	unsigned some = at_a_time(g);
	size_t end = 0, still;

	for (size_t i = 0; i < g->n; i++) {
		open_tables(g, &g->v[i], kind, words);
		for (unsigned k = 0; k < some && fetch_slot(g, &g->v[i], kind,
		    words, &probes[end], six); k++)
			end++;
	}
	for (; end > 0; end = still) {
		still = 0;
		for (size_t i = 0; i < end; i++) {
			compare_entries(g, &probes[i], kind, six);
			still += fetch_slot(g, probes[i].l, kind, words,
			    &probes[still], six);
		}
	}
}

/* ---- all of it ---- */

static ALWAYS_INLINE void
ask_tables(const struct looking *g, unsigned kind, bool six)
{
	switch (g->f->sets[kind].words) {
	case PRUNE_WORDS:
		ask(g, kind, PRUNE_WORDS, six);
		break;
	case 0:		/* so few that places need not tell */
	case 1:
		ask(g, kind, 1, six);
		break;
	default:
		ask(g, kind, 2, six);
	}
}

/* How many are left for other rules. */
static ALWAYS_INLINE size_t
take_quick(const struct looking *g)
{
	size_t left = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct look *l = &g->v[i];
		bool none = l->best == g->b->n;

		l->r->quick = l->best;
		l->best = none ? l->best : 0;
		left += none;
	}
	return left;
}

static ALWAYS_INLINE void
take_last(const struct looking *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].r->quick == g->b->n)
			g->v[i].r->last = g->v[i].best;
}

static ALWAYS_INLINE void
look_up(const struct looking *g, bool six)
{
	size_t left = g->n;

	for (size_t i = 0; i < g->n; i++)
		begin(g, &g->v[i]);
	if (g->b->vectors == NULL || !places_find(g, six))
		find_places(g, six);
	if (g->b->vectors != NULL) {
		vectors_ask(g);
		return;
	}
	know(g);
	if (g->f->sets[SET_QUICK].n != 0) {
		ask_tables(g, SET_QUICK, six);
		left = take_quick(g);
	}
	if (g->f->sets[SET_LAST].n != 0 && left != 0) {
		ask_tables(g, SET_LAST, six);
		take_last(g);
	}
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
	bool six = q->head.af == PFK_AF_INET6;
	struct look v;

	v.q = q;
	v.r = r;
	v.head = strip_key(&q->head);
	v.icmp = strip_is_icmp(&q->head);
	v.k.ports = (uint32_t)q->port[SRC] << 16 | q->port[DST];
	set_addrs(&v, q->addr[SRC], q->addr[DST], six);
	look_up_run(e, b, h, &v, 1, six);
}

/* ---- ahead ---- */

/* What deciding will touch.  If it is clear what that is, it says so. */
static ALWAYS_INLINE void
fetch_rule(const struct pfk_engine *e, struct block *b, uint32_t block,
    const struct look *l)
{
	struct block_found *r = l->r;
	uint32_t rule = r->quick < b->n ? r->quick :
	    r->last < b->n ? b->n - 1 - r->last : b->n;
	const struct rt_rule *rr = &e->rules[b->first + rule];

	PREFETCH(rr);
	r->block = block;
	r->unsettled = &b->unsettled;
	r->end = NULL;
	r->less = r->more = &b->nothing;
	if (r->class == NULL)
		return;
	PREFETCH(&r->class->ends[r->quick]);
	if (!r->sure || r->quick == b->n || !b->begins ||
	    (r->asked < r->quick && !block_walk_ahead(b, l)))
		return;
	r->end = &r->class->ends[r->quick];
	r->rule = b->first + rule;
}

/* What the lane has read of it. */
static ALWAYS_INLINE void
take_lane(const struct pfk_engine *e, const struct lane_if *in,
    const struct pfk_packet *f, const struct lane_packet *p, struct look *l)
{
	l->q = NULL;
	l->lane = p;
	l->icmp = p->echo;
	l->head = p->hash == 0 ? p->key[0] : lane_head(p) |
	    head_of_if(f->ifid, lane_rdomain(e, in, f->ifid));
	l->k.ports = get32(p->hdr);
	if (p->v6)
		set_addrs(l, p->hdr - 32, p->hdr - 16, true);
	else
		set_addrs(l, p->hdr - 8, p->hdr - 4, false);
}

/* Those of a family that follow each other. */
static void
look_up_families(struct pfk_engine *e, struct block *b, struct look *v,
    size_t n)
{
	for (size_t from = 0, end; from < n; from = end) {
		bool six = v[from].lane->v6;

		for (end = from + 1; end < n && v[end].lane->v6 == six; end++)
			;
		look_up_run(e, b, NULL, v + from, end - from, six);
	}
}

void
block_look_ahead(struct pfk_engine *e, uint32_t block,
    const struct lane_if *in, const struct pfk_packet *f,
    const struct lane_packet *p, struct block_ahead *a, size_t n)
{
	struct block *b = e->blocks[block - 1];
	struct look v[BLOCK_AHEAD];
	size_t some = 0;

	if (b->unsettled > UINT32_MAX - 2 * BLOCK_AHEAD)
		block_settle(e, b);
	for (size_t i = 0; i < n; i++) {
		a[i].found.block = 0;
		if (p[i].hdr == NULL || p[i].ref != 0)
			continue;
		take_lane(e, in, &f[i], &p[i], &v[some]);
		v[some++].r = &a[i].found;
	}
	look_up_families(e, b, v, some);
	for (size_t i = 0; i < some; i++)
		fetch_rule(e, b, block, &v[i]);
}
