/*
 * One expectation, while it is decided.
 */
#ifndef TEST_DECIDE_H
#define TEST_DECIDE_H

#include "run.h"

struct decision {
	struct run	*run;
	struct test	*test;
	size_t		 left;		/* cells that there may still be */
	size_t		 ncells;
	bool		 any;
	bool		 has_questions;	/* some rule asks for more than a
					   packet */
	/* through: where it goes out, and the cell that is on its way */
	bool		*out;		/* of the host's interfaces */
	const char	*in_if;
	struct outcome	 first;		/* as the first crossing left it */
};

/* An answer rests on that. */
void	 note(struct test *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
/* What is wrong with the verdict; NULL: nothing. */
const char *verdict_wrong(const struct test *, const struct outcome *);
/* false: the expectation does not hold, or was not decided. */
bool	 decide_cells(struct decision *, const struct cell *,
	    bool (*fn)(void *, const struct cell *));
bool	 rule_is_empty(const struct rule_tests *);

/* through.c: run->outcome is the first crossing's. */
bool	 through_start(struct decision *);	/* false: is wrong */
bool	 through(struct decision *, const struct cell *,
	    const struct packet *);

#endif
