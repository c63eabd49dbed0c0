/*
 * Filter options of a complete rule: from their nodes into the statement,
 * with the checks that pfctl makes only then, in its order.
 */
#include <string.h>

#include "compiler/sema_int.h"

typedef void apply_fn(struct statement *, const struct ast *);

static void
apply_probability(struct statement *st, const struct ast *n)
{
	st->rule.prob = (uint32_t)n->num2;
}

static void
apply_rtable(struct statement *st, const struct ast *n)
{
	st->rule.rtable = (int32_t)n->num;
}

static void
apply_tos(struct statement *st, const struct ast *n)
{
	st->rule.tos = (uint8_t)n->kid[0]->num2;
}

static void
apply_fragment(struct statement *st, const struct ast *n)
{
	(void)n;
	st->rule.fragment = true;
}

static void
apply_allow_opts(struct statement *st, const struct ast *n)
{
	(void)n;
	st->rule.allow_opts = true;
}

static void
apply_prio(struct statement *st, const struct ast *n)
{
	st->rule.prio = n->num != 0 ? (uint8_t)n->num : RULE_PRIO_ZERO;
}

static void
apply_rate(struct statement *st, const struct ast *n)
{
	st->rule.pktrate.limit = (uint32_t)n->num;
	st->rule.pktrate.seconds = (uint32_t)n->num2;
}

static void
apply_set_prio(struct statement *st, const struct ast *n)
{
	st->rule.set_prio_on = true;
	st->rule.set_prio.prio[0] = (uint8_t)n->kid[0]->num;
	st->rule.set_prio.prio[1] = (uint8_t)n->kid[0]->num2;
}

static void
apply_set_tos(struct statement *st, const struct ast *n)
{
	st->rule.set_tos_on = true;
	st->rule.set_tos = (uint8_t)n->kid[0]->num2;
}

static void
apply_set_delay(struct statement *st, const struct ast *n)
{
	st->rule.set_delay_on = true;
	st->rule.delay = (uint16_t)n->num;
}

static void
apply_queue(struct statement *st, const struct ast *n)
{
	st->rule.qname = n->kid[0]->str;
	st->rule.pqname = n->kid[0]->str2;
}

static void
apply_divert_packet(struct statement *st, const struct ast *n)
{
	st->rule.reassemble_tcp |= n->num2 != 0;
}

static void
apply_scrub(struct statement *st, const struct ast *n)
{
	struct rule *r = &st->rule;

	/* A later scrub () takes the place of an earlier one, but for this: */
	r->no_df = r->random_id = false;
	r->min_ttl = 0;
	r->max_mss = 0;
	for (n = n->first; n != NULL; n = n->next) {
		r->no_df |= n->kind == AST_SCRUB_NO_DF;
		r->random_id |= n->kind == AST_SCRUB_RANDOM_ID;
		r->reassemble_tcp |= n->kind == AST_SCRUB_REASSEMBLE;
		if (n->kind == AST_SCRUB_MIN_TTL)
			r->min_ttl = (uint8_t)n->num;
		if (n->kind == AST_SCRUB_MAX_MSS)
			r->max_mss = (uint16_t)n->num;
	}
}

static void
apply_icmp(struct statement *st, const struct ast *n)
{
	SEMA_CHAIN(struct stmt_icmp, n, st->icmps);
}

/* Of several such options the later one's users come first. */
static void
prepend_ids(const struct stmt_id **head, const struct ast *n)
{
	const struct stmt_id *earlier = *head;

	SEMA_CHAIN(struct stmt_id, n, *head);
	if (n->last != NULL)
		((struct stmt_id *)n->last->sem)->next = earlier;
}

static void
apply_user(struct statement *st, const struct ast *n)
{
	prepend_ids(&st->uids, n);
}

static void
apply_group(struct statement *st, const struct ast *n)
{
	prepend_ids(&st->gids, n);
}

static void
apply_received_on(struct statement *st, const struct ast *n)
{
	struct stmt_if *i = n->kid[0]->sem;

	i->neg = n->neg;
	st->received_on = i;
}

/* What needs no check in the complete rule; the rest is in check_*(). */
static apply_fn *const apply[OPT_COUNT] = {
	[AST_OPT_USER - OPT_FIRST] = apply_user,
	[AST_OPT_GROUP - OPT_FIRST] = apply_group,
	[AST_OPT_ICMP - OPT_FIRST] = apply_icmp,
	[AST_OPT_PRIO - OPT_FIRST] = apply_prio,
	[AST_OPT_TOS - OPT_FIRST] = apply_tos,
	[AST_OPT_FRAGMENT - OPT_FIRST] = apply_fragment,
	[AST_OPT_ALLOW_OPTS - OPT_FIRST] = apply_allow_opts,
	[AST_OPT_QUEUE - OPT_FIRST] = apply_queue,
	[AST_OPT_PROBABILITY - OPT_FIRST] = apply_probability,
	[AST_OPT_RTABLE - OPT_FIRST] = apply_rtable,
	[AST_OPT_DIVERT_PACKET - OPT_FIRST] = apply_divert_packet,
	[AST_OPT_SCRUB - OPT_FIRST] = apply_scrub,
	[AST_OPT_RECEIVED_ON - OPT_FIRST] = apply_received_on,
	[AST_OPT_MAX_PKT_RATE - OPT_FIRST] = apply_rate,
	[AST_OPT_SET_PRIO - OPT_FIRST] = apply_set_prio,
	[AST_OPT_SET_TOS - OPT_FIRST] = apply_set_tos,
	[AST_OPT_SET_DELAY - OPT_FIRST] = apply_set_delay,
};

void
sema_collect_opts(const struct ast *list, struct rule_opts *o)
{
	memset(o, 0, sizeof(*o));
	for (const struct ast *n = list ? list->first : NULL; n; n = n->next)
		o->by_kind[(size_t)n->kind - OPT_FIRST] = n;
}

static void
apply_options(const struct ast *list, struct statement *st)
{
	for (const struct ast *n = list ? list->first : NULL; n; n = n->next) {
		apply_fn *fn = apply[(size_t)n->kind - OPT_FIRST];

		if (fn != NULL)
			fn(st, n);
	}
}

static bool
check_once(struct sema *s, const struct ast *n, struct rule *r)
{
	if (n == NULL)
		return true;
	if (r->action == RULE_MATCH || r->anchor.call != NULL) {
		(void)sema_error(s, n, "once",
		    "'once' only applies to pass/block rules");
		return false;
	}
	r->once = true;
	return true;
}

static const char *
nonempty(const char *text)
{
	return *text != '\0' ? text : NULL;
}

static bool
check_tag(struct sema *s, const struct ast *n, const char **tag)
{
	if (n == NULL)
		return true;
	if (strlen(n->str) >= RULE_TAG_NAME_SIZE) {
		(void)sema_error(s, n, "too-long",
		    "tag too long, max %d chars", RULE_TAG_NAME_SIZE - 1);
		return false;
	}
	*tag = nonempty(n->str);
	return true;
}

bool
sema_label(struct sema *s, const struct ast *n, struct rule *r)
{
	if (n == NULL)
		return true;
	if (strlen(n->str) >= RULE_LABEL_SIZE) {
		(void)sema_error(s, n, "too-long",
		    "rule label too long (max %d chars)",
		    RULE_LABEL_SIZE - 1);
		return false;
	}
	r->label = nonempty(n->str);
	return true;
}

static bool
check_names(struct sema *s, const struct rule_opts *o, struct rule *r)
{
	const struct ast *tagged = rule_opt(o, AST_OPT_TAGGED);

	if (!check_tag(s, rule_opt(o, AST_OPT_TAG), &r->tag) ||
	    !check_tag(s, tagged, &r->match_tag))
		return false;
	r->match_tag_not = tagged != NULL && tagged->neg;
	return sema_label(s, rule_opt(o, AST_OPT_LABEL), r);
}

static bool
check_af_to(struct sema *s, const struct rule_opts *o, struct rule *r)
{
	const struct ast *n = rule_opt(o, AST_OPT_AF_TO);

	if (n == NULL)
		return true;
	r->af_to = true;
	if (r->direction != RULE_IN) {
		(void)sema_error(s, n, "af-to",
		    "af-to can only be used with direction in");
		return false;
	}
	if (rule_opt(o, AST_OPT_ROUTE) != NULL) {
		(void)sema_error(s, n, "af-to", "af-to cannot be used "
		    "together with route-to, reply-to, dup-to");
		return false;
	}
	return true;
}

/* "flags S/SA", "flags /SA", "flags any" */
static bool
check_flags(struct sema *s, const struct ast *n, struct rule *r)
{
	if (n == NULL)
		return true;
	r->flags = n->kid[0] != NULL ? (uint8_t)n->kid[0]->num2 : 0;
	r->flagset = n->kid[1] != NULL ? (uint8_t)n->kid[1]->num2 : 0;
	if ((r->flags & r->flagset) != r->flags) {
		(void)sema_error(s, n, "flags", "flags always false");
		return false;
	}
	return true;
}

bool
sema_opts_to_statement(struct sema *s, const struct ast *list,
    struct rule_opts *o, struct statement *st)
{
	struct rule *r = &st->rule;

	sema_collect_opts(list, o);
	apply_options(list, st);
	return check_once(s, rule_opt(o, AST_OPT_ONCE), r) &&
	    check_names(s, o, r) && check_af_to(s, o, r) &&
	    check_flags(s, rule_opt(o, AST_OPT_FLAGS), r);
}

/*
 * Flags and operating systems are TCP's: one protocol of the list must be
 * it, if there is a list.
 * => st->rule.flags and flagset must be as written.
 */
bool
sema_check_tcp_only(struct sema *s, const struct rule_opts *o,
    const struct statement *st, const char *os_text)
{
	const struct ast *flags = rule_opt(o, AST_OPT_FLAGS);
	const struct stmt_proto *p = st->protos;

	if (flags != NULL && flags->kid[0] == NULL && flags->kid[1] == NULL)
		flags = NULL;		/* any */
	if ((flags == NULL && st->oses == NULL) || p == NULL)
		return true;
	for (; p != NULL; p = p->next)
		if (p->proto == SEMA_TCP)
			return true;
	if (flags != NULL)
		(void)sema_error(s, flags, "tcp-only",
		    "flags only apply to tcp");
	if (st->oses != NULL)
		(void)sema_error(s, st->oses->node, "tcp-only", "%s",
		    os_text);
	return false;
}

void
sema_decide_af(const struct host_list *hosts, uint8_t *af)
{
	const struct host_item *i;

	if (*af != PFK_AF_UNSPEC || hosts == NULL)
		return;
	for (i = hosts->first->next; i != NULL; i = i->next)
		if (i->af != hosts->first->af)
			return;
	*af = hosts->first->af;
}
