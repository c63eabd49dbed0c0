/*
 * Making blocks: what block.c asks.
 */
#include <stdlib.h>

#include "runtime/block_int.h"
#include "runtime/block_vectors.h"
#include "runtime/bytecode.h"

#define IDS_FIRST	64u

static void
make_box(struct box *x, const struct row *r)
{
	memset(x, 0, sizeof(*x));
	x->af = r->af;
	x->check = r->check;
	/* a rule that counts questions is asked, not looked up */
	x->never = r->counts;
	for (unsigned i = 0; i < 2; i++) {
		const struct field *addr = &r->f[F_SRC + i];
		const struct field *port = &r->f[F_SPORT + i];

		x->high[i] = UINT16_MAX;
		if (addr->prefix && !addr->neg) {
			x->bits[i] = addr->bits;
			memcpy(x->addr[i], addr->low.w, sizeof(x->addr[i]));
		}
		if (port->kind == FIELD_INTERVAL && !port->neg) {
			x->low[i] = (uint16_t)(port->low.w[0] >> 48);
			x->high[i] = (uint16_t)(port->high.w[0] >> 48);
			x->never |= x->low[i] > x->high[i];
		}
	}
}

static void
block_free(const struct pfk_engine *e, struct block *b)
{
	size_t n = b->n;

	block_classes_free(e, b);
	vectors_free(e, b);
	for (unsigned i = 0; i < 2; i++) {
		block_tables_free(e, &b->family[i]);
		index_free(e, &b->family[i].index[SRC]);
		index_free(e, &b->family[i].index[DST]);
		index_free(e, &b->ports[i]);
	}
	e_free(e, b->ids, b->capids * sizeof(*b->ids));
	far_free(e, b->usual, n * sizeof(*b->usual));
	far_free(e, b->code, (n + 1) * sizeof(*b->code));
	e_free(e, b->quick, bits_size(b->n));
	e_free(e, b->counts, bits_size(b->n));
	e_free(e, b->always, (n + 1) * sizeof(*b->always));
	e_free(e, b, sizeof(*b));
}

/* Where a place's words of each kind begin. */
static void
set_words(struct block_family *f)
{
	f->sets[SET_QUICK].word = 1;
	f->sets[SET_LAST].word = 1 + f->sets[SET_QUICK].words;
}

/* What is known of a side's addresses: which tables, which rules to ask. */
static bool
make_index(const struct pfk_engine *e, struct block *b, bool six,
    unsigned side, struct span_list *spans)
{
	struct block_family *f = &b->family[six];
	struct outline o = { NULL, 0, 0 }, more = { NULL, 0, 0 };
	struct table_sets sets[SETS];
	bool good = true;

	memset(sets, 0, sizeof(sets));
	for (unsigned kind = 0; good && kind < SETS; kind++)
		good = prune_make(e, f, kind, six, side, &more, &sets[kind]) &&
		    outline_join(e, &o, &more);
	set_words(f);
	good = good && spans_make(e, b, spans, &more) &&
	    outline_join(e, &o, &more) &&
	    index_build(e, &f->index[side], &o, six, sets, b->ids);
	for (unsigned kind = 0; kind < SETS; kind++)
		table_sets_free(e, &sets[kind]);
	outline_free(e, &o);
	outline_free(e, &more);
	return good;
}

static bool
make_ports(const struct pfk_engine *e, struct block *b, unsigned side,
    struct span_list *spans)
{
	static const struct table_sets none[SETS];
	struct outline o = { NULL, 0, 0 };
	bool good = spans_make(e, b, spans, &o) &&
	    index_build(e, &b->ports[side], &o, false, none, b->ids);

	outline_free(e, &o);
	return good;
}

static bool
make_tables(const struct pfk_engine *e, struct block *b,
    const struct box *boxes, struct span_list spans[SPANS_COUNT])
{
	bool good = true;

	for (unsigned six = 0; good && six < 2; six++)
		good = block_tables_make(e, b, boxes, six) &&
		    make_index(e, b, six, SRC, &spans[SPANS_SRC4 + 2 * six]) &&
		    make_index(e, b, six, DST, &spans[SPANS_DST4 + 2 * six]);
	return good && make_ports(e, b, SRC, &spans[SPANS_SPORT]) &&
	    make_ports(e, b, DST, &spans[SPANS_DPORT]);
}

static bool
make_structures(const struct pfk_engine *e, struct block *b,
    const struct box *boxes, struct span_list spans[SPANS_COUNT])
{
	bool good = b->n <= VECTORS_RULES && !e->no_vectors ?
	    vectors_make(e, b, boxes, spans) :
	    make_tables(e, b, boxes, spans);

	b->listed = b->nids > 1;
	return good;
}

/*
 * ---- rules that may lead elsewhere than is usual ----
 *
 * Where a rule's tests lead is compared with where the rule usually leads.  As
 * long as tests lead there as well, only packets that fit all of them can
 * stray: it is enough to ask the rule about those that fit the narrowest one.
 */

static unsigned
which_spans(const struct row *r, enum block_field field)
{
	bool six = r->af == PFK_AF_INET6;

	switch (field) {
	case F_SRC:
		return six ? SPANS_SRC6 : SPANS_SRC4;
	case F_DST:
		return six ? SPANS_DST6 : SPANS_DST4;
	case F_SPORT:
		return SPANS_SPORT;
	case F_DPORT:
	case F_COUNT:
		break;
	}
	return SPANS_DPORT;
}

static const uint32_t *
leads_to(const struct field *f)
{
	return f->test + f->test[1];
}

/* Where the rule usually leads if its head and flags fit. */
static const uint32_t *
usually_to(const struct row *r, bool flags, const uint32_t *next)
{
	for (enum block_field f = 0; f < F_COUNT; f++)
		if ((f == F_SPORT && !flags) ||
		    row_likely(r, f) == LIKELY_UNKNOWN)
			break;
		else if (row_likely(r, f) == LIKELY_MISFIT)
			return leads_to(&r->f[f]);
	return next;
}

/* How few packets fit, roughly, in bits. */
static unsigned
narrowness(const struct field *f, enum block_field field)
{
	unsigned bits = 0;

	if (value_less(&f->high, &f->low))
		return UINT32_MAX;		/* none */
	if (field < F_SPORT)
		return f->prefix ? f->bits : 1;
	/* ports are not as different as addresses */
	for (uint64_t w = (f->high.w[0] - f->low.w[0]) >> 48; w < 0x8000;
	    w = w * 2 + 1)
		bits++;
	return bits / 2;
}

static bool
add_outside(const struct pfk_engine *e, struct span_list *l,
    const struct field *f, uint32_t rule)
{
	static const struct value zero, most = { { UINT64_MAX, UINT64_MAX } };
	struct value below = f->low, above = f->high;

	if ((below.w[0] | below.w[1]) != 0) {
		below.w[0] -= below.w[1]-- == 0;
		if (!span_add(e, l, &zero, &below, rule))
			return false;
	}
	if ((above.w[0] & above.w[1]) == UINT64_MAX)
		return true;
	above.w[0] += ++above.w[1] == 0;
	return span_add(e, l, &above, &most, rule);
}

/* Packets that do not fit where most do. */
static bool
add_misfits(const struct pfk_engine *e, struct span_list *l,
    const struct field *f, uint32_t rule)
{
	return f->neg ? span_add(e, l, &f->low, &f->high, rule) :
	    add_outside(e, l, f, rule);
}

static bool
may_stray(const struct row *r)
{
	for (unsigned f = 0; f < F_COUNT; f++)
		if (r->f[f].far)
			return true;
	return r->counts;
}

enum { STRAYS_ALWAYS = F_COUNT, STRAYS_NEVER };

/*
 * Packets that fit it are those that may stray from where packets usually
 * go whose flags fit or do not; others that do not fit where most do apart.
 */
static unsigned
stray_field(const struct row *r, bool flags, const uint32_t *next)
{
	const uint32_t *to = usually_to(r, flags, next);
	enum block_field last = flags ? F_COUNT : F_SPORT, field;
	unsigned best = STRAYS_ALWAYS;

	for (field = 0; field < last; field++) {
		enum likely likely = row_likely(r, field);

		/* before all others: add_misfits() */
		if (likely == LIKELY_FIT && (best == STRAYS_ALWAYS ||
		    r->f[field].kind == FIELD_ANY))
			continue;
		if (likely == LIKELY_UNKNOWN || leads_to(&r->f[field]) != to)
			return best;
		if (likely == LIKELY_FIT)
			continue;
		if (best == STRAYS_ALWAYS || narrowness(&r->f[field], field) >
		    narrowness(&r->f[best], (enum block_field)best))
			best = field;
	}
	/* what comes then leads to the next rule, or is the match of this */
	if (to == next || (flags && r->quick && r->check == CHECK_NONE))
		return STRAYS_NEVER;
	return best;
}

/* The packets of which the rule must be asked, because they may stray. */
static bool
add_spans(const struct pfk_engine *e, struct block *b, const struct row *r,
    uint32_t rule, struct span_list lists[SPANS_COUNT])
{
	const uint32_t *next = b->code[rule + 1];
	unsigned strays[2] = { STRAYS_NEVER, stray_field(r, true, next) };

	for (enum block_field field = 0; field < F_COUNT; field++)
		if (row_likely(r, field) != LIKELY_FIT)
			break;
		else if (r->f[field].kind != FIELD_ANY &&
		    !add_misfits(e, &lists[which_spans(r, field)],
		    &r->f[field], rule))
			return false;
	if (r->flagset != 0 && (strays[0] = stray_field(r, false, next)) ==
	    strays[1])
		strays[0] = STRAYS_NEVER;
	for (unsigned i = 0; i < 2; i++) {
		enum block_field field = (enum block_field)strays[i];

		if (field < F_COUNT && !span_add(e,
		    &lists[which_spans(r, field)], &r->f[field].low,
		    &r->f[field].high, rule))
			return false;
	}
	if (strays[0] == STRAYS_ALWAYS || strays[1] == STRAYS_ALWAYS)
		b->always[b->nalways++] = rule;
	return true;
}

static unsigned
head_words(const uint32_t *rule)
{
	const uint32_t *w = rule + op_info[OP_RULE].length;

	while (is_head(insn_op(*w)))
		w += op_info[insn_op(*w)].length;
	return (unsigned)(w - rule);
}

/* Whether both ask the same of heads, but for where misfits lead. */
static bool
same_head(const struct pfk_engine *e, const struct block *b, uint32_t i,
    uint32_t k)
{
	const uint32_t *v = b->code[i] + op_info[OP_RULE].length;
	const uint32_t *w = b->code[k] + op_info[OP_RULE].length;

	for (; is_head(insn_op(*v)); v += op_info[insn_op(*v)].length) {
		if (*v != *w || (insn_op(*v) == OP_RDOMAIN && v[2] != w[2]) ||
		    (insn_op(*v) == OP_IFACE &&
		    e->rules[b->first + i].if_index !=
		    e->rules[b->first + k].if_index))
			return false;
		w += op_info[insn_op(*v)].length;
	}
	return !is_head(insn_op(*w));
}

static uint8_t
kind_of(const struct pfk_engine *e, struct block *b, uint32_t rule)
{
	unsigned i = 0;

	while (i < b->nkinds && !same_head(e, b, b->kinds[i], rule))
		i++;
	if (i == b->nkinds && i < KINDS)
		b->kinds[b->nkinds++] = rule;
	return (uint8_t)i;
}

static void
set_usual(struct block *b, const struct row *r, uint32_t i)
{
	struct usual *u = &b->usual[i];
	unsigned head = head_words(b->code[i]);

	for (unsigned flags = 0; flags < 2; flags++)
		u->to[flags] = (uint32_t)(usually_to(r, flags,
		    b->code[i + 1]) - b->code[0]);
	u->flags = r->flags;
	u->flagset = r->flagset;
	u->head = (uint8_t)head;
	u->plain = !r->counts && !r->other && head <= UINT8_MAX;
}

static void
read_into(struct block *b, const struct row *r, uint32_t i)
{
	set_usual(b, r, i);
	b->asks_iface |= r->iface;
	b->asks_rdomain |= r->rdomain;
	b->flagset |= r->flagset;
	if (r->flagset != 0)
		b->protos[0] |= (uint64_t)1 << PROTO_TCP;
	b->protos[r->proto / 64] |= (uint64_t)1 << (r->proto % 64);
	if (r->quick)
		set_bit(b->quick, i);
	if (r->counts)
		set_bit(b->counts, i);
}

/* Of the family and the direction there is always one that asks. */
static void
set_heads(struct block *b)
{
	struct strip_head h = { b->asks_iface ? UINT16_MAX : 0,
	    b->asks_rdomain ? UINT16_MAX : 0, 0, UINT8_MAX, 3, 31, false, 0,
	    0 };

	b->heads[true] = strip_key(&h);
	h.tcp_flags = b->flagset;
	b->heads[false] = strip_key(&h);
}

/* false: no memory, or not such rules. */
static bool
read_rules(const struct pfk_engine *e, struct block *b, struct box *boxes,
    struct span_list lists[SPANS_COUNT])
{
	struct row r;

	for (uint32_t i = 0; i < b->n; i++) {
		if (!row_read(&r, b->code[i], b->code[i + 1]))
			return false;
		make_box(&boxes[i], &r);
		read_into(b, &r, i);
		b->usual[i].kind = kind_of(e, b, i);
		if (may_stray(&r) && !add_spans(e, b, &r, i, lists))
			return false;
	}
	b->always[b->nalways] = NO_RULE;
	set_heads(b);
	return true;
}

/* Where the code of each rule begins; they follow the BLOCK at w. */
static void
find_code(struct block *b, const uint32_t *w)
{
	uint32_t i = 0;

	for (w += op_info[OP_BLOCK].length;; w += op_info[insn_op(*w)].length)
		switch ((int)insn_op(*w)) {
		case OP_RULE:
			if (i < b->n) {
				b->code[i++] = w;
				break;
			}
			/* FALLTHROUGH */
		case OP_BLOCK:
		case OP_END:
			if (i == b->n) {
				b->code[i] = w;
				return;
			}
			break;
		}
}

static bool
fill(const struct pfk_engine *e, struct block *b)
{
	struct span_list lists[SPANS_COUNT] = { { NULL, 0, 0 } };
	struct box *boxes = e_alloc(e, b->n * sizeof(*boxes));
	bool good = boxes != NULL && read_rules(e, b, boxes, lists) &&
	    make_structures(e, b, boxes, lists);

	e_free(e, boxes, b->n * sizeof(*boxes));
	for (unsigned i = 0; i < SPANS_COUNT; i++)
		e_free(e, lists[i].v, lists[i].cap * sizeof(*lists[i].v));
	return good;
}

static struct block *
make_block(struct pfk_engine *e, uint32_t rule, uint32_t n, const uint32_t *w)
{
	struct block *b = e_alloc(e, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->first = rule;
	b->n = n;
	b->wide = strip_wide() && !e->narrow;
	b->usual = far_alloc(e, n * sizeof(*b->usual));
	b->ids = e_alloc(e, IDS_FIRST * sizeof(*b->ids));
	b->code = far_alloc(e, ((size_t)n + 1) * sizeof(*b->code));
	b->quick = e_alloc(e, bits_size(n));
	b->counts = e_alloc(e, bits_size(n));
	b->always = e_alloc(e, ((size_t)n + 1) * sizeof(*b->always));
	if (b->ids != NULL)
		b->capids = IDS_FIRST;
	if (b->usual != NULL && b->code != NULL && b->quick != NULL &&
	    b->counts != NULL && b->always != NULL && b->ids != NULL) {
		b->ids[b->nids++] = NO_RULE;
		find_code(b, w);
		if (fill(e, b))
			return b;
	}
	block_free(e, b);
	return NULL;
}

/* Without a block the rules are asked one by one. */
static bool
add_block(struct pfk_engine *e, uint32_t rule, uint32_t n, const uint32_t *w)
{
	size_t size = sizeof(*e->blocks);
	struct block **v, *b = make_block(e, rule, n, w);

	if (b == NULL)
		return true;
	v = e_realloc(e, e->blocks, e->nblocks * size,
	    (e->nblocks + 1) * size);
	if (v == NULL) {
		block_free(e, b);
		return false;
	}
	e->blocks = v;
	v[e->nblocks] = b;
	e->rules[rule].block = ++e->nblocks;
	return true;
}

/* Whether the rules of the BLOCK stand behind it, each once, in order. */
static bool
in_order(const uint32_t *w, const uint32_t *end)
{
	uint32_t rule = w[2], n = w[3];

	for (w += op_info[OP_BLOCK].length; n > 0 && w < end;
	    w += op_info[insn_op(*w)].length) {
		if (insn_op(*w) == OP_BLOCK)
			return false;
		if (insn_op(*w) == OP_RULE) {
			if (w[2] != rule++)
				return false;
			n--;
		}
	}
	return n == 0;
}

/*
 * A block whose rules are not what a block is about is none: then its rules
 * are asked one by one.  false: no memory.
 */
bool
blocks_add(struct pfk_engine *e, const uint32_t *code, uint32_t ncode,
    uint32_t base)
{
	const uint32_t *w, *end = code + ncode;

	for (w = code; w < end; w += op_info[insn_op(*w)].length)
		if (insn_op(*w) == OP_BLOCK && w[3] > 1 &&
		    w[3] <= BLOCK_RULES &&
		    e->rules[base + w[2]].block == 0 && in_order(w, end) &&
		    image_block_length(e->rules[base + w[2]].r, w[3]) ==
		    w[3] && !add_block(e, base + w[2], w[3], w))
			return false;
	return true;
}

uint32_t
block_first(const struct pfk_engine *e, const uint32_t *code, uint32_t ncode,
    uint32_t base)
{
	const uint32_t *w, *end = code + ncode;

	for (w = code; w < end; w += op_info[insn_op(*w)].length)
		if (insn_op(*w) == OP_BLOCK &&
		    e->rules[base + w[2]].block != 0 &&
		    e->rules[base + w[2]].strip == 0) {
			uint32_t block = e->rules[base + w[2]].block;

			e->blocks[block - 1]->begins = w == code;
			return block;
		}
	return 0;
}

void
blocks_free(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nblocks; i++)
		block_free(e, e->blocks[i]);
	e_free(e, e->blocks, e->nblocks * sizeof(*e->blocks));
	e->blocks = NULL;
	e->nblocks = 0;
}
