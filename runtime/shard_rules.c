/*
 * What connections have in common by a ruleset.  Where there is any of it, a
 * decision may depend on packets of all other connections before it, and
 * engines cannot share the packets.
 *
 * Counters are no such thing: they add up.  Nor is the number of all states,
 * which limits and adaptive timeouts ask for: see pfkit/shard.h.
 */
#include "runtime/rules_int.h"
#include "runtime/shard.h"
#include "runtime/table.h"

#define LAST_QUIET	3	/* `set debug`: nothing is told up to here */

static const char *
pool_shared(const struct pfk_image *im, uint32_t pool)
{
	const struct img_pool *p = &im->pools[pool];

	if (p->sticky)
		return "sticky addresses";
	switch ((enum img_pooltype)p->type) {
	case IMG_POOL_NONE: case IMG_POOL_BITMASK: case IMG_POOL_SOURCE_HASH:
		return NULL;
	case IMG_POOL_RANDOM:
		return "random addresses";
	case IMG_POOL_ROUND_ROBIN:
		return "round-robin";
	case IMG_POOL_LEAST_STATES:
		return "least-states";
	}
	return "its pool";
}

static const char *
limits_shared(const struct pfk_image *im, const struct img_rule *r)
{
	if (r->max_states != 0)
		return "a limit of states of the rule";
	if (r->src_track != IMG_TRACK_NONE || r->max_src_nodes != 0 ||
	    r->max_src_states != 0 || r->max_src_conn != 0 ||
	    r->max_src_conn_rate[0] != 0 || r->overload != IMG_NONE)
		return "source tracking";
	if (r->pktrate[0] != 0)
		return "max-pkt-rate";
	if (image_timeout(im, r, IMG_TMO_ADAPTIVE_START) != 0)
		return "adaptive timeouts of the rule";
	return NULL;
}

static const char *
rule_shared(const struct pfk_image *im, const struct img_rule *r)
{
	const char *what = shard_translation(im, r);

	if (what != NULL)
		return what;
	if (r->route != IMG_NONE && pool_shared(im, r->route) != NULL)
		return pool_shared(im, r->route);
	if (r->prob != 0)
		return "probability";
	if (r->flags & IMG_R_ONCE)
		return "once";
	if (r->keep_state == IMG_MODULATE_STATE)
		return "modulate state: random numbers";
	if (r->keep_state == IMG_SYNPROXY_STATE)
		return "synproxy state: random numbers";
	if (r->flags & IMG_R_RANDOMID)
		return "random-id";
	if (r->flags & IMG_R_REASSEMBLE_TCP)
		return "reassemble tcp: random numbers";
	return limits_shared(im, r);
}

/* What belongs to no rule: each a text or NULL. */
enum { WHOLE_RESTORED, WHOLE_LOADED, WHOLE_COOKIES, WHOLE_DEBUG, WHOLE_TABLES,
    WHOLE_NETS, NWHOLE };

static void
whole_shared(const struct pfk_image *im, const struct img_options *o,
    int debug, const char *what[NWHOLE])
{
	struct shard_nets nets;

	if (o->syncookies != IMG_SYNCOOKIES_NEVER)
		what[WHOLE_COOKIES] = "syncookies";
	if (debug > LAST_QUIET)
		what[WHOLE_DEBUG] = "debug messages";
	for (uint32_t i = 0; i < im->ntables; i++)
		if (im->tables[i].flags & IMG_T_COUNTERS)
			what[WHOLE_TABLES] = "tables with counters";
	if (!shard_nets_init(&nets, im))
		what[WHOLE_NETS] = "translation of too many networks";
}

/* *next counts what belongs to no rule, then the rules. */
static const char *
next_shared(const struct pfk_image *im, const char *const whole[NWHOLE],
    size_t *next, uint32_t *rule)
{
	const char *what = NULL;
	size_t i = *next;

	*rule = PFK_RULE_NONE;
	for (; what == NULL && i < NWHOLE; i++)
		what = whole[i];
	for (; what == NULL && i - NWHOLE < im->nrules; i++)
		if ((what = rule_shared(im, &im->rules[i - NWHOLE])) != NULL)
			*rule = (uint32_t)(i - NWHOLE);
	*next = i;
	return what;
}

const char *
pfk_engine_shared(const struct pfk_engine *e, size_t *next, uint32_t *rule)
{
	const char *whole[NWHOLE] = { NULL };

	if (e->started)
		whole[WHOLE_RESTORED] = "a state that was restored";
	if (e->nattached > 0)
		whole[WHOLE_LOADED] = "anchors that were loaded";
	if (*next < NWHOLE)
		whole_shared(e->image, &e->opts, e->debug, whole);
	return next_shared(e->image, whole, next, rule);
}

const char *
pfk_image_shared(const struct pfk_image *im, size_t *next, uint32_t *rule)
{
	const char *whole[NWHOLE] = { NULL };

	if (*next < NWHOLE)
		whole_shared(im, im->options, im->options->debug, whole);
	return next_shared(im, whole, next, rule);
}
