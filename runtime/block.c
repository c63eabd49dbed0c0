/*
 * Looking up the rule that decides in a block.
 *
 * Tuple space search in the manner of TupleMerge (Daly and Torng, 2017): the
 * rules are spread over hash tables by how long their prefixes are, rounded
 * down to a few lengths, and by whether their ports are single ones.  A packet
 * is looked up in each table under the table's masks.  Where too many rules
 * share a key, they go to a table of their exact lengths.
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
 * of their first rule and no further than the best answer so far.  Otherwise
 * it is the last, and the order is turned round.
 *
 * Evaluations: a packet that the n-th rule of a block lets go was evaluated by
 * all up to it, which is one number in `through`; rules_settle() adds them up.
 */
#include "runtime/block_int.h"
#include "runtime/strip.h"

static bool
head_fits(const struct pfk_engine *e, const struct block *b,
    const struct pkt *p)
{
	const struct img_rule *r = b->r;
	bool ifnot = (r->flags & IMG_R_IFNOT) != 0;

	return (r->direction == IMG_INOUT || r->direction == p->dir) &&
	    (r->af == 0 || r->af == p->af) &&
	    (r->proto == 0 || r->proto == p->proto) &&
	    (r->ifname == 0 || iface_is(e, p->ifid,
	    e->rules[b->first].if_index) != ifnot) &&
	    (r->onrdomain < 0 || (r->onrdomain == p->rdomain) != ifnot);
}

static bool
flags_fit(const struct img_rule *r, const struct pkt *p)
{
	return p->vproto != PROTO_TCP ||
	    (p->tcp_flags & r->tcp_flagset) == r->tcp_flags;
}

enum { SHARED_SRC, SHARED_DST, SHARED_SPORT, SHARED_DPORT, SHARED_NONE };

/* Whether the packet's address or port fits the entry in that field. */
static bool
field_fits(const struct entry *x, const struct block_key *k, unsigned field)
{
	const uint64_t *have = field == SHARED_SRC ? k->src : k->dst;
	const uint64_t *want = field == SHARED_SRC ? x->key.src : x->key.dst;
	unsigned i = field - SHARED_SPORT;
	uint64_t v[2];

	if (field >= SHARED_SPORT)
		return k->port[i] >= x->key.port[i] &&
		    k->port[i] <= x->last[i];
	memcpy(v, have, sizeof(v));
	mask_addr(v, x->bits[field]);
	return memcmp(v, want, sizeof(v)) == 0;
}

static bool
is_shared(const struct block *b, unsigned field)
{
	return b->shared >> field & 1;
}

/* Of the fields that all rules share the first that does not fit. */
static unsigned
misfit(const struct block *b, const struct block_key *k)
{
	unsigned field;

	for (field = 0; field < SHARED_NONE; field++)
		if (is_shared(b, field) &&
		    !field_fits(&b->entries[0], k, field))
			break;
	return field;
}

/*
 * The first or last rule that matches, or b->n.  What the tables are sorted
 * for is found without looking at all of them.
 */
static uint32_t
look_up(const struct block *b, const struct block_key *k, bool first)
{
	uint32_t best = b->n;

	for (uint32_t i = 0; i < b->ntuples; i++) {
		const struct tuple *t = &b->tuples[i];
		struct block_key m;
		uint32_t hash, x;

		if (best != b->n && first == b->quick &&
		    (first ? t->best > best : t->best < best))
			break;
		m = tuple_key(t, k);
		hash = key_hash(&m);
		if (filter_says_no(t, hash))
			continue;
		x = t->buckets[hash & (t->nbuckets - 1)];
		for (; x != 0; x = b->entries[x - 1].next) {
			if (!entry_fits(&b->entries[x - 1], k))
				continue;
			if (best == b->n || (first ? x - 1 < best :
			    x - 1 > best))
				best = x - 1;
			if (first == b->quick)
				break;
		}
	}
	return best;
}

/*
 * The packet does not fit in a field that all rules share.  The first rule
 * that it gets to that field with sends it out of the block; that is the first
 * that fits in the fields before.  Only if the rules differ in no field after
 * it can it be looked up: as if the packet did fit.
 */
static enum block_answer
ask_way_out(struct block *b, const struct block_key *k, unsigned field,
    bool flags, struct block_result *result)
{
	const struct entry *x = &b->entries[0];
	struct block_key pretend = *k;
	uint32_t found;

	if (field == SHARED_SRC)	/* the first rule leads out */
		return BLOCK_UNKNOWN;
	if (field == SHARED_DST)
		memcpy(pretend.dst, x->key.dst, sizeof(pretend.dst));
	for (unsigned i = field == SHARED_DPORT; i < 2; i++) {
		/* nothing fits in an interval that is empty */
		if (!is_shared(b, i + SHARED_SPORT) ||
		    x->key.port[i] > x->last[i])
			return BLOCK_UNKNOWN;
		pretend.port[i] = x->key.port[i];
	}
	/* flags are looked at after addresses and before ports */
	flags = flags || field == SHARED_DST;
	found = flags ? look_up(b, &pretend, true) : b->n;
	b->unsettled = true;
	b->through[found]++;
	if (found == b->n)
		return BLOCK_NONE;
	result->go = b->code[found];
	return BLOCK_GO;
}

enum block_answer
block_ask(const struct pfk_engine *e, uint32_t block, const struct pkt *p,
    const struct pfk_addr *src, const struct pfk_addr *dst,
    const uint16_t port[2], struct block_result *result)
{
	struct block *b = &e->blocks[block - 1];
	struct block_key k = { .port = { port[0], port[1] } };
	uint32_t found = b->n;
	unsigned field;
	bool flags;

	if (!head_fits(e, b, p))
		return BLOCK_UNKNOWN;
	addr_words(k.src, src, p->af);
	addr_words(k.dst, dst, p->af);
	flags = flags_fit(b->r, p);
	if ((field = misfit(b, &k)) != SHARED_NONE)
		return ask_way_out(b, &k, field, flags, result);
	if (flags)
		found = look_up(b, &k, b->quick);
	b->unsettled = true;
	b->through[b->quick && found < b->n ? found + 1 : b->n]++;
	result->rule = b->first + found;
	return found < b->n ? BLOCK_RULE : BLOCK_NONE;
}

void
rules_settle(const struct pfk_engine *e)
{
	strips_settle(e);
	for (uint32_t i = 0; i < e->nblocks; i++) {
		struct block *b = &e->blocks[i];
		uint64_t sum = 0;

		if (!b->unsettled)
			continue;
		for (uint32_t k = b->n; k > 0; k--) {
			sum += b->through[k];
			e->rules[b->first + k - 1].n.evaluations += sum;
			b->through[k] = 0;
		}
		b->unsettled = false;
	}
}
