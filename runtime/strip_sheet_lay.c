/*
 * Laying the rows of a sheet (strip_sheet.h) into slots.
 *
 * Columns are chosen by what they tell apart of the rows: a slot that fits in
 * all columns but not in full costs a packet more than a column does.
 */
#include <string.h>

#include "runtime/strip_sheet_int.h"

#define HALVES		16		/* of both addresses of IPv6 */
#define SAMPLE		32		/* rows that are held against others */

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

/* What packets have where a row does not ask: one thing, or its contrary. */
static uint32_t
anything(unsigned word, bool contrary)
{
	uint32_t a = 0x9e3779b9u * (word + 1);

	return contrary ? ~a : a;
}

/*
 * The halves, each a bit, that tell a row from packets of another one; 0 if
 * ports do.
 */
static uint16_t
halves_apart(bool six, const struct draft_row *r, const struct draft_row *of,
    bool contrary)
{
	uint16_t apart = 0;

	if (!ports_meet(r, of))
		return 0;
	for (unsigned k = 0; k < (six ? 8 : 2); k++) {
		uint32_t a = of->value[k] |
		    (anything(k, contrary) & ~of->mask[k]);
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
			told[lowest_bit(left)]++;
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

/* Of n slots: as they are compared and put together (strip_sheet_ask.c). */
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
	for (unsigned t = 0; t < d->ntables; t++)
		sh->table[t].questions = carve(sh, &at,
		    n * sizeof(*sh->table[t].questions));
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

/* ---- tables ---- */

/* Whether a row of the table's stands no further than the slot. */
static uint16_t
questions(const struct strip_sheet *sh, const struct draft_table *t,
    uint32_t slot)
{
	const struct sheet_slot *at = &sh->slots[slot];
	bool quick = sh->word[slot / SHEET_SLOTS].quick >>
	    slot % SHEET_SLOTS & 1;
	uint16_t n = 0;

	for (unsigned p = 0; p < sh->nparts; p++) {
		uint64_t rows = t->rows[p];

		if (quick && p > at->strip)
			break;
		if (quick && p == at->strip)
			rows &= UINT64_MAX >> (STRIP_MAX - 1 - at->row);
		for (; rows != 0; rows &= rows - 1)
			n++;
	}
	return n;
}

static void
lay_tables(const struct draft *d, struct strip_sheet *sh)
{
	sh->ntables = d->ntables;
	for (unsigned n = 0; n < d->ntables; n++) {
		struct sheet_table *t = &sh->table[n];

		t->table = d->table[n].table;
		t->bit = d->table[n].bit;
		sh->needs |= t->bit;
		memset(t->in, 0xff, sizeof(t->in));
		memset(t->out, 0xff, sizeof(t->out));
		for (uint32_t i = 0; i < sheet_slots(sh); i++)
			t->questions[i] = questions(sh, &d->table[n], i);
	}
}

/* The row's slot fits only if its tables have its addresses, or have not. */
static void
lay_told(const struct draft_row *r, struct strip_sheet *sh)
{
	for (unsigned side = 0; side < 2; side++) {
		struct sheet_table *t;

		if (r->table[side] == 0)
			continue;
		t = &sh->table[r->table[side] - 1];
		((r->not_in >> side & 1) != 0 ? t->in : t->out)[r->at /
		    SHEET_SLOTS] &= ~((uint64_t)1 << r->at % SHEET_SLOTS);
	}
}

bool
sheet_lay_out(const struct pfk_engine *e, struct draft *d,
    struct strip_sheets *v, struct strip_sheet *sh)
{
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
	lay_tables(d, sh);
	for (uint32_t i = 0; i < d->n; i++)
		lay_told(&d->row[i], sh);
	sh->more = sh->nwords > 1;
	v->careful |= sh->more || (sh->word[0].odd | sh->word[0].guards) != 0;
	sh->acts = d->acts;
	sh->special = sh->acts || sh->ntables != 0;
	return true;
}

