/*
 * Sheets: strips from the front on, as packets of one head see them.
 *
 * A class (strip.h) says what a head makes of one strip's rows.  If packets of
 * that head keep coming, those rows of all strips in a row that can still fit
 * are written out one behind the other, without what the head has answered:
 * the packet asks one sheet instead of strips.
 *
 *	slots	of a word of 64: slot 0 stands for what has been decided
 *		before, the others for rows in order, and for guards
 *	guards	behind a row: what it takes for a packet to leave the usual
 *		way there.  If a detour begins (a turn), that is noted; else the
 *		strips are asked one by one
 *	columns	a few halves of words of the packet's addresses, which tell
 *		the rows apart, and ports: 16 slots are compared at a time
 *	proofs	addresses in full, asked of the one slot that would decide
 *
 * Rows that match or call what is empty have no slots: if the rule that decides
 * makes no state, that comes to nothing, and else the strips are asked.
 *
 * A packet's count goes to the slot that decided; who was evaluated then
 * follows from that, when somebody looks.
 */
#ifndef RUNTIME_STRIP_SHEET_H
#define RUNTIME_STRIP_SHEET_H

#include "runtime/miss.h"
#include "runtime/strip.h"

#define SHEET_WORDS	5	/* of slots */
#define SHEET_SLOTS	64	/* in a word */
#define SHEET_STRIPS	8	/* in one sheet */
#define SHEET_TABLES	4	/* that rows ask */
#define SHEET_COLUMNS	3	/* of addresses */
#define SHEET_LANES	16	/* slots compared at a time */
#define SHEETS		64	/* kept at a time; a power of two */
#define SHEET_AFTER	32	/* packets of its head it is worth while */

struct sheet_word {
	uint64_t	quick;		/* slots of quick rows */
	uint64_t	last;		/* of others, and slot 0 */
	uint64_t	guards;		/* of either kind */
	uint64_t	odd;		/* an address must not be that */
	uint32_t	first;		/* its columns: in halves */
	uint32_t	vectors;	/* 1, 2 or 4: of SHEET_LANES slots */
};

/* Addresses, both sides, as they lie in memory behind each other. */
struct sheet_proof4 { uint64_t mask, value; };
struct sheet_proof6 { uint32_t mask[8], value[8]; };

enum slot_kind { SLOT_NONE, SLOT_ROW, SLOT_TURN, SLOT_STRAY };

/* What is not needed of each packet. */
struct sheet_slot {
	uint8_t		kind;
	uint8_t		neg;		/* 1 << side: all but that address */
	uint8_t		strip, row;	/* in sheet.part[] */
};
struct sheet_part {
	struct strip	*strip;
	uint64_t	seen;		/* of the usual way */
	uint8_t		row;		/* it begins with */
};
/* Rows behind (strip, row) up to `back', if the packet fits in a slot. */
#define SHEET_NOWHERE	UINT16_MAX
struct sheet_detour {
	uint16_t	slot;
	uint8_t		strip, row, back;
};

/* Slots that fit if an address is in the table, or not (or do not ask). */
struct sheet_table {
	uint32_t	table;
	uint16_t	bit;		/* TABLE_BIT() */
	uint64_t	in[SHEET_WORDS], out[SHEET_WORDS];
	uint16_t	*questions;	/* of slots: pf's, when they decide */
};

struct strip_sheet {
	uint64_t	key;		/* of its head: strip.sheet_heads */
	uint8_t		nwords;
	uint8_t		ncolumns;	/* of addresses */
	uint8_t		ports;		/* 1 << side: asked */
	bool		six;
	bool		more;		/* words than one */
	bool		special;	/* tables, or what rows do */
	uint8_t		at[SHEET_COLUMNS]; /* bytes from the source on */
	uint16_t	*columns;	/* of a word, one behind the other:
					   masks, values; low ones, lengths */
	struct sheet_proof4 *proof4;	/* of slots: one of them */
	struct sheet_proof6 *proof6;
	uint32_t	*rule;		/* or IMG_NONE */
	uint64_t	*count;
	/* behind all of it: the end of the rules (NULL), or there, or a row of
	   another strip */
	const uint32_t	*to;
	struct strip	*next;
	uint32_t	next_row;
	struct sheet_word word[SHEET_WORDS];
	bool		acts;		/* rule_counts() must be so */
	uint8_t		ntables;
	uint16_t	needs;		/* their bits: they must be known */
	struct sheet_table table[SHEET_TABLES];
	/* for sums */
	uint8_t		nparts;
	uint32_t	ndetours;	/* that packets come to */
	struct sheet_part part[SHEET_STRIPS];
	struct sheet_detour *detours;
	struct sheet_slot *slots;
	void		*memory;	/* of all arrays */
	size_t		size;
};

/* Heads without a sheet: how many packets have come, or that it has none. */
#define SHEET_NEVER	UINT32_MAX
struct sheet_wait { uint64_t key; uint32_t n; };

struct strip_sheets {
	/* the same for all: what heads are asked comes at random */
	uint8_t		ncolumns;	/* 0: not known yet */
	uint8_t		ports;
	uint8_t		vectors;	/* at least */
	bool		careful;	/* some have more words, guards, slots
					   that are odd */
	struct strip_sheet *sheet[SHEETS];
	struct sheet_wait wait[SHEETS];
};

/*
 * As strips_short(), of a strip in front that has sheets; and what is asked
 * where they have no answer: the strips from that row on (strip_short.c).
 */
const uint32_t *sheets_ask(struct pfk_engine *, const struct strip_ask *,
	    uint32_t *rule);
const uint32_t *strips_walk_wide(struct pfk_engine *, struct strip *,
	    unsigned row, const struct strip_ask *, uint32_t *rule);
/* Of a head for which sheet[strip_slot(key)] is not it; NULL: none. */
struct strip_sheet *sheet_find(struct pfk_engine *, struct strip *,
	    uint64_t key);
/* NULL: there cannot be one, or no memory. */
struct strip_sheet *sheet_make(struct pfk_engine *, struct strip *,
	    uint64_t key, const struct strip_head *);
void	sheet_free(const struct pfk_engine *, struct strip_sheet *);
/* The strip will have some, unless there is no memory.  => It is wide. */
void	sheets_begin(struct pfk_engine *, struct strip *);
/* Tables or anchors have changed: sheets are made anew. */
void	sheets_drop(const struct pfk_engine *, struct strip *);
void	sheets_settle(const struct pfk_engine *, struct strip *);
void	sheets_free(const struct pfk_engine *, struct strip *);

static inline uint32_t
sheet_slots(const struct strip_sheet *sh)
{
	return (uint32_t)sh->nwords * SHEET_SLOTS;
}

#endif
