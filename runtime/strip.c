/*
 * Asking a strip (strip.h).
 */
#include <string.h>

#include "runtime/block.h"
#include "runtime/bytecode.h"
#include "runtime/strip_sheet.h"
#include "runtime/table.h"
#include "runtime/way.h"

static inline uint64_t
column_fits(const struct strip *s, const uint32_t *addr, const uint32_t *mask,
    const uint8_t *a)
{
	uint32_t w;

	memcpy(&w, a, sizeof(w));
	return (s->wide ? strip_addrs_wide : strip_addrs)(addr, mask, s->n, w);
}

/* Of the rows that still matter; of others the answer may be wrong. */
static inline uint64_t
addrs(const struct strip *s, const struct strip_ask *q, unsigned side,
    uint64_t rows)
{
	const struct strip_six *x = s->six[side];
	const uint8_t *a = q->addr[side];
	uint64_t m;

	if ((s->asks[side] & rows) == 0)
		return UINT64_MAX;
	if (x == NULL || q->head.af != PFK_AF_INET6)
		return column_fits(s, s->addr[side], s->mask[side], a) ^
		    s->neg[side];
	m = column_fits(s, s->addr[side], s->mask[side], a + 4 * x->word[0]);
	for (unsigned i = 0; i < 3 && (m & rows & x->rows) != 0; i++)
		if (x->asks[i])
			m &= column_fits(s, x->addr[i], x->mask[i],
			    a + 4 * x->word[i + 1]);
	return m ^ s->neg[side];
}

static inline uint64_t
ports(const struct strip *s, const struct strip_ask *q, unsigned side,
    uint64_t rows)
{
	if ((s->asks[ROW_SPORT + side] & rows) == 0)
		return UINT64_MAX;
	return (s->wide ? strip_ports_wide : strip_ports)(s->low[side],
	    s->high[side], s->n, q->port[side]) ^ s->neg[ROW_SPORT + side];
}

/* ---- classes ---- */

static void
settle_class(const struct pfk_engine *e, const struct strip *s,
    struct strip_class *c)
{
	uint64_t sum = 0;

	for (uint32_t i = s->n; i > 0; i--) {
		sum += c->through[i];
		if (c->seen >> (i - 1) & 1)
			e->rules[s->first + i - 1].n.evaluations += sum;
		c->through[i] = 0;
	}
}

/*
 * One of two places, which change theirs when a class has to go, so that the
 * other one goes next.
 */
static struct strip_class *
new_class(struct pfk_engine *e, struct strip *s, unsigned at)
{
	struct strip_class *c = s->classes[at ^ 1];

	if (s->classes[at] != NULL && c != NULL) {
		settle_class(e, s, c);
		memset(c, 0, sizeof(*c));
		s->classes[at ^ 1] = s->classes[at];
		s->classes[at] = c;
		return c;
	}
	if (s->classes[at] != NULL)
		at ^= 1;
	return s->classes[at] = e_alloc(e, sizeof(*c));
}

struct strip_class *
strip_find_class(struct pfk_engine *e, struct strip *s, uint64_t key,
    const struct strip_head *p)
{
	unsigned at = strip_slot(key);
	struct strip_class *c;

	for (unsigned i = 0; i < 2; i++)
		if ((c = s->classes[at ^ i]) != NULL && c->key == key)
			return c;
	if ((c = new_class(e, s, at)) == NULL)
		return NULL;
	c->key = key;
	strip_make_class(e, s, p, c);
	return c;
}

void
strips_settle(const struct pfk_engine *e)
{
	for (uint32_t n = 0; n < e->nstrips; n++) {
		struct strip *s = e->strips[n];
		uint64_t sum = 0;

		if (!s->unsettled)
			continue;
		for (uint32_t i = 0; i <= s->n; i++) {
			sum += s->steps[i];
			s->steps[i] = 0;
			if (i < s->n)
				e->rules[s->first + i].n.evaluations += sum;
		}
		for (unsigned c = 0; c < STRIP_CLASSES; c++)
			if (s->classes[c] != NULL)
				settle_class(e, s, s->classes[c]);
		sheets_settle(e, s);
		s->unsettled = false;
	}
}

/* ---- the answer ---- */

struct fit { uint64_t field[ROW_FIELDS]; };

/*
 * Rows with a misfit that leads further, by field; the head's apart.
 */
static inline void
far_rows(const struct strip *s, const struct strip_class *c,
    const struct fit *f, uint64_t far[ROW_FIELDS])
{
	uint64_t rows = c->head;

	far[ROW_SRC] = rows & ~f->field[ROW_SRC] & s->far[ROW_SRC];
	rows &= f->field[ROW_SRC];
	far[ROW_DST] = rows & ~f->field[ROW_DST] & s->far[ROW_DST];
	rows &= f->field[ROW_DST] & c->fits;
	far[ROW_SPORT] = rows & ~f->field[ROW_SPORT] & s->far[ROW_SPORT];
	rows &= f->field[ROW_SPORT];
	far[ROW_DPORT] = rows & ~f->field[ROW_DPORT] & s->far[ROW_DPORT];
}

static const struct strip_jump *
jump_of(const struct strip *s, const struct strip_class *c,
    const struct fit *f, unsigned row)
{
	unsigned field = ROW_SRC;

	if (c->far >> row & 1)
		return &c->to[row];
	while (f->field[field] >> row & 1)
		field++;
	return &s->to[field][row];
}

/* pf has come to these rows, all of which fit. */
static inline void
answer(const struct strip *s, struct strip_ask *q, uint64_t rows)
{
	uint64_t decide = rows & s->decides, idle;

	if (decide != 0)
		q->rule = s->first + highest_bit(decide);
	if (!s->busy)
		return;
	q->acts |= rows & s->acts;
	for (idle = rows & s->idle; idle != 0; idle &= idle - 1)
		q->calls++;
}

/* The last of them ends the walk: where to go on. */
static inline const uint32_t *
end_at(const struct strip *s, struct strip_ask *q, unsigned row)
{
	if (s->quick >> row & 1) {
		q->quick = true;
		return s->pc + s->end;
	}
	q->stop = s->first + row;
	return s->pc + s->what[row];
}

/* What a packet makes of the rows. */
struct rows {
	struct fit	f;
	uint64_t	fits;
	uint64_t	far;		/* its misfits that lead further */
	uint64_t	stray;		/* where it leaves the usual way */
	uint64_t	live;		/* not known yet */
	uint64_t	told;		/* ask tables, which have been asked */
};

/*
 * A stretch of its way, from a row on: along the usual way to where it leaves
 * that, or the row alone.
 */
struct stretch {
	unsigned	last;
	bool		usual, out;	/* out: the usual way's end */
	uint64_t	rows;
};

static inline struct stretch
stretch_from(const struct strip *s, const struct strip_class *c,
    const struct rows *r, uint32_t at)
{
	uint64_t rows = c->seen & UINT64_MAX << at, stops;
	struct stretch t = { at, c->seen >> at & 1, false,
	    (uint64_t)1 << at };

	if (!t.usual)
		return t;
	stops = rows & (r->stray | r->live | (r->fits & s->ends));
	t.out = stops == 0;
	t.last = t.out ? s->n - 1 : lowest_bit(stops);
	t.rows = rows & UINT64_MAX >> (63 - t.last);
	return t;
}

static inline void
count_stretch(struct strip *s, struct strip_class *c,
    const struct stretch *t, uint32_t at)
{
	uint64_t *n = t->usual ? c->through : s->steps;
	uint64_t one = t->usual ? 1 : UINT64_MAX;

	n[at] -= one;
	n[t->last + 1] += one;
}

static bool
live_fits(struct pfk_engine *e, const struct strip *s,
    const struct strip_ask *q, unsigned side, unsigned row)
{
	const struct rt_rule *rr = &e->rules[s->first + row];
	uint32_t w = s->pc[s->ask[side][row]];
	uint8_t af = q->head.af;
	struct pfk_addr a = { { 0 } };
	bool yes;

	memcpy(a.b, q->addr[side], af == PFK_AF_INET6 ? 16 : 4);
	if (insn_op(w) == OP_TABLE)
		yes = table_match(e, side == SRC ? rr->src_table :
		    rr->dst_table, af, &a);
	else if (insn_op(w) == OP_IFADDR)
		yes = iface_addr_match(e, side == SRC ? rr->src_if :
		    rr->dst_if, side == SRC ? &rr->r->src : &rr->r->dst, af,
		    &a);
	else
		yes = route_asked(e, insn_op(w), side, af, &a, q->head.ifid,
		    q->rtable, rr);
	return yes != (insn_a(w) != 0);
}

/* The fields that a row has not found to fit, in order: the first one. */
static unsigned
first_misfit(const struct strip_class *c, const struct rows *r, unsigned row)
{
	unsigned field = 0;

	while (field < ROW_FIELDS && (r->f.field[field] >> row & 1) != 0 &&
	    (field != ROW_SPORT || (c->fits >> row & 1) != 0))
		field++;
	return field;
}

/* pf has come to a row whose addresses it must ask about. */
static void
ask_live(struct pfk_engine *e, const struct strip *s,
    const struct strip_class *c, const struct strip_ask *q, struct rows *r,
    unsigned row)
{
	uint64_t bit = (uint64_t)1 << row, far, stray = 0;
	unsigned field;

	for (unsigned side = 0; side < 2; side++) {
		if ((s->live[side] & bit) != 0 &&
		    !live_fits(e, s, q, side, row))
			r->f.field[side] &= ~bit;
		if ((r->f.field[side] & bit) == 0)
			break;
	}
	field = first_misfit(c, r, row);
	if (field == ROW_SPORT && (c->fits & bit) == 0)
		far = 0;	/* it is its flags that do not fit */
	else
		far = field < ROW_FIELDS ? s->far[field] & bit : 0;
	for (unsigned f = 0; f < ROW_FIELDS; f++)
		stray |= (field == f ? far : 0) ^ (c->usual[f] & bit);
	r->live &= ~bit;
	r->fits |= field == ROW_FIELDS ? bit & c->all : 0;
	r->far = (r->far & ~bit) | far;
	r->stray = (r->stray & ~bit) | stray;
}

/* The first ones, as long as it is sure that pf comes to them. */
static inline void
ask_on_usual_way(struct pfk_engine *e, const struct strip *s,
    const struct strip_class *c, const struct strip_ask *q, struct rows *r)
{
	uint64_t live, ends, before;

	while ((live = r->live & c->seen) != 0) {
		before = (live & (0 - live)) - 1;
		ends = (r->stray | (r->fits & s->ends)) & c->seen;
		if ((ends & before) != 0)
			return;
		ask_live(e, s, c, q, r, lowest_bit(live));
	}
}

/* What tables have said; rows that need not be asked then are not live. */
static inline void
hear_tables(const struct strip *s, const struct strip_ask *q, struct rows *r)
{
	uint64_t told[2] = { 0, 0 }, in, misfit;

	for (uint32_t i = 0; i < s->ntables; i++) {
		const struct strip_table *t = &s->tables[i];

		if ((q->known & t->bit) == 0)
			continue;
		told[t->side] |= t->rows;
		in = 0u - (uint64_t)((q->in & t->bit) != 0);
		misfit = t->rows & ~(in ^ t->neg);
		r->f.field[t->side] &= ~misfit;
	}
	r->live &= (s->live[SRC] & ~told[SRC]) | (s->live[DST] & ~told[DST]);
	r->told = (told[SRC] | told[DST]) & ~r->live;
}

/* Questions that pf would have asked: these rows of the class's. */
static inline void
count_told(struct pfk_engine *e, const struct strip *s,
    const struct strip_ask *q, const struct rows *r, uint64_t rows)
{
	rows &= r->told;
	for (uint32_t i = 0; i < s->ntables; i++) {
		const struct strip_table *t = &s->tables[i];
		uint64_t m = rows & t->rows, *asks;

		if (t->side == DST)
			m &= r->f.field[ROW_SRC];
		asks = &e->tables[t->table].asks[(q->in & t->bit) != 0];
		for (; m != 0; m &= m - 1)
			(*asks)++;
	}
}

/* From stretch to stretch. */
static const uint32_t *
follow(struct pfk_engine *e, struct strip *s, struct strip_class *c,
    struct rows *r, struct strip_ask *q)
{
	uint32_t at = q->row;

	while (at < s->n) {
		struct stretch t = stretch_from(s, c, r, at);
		const struct strip_jump *j;

		count_stretch(s, c, &t, at);
		if ((r->told & t.rows) != 0)
			count_told(e, s, q, r, t.rows & c->head);
		if (!t.out && (r->live >> t.last & 1) != 0)
			ask_live(e, s, c, q, r, t.last);
		answer(s, q, t.rows & r->fits);
		if ((t.rows & r->fits & s->ends) != 0)
			return end_at(s, q, t.last);
		if (t.out)
			return s->pc + c->end;
		at = t.last + 1;
		if ((r->far >> t.last & 1) == 0)
			continue;
		j = jump_of(s, c, &r->f, t.last);
		if (j->row == STRIP_MAX)
			return s->pc + j->pc;
		at = j->row;
	}
	return s->pc + s->end;
}

/* Each field only as far as rows ask for it that fit in those before. */
static inline void
read_fields(const struct strip *s, const struct strip_class *c,
    const struct strip_ask *q, struct rows *r)
{
	uint64_t rows = c->head, *fit = r->f.field;

	fit[ROW_SRC] = addrs(s, q, SRC, rows);
	fit[ROW_DST] = addrs(s, q, DST, rows & fit[ROW_SRC]);
	if (q->known != 0 && s->ntables != 0)
		hear_tables(s, q, r);
	rows &= fit[ROW_SRC] & fit[ROW_DST];
	rows &= c->fits;
	rows &= fit[ROW_SPORT] = ports(s, q, SRC, rows);
	fit[ROW_DPORT] = ports(s, q, DST, rows);
}

static inline void
read_rows(const struct strip *s, const struct strip_class *c,
    const struct strip_ask *q, struct rows *r)
{
	uint64_t far[ROW_FIELDS], *fit = r->f.field;

	r->live = (s->live[SRC] | s->live[DST]) & c->head;
	r->told = 0;
	read_fields(s, c, q, r);
	r->fits = c->all & fit[ROW_SRC] & fit[ROW_DST] & fit[ROW_SPORT] &
	    fit[ROW_DPORT] & ~r->live;
	r->far = c->far;
	r->stray = 0;
	if (!s->jumps)
		return;
	far_rows(s, c, &r->f, far);
	r->far |= far[ROW_SRC] | far[ROW_DST] | far[ROW_SPORT] |
	    far[ROW_DPORT];
	for (unsigned i = 0; i < ROW_FIELDS; i++)
		r->stray |= far[i] ^ c->usual[i];
}

static inline const uint32_t *
run_from(struct pfk_engine *e, struct strip *s, struct strip_ask *q)
{
	uint64_t key = strip_key(&q->head) &
	    s->heads[strip_is_icmp(&q->head)], first, fits;
	struct strip_class *c = s->last;
	struct rows r;

	if (c == NULL || c->key != key) {
		if ((c = strip_find_class(e, s, key,
		    &q->head)) == NULL)
			return NULL;
		s->last = c;
	}
	if (c->odd)
		return NULL;
	read_rows(s, c, q, &r);
	s->unsettled = true;
	q->rule = IMG_NONE;
	q->quick = false;
	if (s->busy)
		strip_not_busy(q);
	if (r.live != 0 && q->row == 0)
		ask_on_usual_way(e, s, c, q, &r);
	fits = r.fits & c->seen;
	first = fits & s->ends;
	first &= 0 - first;
	/* where it strays behind the rule that ends it all does not matter */
	if (q->row != 0 || ((r.stray | r.live) & c->seen & (first - 1)) != 0)
		return follow(e, s, c, &r, q);
	if (r.told != 0)	/* first - 1: all of them, if there is none */
		count_told(e, s, q, &r, c->seen & c->head &
		    (first | (first - 1)));
	if (first != 0) {
		answer(s, q, fits & (first | (first - 1)));
		c->through[lowest_bit(first) + 1]++;
		return end_at(s, q, lowest_bit(first));
	}
	answer(s, q, fits);
	c->through[s->n]++;
	return s->pc + c->end;
}

const uint32_t *
strip_run(struct pfk_engine *e, struct strip *s, struct strip_ask *q)
{
	return run_from(e, s, q);
}

/* The strip whose row stands there, or NULL. */
static struct strip *
strip_there(struct pfk_engine *e, const struct calls *c, const uint32_t *pc,
    uint32_t *row)
{
	const struct rt_rule *rr;
	struct strip *s;

	if (insn_op(*pc) == OP_BLOCK)
		pc += op_info[OP_BLOCK].length;
	if (insn_op(*pc) != OP_RULE)
		return NULL;
	rr = &e->rules[c->anchor->base + pc[2]];
	if (rr->strip == 0)
		return NULL;
	s = e->strips[rr->strip - 1];
	*row = (uint32_t)(rr - e->rules) - s->first;
	return strip_stands(s, *row, pc) && strip_may_count(s, c) ? s : NULL;
}

/* What stands there may be a block: where to go on, or NULL. */
static const uint32_t *
ask_block(struct pfk_engine *e, const struct way *w, const uint32_t *pc)
{
	uint32_t block;

	if (insn_op(*pc) != OP_BLOCK)
		return NULL;
	block = e->rules[w->calls.anchor->base + pc[2]].block;
	return block == 0 ? NULL : block_run(e, block, w->q, w->h);
}

static inline void
take_answer(struct way *w)
{
	if (w->q->rule == IMG_NONE)
		return;
	w->rule = w->q->rule;
	w->anchor = w->calls.here;
}

enum walked
strips_walk(struct pfk_engine *e, struct way *w)
{
	struct strip_ask *q = w->q;
	struct strip *s;

	while (insn_op(*w->pc) != OP_END) {
		const uint32_t *next;

		if ((s = strip_there(e, &w->calls, w->pc, &q->row)) == NULL) {
			if ((next = ask_block(e, w, w->pc)) == NULL)
				return WALK_STUCK;
			take_answer(w);
			if (q->quick)
				return WALK_QUICK;
			w->pc = next;
			continue;
		}
		while ((next = run_from(e, s, q)) != NULL) {
			take_answer(w);
			w->pc = next;
			if (s->busy && strip_is_busy(q)) {
				q->first = s->first;
				return WALK_ACT;
			}
			if (q->quick)
				return WALK_QUICK;
			if (s->then == THEN_END && next == s->pc + s->end)
				return WALK_END;
			if (s->then != THEN_STRIP || next != s->pc + s->end)
				break;
			s = e->strips[s->next];
			q->row = 0;
			if (!strip_may_count(s, &w->calls))
				return WALK_STUCK;
		}
		if (next == NULL)
			return WALK_STUCK;
	}
	return WALK_END;
}
