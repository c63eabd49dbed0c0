/*
 * What the two halves of sheet_make() share: rows and guards in order, before
 * they are laid into slots (strip_sheet.h).
 */
#ifndef RUNTIME_STRIP_SHEET_INT_H
#define RUNTIME_STRIP_SHEET_INT_H

#include "runtime/strip_sheet.h"

#define DRAFTS		(SHEET_WORDS * (SHEET_SLOTS - 1))

struct draft_row {
	struct sheet_slot slot;
	bool		quick;
	uint8_t		table[2];	/* of the draft's, + 1; or 0 */
	uint8_t		not_in;		/* 1 << side: that it is not in */
	uint32_t	rule;
	uint32_t	mask[8], value[8];
	uint16_t	low[2], length[2]; /* ports from low on, modulo 2^16 */
	uint16_t	at;		/* its slot */
};

/* A table that rows ask, and which ones of the usual way do. */
struct draft_table {
	uint32_t	table;
	uint16_t	bit;
	uint8_t		side;
	uint64_t	rows[SHEET_STRIPS];
};

struct draft {
	bool		six;
	bool		acts;		/* some rows do that, later */
	uint8_t		ntables;
	uint32_t	n, ndetours;
	uint32_t	base;		/* the rule that decides else */
	struct draft_table table[SHEET_TABLES];
	struct draft_row row[DRAFTS + 1];
	struct sheet_detour detour[DRAFTS + 1];
	/* of detours, the row that says so instead of a guard; or STRIP_MAX */
	uint8_t		by[DRAFTS + 1];
};

/* Into slots, as all sheets of the strip; false: no memory. */
bool	sheet_lay_out(const struct pfk_engine *, struct draft *,
	    struct strip_sheets *, struct strip_sheet *);

#endif
