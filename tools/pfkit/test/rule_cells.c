/*
 * The cells of a rule: one for each combination of its ranges.
 */
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "icmp_names.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };
enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10, ALL_FLAGS = 0xff };

struct walk {
	const struct tests_of *of;
	const struct rule_tests *t;
	bool	(*fn)(void *, const struct cell *);
	void	*ctx;
	struct cell cell;
};

static bool dim(struct walk *, enum dim);

static bool
is_loopback(const struct walk *w)
{
	return (w->of->ifs[w->cell.iface].flags & PFK_IFF_LOOPBACK) != 0;
}

static const struct range *
whole(enum dim d, uint8_t af, struct range *r)
{
	*r = (struct range){ num_of(0), num_max(d, af) };
	return r;
}

/* What TCP sends: the rest of the flags is 0 where the rule does not ask. */
static bool
flags(struct walk *w)
{
	static const uint8_t sent[] = { SYN, SYN | ACK, ACK, ACK | FIN, RST,
	    RST | ACK };
	const uint8_t known = SYN | ACK | RST | FIN;
	const struct rule_tests *t = w->t;

	if (w->cell.dim[DIM_PROTO].from.lo != TCP)
		return w->fn(w->ctx, &w->cell);
	for (size_t i = 0; i < sizeof(sent); i++) {
		if ((sent[i] ^ t->flags) & t->mask & known)
			continue;
		w->cell.flags = sent[i] | (uint8_t)(t->flags & t->mask);
		w->cell.known = known | t->mask;
		if (!w->fn(w->ctx, &w->cell))
			return false;
	}
	return true;
}

static bool
is_used(const struct cell *c, enum dim d)
{
	uint64_t proto = c->dim[DIM_PROTO].from.lo;

	if (d == DIM_SPORT || d == DIM_DPORT)
		return proto == TCP || proto == UDP;
	if (d == DIM_TYPE || d == DIM_CODE)
		return proto == ICMP || proto == ICMP6;
	return true;
}

/*
 * Types of ICMP, one by one where pf knows them.  Errors belong to connections,
 * and are no first packets; nor is an answer where a state would be made.
 */
static bool
types(struct walk *w, const struct range *r)
{
	bool states = w->t->decides && !w->t->block && !w->t->no_state;
	uint64_t to;

	for (uint64_t from = r->from.lo; from <= r->to.lo; from = to + 1) {
		enum icmp_kind kind = icmp_kind(w->cell.af, (uint8_t)from);

		for (to = from; kind == ICMP_OTHER && to < r->to.lo &&
		    icmp_kind(w->cell.af, (uint8_t)(to + 1)) == kind; to++)
			;
		if (kind == ICMP_ERROR || (kind == ICMP_ANSWER && states))
			continue;
		w->cell.dim[DIM_TYPE] = (struct range){ num_of(from),
		    num_of(to) };
		if (!dim(w, DIM_TYPE + 1))
			return false;
	}
	return true;
}

/*
 * What the host throws away before pf sees it: addresses of loopback from
 * elsewhere; in IPv6 also the unspecified address, those that hold one of IPv4,
 * and senders that are multicast.
 */
static void
martians(const struct walk *w, enum dim d, struct ranges *s)
{
	const struct num low = num_of(0);

	if (w->cell.af == 4) {
		if (!is_loopback(w))
			ranges_add(s, num_of(UINT64_C(127) << 24),
			    num_of((UINT64_C(128) << 24) - 1));
		return;
	}
	ranges_add(s, num_of(is_loopback(w) ? 2 : 1), num_of(UINT32_MAX));
	if (d == DIM_DST)
		ranges_add(s, low, low);
	ranges_add(s, num_of(UINT64_C(0xffff) << 32),
	    num_of((UINT64_C(0xffff) << 32) + UINT32_MAX));
	if (d == DIM_SRC)
		ranges_add(s, (struct num){ UINT64_C(0xff) << 56, 0 },
		    num_max(d, 6));
}

/* The range without what never comes. */
static bool
addresses(struct walk *w, enum dim d, const struct range *r)
{
	struct ranges out = { NULL, 0 };
	bool good = true;

	martians(w, d, &out);
	if (r->from.hi != 0 || r->from.lo != 0)
		ranges_add(&out, num_of(0), num_before(r->from));
	if (num_compare(r->to, num_max(d, w->cell.af)) < 0)
		ranges_add(&out, num_next(r->to), num_max(d, w->cell.af));
	ranges_invert(&out, num_max(d, w->cell.af));
	for (size_t i = 0; i < out.n && good; i++) {
		w->cell.dim[d] = out.r[i];
		good = dim(w, (enum dim)(d + 1));
	}
	ranges_free(&out);
	return good;
}

static bool
one_range(struct walk *w, enum dim d, const struct range *r)
{
	if (d == DIM_TYPE && is_used(&w->cell, d))
		return types(w, r);
	if ((d == DIM_SRC || d == DIM_DST) && w->cell.dir == PFK_IN)
		return addresses(w, d, r);
	w->cell.dim[d] = *r;
	return dim(w, (enum dim)(d + 1));
}

static bool
dim(struct walk *w, enum dim d)
{
	const struct dim_test *t = &w->t->dim[d];
	struct range all;
	const struct range *r = whole(d, w->cell.af, &all);
	size_t n = 1;

	if (d == NDIMS)
		return flags(w);
	if (t->how == TEST_RANGES && is_used(&w->cell, d)) {
		r = t->set.r;
		n = t->set.n;
	}
	for (size_t i = 0; i < n; i++)
		if (!one_range(w, d, &r[i]))
			return false;
	return true;
}

/*
 * Protocols: those with more to test, and all others.  What IPv6 has for its
 * own headers is none, nor is the other family's ICMP.
 */
static bool
protocols(struct walk *w)
{
	static const uint8_t v4[] = { 0, 1, 6, 17, 51, 58 };
	static const uint8_t v6[] = { 0, 1, 6, 17, 43, 44, 51, 58, 59, 60, 135,
	    139, 140 };
	const uint8_t *special = w->cell.af == 4 ? v4 : v6;
	size_t n = w->cell.af == 4 ? sizeof(v4) : sizeof(v6);
	const struct dim_test *t = &w->t->dim[DIM_PROTO];
	unsigned from = 1;

	if (t->how == TEST_RANGES) {
		w->cell.dim[DIM_PROTO] = t->set.r[0];
		return dim(w, DIM_PROTO + 1);
	}
	for (size_t i = 0; i <= n; i++) {
		unsigned at = i < n ? special[i] : 256;

		w->cell.dim[DIM_PROTO] = (struct range){ num_of(from),
		    num_of(at > 0 ? at - 1 : 0) };
		if (at > from && !dim(w, DIM_PROTO + 1))
			return false;
		w->cell.dim[DIM_PROTO] = (struct range){ num_of(at),
		    num_of(at) };
		if ((at == TCP || at == UDP || at == (w->cell.af == 4 ? ICMP :
		    ICMP6)) && !dim(w, DIM_PROTO + 1))
			return false;
		from = at + 1;
	}
	return true;
}

bool
cells_of_rule(const struct tests_of *of, const struct rule_tests *t,
    bool (*fn)(void *, const struct cell *), void *ctx)
{
	struct walk w = { .of = of, .t = t, .fn = fn, .ctx = ctx };

	if (t->never)
		return true;
	w.cell.af = t->af;
	for (uint8_t d = PFK_IN; d <= PFK_OUT; d++)
		for (size_t i = 0; i < of->nifs; i++) {
			if ((t->dir != 0 && t->dir != d) ||
			    (t->ifaces != NULL && !t->ifaces[i]))
				continue;
			w.cell.dir = d;
			w.cell.iface = (uint16_t)i;
			if (!protocols(&w))
				return false;
		}
	return true;
}
