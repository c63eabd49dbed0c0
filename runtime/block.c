/*
 * Looking up the rule that decides in a block.
 *
 * Which rule matches is told by tuple space search in the manner of TupleMerge
 * (Daly and Torng, 2017): the rules are spread over hash tables by how long
 * their prefixes are, rounded down to a few lengths, and by whether their
 * ports are single ones.  A packet is looked up in each table under the
 * table's masks.  Where too many rules share a key, they go to a table of
 * their exact lengths.
 *
 * This, and not a decision tree: rules with wildcards are never copied, so
 * memory is linear in the rules and building takes a fraction of a second for
 * 100,000; a tree is faster only as long as rules do not overlap.
 *
 *	table	src bits, dst bits, which ports are part of the key
 *	bucket	-> rule -> rule ...	in order: the first that fits is
 *					the table's answer
 *
 * Of quick rules the first that matches decides; tables are asked in the order
 * of their first rule and no further than the best answer so far.  Of others
 * it is the last before that one, and the order is turned round.  pf's skip
 * steps never lead past a rule that matches.
 *
 * Which rules pf would have evaluated is the second question.  It is answered
 * by the class (block_class.c), but for the rules about which the packet may
 * stray from the usual way: those are found by its addresses and ports
 * (block_spans.c) and asked, in order, as far as it comes.
 */
#include "runtime/block_int.h"
#include "runtime/strip.h"

struct asker {
	struct pfk_engine *e;
	struct block	*b;
	struct block_class *c;
	struct block_ask *q;
	struct block_key k;
	bool		icmp;
};

/* Whether the rule fits that the tables have found. */
static bool
fits(const struct asker *a, uint32_t i)
{
	const struct entry *x = &a->b->entries[i];

	if (!entry_fits(x, &a->k) || !bit(a->c->fits, i))
		return false;
	if (x->check == CHECK_NONE || (x->check == CHECK_ICMP && !a->icmp))
		return true;
	return a->q->misfit(a->q->ctx, a->b->first + i, a->b->code[i]) ==
	    NULL;
}

/* Tables to be asked: a bit each, those behind PRUNE_TABLES apart. */
static struct table_set
worth_asking(const struct asker *a, const struct tuples *s)
{
	bool six = a->q->p->af == PFK_AF_INET6;
	const struct prune *m = s->prune[six];
	const struct table_set *src, *dst;
	struct table_set set;

	if (m[SRC].top == NULL) {
		memset(&set, 0xff, sizeof(set));
		return set;
	}
	src = prune_find(&m[SRC], a->k.src);
	dst = prune_find(&m[DST], a->k.dst);
	for (unsigned i = 0; i < PRUNE_TABLES / 64; i++)
		set.w[i] = src->w[i] & dst->w[i];
	return set;
}

/* The next table to be asked, from i on, or s->n. */
static inline uint32_t
next_table(const struct tuples *s, const struct table_set *set, uint32_t i)
{
	while (i < s->n && i < PRUNE_TABLES) {
		uint64_t left = set->w[i / 64] >> (i % 64);

		if (left != 0) {
			i += strip_lowest(left);
			return i < s->n ? i : s->n;
		}
		i = (i / 64 + 1) * 64;
	}
	return i < s->n ? i : s->n;
}

/* The first of the packet's chain in the table: entry + 1, or 0. */
static inline uint32_t
chain(const struct asker *a, const struct tuple *t)
{
	struct block_key m;
	uint32_t hash;

	if (t->af != 0 && t->af != a->q->p->af)
		return 0;
	m = tuple_key(t, &a->k);
	hash = key_hash(&m);
	return filter_says_no(t, hash) ? 0 :
	    t->buckets[hash & (t->nbuckets - 1)];
}

/* The first quick rule that matches, or n. */
static uint32_t
look_up_quick(const struct asker *a)
{
	const struct tuples *s = &a->b->sets[SET_QUICK];
	struct table_set set = worth_asking(a, s);
	uint32_t best = a->b->n, i, x;

	for (i = next_table(s, &set, 0); i < s->n && s->v[i].best < best;
	    i = next_table(s, &set, i + 1))
		for (x = chain(a, &s->v[i]); x != 0 && x - 1 < best;
		    x = a->b->entries[x - 1].next)
			if (fits(a, x - 1)) {
				best = x - 1;
				break;
			}
	return best;
}

/* The last rule that matches and is not quick, or NO_RULE. */
static uint32_t
look_up_last(const struct asker *a)
{
	const struct tuples *s = &a->b->sets[SET_LAST];
	struct table_set set = worth_asking(a, s);
	uint32_t best = 0, i, x;	/* + 1 */

	for (i = next_table(s, &set, 0); i < s->n && s->v[i].best >= best;
	    i = next_table(s, &set, i + 1))
		for (x = chain(a, &s->v[i]); x > best;
		    x = a->b->entries[x - 1].next)
			if (fits(a, x - 1)) {
				best = x;
				break;
			}
	return best - 1;
}

/* ---- the way ---- */

enum { LISTS = 5 };

/* Rules that must be asked, in order: lists that end with NO_RULE. */
struct lists { const uint32_t *at[LISTS]; };

static void
find_lists(const struct asker *a, struct lists *l)
{
	const struct block *b = a->b;
	bool six = a->q->p->af == PFK_AF_INET6;
	struct value v[F_COUNT] = {
		{ { a->k.src[0], a->k.src[1] } },
		{ { a->k.dst[0], a->k.dst[1] } },
		port_value(a->k.port[0]), port_value(a->k.port[1])
	};

	l->at[0] = spans_find(&b->spans[SPANS_SRC4 + six], &v[F_SRC]);
	l->at[1] = spans_find(&b->spans[SPANS_DST4 + six], &v[F_DST]);
	l->at[2] = spans_find(&b->spans[SPANS_SPORT], &v[F_SPORT]);
	l->at[3] = spans_find(&b->spans[SPANS_DPORT], &v[F_DPORT]);
	l->at[4] = b->always;
}

static uint32_t
next_of(struct lists *l)
{
	uint32_t least = NO_RULE;

	for (unsigned i = 0; i < LISTS; i++)
		if (*l->at[i] < least)
			least = *l->at[i];
	for (unsigned i = 0; i < LISTS; i++)
		l->at[i] += least != NO_RULE && *l->at[i] == least;
	return least;
}

/* Whether the node lies on the usual path that begins at `from'. */
static inline bool
on_path(const struct block_class *c, uint32_t from, uint32_t node)
{
	return c->nodes[from].at - c->nodes[node].at < c->nodes[node].size;
}

/* The usual way out from there. */
static const uint32_t *
way_out(const struct block *b, const struct block_class *c, uint32_t from)
{
	uint32_t i = 0;

	while (i + 1 < c->nexits && !on_path(c, from, b->n + i))
		i++;
	return c->exits[i];
}

/* Whether it is usual that the rule leads there: `next', or n and `to'. */
static inline bool
is_usual(const struct asker *a, uint32_t rule, uint32_t next,
    const uint32_t *to)
{
	uint32_t up = a->c->nodes[rule].up, n = a->b->n;

	return next < n ? up == next : up >= n && a->c->exits[up - n] == to;
}

/* Walks to the rule `end', or out of the block: where to go on. */
static const uint32_t *
walk(struct asker *a, uint32_t end)
{
	const struct block *b = a->b;
	struct block_class *c = a->c;
	uint32_t at = 0, x, next;
	const uint32_t *to;
	struct lists lists;

	find_lists(a, &lists);
	c->steps[0]++;
	while ((x = next_of(&lists)) < end) {
		if (x < at || !bit(c->head, x) || !on_path(c, at, x))
			continue;
		to = a->q->misfit(a->q->ctx, b->first + x, b->code[x]);
		if (to == NULL && bit(b->counts, x)) {
			a->q->rule = x;
			a->q->quick = bit(b->quick, x);
			if (a->q->quick) {
				c->steps[c->nodes[x].up]--;
				return b->code[x];
			}
		}
		if (to == NULL)
			to = b->code[x + 1];
		next = block_rule_at(b, x + 1, to);
		if (is_usual(a, x, next, to))
			continue;
		c->steps[c->nodes[x].up]--;
		if (next == b->n)
			return to;
		c->steps[next]++;
		at = next;
	}
	if (end == b->n)
		return way_out(b, c, at);
	c->steps[c->nodes[end].up]--;
	a->q->rule = end;
	a->q->quick = true;
	return b->code[end];
}

const uint32_t *
block_run(struct pfk_engine *e, uint32_t block, struct block_ask *q)
{
	struct block *b = e->blocks[block - 1];
	struct asker a = { .e = e, .b = b, .q = q,
	    .k = { .port = { q->port[0], q->port[1] } } };
	const uint32_t *to;
	uint32_t last;

	a.c = block_class(e, b, q->p);
	if (a.c == NULL || a.c->odd)
		return NULL;
	a.icmp = q->p->proto == PROTO_ICMP || q->p->proto == PROTO_ICMPV6;
	addr_words(a.k.src, q->addr[SRC], q->p->af);
	addr_words(a.k.dst, q->addr[DST], q->p->af);
	q->rule = IMG_NONE;
	q->quick = false;
	b->unsettled = true;
	to = walk(&a, look_up_quick(&a));
	if (!q->quick && b->sets[SET_LAST].n != 0) {
		last = look_up_last(&a);
		if (last != NO_RULE && (q->rule == IMG_NONE ||
		    last > q->rule))
			q->rule = last;
	}
	if (q->rule != IMG_NONE)
		q->rule += b->first;
	return to;
}

void
rules_settle(const struct pfk_engine *e)
{
	strips_settle(e);
	for (uint32_t i = 0; i < e->nblocks; i++)
		block_settle(e, e->blocks[i]);
}
