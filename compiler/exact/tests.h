/*
 * Between tests.c and views.c: a rule's tests in the making.
 */
#ifndef EXACT_TESTS_H
#define EXACT_TESTS_H

#include "compiler/exact/exact_int.h"

struct tester {
	struct pfk_exact *x;
	struct ximage	*xi;
	uint32_t	 rule;
	const struct context *c;	/* NULL: the packet as it comes */
	bool		 open;		/* tables that may change have any
					   addresses */
};

/* A question: "WHAT `of'". */
dd	 ask(const struct tester *, const char *what, const char *of);
const char *rule_text(const struct tester *, uint32_t rule);
/* The test of the packet's own address, and whether it asks the routes. */
dd	 addr_test(const struct tester *, const uint32_t *pc);
bool	 asks_routes(const uint32_t *pc);
/* The test of a translated one. */
dd	 translated_addr(const struct tester *, const uint32_t *pc,
	    const struct view *);

#endif
