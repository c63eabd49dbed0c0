/*
 * How packets usually go through a block.
 *
 * Packets of one class have the same interface, direction, family, protocol
 * and flags, as far as some rule of the block asks.  So the class knows of
 * each rule where the head sends its packets; and if the head fits, where they
 * usually go on: most fit in few networks (row_likely()).  Each rule thus has
 * one that comes next, and all are the branches of trees, whose roots are the
 * ways out of the block.
 *
 *	rule 0 -> 1 -> 4 -> 5 -> out	1, 2, 3 are for one network, which
 *	          2 -> 4		4 is not: pf's skip steps
 *	          3 -> 4
 *
 * A packet's way is a stretch of such a path; where it strays, another
 * begins.  Only the ends are noted: one more packet at the first node of the
 * stretch, one less at the node that would have been next.  The number of
 * packets that a rule was asked about is the sum over all nodes below it,
 * which is made when somebody wants to see it (rules_settle()).  Of packets
 * that stray nowhere even less is noted: the rule that ended their way.
 */
#include "runtime/block_int.h"

/* ---- making one ---- */

/* The test of the head that does not fit, or NULL. */
static const uint32_t *
head_misfit(const struct pfk_engine *e, const struct block *b, uint32_t i,
    const struct strip_head *p)
{
	const uint32_t *w = b->code[i] + op_info[OP_RULE].length;

	for (; is_head(insn_op(*w)); w += op_info[insn_op(*w)].length)
		if (!strip_head_fits(e, &e->rules[b->first + i], w, p))
			return w;
	return NULL;
}

/* Of each kind of head: where the test that does not fit stands, or 0. */
struct misfits { uint32_t at[KINDS]; };

static void
find_misfits(const struct pfk_engine *e, const struct block *b,
    const struct strip_head *p, struct misfits *m)
{
	for (unsigned i = 0; i < b->nkinds; i++) {
		const uint32_t *w = head_misfit(e, b, b->kinds[i], p);

		m->at[i] = w == NULL ? 0 : (uint32_t)(w -
		    b->code[b->kinds[i]]);
	}
}

static inline bool
flags_fit(const struct usual *u, const struct strip_head *p)
{
	return p->proto != PROTO_TCP ||
	    (p->tcp_flags & u->flagset) == u->flags;
}

static uint32_t
exit_at(struct block_class *c, const uint32_t *pc)
{
	uint32_t i;

	for (i = 0; i < c->nexits; i++)
		if (c->exits[i] == pc)
			return i;
	if (i == BLOCK_EXITS) {
		c->odd = true;
		return 0;
	}
	c->exits[i] = pc;
	return c->nexits++;
}

static void
make_node(const struct pfk_engine *e, const struct block *b,
    struct block_class *c, uint32_t i, const struct strip_head *p,
    const struct misfits *m)
{
	unsigned kind = b->usual[i].kind;
	const uint32_t *test, *to;
	bool flags;

	if (kind == KINDS)
		test = head_misfit(e, b, i, p);
	else
		test = m->at[kind] == 0 ? NULL : b->code[i] + m->at[kind];
	if (test == NULL) {
		flags = flags_fit(&b->usual[i], p);
		set_bit(c->head, i);
		if (flags)
			set_bit(c->fits, i);
		to = b->code[0] + b->usual[i].to[flags];
	} else
		to = test + test[1];
	c->nodes[i].up = block_rule_at(b, to);
	if (c->nodes[i].up == b->n)
		c->nodes[i].up = b->n + exit_at(c, to);
}

/* Numbers them so that what is below a node follows it. */
static void
number_nodes(const struct block *b, struct block_class *c)
{
	uint32_t n = b->n, next = 0;

	for (uint32_t i = 0; i < n; i++) {
		c->nodes[i].size++;
		c->nodes[c->nodes[i].up].size += c->nodes[i].size;
	}
	for (uint32_t i = 0; i < c->nexits; i++) {
		c->nodes[n + i].at = next;
		next += ++c->nodes[n + i].size;
	}
	/* for a while `at' is the last number that was given below it */
	for (uint32_t i = n; i-- > 0;) {
		struct node *up = &c->nodes[c->nodes[i].up];
		uint32_t at = up->at;

		up->at += c->nodes[i].size;
		c->nodes[i].at = at + 1;
	}
	for (uint32_t i = 0; i < n + c->nexits; i++)
		c->nodes[i].at -= c->nodes[i].size - 1;
}

const uint32_t *
way_out(const struct block *b, const struct block_class *c, uint32_t from)
{
	uint32_t i = 0;

	while (i + 1 < c->nexits && !on_path(c, from, b->n + i))
		i++;
	return c->exits[i];
}

/* Of steps, both arrays of bits, nodes and ends. */
static size_t
class_size(const struct block *b)
{
	size_t n = (size_t)b->n + BLOCK_EXITS;

	return n * (sizeof(int64_t) + sizeof(struct node) +
	    sizeof(uint32_t)) + 2 * bits_size(b->n);
}

static void
class_free(const struct pfk_engine *e, const struct block *b,
    struct block_class *c)
{
	far_free(e, c->memory, class_size(b));
	e_free(e, c, sizeof(*c));
}

static bool
class_arrays(const struct pfk_engine *e, const struct block *b,
    struct block_class *c)
{
	size_t n = (size_t)b->n + BLOCK_EXITS, bits = bits_size(b->n) / 8;

	if ((c->memory = far_alloc(e, class_size(b))) == NULL)
		return false;
	c->steps = c->memory;
	c->head = (uint64_t *)(c->steps + n);
	c->fits = c->head + bits;
	c->nodes = (struct node *)(c->fits + bits);
	c->ends = (uint32_t *)(c->nodes + n);
	return true;
}

static struct block_class *
class_new(const struct pfk_engine *e, const struct block *b,
    const struct strip_head *p)
{
	struct block_class *c = e_alloc(e, sizeof(*c));
	struct misfits misfits;

	if (c == NULL)
		return NULL;
	if (!class_arrays(e, b, c)) {
		class_free(e, b, c);
		return NULL;
	}
	find_misfits(e, b, p, &misfits);
	for (uint32_t i = 0; i < b->n; i++)
		make_node(e, b, c, i, p, &misfits);
	if (!c->odd) {
		number_nodes(b, c);
		c->out = way_out(b, c, 0);
	}
	return c;
}

/* ---- finding one ---- */

static bool
has_room(const struct block *b)
{
	return b->nclasses < BLOCK_CLASSES &&
	    (b->nclasses < 4 || (uint64_t)(b->nclasses + 1) * b->n <=
	    BLOCK_NODES);
}

/*
 * What classes are about: a head's strip_key(), under the block's mask.  What
 * differs but is asked by no rule is left out: fewer classes.
 */
#define HEAD_PROTO	16	/* strip_key() */
static uint64_t
class_key(const struct block *b, uint64_t head, bool icmp)
{
	unsigned proto = head >> HEAD_PROTO & 0xff;
	uint64_t asked = b->protos[proto / 64] >> (proto % 64) & 1;

	return head & b->heads[icmp] & ~((asked - 1) & 0xff << HEAD_PROTO);
}

static struct block_class *
get_class(const struct pfk_engine *e, struct block *b, uint64_t head,
    uint64_t key)
{
	struct strip_head p = strip_head_of(head);
	unsigned at = class_slot(key);
	struct block_class *c;

	for (unsigned i = 0; i < BLOCK_CLASSES; i++) {
		struct block_class **slot = &b->classes[(at + i) %
		    BLOCK_CLASSES];

		if (*slot == NULL) {
			if (!has_room(b) || (c = class_new(e, b, &p)) == NULL)
				return NULL;
			c->key = key;
			*slot = c;
			b->nclasses++;
		}
		if ((*slot)->key == key)
			return *slot;
	}
	return NULL;
}

struct block_class *
block_find_class(struct pfk_engine *e, struct block *b, uint64_t head,
    bool icmp)
{
	struct block_class *c = get_class(e, b, head, class_key(b, head,
	    icmp));
	unsigned at = class_slot(head);

	if (c == NULL || c->odd)
		return NULL;
	b->recent[at].head = head;
	return b->recent[at].c = c;
}

void
block_classes_free(const struct pfk_engine *e, struct block *b)
{
	for (unsigned i = 0; i < BLOCK_CLASSES; i++)
		if (b->classes[i] != NULL)
			class_free(e, b, b->classes[i]);
}

/* ---- evaluations ---- */

/*
 * ends: packets that went from rule 0 on, straying nowhere, and ended there;
 * those of the last one left the block.
 */
static void
settle_ends(const struct block *b, struct block_class *c)
{
	for (uint32_t i = 0; i <= b->n; i++) {
		if (c->ends[i] == 0)
			continue;
		c->steps[0] += c->ends[i];
		if (i < b->n)
			c->steps[c->nodes[i].up] -= c->ends[i];
		c->ends[i] = 0;
	}
}

static void
settle_class(const struct pfk_engine *e, const struct block *b,
    struct block_class *c)
{
	settle_ends(b, c);
	for (uint32_t i = 0; i < b->n; i++) {
		if (c->steps[i] == 0)
			continue;
		e->rules[b->first + i].n.evaluations +=
		    (uint64_t)c->steps[i];
		c->steps[c->nodes[i].up] += c->steps[i];
		c->steps[i] = 0;
	}
	for (uint32_t i = 0; i < c->nexits; i++)
		c->steps[b->n + i] = 0;
}

void
block_settle(const struct pfk_engine *e, struct block *b)
{
	if (b->unsettled == 0)
		return;
	for (unsigned i = 0; i < BLOCK_CLASSES; i++)
		if (b->classes[i] != NULL)
			settle_class(e, b, b->classes[i]);
	b->unsettled = 0;
}
