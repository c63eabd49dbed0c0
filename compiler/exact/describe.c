/*
 * Sets as few lines.
 *
 * A set is taken apart field by field, in the order of the variables.  The
 * values of a field fall into classes that lead to the same rest of the
 * diagram; each class is one list of values in pf.conf's words, and its rest is
 * taken apart in turn.  So every line is a product of lists, lines are
 * disjoint, and values that are treated alike are never told apart.
 *
 * The universe's own conditions (an ICMP packet has no port) would be told
 * again and again; the diagram is simplified first, as if all that cannot be
 * did not matter.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "compiler/exact/exact_int.h"

/* Values first .. last, as numbers of the field's bits. */
struct span { struct pfk_addr first, last; };
struct class { dd rest; VEC(struct span) spans; };
typedef VEC(struct class) classes;

struct lister {
	struct pfk_exact *x;
	struct arena	*arena;
	void		(*fn)(void *, const char *);
	void		*ctx;
	size_t		 left;		/* lines */
	bool		 more;
	uint8_t		 af;		/* chosen so far; 0 both */
	/* what was chosen, a word list for each field; NULL: any */
	const char	*text[NFIELDS];
};

/* ---- classes of a field's values ---- */

static void
increment(struct pfk_addr *a, unsigned bits)
{
	struct pfk_addr one;
	unsigned carry;

	memset(&one, 0, sizeof(one));
	one.b[(bits - 1) / 8] = (uint8_t)(0x80 >> (bits - 1) % 8);
	carry = 0;
	for (int i = 15; i >= 0; i--) {
		carry += (unsigned)a->b[i] + one.b[i];
		a->b[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void
decrement(struct pfk_addr *a, unsigned bits)
{
	unsigned borrow = 0;
	int last = (int)(bits - 1) / 8;
	uint8_t one = (uint8_t)(0x80 >> (bits - 1) % 8);

	for (int i = last; i >= 0; i--) {
		unsigned take = borrow + (i == last ? one : 0u);

		borrow = a->b[i] < take;
		a->b[i] = (uint8_t)(a->b[i] - take);
	}
}

static void
add_span(struct lister *l, classes *c, dd rest, const struct span *s,
    unsigned bits)
{
	struct class *k;
	struct span *last;
	struct pfk_addr next;
	size_t i;

	for (i = 0; i < c->n && c->v[i].rest != rest; i++)
		;
	if (i == c->n) {
		k = vec_add(l->arena, c);
		memset(k, 0, sizeof(*k));
		k->rest = rest;
	}
	k = &c->v[i];
	if (k->spans.n > 0) {
		last = &k->spans.v[k->spans.n - 1];
		next = last->last;
		increment(&next, bits);
		if (memcmp(&next, &s->first, sizeof(next)) == 0) {
			last->last = s->last;
			return;
		}
	}
	vec_push(l->arena, &k->spans, *s);
}

/* The part of the field below bit i, where s has the bits before. */
static void
divide(struct lister *l, classes *c, dd f, unsigned first, unsigned bits,
    unsigned i, struct span s)
{
	struct span low = s, high = s;
	unsigned v = dd_is_constant(f) ? UINT32_MAX : dd_node_var(f);
	uint8_t bit;

	if (f == DD_FALSE)
		return;
	if (v >= first + bits) {		/* no more bits matter */
		for (; i < bits; i++)
			s.last.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
		add_span(l, c, f, &s, bits);
		return;
	}
	if (v > first + i) {		/* both values of bits before it */
		bit = (uint8_t)(0x80 >> i % 8);
		high.first.b[i / 8] |= bit;
		high.last.b[i / 8] |= bit;
		divide(l, c, f, first, bits, i + 1, low);
		divide(l, c, f, first, bits, i + 1, high);
		return;
	}
	bit = (uint8_t)(0x80 >> i % 8);
	high.first.b[i / 8] |= bit;
	high.last.b[i / 8] |= bit;
	divide(l, c, dd_node_low(f), first, bits, i + 1, low);
	divide(l, c, dd_node_high(f), first, bits, i + 1, high);
}

/* ---- values in words ---- */

static uint32_t
number_of(const struct pfk_addr *a, unsigned bits)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bits; i++)
		v = v << 1 | (a->b[i / 8] >> (7 - i % 8) & 1u);
	return v;
}

static void
put_iface(struct lister *l, struct strbuf *sb, uint32_t i)
{
	strbuf_puts(sb, i < l->x->ifaces.n ? l->x->ifaces.v[i].name :
	    i == l->x->ifaces.n ? "(other)" : "(nowhere)");
}

static void
put_protocol(struct strbuf *sb, uint32_t v)
{
	static const struct { uint8_t proto; const char *name; } names[] = {
		{ PROTO_ICMP, "icmp" }, { PROTO_TCP, "tcp" },
		{ PROTO_UDP, "udp" }, { PROTO_ICMPV6, "icmp6" },
		{ 47, "gre" }, { 50, "esp" }, { 51, "ah" },
		{ 89, "ospf" }, { 112, "carp" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].proto == v) {
			strbuf_puts(sb, names[i].name);
			return;
		}
	strbuf_printf(sb, "%" PRIu32, v);
}

static void
put_flags(struct strbuf *sb, uint32_t v)
{
	static const char letters[] = "FSRPAUEW";

	if (v == 0)
		strbuf_putc(sb, '-');
	for (unsigned i = 0; i < 8; i++)
		if (v >> i & 1)
			strbuf_putc(sb, letters[i]);
}

static void
put_value(struct lister *l, struct strbuf *sb, enum field f, uint32_t v)
{
	if (f == F_IF || f == F_RECEIVED)
		put_iface(l, sb, v);
	else if (f == F_PROTO)
		put_protocol(sb, v);
	else if (f == F_FLAGS)
		put_flags(sb, v);
	else
		strbuf_printf(sb, "%" PRIu32, v);
}

/* Names have no ranges: one after the other, ranges of numbers as a:b. */
static void
put_numbers(struct lister *l, struct strbuf *sb, enum field f,
    const struct span *s)
{
	unsigned bits = l->x->place[f].bits;
	uint32_t a = number_of(&s->first, bits), b = number_of(&s->last, bits);
	bool names = f == F_IF || f == F_RECEIVED;

	if (!names && b - a > 1) {
		strbuf_printf(sb, "%" PRIu32 ":%" PRIu32, a, b);
		return;
	}
	if (names && b > l->x->ifaces.n + (f == F_RECEIVED))
		b = (uint32_t)l->x->ifaces.n + (f == F_RECEIVED);
	for (uint32_t v = a; v <= b; v++) {
		if (v > a)
			strbuf_puts(sb, ", ");
		put_value(l, sb, f, v);
	}
}

/*
 * Numbers of interfaces that there is none for are nowhere in a set, and so may
 * be in a simplified one: the last name goes on to the end, or they are left
 * out.
 */
static void
only_interfaces(struct lister *l, enum field f, struct class *c)
{
	unsigned bits = l->x->place[f].bits;
	uint32_t last = (uint32_t)l->x->ifaces.n + (f == F_RECEIVED);
	size_t n = 0;

	for (size_t i = 0; i < c->spans.n; i++) {
		struct span *s = &c->spans.v[i];

		if (number_of(&s->first, bits) > last)
			break;
		if (number_of(&s->last, bits) >= last)
			for (unsigned k = 0; k < bits; k++)
				s->last.b[k / 8] |= (uint8_t)(0x80 >> k % 8);
		n++;
	}
	c->spans.n = n;
}

/* How many leading bits make the span a prefix, or UINT_MAX. */
static unsigned
prefix_bits(const struct span *s, unsigned bits)
{
	unsigned n = 0;

	while (n < bits && ((s->first.b[n / 8] ^ s->last.b[n / 8]) >>
	    (7 - n % 8) & 1) == 0)
		n++;
	for (unsigned i = n; i < bits; i++) {
		if ((s->first.b[i / 8] >> (7 - i % 8) & 1) != 0 ||
		    (s->last.b[i / 8] >> (7 - i % 8) & 1) == 0)
			return UINT32_MAX;
	}
	return n;
}

static void
put_addrs(struct strbuf *sb, const struct span *s, uint8_t af)
{
	unsigned all = af == PFK_AF_INET6 ? 128 : 32;
	unsigned n = prefix_bits(s, all);
	char text[PFK_ADDRSTRLEN];

	strbuf_puts(sb, addr_format(&s->first, (enum pfk_af)af, text));
	if (n == UINT32_MAX)
		strbuf_printf(sb, " - %s", addr_format(&s->last,
		    (enum pfk_af)af, text));
	else if (n < all)
		strbuf_printf(sb, "/%u", n);
}

static bool
covers_all(const struct span *s, unsigned bits)
{
	return prefix_bits(s, bits) == 0;
}

static bool
is_addr(enum field f)
{
	return f == F_SRC || f == F_DST;
}

/* What is missing between the spans, as a class of its own. */
static struct class
others(struct lister *l, const struct class *c, unsigned bits)
{
	struct class o = { .rest = c->rest };
	struct span gap, whole;

	memset(&whole, 0, sizeof(whole));
	gap.first = whole.first;
	for (size_t i = 0; i < c->spans.n; i++) {
		gap.last = c->spans.v[i].first;
		if (memcmp(&gap.first, &gap.last, sizeof(gap.first)) != 0) {
			decrement(&gap.last, bits);
			vec_push(l->arena, &o.spans, gap);
		}
		gap.first = c->spans.v[i].last;
		increment(&gap.first, bits);
	}
	/* behind the highest value comes 0 again */
	if (memcmp(&gap.first, &whole.first, sizeof(gap.first)) != 0) {
		gap.last = whole.first;
		decrement(&gap.last, bits);
		vec_push(l->arena, &o.spans, gap);
	}
	return o;
}

/* Names, and two numbers that follow each other, stand one by one. */
static bool
is_one_word(struct lister *l, enum field f, const struct span *s)
{
	unsigned bits = is_addr(f) ? 0 : l->x->place[f].bits;
	uint32_t a = number_of(&s->first, bits), b = number_of(&s->last, bits);
	uint32_t n = (uint32_t)l->x->ifaces.n + (f == F_RECEIVED);

	if (f == F_IF || f == F_RECEIVED)
		return a == (b < n ? b : n);
	return b - a != 1;
}

static void
put_list(struct lister *l, struct strbuf *sb, enum field f,
    const struct class *c)
{
	bool several = c->spans.n > 1 || (c->spans.n == 1 &&
	    !is_one_word(l, f, &c->spans.v[0]));

	if (several)
		strbuf_puts(sb, "{ ");
	for (size_t i = 0; i < c->spans.n; i++) {
		if (i > 0)
			strbuf_puts(sb, ", ");
		if (is_addr(f))
			put_addrs(sb, &c->spans.v[i], l->af);
		else
			put_numbers(l, sb, f, &c->spans.v[i]);
	}
	if (several)
		strbuf_puts(sb, " }");
}

/* Where nothing stands for "the others": families, directions, flags. */
static bool
can_negate(enum field f)
{
	return is_addr(f) || f == F_SPORT || f == F_DPORT || f == F_PROTO;
}

/*
 * Values of a field as pf.conf has them; NULL: all.  What is said in fewer
 * words by its contrary is: "! { 10.0.0.0/8, 172.16.0.0/12 }".
 */
static const char *
list_text(struct lister *l, enum field f, const struct class *c,
    unsigned bits)
{
	struct strbuf sb;
	struct class o;

	if (c->spans.n == 1 && covers_all(&c->spans.v[0], bits))
		return NULL;
	strbuf_init(&sb, l->arena);
	if (c->spans.n > 1 && can_negate(f)) {
		o = others(l, c, bits);
		if (o.spans.n < c->spans.n) {
			strbuf_puts(&sb, is_addr(f) || f == F_PROTO ? "! " :
			    "!= ");
			put_list(l, &sb, f, &o);
			return strbuf_str(&sb);
		}
	}
	put_list(l, &sb, f, c);
	return strbuf_str(&sb);
}

/* ---- lines ---- */

static void
put_if(struct strbuf *sb, const char *before, const char *text)
{
	if (text != NULL)
		strbuf_printf(sb, "%s %s", before, text);
}

static void
put_end(struct lister *l, struct strbuf *sb, const char *word, enum field a,
    enum field port)
{
	strbuf_printf(sb, " %s %s", word, l->text[a] != NULL ? l->text[a] :
	    "any");
	put_if(sb, " port", l->text[port]);
}

static void
put_question(struct lister *l, struct strbuf *sb, dd rest)
{
	bool any = false;

	for (; !dd_is_constant(rest); any = true) {
		unsigned q = dd_node_var(rest) - l->x->nvars;
		bool yes = dd_node_low(rest) == DD_FALSE;

		strbuf_printf(sb, "%s%s %s", any ? "," : " (if", yes ? "" :
		    " not", l->x->questions.v[q].name);
		rest = yes ? dd_node_high(rest) : dd_node_low(rest);
	}
	if (any)
		strbuf_putc(sb, ')');
}

static void
put_line(struct lister *l, dd rest)
{
	struct strbuf sb;

	if (l->left == 0) {
		l->more = true;
		return;
	}
	l->left--;
	strbuf_init(&sb, l->arena);
	strbuf_puts(&sb, l->text[F_DIR] == NULL ? "in or out" :
	    strcmp(l->text[F_DIR], "0") == 0 ? "in" : "out");
	put_if(&sb, " on", l->text[F_IF]);
	if (l->af != 0)
		strbuf_puts(&sb, l->af == PFK_AF_INET ? " inet" : " inet6");
	put_if(&sb, " proto", l->text[F_PROTO]);
	if (l->text[F_SRC] != NULL || l->text[F_SPORT] != NULL ||
	    l->text[F_DST] != NULL || l->text[F_DPORT] != NULL) {
		put_end(l, &sb, "from", F_SRC, F_SPORT);
		put_end(l, &sb, "to", F_DST, F_DPORT);
	}
	put_if(&sb, " icmp-type", l->text[F_TYPE]);
	put_if(&sb, " code", l->text[F_CODE]);
	put_if(&sb, " flags", l->text[F_FLAGS]);
	put_if(&sb, " fragment", l->text[F_FRAGMENT]);
	put_if(&sb, " tos", l->text[F_TOS]);
	put_if(&sb, " prio", l->text[F_PRIO]);
	put_if(&sb, " received-on", l->text[F_RECEIVED]);
	put_question(l, &sb, rest);
	l->fn(l->ctx, strbuf_str(&sb));
}

static void take_apart(struct lister *, enum field, dd);

/* An address is told by families: one that is not chosen is asked about. */
static void
take_field(struct lister *l, enum field f, dd set)
{
	unsigned bits = is_addr(f) && l->af == PFK_AF_INET ? 32 :
	    l->x->place[f].bits;
	struct arena_mark mark = arena_mark(l->arena);
	classes c = { 0 };
	struct span all;

	memset(&all, 0, sizeof(all));
	divide(l, &c, set, l->x->place[f].first, bits, 0, all);
	for (size_t i = 0; i < c.n && !l->more; i++) {
		uint8_t af = l->af;

		if (f == F_IF || f == F_RECEIVED)
			only_interfaces(l, f, &c.v[i]);
		if (c.v[i].spans.n == 0)
			continue;
		l->text[f] = list_text(l, f, &c.v[i], bits);
		if (f == F_AF)
			l->af = l->text[f] == NULL ? 0 :
			    strcmp(l->text[f], "0") == 0 ? PFK_AF_INET :
			    PFK_AF_INET6;
		take_apart(l, f + 1, c.v[i].rest);
		l->af = af;
	}
	l->text[f] = NULL;
	arena_release(l->arena, mark);
}

/* Whether the diagram looks at an address. */
static bool
needs_family(struct lister *l, dd f, unsigned depth)
{
	unsigned v, from = l->x->place[F_SRC].first;
	unsigned to = l->x->place[F_DST].first + 128;

	if (dd_is_constant(f) || depth == 0)
		return false;
	v = dd_node_var(f);
	if (v >= to)
		return false;
	return v >= from || needs_family(l, dd_node_low(f), depth - 1) ||
	    needs_family(l, dd_node_high(f), depth - 1);
}

static void
both_families(struct lister *l, dd set)
{
	for (unsigned af = PFK_AF_INET; af <= PFK_AF_INET6; af += 2) {
		l->af = (uint8_t)af;
		take_apart(l, F_PROTO, set);
	}
	l->af = 0;
}

static void
take_apart(struct lister *l, enum field f, dd set)
{
	if (set == DD_FALSE || l->more)
		return;
	if (f == NFIELDS) {
		put_line(l, set);
		return;
	}
	if (f == F_PROTO && l->af == 0 && needs_family(l, set, 24)) {
		both_families(l, set);
		return;
	}
	take_field(l, f, set);
}

pfk_set
pfk_set_said(struct pfk_exact *x, pfk_set set, pfk_set within)
{
	dd care = dd_and(within, x->universe), all = dd_and(set, care);
	dd plain = all == DD_FALSE ? DD_FALSE : dd_simplify(all, care);

	dd_drop(care);
	dd_drop(all);
	return plain;
}

void
pfk_set_describe(struct pfk_exact *x, pfk_set set, pfk_set within,
    size_t max, void (*fn)(void *, const char *), void *ctx, bool *more)
{
	struct lister l = { .x = x, .arena = &x->arena, .fn = fn, .ctx = ctx,
	    .left = max };
	struct arena_mark mark;
	dd plain;

	*more = false;
	if (setjmp(x->oom) != 0) {
		x->nomem = true;
		return;
	}
	mark = arena_mark(&x->arena);
	plain = pfk_set_said(x, set, within);
	take_apart(&l, 0, plain);
	dd_drop(plain);
	arena_release(&x->arena, mark);
	*more = l.more;
}
