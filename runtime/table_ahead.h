/*
 * Tables, asked ahead: table_ahead.c for burst.c.
 */
#ifndef RUNTIME_TABLE_AHEAD_H
#define RUNTIME_TABLE_AHEAD_H

#include "runtime/lane.h"
#include "runtime/prefix_int.h"

/* Of one side and family, a table asked. */
struct table_found { struct prefix_found some[2][2]; };	/* [v6][SRC, DST] */

/* A group's packets without a state, IPv4 and IPv6 apart, and addresses. */
struct tables_ahead {
	uint8_t		n[2];
	uint16_t	asked;		/* TABLE_BIT() of what will be */
	size_t		packets;	/* all of the group's */
	uint32_t	told;		/* those that it will be of */
	uint64_t	changes;	/* e->tables_changes, when it was found */
	uint8_t		of[2][LANE_GROUP + 1];	/* [n]: for nothing */
	struct prefix_keys key[2][2];		/* [v6][SRC, DST] */
	struct table_found found[TABLES_ASKED];
};

/* What tables need for them begins to come. */
void	tables_look_ahead(struct pfk_engine *, struct tables_ahead *,
	    const struct lane_packet *, size_t n);
/*
 * A little later, and before any of the packets is decided: e->tables_known
 * and, unless that is nothing, told and tables of each of them.
 */
void	tables_answer(struct pfk_engine *, struct tables_ahead *,
	    struct lane_packet *);

#endif
