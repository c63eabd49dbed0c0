/*
 * Rates, as pf measures them: a count that decays.
 *
 * Each event adds 1000.  When the next one comes the count loses the part of
 * the period that has passed since, or all of it.  Numbers are 32 bits wide,
 * and wrap as pf's do.
 */
#include "runtime/engine_int.h"

#define RATE_UNIT	1000

void
rate_init(struct rate *r, uint32_t limit, uint32_t seconds)
{
	r->limit = limit * RATE_UNIT;
	r->seconds = seconds;
	r->count = 0;
	r->last = 0;
}

void
rate_add(struct rate *r, uint32_t now)
{
	uint32_t passed = now - r->last;

	if (passed >= r->seconds)
		r->count = 0;
	else
		r->count -= r->count * passed / r->seconds;
	r->count += RATE_UNIT;
	r->last = now;
}

bool
rate_over(const struct rate *r)
{
	return r->count > r->limit;
}
