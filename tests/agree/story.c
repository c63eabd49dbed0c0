/*
 * What happens to a ruleset's engines: rounds of packets, and between some of
 * them something else.
 *
 * A round's packets go to the slow engine one by one, to the others in bursts
 * of 1 to 64, cut elsewhere for each.
 */
#include <string.h>

#include "runtime/image.h"
#include "tests/agree/agree.h"

#define ROUND	192
#define BURST	64

struct story {
	const struct tale *tale;
	struct random	 r;
	struct corners	 c;
	struct trio	 t;
	uint64_t	 time, number;
	unsigned	 loaded;	/* times that an anchor's rules were
					   replaced */
	struct pfk_packet packets[ROUND];
	uint8_t		 frames[ROUND][FRAME_MAX];
};

/* ---- packets ---- */

/* Mostly some at a time, now and then long after the others. */
static void
let_pass(struct story *s)
{
	uint64_t ms = 1000000;

	if (once_in(&s->r, 400))
		s->time += ms * 1000 * random_below(&s->r, 120);
	else if (once_in(&s->r, 20))
		s->time += ms * random_below(&s->r, 1500);
	else
		s->time += random_below(&s->r, 50000);
}

static void
draw(struct story *s, size_t n)
{
	struct brief b;

	for (size_t i = 0; i < n; i++) {
		struct pfk_packet *p = &s->packets[i];
		size_t len;

		corners_draw(&s->c, &b);
		let_pass(s);
		len = frame_build(&b, s->frames[i]);
		*p = (struct pfk_packet){ .time = s->time, .data =
		    s->frames[i], .caplen = (uint32_t)len, .wirelen =
		    (uint32_t)len + b.cut, .linktype = frame_linktype(&b),
		    .ifid = b.ifid, .dir = b.dir, .number = ++s->number };
	}
}

static void
run(struct story *s, enum way w, size_t n)
{
	size_t most = w == WAY_SLOW ? 1 : once_in(&s->r, 4) ? 1 +
	    random_below(&s->r, 4) : BURST, some;

	for (size_t i = 0; i < n; i += some) {
		some = 1 + random_below(&s->r, (uint32_t)most);
		if (some > n - i)
			some = n - i;
		pfk_engine_run(s->t.way[w].e, s->packets + i, some);
	}
}

static void
round_of(struct story *s, size_t n)
{
	draw(s, n);
	for (enum way w = 0; w < WAYS; w++)
		run(s, w, n);
}

/* ---- what else happens ---- */

static void
draw_entry(struct story *s, struct pfk_table_entry *e)
{
	memset(e, 0, sizeof(*e));
	e->af = once_in(&s->r, 3) ? 6 : 4;
	corners_addr(&s->c, e->af, e->addr);
	e->bits = e->af == 4 ? 32 : 128;
	if (once_in(&s->r, 2))
		e->bits = (uint8_t)(e->bits - random_below(&s->r, e->af == 4 ?
		    25 : 80));
	for (unsigned i = e->bits; i < 128; i++)
		e->addr[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	e->neg = once_in(&s->r, 6);
}

static bool
kept(void *ctx, const struct pfk_table_entry *e)
{
	*(struct pfk_table_entry *)ctx = *e;
	return false;
}

static void
change_table(struct story *s)
{
	size_t n = pfk_engine_tables(s->t.way[0].e), table;
	struct pfk_table_entry e;
	unsigned how = random_below(&s->r, 8);

	if (n == 0)
		return;
	table = random_below(&s->r, (uint32_t)n);
	draw_entry(s, &e);
	if (how >= 5)		/* one that is there */
		pfk_engine_table_entries(s->t.way[0].e, table, kept, &e);
	for (enum way w = 0; w < WAYS; w++)
		if (how == 0)
			pfk_engine_table_flush(s->t.way[w].e, table);
		else if (how < 5)
			(void)pfk_engine_table_add(s->t.way[w].e, table, &e);
		else
			(void)pfk_engine_table_delete(s->t.way[w].e, table,
			    &e);
}

static void
kill_states(struct story *s)
{
	struct pfk_net net = { .af = once_in(&s->r, 3) ? 6 : 4 };

	corners_addr(&s->c, net.af, net.addr);
	net.bits = (uint8_t)(8 + random_below(&s->r, 25));
	for (enum way w = 0; w < WAYS; w++)
		(void)pfk_engine_kill_states(s->t.way[w].e, &net, NULL, NULL,
		    NULL);
}

static void
advance(struct story *s)
{
	s->time += (uint64_t)1000000000 * random_below(&s->r, 200);
	for (enum way w = 0; w < WAYS; w++)
		pfk_engine_advance(s->t.way[w].e, s->time);
}

/* Another ruleset in place of some anchor's; few times. */
static void
load_anchor(struct story *s)
{
	const struct tale *t = s->tale;
	const char *path;

	if (s->loaded == 4 || t->other == NULL || t->plain->nanchors < 2)
		return;
	s->loaded++;
	path = image_string(t->plain, t->plain->anchors[1 + random_below(
	    &s->r, t->plain->nanchors - 1)].path);
	for (enum way w = 0; w < WAYS; w++)
		if (pfk_engine_load_anchor(s->t.way[w].e, path,
		    w == WAY_FAST ? t->other_fast : t->other) != PFK_OK)
			die("no memory for an anchor's rules");
}

static void
something_else(struct story *s)
{
	switch (random_below(&s->r, 12)) {
	case 0: case 1: case 2: case 3:
		for (unsigned n = 1 + random_below(&s->r, 6); n > 0; n--)
			change_table(s);
		break;
	case 4:
		kill_states(s);
		break;
	case 5:
		advance(s);
		break;
	case 6:
		for (enum way w = 0; w < WAYS; w++)
			pfk_engine_flush_src_nodes(s->t.way[w].e);
		break;
	case 7: case 8:
		load_anchor(s);
		break;
	default:
		/* what was loaded is no part of what is saved */
		if (s->loaded == 0)
			trio_renew(&s->t);
		break;
	}
}

static bool
rounds(struct story *s)
{
	while (s->number < s->tale->packets) {
		uint64_t left = s->tale->packets - s->number;
		size_t n = 1 + random_below(&s->r, ROUND);

		round_of(s, n < left ? n : (size_t)left);
		if (!trio_said_the_same(&s->t) ||
		    (once_in(&s->r, 10) && !trio_keep_the_same(&s->t)))
			return false;
		if (once_in(&s->r, 12))
			something_else(s);
	}
	return trio_keep_the_same(&s->t);
}

bool
story_tell(const struct tale *tale)
{
	static struct story s;
	bool same;

	memset(&s, 0, offsetof(struct story, packets));
	s.tale = tale;
	random_seed(&s.r, tale->seed);
	s.time = UINT64_C(1700000000000000000);
	corners_init(&s.c, tale->plain, tale->host, &s.r);
	s.t = (struct trio){ .plain = tale->plain, .fast = tale->fast,
	    .host = tale->host, .c = &s.c, .seed = tale->seed,
	    .tally = tale->tally,
	    .debug = once_in(&s.r, 10) ? 7 : -1,
	    .long_way = once_in(&s.r, 10) };
	trio_init(&s.t);
	same = rounds(&s);
	trio_free(&s.t);
	return same;
}
