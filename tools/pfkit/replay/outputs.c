/*
 * Which outputs a replay has, and the engine's answers to each of them.
 *
 * Files are opened before the first packet, so that a wrong name is told at
 * once, in the order of the table below.  What is shown at the end only has
 * no hooks but end().
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "replay.h"

static const struct {
	struct output *(*make)(void);	/* NULL: only end */
	void	(*end)(struct output *);
} kinds[NOUTPUTS] = {
	[OUTPUT_VERDICTS] =	 { verdicts_new, NULL },
	[OUTPUT_JSON] =		 { json_new, NULL },
	[OUTPUT_WRITE] =	 { write_passed_new, NULL },
	[OUTPUT_WRITE_BLOCKED] = { write_blocked_new, NULL },
	[OUTPUT_WRITE_REPLIES] = { write_replies_new, NULL },
	[OUTPUT_COVER] =	 { cover_out_new, NULL },
	[OUTPUT_PFLOG] =	 { pflog_new, NULL },
	[OUTPUT_STATES] =	 { NULL, show_states },
	[OUTPUT_LABELS] =	 { NULL, show_labels },
	[OUTPUT_RULES] =	 { NULL, show_rules },
	[OUTPUT_INFO] =		 { NULL, show_info },
	[OUTPUT_TABLES] =	 { NULL, show_tables },
	[OUTPUT_SOURCES] =	 { NULL, show_sources },
	[OUTPUT_STATE_OUT] =	 { NULL, save_state }
};

static void
add(struct replay *r, struct output *(*make)(void),
    void (*end)(struct output *), const char *path)
{
	struct output *o = make != NULL ? make() : xcalloc(1, sizeof(*o));

	if (strcmp(path, "-") != 0 && inputs_have(r->inputs, path))
		fatal("%s: would be overwritten, and is read from", path);
	o->make = make;
	if (end != NULL)
		o->end = end;
	o->replay = r;
	o->out = out_open(path);
	r->outputs[r->noutputs++] = o;
	if (o->start != NULL)
		o->start(o);
}

void
outputs_open(struct replay *r)
{
	for (int i = 0; i < NOUTPUTS; i++)
		if (r->o->outputs[i] != NULL)
			add(r, kinds[i].make, kinds[i].end,
			    r->o->outputs[i]);
	if (r->o->verbose > 0)
		add(r, lines_new, NULL, "-");
	if (!r->o->quiet)
		add(r, summary_new, NULL, "-");
}

static void
pass_decision(void *arg, const struct pfk_decision *d)
{
	struct replay *r = arg;

	if (r->to.ctx != NULL) {
		r->to.decision(r->to.ctx, d);
		return;
	}
	for (unsigned i = 0; i < r->noutputs; i++)
		if (r->outputs[i]->decision != NULL)
			r->outputs[i]->decision(r->outputs[i], d);
}

static void
pass_log(void *arg, const struct pfk_log *l)
{
	struct replay *r = arg;

	if (r->to.ctx != NULL) {
		r->to.log(r->to.ctx, l);
		return;
	}
	for (unsigned i = 0; i < r->noutputs; i++)
		if (r->outputs[i]->log != NULL)
			r->outputs[i]->log(r->outputs[i], l);
}

static void
pass_debug(void *arg, int level, const char *text)
{
	(void)arg;
	(void)level;
	fprintf(stderr, "%s\n", text);
}

static bool
wants_decisions(const struct replay *r)
{
	for (int i = OUTPUT_VERDICTS; i <= OUTPUT_COVER; i++)
		if (r->o->outputs[i] != NULL)
			return true;
	return r->o->verbose > 0 || !r->o->quiet;
}

void
outputs_sink(struct replay *r, struct pfk_sink *sink)
{
	sink->ctx = r;
	/* decisions that nobody asks for are not put together */
	sink->decision = wants_decisions(r) ? pass_decision : NULL;
	sink->log = r->o->outputs[OUTPUT_PFLOG] != NULL ? pass_log : NULL;
	sink->debug = pass_debug;
}

/* Someone reads along. */
void
outputs_flush_terminals(struct replay *r)
{
	for (unsigned i = 0; i < r->noutputs; i++)
		if (out_is_terminal(r->outputs[i]->out))
			out_flush(r->outputs[i]->out);
}

int
outputs_close(struct replay *r)
{
	int status = 0;

	for (unsigned i = 0; i < r->noutputs; i++) {
		struct output *o = r->outputs[i];

		if (o->end != NULL)
			o->end(o);
		status |= out_close(o->out);
		free(o);
	}
	r->noutputs = 0;
	return status;
}
