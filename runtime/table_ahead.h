/*
 * Tables, asked ahead: table_ahead.c for burst.c.
 */
#ifndef RUNTIME_TABLE_AHEAD_H
#define RUNTIME_TABLE_AHEAD_H

#include "runtime/lane.h"
#include "runtime/prefix_int.h"

/* A group's packets without a state, IPv4 and IPv6 apart, and addresses. */
struct tables_ahead {
	uint8_t		n[2];
	uint16_t	asked;		/* TABLE_BIT() of what will be */
	uint8_t		of[2][LANE_GROUP + 1];	/* [n]: for nothing */
	struct key	key[2][2][LANE_GROUP];	/* [v6][SRC, DST] */
};

/* What tables need for them begins to come. */
void	tables_look_ahead(struct pfk_engine *, struct tables_ahead *,
	    struct lane_packet *, size_t n);
/*
 * A little later, and before any of the packets is decided: told and tables of
 * each of them, and e->tables_known.
 */
void	tables_answer(struct pfk_engine *, const struct tables_ahead *,
	    struct lane_packet *);

#endif
