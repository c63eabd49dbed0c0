/*
 * The operations of the public header on sets, and the universe's life.
 */
#include <string.h>

#include "compiler/exact/exact_int.h"

#define DEFAULT_MEMORY	((size_t)1 << 30)

bool
pfk_exact_available(void)
{
	return dd_available();
}

int
pfk_exact_error(const struct pfk_exact *x)
{
	if (x->nomem || dd_failed() == DD_BROKEN)
		return PFK_ERR_NOMEM;
	if (dd_failed() == DD_STOPPED)
		return PFK_ERR_STOPPED;
	return x->limit || dd_failed() == DD_FULL ? PFK_ERR_LIMIT : PFK_OK;
}

/* Sets of rules, which are made again when they are wanted, go. */
void
pfk_exact_resume(struct pfk_exact *x)
{
	if (dd_failed() != DD_FINE)
		for (size_t i = 0; i < x->nimages; i++)
			for (uint32_t k = 0; k < x->images[i].im->nrules; k++)
				rule_forget(&x->images[i], k);
	x->limit = false;
	dd_resume();
}

void
pfk_exact_bound(struct pfk_exact *x, size_t max_memory)
{
	(void)x;
	dd_bound(max_memory);
}

static void
take_images(struct pfk_exact *x, const struct pfk_exact_options *o)
{
	x->images = arena_alloc(&x->arena, (o->nimages + 1) *
	    sizeof(*x->images));
	x->nimages = o->nimages;
	for (size_t i = 0; i < o->nimages; i++) {
		struct ximage *xi = &x->images[i];

		xi->o = o->images[i];
		xi->im = o->images[i].image;
		xi->tables = arena_alloc(&x->arena, (xi->im->ntables + 1) *
		    sizeof(*xi->tables));
		xi->rules = arena_alloc(&x->arena, (xi->im->nrules + 1) *
		    sizeof(*xi->rules));
		xi->effect = arena_alloc(&x->arena, (xi->im->nrules + 1) *
		    sizeof(*xi->effect));
		index_code(x, xi);
	}
}

int
pfk_exact_new(const struct pfk_exact_options *o, struct pfk_exact **out)
{
	struct pfk_allocator a = o->allocator != NULL ? *o->allocator :
	    pfk_allocator_libc;
	struct pfk_exact *x;

	if (!dd_open(o->max_memory != 0 ? o->max_memory : DEFAULT_MEMORY,
	    o->stop, o->stop_ctx))
		return PFK_ERR_INVALID;
	x = a.fn(a.ctx, NULL, 0, sizeof(*x));
	if (x == NULL) {
		dd_close();
		return PFK_ERR_NOMEM;
	}
	memset(x, 0, sizeof(*x));
	x->alloc = a;
	x->effect_bits = EFFECT_BITS;
	arena_init(&x->arena, &x->alloc, &x->oom);
	if (setjmp(x->oom) != 0) {
		pfk_exact_free(x);
		return PFK_ERR_NOMEM;
	}
	take_images(x, o);
	if (!space_make(x)) {
		int error = pfk_exact_error(x);

		pfk_exact_free(x);
		return error;
	}
	*out = x;
	return PFK_OK;
}

void
pfk_exact_free(struct pfk_exact *x)
{
	struct pfk_allocator a;

	if (x == NULL)
		return;
	a = x->alloc;
	dd_close();		/* all sets with it */
	arena_free(&x->arena);
	a.fn(a.ctx, x, sizeof(*x), 0);
}

pfk_set
pfk_exact_universe(const struct pfk_exact *x)
{
	return x->universe;
}

/* ---- operations ---- */

pfk_set
pfk_set_and(struct pfk_exact *x, pfk_set a, pfk_set b)
{
	(void)x;
	return dd_and(a, b);
}

pfk_set
pfk_set_or(struct pfk_exact *x, pfk_set a, pfk_set b)
{
	(void)x;
	return dd_or(a, b);
}

pfk_set
pfk_set_minus(struct pfk_exact *x, pfk_set a, pfk_set b)
{
	(void)x;
	return dd_minus(a, b);
}

pfk_set
pfk_set_not(struct pfk_exact *x, pfk_set a)
{
	return dd_minus(x->universe, a);
}

pfk_set
pfk_set_copy(struct pfk_exact *x, pfk_set a)
{
	(void)x;
	return dd_keep(a);
}

void
pfk_set_free(struct pfk_exact *x, pfk_set a)
{
	(void)x;
	dd_drop(a);
}

bool
pfk_set_within(struct pfk_exact *x, pfk_set a, pfk_set b)
{
	return !dd_common((const dd[]){ a, x->universe }, 2, &b, 1);
}

bool
pfk_set_meets(struct pfk_exact *x, pfk_set a, pfk_set b)
{
	return dd_common((const dd[]){ a, x->universe, b }, 3, NULL, 0);
}

pfk_set
pfk_set_certain(struct pfk_exact *x, pfk_set a)
{
	return dd_all(a, x->nvars, all_vars(x));
}

pfk_set
pfk_set_possible(struct pfk_exact *x, pfk_set a)
{
	return dd_some(a, x->nvars, all_vars(x));
}

void
pfk_set_questions(struct pfk_exact *x, pfk_set a,
    void (*fn)(void *, const char *), void *ctx)
{
	dd set = dd_and(a, x->universe);

	for (size_t i = 0; i < x->questions.n; i++) {
		unsigned v = x->nvars + (unsigned)i;
		dd without = dd_some(set, v, v + 1);

		if (without != set)
			fn(ctx, x->questions.v[i].name);
		dd_drop(without);
	}
	dd_drop(set);
}

pfk_set
pfk_set_unless(struct pfk_exact *x, pfk_set a,
    bool (*is)(void *, const char *), void *ctx)
{
	dd set = dd_and(a, x->universe), no;

	for (size_t i = 0; i < x->questions.n; i++) {
		unsigned v = x->nvars + (unsigned)i;

		if (!is(ctx, x->questions.v[i].name))
			continue;
		no = dd_var(v, false);
		dd_and_to(&set, no);
		dd_drop(no);
		dd_to(&set, dd_some(set, v, v + 1));
	}
	return set;
}

pfk_set
pfk_set_whatever(struct pfk_exact *x, pfk_set a,
    bool (*is)(void *, const char *), void *ctx)
{
	dd set = dd_and(a, x->universe);

	for (size_t i = 0; i < x->questions.n; i++) {
		unsigned v = x->nvars + (unsigned)i;

		if (is(ctx, x->questions.v[i].name))
			dd_to(&set, dd_all(set, v, v + 1));
	}
	return set;
}

/* ---- simple sets ---- */

static pfk_set
in_universe(struct pfk_exact *x, dd f)
{
	dd_and_to(&f, x->universe);
	return f;
}

pfk_set
pfk_set_direction(struct pfk_exact *x, unsigned dir)
{
	return in_universe(x, dd_keep(x->is[dir == 2]));
}

pfk_set
pfk_set_interface(struct pfk_exact *x, size_t image, const char *name)
{
	return in_universe(x, interface_set(x, &x->images[image], F_IF,
	    name));
}

const char *
pfk_exact_interface(const struct pfk_exact *x, size_t i)
{
	return i < x->ifaces.n ? x->ifaces.v[i].name : NULL;
}

pfk_set
pfk_set_family(struct pfk_exact *x, unsigned af)
{
	return in_universe(x, af == PFK_AF_INET ? dd_keep(x->v4) :
	    dd_not(x->v4));
}

pfk_set
pfk_set_protocol(struct pfk_exact *x, unsigned proto)
{
	return in_universe(x, field_is(x, F_PROTO, proto));
}

pfk_set
pfk_set_network(struct pfk_exact *x, unsigned side, unsigned af,
    const uint8_t *addr, unsigned bits)
{
	struct pfk_addr mask;
	dd f;

	addr_prefix_mask(&mask, bits);
	f = field_bits(x, addr_field(side), addr, mask.b,
	    af == PFK_AF_INET6 ? 16 : 4);
	dd_to(&f, af == PFK_AF_INET6 ? dd_minus(f, x->v4) :
	    dd_and(f, x->v4));
	return in_universe(x, f);
}

pfk_set
pfk_set_ports(struct pfk_exact *x, unsigned side, uint16_t first,
    uint16_t last)
{
	dd f = field_between(x, port_field(side), first, last);

	dd_and_to(&f, x->ported);
	return in_universe(x, f);
}

pfk_set
pfk_set_beginning(struct pfk_exact *x)
{
	static const uint8_t syn = TCP_SYN, both = TCP_SYN | TCP_ACK;
	dd f = field_bits(x, F_FLAGS, &syn, &both, 1), other;

	other = dd_not(x->tcp);
	dd_or_to(&f, other);
	dd_drop(other);
	return in_universe(x, f);
}

pfk_set
pfk_set_plain(struct pfk_exact *x)
{
	dd f = field_is(x, F_FRAGMENT, 0), one = field_is(x, F_OPTIONS, 0);

	dd_and_to(&f, one);
	dd_drop(one);
	one = field_is(x, F_PRIO, 3);
	dd_and_to(&f, one);
	dd_drop(one);
	return in_universe(x, f);
}

pfk_set
pfk_set_flags(struct pfk_exact *x, uint8_t flags, uint8_t mask)
{
	dd f = field_bits(x, F_FLAGS, &flags, &mask, 1);

	dd_and_to(&f, x->tcp);
	return in_universe(x, f);
}

pfk_set
pfk_set_icmp(struct pfk_exact *x, unsigned af, unsigned first, unsigned last)
{
	dd f = field_between(x, F_TYPE, first, last);

	dd_and_to(&f, af == PFK_AF_INET ? x->icmp : x->icmp6);
	return in_universe(x, f);
}

pfk_set
pfk_set_answers(struct pfk_exact *x)
{
	dd others = no_answer_set(x), f = dd_not(others);

	dd_drop(others);
	return in_universe(x, f);
}

pfk_set
pfk_set_rule(struct pfk_exact *x, size_t image, uint32_t rule)
{
	if (setjmp(x->oom) != 0) {
		x->nomem = true;
		return DD_FALSE;
	}
	return dd_keep(rule_tests(x, &x->images[image], rule)->set);
}

pfk_set
pfk_set_rule_open(struct pfk_exact *x, size_t image, uint32_t rule)
{
	if (setjmp(x->oom) != 0) {
		x->nomem = true;
		return DD_FALSE;
	}
	return rule_set_open(x, &x->images[image], rule);
}

pfk_set
pfk_set_rule_tagged(struct pfk_exact *x, size_t image, uint32_t rule,
    const char **tag)
{
	struct ximage *xi = &x->images[image];
	const struct img_rule *r = &xi->im->rules[rule];
	struct context c;
	dd f;

	if (setjmp(x->oom) != 0) {
		x->nomem = true;
		return DD_FALSE;
	}
	memset(&c, 0, sizeof(c));
	c.rtable = -1;
	*tag = NULL;
	if (r->match_tag != 0 && !(r->flags & IMG_R_MATCH_TAG_NOT)) {
		*tag = image_string(xi->im, r->match_tag);
		c.tag = r->match_tag;
	}
	if (*tag == NULL)
		return dd_keep(rule_tests(x, xi, rule)->set);
	f = rule_in_context(x, xi, rule, &c);
	dd_and_to(&f, rule_tests(x, xi, rule)->loose);
	return f;
}

pfk_set
pfk_set_any_address(struct pfk_exact *x, pfk_set a, unsigned side)
{
	unsigned first = x->place[addr_field(side)].first;

	return in_universe(x, dd_some(a, first, first + 128));
}

pfk_set
pfk_set_routed(struct pfk_exact *x, size_t image, unsigned side,
    const char *ifname)
{
	if (setjmp(x->oom) != 0) {
		x->nomem = true;
		return DD_FALSE;
	}
	return in_universe(x, routed_set(x, &x->images[image], side, ifname));
}
