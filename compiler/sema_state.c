/*
 * State options: (max 100, source-track rule, ...).
 *
 * Their values are checked as they are read; what excludes what is checked,
 * option by option in the order of the text, when the rule is complete.  So
 * the options of `set state-defaults` are checked anew in each rule that
 * uses them, as pfctl does.
 */
#include <string.h>

#include "compiler/names.h"
#include "compiler/sema_int.h"

#define MAX_RATE	(UINT32_MAX / 1000)	/* pf counts in thousandths */

_Static_assert((int)AST_STATE_NO == RULE_NO_STATE &&
    (int)AST_STATE_KEEP == RULE_KEEP_STATE &&
    (int)AST_STATE_MODULATE == RULE_MODULATE_STATE &&
    (int)AST_STATE_SYNPROXY == RULE_SYNPROXY_STATE,
    "states of ast.h and rule.h differ");

/* --- each option by itself --- */

static enum ast_result
overload_name(struct sema *s, const struct ast *n)
{
	if (strlen(n->str) >= RULE_TABLE_NAME_SIZE)
		return sema_error(s, n, "too-long",
		    "table name '%s' too long", n->str);
	sema_use_table(s, n, n->str);
	return AST_OK;
}

/* Only timeouts of states, whose names have a dot, may stand in a rule. */
static enum ast_result
timeout_name_of(struct sema *s, struct ast *n)
{
	int i = timeout_number(n->str);

	if (i == -1 || strcmp(timeout_name((unsigned)i), n->str) != 0) {
		sema_blame(s, parser_error(s->parser, n, "timeout",
		    "illegal timeout name %s", n->str), n->str,
		    suggest(n->str, timeout_names()));
		return AST_REFUSED;
	}
	if (strchr(n->str, '.') == NULL)
		return sema_error(s, n, "timeout", "illegal state timeout %s",
		    n->str);
	n->num2 = i;
	return AST_OK;
}

static bool
negative_or_huge(int64_t n)
{
	return n < 0 || n > UINT32_MAX;
}

/* How many of num and num2 are numbers for pf. */
static int
count_values(enum ast_kind kind)
{
	if (kind == AST_STATE_OPT_MAX_SRC_CONN_RATE)
		return 2;
	return kind == AST_STATE_OPT_MAX ||
	    kind == AST_STATE_OPT_MAX_SRC_STATES ||
	    kind == AST_STATE_OPT_MAX_SRC_CONN ||
	    kind == AST_STATE_OPT_MAX_SRC_NODES ||
	    kind == AST_STATE_OPT_TIMEOUT;
}

enum ast_result
sema_state(struct sema *s, struct ast *n)
{
	int values = count_values(n->kind);

	if ((values > 0 && negative_or_huge(n->num)) ||
	    (values > 1 && negative_or_huge(n->num2)))
		return sema_error(s, n, "range",
		    "only positive values permitted");
	if (n->kind == AST_STATE_OPT_OVERLOAD)
		return overload_name(s, n);
	if (n->kind == AST_STATE_OPT_TIMEOUT)
		return timeout_name_of(s, n);
	return AST_OK;
}

/* --- all of a rule --- */

/* What is known of the rule's state while its options are taken. */
struct keeping {
	struct sema	*s;
	struct rule	*r;
	struct rule_timeouts t;
	int64_t		 track;		/* 1 global, 2 rule as written; -1 */
	bool		 locked;	/* if-bound or floating was written */
	bool		 adaptive;	/* adaptive.* was */
};

/* false: the message has been queued. */
typedef bool take_fn(struct keeping *, const struct ast *);

static bool
refuse(struct keeping *k, const struct ast *n, const char *text)
{
	(void)sema_error(k->s, n, "state-option", "%s", text);
	return false;
}

/*
 * Takes a number that may be given once, and must not be 0 where `zero` says
 * so.
 */
static bool
take_limit(struct keeping *k, const struct ast *n, uint32_t *field,
    const char *twice, const char *zero)
{
	if (*field != 0)
		return refuse(k, n, twice);
	if (n->num == 0 && zero != NULL)
		return refuse(k, n, zero);
	*field = (uint32_t)n->num;
	return true;
}

static void
track(struct keeping *k, enum rule_srctrack how)
{
	if (k->r->src_track != RULE_TRACK_RULE)
		k->r->src_track = (uint8_t)how;
}

static bool
take_max(struct keeping *k, const struct ast *n)
{
	return take_limit(k, n, &k->r->max_states,
	    "state option 'max' multiple definitions", NULL);
}

static bool
take_no_sync(struct keeping *k, const struct ast *n)
{
	if (k->r->no_sync)
		return refuse(k, n,
		    "state option 'sync' multiple definitions");
	k->r->no_sync = true;
	return true;
}

static bool
take_track(struct keeping *k, const struct ast *n)
{
	if (k->track != -1)
		return refuse(k, n,
		    "state option 'source-track' multiple definitions");
	k->track = n->num;
	track(k, RULE_TRACK_GLOBAL);
	return true;
}

static bool
take_src_states(struct keeping *k, const struct ast *n)
{
	if (!take_limit(k, n, &k->r->max_src_states,
	    "state option 'max-src-states' multiple definitions",
	    "'max-src-states' must be > 0"))
		return false;
	track(k, RULE_TRACK_GLOBAL);
	return true;
}

static bool
take_src_conn(struct keeping *k, const struct ast *n)
{
	if (!take_limit(k, n, &k->r->max_src_conn,
	    "state option 'max-src-conn' multiple definitions",
	    "'max-src-conn' must be > 0"))
		return false;
	track(k, RULE_TRACK_RULE);
	return true;
}

static bool
take_src_nodes(struct keeping *k, const struct ast *n)
{
	if (!take_limit(k, n, &k->r->max_src_nodes,
	    "state option 'max-src-nodes' multiple definitions",
	    "'max-src-nodes' must be > 0"))
		return false;
	track(k, RULE_TRACK_RULE);
	return true;
}

static bool
take_src_conn_rate(struct keeping *k, const struct ast *n)
{
	if (k->r->max_src_conn_rate.limit != 0)
		return refuse(k, n, "state option 'max-src-conn-rate' "
		    "multiple definitions");
	if (n->num == 0 || n->num2 == 0)
		return refuse(k, n,
		    "'max-src-conn-rate' values must be > 0");
	if (n->num > MAX_RATE) {
		(void)sema_error(k->s, n, "state-option",
		    "'max-src-conn-rate' maximum rate must be < %u",
		    MAX_RATE);
		return false;
	}
	k->r->max_src_conn_rate.limit = (uint32_t)n->num;
	k->r->max_src_conn_rate.seconds = (uint32_t)n->num2;
	track(k, RULE_TRACK_RULE);
	return true;
}

static bool
take_overload(struct keeping *k, const struct ast *n)
{
	if (k->r->overload != NULL)
		return refuse(k, n, "multiple 'overload' table definitions");
	k->r->overload = *n->str != '\0' ? n->str : NULL;
	k->r->flush = n->num == 2 ? 3 : (uint8_t)n->num;
	return true;
}

static bool
take_lock(struct keeping *k, const struct ast *n)
{
	if (k->locked)
		return refuse(k, n,
		    "state locking option: multiple definitions");
	k->locked = true;
	k->r->if_bound = n->num != 0;
	return true;
}

static bool
take_sloppy(struct keeping *k, const struct ast *n)
{
	if (k->r->sloppy)
		return refuse(k, n,
		    "state sloppy option: multiple definitions");
	k->r->sloppy = true;
	return true;
}

static bool
take_pflow(struct keeping *k, const struct ast *n)
{
	if (k->r->pflow)
		return refuse(k, n,
		    "state pflow option: multiple definitions");
	k->r->pflow = true;
	return true;
}

static bool
take_timeout(struct keeping *k, const struct ast *n)
{
	if (n->num2 == TMO_ADAPTIVE_START || n->num2 == TMO_ADAPTIVE_END)
		k->adaptive = true;
	if (k->t.v[n->num2] != 0) {
		(void)sema_error(k->s, n, "state-option", "state timeout %s "
		    "multiple definitions", timeout_name((unsigned)n->num2));
		return false;
	}
	k->t.v[n->num2] = (uint32_t)n->num;
	return true;
}

static bool
take_option(struct keeping *k, const struct ast *n)
{
	static take_fn *const take[] = {
		[AST_STATE_OPT_MAX - AST_STATE_OPT_MAX] = take_max,
		[AST_STATE_OPT_NO_SYNC - AST_STATE_OPT_MAX] = take_no_sync,
		[AST_STATE_OPT_MAX_SRC_STATES - AST_STATE_OPT_MAX] =
		    take_src_states,
		[AST_STATE_OPT_MAX_SRC_CONN - AST_STATE_OPT_MAX] =
		    take_src_conn,
		[AST_STATE_OPT_MAX_SRC_CONN_RATE - AST_STATE_OPT_MAX] =
		    take_src_conn_rate,
		[AST_STATE_OPT_MAX_SRC_NODES - AST_STATE_OPT_MAX] =
		    take_src_nodes,
		[AST_STATE_OPT_OVERLOAD - AST_STATE_OPT_MAX] = take_overload,
		[AST_STATE_OPT_SOURCE_TRACK - AST_STATE_OPT_MAX] = take_track,
		[AST_STATE_OPT_LOCK - AST_STATE_OPT_MAX] = take_lock,
		[AST_STATE_OPT_SLOPPY - AST_STATE_OPT_MAX] = take_sloppy,
		[AST_STATE_OPT_PFLOW - AST_STATE_OPT_MAX] = take_pflow,
		[AST_STATE_OPT_TIMEOUT - AST_STATE_OPT_MAX] = take_timeout,
	};

	return take[n->kind - AST_STATE_OPT_MAX](k, n);
}

/* What one table for all rules cannot limit. */
static bool
check_global(struct keeping *k, const struct ast *n)
{
	const struct rule *r = k->r;

	if (r->max_src_nodes != 0)
		return refuse(k, n, "'max-src-nodes' is incompatible with "
		    "'source-track global'");
	if (r->max_src_conn != 0)
		return refuse(k, n, "'max-src-conn' is incompatible with "
		    "'source-track global'");
	if (r->max_src_conn_rate.seconds != 0)
		return refuse(k, n, "'max-src-conn-rate' is incompatible "
		    "with 'source-track global'");
	return true;
}

static bool
finish_tracking(struct keeping *k, const struct ast *n)
{
	struct rule *r = k->r;
	uint32_t *src_node = &k->t.v[TMO_SRC_NODE];

	if (r->src_track == RULE_TRACK_NONE)
		return true;
	if (k->track == 1 && !check_global(k, n))
		return false;
	if (*src_node < r->max_src_conn_rate.seconds)
		*src_node = r->max_src_conn_rate.seconds;
	if (k->track == 2)
		r->src_track = RULE_TRACK_RULE;
	return true;
}

/* Many rules have the same timeouts, above all those by default. */
static const struct rule_timeouts *
share_timeouts(struct sema *s, const struct rule_timeouts *t)
{
	struct sema_rules *rules = sema_rules(s);

	if (memcmp(t, &rule_no_timeouts, sizeof(*t)) == 0)
		return &rule_no_timeouts;
	if (rules->last_timeouts == NULL ||
	    memcmp(t, rules->last_timeouts, sizeof(*t)) != 0)
		rules->last_timeouts = arena_memdup(&s->rs->arena, t,
		    sizeof(*t));
	return rules->last_timeouts;
}

/* pass keeps state, with the defaults, unless it says something else. */
static const struct ast *
state_options(struct sema *s, const struct ast *written, struct rule *r)
{
	if (written != NULL) {
		r->keep_state = (uint8_t)written->num;
		return written;
	}
	if (r->action != RULE_PASS)
		return NULL;
	r->keep_state = RULE_KEEP_STATE;
	return s->state_defaults;
}

/* Only a new connection makes a state, where nothing else is written. */
static void
default_flags(struct rule *r, bool flags_written)
{
	if (r->action != RULE_PASS || r->keep_state == RULE_NO_STATE ||
	    r->fragment || flags_written || r->flags != 0 || r->flagset != 0)
		return;
	r->flags = (uint8_t)tcp_flags_parse("S");
	r->flagset = (uint8_t)tcp_flags_parse("SA");
}

bool
sema_keep_state(struct sema *s, const struct rule_opts *opts,
    struct statement *st)
{
	struct keeping k = { .s = s, .r = &st->rule, .track = -1 };
	const struct ast *options, *n;

	options = state_options(s, rule_opt(opts, AST_OPT_STATE), k.r);
	for (n = options ? options->first : NULL; n != NULL; n = n->next)
		if (!take_option(&k, n))
			return false;
	default_flags(k.r, rule_opt(opts, AST_OPT_FLAGS) != NULL);
	if (!k.adaptive && k.r->max_states != 0) {
		k.t.v[TMO_ADAPTIVE_START] = k.r->max_states / 10 * 6;
		k.t.v[TMO_ADAPTIVE_END] = k.r->max_states / 10 * 12;
	}
	if (!finish_tracking(&k, options))
		return false;
	if (k.r->keep_state != RULE_NO_STATE && !k.locked)
		k.r->if_bound = s->if_bound;
	k.r->timeout = share_timeouts(s, &k.t);
	return true;
}
