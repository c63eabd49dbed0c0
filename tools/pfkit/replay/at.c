/*
 * --at N:COMMAND: what an administrator does while packets flow.
 *
 *	table [ANCHOR:]NAME add|delete ADDR ...	as pfctl -t NAME -T add ...
 *	table [ANCHOR:]NAME flush
 *	load ANCHOR FILE			as pfctl -a ANCHOR -f FILE
 *	kill [SRC [DST]]			as pfctl -k SRC -k DST
 *	kill label LABEL
 *	flush states | sources			as pfctl -F
 *
 * Each command is a function that checks its words and then acts; without a
 * replay it only checks, so that what is wrong is told before the first
 * packet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "replay.h"

#define MAX_WORDS	64

struct words {
	const char	*command;	/* whole, for messages */
	char		*copy;
	char		*word[MAX_WORDS];
	int		 n;
};

static void __attribute__((__noreturn__))
wrong(const struct words *w, const char *what)
{
	fatal("--at: %s: %s", w->command, what);
}

static void
split(struct words *w, const char *command)
{
	char *next;

	w->command = command;
	w->copy = next = xstrdup(command);
	w->n = 0;
	for (;;) {
		next += strspn(next, " \t");
		if (*next == '\0')
			break;
		if (w->n == MAX_WORDS)
			wrong(w, "too many words");
		w->word[w->n++] = next;
		next += strcspn(next, " \t");
		if (*next != '\0')
			*next++ = '\0';
	}
}

static bool
is(const struct words *w, int i, const char *word)
{
	return i < w->n && strcmp(w->word[i], word) == 0;
}

static struct pfk_net
address(const struct words *w, int i)
{
	struct pfk_net net;

	if (!parse_net(w->word[i], &net))
		wrong(w, "not an address");
	return net;
}

static struct pfk_table_entry
entry(const struct words *w, int i)
{
	struct pfk_table_entry e;
	struct pfk_net net;
	bool neg = w->word[i][0] == '!';

	memset(&e, 0, sizeof(e));
	if (!parse_net(w->word[i] + neg, &net))
		wrong(w, "not an address");
	e.af = net.af;
	e.bits = net.bits;
	e.neg = neg;
	memcpy(e.addr, net.addr, sizeof(e.addr));
	return e;
}

static size_t
find_table(struct replay *r, const struct words *w, bool create)
{
	char *colon = strrchr(w->word[1], ':');
	long t;

	if (colon != NULL)
		*colon = '\0';
	t = pfk_engine_find_table(r->engine, colon != NULL ? w->word[1] : "",
	    colon != NULL ? colon + 1 : w->word[1], create);
	if (t < 0)
		wrong(w, create ? "out of memory" : "there is no such table");
	return (size_t)t;
}

static void
change_table(struct replay *r, const struct words *w, bool add)
{
	size_t t = find_table(r, w, add);

	for (int i = 3; i < w->n; i++) {
		struct pfk_table_entry e = entry(w, i);

		if ((add ? pfk_engine_table_add(r->engine, t, &e) :
		    pfk_engine_table_delete(r->engine, t, &e)) < 0)
			wrong(w, "out of memory");
	}
}

static void
table(struct replay *r, const struct words *w)
{
	bool add = is(w, 2, "add"), flush = is(w, 2, "flush");

	if (flush ? w->n != 3 : w->n < 4 || (!add && !is(w, 2, "delete")))
		wrong(w, "not table NAME add ADDR ..., delete ADDR ... or "
		    "flush");
	for (int i = 3; i < w->n; i++)
		(void)entry(w, i);
	if (r == NULL)
		return;
	if (flush)
		pfk_engine_table_flush(r->engine, find_table(r, w, false));
	else
		change_table(r, w, add);
}

static void
load(struct replay *r, const struct words *w)
{
	struct ruleset_options o;
	struct pfk_image *image;

	if (w->n != 3)
		wrong(w, "not load ANCHOR FILE");
	if (r == NULL)
		return;
	o = r->o->ruleset;
	o.compile.path = w->word[2];
	o.compile.anchor = NULL;
	image = ruleset_image(&o, r->host);
	if (image == NULL)
		wrong(w, "not loaded");
	r->loaded = xrealloc(r->loaded,
	    (r->nloaded + 1) * sizeof(struct pfk_image *));
	r->loaded[r->nloaded++] = image;
	if (pfk_engine_load_anchor(r->engine, w->word[1], image) != PFK_OK)
		wrong(w, "out of memory");
}

static void
kill_states(struct replay *r, const struct words *w)
{
	struct pfk_net src = { .af = 0 }, dst = src;
	const char *label = NULL;

	if (w->n > 3)
		wrong(w, "not kill [SRC [DST]] or kill label LABEL");
	if (is(w, 1, "label") && w->n == 3) {
		label = w->word[2];
	} else {
		if (w->n > 1)
			src = address(w, 1);
		if (w->n > 2)
			dst = address(w, 2);
	}
	if (r != NULL)
		pfk_engine_kill_states(r->engine, &src, &dst, NULL, label);
}

static void
flush(struct replay *r, const struct words *w)
{
	struct pfk_net any = { .af = 0 };
	bool states = is(w, 1, "states");

	if (w->n != 2 || (!states && !is(w, 1, "sources")))
		wrong(w, "not flush states or flush sources");
	if (r == NULL)
		return;
	if (states)
		pfk_engine_kill_states(r->engine, &any, &any, NULL, NULL);
	else
		pfk_engine_flush_src_nodes(r->engine);
}

static const struct {
	const char *name;
	void	(*run)(struct replay *, const struct words *);
} commands[] = {
	{ "table", table }, { "load", load }, { "kill", kill_states },
	{ "flush", flush }
};

void
at_run(struct replay *r, const char *command)
{
	struct words w;
	size_t i, n = sizeof(commands) / sizeof(commands[0]);

	split(&w, command);
	for (i = 0; i < n && !is(&w, 0, commands[i].name); i++)
		;
	if (i == n)
		wrong(&w, "no such command");
	commands[i].run(r, &w);
	free(w.copy);
}
