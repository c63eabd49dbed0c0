/*
 * One packet of a difference, through both rulesets, as `pfkit trace' shows it:
 * an engine that explains, and has never seen a packet.
 *
 * What the packet alone does not decide (probability, the system of its
 * sender) the engine decides as it happens to; the difference says that it
 * rests on it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "../trace/trace.h"
#include "diff.h"

/* What the old firewall calls an interface of the new one. */
static const char *
name_on(const struct diff *d, unsigned which, const char *ifname)
{
	for (size_t i = 0; which == OLD && i < d->o->nmap; i++)
		if (strcmp(d->o->map[i].to, ifname) == 0)
			return d->o->map[i].from;
	return ifname;
}

/* ---- what tables must have ---- */

/*
 * Tables that are filled while the rules run are asked, not known: "the source
 * in the table `bad'".  A set may rest on the answer yes.
 */
static bool
is_about_table(void *ctx, const char *question)
{
	(void)ctx;
	return strstr(question, " in the table `") != NULL;
}

static bool
is_same(void *ctx, const char *question)
{
	return strcmp(ctx, question) == 0;
}

struct questions { char **v; size_t n; };

static void
keep_question(void *ctx, const char *question)
{
	struct questions *q = ctx;

	if (!is_about_table(NULL, question))
		return;
	q->v = xrealloc(q->v, (q->n + 1) * sizeof(*q->v));
	q->v[q->n++] = xstrdup(question);
}

void
diff_suppose_nothing(struct diff *d)
{
	for (size_t i = 0; i < d->nsupposed; i++)
		free(d->supposed[i].name);
	free(d->supposed);
	d->supposed = NULL;
	d->nsupposed = 0;
}

static void
suppose(struct diff *d, const char *question)
{
	const char *name = strchr(question, '`') + 1;
	struct supposed *s;

	d->supposed = xrealloc(d->supposed, (d->nsupposed + 1) * sizeof(*s));
	s = &d->supposed[d->nsupposed++];
	s->name = xstrdup(name);
	s->name[strcspn(s->name, "'")] = '\0';
	s->side = strncmp(question, "the source", 10) == 0 ? 0 : 1;
}

/* Of the set what has the packet's addresses. */
static pfk_set
of_addresses(struct diff *d, pfk_set set, const struct pfk_exact_packet *p)
{
	unsigned bits = p->af == 6 ? 128 : 32;
	pfk_set from = pfk_set_network(d->exact, 0, p->af, p->src, bits);
	pfk_set to = pfk_set_network(d->exact, 1, p->af, p->dst, bits);
	pfk_set both = pfk_set_and(d->exact, from, to);
	pfk_set part = pfk_set_and(d->exact, set, both);

	pfk_set_free(d->exact, from);
	pfk_set_free(d->exact, to);
	pfk_set_free(d->exact, both);
	return part;
}

/* Each question is answered with no, if that is possible. */
static void
suppose_needed(struct diff *d, pfk_set set, const struct pfk_exact_packet *p)
{
	struct questions q = { NULL, 0 };
	pfk_set part = of_addresses(d, set, p), rest;

	pfk_set_questions(d->exact, part, keep_question, &q);
	for (size_t i = 0; i < q.n; i++) {
		rest = pfk_set_unless(d->exact, part, is_same, q.v[i]);
		if (rest == PFK_SET_NONE)
			suppose(d, q.v[i]);
		else {
			pfk_set_free(d->exact, part);
			part = pfk_set_copy(d->exact, rest);
		}
		pfk_set_free(d->exact, rest);
		free(q.v[i]);
	}
	pfk_set_free(d->exact, part);
	free(q.v);
}

bool
diff_example(struct diff *d, pfk_set set, struct pfk_exact_packet *p)
{
	pfk_set plain = pfk_set_unless(d->exact, set, is_about_table, NULL);
	bool found = pfk_exact_example(d->exact, plain, p);

	diff_suppose_nothing(d);
	pfk_set_free(d->exact, plain);
	if (found)
		return true;
	if (!pfk_exact_example(d->exact, set, p))
		return false;
	suppose_needed(d, set, p);
	return true;
}

/* Every table of the name, whatever anchor it is in. */
static void
fill_tables(const struct diff *d, struct pfk_engine *e,
    const struct pfk_exact_packet *p)
{
	struct pfk_table_entry x = { .af = p->af,
	    .bits = p->af == 6 ? 128 : 32 };
	struct pfk_table_info info;

	for (size_t i = 0; i < d->nsupposed; i++) {
		memcpy(x.addr, d->supposed[i].side == 0 ? p->src : p->dst,
		    sizeof(x.addr));
		for (size_t t = 0; t < pfk_engine_tables(e); t++) {
			pfk_engine_table(e, t, &info);
			if (strcmp(info.name, d->supposed[i].name) == 0)
				(void)pfk_engine_table_add(e, t, &x);
		}
	}
}

/* ---- through the rules ---- */

static const unsigned short_kinds = 1u << PFK_EXPLAIN_HEADERS |
    1u << PFK_EXPLAIN_RULES | 1u << PFK_EXPLAIN_MATCHES |
    1u << PFK_EXPLAIN_ENTER;

/* The lines, behind the name of the ruleset. */
static void
indent(struct out *out, struct out *memory, unsigned which)
{
	const char *before = which == OLD ? "      old  " : "      new  ";
	size_t len;
	const char *text = out_collected(memory, &len), *end;

	for (; len > 0; len -= (size_t)(end - text), text = end) {
		end = memchr(text, '\n', len);
		end = end == NULL ? text + len : end + 1;
		out_str(out, before);
		out_bytes(out, text, (size_t)(end - text));
		before = "           ";
	}
}

void
diff_trace(struct diff *d, unsigned which, const struct pfk_exact_packet *p)
{
	struct trace_options o = { .json = d->o->json, .every = true };
	struct trace t = { .o = &o, .image = d->image[which],
	    .host = d->host[which], .out = out_memory(),
	    .quotes = quotes_new(), .show = d->o->json ? trace_json_object :
	    d->o->trace ? trace_text : trace_short };
	struct pfk_exact_packet here = *p;
	struct packet k;

	o.ruleset.seed = d->o->ruleset.seed;
	here.ifname = name_on(d, which, p->ifname);
	packet_of_set(&k, &here);
	trace_engine(&t);
	fill_tables(d, t.engine, p);
	steps_start(&t);
	if (!d->o->trace)
		pfk_explain_only(t.engine, short_kinds);
	trace_packet(&t, &k, k.dir, 1);
	if (d->o->json)
		out_copy(d->out, t.out, 0, out_length(t.out));
	else
		indent(d->out, t.out, which);
	(void)out_close(t.out);
	steps_free(&t);
	quotes_free(t.quotes);
	pfk_engine_free(t.engine);
}
