/*
 * What a replay was, at a glance.
 *
 * A packet counts once, by what became of it in the end: a forwarded one by
 * its decision on the way out.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../pfkit.h"
#include "replay.h"
#include "text.h"

#define NVERDICTS	(PFK_IGNORE + 1)
#define MAX_RULES	12		/* shown */
#define SECOND		UINT64_C(1000000000)

struct summary {
	struct output	 output;
	uint64_t	 verdicts[NVERDICTS], bytes[NVERDICTS];
	uint64_t	 reasons[PFK_NREASONS];	/* of blocked and dropped */
	uint64_t	 packets, replies;
	uint64_t	 first, last;
	bool		 begun;		/* there is a first */
	/* the decision before, should a second follow */
	enum pfk_verdict verdict;
	enum pfk_reason	 reason;
};

static bool
is_refused(enum pfk_verdict v)
{
	return v == PFK_BLOCK || v == PFK_DROP;
}

static void
count_time(struct summary *s, uint64_t time)
{
	if (!s->begun)
		s->first = time;
	s->begun = true;
	if (time > s->last)
		s->last = time;
}

static void
count(struct output *o, const struct pfk_decision *d)
{
	struct summary *s = (struct summary *)o;
	uint32_t len = replay_packet(o->replay, d->number)->wirelen;

	s->replies += d->nreplies;
	if (d->second) {
		s->verdicts[s->verdict]--;
		s->bytes[s->verdict] -= len;
		if (is_refused(s->verdict))
			s->reasons[s->reason]--;
	} else {
		s->packets++;
		count_time(s, d->time);
	}
	s->verdict = d->verdict;
	s->reason = d->reason;
	s->verdicts[d->verdict]++;
	s->bytes[d->verdict] += len;
	if (is_refused(d->verdict))
		s->reasons[d->reason]++;
}

static void
out_share(struct out *out, const struct summary *s, const char *what,
    enum pfk_verdict v)
{
	if (s->verdicts[v] == 0 && v > PFK_DROP)
		return;
	out_printf(out, "  %-10s %10" PRIu64 "  %5.1f%%  %12" PRIu64
	    " bytes", what, s->verdicts[v], s->packets == 0 ? 0.0 :
	    100.0 * (double)s->verdicts[v] / (double)s->packets,
	    s->bytes[v]);
}

/* Why, with numbers: "  (3 state-mismatch, 1 normalize)". */
static void
out_reasons(struct out *out, const struct summary *s)
{
	const char *before = "  (";

	for (int i = 0; i < PFK_NREASONS; i++) {
		if (i == PFK_REASON_MATCH || s->reasons[i] == 0)
			continue;
		out_printf(out, "%s%" PRIu64 " %s", before, s->reasons[i],
		    pfk_reason_name((enum pfk_reason)i));
		before = ", ";
	}
	if (*before == ',')
		out_char(out, ')');
	out_char(out, '\n');
}

static void
out_packets(struct out *out, const struct summary *s)
{
	uint64_t us = (s->last - s->first) / 1000;
	char from[TIME_TEXT];

	out_printf(out, "%" PRIu64 " packets", s->packets);
	if (s->packets > 0)
		out_printf(out, " in %" PRIu64 ".%06" PRIu64 " s from %s",
		    us / 1000000, us % 1000000, time_text(s->first, from));
	out_char(out, '\n');
	out_share(out, s, "passed", PFK_PASS);
	out_char(out, '\n');
	out_share(out, s, "blocked", PFK_BLOCK);
	out_str(out, "  (by rules)\n");
	out_share(out, s, "dropped", PFK_DROP);
	out_reasons(out, s);
	if (s->verdicts[PFK_HOLD] > 0) {
		out_share(out, s, "held", PFK_HOLD);
		out_str(out, "  (fragments of packets)\n");
	}
	if (s->verdicts[PFK_SKIP] > 0) {
		out_share(out, s, "skipped", PFK_SKIP);
		out_str(out, "  (set skip)\n");
	}
	if (s->verdicts[PFK_IGNORE] > 0) {
		out_share(out, s, "ignored", PFK_IGNORE);
		out_str(out, "  (never reach pf)\n");
	}
}

static void
out_states(struct out *out, const struct summary *s,
    const struct pfk_engine *e)
{
	struct pfk_counters c;

	pfk_engine_counters(e, &c);
	out_printf(out, "  states     %10" PRIu32 "  (%" PRIu64 " made, %"
	    PRIu64 " gone)\n", c.states, c.inserts, c.removals);
	if (s->replies > 0)
		out_printf(out, "  answers    %10" PRIu64
		    "  (sent by pf itself)\n", s->replies);
}

struct ranked { uint32_t rule; struct pfk_rule_counters c; };

static uint64_t
packets_of(const struct ranked *r)
{
	return r->c.packets[0] + r->c.packets[1];
}

static int
by_packets(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (packets_of(x) != packets_of(y))
		return packets_of(x) > packets_of(y) ? -1 : 1;
	return x->rule < y->rule ? -1 : 1;
}

static void
out_ranked(struct out *out, const struct pfk_engine *e,
    const struct ranked *r)
{
	struct pfk_rule_info info;

	pfk_engine_rule(e, r->rule, &info);
	out_printf(out, "%12" PRIu64 " %9" PRIu64 " %11" PRIu64 " %7" PRIu64
	    "  @%" PRIu32 " ", r->c.evaluations, packets_of(r),
	    r->c.bytes[0] + r->c.bytes[1], r->c.states_total, info.nr);
	if (info.anchor != NULL && *info.anchor != '\0')
		out_printf(out, "(in %s) ", info.anchor);
	out_rule_text(out, e, r->rule);
	out_char(out, '\n');
}

/* The rules that most packets met. */
static void
out_rules(struct out *out, const struct pfk_engine *e)
{
	size_t n = pfk_engine_rules(e), used = 0;
	struct ranked *all = xcalloc(n + 1, sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		all[used].rule = (uint32_t)i;
		pfk_engine_rule_counters(e, (uint32_t)i, &all[used].c);
		used += packets_of(&all[used]) > 0;
	}
	qsort(all, used, sizeof(*all), by_packets);
	if (used > 0)
		out_str(out, "\n Evaluations   Packets       Bytes  States  "
		    "Rule\n");
	for (size_t i = 0; i < used && i < MAX_RULES; i++)
		out_ranked(out, e, &all[i]);
	if (used > MAX_RULES)
		out_printf(out, "%35s ... and %zu more (--rules shows all)\n",
		    "", used - MAX_RULES);
	free(all);
}

static void
end(struct output *o)
{
	const struct summary *s = (struct summary *)o;

	out_packets(o->out, s);
	out_states(o->out, s, o->replay->engine);
	out_rules(o->out, o->replay->engine);
}

static void
first(struct output *o, const struct pfk_packet *p)
{
	((struct summary *)o)->begun = true;
	((struct summary *)o)->first = p->time;
}

static void
add(struct output *o, const struct output *other)
{
	struct summary *s = (struct summary *)o;
	const struct summary *t = (const struct summary *)other;

	for (int i = 0; i < NVERDICTS; i++) {
		s->verdicts[i] += t->verdicts[i];
		s->bytes[i] += t->bytes[i];
	}
	for (int i = 0; i < PFK_NREASONS; i++)
		s->reasons[i] += t->reasons[i];
	s->packets += t->packets;
	s->replies += t->replies;
	if (t->last > s->last)
		s->last = t->last;
}

struct output *
summary_new(void)
{
	struct summary *s = xcalloc(1, sizeof(*s));

	s->output.decision = count;
	s->output.end = end;
	s->output.first = first;
	s->output.add = add;
	return &s->output;
}
