/*
 * What the optimiser's passes share.
 *
 * A superblock is a run of rules whose order does not matter to a packet:
 * all do the same to it.  The passes work on one superblock at a time:
 *
 *	opt_prepare()		gives every rule its numbers (struct opt_rule)
 *	opt_remove_covered()	duplicates and subsets of other rules go
 *	opt_merge()		rules that differ in one address become a table
 *	opt_reorder()		like rules move together, for pf's skip steps
 *
 * pfctl compares rules pairwise, so its time grows with the square of their
 * number.  Here equal things get equal numbers first (struct intern), and
 * the passes look numbers up.  What comes out is the same, rule for rule.
 */
#ifndef COMPILER_OPTIMIZE_INT_H
#define COMPILER_OPTIMIZE_INT_H

#include "base/strbuf.h"
#include "base/vec.h"
#include "compiler/compile.h"

/*
 * Byte strings to dense numbers from 1: equal strings, equal numbers.
 * Emptied and used again for each superblock; memory stays.
 */
struct intern_entry { uint32_t hash; uint32_t off, len; };
struct intern {
	struct arena	*arena;
	uint32_t	*slots;		/* entry numbers; 0: free */
	uint32_t	 mask, cap;	/* slots in use - 1; slots there are */
	VEC(struct intern_entry) entries;
	struct strbuf	 bytes;
};

void	 intern_init(struct intern *, struct arena *);
void	 intern_reset(struct intern *);
uint32_t intern_add(struct intern *, const void *, size_t);
uint32_t intern_find(const struct intern *, const void *, size_t); /* or 0 */

/*
 * An address in the order "who covers whom": `any` covers all, a network its
 * parts, everything else (tables, interfaces, ranges) only itself.
 */
#define OPT_LEN_EXACT	255
struct opt_addr {
	uint32_t	 id;		/* equal addresses, equal numbers */
	uint8_t		 len;		/* of a network, or OPT_LEN_EXACT */
	bool		 network;	/* one that a table can hold */
};

/* A rule by numbers; 0 is "not given", which covers everything. */
struct opt_rule {
	struct rule	*rule;
	struct opt_addr	 src, dst;
	uint32_t	 rest;		/* what must be equal in any case */
	uint32_t	 ifname, src_port, dst_port;
	uint32_t	 small;		/* direction, proto, flags, flagset */
	bool		 gone;
};

struct optimizer {
	struct pfk_ruleset *rs;
	struct arena	*arena;
	struct strbuf	 key;		/* the byte string being built */
	struct intern	 names;		/* everything that opt_rule numbers */
	struct intern	 tuples, shapes; /* scratch of the passes */
	struct opt_rule	*rules;		/* of the superblock */
	size_t		 n;
	struct order	*order;		/* scratch of opt_reorder() */
};

/* optimize_key.c */
bool	 opt_has_barrier(const struct rule *);
/* Leaves in o->key what must be equal in all rules of a superblock. */
void	 opt_break_key(struct optimizer *, const struct rule *);
void	 opt_prepare(struct optimizer *, struct rule *const *, size_t n);
/* The first len bits of a network's address, if any rule has that network. */
uint32_t opt_find_network(struct optimizer *, const struct rule_addr *,
	    unsigned len);
/* The number of an address. */
struct opt_addr opt_number_addr(struct optimizer *, const struct rule_addr *);
uint32_t opt_number(struct optimizer *, uint32_t, uint32_t);

/* The passes; rules that they drop are squeezed out of o->rules. */
void	 opt_remove_covered(struct optimizer *);	/* optimize_cover.c */
void	 opt_merge(struct optimizer *);			/* optimize_merge.c */
void	 opt_reorder(struct optimizer *);		/* optimize_order.c */
/* => n: rules of the largest superblock to come. */
struct order *order_new(struct arena *, size_t n);

void	 opt_squeeze(struct optimizer *);

#endif
