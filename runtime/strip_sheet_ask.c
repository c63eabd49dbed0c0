/*
 * Asking sheets (strip_sheet.h): one packet, or packets of a burst in a row.
 *
 * The first word's first choice is mostly the answer.  What is rare - further
 * words, guards, tables, rows that act - is left to functions of their own, so
 * that nothing need be kept for it; strips are asked by what has no sheet or
 * strays there (strip_short.c).
 */
#include <string.h>

#include "runtime/lane_head.h"
#include "runtime/miss.h"
#include "runtime/strip_columns.h"
#include "runtime/strip_sheet.h"
#include "runtime/table.h"

#ifdef HAVE_WIDE
/* A vector's slots: those that fit in a column of addresses, of ports. */
WIDE static ALWAYS_INLINE __m256i
fit_half(__m256i fit, __m256i v, const uint16_t *p, unsigned n)
{
	return _mm256_and_si256(fit, sixteen_halves(p, p + SHEET_LANES * n,
	    v));
}

WIDE static ALWAYS_INLINE __m256i
fit_port(__m256i fit, __m256i v, const uint16_t *p, unsigned n)
{
	return _mm256_and_si256(fit, sixteen_lengths(p, p + SHEET_LANES * n,
	    v));
}

/* The same of n of them: no loop, so that they stay in registers. */
WIDE static ALWAYS_INLINE const uint16_t *
fit_halves(const uint8_t *half, const uint16_t *p, __m256i *fit,
    const unsigned n)
{
	__m256i v = sixteen_times(half);

	fit[0] = fit_half(fit[0], v, p, n);
	if (n > 1)
		fit[1] = fit_half(fit[1], v, p + SHEET_LANES, n);
	if (n > 2) {
		fit[2] = fit_half(fit[2], v, p + 2 * SHEET_LANES, n);
		fit[3] = fit_half(fit[3], v, p + 3 * SHEET_LANES, n);
	}
	return p + 2 * SHEET_LANES * n;
}

WIDE static ALWAYS_INLINE const uint16_t *
fit_ports(uint16_t port, const uint16_t *p, __m256i *fit, const unsigned n)
{
	__m256i v = _mm256_set1_epi16((short)port);

	fit[0] = fit_port(fit[0], v, p, n);
	if (n > 1)
		fit[1] = fit_port(fit[1], v, p + SHEET_LANES, n);
	if (n > 2) {
		fit[2] = fit_port(fit[2], v, p + 2 * SHEET_LANES, n);
		fit[3] = fit_port(fit[3], v, p + 3 * SHEET_LANES, n);
	}
	return p + 2 * SHEET_LANES * n;
}

/* Slots that fit in all columns. */
WIDE static ALWAYS_INLINE uint64_t
slots_of(const struct strip_sheet *sh, const struct strip_ask *q,
    const uint16_t *p, const unsigned n)
{
	const uint8_t *a = q->addr[SRC];
	__m256i all = _mm256_set1_epi16(-1), fit[4] = { all, all, all, all };

	if (sh->ncolumns > 0)
		p = fit_halves(a + sh->at[0], p, fit, n);
	if (sh->ncolumns > 1)
		p = fit_halves(a + sh->at[1], p, fit, n);
	if (sh->ncolumns > 2)
		p = fit_halves(a + sh->at[2], p, fit, n);
	if ((sh->ports & 1u << SRC) != 0)
		p = fit_ports(q->port[SRC], p, fit, n);
	if ((sh->ports & 1u << DST) != 0)
		p = fit_ports(q->port[DST], p, fit, n);
	if (n <= 2)
		return thirty_two_bits(fit[0], fit[n - 1]);
	return thirty_two_bits(fit[0], fit[1]) |
	    thirty_two_bits(fit[2], fit[3]) << 32;
}

WIDE static ALWAYS_INLINE uint64_t
word_slots(const struct strip_sheet *sh, const struct strip_ask *q,
    const struct sheet_word *w, const uint16_t *p)
{
	return w->vectors == 1 ? slots_of(sh, q, p, 1) : w->vectors == 2 ?
	    slots_of(sh, q, p, 2) : slots_of(sh, q, p, 4);
}

/* The same, where an address must not be the slot's. */
static NOINLINE bool
is_proven_odd(const struct strip_sheet *sh, const uint8_t *a, unsigned slot)
{
	const struct sheet_proof6 *p6 = &sh->proof6[slot];
	const struct sheet_proof4 *p4 = &sh->proof4[slot];
	unsigned size = sh->six ? 16 : 4;

	for (unsigned side = 0; side < 2; side++) {
		const uint8_t *mask = sh->six ? (const void *)&p6->mask :
		    (const void *)&p4->mask;
		const uint8_t *value = sh->six ? (const void *)&p6->value :
		    (const void *)&p4->value;
		bool other = sh->slots[slot].neg >> side & 1;
		uint8_t differ = 0;

		for (unsigned i = side * size; i < (side + 1) * size; i++)
			differ |= (a[i] & mask[i]) ^ value[i];
		if ((differ == 0) == other)
			return false;
	}
	return true;
}

/* Whether the addresses fit in full, if they must be the slot's. */
WIDE static ALWAYS_INLINE bool
is_proven(const struct strip_sheet *sh, const uint8_t *a, unsigned slot)
{
	const struct sheet_proof6 *p;
	uint64_t both;

	if (!sh->six) {
		memcpy(&both, a, sizeof(both));
		return (both & sh->proof4[slot].mask) ==
		    sh->proof4[slot].value;
	}
	p = &sh->proof6[slot];
	return all_zero(_mm256_xor_si256(_mm256_and_si256(wide_load(a),
	    wide_load(p->mask)), wide_load(p->value)));
}

WIDE static bool
slot_fits(const struct strip_sheet *sh, const uint8_t *a, unsigned slot)
{
	const struct sheet_word *w = &sh->word[slot / SHEET_SLOTS];

	return (w->odd >> slot % SHEET_SLOTS & 1) != 0 ?
	    is_proven_odd(sh, a, slot) : is_proven(sh, a, slot);
}

/* 1 or 0, and not by a branch. */
static ALWAYS_INLINE uint64_t
is_zero(uint64_t v)
{
	return (~v & (v - 1)) >> 63;
}

/*
 * Of a word's slots whose columns fit, the one that decides if it fits in full:
 * the first quick row, or else the last one.
 */
static ALWAYS_INLINE unsigned
chosen(const struct sheet_word *w, uint64_t fits)
{
	uint64_t quick = fits & w->quick;
	unsigned last = highest_bit(fits & w->last);
	unsigned first = lowest_bit(quick | (uint64_t)1 << 63);

	/* no branch: which one it is comes at random */
	return first ^ ((first ^ last) & (0u - (unsigned)is_zero(quick)));
}

/* Guards before the quick row among those that fit. */
static ALWAYS_INLINE uint64_t
guards_of(const struct sheet_word *w, uint64_t fits)
{
	uint64_t quick = fits & w->quick;

	return fits & w->guards & ((quick & (0 - quick)) - 1);
}

/* What tables have said of the word's slots. */
static ALWAYS_INLINE uint64_t
told_slots(const struct strip_sheet *sh, const struct strip_ask *q,
    unsigned n)
{
	uint64_t fits = UINT64_MAX;

	for (unsigned i = 0; i < sh->ntables; i++) {
		const struct sheet_table *t = &sh->table[i];
		uint64_t in = 0u - (uint64_t)((q->in & t->bit) != 0);

		fits &= t->out[n] ^ ((t->out[n] ^ t->in[n]) & in);
	}
	return fits;
}

/* Guards that are true are turns; false: one is not a turn. */
WIDE static bool
ask_guards(const struct strip_sheet *sh, const uint8_t *a, unsigned n,
    uint64_t guards, uint64_t *turns)
{
	*turns = 0;
	for (; guards != 0; guards &= guards - 1) {
		unsigned bit = lowest_bit(guards);
		unsigned slot = n * SHEET_SLOTS + bit;

		if (!slot_fits(sh, a, slot))
			continue;
		if (sh->slots[slot].kind != SLOT_TURN)
			return false;
		*turns |= (uint64_t)1 << bit;
	}
	return true;
}

static void
count_turns(struct strip_sheet *sh, const uint64_t *turns, unsigned nwords)
{
	for (unsigned w = 0; w < nwords; w++)
		for (uint64_t left = turns[w]; left != 0; left &= left - 1)
			sh->count[w * SHEET_SLOTS + lowest_bit(left)]++;
}

static ALWAYS_INLINE bool
is_quick_slot(const struct strip_sheet *sh, unsigned slot)
{
	return sh->word[slot / SHEET_SLOTS].quick >> slot % SHEET_SLOTS & 1;
}

/*
 * What rows do is put off if it comes to nothing: the rule that decides is the
 * last word, and makes no state.
 */
static bool
comes_to_nothing(const struct pfk_engine *e, const struct strip_sheet *sh,
    unsigned slot)
{
	uint32_t rule = sh->rule[slot];

	return (sh->to == NULL || is_quick_slot(sh, slot)) &&
	    rule_counts(&e->rules[rule == IMG_NONE ? e->default_rule :
	    rule]);
}

/*
 * The slot that decides, from what fits in the first word on; SHEET_NOWHERE:
 * the packet strays, or (look) turns, or it matters what rows do; nothing was
 * counted.
 */
WIDE static unsigned
ask_words(const struct pfk_engine *e, struct strip_sheet *sh,
    const struct strip_ask *q, uint64_t fits, bool look)
{
	uint64_t turns[SHEET_WORDS], turned = 0;
	unsigned n = 0, slot = 0, bit;

	for (;;) {
		const struct sheet_word *w = &sh->word[n];

		while (bit = chosen(w, fits), !slot_fits(sh, q->addr[SRC],
		    n * SHEET_SLOTS + bit))
			fits &= ~((uint64_t)1 << bit);
		if (!ask_guards(sh, q->addr[SRC], n, guards_of(w, fits),
		    &turns[n]))
			return SHEET_NOWHERE;
		if (bit != 0 || n == 0)
			slot = n * SHEET_SLOTS + bit;
		n++;
		if ((fits & w->quick) != 0 || n == sh->nwords)
			break;
		fits = word_slots(sh, q, w + 1, sh->columns +
		    w[1].first) & told_slots(sh, q, n);
	}
	if (sh->acts && !comes_to_nothing(e, sh, slot))
		return SHEET_NOWHERE;
	for (unsigned i = 0; i < n; i++)
		turned |= turns[i];
	if (turned != 0 && look)
		return SHEET_NOWHERE;
	if (turned != 0)
		count_turns(sh, turns, n);
	return slot;
}

/* The slot decides: where to go on, as strips_short(). */
WIDE static ALWAYS_INLINE const uint32_t *
decided(struct pfk_engine *e, struct strip_sheet *sh,
    const struct strip_ask *q, unsigned slot, bool quick, uint32_t *rule)
{
	sh->count[slot]++;
	*rule = sh->rule[slot] != IMG_NONE ? sh->rule[slot] : *rule;
	if (sh->to == NULL || quick)
		return NULL;
	return sh->next == NULL ? sh->to : strips_walk_wide(e, sh->next,
	    sh->next_row, q, rule);
}

/* Where the first word's first choice is not all. */
WIDE static NOINLINE const uint32_t *
ask_on(struct pfk_engine *e, const struct strip_ask *q, uint32_t *rule,
    struct strip_sheet *sh, uint64_t fits)
{
	unsigned slot = ask_words(e, sh, q, fits, false);

	if (slot == SHEET_NOWHERE)
		return strips_walk_wide(e, e->front, 0, q, rule);
	return decided(e, sh, q, slot, is_quick_slot(sh, slot), rule);
}

/* The first word's first choice; false: that may not be all. */
WIDE static ALWAYS_INLINE bool
is_first_choice(const struct strip_sheets *v, const struct strip_sheet *sh,
    const struct strip_ask *q, uint64_t fits, unsigned *slot)
{
	const struct sheet_word *w = &sh->word[0];
	unsigned bit = *slot = chosen(w, fits);

	return !(v->careful && ((w->odd >> bit & 1) | guards_of(w, fits) |
	    (is_zero(fits & w->quick) & sh->more)) != 0) &&
	    is_proven(sh, q->addr[SRC], bit);
}

/* With tables, or rows that do more than decide. */
WIDE static NOINLINE const uint32_t *
ask_special(struct pfk_engine *e, const struct strip_ask *q, uint32_t *rule,
    struct strip_sheet *sh)
{
	unsigned slot = SHEET_NOWHERE;
	uint64_t fits;

	if ((sh->needs & ~q->known) == 0) {
		fits = word_slots(sh, q, &sh->word[0], sh->columns) &
		    told_slots(sh, q, 0);
		if (!is_first_choice(e->front->sheets, sh, q, fits, &slot))
			slot = ask_words(e, sh, q, fits, false);
		else if (sh->acts && !comes_to_nothing(e, sh, slot))
			slot = SHEET_NOWHERE;
	}
	if (slot == SHEET_NOWHERE)
		return strips_walk_wide(e, e->front, 0, q, rule);
	for (unsigned i = 0; i < sh->ntables; i++)
		e->tables[sh->table[i].table].asks[(q->in &
		    sh->table[i].bit) != 0] += sh->table[i].questions[slot];
	return decided(e, sh, q, slot, is_quick_slot(sh, slot), rule);
}

/* The same of any sheet, if there is one. */
static NOINLINE const uint32_t *
ask_other(struct pfk_engine *e, const struct strip_ask *q, uint32_t *rule,
    uint64_t key)
{
	struct strip_sheet *sh = sheet_find(e, e->front, key);

	return sh == NULL ? strips_walk_wide(e, e->front, 0, q, rule) :
	    ask_special(e, q, rule, sh);
}

/* What is rare is left to others, so that nothing need be kept for it. */
WIDE const uint32_t *
sheets_ask(struct pfk_engine *e, const struct strip_ask *q, uint32_t *rule)
{
	struct strip *s = e->front;
	uint64_t key = q->key & s->sheet_heads[q->icmp], fits;
	struct strip_sheet *sh = s->sheets->sheet[strip_slot(key)];
	unsigned slot;

	s->unsettled = true;
	if (sh == NULL || sh->key != key)
		return ask_other(e, q, rule, key);
	if (sh->special)
		return ask_special(e, q, rule, sh);
	fits = word_slots(sh, q, &sh->word[0], sh->columns);
	if (!is_first_choice(s->sheets, sh, q, fits, &slot))
		return ask_on(e, q, rule, sh, fits);
	return decided(e, sh, q, slot, (fits & sh->word[0].quick) != 0, rule);
}

/* A packet of a burst as the lane has read it. */
struct looked {
	const struct lane_run *run;
	const struct pfk_packet *f;
	const struct lane_packet *l;
};

/* Where the first word's first choice is not all: as ask_words(). */
WIDE static NOINLINE unsigned
look_on(struct pfk_engine *e, struct strip_sheet *sh, struct looked p,
    uint64_t fits)
{
	struct strip_ask q;

	lane_question(&q, e, p.run, p.f, p.l);
	return ask_words(e, sh, &q, fits, true);
}

/* false: that has to be asked, or more than counting comes of it. */
WIDE static ALWAYS_INLINE bool
look(struct pfk_engine *e, struct looked p, struct strip_look *found)
{
	struct strip *s = e->front;
	struct strip_sheet *sh;
	struct strip_ask q;
	uint64_t fits;
	uint32_t rule;
	unsigned slot;
	bool quick;

	lane_question(&q, e, p.run, p.f, p.l);
	q.key &= s->sheet_heads[q.icmp];
	sh = s->sheets->sheet[strip_slot(q.key)];
	if (sh == NULL || sh->key != q.key || sh->special)
		return false;
	fits = word_slots(sh, &q, &sh->word[0], sh->columns);
	quick = (fits & sh->word[0].quick) != 0;
	if (!is_first_choice(s->sheets, sh, &q, fits, &slot)) {
		slot = look_on(e, sh, p, fits);
		if (slot == SHEET_NOWHERE)
			return false;
		quick = is_quick_slot(sh, slot);
	}
	if (!quick & (sh->to != NULL))
		return false;
	rule = sh->rule[slot];
	found->count = &sh->count[slot];
	found->rule = &e->rules[rule != IMG_NONE ? rule : e->default_rule];
	return rule_counts(found->rule);
}

WIDE static size_t
look_wide(struct pfk_engine *e, const struct lane_run *run,
    const struct pfk_packet *f, const struct lane_packet *l, size_t n,
    struct strip_look *found)
{
	size_t i = 0;

	while (i < n && look(e, (struct looked){ run, f + i, l + i },
	    &found[i]))
		i++;
	e->front->unsettled |= i > 0;
	return i;
}

size_t
strips_look(struct pfk_engine *e, const struct lane_run *run,
    const struct pfk_packet *f, const struct lane_packet *l, size_t n,
    struct strip_look *found)
{
	return e->front->sheets == NULL ? 0 :
	    look_wide(e, run, f, l, n, found);
}
#else
size_t
strips_look(struct pfk_engine *e, const struct lane_run *run,
    const struct pfk_packet *f, const struct lane_packet *l, size_t n,
    struct strip_look *found)
{
	(void)e, (void)run, (void)f, (void)l, (void)n, (void)found;
	return 0;
}
#endif
