/*
 * Where flat rules come from: the text of each part of a statement that the
 * rule has.
 *
 * Nodes go with their statement; what a rule keeps of one (where it stands,
 * through which macros) is made when the first rule needs it and shared by the
 * others.
 */
#include "compiler/combination.h"
#include "compiler/sema_int.h"

const struct rule_element *
node_element(struct sema *s, const struct ast *node, bool listed)
{
	union { const struct ast *c; struct ast *v; } n = { .c = node };
	struct rule_element *e;

	if (node->origin != NULL)
		return node->origin;
	e = arena_new(&s->rs->arena, struct rule_element);
	e->span = node->span;
	e->via = node->via;
	/* of whole statements it means nothing */
	if (node->inner_via != NULL && node->kind != AST_RULE &&
	    node->kind != AST_ANCHOR && node->kind != AST_ANTISPOOF) {
		e->value = arena_memdup(&s->rs->arena, &node->inner,
		    sizeof(node->inner));
		e->via = node->inner_via;
	}
	e->listed = listed;
	n.v->origin = e;
	return e;
}

void
table_note_element(struct sema *s, struct table *t, const struct ast *node,
    size_t before)
{
	struct table_run run = { .n = (uint32_t)(t->addrs.n - before) };

	if (run.n == 0)
		return;
	if (node != NULL)
		run.element = *node_element(s, node, true);
	vec_push(&s->rs->arena, &t->runs, run);
}

/* The nodes of a combination, by part. */
static void
collect(const struct combination *c, const struct ast *node[PFK_NPARTS])
{
	for (int i = 0; i < PFK_NPARTS; i++)
		node[i] = c->st->part[i];
	node[PFK_PART_INTERFACE] = c->iface->node;
	node[PFK_PART_PROTOCOL] = c->proto->node;
	node[PFK_PART_SOURCE] = c->src->node;
	node[PFK_PART_SOURCE_PORT] = c->src_port->node;
	node[PFK_PART_OS] = c->os->node;
	node[PFK_PART_DESTINATION] = c->dst->node;
	node[PFK_PART_DESTINATION_PORT] = c->dst_port->node;
	node[PFK_PART_USER] = c->uid->node;
	node[PFK_PART_GROUP] = c->gid->node;
	node[PFK_PART_ICMP] = c->icmp->node;
}

struct rule_origin *
combination_origin(struct sema *s, const struct combination *c,
    uint32_t listed)
{
	const struct ast *node[PFK_NPARTS];
	struct rule_origin *o;
	unsigned n = 0;

	collect(c, node);
	for (int i = 0; i < PFK_NPARTS; i++)
		n += node[i] != NULL;
	o = arena_alloc(&s->rs->arena, sizeof(*o) + n * sizeof(o->element[0]));
	o->last = o;
	o->how = PFK_ORIGIN_OWN;
	o->statement = node_element(s, c->st->node, false);
	for (unsigned i = n = 0; i < PFK_NPARTS; i++)
		if (node[i] != NULL) {
			o->parts |= (uint32_t)1 << i;
			o->element[n++] = node_element(s, node[i],
			    (listed >> i & 1) != 0);
		}
	return o;
}

/* Options of rules, and which part of a statement they are. */
static const struct { enum ast_kind kind; enum pfk_part part; } options[] = {
	{ AST_OPT_FLAGS, PFK_PART_FLAGS }, { AST_OPT_TOS, PFK_PART_TOS },
	{ AST_OPT_PRIO, PFK_PART_PRIO },
	{ AST_OPT_FRAGMENT, PFK_PART_FRAGMENT },
	{ AST_OPT_ALLOW_OPTS, PFK_PART_ALLOW_OPTS },
	{ AST_OPT_PROBABILITY, PFK_PART_PROBABILITY },
	{ AST_OPT_TAGGED, PFK_PART_TAGGED },
	{ AST_OPT_RECEIVED_ON, PFK_PART_RECEIVED_ON },
	{ AST_OPT_MAX_PKT_RATE, PFK_PART_RATE },
	{ AST_OPT_ONCE, PFK_PART_ONCE }, { AST_OPT_STATE, PFK_PART_STATE },
	{ AST_OPT_LABEL, PFK_PART_LABEL }, { AST_OPT_TAG, PFK_PART_TAG },
	{ AST_OPT_RTABLE, PFK_PART_RTABLE },
	{ AST_OPT_QUEUE, PFK_PART_QUEUE },
	{ AST_OPT_SET_PRIO, PFK_PART_SET }, { AST_OPT_SET_TOS, PFK_PART_SET },
	{ AST_OPT_SET_DELAY, PFK_PART_SET },
	{ AST_OPT_SCRUB, PFK_PART_SCRUB },
	{ AST_OPT_DIVERT_TO, PFK_PART_DIVERT },
	{ AST_OPT_DIVERT_REPLY, PFK_PART_DIVERT },
	{ AST_OPT_DIVERT_PACKET, PFK_PART_DIVERT },
	{ AST_OPT_AF_TO, PFK_PART_NAT }, { AST_OPT_NAT_TO, PFK_PART_NAT },
	{ AST_OPT_BINAT_TO, PFK_PART_NAT }, { AST_OPT_RDR_TO, PFK_PART_RDR },
	{ AST_OPT_ROUTE, PFK_PART_ROUTE },
};

void
sema_option_parts(const struct rule_opts *o, struct statement *st)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct ast *n = rule_opt(o, options[i].kind);

		if (n != NULL)
			st->part[options[i].part] = n;
	}
}
