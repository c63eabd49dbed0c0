/*
 * Strips: rules that are compared side by side.
 *
 * Up to STRIP_MAX rules that follow each other, and ask for nothing but
 * interface, direction, family, protocol, flags, addresses and ports, are a
 * strip.  They pass or block, match, or call anchors.  Their addresses and
 * ports stand in columns, so that many rules are compared by one instruction
 * where the processor has such; a bit of a word stands for a rule (a row).
 * Addresses of interfaces, which change, are asked when pf comes to their row,
 * and so are tables whose answers are not known ahead.
 *
 *	class		what a packet's head (interface ... flags, or what kind
 *			of ICMP) makes of the rows: found out once, kept for
 *			packets of that head
 *	columns		which rows the packet's addresses and ports fit
 *	the answer	the first quick row, or else the last one, that fits in
 *			both and that pf would have come to; match rules that it
 *			came to; the first row behind which the packet is seen
 *			with other eyes (`nat-to'), or that calls an anchor
 *
 * pf jumps over rules that are like the one that did not fit (skip steps).
 * It never comes to those, which is seen in their evaluations.  A class knows
 * the usual way: what the head makes of rows, and that a packet seldom has the
 * address that a row asks for.  Where a packet's own jumps differ from that, it
 * leaves the usual way, and is followed row by row until it comes back.
 *
 * A strip answers as its instructions would, one by one; if it cannot, they
 * are still there (vm.c).  strip_build.c makes them.
 */
#ifndef RUNTIME_STRIP_H
#define RUNTIME_STRIP_H

#include "base/bits.h"
#include "runtime/calls.h"

#define STRIP_MAX	64	/* rows: bits of a word */
#define STRIP_MIN	3	/* fewer are not worth it ... */
#define STRIP_FEW	64	/* ... if there are many strips already */
#define STRIP_CLASSES	64	/* kept at a time; a power of two */
#define STRIP_BLOCK	200	/* blocks of more rules are looked up */

/* Fields of a row, in the order in which pf asks. */
enum { ROW_SRC, ROW_DST, ROW_SPORT, ROW_DPORT, ROW_FIELDS };

/* Where a misfit leads: a row, or out of the strip to an instruction. */
struct strip_jump {
	uint32_t	pc;		/* from strip.pc on, in words */
	uint8_t		row;		/* STRIP_MAX: out */
};

/* What stands behind a strip. */
enum strip_then { THEN_OTHER, THEN_STRIP, THEN_END };

struct strip_class {
	uint64_t	key;		/* strip_key() of its head */
	uint64_t	head;		/* rows that fit, flags apart */
	uint64_t	fits;		/* flags, too */
	uint64_t	all;		/* and what is asked behind ports */
	uint64_t	far;		/* misfits that lead further */
	uint64_t	usual[ROW_FIELDS]; /* rows where that misfit usually
					   leads further */
	uint64_t	seen;		/* rows of the usual way */
	uint32_t	end;		/* behind them, from strip.pc on */
	bool		odd;		/* to be asked one by one */
	/* strip_short.c: */
	bool		known;		/* all that rows ask, at once ... */
	bool		brief;		/* ... and they only decide */
	bool		ends, onward;	/* of the usual way: it ends the rules;
					   leads to that row of a strip */
	uint8_t		row;
	uint32_t	strip;
	bool		six[2];		/* addresses of IPv6 are asked */
	uint8_t		at[2];		/* the column's word of addresses */
	uint8_t		tables;		/* of the strip's, those that rows ask */
	uint16_t	needs;		/* their bits: they must be known */
	uint64_t	open;		/* fits; on the usual way or a detour */
	uint64_t	leads[ROW_FIELDS]; /* misfits that lead further */
	uint64_t	minds;		/* rows where one of them does */
	uint64_t	turns;		/* rows where detours begin ... */
	uint8_t		back[STRIP_MAX]; /* and where those end */
	struct strip_jump to[STRIP_MAX];
	/* packets that left the usual way before that row, less those that
	   came to it there */
	uint64_t	through[STRIP_MAX + 1];
};

/*
 * IPv6 addresses of rows that ask; others have no mask.  The word that tells
 * most of them apart stands in the strip's column, the other three here.
 */
struct strip_six {
	uint8_t		word[4];	/* which ones: the column's, these */
	uint32_t	addr[3][STRIP_MAX], mask[3][STRIP_MAX];
	uint64_t	rows;		/* that ask */
	bool		asks[3];	/* whether some row asks for it */
};

/* Live rows that ask a table, all of which may be known ahead. */
#define STRIP_TABLES	8	/* not more are told apart */
struct strip_table {
	uint64_t	rows, neg;	/* neg: that it is not in */
	uint32_t	table;
	uint16_t	bit;		/* TABLE_BIT(), or 0: never known */
	uint8_t		side;
};

struct strip_sheets;			/* strip_sheet.h */

struct strip {
	/* of the one in front, if it is wide and packets have come: what of keys
	   its sheets look at */
	uint64_t	sheet_heads[2];
	struct strip_sheets *sheets;
	bool		wide;		/* strip_wide() */
	bool		unsettled;
	uint32_t	first, n;	/* e->rules */
	const uint32_t	*pc;		/* its instructions */
	uint32_t	end;		/* behind the last row: */
	uint8_t		then;		/* enum strip_then */
	uint32_t	next;		/* in e->strips: THEN_STRIP */
	uint8_t		flagset;	/* TCP flags that some row looks at */
	uint8_t		icmpset;	/* all, if one looks at types of ICMP */
	uint64_t	asks[ROW_FIELDS]; /* rows that ask for it */
	bool		asked[ROW_FIELDS]; /* if there are any */
	bool		jumps;		/* far is not all zero */
	bool		busy;		/* some rows do more than decide */
	/*
	 * What rows do: decide; match, or set a tag; call what is empty.  Those
	 * that end the walk through the strip: quick ones; and those which do
	 * something that those behind them may depend on.
	 */
	uint64_t	decides, acts, idle, quick, ends;
	uint64_t	calls, changes;	/* those call; those translate */
	uint64_t	neg[ROW_FIELDS];
	uint64_t	live[2];	/* rows whose address is asked then */
	struct strip_table tables[STRIP_TABLES];
	uint32_t	ntables;
	struct strip_six *six[2];	/* NULL: no row asks */
	uint64_t	far[ROW_FIELDS];
	/* columns; addresses as they lie in memory, under their masks */
	uint32_t	addr[2][STRIP_MAX], mask[2][STRIP_MAX];
	uint16_t	low[2][STRIP_MAX], high[2][STRIP_MAX];
	/* in the code: words of IPv6; the test of a live row; or 0 */
	uint32_t	at6[2][STRIP_MAX], ask[2][STRIP_MAX];
	uint32_t	row[STRIP_MAX];	/* their RULE */
	uint32_t	what[STRIP_MAX]; /* their last instruction */
	struct strip_jump to[ROW_FIELDS][STRIP_MAX];
	uint64_t	heads[2];	/* what of keys it looks at; of ICMP */
	struct strip_class *classes[STRIP_CLASSES], *last;
	/* beside the usual way: packets that went on at a row, less those that
	   had come to it */
	uint64_t	steps[STRIP_MAX + 1];
};

/* What classes are about; whole packets only. */
struct strip_head {
	uint16_t	ifid, rdomain;
	uint8_t		tcp_flags, proto, dir, af;
	bool		begins;		/* ICMP: may begin a state */
	uint8_t		icmp_type, icmp_code;
};
/*
 *	63	47	  31	 23	 15	7
 *	ifid	rdomain	  flags	 proto	 code	begins, af, dir
 *			  or type
 */
#define STRIP_KEY_FLAGS	24
#define STRIP_KEY_CODE	8
static inline bool
strip_is_icmp(const struct strip_head *h)
{
	return h->proto == PROTO_ICMP || h->proto == PROTO_ICMPV6;
}
static inline uint64_t
strip_key(const struct strip_head *h)
{
	bool icmp = strip_is_icmp(h);

	return (uint64_t)h->ifid << 48 | (uint64_t)h->rdomain << 32 |
	    (uint32_t)(icmp ? h->icmp_type : h->tcp_flags) <<
	    STRIP_KEY_FLAGS | (uint32_t)h->proto << 16 |
	    (icmp ? (uint32_t)h->icmp_code << STRIP_KEY_CODE : 0) |
	    (uint32_t)h->begins << 7 | (uint32_t)h->af << 2 | h->dir;
}
struct strip_head strip_head_of(uint64_t key);
static inline unsigned
strip_slot(uint64_t key)
{
	return (unsigned)(key * 0x9e3779b97f4a7c15u >> 58) &
	    (STRIP_CLASSES - 1);
}

struct strip_ask {
	struct strip_head head;
	uint32_t	row;		/* to begin with */
	const uint8_t	*addr[2];	/* 4 bytes of IPv4 */
	uint16_t	port[2];	/* host order */
	uint16_t	known, in;	/* TABLE_BIT(): of which tables it is
					   known, and said, that they have it */
	uint32_t	rtable;		/* whose routes are meant */
	/* what strips_short() has instead of a head: strip_key(),
	   strip_is_icmp() of it */
	uint64_t	key;
	bool		icmp;
	/* the answer */
	uint32_t	rule;		/* that matched, or IMG_NONE */
	bool		quick;
	/* only of strips that are busy */
	uint64_t	acts;		/* rows that act, in order ... */
	uint32_t	first;		/* ... of the strip whose first rule it
					   is */
	uint32_t	calls;		/* of anchors without rules */
	uint32_t	stop;		/* rule whose last instruction is to be
					   run, or IMG_NONE */
};

/* strip_build.c: makes those of code that has been added; false: no memory. */
bool	strips_add(struct pfk_engine *, const uint32_t *code, uint32_t ncode,
	    uint32_t base);
void	strips_free(struct pfk_engine *);
/* Anchors have other rules now. */
void	strips_learn_calls(struct pfk_engine *);
/* A test of the head, which blocks have as strips do. */
bool	strip_head_fits(const struct pfk_engine *, const struct rt_rule *,
	    const uint32_t *test, const struct strip_head *);
void	strip_make_class(const struct pfk_engine *, const struct strip *,
	    const struct strip_head *, struct strip_class *);

/* The instruction is the rule's in the strip: images may name a rule twice. */
static inline bool
strip_stands(const struct strip *s, uint32_t row, const uint32_t *pc)
{
	return pc == s->pc + s->row[row];
}

static inline void
strip_not_busy(struct strip_ask *q)
{
	q->acts = q->calls = 0;
	q->stop = IMG_NONE;
}

/* The answer is more than a rule. */
static inline bool
strip_is_busy(const struct strip_ask *q)
{
	return q->acts != 0 || q->calls != 0 || q->stop != IMG_NONE;
}

/* Whether it may count calls of anchors without rules. */
static inline bool
strip_may_count(const struct strip *s, const struct calls *c)
{
	return s->idle == 0 || (c->depth < CALL_DEPTH &&
	    c->n + STRIP_MAX < MAX_CALLS);
}

/*
 * Where to go on, or NULL: ask the rules one by one, nothing was counted.
 * => The packet is whole, and has not changed its family.
 */
const uint32_t *strip_run(struct pfk_engine *, struct strip *,
	    struct strip_ask *);
/*
 * From w->pc on as far as strips and blocks go, in one ruleset (way.h).
 */
enum walked {
	WALK_END,		/* of the ruleset */
	WALK_QUICK,		/* w->rule decides */
	WALK_ACT,		/* rules of a strip act first: w->q; and it goes
				   on at w->pc, unless a quick one decides */
	WALK_STUCK		/* rules at w->pc must be asked one by one */
};
struct way;
enum walked strips_walk(struct pfk_engine *, struct way *);
void	strips_settle(const struct pfk_engine *);
/* strip_class.c: bits of the strip's tables may have changed. */
void	strip_tables_moved(struct strip *);
/*
 * The same from the beginning of the main ruleset on, as far as its strips can
 * answer briefly (strip_short.c).  NULL: no later rule will decide; else where
 * to go on.  => It begins with e->front; the destination stands behind the
 * source, as in a header.
 */
const uint32_t *strips_short(struct pfk_engine *, const struct strip_ask *,
	    uint32_t *rule);
/*
 * Of packets in a row, as many as are known at once: a sheet says which rule
 * decides, and that one only counts them.  Nothing has been done yet: the
 * counters are still to be moved, before anything else is asked.
 */
struct strip_look {
	uint64_t	*count;
	struct rt_rule	*rule;
};
struct lane_run;
struct lane_packet;
size_t	strips_look(struct pfk_engine *, const struct lane_run *,
	    const struct pfk_packet *, const struct lane_packet *, size_t n,
	    struct strip_look *);
/* The strip that stands there, or NULL. */
struct strip *strip_at(const struct pfk_engine *, const uint32_t *code);
/* The class of that key, which may be made; NULL: no memory. */
struct strip_class *strip_find_class(struct pfk_engine *, struct strip *,
	    uint64_t key, const struct strip_head *);

/*
 * Rows that fit, in groups of 16: as all processors of the kind can, as wide
 * ones can (strip_wide() says whether this is one), and in the portable way.
 */
bool	 strip_wide(void);
uint64_t strip_addrs_wide(const uint32_t *addr, const uint32_t *mask,
	    uint32_t n, uint32_t a);
uint64_t strip_ports_wide(const uint16_t *low, const uint16_t *high,
	    uint32_t n, uint16_t port);
uint64_t strip_addrs(const uint32_t *addr, const uint32_t *mask, uint32_t n,
	    uint32_t a);
uint64_t strip_addrs_plain(const uint32_t *addr, const uint32_t *mask,
	    uint32_t n, uint32_t a);
uint64_t strip_ports(const uint16_t *low, const uint16_t *high, uint32_t n,
	    uint16_t port);
uint64_t strip_ports_plain(const uint16_t *low, const uint16_t *high,
	    uint32_t n, uint16_t port);

#endif
