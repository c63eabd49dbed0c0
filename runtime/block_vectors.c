/*
 * Making the bit vectors of a block (block_vectors.h).
 *
 * Where rules begin and end to take a field's values cuts these into pieces.
 * One vector goes along with them, and what it is at each piece is kept, once
 * for all pieces and fields where it is the same.
 */
#include <stdlib.h>

#include "runtime/block_index.h"
#include "runtime/block_vectors.h"

#define LINE		64u	/* bytes of memory that come together */
#define VECTORS_FIRST	64u
#define FIELDS		6u	/* addresses of both families, ports */
#define PAGES		256u	/* of ports, at most */

/* From that value on the rule takes values, or does not any more. */
struct turn { struct value at; uint32_t rule; };

struct weaving {
	const struct pfk_engine *e;
	struct block	*b;
	struct block_vectors *x;
	const struct box *boxes;
	uint64_t	*v;		/* vectors */
	uint32_t	n, cap;
	uint16_t	*slots;		/* their numbers, by their hash */
	uint32_t	nslots;		/* a power of two */
	struct turn	*turns;
	uint32_t	nturns;
};

/* ---- vectors ---- */

static uint32_t
vector_hash(const uint64_t *v, unsigned words)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < words; i++) {
		h = (h ^ v[i]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

static bool
add_vector(struct weaving *w, const uint64_t *v)
{
	size_t size = w->x->words * sizeof(*v);

	if (w->n == w->cap) {
		uint32_t cap = w->cap == 0 ? VECTORS_FIRST : 2 * w->cap;
		uint64_t *more = e_realloc(w->e, w->v, w->cap * size,
		    cap * size);

		if (more == NULL)
			return false;
		w->v = more;
		w->cap = cap;
	}
	memcpy(w->v + (size_t)w->n++ * w->x->words, v, size);
	return true;
}

/* false: no memory. */
static bool
vector_number(struct weaving *w, const uint64_t *v, uint16_t *number)
{
	unsigned words = w->x->words;
	uint32_t at = vector_hash(v, words) & (w->nslots - 1);

	for (; w->slots[at] != 0; at = (at + 1) & (w->nslots - 1))
		if (memcmp(w->v + (size_t)w->slots[at] * words, v,
		    words * sizeof(*v)) == 0)
			break;
	if (w->slots[at] == 0) {
		if (!add_vector(w, v))
			return false;
		w->slots[at] = (uint16_t)(w->n - 1);
	}
	*number = (uint16_t)(w->slots[at] * (words / VECTOR_UNIT));
	return true;
}

/* ---- where rules begin and end ---- */

static void
add_turns(struct weaving *w, uint32_t rule, const struct value *low,
    const struct value *high)
{
	struct value end = *high;

	w->turns[w->nturns++] = (struct turn){ *low, rule };
	if (++end.w[1] != 0 || ++end.w[0] != 0)
		w->turns[w->nturns++] = (struct turn){ end, rule };
}

static void
find_networks(struct weaving *w, bool six, unsigned side)
{
	w->nturns = 0;
	for (uint32_t i = 0; i < w->b->n; i++) {
		const struct box *x = &w->boxes[i];
		const uint64_t *a = x->addr[side];
		unsigned bits = x->bits[side];
		struct value low = { { a[0], a[1] } };
		struct value high = { { a[0] | ~mask_word(bits), a[1] |
		    ~mask_word(bits > 64 ? bits - 64 : 0) } };

		if (!x->never && (x->af == 0 ||
		    (x->af == PFK_AF_INET6) == six))
			add_turns(w, i, &low, &high);
	}
}

static void
find_ports(struct weaving *w, unsigned side)
{
	w->nturns = 0;
	for (uint32_t i = 0; i < w->b->n; i++) {
		struct value low = port_value(w->boxes[i].low[side]);
		struct value high = port_value(w->boxes[i].high[side]);

		high.w[0] |= UINT64_MAX >> 16;
		high.w[1] = UINT64_MAX;
		if (!w->boxes[i].never)
			add_turns(w, i, &low, &high);
	}
}

static int
compare_turns(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	return value_less(&y->at, &x->at) - value_less(&x->at, &y->at);
}

static bool
weave(struct weaving *w, struct outline *o)
{
	uint64_t now[VECTOR_WORDS] = { 0 };
	struct known k = { .list = 0 };
	struct value at = { { 0, 0 } };
	uint32_t i = 0;

	qsort(w->turns, w->nturns, sizeof(*w->turns), compare_turns);
	do {
		for (; i < w->nturns && !value_less(&at, &w->turns[i].at); i++)
			now[w->turns[i].rule / 64] ^= (uint64_t)1 <<
			    (w->turns[i].rule % 64);
		if (!vector_number(w, now, &k.set[0]) ||
		    !outline_add(w->e, o, &at, &k))
			return false;
		if (i < w->nturns)
			at = w->turns[i].at;
	} while (i < w->nturns);
	return true;
}

/* The outline of a field, turns of which have been found; and its lists. */
static bool
outline_field(struct weaving *w, struct span_list *spans, struct outline *o)
{
	struct outline more = { NULL, 0, 0 };
	bool good = weave(w, o) && spans_make(w->e, w->b, spans, &more) &&
	    outline_join(w->e, o, &more);

	outline_free(w->e, &more);
	return good;
}

/* ---- fields ---- */

static bool
make_addresses(struct weaving *w, bool six, unsigned side,
    struct span_list *spans)
{
	struct outline o = { NULL, 0, 0 };
	bool good;

	find_networks(w, six, side);
	good = outline_field(w, spans, &o) &&
	    index_build(w->e, &w->b->family[six].index[side], &o, six, NULL,
	    w->b->ids);
	outline_free(w->e, &o);
	return good;
}

/* The page of 256 ports from there on; i: the piece before the first. */
static void
fill_page(uint16_t *page, uint32_t port, const struct outline *o, uint32_t *i)
{
	for (uint32_t k = 0; k < 256; k++) {
		struct value v = port_value((uint16_t)(port + k));

		while (*i + 1 < o->n && !value_less(&v, &o->v[*i + 1].at))
			++*i;
		page[k] = (uint16_t)*i;
	}
}

static uint16_t
page_number(struct port_pieces *p)
{
	uint32_t i = p->npages;

	while (i-- > 0)
		if (memcmp(p->pages[i], p->pages[p->npages],
		    sizeof(p->pages[i])) == 0)
			return (uint16_t)i;
	return (uint16_t)p->npages++;
}

static void
shrink_pages(const struct pfk_engine *e, struct port_pieces *p)
{
	size_t size = sizeof(*p->pages);
	void *v = e_realloc(e, p->pages, PAGES * size, p->npages * size);

	if (v == NULL)
		return;
	p->pages = v;
	p->cappages = p->npages;
}

static bool
keep_pages(const struct pfk_engine *e, struct port_pieces *p,
    const struct outline *o, const uint32_t *ids)
{
	uint32_t piece = 0;

	p->n = o->n;
	p->piece = e_alloc(e, p->n * sizeof(*p->piece));
	p->pages = e_alloc(e, PAGES * sizeof(*p->pages));
	p->cappages = PAGES;
	if (p->pages == NULL || p->piece == NULL)
		return false;
	for (uint32_t i = 0; i < o->n; i++)
		p->piece[i] = piece_word(&o->v[i].k, ids);
	for (uint32_t i = 0; i < PAGES; i++) {
		fill_page(p->pages[p->npages], i * 256, o, &piece);
		p->page[i] = page_number(p);
	}
	shrink_pages(e, p);
	return true;
}

static bool
make_ports(struct weaving *w, unsigned side, struct span_list *spans)
{
	struct outline o = { NULL, 0, 0 };
	bool good;

	find_ports(w, side);
	good = outline_field(w, spans, &o) && o.n <= UINT16_MAX &&
	    keep_pages(w->e, &w->x->ports[side], &o, w->b->ids);
	outline_free(w->e, &o);
	return good;
}

/* ---- all of it ---- */

/* Into memory of its own, whose lines are those of the processor. */
static bool
keep_vectors(struct weaving *w)
{
	struct block_vectors *x = w->x;
	size_t size = (size_t)w->n * x->words * sizeof(*w->v);
	unsigned char *v = e_alloc(w->e, size + LINE);

	if (v == NULL)
		return false;
	x->memory = v;
	x->size = size + LINE;
	x->n = w->n;
	v += (0 - (uintptr_t)v) & (LINE - 1);
	memcpy(v, w->v, size);
	x->v = (void *)v;
	return true;
}

static void
read_boxes(struct weaving *w)
{
	struct block_vectors *x = w->x;
	struct block *b = w->b;

	for (uint32_t i = 0; i < b->n; i++) {
		w->b->usual[i].check = w->boxes[i].check;
		if (w->boxes[i].check != CHECK_NONE)
			set_bit(x->checks, i);
		if (bit(b->quick, i))
			x->quick = true;
		else {
			x->last = true;
			set_bit(x->others, i);
		}
	}
}

/* The jump that the test is about; JUMPS: none that vectors tell of. */
static unsigned
jump_of(const uint32_t *test)
{
	bool dst = insn_b(*test) != 0;

	switch ((int)insn_op(*test)) {
	case OP_ADDR4:
	case OP_ADDR6:
		return dst ? JUMP_DST : JUMP_SRC;
	case OP_FLAGS:
		return JUMP_FLAGS;
	case OP_PORT:
		return dst ? JUMP_DPORT : JUMP_SPORT;
	default:
		return JUMPS;
	}
}

static void
set_jump(const struct block *b, uint16_t *to, const uint32_t *pc)
{
	uint32_t rule = block_rule_at(b, pc);

	*to = rule < b->n ? (uint16_t)rule : JUMP_UNKNOWN;
}

/* => Vectors tell all that it asks for. */
static void
read_jumps(const struct block *b, uint32_t rule, struct block_jumps *j)
{
	const uint32_t *w = b->code[rule] + b->usual[rule].head;
	unsigned next = 0, jump;

	for (; insn_op(*w) != OP_DECIDE; w += op_info[insn_op(*w)].length) {
		if (insn_op(*w) == OP_WHOLE)
			continue;	/* packets of blocks are */
		jump = jump_of(w);
		if (jump == JUMPS || jump < next)
			return;
		set_jump(b, &j->to[jump], w + w[1]);
		next = jump + 1;
	}
	set_jump(b, &j->to[JUMP_FITS], b->code[rule + 1]);
}

static void
make_jumps(struct weaving *w)
{
	const struct block *b = w->b;

	memset(w->x->jumps, 0xff, b->n * sizeof(*w->x->jumps));
	for (uint32_t i = 0; i < b->n; i++)
		if (b->usual[i].plain && !w->boxes[i].never &&
		    w->boxes[i].check == CHECK_NONE)
			read_jumps(b, i, &w->x->jumps[i]);
}

static bool
make_fields(struct weaving *w, struct span_list spans[SPANS_COUNT])
{
	static const uint64_t none[VECTOR_WORDS];

	if (!add_vector(w, none))	/* VECTOR_NONE */
		return false;
	for (unsigned side = 0; side < 2; side++)
		if (!make_addresses(w, false, side, &spans[SPANS_SRC4 + side]) ||
		    !make_addresses(w, true, side, &spans[SPANS_SRC6 + side]) ||
		    !make_ports(w, side, &spans[SPANS_SPORT + side]))
			return false;
	return keep_vectors(w);
}

static struct block_vectors *
vectors_new(const struct pfk_engine *e, const struct block *b)
{
	struct block_vectors *x = e_alloc(e, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->words = (unsigned)(bits_size(b->n) / sizeof(*x->v));
	x->others = e_alloc(e, bits_size(b->n));
	x->checks = e_alloc(e, bits_size(b->n));
	x->jumps = e_alloc(e, b->n * sizeof(*x->jumps));
	return x;
}

bool
vectors_make(const struct pfk_engine *e, struct block *b,
    const struct box *boxes, struct span_list spans[SPANS_COUNT])
{
	size_t nturns = 2 * (size_t)b->n;
	struct weaving w = { .e = e, .b = b, .boxes = boxes };
	bool good;

	if ((w.x = b->vectors = vectors_new(e, b)) == NULL ||
	    w.x->others == NULL || w.x->checks == NULL || w.x->jumps == NULL)
		return false;
	/* fields have no more than two pieces for each rule: there is room */
	static_assert((FIELDS * (2 * VECTORS_RULES + 1) + 1) *
	    (VECTOR_WORDS / VECTOR_UNIT) <= UINT16_MAX, "units of vectors");
	for (w.nslots = 16; w.nslots < 2 * FIELDS * (2 * b->n + 1);
	    w.nslots *= 2)
		;
	w.slots = e_alloc(e, w.nslots * sizeof(*w.slots));
	w.turns = e_alloc(e, nturns * sizeof(*w.turns));
	good = w.slots != NULL && w.turns != NULL;
	if (good) {
		read_boxes(&w);
		make_jumps(&w);
		good = make_fields(&w, spans);
	}
	e_free(e, w.v, (size_t)w.cap * w.x->words * sizeof(*w.v));
	e_free(e, w.slots, w.nslots * sizeof(*w.slots));
	e_free(e, w.turns, nturns * sizeof(*w.turns));
	return good;
}

void
vectors_free(const struct pfk_engine *e, struct block *b)
{
	struct block_vectors *x = b->vectors;

	if (x == NULL)
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct port_pieces *p = &x->ports[i];

		e_free(e, p->pages, p->cappages * sizeof(*p->pages));
		e_free(e, p->piece, p->n * sizeof(*p->piece));
	}
	e_free(e, x->others, bits_size(b->n));
	e_free(e, x->checks, bits_size(b->n));
	e_free(e, x->jumps, b->n * sizeof(*x->jumps));
	e_free(e, x->memory, x->size);
	e_free(e, x, sizeof(*x));
}
