/*
 * Parts of all packets: by family, protocol, direction, interface, and then by
 * halves of addresses, the source's and the destination's by turns.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "diff.h"

struct cutter {
	struct diff	*d;
	const struct part *part;
	void		(*fn)(struct diff *, const struct part *);
	pfk_set		 rest;		/* of the part */
	unsigned	 n;		/* pieces that were not empty */
	bool		 only_count;
	bool		 failed;	/* a piece was lost in the cutting */
};

/* A piece of the part; `which' is used up. */
static void
piece(struct cutter *c, struct part p, pfk_set which)
{
	struct pfk_exact *x = c->d->exact;
	pfk_set rest = pfk_set_minus(x, c->rest, which);

	p.set = pfk_set_and(x, c->rest, which);
	if (pfk_exact_error(x) != PFK_OK) {
		pfk_exact_resume(x);
		c->failed = true;
	} else if (p.set != PFK_SET_NONE) {
		c->n++;
		if (!c->only_count)
			c->fn(c->d, &p);
	}
	pfk_set_free(x, p.set);
	pfk_set_free(x, which);
	pfk_set_free(x, c->rest);
	c->rest = rest;
}

static void
cut_family(struct cutter *c, struct part p)
{
	for (p.family = 4; p.family <= 6; p.family += 2)
		piece(c, p, pfk_set_family(c->d->exact, p.family));
}

static void
cut_protocol(struct cutter *c, struct part p)
{
	static const struct { uint8_t number; const char *name; } known[] = {
		{ 6, "tcp" }, { 17, "udp" }, { 1, "icmp" }, { 58, "icmp6" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		p.protocol = known[i].name;
		piece(c, p, pfk_set_protocol(c->d->exact, known[i].number));
	}
	p.protocol = "(other)";
	piece(c, p, PFK_SET_ALL);
}

static void
cut_direction(struct cutter *c, struct part p)
{
	for (p.dir = PFK_IN; p.dir <= PFK_OUT; p.dir++)
		piece(c, p, pfk_set_direction(c->d->exact, p.dir));
}

static void
cut_interface(struct cutter *c, struct part p)
{
	const char *name;

	for (size_t i = 0; (name = pfk_exact_interface(c->d->exact, i)) !=
	    NULL; i++) {
		p.ifname = name;
		piece(c, p, pfk_set_interface(c->d->exact, NEW, name));
	}
	p.ifname = "";
	piece(c, p, PFK_SET_ALL);
}

static void
cut_addresses(struct cutter *c, struct part p)
{
	unsigned side = p.bits[0] > p.bits[1], bit = p.bits[side]++;

	for (unsigned half = 0; half < 2; half++) {
		p.addr[side][bit / 8] |= (uint8_t)(half << (7 - bit % 8));
		piece(c, p, pfk_set_network(c->d->exact, side, p.family,
		    p.addr[side], bit + 1));
	}
}

static void
cut(struct cutter *c, struct part p)
{
	static void (*const cuts[NCUTS])(struct cutter *, struct part) = {
		[CUT_FAMILY] = cut_family, [CUT_PROTOCOL] = cut_protocol,
		[CUT_DIRECTION] = cut_direction,
		[CUT_INTERFACE] = cut_interface,
		[CUT_ADDRESSES] = cut_addresses,
	};
	enum cut now = p.next;

	if (now != CUT_ADDRESSES || p.bits[1] + 1 == PART_BITS)
		p.next++;
	c->n = 0;
	c->rest = pfk_set_copy(c->d->exact, c->part->set);
	cuts[now](c, p);
	pfk_set_free(c->d->exact, c->rest);
}

/* A cut that leaves one piece is no cut: then it is the next one's turn. */
bool
part_cut(struct diff *d, const struct part *whole,
    void (*fn)(struct diff *, const struct part *))
{
	struct part p = *whole;
	struct cutter c = { .d = d, .part = &p, .fn = fn };

	for (; p.next < NCUTS && !c.failed; p.next++) {
		c.only_count = true;
		cut(&c, p);
		if (c.failed || (c.n < 2 && p.next != CUT_ADDRESSES))
			continue;
		c.only_count = false;
		cut(&c, p);
		return !c.failed;
	}
	return false;
}

/* ---- names ---- */

struct text { char v[256]; size_t n; };

static void
add(struct text *t, const char *before, const char *word)
{
	int n = snprintf(t->v + t->n, sizeof(t->v) - t->n, "%s%s%s",
	    t->n > 0 ? " " : "", before, word);

	if (n > 0 && t->n + (size_t)n < sizeof(t->v))
		t->n += (size_t)n;
}

static void
add_network(struct text *t, const struct part *p, unsigned side)
{
	char addr[INET6_ADDRSTRLEN], network[INET6_ADDRSTRLEN + 8] = "any";

	if (p->bits[side] > 0) {
		(void)inet_ntop(p->family == 6 ? AF_INET6 : AF_INET,
		    p->addr[side], addr, sizeof(addr));
		snprintf(network, sizeof(network), "%s/%u", addr,
		    p->bits[side]);
	}
	add(t, side == 0 ? "from " : "to ", network);
}

char *
part_name(const struct part *p)
{
	struct text t = { "", 0 };

	add(&t, "", p->dir == PFK_IN ? "in" : p->dir == PFK_OUT ? "out" :
	    "in or out");
	if (p->ifname != NULL)
		add(&t, "on ", *p->ifname != '\0' ? p->ifname : "(other)");
	if (p->family != 0)
		add(&t, "inet", p->family == 6 ? "6" : "");
	if (p->protocol != NULL)
		add(&t, "proto ", p->protocol);
	add_network(&t, p, 0);
	add_network(&t, p, 1);
	return xstrdup(t.v);
}
