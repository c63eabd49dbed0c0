/*
 * The space of first packets: variables, and simple sets over them.
 *
 * A number's first variable is its highest bit.  Diagrams are built from the
 * last variable up, which takes one step for each bit.
 */
#include <string.h>

#include "compiler/exact/exact_int.h"

static const uint8_t field_bits_of[NFIELDS] = {
	[F_DIR] = 1, [F_AF] = 1, [F_PROTO] = 8, [F_TYPE] = 8, [F_CODE] = 8,
	[F_SRC] = 128, [F_DST] = 128, [F_DPORT] = 16, [F_SPORT] = 16,
	[F_FLAGS] = 8, [F_FRAGMENT] = 1, [F_OPTIONS] = 1, [F_TOS] = 8,
	[F_PRIO] = 3,	/* F_IF, F_RECEIVED: as many as it takes */
};

enum field
addr_field(unsigned side)
{
	return side == SIDE_SRC ? F_SRC : F_DST;
}

enum field
port_field(unsigned side)
{
	return side == SIDE_SRC ? F_SPORT : F_DPORT;
}

unsigned
all_vars(const struct pfk_exact *x)
{
	return x->nvars + (unsigned)x->questions.n;
}

/* ---- numbers ---- */

/* Bit i of a text of bits. */
static bool
bit_at(const uint8_t *p, unsigned i)
{
	return (p[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* One variable more in front: `on' where it is set, `off' where not. */
static dd
step(unsigned var, dd off, dd on)
{
	dd v = dd_var(var, true), f = dd_ite(v, on, off);

	dd_drop(v);
	return f;
}

dd
field_bits(const struct pfk_exact *x, enum field f, const uint8_t *value,
    const uint8_t *mask, unsigned bytes)
{
	unsigned first = x->place[f].first;
	dd r = DD_TRUE, v;

	for (unsigned i = bytes * 8; i-- > 0;) {
		if (!bit_at(mask, i))
			continue;
		v = dd_var(first + i, bit_at(value, i));
		dd_and_to(&r, v);
		dd_drop(v);
	}
	return r;
}

/* Numbers of n bits that are at least (or at most) the limit. */
static dd
bounded(unsigned first, unsigned n, const uint8_t *limit, unsigned skip,
    bool least)
{
	dd r = DD_TRUE, next;

	for (unsigned i = n; i-- > 0;) {
		bool bit = bit_at(limit, i + skip);

		if (least)
			next = bit ? step(first + i, DD_FALSE, r) :
			    step(first + i, r, DD_TRUE);
		else
			next = bit ? step(first + i, DD_TRUE, r) :
			    step(first + i, r, DD_FALSE);
		dd_to(&r, next);
	}
	return r;
}

static dd
between(unsigned first, unsigned n, const uint8_t *lo, const uint8_t *hi,
    unsigned skip)
{
	dd a = bounded(first, n, lo, skip, true);
	dd b = bounded(first, n, hi, skip, false);

	dd_and_to(&a, b);
	dd_drop(b);
	return a;
}

dd
field_range(const struct pfk_exact *x, enum field f, const uint8_t *lo,
    const uint8_t *hi, unsigned bytes)
{
	return between(x->place[f].first, bytes * 8, lo, hi, 0);
}

static void
put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

dd
field_between(const struct pfk_exact *x, enum field f, uint32_t lo,
    uint32_t hi)
{
	unsigned n = x->place[f].bits;
	uint8_t a[4], b[4];

	if (lo > hi)
		return DD_FALSE;
	put32(a, lo);
	put32(b, hi);
	return between(x->place[f].first, n, a, b, 32 - n);
}

dd
field_is(const struct pfk_exact *x, enum field f, uint32_t value)
{
	return field_between(x, f, value, value);
}

/* ---- questions ---- */

static bool
translates(const struct pfk_image *im)
{
	for (uint32_t i = 0; i < im->nrules; i++)
		if (im->rules[i].action == IMG_MATCH &&
		    (im->rules[i].nat != IMG_NONE ||
		    im->rules[i].rdr != IMG_NONE))
			return true;
	return false;
}

static bool
asks(enum op op, bool translated)
{
	switch ((unsigned)op) {
	case OP_OS: case OP_USER: case OP_GROUP: case OP_PROB: case OP_RATE:
		return true;
	case OP_ADDR4: case OP_ADDR6: case OP_RANGE4: case OP_RANGE6:
	case OP_TABLE: case OP_IFADDR: case OP_NOROUTE: case OP_URPF:
	case OP_RTLABEL: case OP_PORT:
		return translated;
	default:
		return false;
	}
}

/* As many as there can be, whoever calls ask(). */
static unsigned
most_questions(const struct pfk_exact *x)
{
	unsigned n = 0;

	for (size_t i = 0; i < x->nimages; i++) {
		const struct pfk_image *im = x->images[i].im;
		const uint32_t *pc = im->code, *end = pc + im->ncode;
		bool translated = translates(im);

		n += 2 * im->ntables;		/* either end in it */
		for (uint32_t k = 0; translated && k < im->nrules; k++)
			if (im->rules[k].action == IMG_MATCH &&
			    (im->rules[k].nat != IMG_NONE ||
			    im->rules[k].rdr != IMG_NONE))
				n += MAX_CHOICES;
		for (; pc < end; pc += op_info[insn_op(*pc)].length)
			n += asks(insn_op(*pc), translated) ||
			    (insn_op(*pc) == OP_TAGGED &&
			    x->images[i].o.tagged);
	}
	return n;
}

dd
question(struct pfk_exact *x, const char *name)
{
	size_t i;

	for (i = 0; i < x->questions.n; i++)
		if (strcmp(x->questions.v[i].name, name) == 0)
			return dd_var(x->nvars + (unsigned)i, true);
	vec_add(&x->arena, &x->questions)->name = arena_strdup(&x->arena,
	    name);
	return dd_var(x->nvars + (unsigned)i, true);
}

/* ---- interfaces ---- */

const char *
map_name(const struct ximage *xi, const char *name)
{
	for (size_t i = 0; i < xi->o.nmap; i++)
		if (strcmp(xi->o.map[i].from, name) == 0)
			return xi->o.map[i].to;
	return name;
}

static size_t
find_iface(const struct pfk_exact *x, const char *name)
{
	size_t i;

	for (i = 0; i < x->ifaces.n; i++)
		if (strcmp(x->ifaces.v[i].name, name) == 0)
			break;
	return i;
}

bool
in_group(const struct pfk_interface *f, const char *name)
{
	return f->groups != NULL && pfk_host_in_group(f, name);
}

static bool
is_group(const struct ximage *xi, const char *name)
{
	if (strcmp(name, "all") == 0 || strcmp(name, "any") == 0 ||
	    strcmp(name, "self") == 0)
		return true;
	for (size_t i = 0; i < xi->o.ninterfaces; i++)
		if (in_group(&xi->o.interfaces[i], name))
			return true;
	return false;
}

static void
add_iface(struct pfk_exact *x, const struct ximage *xi, const char *name,
    bool exists)
{
	const char *mapped = map_name(xi, name);
	size_t i = find_iface(x, mapped);

	if (i == x->ifaces.n)
		vec_add(&x->arena, &x->ifaces)->name =
		    arena_strdup(&x->arena, mapped);
	if (exists)
		x->ifaces.v[i].exists = true;
}

/* A name that a rule has is an interface if it is nothing else. */
static void
add_named(struct pfk_exact *x, const struct ximage *xi, uint32_t string)
{
	const char *name = image_string(xi->im, string);

	if (string != 0 && !is_group(xi, name))
		add_iface(x, xi, name, false);
}

static void
add_ifaces(struct pfk_exact *x, const struct ximage *xi)
{
	for (size_t i = 0; i < xi->o.ninterfaces; i++)
		add_iface(x, xi, xi->o.interfaces[i].name, true);
	for (uint32_t i = 0; i < xi->im->nrules; i++) {
		add_named(x, xi, xi->im->rules[i].ifname);
		add_named(x, xi, xi->im->rules[i].rcv_ifname);
	}
}

/* Which interface of the image's host is which of the universe's. */
static void
link_ifaces(struct pfk_exact *x, struct ximage *xi)
{
	size_t i;

	xi->ifs = arena_alloc(&x->arena, (x->ifaces.n + 1) *
	    sizeof(*xi->ifs));
	for (size_t k = xi->o.ninterfaces; k-- > 0;) {
		i = find_iface(x, map_name(xi, xi->o.interfaces[k].name));
		xi->ifs[i] = &xi->o.interfaces[k];
	}
}

bool
iface_in(const struct pfk_exact *x, const struct ximage *xi, size_t i,
    const char *name)
{
	const struct pfk_interface *f = xi->ifs[i];

	if (i < x->ifaces.n &&
	    strcmp(x->ifaces.v[i].name, map_name(xi, name)) == 0)
		return true;
	if (strcmp(name, "all") == 0)
		return true;
	if (strcmp(name, "any") == 0)
		return f == NULL || (f->flags & PFK_IFF_LOOPBACK) == 0;
	return f != NULL && in_group(f, name);
}

dd
interface_set(struct pfk_exact *x, const struct ximage *xi, enum field f,
    const char *name)
{
	dd set = DD_FALSE, one;

	for (size_t i = 0; i <= x->ifaces.n; i++) {
		if (!iface_in(x, xi, i, name))
			continue;
		one = field_is(x, f, (uint32_t)i);
		dd_or_to(&set, one);
		dd_drop(one);
	}
	return set;
}

dd
skipped_set(struct pfk_exact *x, const struct ximage *xi)
{
	const char *name = image_string(xi->im, xi->im->options->skip);
	dd set = DD_FALSE, one;

	for (uint32_t i = 0; i < xi->im->options->nskip; i++) {
		one = interface_set(x, xi, F_IF, name);
		dd_or_to(&set, one);
		dd_drop(one);
		name += strlen(name) + 1;
	}
	dd_and_to(&set, x->universe);
	return set;
}

/* ---- the universe ---- */

static void
place_fields(struct pfk_exact *x)
{
	unsigned bits = 1;

	/* one number for "some other", one for "nowhere" */
	while (x->ifaces.n + 2 > 1u << bits)
		bits++;
	x->nvars = 0;
	for (enum field f = 0; f < NFIELDS; f++) {
		x->place[f].first = x->nvars;
		x->place[f].bits = f == F_IF || f == F_RECEIVED ? bits :
		    field_bits_of[f];
		x->nvars += x->place[f].bits;
	}
}

/* u and not (`when' without `then') */
static void
require(dd *u, dd when, dd then)
{
	dd bad = dd_minus(when, then);

	dd_minus_to(u, bad);
	dd_drop(bad);
}

static dd
flag_is(const struct pfk_exact *x, uint8_t flag, bool set)
{
	const uint8_t value = set ? flag : 0;

	return field_bits(x, F_FLAGS, &value, &flag, 1);
}

/*
 * Flags that some TCP sends: what pf takes for none is dropped before any rule
 * is asked, and FIN is cleared where SYN is set.
 */
static void
sane_flags(struct pfk_exact *x)
{
	dd syn = flag_is(x, TCP_SYN, true), ack = flag_is(x, TCP_ACK, true);
	dd plain = field_bits(x, F_FLAGS, &(uint8_t){ 0 },
	    &(uint8_t){ TCP_RST | TCP_FIN }, 1);
	dd quiet = field_bits(x, F_FLAGS, &(uint8_t){ 0 },
	    &(uint8_t){ TCP_FIN | TCP_PUSH | TCP_URG }, 1);
	dd rst = flag_is(x, TCP_RST, true), any, others, no_ack;

	dd_and_to(&syn, x->tcp);
	require(&x->universe, syn, plain);
	any = dd_or(ack, rst);
	others = dd_minus(x->tcp, syn);
	require(&x->universe, others, any);
	no_ack = dd_minus(x->tcp, ack);
	require(&x->universe, no_ack, quiet);
	dd_drop(syn);
	dd_drop(ack);
	dd_drop(plain);
	dd_drop(quiet);
	dd_drop(rst);
	dd_drop(any);
	dd_drop(others);
	dd_drop(no_ack);
}

/* pf does not look at the bits of congestion (RFC 3168) in the tos. */
static void
service_class(struct pfk_exact *x)
{
	static const uint8_t none = 0, congestion = 3;
	dd f = field_bits(x, F_TOS, &none, &congestion, 1);

	dd_and_to(&x->universe, f);
	dd_drop(f);
}

/*
 * Headers that pf walks over, to the protocol behind them: of that the rules
 * are asked.
 */
static void
no_walked_headers(struct pfk_exact *x)
{
	static const struct { uint8_t proto; bool v6; } walked[] = {
		{ 51, false }, { 0, true }, { 43, true }, { 60, true },
	};

	for (size_t i = 0; i < sizeof(walked) / sizeof(walked[0]); i++) {
		dd f = field_is(x, F_PROTO, walked[i].proto);

		if (walked[i].v6)
			dd_minus_to(&f, x->v4);
		dd_minus_to(&x->universe, f);
		dd_drop(f);
	}
}

/*
 * Fragments come to the rules where they are not put together.  Of those of
 * IPv6 pf does not look behind the fragment header: its number is what the
 * rules are asked about.
 */
static void
fragments(struct pfk_exact *x)
{
	dd whole = field_is(x, F_FRAGMENT, 0);
	dd header = field_is(x, F_PROTO, PROTO_FRAGMENT), piece;
	bool any = false;

	dd_minus_to(&header, x->v4);
	piece = dd_or(whole, x->v4);
	dd_to(&piece, dd_not(piece));
	require(&x->universe, piece, header);
	require(&x->universe, header, piece);
	dd_drop(header);
	dd_drop(piece);

	for (size_t i = 0; i < x->nimages; i++)
		any |= !x->images[i].im->options->reassemble;
	if (!any)
		dd_and_to(&x->universe, whole);
	dd_and_to(&x->ported, whole);
	dd_drop(whole);
}

/* What comes in has come in there; what goes out, anywhere or nowhere. */
static void
received(struct pfk_exact *x)
{
	dd same, range;

	for (uint32_t i = 0; i <= x->ifaces.n; i++) {
		dd here = field_is(x, F_IF, i);

		same = field_is(x, F_RECEIVED, i);
		dd_and_to(&here, x->is[0]);
		require(&x->universe, here, same);
		dd_drop(here);
		dd_drop(same);
	}
	range = field_between(x, F_IF, 0, (uint32_t)x->ifaces.n);
	dd_and_to(&x->universe, range);
	dd_drop(range);
	range = field_between(x, F_RECEIVED, 0, (uint32_t)x->ifaces.n + 1);
	dd_and_to(&x->universe, range);
	dd_drop(range);
}

static void
make_universe(struct pfk_exact *x)
{
	dd whole = field_is(x, F_FRAGMENT, 0), v6, tcp, udp;

	x->is[0] = field_is(x, F_DIR, 0);
	x->is[1] = field_is(x, F_DIR, 1);
	x->v4 = field_is(x, F_AF, 0);
	x->tcp = field_is(x, F_PROTO, PROTO_TCP);
	udp = field_is(x, F_PROTO, PROTO_UDP);
	x->icmp = field_is(x, F_PROTO, PROTO_ICMP);
	x->icmp6 = field_is(x, F_PROTO, PROTO_ICMPV6);
	x->ported = dd_or(x->tcp, udp);
	dd_drop(udp);
	x->universe = DD_TRUE;
	require(&x->universe, x->icmp, x->v4);
	v6 = dd_not(x->v4);
	require(&x->universe, x->icmp6, v6);
	fragments(x);
	tcp = dd_and(x->tcp, whole);
	dd_to(&x->tcp, tcp);
	sane_flags(x);
	no_walked_headers(x);
	service_class(x);
	received(x);
	dd_drop(v6);
	dd_drop(whole);
}

bool
space_make(struct pfk_exact *x)
{
	for (size_t i = 0; i < x->nimages; i++)
		add_ifaces(x, &x->images[i]);
	for (size_t i = 0; i < x->nimages; i++)
		link_ifaces(x, &x->images[i]);
	place_fields(x);
	x->first_effect = x->nvars + most_questions(x);
	if (!dd_variables(x->first_effect + EFFECT_BITS))
		return false;
	make_universe(x);
	return !dd_failed();
}
