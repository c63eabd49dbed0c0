/*
 * What is counted, for those who write, read and report it.
 */
#ifndef COVER_DATA_INT_H
#define COVER_DATA_INT_H

#include "data.h"

struct cover_counts { uint64_t n[COVER_STATE + 1]; };

/* Of one origin on one interface. */
struct cover_slot {
	uint32_t	 image, origin;	/* number in the image, from 0; or
					   COVER_ENTRY + that of an entry */
	uint32_t	 interface;	/* its number + 1; 0: a free slot */
	enum cover_by	 by;
	struct cover_counts counts;
};

#define COVER_ENTRY	UINT32_C(0x80000000)
#define COVER_NO_ENTRY	UINT32_MAX

struct cover_table;

struct cover_ruleset {
	const struct pfk_image *image;
	struct pfk_image *owned;	/* the same, if it came from a file */
	uint32_t	 nrules;
	uint32_t	*first;		/* origin of each rule, and one behind */
	long		(*rule_tables)[2]; /* that each rule looks into */
	uint32_t	 ntables;
	uint32_t	*entry0;	/* entry of each table, and one behind */
	struct cover_table **tables;	/* NULL: not looked into yet */
	uint64_t	*evaluations;	/* of each rule */
};

/* Verdicts over time: at most so many stretches, which grow with the run. */
#define COVER_STRETCHES	256
enum cover_verdict { COVER_PASS, COVER_BLOCK, COVER_DROP, COVER_OTHER,
    COVER_VERDICTS };
struct cover_run {
	char		*kind, *name;
	uint64_t	 packets;	/* decisions */
	uint64_t	 start, width;	/* ns */
	uint32_t	 nstretches;
	uint64_t	 stretch[COVER_STRETCHES][COVER_VERDICTS];
};

/* A rule that matched; or whose table did not have an address of the flow. */
enum cover_why { RULE_MATCHED, NOT_SOURCE, NOT_DESTINATION };
struct cover_matched {
	uint32_t	 rule;
	struct pfk_flow	 flow;
	enum cover_why	 why;
};

/* Which origin of a merged rule a flow was due to; one flow has many packets. */
#define COVER_REMEMBERED	8192
struct cover_due {
	const struct pfk_image *image;	/* NULL: nothing is remembered */
	uint32_t	 rule, origin;
	uint8_t		 af, src[16], dst[16];
};

struct cover {
	struct cover_ruleset *rulesets;
	uint32_t	 nrulesets;
	struct cover_run *runs;		/* the first one is being counted */
	uint32_t	 nruns;
	char		**interfaces;
	uint32_t	 ninterfaces;
	enum cover_by	 by;		/* what is counted now */
	struct cover_slot *slots;
	uint32_t	 nslots, used;	/* nslots: a power of two, or 0 */
	struct cover_due *due;		/* NULL until one is needed */
	/* of the packet that is being decided */
	struct pfk_flow	 seen;		/* as rules see it now */
	struct cover_matched *matched;
	uint32_t	 nmatched, room;
};

/* data_tables.c: entries are numbered; given back; an address' entry. */
void	 cover_number_entries(struct cover_ruleset *);
void	 cover_tables_free(struct cover_ruleset *);
uint32_t cover_entry(struct cover_ruleset *, uint32_t table, uint8_t af,
	    const uint8_t *addr);
/* The same, only if the entry begins with `!': it keeps the address out. */
uint32_t cover_exception(struct cover_ruleset *, uint32_t table, uint8_t af,
	    const uint8_t *addr);
bool	 cover_has_exceptions(const struct cover_ruleset *);

/* cover_read() of bytes, which are changed; a NUL stands behind them. */
int	 cover_parse(struct cover *, const char *name, char *data, size_t len);
/* The number of the interface; it is added if it is new. */
uint32_t cover_interface(struct cover *, const char *name);
/* What a run of the kind is. */
enum cover_by cover_by_kind(const char *kind);
/* The image's number; it is added if it is new. */
uint32_t cover_ruleset(struct cover *, const struct pfk_image *);
/* By what exercises it now. */
struct cover_counts *cover_slot(struct cover *, uint32_t image,
	    uint32_t origin, uint32_t interface);

/* For qsort(): by image, origin, interface, what exercised it. */
int	 cover_slot_compare(const void *, const void *);

#endif
