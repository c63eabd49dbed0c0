/*
 * What an address of a rule stands for, as ranges.
 */
#ifndef TEST_ADDRESSES_H
#define TEST_ADDRESSES_H

#include "cells.h"

struct addresses {
	const struct tests_of *of;
	const char	*anchor;	/* whose tables come first */
	uint8_t		 af;
};

/* "any", "10.0.0.0/8", "<bad:3>", "(em0:network:*)", "urpf-failed" ... */
void	 addresses_of(const struct addresses *, const char *word,
	    struct dim_test *);
void	 addresses_span(const struct addresses *, const char *from,
	    const char *to, struct dim_test *);
void	 addresses_of_routes(const struct addresses *, struct dim_test *);

#endif
