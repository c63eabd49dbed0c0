/*
 * An explanation for programs: one object a line, one for each decision.
 */
#include <arpa/inet.h>
#include <inttypes.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "trace.h"

enum { ICMP = 1, TCP = 6, ICMP6 = 58 };

static void
json_flow(struct out *o, const char *name, const struct pfk_flow *f)
{
	char text[ADDR_TEXT];

	if (f->af == 0)
		return;
	out_printf(o, ",\"%s\":{\"family\":%u,\"protocol\":%u,", name, f->af,
	    f->proto);
	out_printf(o, "\"source\":\"%s\",", addr_text(f->af, f->src.addr,
	    text));
	out_printf(o, "\"destination\":\"%s\"", addr_text(f->af, f->dst.addr,
	    text));
	if (f->has_ports)
		out_printf(o, ",\"source_port\":%u,\"destination_port\":%u",
		    ntohs(f->src.port), ntohs(f->dst.port));
	out_char(o, '}');
}

void
json_rule(struct trace *t, const char *name, uint32_t rule)
{
	struct pfk_rule_info info;

	if (rule == PFK_RULE_NONE)
		return;
	out_printf(t->out, ",\"%s\":{\"id\":\"", name);
	out_rule(t->out, t->engine, rule);
	out_char(t->out, '"');
	if (rule != PFK_RULE_DEFAULT) {
		pfk_engine_rule(t->engine, rule, &info);
		out_str(t->out, ",\"file\":");
		out_json_string(t->out, info.file != NULL ? info.file : "");
		out_printf(t->out, ",\"line\":%" PRIu32 ",\"text\":",
		    info.line);
		out_json_string(t->out, info.text);
		if (info.label != NULL) {
			out_str(t->out, ",\"label\":");
			out_json_string(t->out, info.label);
		}
	}
	out_char(t->out, '}');
}

static void
json_names(struct out *o, unsigned bits, unsigned n,
    const char *(*name)(unsigned))
{
	const char *between = "";

	out_str(o, ",\"failed\":[");
	for (unsigned i = 0; i < n; i++)
		if (bits & 1u << i) {
			out_str(o, between);
			out_json_string(o, name(i));
			between = ",";
		}
	out_char(o, ']');
}

static const char *
test_name(unsigned i)
{
	return pfk_explain_test_name((enum pfk_explain_test)i);
}

static const char *
check_name(unsigned i)
{
	return pfk_window_check_failed((enum pfk_window_check)i);
}

/* The tests, and what was written for the first of them. */
void
json_failed(struct trace *t, uint32_t rule, unsigned failed,
    const struct pfk_flow *flow)
{
	unsigned first = 0;

	json_names(t->out, failed, PFK_NTESTS, test_name);
	while (first < PFK_NTESTS - 1 && (failed & 1u << first) == 0)
		first++;
	written_json_test(t, rule, (enum pfk_explain_test)first, flow);
}

static void
json_headers(struct trace *t, const struct pfk_explain *x)
{
	out_printf(t->out, ",\"verdict\":\"%s\",\"reason\":\"%s\",\"length\":%"
	    PRIu32 ",\"ttl\":%u,\"tos\":%u,\"fragment\":%s,\"reassembled\":%s",
	    pfk_verdict_name(x->verdict), pfk_reason_name(x->reason), x->len,
	    x->ttl, x->tos, x->fragment ? "true" : "false",
	    x->reassembled ? "true" : "false");
	if (x->flow.proto == TCP && !x->fragment) {
		out_str(t->out, ",\"flags\":\"");
		out_tcp_flags(t->out, x->tcp_flags);
		out_char(t->out, '"');
	}
	if (x->flow.proto == ICMP || x->flow.proto == ICMP6)
		out_printf(t->out, ",\"icmp_type\":%u,\"icmp_code\":%u",
		    x->icmp_type, x->icmp_code);
	json_flow(t->out, "packet", &x->flow);
}

static void
json_state(struct trace *t, const struct step *s)
{
	char a[ADDR_TEXT], b[ADDR_TEXT];
	const struct pfk_key *k = &s->x.key;

	out_printf(t->out, ",\"protocol\":%u", s->x.flow.proto);
	out_printf(t->out, ",\"key\":[\"%s\",%u,\"%s\",%u]",
	    addr_text(k->af, k->addr[0].addr, a), ntohs(k->addr[0].port),
	    addr_text(k->af, k->addr[1].addr, b), ntohs(k->addr[1].port));
	if (s->x.state != NULL) {
		out_printf(t->out, ",\"found\":\"%016" PRIx64 "\","
		    "\"age\":%u,\"interface\":", s->state.id, s->state.age);
		out_json_string(t->out, s->state.ifname);
		json_rule(t, "rule", s->state.rule);
	}
}

static void
json_window(struct trace *t, const struct pfk_segment *g)
{
	out_printf(t->out, ",\"seq\":%" PRIu32 ",\"end\":%" PRIu32
	    ",\"low\":%" PRIu32 ",\"high\":%" PRIu32 ",\"ack\":%" PRIu32
	    ",\"skew\":%" PRId32 ",\"accepted\":%s,\"loose\":%s", g->seq,
	    g->end, g->low, g->high, g->ack, g->ackskew,
	    g->accepted ? "true" : "false", g->loose ? "true" : "false");
	json_names(t->out, g->failed, PFK_NWINDOW_CHECKS, check_name);
}

static void
json_step(struct trace *t, const struct step *s)
{
	static const char *const kinds[] = { "headers", "quote", "state",
	    "unfit", "window",
	    "rules", "fails", "matches", "enter", "leave" };
	const struct pfk_explain *x = &s->x;

	out_printf(t->out, "{\"step\":\"%s\"", kinds[x->kind]);
	switch (x->kind) {
	case PFK_EXPLAIN_HEADERS:
		json_headers(t, x);
		break;
	case PFK_EXPLAIN_QUOTE:
		json_flow(t->out, "packet", &x->flow);
		break;
	case PFK_EXPLAIN_STATE:
		json_state(t, s);
		break;
	case PFK_EXPLAIN_UNFIT:
		out_str(t->out, ",\"why\":");
		out_json_string(t->out, x->why);
		break;
	case PFK_EXPLAIN_WINDOW:
		json_window(t, &x->segment);
		break;
	case PFK_EXPLAIN_FAILS:
		json_rule(t, "rule", x->rule);
		json_failed(t, x->rule, x->failed, t->seen);
		break;
	case PFK_EXPLAIN_RULES:
		t->seen = &x->flow;
		json_flow(t->out, "packet", &x->flow);
		break;
	case PFK_EXPLAIN_MATCHES:
		t->seen = &x->flow;
		json_rule(t, "rule", x->rule);
		out_printf(t->out, ",\"action\":\"%s\",\"quick\":%s",
		    x->action, x->quick ? "true" : "false");
		json_flow(t->out, "packet", &x->flow);
		break;
	case PFK_EXPLAIN_ENTER:
	case PFK_EXPLAIN_LEAVE:
		out_str(t->out, ",\"anchor\":");
		out_json_string(t->out, x->anchor);
		break;
	}
	out_char(t->out, '}');
}

static bool
wanted(const struct trace *t, const struct pfk_explain *x)
{
	return t->o->all || x->kind != PFK_EXPLAIN_FAILS ||
	    count_bits(x->failed) == 1;
}

static void
json_steps(struct trace *t)
{
	const char *between = "";

	out_str(t->out, ",\"steps\":[");
	for (size_t i = 0; i < t->nsteps; i++)
		if (wanted(t, &t->steps[i].x)) {
			out_str(t->out, between);
			json_step(t, &t->steps[i]);
			between = ",";
		}
	out_char(t->out, ']');
}

static void
json_logs(struct trace *t)
{
	out_str(t->out, ",\"logs\":[");
	for (unsigned i = 0; i < t->nlogged; i++) {
		out_printf(t->out, "%s{\"interface\":\"pflog%u\"",
		    i > 0 ? "," : "", t->logged[i].logif);
		json_rule(t, "rule", t->logged[i].rule);
		out_char(t->out, '}');
	}
	out_char(t->out, ']');
}

/* What is asked about, with what was not given. */
static void
json_asked(struct trace *t)
{
	struct out *words = out_memory();
	const char *text, *name, *between = "";
	size_t len;

	out_packet_words(words, t->asked, t->host);
	out_char(words, '\0');
	text = out_collected(words, &len);
	out_str(t->out, "\"asked\":");
	out_json_string(t->out, text);
	out_str(t->out, ",\"chosen\":[");
	for (size_t i = 0; (name = packet_chosen(t->asked, &i)) != NULL; i++) {
		out_printf(t->out, "%s\"%s\"", between, name);
		between = ",";
	}
	out_str(t->out, "],");
	(void)out_close(words);
}

static void
json_changes(struct trace *t, const struct pfk_decision *d)
{
	if (d->verdict != PFK_PASS || d->changed == 0)
		return;
	out_str(t->out, ",\"changed\":\"");
	(void)out_changes(t->out, d);
	out_char(t->out, '"');
}

void
trace_json_object(struct trace *t, const struct pfk_decision *d)
{
	if (t->show != NULL && t->ndecisions > 0)
		out_char(t->out, ',');
	out_char(t->out, '{');
	if (t->asked != NULL && t->ndecisions == 0)
		json_asked(t);
	out_printf(t->out, "\"packet\":%" PRIu64 ",\"second\":%s,"
	    "\"direction\":\"%s\",\"interface\":", d->number,
	    d->second ? "true" : "false", d->dir == PFK_OUT ? "out" : "in");
	out_json_string(t->out, pfk_engine_ifname(t->engine, d->ifid));
	out_printf(t->out, ",\"verdict\":\"%s\",\"reason\":",
	    pfk_verdict_name(d->verdict));
	if (d->verdict == PFK_PASS || d->verdict == PFK_BLOCK ||
	    d->verdict == PFK_DROP)
		out_json_string(t->out, pfk_reason_name(d->reason));
	else
		out_str(t->out, "null");
	out_printf(t->out, ",\"state\":\"%s\"", state_use_name(d->state));
	if (d->state != PFK_STATE_NONE)
		out_printf(t->out, ",\"state_id\":\"%016" PRIx64 "\"",
		    d->state_id);
	json_rule(t, "rule", d->rule);
	written_json(t, d->rule, &d->before);
	json_flow(t->out, "before", &d->before);
	json_flow(t->out, "after", &d->after);
	json_changes(t, d);
	json_steps(t);
	json_logs(t);
	if (t->o->why_not != NULL)
		trace_json_why_not(t, d);
	out_str(t->out, ",\"replies\":\"");
	(void)out_replies(t->out, d);
	out_str(t->out, "\"}");
}

void
trace_json(struct trace *t, const struct pfk_decision *d)
{
	trace_json_object(t, d);
	out_char(t->out, '\n');
}
