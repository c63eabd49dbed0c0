/*
 * Making a sheet (strip_sheet.h) out of the classes of a head: rows and guards
 * are drafted, in order, and what can never decide is left out.  The rest is
 * strip_sheet_lay.c's.
 */
#include <string.h>

#include "runtime/miss.h"
#include "runtime/rules_int.h"
#include "runtime/strip_int.h"
#include "runtime/strip_sheet_int.h"

/* ---- rows and guards ---- */

static struct draft_row *
draft_new(struct draft *d, enum slot_kind kind, unsigned part, unsigned row)
{
	struct draft_row *r = &d->row[d->n];

	memset(r, 0, sizeof(*r));
	r->slot = (struct sheet_slot){ (uint8_t)kind, 0, (uint8_t)part,
	    (uint8_t)row };
	r->length[SRC] = r->length[DST] = UINT16_MAX;
	return r;
}

/* false: there is no room. */
static bool
draft_keep(struct draft *d)
{
	return d->n++ < DRAFTS;
}

/* An address that is asked when pf comes there; of tables only. */
static bool
asks_table(const struct strip *s, unsigned f, unsigned i)
{
	return f < ROW_SPORT && (s->live[f] >> i & 1) != 0;
}

static bool
asks(const struct strip *s, unsigned f, unsigned i)
{
	return (s->asks[f] >> i & 1) != 0 || asks_table(s, f, i);
}

static void
draft_addr(const struct draft *d, const struct strip *s, unsigned side,
    unsigned i, struct draft_row *r)
{
	const uint32_t *w = s->pc + s->at6[side][i];

	if (!d->six) {
		r->mask[side] = s->mask[side][i];
		r->value[side] = s->addr[side][i];
		return;
	}
	for (unsigned k = 0; k < 4; k++) {
		r->mask[4 * side + k] = w[k + 4];
		r->value[4 * side + k] = w[k] & w[k + 4];
	}
}

/* false: no port fits. */
static bool
draft_port(const struct strip *s, unsigned side, unsigned i, bool other,
    struct draft_row *r)
{
	uint16_t low = s->low[side][i], high = s->high[side][i];
	uint16_t n = (uint16_t)(high - low);
	bool none = low > high;

	if (!other) {
		r->low[side] = low;
		r->length[side] = n;
		return !none;
	}
	if (none)
		return true;
	r->low[side] = (uint16_t)(high + 1);
	r->length[side] = (uint16_t)(UINT16_MAX - 1 - n);
	return n != UINT16_MAX;
}

/* The draft's number of the table; it is there. */
static unsigned
table_of(const struct draft *d, uint32_t table, unsigned side)
{
	unsigned n = 0;

	while (d->table[n].table != table || d->table[n].side != side)
		n++;
	return n;
}

static void
draft_told(const struct draft *d, const struct strip *s, unsigned side,
    unsigned i, bool misfit, struct draft_row *r)
{
	const struct strip_table *t = s->tables;

	while (t->side != side || !(t->rows >> i & 1))
		t++;
	r->table[side] = (uint8_t)(table_of(d, t->table, side) + 1);
	r->not_in |= (uint8_t)(((t->neg >> i & 1) != misfit) << side);
}

/* That the row's field fits, or does not; false: that cannot be. */
static bool
draft_field(const struct draft *d, const struct strip *s, unsigned f,
    unsigned i, bool misfit, struct draft_row *r)
{
	bool other = (s->neg[f] >> i & 1) != misfit;

	if (asks_table(s, f, i)) {
		draft_told(d, s, f, i, misfit, r);
		return true;
	}
	if (!asks(s, f, i))
		return !misfit;
	if (f >= ROW_SPORT)
		return draft_port(s, f - ROW_SPORT, i, other, r);
	draft_addr(d, s, f, i, r);
	r->slot.neg |= (uint8_t)(other << f);
	return true;
}

static bool
draft_rule(struct draft *d, const struct strip *s, unsigned part, unsigned i)
{
	struct draft_row *r = draft_new(d, SLOT_ROW, part, i);

	r->quick = s->quick >> i & 1;
	r->rule = s->first + i;
	for (unsigned f = 0; f < ROW_FIELDS; f++)
		if (!draft_field(d, s, f, i, false, r))
			return true;
	return draft_keep(d);
}

/* One field of a row, and perhaps those before it, which fit then. */
static bool
draft_guard(struct draft *d, const struct strip *s, enum slot_kind kind,
    unsigned part, unsigned i, unsigned from, unsigned f, bool misfit)
{
	struct draft_row *r = draft_new(d, kind, part, i);

	for (; from < f; from++)
		if (!draft_field(d, s, from, i, false, r))
			return true;
	return !draft_field(d, s, f, i, misfit, r) || draft_keep(d);
}

/*
 * The first row of the detour that begins behind i, if it decides at once
 * whenever pf comes to it; else STRIP_MAX.
 */
static uint8_t
says_itself(const struct draft *d, const struct strip *s,
    const struct strip_class *c, unsigned i, unsigned field)
{
	struct draft_row r = { .rule = 0 };
	unsigned k = i + 1;

	while (k < c->back[i] && !(c->head >> k & 1))
		k++;
	if (k == c->back[i] || !(c->open & s->quick & (uint64_t)1 << k))
		return STRIP_MAX;
	for (unsigned f = 0; f < ROW_FIELDS; f++)
		if (f != field && asks(s, f, k))
			return STRIP_MAX;
	return draft_field(d, s, field, k, false, &r) ? (uint8_t)k : STRIP_MAX;
}

static bool
draft_turn(struct draft *d, const struct strip *s,
    const struct strip_class *c, unsigned part, unsigned i, unsigned field)
{
	uint32_t n = d->ndetours++;

	d->detour[n] = (struct sheet_detour){ 0, (uint8_t)part, (uint8_t)i,
	    c->back[i] };
	d->by[n] = says_itself(d, s, c, i, field);
	return d->by[n] != STRIP_MAX ||
	    draft_guard(d, s, SLOT_TURN, part, i, field, field, false);
}

/* What it takes to leave the usual way at the row. */
static bool
draft_guards(struct draft *d, const struct strip *s,
    const struct strip_class *c, unsigned part, unsigned i)
{
	unsigned u = 0;

	while (u < ROW_FIELDS && !(c->usual[u] >> i & 1))
		u++;
	if (c->turns >> i & 1)
		return draft_turn(d, s, c, part, i, u);
	if (u < ROW_FIELDS) {
		for (unsigned f = 0; f < u; f++)
			if (!draft_guard(d, s, SLOT_STRAY, part, i, f, f,
			    true))
				return false;
		return draft_guard(d, s, SLOT_STRAY, part, i, u, u, false);
	}
	for (unsigned f = 0; f < ROW_FIELDS; f++)
		if ((c->leads[f] >> i & 1) != 0 && !draft_guard(d, s,
		    SLOT_STRAY, part, i, 0, f, true))
			return false;
	return true;
}

static bool
draft_strip(struct draft *d, const struct strip *s,
    const struct strip_class *c, unsigned part, unsigned row)
{
	uint64_t from = UINT64_MAX << row;
	uint64_t open = c->open & s->decides & from, seen = c->seen & from;

	for (unsigned i = row; i < s->n; i++) {
		if ((open >> i & 1) != 0 && !draft_rule(d, s, part, i))
			return false;
		if ((seen >> i & 1) != 0 && !draft_guards(d, s, c, part, i))
			return false;
	}
	return true;
}

/* ---- strip after strip ---- */

static void
lead_on(struct strip_sheet *sh, struct strip *s, uint32_t row)
{
	sh->next = s;
	sh->next_row = row;
	sh->to = row == 0 ? s->pc : s->pc + s->row[row];
}

/*
 * Rows do no more than decide; or what they do besides comes to nothing if the
 * rule that decides makes no state (miss.c), and can be put off till then.
 */
static bool
acts_later(const struct pfk_engine *e, const struct strip *s, uint64_t rows,
    bool *acts)
{
	uint64_t left = rows & (s->acts | ~s->decides);

	*acts |= left != 0;
	if ((left & (s->changes | (s->calls & s->ends))) != 0)
		return false;
	for (left &= s->acts; left != 0; left &= left - 1)
		if (e->rules[s->first + lowest_bit(left)].plain !=
		    PLAIN_LATER)
			return false;
	return true;
}

/* Of a destination it is sure that its table is asked if pf comes there. */
static bool
draft_table(struct draft *d, const struct strip *s,
    const struct strip_table *t, uint64_t rows, unsigned part)
{
	struct draft_table *u = d->table;
	unsigned n = 0;

	if (t->side == DST && (rows & (s->asks[SRC] | s->live[SRC])) != 0)
		return false;
	while (n < d->ntables && (u[n].table != t->table ||
	    u[n].side != t->side))
		n++;
	if (n == SHEET_TABLES)
		return false;
	if (n == d->ntables) {
		u[n] = (struct draft_table){ .table = t->table,
		    .bit = t->bit, .side = t->side };
		d->ntables++;
	}
	u[n].rows[part] = rows;
	return true;
}

/* What the class's rows from there on ask tables. */
static bool
draft_tables(struct draft *d, const struct strip *s,
    const struct strip_class *c, uint64_t from, unsigned part)
{
	for (unsigned left = c->tables; left != 0; left &= left - 1) {
		const struct strip_table *t = &s->tables[lowest_bit(left)];

		if (!draft_table(d, s, t, t->rows & c->head & c->seen & from,
		    part))
			return false;
	}
	return true;
}

static bool
draft_part(struct pfk_engine *e, struct draft *d, const struct strip *s,
    const struct strip_class *c, unsigned part, uint32_t row)
{
	return acts_later(e, s, c->head, &d->acts) &&
	    draft_tables(d, s, c, UINT64_MAX << row, part) &&
	    draft_strip(d, s, c, part, row);
}

/* A strip that is not to be part of it after all. */
static void
forget_part(struct draft *d, unsigned part)
{
	for (unsigned t = 0; t < d->ntables; t++)
		d->table[t].rows[part] = 0;
}

/* The strip from a row on; false: what is there is none of the sheet. */
static bool
take_strip(struct pfk_engine *e, struct strip_sheet *sh, struct draft *d,
    const struct strip_class *c, struct strip *s, uint32_t row)
{
	struct sheet_part *p = &sh->part[sh->nparts];
	uint32_t n = d->n, ndetours = d->ndetours;
	bool acts = d->acts;

	if (c == NULL || !c->known || !(c->seen >> row & 1) ||
	    sh->nparts == SHEET_STRIPS)
		return false;
	if (!draft_part(e, d, s, c, sh->nparts, row)) {
		d->n = n;
		d->ndetours = ndetours;
		d->acts = acts;
		forget_part(d, sh->nparts);
		return false;
	}
	*p = (struct sheet_part){ s, c->seen & UINT64_MAX << row,
	    (uint8_t)row };
	sh->nparts++;
	sh->to = NULL;
	if (c->onward)
		lead_on(sh, e->strips[c->strip], c->row);
	else if (!c->ends)
		sh->to = s->pc + c->end;
	return true;
}

static bool
take_strips(struct pfk_engine *e, struct strip_sheet *sh, struct draft *d,
    struct strip *front, const struct strip_head *h, uint64_t key)
{
	bool icmp = strip_is_icmp(h);
	struct strip *s;

	lead_on(sh, front, 0);
	while ((s = sh->next) != NULL) {
		const struct strip_class *c = strip_find_class(e, s,
		    key & s->heads[icmp], h);

		sh->next = NULL;
		if (!take_strip(e, sh, d, c, s, sh->next_row)) {
			lead_on(sh, s, sh->next_row);
			break;
		}
	}
	return sh->nparts != 0;
}

/* ---- what need not be asked ---- */

static bool
always_fits(const struct draft_row *r)
{
	uint32_t any = r->slot.neg;

	for (unsigned k = 0; k < 8; k++)
		any |= r->mask[k];
	any |= r->table[SRC] | (uint32_t)r->table[DST];
	return any == 0 && r->length[SRC] == UINT16_MAX &&
	    r->length[DST] == UINT16_MAX;
}

/*
 * Rules before one that always matches do not decide, unless they are quick;
 * and none behind a quick one that always does.
 */
static void
leave_out(struct draft *d)
{
	uint32_t base = 0, n = 0, i;

	d->base = IMG_NONE;
	for (i = 0; i < d->n; i++) {
		const struct draft_row *r = &d->row[i];

		if (r->slot.kind != SLOT_ROW || !always_fits(r))
			continue;
		if (r->quick) {
			d->n = i + 1;
			break;
		}
		d->base = r->rule;
		base = i + 1;
	}
	for (i = 0; i < d->n; i++)
		if (i >= base || d->row[i].slot.kind != SLOT_ROW ||
		    d->row[i].quick)
			d->row[n++] = d->row[i];
	d->n = n;
}

/*
 * Whether it is worth it: what rows do is put off only if the rule that decides
 * makes no state, and all must be asked again if it does.
 */
static bool
is_worth_it(const struct pfk_engine *e, const struct draft *d)
{
	uint32_t bare = 0, rows = 0;

	for (uint32_t i = 0; i < d->n; i++)
		if (d->row[i].slot.kind == SLOT_ROW) {
			rows++;
			bare += rule_counts(&e->rules[d->row[i].rule]);
		}
	return !d->acts || 2 * bare >= rows;
}

struct strip_sheet *
sheet_make(struct pfk_engine *e, struct strip *front, uint64_t key,
    const struct strip_head *h)
{
	struct strip_sheet *sh = e_alloc(e, sizeof(*sh));
	struct draft *d = e_alloc(e, sizeof(*d));
	bool made = false;

	if (sh != NULL && d != NULL) {
		sh->key = key;
		sh->six = d->six = h->af == PFK_AF_INET6;
		if (take_strips(e, sh, d, front, h, key)) {
			leave_out(d);
			made = is_worth_it(e, d) &&
			    sheet_lay_out(e, d, front->sheets, sh);
		}
	}
	e_free(e, d, sizeof(*d));
	if (!made && sh != NULL) {
		sheet_free(e, sh);
		sh = NULL;
	}
	return sh;
}

void
sheet_free(const struct pfk_engine *e, struct strip_sheet *sh)
{
	e_free(e, sh->memory, sh->size);
	e_free(e, sh, sizeof(*sh));
}
