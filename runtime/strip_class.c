/*
 * Making classes of a strip (strip.h): what a packet's head makes of its rows,
 * and the usual way through them; what strip_short.c wants to know.
 */
#include "runtime/strip_int.h"

bool
strip_head_fits(const struct pfk_engine *e, const struct rt_rule *rr,
    const uint32_t *w, const struct strip_head *p)
{
	unsigned a = insn_a(*w);

	switch ((int)insn_op(*w)) {
	case OP_IFACE:
		return (rr->if_index == p->ifid + 1u ||
		    iface_is(e, p->ifid, rr->if_index)) != a;
	case OP_DIR:
		return p->dir == a;
	case OP_RDOMAIN:
		return (p->rdomain == w[2]) != a;
	case OP_AF:
		return p->af == a;
	default:
		return p->proto == a;
	}
}

/* The test of the head that does not fit, or NULL. */
static const uint32_t *
head_misfit(const struct pfk_engine *e, const struct strip *s, uint32_t i,
    const struct strip_head *p)
{
	const uint32_t *w = next_insn(s->pc + s->row[i]);

	for (; rank(w) == RANK_HEAD; w = next_insn(w))
		if (!strip_head_fits(e, &e->rules[s->first + i], w, p))
			return w;
	return NULL;
}

/*
 * Whether the row asks something of this head's packets that is neither in
 * columns nor in classes: ports of what has none, which fit; IPv6 addresses of
 * no family, of IPv4.
 */
static bool
is_odd(const struct strip *s, uint32_t i, const struct strip_head *p)
{
	const uint32_t *w = next_insn(s->pc + s->row[i]);
	bool with_ports = p->proto == PROTO_TCP || p->proto == PROTO_UDP;

	for (; rank(w) != RANK_END; w = next_insn(w))
		if ((insn_op(*w) == OP_PORT && !with_ports) ||
		    (insn_op(*w) == OP_ADDR6 && p->af != PFK_AF_INET6))
			return true;
	return false;
}

/* Whether the test is of flags or ICMP, and does not fit (vm.c). */
static bool
is_misfit(const uint32_t *w, const struct strip_head *p)
{
	bool icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6;

	switch ((int)insn_op(*w)) {
	case OP_FLAGS:
		return p->proto == PROTO_TCP &&
		    (p->tcp_flags & insn_b(*w)) != insn_a(*w);
	case OP_ICMP:
		return icmp && !icmp_wanted(w[2], p->icmp_type, p->icmp_code);
	case OP_QUERY:
		return icmp && !p->begins;
	default:
		return false;
	}
}

/* What the class knows behind the head: the test that does not fit, or NULL. */
static const uint32_t *
class_misfit(const struct strip *s, uint32_t i, const struct strip_head *p)
{
	const uint32_t *w = next_insn(s->pc + s->row[i]);

	for (; rank(w) != RANK_END; w = next_insn(w))
		if (is_misfit(w, p))
			return w;
	return NULL;
}

/* Whether the owner of a socket is asked for, and is another one. */
static bool
is_others(const struct strip *s, uint32_t i, const struct strip_head *p)
{
	const uint32_t *w = next_insn(s->pc + s->row[i]);

	if (p->proto != PROTO_TCP && p->proto != PROTO_UDP)
		return false;
	for (; rank(w) != RANK_END; w = next_insn(w))
		if (rank(w) == RANK_OWNER &&
		    !unknown_owner_fits(insn_a(*w), w + 2))
			return true;
	return false;
}

static uint32_t
row_end(const struct strip *s, uint32_t i)
{
	const uint32_t *last = s->pc + s->what[i];

	return (uint32_t)(next_insn(last) - s->pc);
}

static void
class_row(const struct pfk_engine *e, const struct strip *s, uint32_t i,
    const struct strip_head *p, struct strip_class *c)
{
	const uint32_t *misfit = head_misfit(e, s, i, p);
	uint64_t bit = (uint64_t)1 << i;
	uint32_t to;

	if (misfit == NULL) {
		c->head |= bit;
		if ((misfit = class_misfit(s, i, p)) == NULL)
			c->fits |= bit;
		else	/* it leads further than to the next row */
			c->odd |= misfit + misfit[1] - s->pc != row_end(s, i);
		c->odd |= is_odd(s, i, p);
		if (!is_others(s, i, p))
			c->all |= c->fits & bit;
		return;
	}
	to = (uint32_t)(misfit + misfit[1] - s->pc);
	if (to == row_end(s, i))
		return;
	c->far |= bit;
	c->to[i] = (struct strip_jump){ to, row_at(s, to) };
}

/* Whether the row asks for an address at all, of that side. */
static bool
asks_addr(const struct strip *s, unsigned side, uint32_t i)
{
	const struct strip_six *x = s->six[side];

	return s->mask[side][i] != 0 || (x != NULL &&
	    (x->mask[0][i] | x->mask[1][i] | x->mask[2][i]) != 0);
}

/* Whether few packets fit in the field; of those that ask for it. */
static bool
few_fit(const struct strip *s, unsigned f, uint32_t i)
{
	if (s->neg[f] >> i & 1)
		return false;
	return f < ROW_SPORT ? asks_addr(s, f, i) :
	    s->high[f - ROW_SPORT][i] - s->low[f - ROW_SPORT][i] <
	    UINT16_MAX / 2;
}

/*
 * Where an address or port that few packets have leads further: they will not
 * have it.  What is asked the other way round fits most of them.
 */
static const struct strip_jump *
usual_jump(const struct strip *s, uint32_t i, struct strip_class *c)
{
	uint64_t bit = (uint64_t)1 << i;

	if (!(c->head & bit))
		return NULL;
	for (unsigned f = 0; f < ROW_FIELDS; f++) {
		/* flags come before ports; what is live, before all that */
		if (f == ROW_SPORT && (((s->live[SRC] | s->live[DST]) & bit)
		    != 0 || !(c->fits & bit)))
			return NULL;
		if (!few_fit(s, f, i))
			continue;
		if (!(s->far[f] & bit))
			return NULL;
		c->usual[f] |= bit;
		return &s->to[f][i];
	}
	return NULL;
}

/* ---- what strip_short.c knows of a class ---- */

/* Rows of its head do no more than decide. */
static bool
is_brief(const struct strip *s, const struct strip_class *c)
{
	return c->known && ((s->acts | ~s->decides) & c->head) == 0;
}

/* Tables that rows ask, if they may be known, and nothing else is live. */
static bool
find_tables(const struct strip *s, struct strip_class *c)
{
	uint64_t told[2] = { 0, 0 };

	c->tables = 0;
	c->needs = 0;
	for (uint32_t i = 0; i < s->ntables; i++) {
		const struct strip_table *t = &s->tables[i];

		if (t->bit == 0 || (t->rows & c->head) == 0)
			continue;
		told[t->side] |= t->rows;
		c->tables |= (uint8_t)(1u << i);
		c->needs |= t->bit;
	}
	return (((s->live[SRC] & ~told[SRC]) | (s->live[DST] & ~told[DST])) &
	    c->head) == 0;
}

void
strip_tables_moved(struct strip *s)
{
	for (unsigned i = 0; i < STRIP_CLASSES; i++)
		if (s->classes[i] != NULL && s->classes[i]->tables != 0) {
			s->classes[i]->known = find_tables(s, s->classes[i]) &&
			    s->classes[i]->known;
			s->classes[i]->brief &= s->classes[i]->known;
		}
}

/* Both ask for the same address. */
static bool
same_addr(const struct strip *s, unsigned side, uint32_t i, uint32_t j)
{
	const struct strip_six *x = s->six[side];

	for (unsigned n = 0; x != NULL && n < 3; n++)
		if (x->addr[n][i] != x->addr[n][j] ||
		    x->mask[n][i] != x->mask[n][j])
			return false;
	return s->addr[side][i] == s->addr[side][j] &&
	    s->mask[side][i] == s->mask[side][j] &&
	    (s->neg[side] >> i & 1) == (s->neg[side] >> j & 1) &&
	    (s->at6[side][i] == 0) == (s->at6[side][j] == 0);
}

/* The same of any field. */
static bool
same_value(const struct strip *s, unsigned f, uint32_t i, uint32_t j)
{
	unsigned side = f - ROW_SPORT;

	if (f < ROW_SPORT)
		return same_addr(s, f, i, j);
	return s->low[side][i] == s->low[side][j] &&
	    s->high[side][i] == s->high[side][j] &&
	    (s->neg[f] >> i & 1) == (s->neg[f] >> j & 1);
}

/*
 * The rows behind i that the usual way passes over for a field of i's, its
 * first, if they ask for the same there and nothing else leads further: 0 if
 * that is not so.
 */
static uint64_t
detour(const struct strip *s, const struct strip_class *c, uint32_t i)
{
	uint64_t bit = (uint64_t)1 << i, rows;
	unsigned field = 0;
	uint32_t to;

	while (!(c->usual[field] & bit))
		if (((s->asks[field] | (field < ROW_SPORT ?
		    s->live[field] : 0)) & bit) != 0 || ++field == ROW_FIELDS)
			return 0;
	to = s->to[field][i].row;
	if (s->to[field][i].pc == s->end)
		to = s->n;
	else if (to == STRIP_MAX)
		return 0;
	rows = UINT64_MAX >> (STRIP_MAX - to) & ~((bit << 1) - 1);
	for (unsigned f = 0; f < ROW_FIELDS; f++)
		if ((c->leads[f] & (f == field ? 0 : rows | bit)) != 0)
			return 0;
	if ((c->far & rows) != 0 ||
	    ((s->live[SRC] | s->live[DST]) & c->head & rows) != 0)
		return 0;
	for (uint32_t k = i + 1; k < to; k++)
		if ((c->head >> k & 1) != 0 && !same_value(s, field, i, k))
			return 0;
	return rows;
}

static void
find_detours(const struct strip *s, struct strip_class *c)
{
	uint64_t rows, from = 0;

	for (unsigned f = 0; f < ROW_FIELDS; f++)
		from |= c->usual[f] & c->seen;
	for (; from != 0; from &= from - 1) {
		uint32_t i = lowest_bit(from);
		uint64_t bit = (uint64_t)1 << i;

		if ((rows = detour(s, c, i)) == 0)
			continue;
		c->turns |= bit;
		c->back[i] = (uint8_t)(highest_bit(rows) + 1);
		c->open |= c->all & rows;
	}
}

/* Where the usual way leads: does that end the rules, or is it in a strip? */
static void
find_onward(const struct pfk_engine *e, const struct strip *s,
    struct strip_class *c)
{
	const uint32_t *to = s->pc + c->end;

	c->ends = insn_op(*to) == OP_END;
	for (const struct strip *t = s; t->then == THEN_STRIP && t->pc <= to;) {
		c->strip = t->next;
		t = e->strips[t->next];
		if (t->pc > to)
			return;
		c->row = row_at(t, (uint32_t)(to - t->pc));
		if ((c->onward = c->row != STRIP_MAX))
			return;
	}
}

static void
make_brief(const struct pfk_engine *e, const struct strip *s,
    struct strip_class *c, bool v6)
{
	if (!(c->known = !c->odd && find_tables(s, c)))
		return;
	c->brief = is_brief(s, c);
	for (unsigned f = 0; f < ROW_FIELDS; f++) {
		c->leads[f] = s->far[f] & (f < ROW_SPORT ? c->head : c->fits);
		c->minds |= c->leads[f];
	}
	/* whether a table is asked about a destination hangs on the source */
	c->minds |= s->live[DST] & c->head;
	for (unsigned side = 0; side < 2; side++)
		if (v6 && s->six[side] != NULL) {
			c->six[side] = (s->six[side]->rows & c->head) != 0;
			c->at[side] = (uint8_t)(4 * s->six[side]->word[0]);
		}
	c->open = c->all & c->seen;
	find_detours(s, c);
	find_onward(e, s, c);
}

/* => All zero but for the key. */
void
strip_make_class(const struct pfk_engine *e, const struct strip *s,
    const struct strip_head *p, struct strip_class *c)
{
	const struct strip_jump *j;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		class_row(e, s, i, p, c);
	c->end = s->end;
	for (i = 0; i < s->n;) {
		c->seen |= (uint64_t)1 << i;
		j = c->far >> i & 1 ? &c->to[i] : usual_jump(s, i, c);
		if (j == NULL)
			i++;
		else if ((i = j->row) == STRIP_MAX)
			c->end = j->pc;
	}
	make_brief(e, s, c, p->af == PFK_AF_INET6);
}
