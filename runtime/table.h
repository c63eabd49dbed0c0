/*
 * Tables, inside: shared by table*.c and rules.c.
 */
#ifndef RUNTIME_TABLE_H
#define RUNTIME_TABLE_H

#include "runtime/rules_int.h"

struct table_entry_counters { uint64_t packets[2][3], bytes[2][3]; };

/* One prefix of a table: two in a line of cache. */
struct table_entry {
	struct pfk_addr	addr;
	uint64_t	since;		/* ns since the engine started */
	uint32_t	extra;		/* used: t->counters, else the next
					   free one; index + 1 */
	uint16_t	weight;		/* in pools; 0: none was given */
	uint8_t		bits;
	uint8_t		af : 4;
	uint8_t		neg : 1;
	uint8_t		used : 1;	/* not on the free list */
};

struct table {
	char		*name, *anchor;
	uint32_t	 flags;		/* IMG_T_*; DEFINED: pf's "active" */
	uint32_t	 root;		/* the main ruleset's, or IMG_NONE */
	uint32_t	 references;	/* by rules */
	struct prefix_tree tree[2];	/* IPv4, IPv6: prefix -> entry */
	struct table_entry *entries;
	uint32_t	 n, cap, free;	/* used or once used; index + 1 */
	/* of entries that have any; a free one begins with the next's */
	struct table_entry_counters *counters;
	uint32_t	 ncounters, counters_cap, counters_free; /* as above */
	uint32_t	 naddrs[2];
	uint32_t	*order;		/* entries as pf walks them: IPv4, */
	uint32_t	 norder;	/* then IPv6; NULL: not sorted yet */
	/* of weights; unknown after changes, as order */
	bool		 weights_known, weighted, has_neg;
	uint16_t	 gcd, most;
	/* the last question: rules ask, then counters do.  asked_af 0: none */
	struct pfk_addr	 asked;
	uint8_t		 asked_af;
	bool		 answer;
	uint8_t		 place;		/* in e->asked, from 1 on; 0: none */
	uint64_t	 asks[2];	/* of rules: not in, in */
	uint64_t	 packets[2][4], bytes[2][4];
};

/* Finds or makes a table; IMG_NONE: no memory. */
uint32_t table_find(const struct pfk_engine *, const char *anchor,
	    const char *name);
uint32_t table_make(struct pfk_engine *, const char *anchor,
	    const char *name);
/* The table that answers for this one: itself, the main one, or NULL. */
struct table *table_active(const struct pfk_engine *, uint32_t);
/*
 * table_entry.c: entries of a table, and their counters (NULL: none yet; none
 * and no memory).  They move when there are more.
 */
uint32_t table_entry_new(struct pfk_engine *, struct table *);
void	 table_entry_free(struct table *, uint32_t);
bool	 table_entries_reserve(const struct pfk_engine *, struct table *,
	    uint32_t n);
void	 table_entries_free(const struct pfk_engine *, struct table *);
struct table_entry_counters *table_entry_counters(const struct table *,
	    const struct table_entry *);
struct table_entry_counters *table_entry_count(const struct pfk_engine *,
	    struct table *, struct table_entry *);

/* Sees to it that t->order is there; false: no memory. */
bool	 table_sort(const struct pfk_engine *, struct table *);
/* table_fill.c: adds the addresses of an image's table. */
bool	 table_fill(struct pfk_engine *, uint32_t table,
	    const struct pfk_image *, const struct img_table *);
/* The entry of a prefix, made if it is not there; NULL: no memory. */
struct table_entry *table_put(struct pfk_engine *, struct table *, uint8_t af,
	    uint8_t bits, bool neg, const struct pfk_addr *);
/* 1 removed, 0 was not there. */
int	 table_remove(struct pfk_engine *, uint32_t table, uint8_t af,
	    uint8_t bits, const struct pfk_addr *);
void	 table_clear(struct pfk_engine *, struct table *);

#endif
