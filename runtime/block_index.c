/*
 * Where a value lies among pieces.
 *
 * What is known of an address or a port (struct known) changes at certain
 * values, which stand in order.  Pieces of which the same is known are one
 * place.  A tree of arrays leads to the place: a node looks at some bits of the
 * value and counts cells by them; a cell leads to another node, or to a leaf:
 * the few numbers at which what is known changes there, and behind them, in
 * the same line of memory, the places between them (block_index.h draws a
 * cell).
 *
 *	m[0]	inside of what almost all pieces have in front
 *	m[1]	below and above that
 *	m[8]...	places; nodes' cells; leaves, none of which lies in two lines
 *		if one is enough
 *
 * A leaf compares 32 bits.  Where more tell pieces apart it leads on to a cell
 * for the bits behind them; and where many bits are the same, a leaf is cheaper
 * than nodes.  100,000 different addresses take two or three reads; memory is
 * linear, whatever the addresses.
 */
#include "runtime/block_int.h"
#include "runtime/block_index.h"
#include "runtime/block_vectors.h"

#define STRIDE		16	/* bits of a node at most */
#define WIDE		2u	/* cells for each piece of a node, about */
#define KNOWN_MOST	31	/* bits in front that are told apart at once */
#define SKIP		3u	/* bits in front that are the same: a leaf */
#define CELLS		8u	/* for each piece, of all nodes, at most */
#define LINE		8u	/* cells in a line of memory */
#define SLACK		8u	/* may be read behind the last leaf */

/* ---- outlines ---- */

static bool
known_same(const struct known *a, const struct known *b)
{
	bool same = a->list == b->list;

	for (unsigned i = 0; i < SETS; i++)
		same = same && a->set[i] == b->set[i];
	return same;
}

/* => `at' never goes down; of pieces that begin there the last one holds. */
bool
outline_add(const struct pfk_engine *e, struct outline *o,
    const struct value *at, const struct known *k)
{
	if (o->n > 0 && !value_less(&o->v[o->n - 1].at, at))
		o->n--;
	if (o->n > 0 && known_same(&o->v[o->n - 1].k, k))
		return true;
	if (o->n == o->cap) {
		uint32_t cap = o->cap == 0 ? 16 : o->cap * 2;
		void *v = e_realloc(e, o->v, o->cap * sizeof(*o->v),
		    cap * sizeof(*o->v));

		if (v == NULL)
			return false;
		o->v = v;
		o->cap = cap;
	}
	o->v[o->n].at = *at;
	o->v[o->n++].k = *k;
	return true;
}

void
outline_free(const struct pfk_engine *e, struct outline *o)
{
	e_free(e, o->v, o->cap * sizeof(*o->v));
	memset(o, 0, sizeof(*o));
}

static struct known
both_known(const struct known *a, const struct known *b)
{
	struct known k = { .list = a->list | b->list };

	for (unsigned i = 0; i < SETS; i++)
		k.set[i] = a->set[i] | b->set[i];
	return k;
}

/* => Of each field only one of both knows something. */
bool
outline_join(const struct pfk_engine *e, struct outline *a, struct outline *b)
{
	struct outline o = { NULL, 0, 0 };
	uint32_t i = 0, j = 0;
	bool good = true;

	while (good && a->n > 0 && b->n > 0 && (i < a->n || j < b->n)) {
		bool from_b = i == a->n || (j < b->n &&
		    value_less(&b->v[j].at, &a->v[i].at));
		struct value at = from_b ? b->v[j].at : a->v[i].at;
		struct known k;

		i += !from_b;
		j += from_b;
		if (i == 0 || j == 0)	/* both begin at 0 */
			continue;
		k = both_known(&a->v[i - 1].k, &b->v[j - 1].k);
		good = outline_add(e, &o, &at, &k);
	}
	if (a->n == 0 || b->n == 0) {
		o = a->n == 0 ? *b : *a;
		outline_free(e, a->n == 0 ? a : b);
	} else {
		outline_free(e, a);
		outline_free(e, b);
	}
	*a = o;
	memset(b, 0, sizeof(*b));
	return good;
}

/* ---- places ---- */

/* Pieces of which the same is known, and their numbers. */
struct places {
	uint32_t	*place;		/* of pieces */
	struct known	*known;		/* of places */
	uint32_t	*slots;
	uint32_t	n, nslots;
};

static uint32_t
known_hash(const struct known *k)
{
	uint64_t h = k->list;

	for (unsigned i = 0; i < SETS; i++)
		h = (h ^ k->set[i]) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

static uint32_t
place_of(struct places *s, const struct known *k)
{
	uint32_t at = known_hash(k) & (s->nslots - 1), i;

	for (; (i = s->slots[at]) != 0; at = (at + 1) & (s->nslots - 1))
		if (known_same(&s->known[i - 1], k))
			return i - 1;
	s->known[s->n] = *k;
	s->slots[at] = ++s->n;
	return s->n - 1;
}

static bool
find_places(const struct pfk_engine *e, struct places *s,
    const struct outline *o)
{
	for (s->nslots = 4; s->nslots < 2 * o->n; s->nslots *= 2)
		;
	s->place = e_alloc(e, o->n * sizeof(*s->place));
	s->known = e_alloc(e, o->n * sizeof(*s->known));
	s->slots = e_alloc(e, s->nslots * sizeof(*s->slots));
	if (s->place == NULL || s->known == NULL || s->slots == NULL)
		return false;
	for (uint32_t i = 0; i < o->n; i++)
		s->place[i] = place_of(s, &o->v[i].k);
	return true;
}

static void
places_free(const struct pfk_engine *e, struct places *s, uint32_t pieces)
{
	e_free(e, s->place, pieces * sizeof(*s->place));
	e_free(e, s->known, pieces * sizeof(*s->known));
	e_free(e, s->slots, s->nslots * sizeof(*s->slots));
}

/* ---- making one ---- */

struct planting {
	const struct pfk_engine *e;
	struct block_index *x;
	const struct outline *o;
	const struct places *s;
	uint64_t	*m;
	uint32_t	n, cap;
	uint32_t	nodes;		/* cells of nodes */
	unsigned	bits;		/* of values: 32, 128 */
};

/* What a cell is to lead to: some pieces, in order. */
struct plot {
	uint32_t	first, end;	/* those that begin in there; the one
					   before them is that of the start */
	struct value	start;
	unsigned	known;		/* bits of it that all values have */
	unsigned	level;		/* nodes above, if there are but nodes */
};
#define NO_LEVEL	1000u

static unsigned
leading_zeros(uint64_t w)
{
	return w == 0 ? 64 : 63 - highest_bit(w);
}

/* Bits in front that are the same. */
static unsigned
common_bits(const struct value *a, const struct value *b)
{
	unsigned n = leading_zeros(a->w[0] ^ b->w[0]);

	return n < 64 ? n : 64 + leading_zeros(a->w[1] ^ b->w[1]);
}

/* Some more cells; 0: no memory. */
static uint32_t
add_cells(struct planting *p, uint32_t n)
{
	uint32_t at = p->n;

	if (p->cap - p->n < n) {
		uint32_t cap = 2 * p->cap + n;
		uint64_t *m = e_realloc(p->e, p->m, p->cap * sizeof(*m),
		    cap * sizeof(*m));

		if (m == NULL)
			return 0;
		p->m = m;
		p->cap = cap;
	}
	memset(p->m + at, 0, n * sizeof(*p->m));
	p->n += n;
	return at;
}

/* Where the piece's place is. */
static uint32_t
place_at(const struct planting *p, uint32_t piece)
{
	return INDEX_PLACES + p->s->place[piece] * p->x->stride;
}

static bool plant(struct planting *, struct plot, uint32_t at);

/* ---- leaves ---- */

/*
 * Stretches of a leaf, by what 32 bits of a word see of the pieces: the
 * stretch that begins at `number' leads to pieces that are told apart by what
 * comes behind, or to one.
 */
struct stretch { uint32_t number, first, end; bool whole; };
struct leaf {
	struct stretch	v[INDEX_LEAF + 2];
	unsigned	n;
	unsigned	word, shift;
};

static bool
is_whole(const struct value *v, const struct leaf *l)
{
	return (v->w[l->word] & (((uint64_t)1 << l->shift) - 1)) == 0 &&
	    (l->word == 1 || v->w[1] == 0);
}

static void
add_stretch(struct leaf *l, uint32_t number, uint32_t first, uint32_t end)
{
	if (l->n < sizeof(l->v) / sizeof(l->v[0]))
		l->v[l->n++] = (struct stretch){ number, first, end,
		    first == end };
}

static uint32_t
number_of(const struct planting *p, const struct leaf *l, uint32_t i)
{
	return (uint32_t)(p->o->v[i].at.w[l->word] >> l->shift);
}

/* Whether the number still belongs to the plot. */
static bool
goes_on(const struct plot *t, const struct leaf *l, uint32_t number)
{
	unsigned bits = t->known - 64 * l->word;
	uint64_t last = bits == 0 ? UINT64_MAX : t->start.w[l->word] |
	    UINT64_MAX >> bits;

	return number != (uint32_t)(last >> l->shift);
}

/* false: there are too many. */
static bool
find_stretches(const struct planting *p, const struct plot *t, struct leaf *l)
{
	uint32_t i = t->first, end;

	for (l->n = 0; i < t->end && l->n <= INDEX_LEAF; i = end) {
		uint32_t number = number_of(p, l, i);

		for (end = i + 1; end < t->end &&
		    number_of(p, l, end) == number; end++)
			;
		if (end == i + 1 && is_whole(&p->o->v[i].at, l)) {
			add_stretch(l, number, i, i);
			continue;
		}
		add_stretch(l, number, i, end);
		if (goes_on(t, l, number) && (end == t->end ||
		    number_of(p, l, end) != number + 1))
			add_stretch(l, number + 1, end - 1, end - 1);
	}
	return i == t->end && l->n <= INDEX_LEAF;
}

/* Where it may begin: not across the end of a line if one is enough. */
static uint32_t
add_leaf(struct planting *p, unsigned n)
{
	uint32_t left = LINE - p->n % LINE, size = n + 2;

	if (size > left && add_cells(p, left) == 0)
		return 0;
	return add_cells(p, size);
}

static void
put_word(struct planting *p, uint32_t at, unsigned i, uint32_t v)
{
	memcpy((unsigned char *)&p->m[at] + i * sizeof(v), &v, sizeof(v));
}

/* What lies in there is told apart by bits behind those of the leaf. */
static bool
plant_stretch(struct planting *p, const struct plot *t, const struct leaf *l,
    unsigned i, uint32_t *to)
{
	const struct stretch *s = &l->v[i];
	struct plot in = *t;

	if (s->whole) {
		*to = place_at(p, s->first);
		return true;
	}
	in.first = s->first;
	in.end = s->end;
	in.known = 64 * (l->word + 1) - l->shift;
	in.level = NO_LEVEL;
	in.start = p->o->v[s->first].at;
	in.start.w[l->word] &= ~(((uint64_t)1 << l->shift) - 1);
	if (l->word == 0)
		in.start.w[1] = 0;
	if ((*to = add_cells(p, 1)) == 0 || !plant(p, in, *to))
		return false;
	if (!cell_is_node(p->m[*to]))	/* it is there once more */
		*to = (uint32_t)p->m[*to];
	*to |= INDEX_INNER;
	return true;
}

static bool
plant_leaf(struct planting *p, const struct plot *t, const struct leaf *l,
    uint32_t cell)
{
	uint32_t at = add_leaf(p, l->n), to;

	if (at == 0)
		return false;
	p->m[cell] = p->m[at] = (uint64_t)l->n << CELL_REACHED |
	    (uint64_t)l->word << CELL_WORD | (uint64_t)l->shift << CELL_SHIFT |
	    at;
	put_word(p, at + 1, l->n, place_at(p, t->first - 1));
	for (unsigned i = 0; i < l->n; i++) {
		if (!plant_stretch(p, t, l, i, &to))
			return false;
		put_word(p, at + 1, i, l->v[i].number ^ INDEX_SIGN);
		put_word(p, at + 1, l->n + 1 + i, to);
	}
	return true;
}

/* ---- nodes ---- */

/* As many bits as make a cell or two for each piece, about. */
static unsigned
node_bits(const struct planting *p, const struct plot *t)
{
	unsigned bits = 2, left = (p->bits < 64 ? p->bits : 64) - t->known % 64;

	while (bits < STRIDE && (1u << bits) < WIDE * (t->end - t->first))
		bits++;
	if (p->nodes / CELLS > p->o->n)
		bits = 3;		/* they are unusual: slower, not larger */
	return bits < left ? bits : left;
}

static bool
fill_cells(struct planting *p, const struct plot *t, unsigned bits,
    uint32_t cells)
{
	unsigned word = t->known / 64, shift = 64 - t->known % 64 - bits;
	struct plot in = *t;

	in.known = t->known + bits;
	in.level = t->level == NO_LEVEL ? NO_LEVEL : t->level + 1;
	for (uint64_t c = 0; c < (uint64_t)1 << bits; c++) {
		in.start.w[word] = t->start.w[word] | c << shift;
		for (in.end = in.first; in.end < t->end &&
		    ((p->o->v[in.end].at.w[word] ^ in.start.w[word]) >>
		    shift) == 0; in.end++)
			;
		if (!plant(p, in, cells + (uint32_t)c))
			return false;
		in.first = in.end;
	}
	return true;
}

static bool
plant_node(struct planting *p, const struct plot *t, uint32_t cell)
{
	unsigned bits = node_bits(p, t);
	uint32_t n = 1u << bits, cells = add_cells(p, n);

	if (cells == 0)
		return false;
	p->nodes += n;
	if (t->level != NO_LEVEL && t->level >= p->x->depth)
		p->x->depth = t->level + 1;
	p->m[cell] = (uint64_t)(n - 1) << CELL_MASK |
	    (uint64_t)(t->known / 64) << CELL_WORD |
	    (uint64_t)(64 - t->known % 64 - bits) << CELL_SHIFT | cells;
	return fill_cells(p, t, bits, cells);
}

/* A leaf that looks at the next 32 bits, or as few as to stand before `end'. */
static struct leaf
leaf_before(const struct plot *t, unsigned end)
{
	struct leaf l = { .word = t->known / 64 };
	unsigned bits = t->known % 64 + 32;

	if (64 * l.word + bits > end)
		bits = end - 64 * l.word;
	l.shift = bits < 64 ? 64 - bits : 0;
	return l;
}

static bool
plant(struct planting *p, struct plot t, uint32_t at)
{
	struct leaf l = leaf_before(&t, p->bits);
	unsigned common;

	while (t.first < t.end && !value_less(&t.start,
	    &p->o->v[t.first].at))
		t.first++;
	if (t.first == t.end) {
		p->m[at] = place_at(p, t.first - 1);
		return true;
	}
	if (find_stretches(p, &t, &l))
		return plant_leaf(p, &t, &l, at);
	common = common_bits(&p->o->v[t.first].at, &p->o->v[t.end - 1].at);
	if (common > t.known + SKIP) {
		l = leaf_before(&t, common);
		if (find_stretches(p, &t, &l))
			return plant_leaf(p, &t, &l, at);
	}
	return plant_node(p, &t, at);
}

/* ---- all of it ---- */

/*
 * What almost all pieces have in front: the first one, which begins at zero,
 * does not, and the last one need not if it begins right behind the others.
 */
static struct plot
inside_plot(const struct outline *o, struct block_index *x)
{
	struct plot t = { .first = 1, .end = o->n };
	unsigned bits = common_bits(&o->v[1].at, &o->v[o->n - 1].at);
	uint32_t last = o->n - 1;

	if (bits < KNOWN_MOST && o->n > 2) {
		unsigned more = common_bits(&o->v[1].at, &o->v[last - 1].at);
		uint64_t end;

		more = more < KNOWN_MOST ? more : KNOWN_MOST;
		end = (o->v[1].at.w[0] | ~mask_word(more)) + 1;
		if (more > bits && o->v[last].at.w[0] == end &&
		    o->v[last].at.w[1] == 0) {
			bits = more;
			t.end--;
		}
	}
	t.known = bits < KNOWN_MOST ? bits : KNOWN_MOST;
	x->top_mask = mask_word(t.known);
	x->top = o->v[1].at.w[0] & x->top_mask;
	t.start.w[0] = x->top;
	return t;
}

/* Below and above that. */
static bool
plant_outside(struct planting *p)
{
	struct leaf l = { .n = 0, .shift = 32 };
	struct plot all = { .first = 1 };
	uint64_t above = (p->x->top | ~p->x->top_mask) + 1;

	if (above == 0 || p->x->top_mask == 0) {
		p->m[INDEX_OUTSIDE] = place_at(p, 0);
		return true;
	}
	add_stretch(&l, (uint32_t)(above >> 32), p->o->n - 1, p->o->n - 1);
	return plant_leaf(p, &all, &l, INDEX_OUTSIDE);
}

static uint64_t *
add_words(uint64_t *w, const struct table_sets *sets, unsigned set)
{
	if (sets->words != 0)
		memcpy(w, sets->v[set].w, sets->words * sizeof(*w));
	return w + sets->words;
}

/*
 * Words of sets, those of quick rules first; a list, if any has one, last, and
 * the first of its rules.
 */
static void
put_places(struct planting *p, const struct table_sets *sets,
    const uint32_t *ids)
{
	struct block_index *x = p->x;

	for (uint32_t i = 0; i < p->s->n; i++) {
		const struct known *k = &p->s->known[i];
		uint32_t at = INDEX_PLACES + i * x->stride;
		uint64_t *w = &p->m[at];

		*w++ = at;
		if (sets == NULL) {
			*w = piece_word(k, ids);
			continue;
		}
		for (unsigned kind = 0; kind < SETS; kind++)
			w = add_words(w, &sets[kind], k->set[kind]);
		if (x->listed)
			p->m[at + x->stride - 1] = k->list |
			    (uint64_t)ids[k->list] << INDEX_FIRST;
	}
}

static unsigned
stride_of(const struct block_index *x, const struct table_sets *sets)
{
	unsigned n = 1 + x->listed;

	if (sets == NULL)
		return 2;
	for (unsigned k = 0; k < SETS; k++)
		n += sets[k].words;
	return n == 3 ? 4 : n > 4 ? (n + 7) & ~7u : n;
}

static bool
plant_places(struct planting *p, const struct table_sets *sets,
    const uint32_t *ids)
{
	struct block_index *x = p->x;

	x->nplaces = p->s->n;
	for (uint32_t i = 0; i < p->s->n; i++)
		x->listed |= p->s->known[i].list != 0;
	x->stride = stride_of(x, sets);
	if ((add_cells(p, INDEX_PLACES + p->s->n * x->stride) != 0) ||
	    p->n == 0)
		return false;
	put_places(p, sets, ids);
	return true;
}

static bool
plant_all(struct planting *p)
{
	struct plot inside;

	if (p->o->n == 1) {
		p->m[INDEX_INSIDE] = place_at(p, 0);
		return true;
	}
	inside = inside_plot(p->o, p->x);
	return plant_outside(p) && plant(p, inside, INDEX_INSIDE);
}

/* Into memory of its own, whose lines are those of the processor. */
static bool
keep_cells(struct planting *p)
{
	struct block_index *x = p->x;
	size_t size = (p->n + SLACK) * sizeof(*p->m);

	static_assert(LINE * sizeof(*p->m) == FAR_LINE, "a line");
	if ((x->m = far_alloc(p->e, size)) == NULL)
		return false;
	x->size = size;
	memcpy(x->m, p->m, p->n * sizeof(*p->m));
	x->root = x->m[INDEX_INSIDE];
	return true;
}

bool
index_build(const struct pfk_engine *e, struct block_index *x,
    struct outline *o, bool six, const struct table_sets *sets,
    const uint32_t *ids)
{
	static const struct value zero;
	static const struct known nothing;
	struct planting p = { .e = e, .x = x, .o = o,
	    .bits = six ? 128 : 32 };
	struct places s = { .n = 0 };
	bool good;

	if (o->n == 0 && !outline_add(e, o, &zero, &nothing))
		return false;
	x->n = o->n;
	p.s = &s;
	good = find_places(e, &s, o) && plant_places(&p, sets, ids) &&
	    plant_all(&p) && keep_cells(&p);
	e_free(e, p.m, p.cap * sizeof(*p.m));
	places_free(e, &s, o->n);
	return good;
}

void
index_free(const struct pfk_engine *e, struct block_index *x)
{
	far_free(e, x->m, x->size);
}
