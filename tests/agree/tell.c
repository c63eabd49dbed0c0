/*
 * Where two engines differ, in words: for who has to find the cause.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/agree/agree.h"

#define MOST	8		/* differences of a kind that are told */

static void
tell_flow(const char *what, const struct said_flow *f)
{
	char a[2][INET6_ADDRSTRLEN] = { "-", "-" };

	if (f->af != 0)
		for (unsigned i = 0; i < 2; i++)
			(void)inet_ntop(f->af == 4 ? AF_INET : AF_INET6,
			    f->addr[i], a[i], sizeof(a[i]));
	fprintf(stderr, " %s: proto %u %s:%u > %s:%u", what, f->proto, a[0],
	    ntohs(f->port[0]), a[1], ntohs(f->port[1]));
}

static void
tell_rule(const struct trio *t, const char *what, uint32_t rule)
{
	struct pfk_rule_info info;

	fprintf(stderr, " %s ", what);
	if (rule == PFK_RULE_DEFAULT)
		fprintf(stderr, "default");
	else if (rule == PFK_RULE_NONE ||
	    rule >= pfk_engine_rules(t->way[WAY_SLOW].e))
		fprintf(stderr, "none");
	else {
		pfk_engine_rule(t->way[WAY_SLOW].e, rule, &info);
		fprintf(stderr, "%u \"%s\"", rule, info.text);
	}
}

static void
tell_one(const struct trio *t, enum way w, const struct said *s)
{
	static const char *const what[] = { "decision", "log", "debug" };

	fprintf(stderr, "  %-5s ", way_names[w]);
	if (s == NULL) {
		fprintf(stderr, "nothing\n");
		return;
	}
	fprintf(stderr, "%s of packet %llu%s %s %s: verdict %s/%u reason %s",
	    what[s->what], (unsigned long long)s->number,
	    s->second ? "+" : "", s->dir == PFK_IN ? "in" : "out",
	    t->c->nifaces > s->ifid ? t->c->ifnames[s->ifid] : "?",
	    pfk_verdict_name((enum pfk_verdict)s->verdict), s->action,
	    pfk_reason_name((enum pfk_reason)s->reason));
	tell_rule(t, "rule", s->rule);
	if (s->what == SAID_LOG)
		tell_rule(t, "subrule", s->subrule);
	fprintf(stderr, " state %u id %llx changed %x", s->state,
	    (unsigned long long)s->state_id, s->changed);
	tell_flow("before", &s->before);
	tell_flow("after", &s->after);
	fprintf(stderr, " ttl %u tos %u df %u mss %u log %u replies %u "
	    "len %u bytes %llx time %llu\n", s->ttl, s->tos, s->df, s->mss,
	    s->logif, s->nreplies, s->len, (unsigned long long)s->bytes,
	    (unsigned long long)s->time);
}

void
tell_said(const struct trio *t, enum way w, const struct said *a,
    const struct said *b)
{
	fprintf(stderr, "%s says something else:\n", way_names[w]);
	tell_one(t, WAY_SLOW, a);
	tell_one(t, w, b);
}

/* ---- what they keep ---- */

static void
tell_counters(const char *way, const struct pfk_rule_counters *n)
{
	fprintf(stderr, "    %-5s evaluations %llu packets %llu %llu bytes "
	    "%llu %llu states %u of %llu nodes %u%s\n", way,
	    (unsigned long long)n->evaluations,
	    (unsigned long long)n->packets[0],
	    (unsigned long long)n->packets[1],
	    (unsigned long long)n->bytes[0], (unsigned long long)n->bytes[1],
	    n->states, (unsigned long long)n->states_total, n->source_nodes,
	    n->expired ? " expired" : "");
}

static bool
same_counters(const struct pfk_rule_counters *a,
    const struct pfk_rule_counters *b)
{
	return a->evaluations == b->evaluations &&
	    memcmp(a->packets, b->packets, sizeof(a->packets)) == 0 &&
	    memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0 &&
	    a->states_total == b->states_total && a->states == b->states &&
	    a->source_nodes == b->source_nodes && a->expired == b->expired;
}

static unsigned
tell_rules(const struct trio *t, enum way w)
{
	const struct pfk_engine *e[2] = { t->way[WAY_SLOW].e, t->way[w].e };
	size_t n = pfk_engine_rules(e[0]);
	unsigned told = 0;

	for (size_t i = 0; i < n && told < MOST; i++) {
		struct pfk_rule_counters c[2];
		struct pfk_rule_info info;

		for (unsigned k = 0; k < 2; k++)
			pfk_engine_rule_counters(e[k], (uint32_t)i, &c[k]);
		if (same_counters(&c[0], &c[1]))
			continue;
		pfk_engine_rule(e[0], i, &info);
		fprintf(stderr, "  rule %zu (%s/%u) \"%s\"\n", i, info.anchor ==
		    NULL ? "" : info.anchor, info.nr, info.text);
		tell_counters(way_names[WAY_SLOW], &c[0]);
		tell_counters(way_names[w], &c[1]);
		told++;
	}
	return told;
}

static unsigned
tell_tables(const struct trio *t, enum way w)
{
	unsigned told = 0;

	for (size_t i = 0; i < pfk_engine_tables(t->way[w].e); i++) {
		struct pfk_table_info a, b;

		pfk_engine_table(t->way[WAY_SLOW].e, i, &a);
		pfk_engine_table(t->way[w].e, i, &b);
		if (a.match == b.match && a.nomatch == b.nomatch &&
		    a.naddrs == b.naddrs && memcmp(a.packets, b.packets,
		    sizeof(a.packets)) == 0 && memcmp(a.bytes, b.bytes,
		    sizeof(a.bytes)) == 0)
			continue;
		fprintf(stderr, "  table <%s>: match %llu, %llu; no match "
		    "%llu, %llu; addresses %zu, %zu\n", a.name,
		    (unsigned long long)a.match, (unsigned long long)b.match,
		    (unsigned long long)a.nomatch,
		    (unsigned long long)b.nomatch, a.naddrs, b.naddrs);
		told++;
	}
	return told;
}

struct first_states { struct pfk_state v[2000]; size_t n; };

static bool
keep_state(void *ctx, const struct pfk_state *s)
{
	struct first_states *k = ctx;

	k->v[k->n++] = *s;
	return k->n < sizeof(k->v) / sizeof(k->v[0]);
}

static void
tell_state(const char *way, const struct pfk_state *s)
{
	fprintf(stderr, "    %-5s id %llx proto %u rule %u anchor %u timeout "
	    "%u expires %u packets %llu %llu peers %u %u seq %u %u flags %x "
	    "tos %u ttl %u mss %u\n", way, (unsigned long long)s->id,
	    s->proto, s->rule, s->anchor, s->timeout, s->expires,
	    (unsigned long long)s->packets[0],
	    (unsigned long long)s->packets[1], s->src.state, s->dst.state,
	    s->src.seqlo, s->dst.seqlo, s->flags, s->set_tos, s->min_ttl,
	    s->max_mss);
}

static bool
same_state(const struct pfk_state *a, const struct pfk_state *b)
{
	return a->id == b->id && a->rule == b->rule && a->anchor ==
	    b->anchor && a->timeout == b->timeout && a->expires ==
	    b->expires && a->flags == b->flags && memcmp(a->packets,
	    b->packets, sizeof(a->packets)) == 0 && memcmp(&a->src, &b->src,
	    sizeof(a->src)) == 0 && memcmp(&a->dst, &b->dst,
	    sizeof(a->dst)) == 0;
}

static unsigned
tell_states(const struct trio *t, enum way w)
{
	static struct first_states k[2];
	unsigned told = 0;

	k[0].n = k[1].n = 0;
	pfk_engine_states(t->way[WAY_SLOW].e, keep_state, &k[0]);
	pfk_engine_states(t->way[w].e, keep_state, &k[1]);
	if (k[0].n != k[1].n)
		fprintf(stderr, "  states: %zu, %zu\n", k[0].n, k[1].n);
	for (size_t i = 0; i < k[0].n && i < k[1].n && told < MOST; i++) {
		if (same_state(&k[0].v[i], &k[1].v[i]))
			continue;
		fprintf(stderr, "  state %zu\n", i);
		tell_state(way_names[WAY_SLOW], &k[0].v[i]);
		tell_state(way_names[w], &k[1].v[i]);
		told++;
	}
	return told;
}

/* The first byte that differs, and the marks of parts before it. */
static void
tell_place(const struct trio *t, enum way w)
{
	void *data[2];
	size_t len[2], at = 12;

	for (unsigned i = 0; i < 2; i++)
		if (pfk_engine_save(t->way[i == 0 ? WAY_SLOW : w].e, &data[i],
		    &len[i]) != PFK_OK)
			die("not saved");
	while (at < len[0] && at < len[1] && ((uint8_t *)data[0])[at] ==
	    ((uint8_t *)data[1])[at])
		at++;
	fprintf(stderr, "  what is saved differs at byte %zu of %zu, %zu; "
	    "parts before it:", at, len[0], len[1]);
	for (size_t i = 0; i + 4 <= at; i++) {
		static const char *const marks[] = { "srcn", "frag", "tscr",
		    "pool", "cook", "tabl", "stat", "rule", "ifct", "clck" };

		for (unsigned m = 0; m < sizeof(marks) / sizeof(*marks); m++)
			if (memcmp((char *)data[0] + i, marks[m], 4) == 0)
				fprintf(stderr, " %s@%zu", marks[m], i);
	}
	fprintf(stderr, "\n");
	pfk_engine_free_data(t->way[WAY_SLOW].e, data[0], len[0]);
	pfk_engine_free_data(t->way[w].e, data[1], len[1]);
}

void
tell_kept(const struct trio *t, enum way w)
{
	fprintf(stderr, "%s keeps something else:\n", way_names[w]);
	tell_rules(t, w);
	tell_tables(t, w);
	tell_states(t, w);
	tell_place(t, w);
}
