/*
 * Asking a block of rules.
 *
 * Which rule matches is looked up (block_look.c): among few in bit vectors
 * (block_vectors.c), among many in hash tables over lengths of prefixes
 * (block_table.c).
 *
 * These, and not a decision tree: rules with wildcards are never copied, so
 * memory is linear in the rules and building takes a fraction of a second for
 * 100,000; a tree is faster only as long as rules do not overlap.
 *
 * Which rules pf would have evaluated is the second question.  It is answered
 * by the class (block_class.c), but for the rules about which the packet may
 * stray from the usual way: those are found by its addresses and ports
 * (block_spans.c) and asked, in order, as far as it comes.  pf's skip steps
 * never lead past a rule that matches.
 */
#include "runtime/block_looking.h"
#include "runtime/block_vectors.h"

struct asker {
	struct block	*b;
	struct block_class *c;
	struct strip_ask *q;
	const struct block_help *h;
};

/* Where to go on when a quick rule has matched: nobody does. */
#define DECIDED(b)	((b)->code[0])

/* ---- one rule ---- */

static bool
addr_fits(const struct strip_ask *q, const uint32_t *w, unsigned words)
{
	uint32_t v[4], odd = 0;

	memcpy(v, q->addr[insn_b(*w) != 0], words * sizeof(*v));
	for (unsigned i = 0; i < words; i++)
		odd |= (v[i] ^ w[2 + i]) & w[2 + words + i];
	return odd == 0;
}

/* Of a rule that asks no more than that, and whose head fits. */
static bool
test_fits(const struct strip_ask *q, const uint32_t *w)
{
	bool icmp = is_icmp(q->head.proto);
	unsigned a = insn_a(*w), b = insn_b(*w);

	switch ((int)insn_op(*w)) {
	case OP_ADDR4:
		return addr_fits(q, w, 1) != a;
	case OP_ADDR6:
		return addr_fits(q, w, 4) != a;
	case OP_FLAGS:
		return q->head.proto != PROTO_TCP ||
		    (q->head.tcp_flags & b) == a;
	case OP_PORT:
		return img_compare(a, w[2] & 0xffff, w[2] >> 16,
		    q->port[b != 0]);
	case OP_ICMP:
		return !icmp || icmp_wanted(w[2], q->head.icmp_type,
		    q->head.icmp_code);
	case OP_QUERY:
		return !icmp || q->head.begins;
	default:
		return true;
	}
}

const uint32_t *
block_misfit(const struct block *b, uint32_t rule, const struct strip_ask *q)
{
	const uint32_t *w = b->code[rule] + b->usual[rule].head;

	for (; insn_op(*w) != OP_DECIDE; w += op_info[insn_op(*w)].length)
		if (!test_fits(q, w))
			return w + w[1];
	return NULL;
}

static const uint32_t *
misfit(const struct asker *a, uint32_t rule)
{
	return a->b->usual[rule].plain ? block_misfit(a->b, rule, a->q) :
	    a->h->misfit(a->h->ctx, a->b->first + rule, a->b->code[rule]);
}

/* ---- the way ---- */

enum { LISTS = 5 };

/* Rules that must be asked, in order: lists that end with NO_RULE. */
struct lists {
	const uint32_t	*at[LISTS];
	unsigned	n;		/* there is mostly one */
};

static inline void
add_list(struct lists *l, const uint32_t *list)
{
	l->at[l->n] = list;
	l->n += *list != NO_RULE;
}

static inline void
find_lists(const struct block *b, const struct block_found *r,
    struct lists *l)
{
	const uint32_t *v = r->list;
	unsigned some = 0;

	for (unsigned i = 0; i + 1 < LISTS; i++)
		some += v[i] != 0;
	l->n = 1;
	l->at[0] = &b->ids[v[0] | v[1] | v[2] | v[3]];
	if (some == 1 && b->nalways == 0)	/* mostly */
		return;
	l->n = 0;
	for (unsigned i = 0; i + 1 < LISTS; i++)
		add_list(l, &b->ids[r->list[i]]);
	add_list(l, b->always);
}

/* Of several lists; one rule may be in more than one. */
static uint32_t
least_of(struct lists *l)
{
	uint32_t least = NO_RULE;

	for (unsigned i = 0; i < l->n; i++)
		least = *l->at[i] < least ? *l->at[i] : least;
	for (unsigned i = 0; i < l->n; i++)
		l->at[i] += (*l->at[i] == least) & (least != NO_RULE);
	return least;
}

static inline uint32_t
next_of(struct lists *l)
{
	if (l->n == 1)		/* nobody reads on behind the end */
		return *l->at[0]++;
	return least_of(l);
}

/* Whether it is usual that the rule leads there: `next', or n and `to'. */
static inline bool
is_usual(const struct block *b, const struct block_class *c, uint32_t rule,
    uint32_t next, const uint32_t *to)
{
	uint32_t up = c->nodes[rule].up, n = b->n;

	return next < n ? up == next : up >= n && c->exits[up - n] == to;
}

/* The packet's stretches up to now: where the last one began. */
struct stretch { uint32_t from; bool strayed; };

/* Where a plain rule leads, or n, and `to'. */
static uint32_t
leads_ahead(const struct block *b, const struct look *l, uint32_t rule,
    const uint32_t **to)
{
	struct strip_ask room;

	*to = block_misfit(b, rule, look_question(l, &room));
	if (*to == NULL)
		*to = b->code[rule + 1];
	return block_rule_at(b, *to);
}

/* The same, as far as vectors know; JUMP_UNKNOWN: they do not. */
static inline uint32_t
jumps_ahead(const struct block *b, const struct look *l, uint32_t rule)
{
	unsigned fit = (unsigned)bit(l->v[V_SRC], rule) << JUMP_SRC |
	    (unsigned)bit(l->v[V_DST], rule) << JUMP_DST |
	    (unsigned)bit(l->v[V_CLASS], rule) << JUMP_FLAGS |
	    (unsigned)bit(l->v[V_SPORT], rule) << JUMP_SPORT |
	    (unsigned)bit(l->v[V_DPORT], rule) << JUMP_DPORT;

	return b->vectors->jumps[rule].to[lowest_bit(~(uint64_t)fit)];
}

/* A rule on the way, asked ahead; false: that is too much for it. */
static inline bool
pass_ahead(const struct block *b, const struct look *l, uint32_t rule,
    struct stretch *s)
{
	struct block_class *c = l->r->class;
	const uint32_t *to = NULL;
	uint32_t next = JUMP_UNKNOWN;

	if (!b->usual[rule].plain)
		return false;	/* nobody knows */
	if (b->vectors != NULL)
		next = jumps_ahead(b, l, rule);
	if (next == JUMP_UNKNOWN)
		next = leads_ahead(b, l, rule, &to);
	if (is_usual(b, c, rule, next, to))
		return true;
	if (next == b->n || s->strayed)
		return false;
	l->r->less = &c->steps[c->nodes[rule].up];
	l->r->more = &c->steps[next];
	*s = (struct stretch){ next, true };
	return true;
}

bool
block_walk_ahead(struct block *b, const struct look *l)
{
	struct block_class *c = l->r->class;
	struct stretch s = { 0, false };
	struct lists lists;
	uint32_t x;

	find_lists(b, l->r, &lists);
	if (lists.n == 0)
		return true;
	while ((x = next_of(&lists)) < l->r->quick)
		if (x >= s.from && bit(c->head, x) && on_path(c, s.from, x) &&
		    !pass_ahead(b, l, x, &s))
			return false;
	return true;
}

/* Walks to the rule `end', or out of the block: where to go on. */
static const uint32_t *
walk(struct asker *a, struct lists *lists, uint32_t end)
{
	const struct block *b = a->b;
	struct block_class *c = a->c;
	uint32_t at = 0, x, next;
	const uint32_t *to;

	c->steps[0]++;
	while ((x = next_of(lists)) < end) {
		if (x < at || !bit(c->head, x) || !on_path(c, at, x))
			continue;
		to = misfit(a, x);
		if (to == NULL && bit(b->counts, x)) {
			a->q->rule = x;
			a->q->quick = bit(b->quick, x);
			if (a->q->quick) {
				c->steps[c->nodes[x].up]--;
				return DECIDED(b);
			}
		}
		if (to == NULL)
			to = b->code[x + 1];
		next = block_rule_at(b, to);
		if (is_usual(b, c, x, next, to))
			continue;
		c->steps[c->nodes[x].up]--;
		if (next == b->n)
			return to;
		c->steps[next]++;
		at = next;
	}
	if (end == b->n)
		return way_out(b, c, at);
	c->steps[c->nodes[end].up]--;
	a->q->rule = end;
	a->q->quick = true;
	return DECIDED(b);
}

/* The same, of a packet that strays nowhere. */
static inline const uint32_t *
go_straight(const struct asker *a, uint32_t end)
{
	a->c->ends[end]++;
	if (end == a->b->n)
		return a->c->out;
	a->q->rule = end;
	a->q->quick = true;
	return DECIDED(a->b);
}

static const uint32_t *
go(struct asker *a, const struct block_found *r)
{
	const struct block *b = a->b;
	struct lists lists;

	if ((r->list[0] | r->list[1] | r->list[2] | r->list[3] |
	    b->nalways) == 0)
		return go_straight(a, r->quick);
	find_lists(b, r, &lists);
	return walk(a, &lists, r->quick);
}

const uint32_t *
block_run(struct pfk_engine *e, uint32_t block, struct strip_ask *q,
    const struct block_help *h)
{
	struct block *b = e->blocks[block - 1];
	struct asker a = { .b = b, .q = q, .h = h };
	const struct block_found *r = h->found;
	struct block_found found;
	const uint32_t *to;
	uint32_t last;

	if (r == NULL || r->block != block || !r->sure) {
		block_look_up(e, b, q, h, &found);
		r = &found;
	}
	if ((a.c = r->class) == NULL)
		return NULL;
	q->rule = IMG_NONE;
	q->quick = false;
	if (++b->unsettled == UINT32_MAX) {
		block_settle(e, b);
		b->unsettled = 1;
	}
	to = go(&a, r);
	if (!q->quick && r->last < b->n) {
		last = b->n - 1 - r->last;
		if (q->rule == IMG_NONE || last > q->rule)
			q->rule = last;
	}
	if (q->rule != IMG_NONE)
		q->rule += b->first;
	return to;
}

void
rules_settle(const struct pfk_engine *e)
{
	strips_settle(e);
	for (uint32_t i = 0; i < e->nblocks; i++)
		block_settle(e, e->blocks[i]);
}
