/*
 * Exact decisions about sets of packets.
 *
 * A cell is a set of packets: a product of ranges.  A rule's tests are sets of
 * ranges, too.  A cell that lies, for every rule that can matter, wholly
 * inside or wholly outside of each of its tests is decided as a whole, so the
 * engine's answer for one packet of it is the answer for all.  A cell that
 * some rule cuts is split there.
 *
 *	cells.c		ranges, cells, their packets
 *	rule_tests.c	a rule's tests, out of its text
 *	partition.c	splitting until nothing is cut
 *
 * Which rules can matter is found out by pf's order alone (the last one that
 * matches decides; quick ends); what comes out is the engine's answer in any
 * case.
 */
#ifndef TEST_CELLS_H
#define TEST_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/engine.h>

#include "../trace/trace.h"

/* Addresses as numbers; everything else has hi 0. */
struct num { uint64_t hi, lo; };
struct range { struct num from, to; };
struct ranges { struct range *r; size_t n; };	/* sorted, apart */

enum dim { DIM_PROTO, DIM_SRC, DIM_DST, DIM_SPORT, DIM_DPORT, DIM_TYPE,
    DIM_CODE, DIM_TOS, NDIMS };

struct cell {
	uint8_t		 dir, af;
	uint16_t	 iface;		/* of the host's interfaces */
	struct range	 dim[NDIMS];
	uint8_t		 flags, known;	/* of TCP: bits, and which are known */
	/* second crossing: as the first one left it */
	bool		 second;
	uint8_t		 set;		/* 1 << enum dim: fixed by it ... */
	struct num	 fixed[NDIMS];	/* ... to this */
};

enum test_how { TEST_ALL, TEST_RANGES, TEST_CUTS };
struct dim_test {
	enum test_how	 how;
	struct ranges	 set;		/* TEST_CUTS: where things change */
	bool		 table, fixed;	/* of a table; that cannot change */
};

struct rule_tests {
	uint32_t	 rule;
	uint8_t		 dir, af;	/* 0: any */
	bool		*ifaces;	/* of the host; NULL: all */
	struct dim_test	 dim[NDIMS];
	uint8_t		 flags, mask;
	bool		 quick, decides, block, log;
	bool		 keep;		/* does something for others: a tag, a
					   translation */
	bool		 maybe;		/* the same for a cell, but which? */
	bool		 opens;		/* an anchor */
	bool		 no_state;
	bool		 translates[2];	/* NAT, RDR, of a match rule */
	bool		 never;		/* matches nothing */
	const char	*question;	/* what the packet does not tell; or
					   NULL */
	struct rule_tests *in;		/* the anchor rule it is inside of */
};

/* Host and image that the texts are about. */
struct tests_of {
	const struct pfk_image *image;
	const struct pfk_interface *ifs;
	size_t		 nifs;
	const struct pfk_route *routes;
	size_t		 nroutes;
	const struct pfk_host *host;
	struct rule_tests **rules;	/* in the order of asking */
	size_t		 nrules;
	struct rule_list *lists;	/* rules_of() */
};
struct rule_list { struct rule_tests **rule; size_t n; bool made; };

int	 num_compare(struct num, struct num);
struct num num_next(struct num);	/* + 1 */
struct num num_before(struct num);	/* - 1 */
struct num num_of(uint64_t);
struct num num_address(uint8_t af, const uint8_t *);
void	 num_bytes(struct num, uint8_t af, uint8_t *);
struct num num_max(enum dim, uint8_t af);
void	 ranges_add(struct ranges *, struct num from, struct num to);
void	 ranges_sort(struct ranges *);
void	 ranges_invert(struct ranges *, struct num max);
void	 ranges_free(struct ranges *);

/* What a packet usually has there. */
struct num cell_usual(const struct cell *, enum dim);
/* A packet of the cell, as ordinary as there is one. */
void	 cell_packet(const struct tests_of *, const struct cell *,
	    struct packet *);

/* rule_tests.c */
void	 tests_of_rules(struct tests_of *);	/* fills in rules */
void	 tests_of_free(struct tests_of *);
/* The rules that are for the cell's interface, direction and family. */
const struct rule_list *rules_of(struct tests_of *, const struct cell *);

/* partition.c */
struct partition {
	struct tests_of *rules;
	/* whether the cell is as wanted; false ends it */
	bool	(*visit)(void *, const struct cell *);
	/* a rule that can matter rests on more than the packet; false ends */
	bool	(*question)(void *, const struct rule_tests *,
		    const struct cell *);
	/* a rule that the contents of a table keep away, as they are now */
	void	(*depends)(void *, const struct rule_tests *);
	void	*ctx;
	size_t	 left;			/* cells that may still be made */
	bool	 care;			/* match rules matter, too */
};
/* false: it was ended, or left has come to 0. */
bool	 partition(struct partition *, const struct cell *);
/*
 * rule_cells.c: the cells that a rule's tests let through, without packets that
 * cannot begin anything: errors of ICMP, flags that TCP does not send.
 * => false: fn was.
 */
bool	 cells_of_rule(const struct tests_of *, const struct rule_tests *,
	    bool (*fn)(void *, const struct cell *), void *);

#endif
