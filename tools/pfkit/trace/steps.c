/*
 * What the engine tells of a packet, kept until its decision is there.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "trace.h"

static void
explained(void *ctx, const struct pfk_explain *x)
{
	struct trace *t = ctx;
	struct step *s;

	if (t->nsteps == t->room) {
		t->room = t->room * 2 + 64;
		t->steps = xrealloc(t->steps, t->room * sizeof(*t->steps));
	}
	if (t->cover != NULL)
		cover_explained(t->cover, x);
	s = &t->steps[t->nsteps++];
	s->x = *x;
	if (x->state != NULL)
		s->state = *x->state;
	t->contradictions += x->contradiction;
}

static void
logged(void *ctx, const struct pfk_log *l)
{
	struct trace *t = ctx;

	if (t->nlogged < MAX_LOGGED)
		t->logged[t->nlogged++] = (struct logged){ l->logif,
		    l->action, l->subrule != PFK_RULE_NONE ? l->subrule :
		    l->rule };
}

bool
step_decides(const struct step *s)
{
	return s->x.kind == PFK_EXPLAIN_MATCHES &&
	    (s->x.action[0] == 'p' || s->x.action[0] == 'b');
}

uint32_t
steps_decided(const struct trace *t)
{
	uint32_t rule = PFK_RULE_DEFAULT;

	for (size_t i = 0; i < t->nsteps; i++)
		if (t->steps[i].x.kind == PFK_EXPLAIN_RULES)
			rule = PFK_RULE_DEFAULT;
		else if (step_decides(&t->steps[i]))
			rule = t->steps[i].x.rule;
	return rule;
}

unsigned
count_bits(unsigned v)
{
	unsigned n = 0;

	for (; v != 0; v &= v - 1)
		n++;
	return n;
}

bool
steps_asked(const struct trace *t)
{
	for (size_t i = 0; i < t->nsteps; i++)
		if (t->steps[i].x.kind == PFK_EXPLAIN_RULES)
			return true;
	return false;
}

/* Whether the rules were asked, and say something else than the decision. */
static bool
contradicts(const struct trace *t, const struct pfk_decision *d)
{
	return steps_asked(t) && (d->verdict == PFK_PASS || d->verdict == PFK_BLOCK) &&
	    d->state != PFK_STATE_MATCH && d->rule != steps_decided(t);
}

static void
show(struct trace *t, const struct pfk_decision *d)
{
	t->contradictions += contradicts(t, d);
	if (t->show != NULL)
		t->show(t, d);
	else if (t->o->json)
		trace_json(t, d);
	else
		trace_text(t, d);
	if (t->o->why_not != NULL && !t->o->json)
		trace_why_not(t, d);
}

/* Of a packet of ICMP as pf leaves it (one that was built has no options). */
static uint16_t
icmp_id(const struct pfk_decision *d)
{
	uint32_t at = d->after.af == 4 ? 24 : 44;
	uint16_t id = 0;

	if (d->iplen >= at + sizeof(id))
		memcpy(&id, d->ip + at, sizeof(id));
	return id;
}

static bool
no_colour(void)
{
	const char *v = getenv("NO_COLOR");

	return v != NULL && *v != '\0';
}

/* What pf itself begins or goes on with a connection by, if it does. */
static void
keep_proxy(struct trace *t, const struct pfk_decision *d)
{
	t->proxied = d->verdict == PFK_DROP &&
	    d->reason == PFK_REASON_SYNPROXY;
	memset(&t->proxy, 0, sizeof(t->proxy));
	for (unsigned i = 0; t->proxied && i < d->nreplies; i++)
		if (d->replies[i].kind == PFK_REPLY_SYNACK ||
		    d->replies[i].kind == PFK_REPLY_SYN)
			t->proxy = packet_segment(d->replies[i].ip,
			    d->replies[i].iplen);
}

static void
decided(void *ctx, const struct pfk_decision *d)
{
	struct trace *t = ctx;

	if (t->ndecisions == 0)
		t->colour = out_is_terminal(t->out) && !no_colour();
	t->passed &= d->verdict == PFK_PASS || d->verdict == PFK_SKIP;
	t->forwarded = d->second;
	t->after = d->after;
	t->icmp_id = icmp_id(d);
	t->segment = packet_segment(d->ip, d->iplen);
	keep_proxy(t, d);
	t->ifid = d->ifid;
	t->dir = d->dir;
	show(t, d);
	if (t->cover != NULL)
		cover_decided(t->cover, t->engine, d);
	t->ndecisions++;
	t->nsteps = 0;
	t->nlogged = 0;
}

/* Of packets before the one that is asked about, nothing is shown. */
static void
before(void *ctx, const struct pfk_decision *d)
{
	struct trace *t = ctx;

	if (t->room == 0)
		t->nlogged = 0;
	else
		decided(ctx, d);
}

void
steps_sink(struct trace *t, struct pfk_sink *sink)
{
	memset(sink, 0, sizeof(*sink));
	sink->ctx = t;
	sink->decision = before;
	sink->log = logged;
}

void
steps_start(struct trace *t)
{
	if (t->room > 0)
		return;
	t->room = 256;
	t->steps = xcalloc(t->room, sizeof(*t->steps));
	t->passed = true;
	if (pfk_explain_start(t->engine, explained, t) != PFK_OK)
		fatal("out of memory");
}

void
steps_free(struct trace *t)
{
	free(t->steps);
}
