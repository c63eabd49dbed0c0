/*
 * What comes of a packet, in pf.conf's words.
 *
 * The text has a fixed order and nothing that does not matter: two packets
 * whose texts are equal are treated alike, whichever rules did it.  What only
 * rules that pass can do is left out where the packet is blocked.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "compiler/exact/exact_int.h"

struct teller {
	struct strbuf	 sb;
	const struct pfk_image *im;
	const struct context *c;
	const struct img_rule *r;	/* NULL: the default rule */
};

static const char *
string(const struct teller *t, uint32_t off)
{
	return image_string(t->im, off);
}

/* ---- pools ---- */

static void
tell_addr(struct teller *t, const struct img_addr *a, uint8_t af)
{
	char text[PFK_ADDRSTRLEN];
	unsigned bits = addr_mask_bits(&a->mask);

	if (a->af != 0)
		af = a->af;
	switch ((enum img_addrkind)a->kind) {
	case IMG_ADDR_MASK:
		strbuf_puts(&t->sb, addr_format(&a->addr, (enum pfk_af)af,
		    text));
		if (bits < (af == PFK_AF_INET6 ? 128 : 32))
			strbuf_printf(&t->sb, "/%u", bits);
		break;
	case IMG_ADDR_RANGE:
		strbuf_printf(&t->sb, "%s - ", addr_format(&a->addr,
		    (enum pfk_af)af, text));
		strbuf_puts(&t->sb, addr_format(&a->mask, (enum pfk_af)af,
		    text));
		break;
	case IMG_ADDR_DYNAMIC:
		strbuf_printf(&t->sb, "(%s%s%s%s%s)", string(t, a->ref),
		    a->ifmods & IMG_IF_NETWORK ? ":network" : "",
		    a->ifmods & IMG_IF_BROADCAST ? ":broadcast" : "",
		    a->ifmods & IMG_IF_PEER ? ":peer" : "",
		    a->ifmods & IMG_IF_NOALIAS ? ":0" : "");
		if (bits < 128)
			strbuf_printf(&t->sb, "/%u", bits);
		break;
	case IMG_ADDR_TABLE:
		strbuf_printf(&t->sb, "<%s>", string(t,
		    t->im->tables[a->ref].name));
		break;
	case IMG_ADDR_ANY: case IMG_ADDR_NONE: case IMG_ADDR_NO_ROUTE:
	case IMG_ADDR_URPF_FAILED: case IMG_ADDR_ROUTE_LABEL:
		strbuf_puts(&t->sb, "any");
		break;
	}
}

static void
tell_pool(struct teller *t, const char *what, uint32_t pool,
    const struct img_rule *r)
{
	static const char *const types[] = { "", " bitmask", " random",
	    " source-hash", " round-robin", " least-states" };
	const struct img_pool *p = &t->im->pools[pool];

	strbuf_printf(&t->sb, " %s ", what);
	tell_addr(t, &p->addr, r->naf != 0 ? r->naf : r->af);
	if (p->ifname != 0)
		strbuf_printf(&t->sb, "@%s", string(t, p->ifname));
	if (p->port[1] != 0 && p->port[1] != p->port[0])
		strbuf_printf(&t->sb, " port %u:%u", p->port[0], p->port[1]);
	else if (p->port[0] != 0)
		strbuf_printf(&t->sb, " port %u", p->port[0]);
	strbuf_puts(&t->sb, types[p->type]);
	if (p->sticky)
		strbuf_puts(&t->sb, " sticky-address");
	if (p->static_port)
		strbuf_puts(&t->sb, " static-port");
}

/*
 * The last rule that translates an end is the one that counts.  Without a
 * state nothing is translated, whatever match rules say.
 */
static void
tell_translation(struct teller *t)
{
	const struct pfk_image *im = t->im;
	const struct img_rule *nat = NULL, *rdr = NULL;

	if (t->r == NULL || t->r->keep_state == IMG_NO_STATE)
		return;
	if (t->c->nat != IMG_NONE)
		nat = &im->rules[t->c->nat];
	if (t->c->rdr != IMG_NONE)
		rdr = &im->rules[t->c->rdr];
	if (t->r->nat != IMG_NONE)
		nat = t->r;
	if (t->r->rdr != IMG_NONE)
		rdr = t->r;
	if (nat != NULL && (nat->flags & IMG_R_AFTO))
		strbuf_printf(&t->sb, " af-to inet%s",
		    nat->naf == PFK_AF_INET6 ? "6" : "");
	if (nat != NULL)
		tell_pool(t, "nat-to", nat->nat, nat);
	if (rdr != NULL)
		tell_pool(t, "rdr-to", rdr->rdr, rdr);
}

/* ---- states ---- */

static void
tell_number(struct teller *t, const char *what, uint32_t v)
{
	if (v != 0)
		strbuf_printf(&t->sb, " %s %" PRIu32, what, v);
}

static void
tell_tracking(struct teller *t)
{
	const struct img_rule *r = t->r;

	if (r->src_track == IMG_TRACK_RULE)
		strbuf_puts(&t->sb, " source-track rule");
	else if (r->src_track == IMG_TRACK_GLOBAL)
		strbuf_puts(&t->sb, " source-track global");
	tell_number(t, "max-src-states", r->max_src_states);
	tell_number(t, "max-src-conn", r->max_src_conn);
	if (r->max_src_conn_rate[0] != 0)
		strbuf_printf(&t->sb, " max-src-conn-rate %" PRIu32 "/%" PRIu32,
		    r->max_src_conn_rate[0], r->max_src_conn_rate[1]);
	tell_number(t, "max-src-nodes", r->max_src_nodes);
	if (r->overload != IMG_NONE)
		strbuf_printf(&t->sb, " overload <%s>", string(t,
		    t->im->tables[r->overload].name));
	if (r->flush != 0)
		strbuf_printf(&t->sb, " flush %u", r->flush);
}

static void
tell_state(struct teller *t)
{
	static const char *const kinds[] = { " no state", " keep state",
	    " modulate state", " synproxy state" };
	static const char *const timeouts[] = {
#define TIMEOUT(id, name, dflt)	name,
#include "base/timeouts.def"
#undef TIMEOUT
	};
	const struct img_rule *r = t->r;

	if (r == NULL) {
		strbuf_puts(&t->sb, " no state");
		return;
	}
	strbuf_puts(&t->sb, kinds[r->keep_state]);
	tell_number(t, "max", r->max_states);
	tell_tracking(t);
	if (r->flags & IMG_R_IFBOUND)
		strbuf_puts(&t->sb, " if-bound");
	if (r->flags & IMG_R_SLOPPY)
		strbuf_puts(&t->sb, " sloppy");
	if (r->flags & IMG_R_PFLOW)
		strbuf_puts(&t->sb, " pflow");
	if (r->flags & IMG_R_NOSYNC)
		strbuf_puts(&t->sb, " no-sync");
	for (unsigned i = 0; i < IMG_TMO_COUNT; i++)
		tell_number(t, timeouts[i], image_timeout(t->im, r, i));
}

/* ---- the rest of what rules set ---- */

static void
tell_scrub(struct teller *t, const struct context *c)
{
	if (c->flags & IMG_R_NODF)
		strbuf_puts(&t->sb, " no-df");
	if (c->flags & IMG_R_RANDOMID)
		strbuf_puts(&t->sb, " random-id");
	if (c->flags & IMG_R_REASSEMBLE_TCP)
		strbuf_puts(&t->sb, " reassemble tcp");
	tell_number(t, "min-ttl", c->min_ttl);
	tell_number(t, "max-mss", c->max_mss);
}

static void
tell_set(struct teller *t, const struct context *c)
{
	if (c->rtable >= 0)
		strbuf_printf(&t->sb, " rtable %" PRId32, c->rtable);
	if (c->qname != 0)
		strbuf_printf(&t->sb, " queue %s", string(t, c->qname));
	if (c->pqname != 0)
		strbuf_printf(&t->sb, " queue-prio %s", string(t, c->pqname));
	if (c->set_tos >= 0)
		strbuf_printf(&t->sb, " set tos %" PRId32, c->set_tos);
	if (c->set_prio != 0)
		strbuf_printf(&t->sb, " set prio %u,%u", c->set_prio & 0xff,
		    c->set_prio >> 8 & 0xff);
	if (c->delay >= 0)
		strbuf_printf(&t->sb, " set delay %" PRId32, c->delay);
	if (c->tag != 0)
		strbuf_printf(&t->sb, " tag %s", string(t, c->tag));
}

static void
tell_way(struct teller *t)
{
	static const char *const routes[] = { "", "route-to", "reply-to",
	    "dup-to" };
	static const char *const diverts[] = { "", "divert-to", "divert-reply",
	    "divert-packet" };
	const struct img_rule *r = t->r;
	char text[PFK_ADDRSTRLEN];

	if (r == NULL)
		return;
	if (r->rt != IMG_RT_NONE && r->route != IMG_NONE)
		tell_pool(t, routes[r->rt], r->route, r);
	if (r->divert != IMG_DIVERT_NONE) {
		strbuf_printf(&t->sb, " %s", diverts[r->divert]);
		if (r->divert_af != 0)
			strbuf_printf(&t->sb, " %s", addr_format(
			    &r->divert_addr, (enum pfk_af)r->divert_af, text));
		tell_number(t, "port", r->divert_port);
	}
	if (r->flags & IMG_R_ALLOW_OPTS)
		strbuf_puts(&t->sb, " allow-opts");
	if (r->flags & IMG_R_ONCE)
		strbuf_puts(&t->sb, " once");
}

/* The context with the deciding rule's own options added. */
static struct context
finally(const struct teller *t)
{
	struct context c = *t->c;

	if (t->r != NULL)
		context_add(&c, t->r);
	return c;
}

static void
tell_block(struct teller *t)
{
	const struct img_rule *r = t->r;

	switch ((enum img_block)r->block) {
	case IMG_DROP:
		strbuf_puts(&t->sb, "block drop");
		break;
	case IMG_RETURN:
		strbuf_puts(&t->sb, "block return");
		break;
	case IMG_RETURN_RST:
		strbuf_puts(&t->sb, "block return-rst");
		tell_number(t, "ttl", r->return_ttl);
		break;
	case IMG_RETURN_ICMP:
		strbuf_printf(&t->sb, "block return-icmp %u.%u %u.%u",
		    r->return_icmp >> 8, r->return_icmp & 0xff,
		    r->return_icmp6 >> 8, r->return_icmp6 & 0xff);
		break;
	}
}

static void
tell_pass(struct teller *t)
{
	struct context c = finally(t);

	strbuf_puts(&t->sb, "pass");
	tell_state(t);
	tell_translation(t);
	tell_way(t);
	tell_scrub(t, &c);
	tell_set(t, &c);
}

/* ---- logs and labels, of match rules too ---- */

static void
tell_log_of(struct teller *t, const struct img_rule *r)
{
	if (r->log == 0)
		return;
	strbuf_puts(&t->sb, " log");
	if (r->log & IMG_LOG_ALL)
		strbuf_puts(&t->sb, " all");
	if (r->log & IMG_LOG_MATCHES)
		strbuf_puts(&t->sb, " matches");
	if (r->log & IMG_LOG_USER)
		strbuf_puts(&t->sb, " user");
	strbuf_printf(&t->sb, " to pflog%u", r->logif);
}

static void
tell_counted(struct teller *t, const struct img_rule *r)
{
	tell_log_of(t, r);
	if (r->label != 0)
		strbuf_printf(&t->sb, " label \"%s\"", string(t, r->label));
}

/* In the order in which they matched. */
static size_t
list_matches(struct arena *a, const struct outcome_in *in, uint32_t **out)
{
	size_t n = 0, i;

	for (uint32_t m = in->context->list; m != 0; m = in->items[m].before)
		n++;
	*out = arena_alloc(a, (n + 1) * sizeof(**out));
	i = n;
	for (uint32_t m = in->context->list; m != 0; m = in->items[m].before)
		(*out)[--i] = in->items[m].rule;
	return n;
}

void
outcome_make(struct arena *a, const struct outcome_in *in,
    struct pfk_outcome *o)
{
	const struct pfk_image *im = in->xi->im;
	struct teller t = { .im = im, .c = in->context,
	    .r = in->rule != PFK_EXACT_DEFAULT ? &im->rules[in->rule] : NULL };
	uint32_t *matches;

	strbuf_init(&t.sb, a);
	memset(o, 0, sizeof(*o));
	o->rule = in->rule;
	o->pass = t.r == NULL || t.r->action == IMG_PASS;
	o->state = o->pass && t.r != NULL && t.r->keep_state != IMG_NO_STATE;
	o->nat = o->state && (in->context->nat != IMG_NONE ||
	    (t.r != NULL && t.r->nat != IMG_NONE));
	o->rdr = o->state && (in->context->rdr != IMG_NONE ||
	    (t.r != NULL && t.r->rdr != IMG_NONE));
	o->translated = o->nat || o->rdr;
	o->label = t.r != NULL && t.r->label != 0 ?
	    image_string(im, t.r->label) : NULL;
	o->tag = in->context->tag != 0 ? image_string(im, in->context->tag) :
	    NULL;
	o->nmatches = list_matches(a, in, &matches);
	o->matches = matches;
	if (o->pass)
		tell_pass(&t);
	else
		tell_block(&t);
	for (size_t i = 0; i < o->nmatches; i++) {
		tell_counted(&t, &im->rules[matches[i]]);
		o->log |= im->rules[matches[i]].log != 0;
	}
	if (in->context->log & IMG_LOG_MATCHES)
		strbuf_puts(&t.sb, " log of all later matches");
	if (t.r != NULL) {
		tell_counted(&t, t.r);
		o->log |= t.r->log != 0;
	}
	o->effects = strbuf_str(&t.sb);
}
