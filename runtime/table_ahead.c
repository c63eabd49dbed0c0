/*
 * Tables, asked ahead.
 *
 * A large table's index is not in the cache, and a packet that asks it waits
 * for memory once or twice.  The packets of a burst have their addresses long
 * before their rules are run: so all of their reads are begun together, and a
 * step later the table is asked about all of them, one after the other.  The
 * answers are a bit for each table and side, which strips take instead of
 * asking, unless a table has changed since (e->tables_known).  Nothing is
 * counted here: pf may never come to the rule.
 *
 * A table that hardly any packet comes to is left alone, but for a look now
 * and then at whether that is still so.
 */
#include <string.h>

#include "runtime/table.h"
#include "runtime/table_ahead.h"

#define SOME	1024u		/* packets that tell how often it is asked */
#define SELDOM	4u		/* one of so many is not worth it */

/* ---- who asks ---- */

static uint64_t
entries_of(const struct pfk_engine *e, uint32_t table)
{
	const struct table *t = &e->tables[table];

	return (uint64_t)t->naddrs[0] + t->naddrs[1];
}

/* A place for one more: if there is none, the smallest one's. */
static uint32_t
place_for(struct pfk_engine *e, uint32_t table)
{
	uint32_t least = 0;

	if (e->tables[table].place != 0)
		return e->tables[table].place - 1u;
	if (e->nasked < TABLES_ASKED)
		return e->nasked++;
	for (uint32_t i = 1; i < e->nasked; i++)
		if (entries_of(e, e->asked[i].table) <
		    entries_of(e, e->asked[least].table))
			least = i;
	return entries_of(e, table) > entries_of(e, e->asked[least].table) ?
	    least : TABLES_ASKED;
}

void
table_is_asked(struct pfk_engine *e, uint32_t table, int side)
{
	uint32_t n = e->nasked, i;

	if (table == IMG_NONE || (i = place_for(e, table)) == TABLES_ASKED)
		return;
	if (e->tables[table].place != i + 1) {
		if (i < n)
			e->tables[e->asked[i].table].place = 0;
		e->asked[i] = (struct table_asked){ .table = table,
		    .often = true };
		e->tables[table].place = (uint8_t)(i + 1);
	}
	e->asked[i].sides |= (uint8_t)(1u << side);
	tables_changed(e);
}

void
table_is_asked_by_strip(struct pfk_engine *e, uint32_t table)
{
	if (e->tables[table].place != 0)
		e->asked[e->tables[table].place - 1].by_strips = true;
}

/* ---- asking ---- */

static inline uint8_t
list(uint8_t *of, uint32_t packets)
{
	uint8_t n = 0;

	for (; packets != 0; packets &= packets - 1)
		of[n++] = (uint8_t)lowest_bit(packets);
	return n;
}

/* All of them, which are of one family: so it is most of the time. */
static inline bool
gather_all(struct tables_ahead *g, const struct lane_packet *l, size_t n)
{
	static const uint8_t all[LANE_GROUP] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	    10, 11, 12, 13, 14, 15 };
	uint32_t refs = 0;
	unsigned v6 = 0, none = 0;

	for (size_t i = 0; i < n; i++) {
		refs |= l[i].ref;
		v6 += l[i].v6;
		none += l[i].hdr == NULL;
	}
	if ((refs | none) != 0 || (v6 != 0 && v6 != n))
		return false;
	g->told = (1u << n) - 1;
	v6 = v6 != 0;
	g->n[v6] = (uint8_t)n;
	g->n[v6 ^ 1] = 0;
	memcpy(g->of[v6], all, sizeof(all));
	return true;
}

/* Packets without a state, by family. */
static void
gather(struct tables_ahead *g, const struct lane_packet *l, size_t n)
{
	uint32_t told = 0, v6 = 0;

	g->packets = n;
	if (gather_all(g, l, n))
		return;
	for (size_t i = 0; i < n; i++) {
		told |= (uint32_t)((l[i].hdr != NULL) & (l[i].ref == 0)) << i;
		v6 |= (uint32_t)l[i].v6 << i;
	}
	g->told = told;
	g->n[0] = list(g->of[0], told & ~v6);
	g->n[1] = list(g->of[1], told & v6);
}

static void
gather_keys(struct tables_ahead *g, const struct lane_packet *l, int side)
{
	struct prefix_keys *four = &g->key[0][side], *six = &g->key[1][side];

	for (unsigned k = 0; k < g->n[0]; k++) {
		four->hi[k] = (uint64_t)get32(l[g->of[0][k]].hdr - 8 +
		    4 * side) << 32;
		four->lo[k] = 0;
	}
	for (unsigned k = 0; k < g->n[1]; k++) {
		const uint8_t *a = l[g->of[1][k]].hdr - 32 + 16 * side;

		six->hi[k] = get64(a);
		six->lo[k] = get64(a + 8);
	}
}

/* Whether it was asked about enough of the packets since the last time. */
static void
judge(const struct pfk_engine *e, struct table_asked *a)
{
	const struct table *t = &e->tables[a->table];
	uint64_t asks = t->asks[false] + t->asks[true];

	a->often = (asks - a->asks) * SELDOM >= a->packets;
	a->asks = asks;
	a->packets = 0;
}

static void
find(const struct pfk_engine *e, uint32_t place, unsigned sides,
    struct tables_ahead *g)
{
	const struct table *t = sides == 0 ? NULL :
	    table_active(e, e->asked[place].table);

	for (unsigned side = 0; t != NULL && side < 2; side++)
		for (unsigned v6 = 0; v6 < 2; v6++)
			if (sides & 1u << side && g->n[v6] != 0)
				prefix_find_some(&t->tree[v6],
				    &g->key[v6][side], g->n[v6], v6 != 0,
				    &g->found[place].some[v6][side]);
}

/* A table has changed since: those that are asked. */
static void
find_again(const struct pfk_engine *e, struct tables_ahead *g)
{
	for (uint32_t i = 0; i < e->nasked; i++)
		find(e, i, g->asked >> 2 * i & 3u, g);
}

/* Which tables will be asked; their sides. */
static unsigned
choose(struct pfk_engine *e, struct tables_ahead *g)
{
	uint32_t asked = 0, sides = 0, n = g->n[0] + g->n[1];

	for (uint32_t i = 0; n != 0 && i < e->nasked; i++) {
		struct table_asked *a = &e->asked[i];

		if ((a->packets += n) >= SOME)
			judge(e, a);
		if (!a->often)
			continue;
		sides |= a->sides;
		if (a->by_strips)
			asked |= a->sides * TABLE_BIT(i, 0);
	}
	g->asked = (uint16_t)asked;
	return sides;
}

void
tables_look_ahead(struct pfk_engine *e, struct tables_ahead *g,
    const struct lane_packet *l, size_t n)
{
	unsigned sides;

	gather(g, l, n);
	sides = choose(e, g);
	for (int side = 0; side < 2; side++)
		if (sides & 1u << side)
			gather_keys(g, l, side);
	for (uint32_t i = 0; i < e->nasked; i++)
		find(e, i, e->asked[i].often ? e->asked[i].sides : 0, g);
	g->changes = e->tables_changes;
}

/* The packets of a family that the table has. */
static inline uint32_t
ask(const struct prefix_tree *t, const struct tables_ahead *g, uint32_t place,
    unsigned v6, unsigned side)
{
	uint32_t in, packets = 0;

	if (g->n[v6] == 0)
		return 0;
	in = prefix_contain_some(t, &g->key[v6][side], g->n[v6],
	    &g->found[place].some[v6][side]);
	if (g->n[v6] == g->packets)
		return in;
	for (; in != 0; in &= in - 1)
		packets |= 1u << g->of[v6][lowest_bit(in)];
	return packets;
}

/* What the table says, of one side; none is not active, and has nothing. */
static inline uint32_t
ask_side(const struct pfk_engine *e, const struct tables_ahead *g,
    uint32_t place, unsigned side)
{
	const struct table *t = table_active(e, e->asked[place].table);

	return t == NULL ? 0 : ask(&t->tree[0], g, place, 0, side) |
	    ask(&t->tree[1], g, place, 1, side);
}

/* The first answer of all of them, which are told then. */
static void
tell(const struct tables_ahead *g, uint32_t bit, uint32_t in,
    struct lane_packet *l)
{
	uint64_t bits = (uint64_t)in * bit;	/* the first packet's there */
	bool all = g->told == (1u << g->packets) - 1;

	for (size_t i = 0; i < g->packets; i++) {
		l[i].tables = (uint16_t)(bits >> i & bit);
		l[i].told = true;
	}
	for (size_t i = 0; !all && i < g->packets; i++)
		l[i].told = g->told >> i & 1;
}

static void
tell_more(const struct tables_ahead *g, uint32_t bit, uint32_t in,
    struct lane_packet *l)
{
	uint64_t bits = (uint64_t)in * bit;

	for (size_t i = 0; i < g->packets; i++)
		l[i].tables |= (uint16_t)(bits >> i & bit);
}

void
tables_answer(struct pfk_engine *e, struct tables_ahead *g,
    struct lane_packet *l)
{
	bool first = true;

	if (g->asked != 0 && g->changes != e->tables_changes)
		find_again(e, g);
	for (uint32_t i = 0; g->asked >> 2 * i != 0; i++)
		for (unsigned side = 0; side < 2; side++) {
			uint32_t bit = TABLE_BIT(i, side), in;

			if ((g->asked & bit) == 0)
				continue;
			in = ask_side(e, g, i, side);
			(first ? tell : tell_more)(g, bit, in, l);
			first = false;
		}
	e->tables_known = g->asked;
}
