/*
 * Making strips out of instructions.
 *
 * Rules are taken as long as they follow each other in e->rules, all their
 * instructions are among those below, in that order, and end in DECIDE.  Small
 * blocks are part of a strip: their BLOCK is passed over.
 */
#include <string.h>

#include "runtime/strip_int.h"
#include "runtime/strip_sheet.h"
#include "runtime/table.h"

/* Whether a rule that ends so may be a row. */
static bool
may_be_row(const struct img_rule *r, const uint32_t *last)
{
	if (r->flags & IMG_R_ONCE)
		return false;
	if (insn_op(*last) == OP_CALL)
		return (r->flags & IMG_R_ANCHOR) != 0;
	if (r->flags & IMG_R_ANCHOR)
		return false;
	if (insn_op(*last) == OP_DECIDE)
		return r->action != IMG_MATCH;
	return r->action == IMG_MATCH && insn_a(*last) == 0 &&
	    (r->flags & IMG_R_AFTO) == 0 && (r->log & IMG_LOG_MATCHES) == 0;
}

/* The rule's last instruction; NULL: not one for a strip. */
static const uint32_t *
rule_last(const struct rt_rule *rr, const uint32_t *w)
{
	enum rank last = RANK_HEAD, r;
	const uint32_t *test;

	for (test = next_insn(w); (r = rank(test)) != RANK_END;
	    test = next_insn(test)) {
		if (r == RANK_NONE || r < last ||
		    (r == last && r != RANK_HEAD && r != RANK_OWNER &&
		    r != RANK_ICMP))
			return NULL;
		last = r;
	}
	return may_be_row(rr->r, test) ? test : NULL;
}

static void
add_port(struct strip *s, unsigned i, const uint32_t *w)
{
	unsigned side = insn_b(*w) != 0;
	bool neg = port_interval(w, &s->low[side][i], &s->high[side][i]);

	s->neg[ROW_SPORT + side] |= (uint64_t)neg << i;
	s->asks[ROW_SPORT + side] |= (uint64_t)1 << i;
}

static void
add_addr(struct strip *s, unsigned i, const uint32_t *w)
{
	unsigned side = insn_b(*w) != 0;

	if (insn_op(*w) != OP_ADDR4 && insn_op(*w) != OP_ADDR6) {
		s->live[side] |= (uint64_t)1 << i;
		s->ask[side][i] = (uint32_t)(w - s->pc);
		return;
	}
	if (insn_op(*w) == OP_ADDR6)	/* add_six() has the rest */
		s->at6[side][i] = (uint32_t)(w - s->pc) + 2;
	else {
		s->addr[side][i] = w[2] & w[3];
		s->mask[side][i] = w[3];
	}
	s->neg[side] |= (uint64_t)(insn_a(*w) != 0) << i;
	s->asks[side] |= (uint64_t)1 << i;
}

/* A misfit that leads further than to the next row; rows are set later. */
static void
add_jump(struct strip *s, unsigned field, unsigned i, const uint32_t *w,
    const uint32_t *next)
{
	if (w + w[1] == next)
		return;
	s->jumps = true;
	s->far[field] |= (uint64_t)1 << i;
	s->to[field][i].pc = (uint32_t)(w + w[1] - s->pc);
}

/* Whether later rules see the packet as it has made it. */
static bool
changes_packet(const struct rt_rule *rr)
{
	return rr->nat != IMG_NONE || rr->rdr != IMG_NONE ||
	    rr->r->rtable >= 0;
}

static void
add_what(struct strip *s, unsigned i, const struct rt_rule *rr,
    const uint32_t *last)
{
	uint64_t bit = (uint64_t)1 << i;

	s->what[i] = (uint32_t)(last - s->pc);
	if (insn_op(*last) == OP_CALL)
		s->calls |= bit;
	else if (insn_op(*last) == OP_DECIDE) {
		s->decides |= bit;
		s->quick |= insn_a(*last) != 0 ? bit : 0;
		s->acts |= rr->tag != 0 ? bit : 0;
	} else if (changes_packet(rr))
		s->changes |= bit;
	else
		s->acts |= bit;
}

static void
add_row(struct strip *s, const struct rt_rule *rr, const uint32_t *w,
    const uint32_t *last)
{
	const uint32_t *next = next_insn(last);
	unsigned i = s->n++;

	s->row[i] = (uint32_t)(w - s->pc);
	for (unsigned side = 0; side < 2; side++)
		s->high[side][i] = UINT16_MAX;
	for (w = next_insn(w); rank(w) != RANK_END; w = next_insn(w)) {
		enum rank r = rank(w);

		if (r == RANK_SRC || r == RANK_DST) {
			add_addr(s, i, w);
			add_jump(s, r == RANK_SRC ? ROW_SRC : ROW_DST, i, w,
			    next);
		} else if (r == RANK_SPORT || r == RANK_DPORT) {
			add_port(s, i, w);
			add_jump(s, r == RANK_SPORT ? ROW_SPORT : ROW_DPORT,
			    i, w, next);
		} else if (r == RANK_FLAGS)
			s->flagset |= (uint8_t)insn_b(*w);
		else if (insn_op(*w) == OP_ICMP)
			s->icmpset = 0xff;
	}
	add_what(s, i, rr, last);
	s->end = (uint32_t)(next - s->pc);
}

/* Rows that are not like any before them in that word of their address. */
static unsigned
told_apart(const struct strip *s, unsigned side, unsigned word)
{
	unsigned n = 0;

	for (uint32_t i = 0, j; i < s->n; i++) {
		const uint32_t *w = s->pc + s->at6[side][i] + word, *v;

		if (s->at6[side][i] == 0 || w[4] == 0)
			continue;
		for (j = 0; j < i; j++) {
			v = s->pc + s->at6[side][j] + word;
			if (s->at6[side][j] != 0 && v[4] == w[4] &&
			    ((v[0] ^ w[0]) & w[4]) == 0)
				break;
		}
		n += j == i;
	}
	return n;
}

/* The word that tells most rows apart, in front of the others. */
static void
choose_word(const struct strip *s, unsigned side, struct strip_six *x)
{
	unsigned best = 0, n = 0, most = 0;

	for (unsigned i = 0; i < 4; i++)
		if ((n = told_apart(s, side, i)) > most) {
			best = i;
			most = n;
		}
	x->word[0] = (uint8_t)best;
	for (uint8_t i = 0, k = 1; i < 4; i++)
		if (i != best)
			x->word[k++] = i;
}

/* Columns of IPv6 addresses; false: no memory. */
static bool
add_six(const struct pfk_engine *e, struct strip *s, unsigned side)
{
	struct strip_six *x = NULL;

	for (uint32_t i = 0; i < s->n; i++) {
		const uint32_t *w = s->pc + s->at6[side][i];

		if (s->at6[side][i] == 0)
			continue;
		if (x == NULL) {
			if ((x = e_alloc(e, sizeof(*x))) == NULL)
				return false;
			s->six[side] = x;
			choose_word(s, side, x);
		}
		x->rows |= (uint64_t)1 << i;
		s->mask[side][i] = w[x->word[0] + 4];
		s->addr[side][i] = w[x->word[0]] & w[x->word[0] + 4];
		for (unsigned n = 0; n < 3; n++) {
			x->mask[n][i] = w[x->word[n + 1] + 4];
			x->addr[n][i] = w[x->word[n + 1]] & x->mask[n][i];
			x->asks[n] |= x->mask[n][i] != 0;
		}
	}
	return true;
}

static void
strip_free(const struct pfk_engine *e, struct strip *s)
{
	for (unsigned c = 0; c < STRIP_CLASSES; c++)
		if (s->classes[c] != NULL)
			e_free(e, s->classes[c], sizeof(struct strip_class));
	for (unsigned side = 0; side < 2; side++)
		e_free(e, s->six[side], sizeof(*s->six[side]));
	sheets_free(e, s);
	e_free(e, s, sizeof(*s));
}

/* The tables that live rows ask; more than there is room for stay live. */
static void
add_table(struct pfk_engine *e, struct strip *s, uint32_t table,
    unsigned side, unsigned i)
{
	struct strip_table *t = s->tables, *end = t + s->ntables;
	bool neg = insn_a(s->pc[s->ask[side][i]]) != 0;

	while (t < end && (t->table != table || t->side != side))
		t++;
	if (t == end) {
		if (s->ntables == STRIP_TABLES)
			return;
		*t = (struct strip_table){ .table = table,
		    .side = (uint8_t)side };
		s->ntables++;
		table_is_asked_by_strip(e, table);
	}
	t->rows |= (uint64_t)1 << i;
	t->neg |= (uint64_t)neg << i;
}

static void
add_tables(struct pfk_engine *e, struct strip *s)
{
	for (unsigned side = 0; side < 2; side++)
		for (uint32_t i = 0; i < s->n; i++) {
			const struct rt_rule *rr = &e->rules[s->first + i];

			uint32_t table = side == SRC ? rr->src_table :
			    rr->dst_table;

			if ((s->live[side] >> i & 1) != 0 &&
			    table != IMG_NONE &&
			    insn_op(s->pc[s->ask[side][i]]) == OP_TABLE)
				add_table(e, s, table, side, i);
		}
}

/* Flags, types and codes that nobody looks at are left out: fewer classes. */
static void
set_heads(struct strip *s)
{
	uint64_t mask = ~((uint64_t)0xff << STRIP_KEY_FLAGS |
	    (uint64_t)0xff << STRIP_KEY_CODE);

	s->heads[false] = mask | (uint64_t)s->flagset << STRIP_KEY_FLAGS;
	s->heads[true] = mask | (uint64_t)s->icmpset << STRIP_KEY_FLAGS |
	    (uint64_t)s->icmpset << STRIP_KEY_CODE;
}

static bool
strip_done(struct pfk_engine *e, const struct strip *s)
{
	size_t size = sizeof(*e->strips);
	struct strip **v, *copy;

	if (s->n < (e->nstrips < STRIP_FEW ? 1 : STRIP_MIN))
		return true;
	if ((copy = e_alloc(e, sizeof(*copy))) == NULL)
		return false;
	*copy = *s;
	if (!add_six(e, copy, SRC) || !add_six(e, copy, DST) ||
	    (v = e_realloc(e, e->strips, e->nstrips * size,
	    (e->nstrips + 1) * size)) == NULL) {
		strip_free(e, copy);
		return false;
	}
	e->strips = v;
	copy->wide = strip_wide();
	add_tables(e, copy);
	set_heads(copy);
	for (unsigned f = 0; f < ROW_FIELDS; f++) {
		copy->asked[f] = s->asks[f] != 0;
		for (uint32_t i = 0; i < s->n; i++)
			if (s->far[f] >> i & 1)
				copy->to[f][i].row =
				    row_at(s, s->to[f][i].pc);
	}
	v[e->nstrips++] = copy;
	for (uint32_t i = 0; i < s->n; i++)
		e->rules[s->first + i].strip = e->nstrips;
	return true;
}

/* Rules of a large BLOCK, which are left to it; behind them. */
static const uint32_t *
pass_block(const uint32_t *w, const uint32_t *end)
{
	uint32_t left = w[3];

	for (w = next_insn(w); w < end; w = next_insn(w))
		if (insn_op(*w) == OP_RULE && left-- == 0)
			break;
		else if (insn_op(*w) == OP_END || insn_op(*w) == OP_BLOCK)
			break;
	return w;
}

static void
strip_begin(struct strip *s, const uint32_t *pc, uint32_t rule)
{
	memset(s, 0, sizeof(*s));
	s->pc = pc;
	s->first = rule;
}

/* Where the answers of their tables are, which may have changed for all. */
static void
strips_places(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nstrips; i++) {
		sheets_drop(e, e->strips[i]);
		for (uint32_t k = 0; k < e->strips[i]->ntables; k++) {
			struct strip_table *t = &e->strips[i]->tables[k];
			unsigned place = e->tables[t->table].place;

			t->bit = place == 0 ? 0 : (uint16_t)TABLE_BIT(place -
			    1, t->side);
			strip_tables_moved(e->strips[i]);
		}
	}
}

/* Strips from the first one on learn what stands behind them. */
static void
strips_join(struct pfk_engine *e, uint32_t first)
{
	for (uint32_t i = first; i < e->nstrips; i++) {
		struct strip *s = e->strips[i];
		const uint32_t *pc = s->pc + s->end;

		if (insn_op(*pc) == OP_END)
			s->then = THEN_END;
		else if (i + 1 < e->nstrips && e->strips[i + 1]->pc == pc) {
			s->then = THEN_STRIP;
			s->next = i + 1;
		}
	}
}

bool
strips_add(struct pfk_engine *e, const uint32_t *code, uint32_t ncode,
    uint32_t base)
{
	uint32_t first = e->nstrips;
	const uint32_t *w = code, *end = code + ncode, *last;
	struct strip s = { .n = 0 };

	while (w < end) {
		const uint32_t *at = w;

		if (insn_op(*w) == OP_BLOCK) {
			if (w[3] > STRIP_BLOCK) {
				if (!strip_done(e, &s))
					return false;
				s.n = 0;
				w = pass_block(w, end);
				continue;
			}
			w = next_insn(w);
			if (w >= end || insn_op(*w) != OP_RULE)
				continue;
		}
		last = insn_op(*w) == OP_RULE && e->rules[base + w[2]].strip
		    == 0 ? rule_last(&e->rules[base + w[2]], w) : NULL;
		if (s.n != 0 && (last == NULL || s.n == STRIP_MAX ||
		    s.first + s.n != base + w[2])) {
			if (!strip_done(e, &s))
				return false;
			s.n = 0;
		}
		if (last == NULL) {
			w = next_insn(w);
			continue;
		}
		if (s.n == 0)
			strip_begin(&s, at, base + w[2]);
		add_row(&s, &e->rules[base + w[2]], w, last);
		w = next_insn(last);
	}
	if (!strip_done(e, &s))
		return false;
	strips_join(e, first);
	strips_places(e);
	return true;
}

static void
learn_calls(const struct pfk_engine *e, struct strip *s)
{
	s->ends = s->quick | s->changes;
	s->idle = 0;
	for (uint64_t left = s->calls; left != 0; left &= left - 1) {
		uint64_t bit = left & (0 - left);
		const struct rt_rule *rr =
		    &e->rules[s->first + lowest_bit(left)];
		enum call_kind kind = call_kind(e, rr);

		if (kind == CALL_RULES || rr->tag != 0)
			s->ends |= bit;
		else if (kind == CALL_EMPTY)
			s->idle |= bit;
	}
	s->busy = (s->acts | s->calls | s->changes) != 0;
}

void
strips_learn_calls(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nstrips; i++) {
		sheets_drop(e, e->strips[i]);
		learn_calls(e, e->strips[i]);
	}
}

struct strip *
strip_at(const struct pfk_engine *e, const uint32_t *code)
{
	for (uint32_t i = 0; i < e->nstrips; i++)
		if (e->strips[i]->pc == code)
			return e->strips[i];
	return NULL;
}

void
strips_free(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nstrips; i++)
		strip_free(e, e->strips[i]);
	e_free(e, e->strips, e->nstrips * sizeof(*e->strips));
	e->strips = NULL;
	e->nstrips = 0;
}
