/*
 * Where rules come from: the statement of pf.conf, the elements of its lists
 * that the rule was made of, and the macros that those came out of.
 *
 *	struct pfk_origins all;
 *	struct pfk_origin o;
 *
 *	pfk_image_origins(image, rule, &all);
 *	while (pfk_image_next_origin(&all, &o))
 *		... o.statement, o.element[0 .. o.nelements - 1]
 *
 * A rule has one origin; more, if the optimiser has made one rule of several:
 * the first is that of the rule that was kept.  Rules that nobody wrote (of a
 * program that made them by hand) have none.
 *
 * An image keeps texts of up to a megabyte; of longer ones it knows the length
 * and a hash, so that a program can read the file again and be sure that it is
 * the same.
 *
 * A rule of an engine: pfk_engine_rule_image() says which of which image.
 */
#ifndef PFKIT_ORIGIN_H
#define PFKIT_ORIGIN_H

#include <stdbool.h>

#include <pfkit/image.h>

#define PFK_NO_SOURCE	UINT32_MAX
#define PFK_NO_MACRO	UINT32_MAX

/* Bytes of a source text.  Lines and columns count from 1, columns in bytes. */
struct pfk_place {
	uint32_t	 source;	/* pfk_image_source(), or PFK_NO_SOURCE */
	uint32_t	 off, len;
	uint32_t	 line, column;
	uint32_t	 end_line, end_column;	/* of the last byte */
};

/* A text that was read: pf.conf, a file that it includes, an anchor's, -D. */
struct pfk_source {
	const char	*name;		/* "command line": of -D */
	const char	*text;		/* NULL: not kept */
	size_t		 len;
	uint32_t	 nlines;
	uint64_t	 hash;		/* pfk_source_hash() of the text */
	struct pfk_place included_at;
};
size_t	 pfk_image_sources(const struct pfk_image *);
void	 pfk_image_source(const struct pfk_image *, size_t,
	    struct pfk_source *);
uint64_t pfk_source_hash(const void *, size_t);

/* The use of a macro. */
struct pfk_macro {
	const char	*name;		/* without `$' */
	struct pfk_place use;		/* the `$name' */
	struct pfk_place def;		/* the `name = value' */
	uint32_t	 outer;		/* the use itself stands in the value of
					   that macro, or PFK_NO_MACRO */
};
size_t	 pfk_image_macros(const struct pfk_image *);
void	 pfk_image_macro(const struct pfk_image *, uint32_t,
	    struct pfk_macro *);

/* What a part of a statement says. */
enum pfk_part {
	/* lists: a rule for each element */
	PFK_PART_INTERFACE, PFK_PART_PROTOCOL, PFK_PART_SOURCE,
	PFK_PART_SOURCE_PORT, PFK_PART_OS, PFK_PART_DESTINATION,
	PFK_PART_DESTINATION_PORT, PFK_PART_USER, PFK_PART_GROUP,
	PFK_PART_ICMP,
	/* options */
	PFK_PART_FLAGS, PFK_PART_TOS, PFK_PART_PRIO, PFK_PART_FRAGMENT,
	PFK_PART_ALLOW_OPTS, PFK_PART_PROBABILITY, PFK_PART_TAGGED,
	PFK_PART_RECEIVED_ON, PFK_PART_RATE, PFK_PART_ONCE, PFK_PART_STATE,
	PFK_PART_LABEL, PFK_PART_TAG, PFK_PART_RTABLE, PFK_PART_QUEUE,
	PFK_PART_SET, PFK_PART_SCRUB, PFK_PART_DIVERT, PFK_PART_NAT,
	PFK_PART_RDR, PFK_PART_ROUTE,
	PFK_NPARTS
};
/* "source port", "nat-to". */
const char *pfk_part_name(enum pfk_part);
/* Whether it is one that a list of elements may be written for. */
#define pfk_part_has_list(part)	((part) <= PFK_PART_ICMP)

/*
 * A piece of text that says something.  If it came out of a macro, `at' is in
 * the macro's definition, and the chain of macros leads to where it was used.
 * If only a part of it did (`! $if', `> $port'), `at' is where all of it was
 * written, and `value' is what the macro gave.
 */
struct pfk_element {
	enum pfk_part	 part;		/* not of statements and tables */
	bool		 listed;	/* one of several elements */
	struct pfk_place at;
	uint32_t	 macro;		/* pfk_image_macro(), or PFK_NO_MACRO */
	struct pfk_place value;		/* source PFK_NO_SOURCE: all of `at' */
};

enum pfk_origin_how {
	PFK_ORIGIN_OWN,		/* the rule is this statement's */
	PFK_ORIGIN_COVERED,	/* the optimiser has dropped this statement's:
				   the rule matches all that it would match */
	PFK_ORIGIN_SOURCE,	/* merged: its source became an address of the
				   rule's table */
	PFK_ORIGIN_DESTINATION	/* its destination did */
};

/*
 * What was written.  Parts that were not (any protocol, no options) are not
 * there; the others are in the order of enum pfk_part, each once.
 */
struct pfk_origin {
	enum pfk_origin_how how;
	uint8_t		 af, bits;	/* of a merged rule: the address (af: 4
					   or 6) ... */
	uint8_t		 addr[16];	/* ... that it has in the table */
	struct pfk_element statement;
	size_t		 nelements;
	struct pfk_element element[PFK_NPARTS];
};

struct pfk_origins {		/* private */
	const struct pfk_image *image;
	uint32_t	 rule, off, end, merged;
};
void	 pfk_image_origins(const struct pfk_image *, size_t rule,
	    struct pfk_origins *);
/* false: that was the last one. */
bool	 pfk_image_next_origin(struct pfk_origins *, struct pfk_origin *);

/* Tables that the ruleset names, whether it defines them or not. */
struct pfk_table_origin {
	const char	*name, *anchor;	/* anchor: path */
	bool		 defined;	/* by a `table' line, or the optimiser */
	bool		 is_const, persist;
	size_t		 naddrs;
	struct pfk_element statement;	/* at.source PFK_NO_SOURCE: none; of
					   the optimiser's, its first rule's */
};
size_t	 pfk_image_tables(const struct pfk_image *);
void	 pfk_image_table(const struct pfk_image *, size_t,
	    struct pfk_table_origin *);
/*
 * The tables that the rule's source and destination are held against, -1 where
 * there is none: that of its anchor, or else of the main ruleset.
 */
void	 pfk_image_rule_tables(const struct pfk_image *, size_t rule,
	    long table[2]);
/*
 * Its addresses as the ruleset gives them, in order; `element' is what was
 * written for it: several of one name, all of one file.
 */
struct pfk_table_address {
	uint8_t		 af, bits;	/* af: 4 or 6 */
	bool		 neg;
	uint8_t		 addr[16];
	struct pfk_element element;	/* at.source PFK_NO_SOURCE: unknown */
};
void	 pfk_image_table_addresses(const struct pfk_image *, size_t table,
	    bool (*fn)(void *, const struct pfk_table_address *), void *);

#endif
