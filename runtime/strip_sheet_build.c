/*
 * Making a sheet (strip_sheet.h) out of the classes of a head.
 *
 * First rows and guards are drafted, in order, then what can never decide is
 * left out; then they are laid into slots.  Columns are chosen by what they
 * tell apart of the rows: a slot that fits in all columns but not in full costs
 * a packet more than a column does.
 */
#include <string.h>

#include "runtime/strip_int.h"
#include "runtime/strip_sheet.h"

#define DRAFTS		(SHEET_WORDS * (SHEET_SLOTS - 1))
#define HALVES		16		/* of both addresses of IPv6 */
#define SAMPLE		32		/* rows that are held against others */

struct draft_row {
	struct sheet_slot slot;
	bool		quick;
	uint32_t	rule;
	uint32_t	mask[8], value[8];
	uint16_t	low[2], length[2]; /* ports from low on, modulo 2^16 */
	uint16_t	at;		/* its slot */
};

struct draft {
	bool		six;
	uint32_t	n, ndetours;
	uint32_t	base;		/* the rule that decides else */
	struct draft_row row[DRAFTS + 1];
	struct sheet_detour detour[DRAFTS + 1];
	/* of detours, the row that says so instead of a guard; or STRIP_MAX */
	uint8_t		by[DRAFTS + 1];
};

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

static bool
asks(const struct strip *s, unsigned f, unsigned i)
{
	return s->asks[f] >> i & 1;
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

/* That the row's field fits, or does not; false: that cannot be. */
static bool
draft_field(const struct draft *d, const struct strip *s, unsigned f,
    unsigned i, bool misfit, struct draft_row *r)
{
	bool other = (s->neg[f] >> i & 1) != misfit;

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
	uint64_t open = c->open & from, seen = c->seen & from;

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

/* The strip from a row on; false: what is there is none of the sheet. */
static bool
take_strip(struct pfk_engine *e, struct strip_sheet *sh, struct draft *d,
    const struct strip_class *c, struct strip *s, uint32_t row)
{
	struct sheet_part *p = &sh->part[sh->nparts];
	uint32_t n = d->n, ndetours = d->ndetours;

	if (c == NULL || !c->brief || c->tables != 0 ||
	    !(c->seen >> row & 1) || sh->nparts == SHEET_STRIPS)
		return false;
	if (!draft_strip(d, s, c, sh->nparts, row)) {
		d->n = n;
		d->ndetours = ndetours;
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

/* ---- columns ---- */

static uint16_t
half_of(const uint32_t *words, unsigned half)
{
	uint16_t h;

	memcpy(&h, (const uint8_t *)words + 2 * half, sizeof(h));
	return h;
}

/* Addresses that are asked the other way round are not in columns. */
static bool
in_columns(bool six, const struct draft_row *r, unsigned half)
{
	return !(r->slot.neg >> (half / (six ? 8 : 2)) & 1);
}

static bool
ports_meet(const struct draft_row *a, const struct draft_row *b)
{
	for (unsigned side = 0; side < 2; side++)
		if ((uint16_t)(a->low[side] - b->low[side]) >
		    b->length[side] &&
		    (uint16_t)(b->low[side] - a->low[side]) > a->length[side])
			return false;
	return true;
}

/*
 * The halves, each a bit, that tell a row from packets of another one, which
 * have the lowest addresses there or the highest; 0 if ports do.
 */
static uint16_t
halves_apart(bool six, const struct draft_row *r, const struct draft_row *of,
    bool highest)
{
	uint16_t apart = 0;

	if (!ports_meet(r, of))
		return 0;
	for (unsigned k = 0; k < (six ? 8 : 2); k++) {
		uint32_t a = of->value[k] | (highest ? ~of->mask[k] : 0);
		uint32_t differ = (a ^ r->value[k]) & r->mask[k];

		for (unsigned h = 2 * k; differ != 0 && h < 2 * k + 2; h++)
			if (half_of(&differ, h & 1) != 0 &&
			    in_columns(six, r, h))
				apart |= (uint16_t)(1u << h);
	}
	return apart;
}

/*
 * The k'th row of the sample: of as many stretches, one out of each, not always
 * at the same place, as rules often come in turns.
 */
static const struct draft_row *
sampled(const struct draft *d, uint32_t k)
{
	return d->n <= SAMPLE ? &d->row[k] :
	    &d->row[(8 * k + k * 5 % 8) * d->n / (8 * SAMPLE)];
}

static uint32_t
sample_size(const struct draft *d)
{
	return d->n < SAMPLE ? d->n : SAMPLE;
}

/*
 * Pairs of a row, and packets of one behind it, that some half tells apart: by
 * which ones.
 */
static uint32_t
find_pairs(const struct draft *d, uint16_t *pairs)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < sample_size(d); i++)
		for (uint32_t j = 0; j < i; j++)
			for (unsigned k = 0; k < 2; k++)
				if ((pairs[n] = halves_apart(d->six,
				    sampled(d, j), sampled(d, i), k)) != 0)
					n++;
	return n;
}

/* The half that tells most pairs apart, and how many. */
static uint8_t
best_half(const uint16_t *pairs, uint32_t n, uint32_t *most)
{
	uint32_t told[HALVES] = { 0 };
	uint8_t best = 0;

	for (uint32_t i = 0; i < n; i++)
		for (uint64_t left = pairs[i]; left != 0; left &= left - 1)
			told[strip_lowest(left)]++;
	for (uint8_t h = 1; h < HALVES; h++)
		if (told[h] > told[best])
			best = h;
	*most = told[best];
	return best;
}

/*
 * A column is worth it if it spares packets a row that does not fit often
 * enough: to find one takes a packet as long as five columns of few rows.  The
 * first sheet says how many columns all have.
 */
static void
choose_columns(const struct draft *d, struct strip_sheets *v,
    struct strip_sheet *sh)
{
	uint16_t pairs[SAMPLE * SAMPLE + 1];
	uint32_t worth = d->n < SHEET_LANES ? 10 : 5, most;
	uint32_t n = find_pairs(d, pairs), rows = sample_size(d);

	while (sh->ncolumns < (v->ncolumns != 0 ? v->ncolumns :
	    SHEET_COLUMNS)) {
		uint8_t best = best_half(pairs, n, &most);
		uint32_t left = 0;

		if (v->ncolumns == 0 && sh->ncolumns != 0 &&
		    most * d->n * worth <= 2 * rows * rows)
			break;
		for (uint32_t i = 0; i < n; i++)
			if (!(pairs[i] >> best & 1))
				pairs[left++] = pairs[i];
		n = left;
		sh->at[sh->ncolumns++] = (uint8_t)(2 * best);
	}
	v->ncolumns = sh->ncolumns;
	sh->ports = v->ports;
}

/* ---- slots ---- */

static uint32_t
columns_of(const struct strip_sheet *sh)
{
	return sh->ncolumns + (sh->ports & 1u) + (sh->ports >> 1);
}

/* Of n slots: as they are compared and put together (strip_short.c). */
static unsigned
vectors_for(uint32_t n)
{
	return n <= SHEET_LANES ? 1 : n <= 2 * SHEET_LANES ? 2 : 4;
}

static unsigned
bit_of(unsigned k, unsigned vectors)
{
	return vectors == 1 && k >= SHEET_LANES / 2 ? k + SHEET_LANES / 2 : k;
}

/* Where a slot stands in a column: packing goes by halves of vectors. */
static unsigned
lane_of(unsigned bit)
{
	unsigned half = bit % 32 / 8, vector = bit / 32 * 2 + half % 2;

	return vector * SHEET_LANES + half / 2 * 8 + bit % 8;
}

static void
place_rows(struct draft *d, struct strip_sheets *v, struct strip_sheet *sh)
{
	uint32_t room = SHEET_SLOTS - 1, first = 0;

	sh->nwords = (uint8_t)((d->n + room - 1) / room);
	if (sh->nwords == 0)
		sh->nwords = 1;
	for (unsigned w = 0; w < sh->nwords; w++) {
		struct sheet_word *word = &sh->word[w];
		uint32_t n = d->n - w * room;

		word->first = first;
		word->vectors = vectors_for(n < room ? n + 1 : SHEET_SLOTS);
		if (w == 0 && word->vectors < v->vectors)
			word->vectors = v->vectors;
		word->last = 1;
		first += word->vectors * SHEET_LANES * 2 * columns_of(sh);
		for (uint32_t k = 0; k < n && k < room; k++) {
			struct draft_row *r = &d->row[w * room + k];
			unsigned bit = bit_of(k + 1, word->vectors);

			r->at = (uint16_t)(w * SHEET_SLOTS + bit);
			*(r->slot.kind != SLOT_ROW ? &word->guards :
			    r->quick ? &word->quick : &word->last) |=
			    (uint64_t)1 << bit;
			word->odd |= (uint64_t)(r->slot.neg != 0) << bit;
		}
	}
}

/* Parts of one piece of memory; the first time it is only measured. */
static void *
carve(struct strip_sheet *sh, size_t *at, size_t size)
{
	uint8_t *p = sh->memory == NULL ? NULL :
	    (uint8_t *)sh->memory + *at;

	*at += (size + 63) & ~(size_t)63;
	return p;
}

static size_t
carve_all(const struct draft *d, struct strip_sheet *sh)
{
	const struct sheet_word *last = &sh->word[sh->nwords - 1];
	size_t at = (64 - ((uintptr_t)sh->memory & 63)) & 63;
	size_t n = sheet_slots(sh);

	sh->columns = carve(sh, &at, (last->first + last->vectors *
	    SHEET_LANES * 2 * columns_of(sh)) * sizeof(*sh->columns));
	sh->proof4 = carve(sh, &at, sh->six ? 0 : n * sizeof(*sh->proof4));
	sh->proof6 = carve(sh, &at, sh->six ? n * sizeof(*sh->proof6) : 0);
	sh->rule = carve(sh, &at, n * sizeof(*sh->rule));
	sh->count = carve(sh, &at, n * sizeof(*sh->count));
	sh->slots = carve(sh, &at, n * sizeof(*sh->slots));
	sh->detours = carve(sh, &at, d->ndetours * sizeof(*sh->detours));
	return at + 64;
}

static void
lay_columns(const struct draft_row *r, struct strip_sheet *sh)
{
	const struct sheet_word *w = &sh->word[r->at / SHEET_SLOTS];
	uint32_t size = w->vectors * SHEET_LANES;
	uint16_t *p = sh->columns + w->first +
	    lane_of(r->at % SHEET_SLOTS);

	for (unsigned i = 0; i < sh->ncolumns; i++, p += 2 * size)
		if (in_columns(sh->six, r, sh->at[i] / 2)) {
			p[0] = half_of(r->mask, sh->at[i] / 2);
			p[size] = half_of(r->value, sh->at[i] / 2);
		}
	for (unsigned side = 0; side < 2; side++)
		if ((sh->ports >> side & 1) != 0) {
			p[0] = r->low[side];
			p[size] = r->length[side];
			p += 2 * size;
		}
}

static void
lay_proof(const struct draft_row *r, struct strip_sheet *sh)
{
	if (sh->six) {
		memcpy(sh->proof6[r->at].mask, r->mask, sizeof(r->mask));
		memcpy(sh->proof6[r->at].value, r->value, sizeof(r->value));
	} else {
		memcpy(&sh->proof4[r->at].mask, r->mask, sizeof(uint64_t));
		memcpy(&sh->proof4[r->at].value, r->value, sizeof(uint64_t));
	}
}

static void
lay_row(const struct draft_row *r, struct strip_sheet *sh)
{
	lay_columns(r, sh);
	lay_proof(r, sh);
	sh->rule[r->at] = r->rule;
	sh->slots[r->at] = r->slot;
}

/* The slots 0, which always fit. */
static void
lay_zeros(const struct draft *d, struct strip_sheet *sh)
{
	for (unsigned w = 0; w < sh->nwords; w++) {
		struct draft_row r = {
			.length = { UINT16_MAX, UINT16_MAX },
			.at = (uint16_t)(w * SHEET_SLOTS),
			.rule = w == 0 ? d->base : IMG_NONE
		};

		lay_row(&r, sh);
	}
}

/* The slot that says that a packet has come to the detour. */
static uint16_t
detour_slot(const struct draft *d, uint32_t n)
{
	const struct sheet_detour *t = &d->detour[n];
	bool itself = d->by[n] != STRIP_MAX;

	for (uint32_t i = 0; i < d->n; i++) {
		const struct sheet_slot *s = &d->row[i].slot;

		if (s->strip == t->strip &&
		    s->row == (itself ? d->by[n] : t->row) &&
		    s->kind == (itself ? SLOT_ROW : SLOT_TURN))
			return d->row[i].at;
	}
	return SHEET_NOWHERE;
}

/* Detours that no packet comes to, for a rule before them, have no slot. */
static void
lay_detours(const struct draft *d, struct strip_sheet *sh)
{
	for (uint32_t i = 0; i < d->ndetours; i++) {
		uint16_t slot = detour_slot(d, i);

		if (slot == SHEET_NOWHERE)
			continue;
		sh->detours[sh->ndetours] = d->detour[i];
		sh->detours[sh->ndetours++].slot = slot;
	}
}

static bool
lay_out(const struct pfk_engine *e, struct draft *d, struct strip_sheets *v,
    struct strip_sheet *sh)
{
	leave_out(d);
	choose_columns(d, v, sh);
	place_rows(d, v, sh);
	sh->size = carve_all(d, sh);
	if ((sh->memory = e_alloc(e, sh->size)) == NULL)
		return false;
	carve_all(d, sh);
	v->vectors = (uint8_t)sh->word[0].vectors;
	lay_zeros(d, sh);
	for (uint32_t i = 0; i < d->n; i++)
		lay_row(&d->row[i], sh);
	lay_detours(d, sh);
	return true;
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
		made = take_strips(e, sh, d, front, h, key) &&
		    lay_out(e, d, front->sheets, sh);
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
