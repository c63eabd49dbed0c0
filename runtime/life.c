/*
 * An engine's life: made of an image and a host, and ended.
 *
 * The rooms are made in the order of the table, each on top of those before
 * it, and ended in the opposite order; ending one that was never made does
 * nothing, so that a failure halfway needs no special care.
 */
#include <string.h>

#include "runtime/explain.h"
#include "runtime/normalize.h"
#include "runtime/rules_int.h"
#include "runtime/translate.h"

static int
make_ifaces(struct pfk_engine *e, const struct pfk_engine_options *o)
{
	return ifaces_init(e, o->interfaces, o->ninterfaces);
}

static int
make_routes(struct pfk_engine *e, const struct pfk_engine_options *o)
{
	return routes_init(e, o->routes, o->nroutes);
}

static int
make_osfp(struct pfk_engine *e, const struct pfk_engine_options *o)
{
	(void)o;
	return osfp_init(e, image_string(e->image, e->opts.fingerprints));
}

static int
make_buffers(struct pfk_engine *e, const struct pfk_engine_options *o)
{
	(void)o;
	e->work = e_alloc(e, WORK_HEAD + WORK_SIZE);
	e->scratch = e_alloc(e, SCRATCH_SIZE);
	if (e->work == NULL || e->scratch == NULL)
		return -1;
	e->work += WORK_HEAD;
	e->work_whole = true;
	return 0;
}

static void
free_buffers(struct pfk_engine *e)
{
	if (e->work != NULL)
		e_free(e, e->work - (e->work_whole ? WORK_HEAD : 0),
		    WORK_HEAD + WORK_SIZE);
	e_free(e, e->scratch, SCRATCH_SIZE);
}

static void
free_small(struct pfk_engine *e)
{
	e_free(e, e->match_items, e->nmatch_items * sizeof(*e->match_items));
	e_free(e, e->if_counters, e->nif_counters * sizeof(*e->if_counters));
}

#define PLAIN(name)							\
static int								\
make_##name(struct pfk_engine *e, const struct pfk_engine_options *o)	\
{									\
	(void)o;							\
	return name##_init(e);						\
}
PLAIN(tables)
PLAIN(rules)
PLAIN(pools)
PLAIN(states)
PLAIN(nodes)
PLAIN(frags)
PLAIN(tscrubs)
PLAIN(replies)
PLAIN(syncookies)

static const struct room {
	int	(*make)(struct pfk_engine *, const struct pfk_engine_options *);
	void	(*end)(struct pfk_engine *);
} rooms[] = {
	{ make_buffers,		free_buffers },
	{ make_ifaces,		ifaces_free },
	{ make_routes,		routes_free },
	{ make_osfp,		osfp_free },
	{ make_tables,		tables_free },
	{ make_rules,		rules_free },
	{ make_pools,		pools_free },
	{ make_nodes,		nodes_free },
	{ make_frags,		frags_free },
	{ make_tscrubs,		tscrubs_free },
	{ make_states,		states_free },
	{ make_replies,		replies_free },
	{ make_syncookies,	syncookies_free },
};
#define NROOMS	(sizeof(rooms) / sizeof(*rooms))

static bool
make_rooms(struct pfk_engine *e, const struct pfk_engine_options *o)
{
	for (size_t i = 0; i < NROOMS; i++)
		if (rooms[i].make(e, o) != 0)
			return false;
	return true;
}

int
pfk_engine_new(const struct pfk_engine_options *o, struct pfk_engine **out)
{
	const struct pfk_allocator *a = o->allocator != NULL ? o->allocator :
	    &pfk_allocator_libc;
	struct pfk_engine *e = a->fn(a->ctx, NULL, 0, sizeof(*e));

	if (e == NULL)
		return PFK_ERR_NOMEM;
	memset(e, 0, sizeof(*e));
	e->alloc = *a;
	e->image = o->image;
	e->opts = *o->image->options;
	if (o->sink != NULL)
		e->sink = *o->sink;
	e->debug = o->debug < 0 ? e->opts.debug : o->debug;
	e->next_chores = 1;
	e->no_lane = o->no_lane;
	e_seed(e, o->seed);
	if (!make_rooms(e, o)) {
		pfk_engine_free(e);
		return PFK_ERR_NOMEM;
	}
	*out = e;
	return PFK_OK;
}

void
pfk_engine_free(struct pfk_engine *e)
{
	struct pfk_allocator a;

	if (e == NULL)
		return;
	a = e->alloc;
	for (size_t i = NROOMS; i-- > 0;)
		rooms[i].end(e);
	pfk_explain_stop(e);
	free_small(e);
	a.fn(a.ctx, e, sizeof(*e), 0);
}
