/*
 * See lanes.h.
 *
 * Each output of the replay that follows decisions has a twin in each lane.
 * What a twin writes about a packet is a piece of its text; pieces are put
 * together by the packets' numbers.  Twins that add up (the summary) are added
 * when the lanes are joined.
 *
 * Ids of states may be provisional when they are written: their places in the
 * text are noted, and filled in when the texts are put together.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lanes.h"

#define MAX_TOLD	10	/* reasons for one engine */

/* What was written about one packet ends here. */
struct piece { uint64_t number; size_t end; };

struct text {
	struct out	*out;
	struct piece	*pieces;
	size_t		 n, size;
};

struct lane_text {
	struct text	 of[NOUTPUTS + 2];	/* by output */
	uint64_t	*made;			/* ids of new states */
	size_t		 nmade, made_size;
};

struct lane {
	struct replay	 view;			/* its engine and twins */
	struct lane_text *text;			/* being written */
};

struct lanes {
	struct replay	*replay;
	unsigned	 n;
	struct lane	*lane;
	struct pfk_engine *engines[PFK_SHARDS_MAX];
	struct pfk_shards *shards;
	bool		 ids;			/* someone shows them */
	struct pfk_packet first;		/* of the replay; no bytes */
	/* states made since the ids were final, in order */
	uint64_t	*made, next_id;
	size_t		 nmade, made_size;
};

/* ---- texts ---- */

struct lane_text *
lane_text_new(void)
{
	return xcalloc(1, sizeof(struct lane_text));
}

void
lane_text_free(struct lane_text *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < NOUTPUTS + 2; i++) {
		(void)out_close(t->of[i].out);
		free(t->of[i].pieces);
	}
	free(t->made);
	free(t);
}

static struct text *
text_of(struct lane_text *t, unsigned output)
{
	struct text *x = &t->of[output];

	if (x->out == NULL)
		x->out = out_memory();
	return x;
}

/* What has been written since the last piece is about the packet. */
static void
note_piece(struct text *t, uint64_t number)
{
	size_t end = out_length(t->out);
	struct piece *last = t->n > 0 ? &t->pieces[t->n - 1] : NULL;

	if (last != NULL && last->number == number) {
		last->end = end;
		return;
	}
	if (end == (last != NULL ? last->end : 0))
		return;
	if (t->n == t->size) {
		t->size = t->size == 0 ? 256 : t->size * 2;
		t->pieces = xrealloc(t->pieces, t->size * sizeof(*t->pieces));
	}
	t->pieces[t->n++] = (struct piece){ number, end };
}

/* ---- what an engine says ---- */

static void
lane_decision(void *arg, const struct pfk_decision *d)
{
	struct lane *l = arg;

	for (unsigned i = 0; i < l->view.noutputs; i++) {
		struct output *o = l->view.outputs[i];

		if (o == NULL || o->decision == NULL)
			continue;
		o->decision(o, d);
		note_piece(&l->text->of[i], d->number);
	}
}

static void
lane_log(void *arg, const struct pfk_log *g)
{
	struct lane *l = arg;

	for (unsigned i = 0; i < l->view.noutputs; i++) {
		struct output *o = l->view.outputs[i];

		if (o == NULL || o->log == NULL)
			continue;
		o->log(o, g);
		note_piece(&l->text->of[i], g->number);
	}
}

static void
note_made(struct lanes *s, unsigned lane, struct lane_text *t)
{
	size_t n;

	for (;;) {
		if (t->nmade == t->made_size) {
			t->made_size = t->made_size == 0 ? 256 :
			    t->made_size * 2;
			t->made = xrealloc(t->made,
			    t->made_size * sizeof(*t->made));
		}
		n = pfk_shards_made(s->shards, lane, t->made + t->nmade,
		    t->made_size - t->nmade);
		t->nmade += n;
		if (t->nmade < t->made_size)
			return;
	}
}

void
lane_run(struct lanes *s, unsigned lane, const struct pfk_packet *p, size_t n,
    struct lane_text *t)
{
	struct lane *l = &s->lane[lane];

	l->text = t;
	for (unsigned i = 0; i < l->view.noutputs; i++)
		if (l->view.outputs[i] != NULL)
			l->view.outputs[i]->out = text_of(t, i)->out;
	replay_decide(&l->view, p, n);
	if (s->ids)
		note_made(s, lane, t);
}

/* ---- putting texts together ---- */

/* The lanes' lists of new states become one, behind those before. */
static void
collect_made(struct lanes *s, struct lane_text *const *t)
{
	size_t at[PFK_SHARDS_MAX] = { 0 }, total = s->nmade;

	for (unsigned k = 0; k < s->n; k++)
		total += t[k]->nmade;
	if (total > s->made_size) {
		s->made_size = total * 2;
		s->made = xrealloc(s->made, s->made_size * sizeof(*s->made));
	}
	while (s->nmade < total) {
		unsigned least = s->n;

		for (unsigned k = 0; k < s->n; k++)
			if (at[k] < t[k]->nmade && (least == s->n ||
			    t[k]->made[at[k]] < t[least]->made[at[least]]))
				least = k;
		s->made[s->nmade++] = t[least]->made[at[least]++];
	}
	for (unsigned k = 0; k < s->n; k++)
		t[k]->nmade = 0;
}

static int
by_id(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t
final_id(void *arg, uint64_t id)
{
	const struct lanes *s = arg;
	const uint64_t *found = s->nmade == 0 ? NULL :
	    bsearch(&id, s->made, s->nmade, sizeof(id), by_id);

	return found == NULL ? id : s->next_id + (uint64_t)(found - s->made);
}

static void
write_output(struct lanes *s, unsigned output, struct lane_text *const *t)
{
	struct output *o = s->replay->outputs[output];
	size_t at[PFK_SHARDS_MAX] = { 0 }, from;

	for (;;) {
		struct text *best = NULL, *x;
		unsigned k, lane = 0;

		for (k = 0; k < s->n; k++) {
			x = &t[k]->of[output];
			if (at[k] < x->n && (best == NULL ||
			    x->pieces[at[k]].number <
			    best->pieces[at[lane]].number)) {
				best = x;
				lane = k;
			}
		}
		if (best == NULL)
			return;
		if (o->header != NULL)
			o->header(o, s->first.linktype, true);
		from = at[lane] == 0 ? 0 : best->pieces[at[lane] - 1].end;
		out_copy(o->out, best->out, from,
		    best->pieces[at[lane]++].end - from);
	}
}

void
lanes_write(struct lanes *s, struct lane_text *const *t, bool fresh,
    uint64_t next_id)
{
	if (fresh) {
		s->nmade = 0;
		s->next_id = next_id;
	}
	if (s->ids)
		collect_made(s, t);
	for (unsigned i = 0; i < s->replay->noutputs; i++) {
		if (s->lane[0].view.outputs[i] == NULL)
			continue;
		for (unsigned k = 0; s->ids && k < s->n; k++)
			if (t[k]->of[i].out != NULL)
				out_mend(t[k]->of[i].out, final_id, s);
		write_output(s, i, t);
		for (unsigned k = 0; k < s->n; k++) {
			t[k]->of[i].n = 0;
			if (t[k]->of[i].out != NULL)
				out_empty(t[k]->of[i].out);
		}
	}
}

/* ---- made and joined ---- */

/* What of the command line needs the packets in order. */
static const char *
forbidden_output(const struct replay_options *o)
{
	if (o->state_in != NULL)
		return "--state-in";
	if (o->outputs[OUTPUT_STATE_OUT] != NULL)
		return "--state-out: chance goes on";
	if (o->outputs[OUTPUT_WRITE_REPLIES] != NULL)
		return "--write-replies: ids of packets are random";
	if (o->outputs[OUTPUT_COVER] != NULL)
		return "--cover-out";
	return NULL;
}

static void
tell_why(const struct replay *r, const char *what, uint32_t rule)
{
	char text[256] = "";

	if (r->o->verbose == 0)
		return;
	if (rule != PFK_RULE_NONE)
		(void)pfk_engine_rule_text(r->engine, rule, text,
		    sizeof(text));
	warning("-j: one engine decides about all packets, in order: %s%s%s%s",
	    what, *text != '\0' ? " (" : "", text, *text != '\0' ? ")" : "");
}

bool
lanes_forbidden(const struct replay *r)
{
	const char *what = forbidden_output(r->o);
	uint32_t rule;
	size_t next = 0, n = 0;

	if (what != NULL) {
		tell_why(r, what, PFK_RULE_NONE);
		n++;
	}
	while ((what = pfk_engine_shared(r->engine, &next, &rule)) != NULL) {
		if (n++ < MAX_TOLD)
			tell_why(r, what, rule);
	}
	if (n > MAX_TOLD && r->o->verbose > 0)
		warning("-j: and %zu more", n - MAX_TOLD);
	return n > 0;
}

static void
lane_init(struct lanes *s, unsigned k)
{
	struct lane *l = &s->lane[k];
	struct replay *r = s->replay;
	struct pfk_sink sink;

	l->view = *r;
	if (k > 0) {
		outputs_sink(r, &sink);
		sink.ctx = l;
		if (sink.decision != NULL)
			sink.decision = lane_decision;
		if (sink.log != NULL)
			sink.log = lane_log;
		l->view.engine = replay_engine(r, &sink);
	}
	s->engines[k] = l->view.engine;
	for (unsigned i = 0; i < r->noutputs; i++) {
		struct output *o = NULL;

		if (r->outputs[i]->make != NULL) {
			o = r->outputs[i]->make();
			o->replay = &l->view;
		}
		l->view.outputs[i] = o;
	}
}

struct lanes *
lanes_new(struct replay *r, unsigned n)
{
	struct lanes *s = xcalloc(1, sizeof(*s));

	s->replay = r;
	s->n = n;
	s->lane = xcalloc(n, sizeof(*s->lane));
	s->ids = r->o->outputs[OUTPUT_JSON] != NULL;
	for (unsigned k = 0; k < n; k++)
		lane_init(s, k);
	r->to = (struct pfk_sink){ .ctx = &s->lane[0],
	    .decision = lane_decision, .log = lane_log };
	if (pfk_shards_new(s->engines, n, &s->shards) != PFK_OK)
		fatal("%s", pfk_strerror(PFK_ERR_NOMEM));
	s->next_id = pfk_shards_next_id(s->shards);
	return s;
}

static void
lane_end(struct lanes *s, unsigned k)
{
	struct lane *l = &s->lane[k];

	for (unsigned i = 0; i < s->replay->noutputs; i++)
		free(l->view.outputs[i]);
	if (k > 0)
		pfk_engine_free(l->view.engine);
}

void
lanes_free(struct lanes *s)
{
	if (s == NULL)
		return;
	pfk_shards_free(s->shards);
	for (unsigned k = 0; k < s->n; k++)
		lane_end(s, k);
	free(s->lane);
	free(s->made);
	free(s);
}

struct pfk_engine *const *
lanes_engines(const struct lanes *s)
{
	return s->engines;
}

void
lanes_begin(struct lanes *s, const struct pfk_packet *first)
{
	s->first = *first;
	s->first.data = NULL;
	s->first.caplen = 0;
	for (unsigned k = 0; k < s->n; k++)
		for (unsigned i = 0; i < s->replay->noutputs; i++) {
			struct output *o = s->lane[k].view.outputs[i];

			if (o != NULL && o->first != NULL)
				o->first(o, first);
			if (o != NULL && o->header != NULL)
				o->header(o, first->linktype, false);
		}
	for (unsigned i = 0; i < s->replay->noutputs; i++)
		if (s->replay->outputs[i]->first != NULL)
			s->replay->outputs[i]->first(s->replay->outputs[i],
			    first);
}

/* A file that is written has one link type: what others are to it is told in
 * the order of the packets. */
size_t
lanes_deal(const struct lanes *s, const struct pfk_packet *p, size_t n,
    uint8_t *lane)
{
	size_t same = 0;

	while (same < n && p[same].linktype == s->first.linktype)
		same++;
	return pfk_shards_deal(s->shards, p, same, lane);
}

const char *
lanes_why(const struct lanes *s, const struct pfk_packet *p)
{
	return p->linktype != s->first.linktype ? "another link type" :
	    "a fragment that tells too little of its packet";
}

void
lanes_advance(struct lanes *s, uint64_t time)
{
	pfk_shards_advance(s->shards, time);
}

size_t
lanes_room(const struct lanes *s)
{
	return pfk_shards_room(s->shards);
}

size_t
lanes_fragments(const struct lanes *s)
{
	return pfk_shards_fragments(s->shards);
}

uint64_t
lanes_next_id(const struct lanes *s)
{
	return pfk_shards_next_id(s->shards);
}

void
lanes_join(struct lanes *s)
{
	struct replay *r = s->replay;

	if (pfk_shards_merge(s->shards) != PFK_OK)
		fatal("%s", pfk_strerror(PFK_ERR_NOMEM));
	r->to.ctx = NULL;
	for (unsigned i = 0; i < r->noutputs; i++) {
		struct output *o = r->outputs[i];

		for (unsigned k = 0; o->add != NULL && k < s->n; k++)
			o->add(o, s->lane[k].view.outputs[i]);
	}
	for (unsigned k = 0; k < s->n; k++)
		r->failed |= s->lane[k].view.failed;
}
