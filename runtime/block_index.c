/*
 * Where a value lies among pieces.
 *
 * What is known of an address or a port (struct known) changes at certain
 * values, which stand in order.  A tree of arrays leads to the one that is
 * next below: a node looks at some bits of the value, as many as make a cell
 * or two for each of its pieces, and a cell leads to another node or to a place
 * in the order, of which no more than INDEX_LEAF values are left.
 *
 *	node	first ... end: its pieces; bits above are the same for all of
 *		them, what is not between low and high belongs before or
 *		behind
 *	cell	INDEX_INNER | node, or the piece from which on to compare;
 *		that at 0 leads to the root
 *
 * 100,000 different addresses take two or three reads, half of them from
 * arrays that stay in the cache; memory is linear, whatever the addresses.
 */
#include "runtime/block_int.h"
#include "runtime/block_index.h"

#define STRIDE		16	/* bits of a node at most */
#define WIDE		2u	/* cells for each piece of a node, about */
#define CELLS		8u	/* the same, of all nodes, at most */

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

/* ---- nodes ---- */

struct planting {
	const struct pfk_engine *e;
	struct block_index *x;
	const struct outline *o;
};

static unsigned
leading_zeros(uint64_t w)
{
	return w == 0 ? 64 : 63 - strip_highest(w);
}

/* Bits in front that are the same. */
static unsigned
common_bits(const struct value *a, const struct value *b)
{
	unsigned n = leading_zeros(a->w[0] ^ b->w[0]);

	return n < 64 ? n : 64 + leading_zeros(a->w[1] ^ b->w[1]);
}

static bool
add_cells(const struct planting *p, uint32_t n, uint32_t *at)
{
	struct block_index *x = p->x;

	if (x->capcells - x->ncells < n) {
		uint32_t cap = 2 * x->capcells + n;
		uint32_t *v = e_realloc(p->e, x->cells,
		    x->capcells * sizeof(*v), cap * sizeof(*v));

		if (v == NULL)
			return false;
		x->cells = v;
		x->capcells = cap;
	}
	*at = x->ncells;
	x->ncells += n;
	return true;
}

static bool
add_node(const struct planting *p, const struct index_node *node, uint32_t *at)
{
	struct block_index *x = p->x;

	if (x->nnodes == x->capnodes) {
		uint32_t cap = 2 * x->capnodes + 1;
		struct index_node *v = e_realloc(p->e, x->nodes,
		    x->capnodes * sizeof(*v), cap * sizeof(*v));

		if (v == NULL)
			return false;
		x->nodes = v;
		x->capnodes = cap;
	}
	*at = x->nnodes;
	x->nodes[x->nnodes++] = *node;
	return true;
}

/*
 * The bits that it looks at: behind those that are the same for all, as many
 * as make a cell or two for each piece.
 */
static struct index_node
plan_node(const struct planting *p, uint32_t first, uint32_t end,
    unsigned known)
{
	struct index_node node;
	unsigned depth, bits = 1;

	memset(&node, 0, sizeof(node));
	node.first = first;
	node.end = end;
	node.low = p->o->v[first].at;
	node.high = p->o->v[end - 1].at;
	depth = common_bits(&node.low, &node.high);
	node.skips = depth > known;
	while (bits < STRIDE && (1u << bits) < WIDE * (end - first))
		bits++;
	if (p->x->ncells / CELLS > p->o->n)
		bits = 3;		/* they are unusual: slower, not larger */
	node.word = depth >= 64;
	depth %= 64;
	if (bits > 64 - depth)
		bits = 64 - depth;
	node.shift = (uint8_t)(64 - depth - bits);
	node.mask = (1u << bits) - 1;
	return node;
}

static bool plant(const struct planting *, uint32_t first, uint32_t end,
    unsigned known, uint32_t *cell);

static bool
fill_cells(const struct planting *p, const struct index_node *node,
    uint32_t cells)
{
	unsigned known = 64u * (node->word + 1u) - node->shift;
	uint32_t i = node->first, end, cell;

	for (uint32_t c = 0; c <= node->mask; c++) {
		for (end = i; end < node->end && node_cell(node,
		    &p->o->v[end].at) == c; end++)
			;
		if (!plant(p, i, end, known, &cell))
			return false;
		p->x->cells[cells + c] = cell;
		i = end;
	}
	return true;
}

/*
 * A cell that leads to the pieces, and to the one before them.  known: bits
 * that have been looked at.
 */
static bool
plant(const struct planting *p, uint32_t first, uint32_t end, unsigned known,
    uint32_t *cell)
{
	struct index_node node;
	uint32_t at, cells;

	*cell = first - 1;
	if (end - first <= INDEX_LEAF)
		return true;
	node = plan_node(p, first, end, known);
	if (!add_cells(p, INDEX_BELOW + node.mask + 1, &cells))
		return false;
	node.cells = cells += INDEX_BELOW;
	p->x->cells[cells - INDEX_BELOW] = first - 1;
	p->x->cells[cells - INDEX_ABOVE] = end - 1;
	if (!add_node(p, &node, &at))
		return false;
	*cell = INDEX_INNER | at;
	return fill_cells(p, &node, cells);
}

/* ---- all of it ---- */

static size_t
pieces_size(const struct block_index *x)
{
	return ((size_t)x->n + INDEX_LEAF + 1) * (x->six ? sizeof(*x->v6) :
	    sizeof(*x->v4));
}

/* Behind the last one stand some that no value comes to. */
static void
copy_pieces(struct block_index *x, const struct outline *o)
{
	for (uint32_t i = 0; i < x->n + INDEX_LEAF + 1; i++) {
		bool past = i >= x->n;
		struct value at = past ? (struct value){ { UINT64_MAX,
		    UINT64_MAX } } : o->v[i].at;
		struct known k = o->v[past ? x->n - 1 : i].k;

		if (x->six) {
			memcpy(x->v6[i].at, at.w, sizeof(at.w));
			x->v6[i].k = k;
		} else {
			x->v4[i].at = (uint32_t)(at.w[0] >> 32);
			x->v4[i].k = k;
		}
	}
}

/* => There is at least one node, for those who have none to ask. */
static bool
plant_root(const struct planting *p)
{
	static const struct index_node none;
	uint32_t at, root;

	if (!add_cells(p, 1, &at) || !plant(p, 1, p->x->n, 0, &root))
		return false;
	p->x->cells[0] = root;
	return p->x->nnodes != 0 || add_node(p, &none, &at);
}

bool
index_build(const struct pfk_engine *e, struct block_index *x,
    struct outline *o, bool six)
{
	static const struct value zero;
	static const struct known nothing;
	struct planting p = { e, x, o };
	void *v;

	if (o->n == 0 && !outline_add(e, o, &zero, &nothing))
		return false;
	x->six = six;
	x->n = o->n;
	if ((v = e_alloc(e, pieces_size(x))) == NULL) {
		x->n = 0;
		return false;
	}
	if (six)
		x->v6 = v;
	else
		x->v4 = v;
	copy_pieces(x, o);
	return plant_root(&p);
}

void
index_free(const struct pfk_engine *e, struct block_index *x)
{
	if (x->n != 0)
		e_free(e, x->six ? (void *)x->v6 : (void *)x->v4,
		    pieces_size(x));
	e_free(e, x->cells, x->capcells * sizeof(*x->cells));
	e_free(e, x->nodes, x->capnodes * sizeof(*x->nodes));
}
