/*
 * --cover-out: what was exercised of the ruleset (../cover/data.h).
 */
#include <stdlib.h>

#include "../cover/data.h"
#include "../pfkit.h"
#include "replay.h"

struct cover_output {
	struct output	 o;		/* first */
	struct cover	*cover;
};

static void
start(struct output *o)
{
	struct cover_output *co = (struct cover_output *)o;
	const struct replay *r = o->replay;

	co->cover = cover_new("replay", r->o->ncaptures > 0 ?
	    r->o->captures[0] : "");
	cover_image(co->cover, r->image);
	cover_attach(co->cover, r->engine);
}

static void
decided(struct output *o, const struct pfk_decision *d)
{
	struct cover_output *co = (struct cover_output *)o;

	cover_decided(co->cover, o->replay->engine, d);
}

static void
end(struct output *o)
{
	struct cover_output *co = (struct cover_output *)o;

	cover_evaluations(co->cover, o->replay->engine);
	cover_write_to(co->cover, o->out);
	cover_free(co->cover);
}

struct output *
cover_out_new(void)
{
	struct cover_output *co = xcalloc(1, sizeof(*co));

	co->o.start = start;
	co->o.decision = decided;
	co->o.end = end;
	return &co->o;
}
