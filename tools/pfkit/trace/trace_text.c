/*
 * An explanation for people.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "trace.h"

#define MISSES_SHOWN	50	/* near ones; thousands help nobody */

#define GREEN	"\033[32m"
#define RED	"\033[31m"
#define DIM	"\033[2m"
#define PLAIN	"\033[0m"

static void
colour(struct trace *t, const char *code)
{
	if (t->colour)
		out_str(t->out, code);
}

void
out_rule_place(struct out *o, const struct pfk_engine *e, uint32_t rule)
{
	struct pfk_rule_info info;

	if (rule == PFK_RULE_DEFAULT) {
		out_str(o, "the default rule: pass all");
		return;
	}
	pfk_engine_rule(e, rule, &info);
	out_char(o, '@');
	out_rule(o, e, rule);
	if (info.file != NULL && *info.file != '\0')
		out_printf(o, " %s:%" PRIu32, info.file, info.line);
	out_str(o, ": ");
	out_rule_text(o, e, rule);
}

/* ---- steps ---- */

static void
show_headers(struct trace *t, const struct pfk_explain *x)
{
	out_printf(t->out, "headers  %" PRIu32 " bytes, ttl %u, tos 0x%02x",
	    x->len, x->ttl, x->tos);
	if (x->flow.proto == 6 && !x->fragment) {
		out_str(t->out, ", flags ");
		out_tcp_flags(t->out, x->tcp_flags);
	}
	if (x->flow.proto == 1 || x->flow.proto == 58)
		out_printf(t->out, ", type %u code %u", x->icmp_type,
		    x->icmp_code);
	if (x->reassembled)
		out_str(t->out, ", put together of fragments");
	else if (x->fragment)
		out_str(t->out, ", a fragment");
	if (x->verdict != PFK_PASS)
		out_printf(t->out, ": %s (%s)", pfk_verdict_name(x->verdict),
		    x->verdict == PFK_HOLD ? "until the rest comes" :
		    pfk_reason_name(x->reason));
	out_char(t->out, '\n');
}

static void
show_state(struct trace *t, const struct step *s)
{
	const struct pfk_key *k = &s->x.key;
	const char *name = pfk_host_protocol_name(t->host, s->x.flow.proto);

	out_printf(t->out, "state    %s ", name != NULL ? name : "protocol");
	out_endpoint(t->out, k->af, &k->addr[0], true);
	out_str(t->out, " <-> ");
	out_endpoint(t->out, k->af, &k->addr[1], true);
	if (s->x.state == NULL) {
		out_str(t->out, ": none has this key\n");
		return;
	}
	out_printf(t->out, ": found, id %016" PRIx64 ", %u s old, on %s\n",
	    s->state.id, s->state.age, s->state.ifname);
	if (s->state.rule != PFK_RULE_NONE) {
		out_str(t->out, "         made by ");
		out_rule_place(t->out, t->engine, s->state.rule);
		out_char(t->out, '\n');
	}
}

/* How far the segment is from an end of what may be; numbers go around. */
static void
show_distance(struct trace *t, const char *what, uint32_t inside,
    const char *in, const char *out, uint32_t end)
{
	int32_t d = (int32_t)inside;

	out_printf(t->out, ", %s %" PRIu32 " %s (%" PRIu32 ")", what,
	    d >= 0 ? inside : (uint32_t)0 - inside, d >= 0 ? in : out, end);
}

static void
show_window(struct trace *t, const struct pfk_segment *g)
{
	out_printf(t->out, "window   seq %" PRIu32 " to %" PRIu32, g->seq,
	    g->end);
	show_distance(t, "begins", g->seq - g->low, "above the lowest",
	    "below the lowest", g->low);
	show_distance(t, "ends", g->high - g->end, "below the highest",
	    "above the highest", g->high);
	out_printf(t->out, "; ack %" PRIu32 ", skew %" PRId32 ": %s\n", g->ack,
	    g->ackskew, !g->accepted ? "refused" : g->loose ?
	    "outside, but half of the connection is unknown" : "fits");
	for (unsigned i = 0; i < PFK_NWINDOW_CHECKS; i++)
		if (g->failed & 1u << i)
			out_printf(t->out, "         %s\n",
			    pfk_window_check_failed((enum pfk_window_check)i));
}

static void
show_failed(struct trace *t, const struct pfk_explain *x)
{
	unsigned n = count_bits(x->failed), first = 0;

	if (!t->o->all && (n != 1 || t->nmisses++ >= MISSES_SHOWN))
		return;
	colour(t, DIM);
	out_printf(t->out, "  %*s-      ", (int)x->depth * 2, "");
	out_rule_place(t->out, t->engine, x->rule);
	out_printf(t->out, "\n  %*s         %s: ", (int)x->depth * 2, "",
	    n == 1 ? "fails in one test only" : "fails");
	while (first < PFK_NTESTS - 1 && (x->failed & 1u << first) == 0)
		first++;
	out_str(t->out, pfk_explain_test_name((enum pfk_explain_test)first));
	written_test(t, x->rule, (enum pfk_explain_test)first, t->seen);
	if (n > 1)
		out_printf(t->out, " (and %u more)", n - 1);
	colour(t, PLAIN);
	out_char(t->out, '\n');
}

static const char *
effect(const struct pfk_explain *x)
{
	if (x->action[0] == 'a')
		return "enters its anchor";
	if (x->action[0] == 'm')
		return "acts at once";
	return x->quick ? "decides: quick" : "decides unless a later one does";
}

static void
show_match(struct trace *t, const struct pfk_explain *x)
{
	out_printf(t->out, "  %*s%-6s ", (int)x->depth * 2, "", x->action);
	out_rule_place(t->out, t->engine, x->rule);
	out_printf(t->out, "\n  %*s       matches: %s\n", (int)x->depth * 2, "",
	    effect(x));
}

/* Translation by a match rule is seen by the tests that follow. */
static void
show_flow(struct trace *t, const struct pfk_explain *x,
    const struct pfk_flow **last)
{
	if (*last != NULL && memcmp(*last, &x->flow, sizeof(x->flow)) != 0) {
		out_str(t->out, "         by now: ");
		out_flow_words(t->out, &x->flow, t->host);
		out_char(t->out, '\n');
	}
	*last = &x->flow;
}

static void
show_misses_left(struct trace *t)
{
	if (t->nmisses > MISSES_SHOWN)
		out_printf(t->out, "  -      and %u more that fail in one test "
		    "only (--all)\n", t->nmisses - MISSES_SHOWN);
	t->nmisses = 0;
}

static void
show_steps(struct trace *t)
{
	const struct pfk_flow *flow = NULL;

	for (size_t i = 0; i < t->nsteps; i++) {
		const struct step *s = &t->steps[i];

		switch (s->x.kind) {
		case PFK_EXPLAIN_HEADERS:
			show_headers(t, &s->x);
			break;
		case PFK_EXPLAIN_QUOTE:
			out_str(t->out, "quotes   ");
			out_flow_words(t->out, &s->x.flow, t->host);
			out_char(t->out, '\n');
			break;
		case PFK_EXPLAIN_STATE:
			show_state(t, s);
			break;
		case PFK_EXPLAIN_UNFIT:
			out_printf(t->out, "         %s\n", s->x.why);
			break;
		case PFK_EXPLAIN_WINDOW:
			show_window(t, &s->x.segment);
			break;
		case PFK_EXPLAIN_RULES:
			out_str(t->out, "rules\n");
			t->seen = &s->x.flow;
			show_flow(t, &s->x, &flow);
			break;
		case PFK_EXPLAIN_FAILS:
			show_failed(t, &s->x);
			break;
		case PFK_EXPLAIN_MATCHES:
			t->seen = &s->x.flow;
			show_flow(t, &s->x, &flow);
			show_match(t, &s->x);
			break;
		case PFK_EXPLAIN_ENTER:
		case PFK_EXPLAIN_LEAVE:
			if (s->x.kind == PFK_EXPLAIN_LEAVE && !t->o->all)
				break;
			out_printf(t->out, "  %*s%s anchor %s\n",
			    (int)s->x.depth * 2, "", s->x.kind ==
			    PFK_EXPLAIN_ENTER ? "into" : "out of",
			    s->x.anchor);
			break;
		}
	}
}

/* ---- what came of it ---- */

static void
show_deciding_rule(struct trace *t, const struct pfk_decision *d)
{
	if (d->rule == PFK_RULE_NONE)
		return;
	if (d->verdict == PFK_DROP && !steps_asked(t)) {
		out_printf(t->out, "decided  by %s\n", d->reason ==
		    PFK_REASON_SYNPROXY ? "the proxy, which deals with it" :
		    d->state == PFK_STATE_MATCH ?
		    "the state, which refuses it" :
		    "pf itself, before any rule");
		return;
	}
	out_printf(t->out, "decided  %s ", d->state == PFK_STATE_MATCH ?
	    "by a state of" : "by");
	out_rule_place(t->out, t->engine, d->rule);
	out_char(t->out, '\n');
	written_quote(t, d->rule, &d->before);
}

static void
show_translation(struct trace *t, const struct pfk_decision *d)
{
	if (d->verdict != PFK_PASS || d->changed == 0)
		return;
	if (d->changed & PFK_CHANGED_FLOW) {
		out_str(t->out, "before   ");
		out_flow_words(t->out, &d->before, t->host);
		out_str(t->out, "\nafter    ");
		out_flow_words(t->out, &d->after, t->host);
		out_char(t->out, '\n');
	}
	out_str(t->out, "changed  ");
	(void)out_changes(t->out, d);
	out_char(t->out, '\n');
}

static void
show_logs(struct trace *t)
{
	for (unsigned i = 0; i < t->nlogged; i++) {
		out_printf(t->out, "log      pflog%u, for ",
		    t->logged[i].logif);
		out_rule_place(t->out, t->engine, t->logged[i].rule);
		out_char(t->out, '\n');
	}
}

static void
show_result(struct trace *t, const struct pfk_decision *d)
{
	bool good = d->verdict == PFK_PASS || d->verdict == PFK_SKIP;

	colour(t, good ? GREEN : RED);
	out_printf(t->out, "result   %s", pfk_verdict_name(d->verdict));
	colour(t, PLAIN);
	if (d->verdict == PFK_DROP || (d->verdict == PFK_BLOCK &&
	    d->reason != PFK_REASON_MATCH))
		out_printf(t->out, " (%s)", pfk_reason_name(d->reason));
	if (d->verdict == PFK_SKIP)
		out_str(t->out, " (the interface is under `set skip')");
	if (d->verdict == PFK_IGNORE)
		out_str(t->out, " (it never reaches pf)");
	out_char(t->out, '\n');
}

void
trace_text(struct trace *t, const struct pfk_decision *d)
{
	if (t->ndecisions > 0)
		out_char(t->out, '\n');
	out_printf(t->out, "%s%s on %s", d->second ? "and then " : "",
	    d->dir == PFK_OUT ? "out" : "in",
	    pfk_engine_ifname(t->engine, d->ifid));
	if (d->before.af != 0) {
		out_char(t->out, ' ');
		out_flow_words(t->out, &d->before, t->host);
	}
	if (t->o->packet > 0)
		out_printf(t->out, " (packet %" PRIu64 ")", d->number);
	out_char(t->out, '\n');
	show_steps(t);
	show_misses_left(t);
	show_deciding_rule(t, d);
	show_translation(t, d);
	if (d->state == PFK_STATE_NEW)
		out_printf(t->out, "state    a new one, id %016" PRIx64 "\n",
		    d->state_id);
	show_logs(t);
	if (d->nreplies > 0) {
		out_str(t->out, "answers  ");
		(void)out_replies(t->out, d);
		out_char(t->out, '\n');
	}
	show_result(t, d);
}
