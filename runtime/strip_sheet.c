/*
 * Keeping sheets (strip_sheet.h), and sums of what they have counted.
 */
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/strip_sheet.h"

/* ---- sums ---- */

/* Packets that ended at a quick row, by strip and row; and those that did not
   end. */
struct sums {
	uint64_t	ended[SHEET_STRIPS][STRIP_MAX];
	uint64_t	through;
};

static void
add_up(const struct strip_sheet *sh, struct sums *sums)
{
	memset(sums, 0, sizeof(*sums));
	for (uint32_t i = 0; i < sheet_slots(sh); i++) {
		const struct sheet_slot *t = &sh->slots[i];
		unsigned at = i % SHEET_SLOTS;

		if (sh->word[i / SHEET_SLOTS].quick >> at & 1)
			sums->ended[t->strip][t->row] += sh->count[i];
		else if (sh->word[i / SHEET_SLOTS].last >> at & 1)
			sums->through += sh->count[i];
	}
}

/* The usual way, as far as packets went. */
static void
settle_parts(const struct pfk_engine *e, const struct strip_sheet *sh,
    const struct sums *sums)
{
	uint64_t come = sums->through;

	for (unsigned p = sh->nparts; p-- > 0;) {
		const struct sheet_part *part = &sh->part[p];

		for (unsigned row = part->strip->n; row-- > part->row;) {
			come += sums->ended[p][row];
			if (part->seen >> row & 1)
				e->rules[part->strip->first + row]
				    .n.evaluations += come;
		}
	}
}

/* Packets that came to it went on from row to row, up to a quick one. */
static void
settle_detour(const struct pfk_engine *e, const struct strip_sheet *sh,
    const struct sheet_detour *t, const struct sums *sums)
{
	const struct strip *s = sh->part[t->strip].strip;
	uint64_t come = sh->count[t->slot];

	for (unsigned row = t->row + 1u; come != 0 && row < t->back; row++) {
		e->rules[s->first + row].n.evaluations += come;
		come -= sums->ended[t->strip][row];
	}
}

static void
settle(const struct pfk_engine *e, struct strip_sheet *sh)
{
	struct sums sums;

	add_up(sh, &sums);
	settle_parts(e, sh, &sums);
	for (uint32_t i = 0; i < sh->ndetours; i++)
		settle_detour(e, sh, &sh->detours[i], &sums);
	memset(sh->count, 0, sheet_slots(sh) * sizeof(*sh->count));
}

void
sheets_settle(const struct pfk_engine *e, struct strip *s)
{
	if (s->sheets == NULL)
		return;
	for (unsigned i = 0; i < SHEETS; i++)
		if (s->sheets->sheet[i] != NULL)
			settle(e, s->sheets->sheet[i]);
}

/* ---- keeping them ---- */

void
sheets_drop(const struct pfk_engine *e, struct strip *s)
{
	struct strip_sheets *v = s->sheets;

	for (unsigned i = 0; v != NULL && i < SHEETS; i++) {
		if (v->sheet[i] != NULL) {
			settle(e, v->sheet[i]);
			sheet_free(e, v->sheet[i]);
		}
		v->sheet[i] = NULL;
		v->wait[i] = (struct sheet_wait){ 0, 0 };
	}
}

void
sheets_free(const struct pfk_engine *e, struct strip *s)
{
	struct strip_sheets *v = s->sheets;

	for (unsigned i = 0; v != NULL && i < SHEETS; i++)
		if (v->sheet[i] != NULL)
			sheet_free(e, v->sheet[i]);
	e_free(e, v, sizeof(*v));
	s->sheets = NULL;
}

void
sheets_begin(struct pfk_engine *e, struct strip *s)
{
	struct strip_sheets *v = e_alloc(e, sizeof(*v));

	if ((s->sheets = v) == NULL)
		return;
	for (const struct strip *t = s;; t = e->strips[t->next]) {
		for (unsigned i = 0; i < 2; i++) {
			s->sheet_heads[i] |= t->heads[i];
			v->ports |= (uint8_t)(t->asked[ROW_SPORT + i] << i);
		}
		if (t->then != THEN_STRIP)
			return;
	}
}

/* Whether packets of the head have come often, of all that fall there. */
static bool
is_time(struct sheet_wait *w, uint64_t key)
{
	if (w->key == key)
		return w->n < SHEET_NEVER && ++w->n == SHEET_AFTER;
	if (w->n > 0 && w->n != SHEET_NEVER)
		w->n--;
	else
		*w = (struct sheet_wait){ key, 1 };
	return false;
}

/*
 * In one of two places; the older one goes if there is none.
 */
static void
keep(const struct pfk_engine *e, struct strip_sheets *v, struct strip_sheet *sh,
    unsigned at)
{
	struct strip_sheet *old = v->sheet[at ^ 1];

	if (v->sheet[at] == NULL) {
		v->sheet[at] = sh;
		return;
	}
	if (old != NULL) {
		settle(e, old);
		sheet_free(e, old);
	}
	v->sheet[at ^ 1] = v->sheet[at];
	v->sheet[at] = sh;
}

struct strip_sheet *
sheet_find(struct pfk_engine *e, struct strip *s, uint64_t key)
{
	unsigned at = strip_slot(key);
	struct strip_sheet *sh = s->sheets->sheet[at ^ 1];
	struct sheet_wait *w = &s->sheets->wait[at];
	struct strip_head h;

	if (sh != NULL && sh->key == key)
		return sh;
	if (!is_time(w, key))
		return NULL;
	h = strip_head_of(key);
	if ((sh = sheet_make(e, s, key, &h)) == NULL) {
		w->n = SHEET_NEVER;
		return NULL;
	}
	w->n = 0;
	keep(e, s->sheets, sh, at);
	return sh;
}
