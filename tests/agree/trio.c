/*
 * One ruleset in three engines.
 *
 * Each engine's sink writes down what it is told, field by field, so that
 * memcmp() compares it.  What they keep is compared as what they save: all but
 * the sum of the image, which plain and fast bytecode have of their own.
 */
#include <stdlib.h>
#include <string.h>

#include <pfkit/explain.h>

#include "tests/agree/agree.h"

const char *const way_names[WAYS] = { "slow", "plain", "fast" };

/* ---- what is said ---- */

static struct said *
new_said(struct one *o, enum said_what what)
{
	struct said *s;

	if (o->nsaid == o->size) {
		o->size = o->size == 0 ? 256 : 2 * o->size;
		o->said = realloc(o->said, o->size * sizeof(*o->said));
		if (o->said == NULL)
			die("no memory");
	}
	s = &o->said[o->nsaid++];
	memset(s, 0, sizeof(*s));
	s->what = (uint8_t)what;
	return s;
}

static uint64_t
sum_bytes(uint64_t sum, const uint8_t *p, size_t n)
{
	uint64_t v;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&v, p, 8);
		sum = mix64(sum ^ v);
	}
	for (v = n; n > 0; n--)
		v = v << 8 | p[n - 1];
	return mix64(sum ^ v);
}

static void
said_flow(struct said_flow *to, const struct pfk_flow *from)
{
	size_t n = from->af == 4 ? 4 : from->af == 6 ? 16 : 0;

	to->af = from->af;
	to->proto = from->proto;
	to->has_ports = from->has_ports;
	memcpy(to->addr[0], from->src.addr, n);
	memcpy(to->addr[1], from->dst.addr, n);
	to->port[0] = from->src.port;
	to->port[1] = from->dst.port;
}

static void
said_reply(struct said *s, const struct pfk_reply *r)
{
	uint8_t head[6] = { (uint8_t)r->kind, r->icmp_type, r->icmp_code,
	    r->ttl, (uint8_t)r->ifid, (uint8_t)(r->ifid >> 8) };

	s->bytes = sum_bytes(s->bytes, head, sizeof(head));
	s->bytes = sum_bytes(s->bytes, r->ip, r->iplen);
}

static void
on_decision(void *ctx, const struct pfk_decision *d)
{
	struct said *s = new_said(ctx, SAID_DECISION);

	s->number = d->number;
	s->time = d->time;
	s->second = d->second;
	s->dir = d->dir;
	s->ifid = d->ifid;
	s->verdict = (uint8_t)d->verdict;
	s->reason = (uint8_t)d->reason;
	s->rule = d->rule;
	s->state = (uint8_t)d->state;
	s->state_id = d->state_id;
	s->changed = d->changed;
	said_flow(&s->before, &d->before);
	said_flow(&s->after, &d->after);
	if (d->changed & PFK_CHANGED_QUOTE)
		said_flow(&s->quote, &d->quote);
	s->ttl = d->ttl;
	s->tos = d->tos;
	s->df = d->df;
	s->mss = d->mss;
	s->nreplies = d->nreplies;
	s->len = d->iplen;
	s->bytes = sum_bytes(0, d->ip, d->iplen);
	for (unsigned i = 0; i < d->nreplies; i++)
		said_reply(s, &d->replies[i]);
}

static void
on_log(void *ctx, const struct pfk_log *l)
{
	struct said *s = new_said(ctx, SAID_LOG);

	s->number = l->number;
	s->time = l->time;
	s->logif = l->logif;
	s->action = l->action;
	s->reason = l->reason;
	s->dir = l->dir;
	s->changed = l->rewritten;
	s->ifid = l->ifid;
	s->rule = l->rule;
	s->subrule = l->subrule;
	said_flow(&s->before, &l->flow);
	s->len = l->iplen;
	s->bytes = sum_bytes(l->af, l->ip, l->iplen);
}

static void
on_debug(void *ctx, int level, const char *text)
{
	struct said *s = new_said(ctx, SAID_DEBUG);

	s->action = (uint8_t)level;
	s->bytes = sum_bytes(0, (const uint8_t *)text, strlen(text));
}

/* ---- engines ---- */

static void
nothing(void *ctx, const struct pfk_explain *x)
{
	(void)ctx;
	(void)x;
}

static struct pfk_engine *
make(struct trio *t, enum way w)
{
	struct pfk_sink sink = { &t->way[w], on_decision, on_log, on_debug };
	struct pfk_engine_options o = {
		.image = w == WAY_FAST ? t->fast : t->plain,
		.sink = &sink, .seed = t->seed, .debug = t->debug,
		.no_lane = w == WAY_FAST && t->long_way
	};
	struct pfk_engine *e;

	o.interfaces = pfk_host_interfaces(t->host, &o.ninterfaces);
	o.routes = pfk_host_routes(t->host, &o.nroutes);
	if (pfk_engine_new(&o, &e) != PFK_OK)
		die("no memory for an engine");
	for (unsigned i = 0; i < t->c->nifaces; i++)
		(void)pfk_engine_interface(e, t->c->ifnames[i]);
	if (w == WAY_SLOW) {
		if (pfk_explain_start(e, nothing, NULL) != PFK_OK)
			die("no memory for explanations");
		pfk_explain_only(e, 0);
	}
	return e;
}

void
trio_init(struct trio *t)
{
	for (enum way w = 0; w < WAYS; w++) {
		t->way[w] = (struct one){ .e = NULL };
		t->way[w].e = make(t, w);
	}
}

void
trio_free(struct trio *t)
{
	for (enum way w = 0; w < WAYS; w++) {
		pfk_engine_free(t->way[w].e);
		free(t->way[w].said);
	}
}

void
trio_renew(struct trio *t)
{
	char error[PFK_IMAGE_ERRLEN];

	for (enum way w = 0; w < WAYS; w++) {
		struct pfk_engine *e = make(t, w), *old = t->way[w].e;
		void *data;
		size_t len;

		if (pfk_engine_save(old, &data, &len) != PFK_OK)
			die("%s: not saved", way_names[w]);
		if (pfk_engine_restore(e, data, len, error) != PFK_OK)
			die("%s: not restored: %s", way_names[w], error);
		pfk_engine_free_data(old, data, len);
		pfk_engine_free(old);
		t->way[w].e = e;
	}
}

/* ---- comparing ---- */

static bool
same_said(const struct trio *t, enum way w)
{
	const struct one *a = &t->way[WAY_SLOW], *b = &t->way[w];
	size_t n = a->nsaid < b->nsaid ? a->nsaid : b->nsaid;

	if (a->nsaid == b->nsaid && (n == 0 || memcmp(a->said, b->said,
	    n * sizeof(*a->said)) == 0))
		return true;
	for (size_t i = 0; i < n; i++)
		if (memcmp(&a->said[i], &b->said[i], sizeof(*a->said)) != 0) {
			tell_said(t, w, &a->said[i], &b->said[i]);
			return false;
		}
	tell_said(t, w, n < a->nsaid ? &a->said[n] : NULL,
	    n < b->nsaid ? &b->said[n] : NULL);
	return false;
}

static void
count(struct tally *n, const struct said *s)
{
	if (s->what != SAID_DECISION) {
		n->logs += s->what == SAID_LOG;
		return;
	}
	n->decisions++;
	n->passed += s->verdict == PFK_PASS;
	n->blocked += s->verdict == PFK_BLOCK;
	n->dropped += s->verdict == PFK_DROP;
	n->other += s->verdict > PFK_DROP;
	n->made += s->state == PFK_STATE_NEW;
	n->met += s->state == PFK_STATE_MATCH;
	n->translated += (s->changed & PFK_CHANGED_FLOW) != 0;
}

bool
trio_said_the_same(struct trio *t)
{
	const struct one *slow = &t->way[WAY_SLOW];
	bool same = true;

	for (size_t i = 0; i < slow->nsaid; i++)
		count(t->tally, &slow->said[i]);
	for (enum way w = WAY_PLAIN; w < WAYS; w++)
		same = same_said(t, w) && same;
	for (enum way w = 0; w < WAYS; w++)
		t->way[w].nsaid = 0;
	return same;
}

struct saved { void *data; size_t len; };

/* Behind mark, version and the image's sum, before the sum of it all. */
static bool
same_saved(const struct saved *a, const struct saved *b)
{
	return a->len == b->len && a->len > 16 &&
	    memcmp((const char *)a->data + 12, (const char *)b->data + 12,
	    a->len - 16) == 0;
}

bool
trio_keep_the_same(const struct trio *t)
{
	struct saved saved[WAYS];
	bool same = true;

	for (enum way w = 0; w < WAYS; w++)
		if (pfk_engine_save(t->way[w].e, &saved[w].data,
		    &saved[w].len) != PFK_OK)
			die("%s: not saved", way_names[w]);
	for (enum way w = WAY_PLAIN; w < WAYS; w++)
		if (!same_saved(&saved[WAY_SLOW], &saved[w])) {
			tell_kept(t, w);
			same = false;
		}
	for (enum way w = 0; w < WAYS; w++)
		pfk_engine_free_data(t->way[w].e, saved[w].data,
		    saved[w].len);
	return same;
}
