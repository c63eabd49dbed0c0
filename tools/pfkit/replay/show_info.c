/*
 * --info: counters as pfctl -vsi prints them.  The filter was enabled with
 * the first packet.
 */
#include <inttypes.h>
#include <stdio.h>

#include "replay.h"

#define SECOND	UINT64_C(1000000000)

static void
out_current(struct out *out, const char *name, uint64_t value)
{
	out_printf(out, "  %-25s %14" PRIu64 " %14s\n", name, value, "");
}

/* A counter, and how often that is in a second. */
static void
out_counter(struct out *out, const char *name, uint64_t value,
    uint64_t seconds)
{
	out_printf(out, "  %-25s %14" PRIu64 " ", name, value);
	if (seconds > 0)
		out_printf(out, "%14.1f/s\n", (double)value / (double)seconds);
	else
		out_printf(out, "%14s\n", "");
}

static void
out_three(struct out *out, uint64_t searches, uint64_t inserts,
    uint64_t removals, uint64_t seconds)
{
	out_counter(out, "searches", searches, seconds);
	out_counter(out, "inserts", inserts, seconds);
	out_counter(out, "removals", removals, seconds);
}

static void
out_status(struct out *out, uint64_t seconds)
{
	char line[64];

	snprintf(line, sizeof(line), "Status: Enabled for %" PRIu64
	    " days %.2u:%.2u:%.2u", seconds / 86400,
	    (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
	    (unsigned)(seconds % 60));
	out_printf(out, "%s\n\n", line);
}

void
show_info(struct output *o)
{
	struct out *out = o->out;
	struct pfk_counters c;
	uint64_t s;

	pfk_engine_counters(o->replay->engine, &c);
	s = c.now > c.started ? (c.now - c.started) / SECOND : 0;
	out_status(out, s);
	out_printf(out, "%-27s %14s %16s\n", "State Table", "Total", "Rate");
	out_current(out, "current entries", c.states);
	out_current(out, "half-open tcp", c.halfopen);
	out_three(out, c.searches, c.inserts, c.removals, s);
	out_str(out, "Source Tracking Table\n");
	out_current(out, "current entries", c.src_nodes);
	out_three(out, c.src_searches, c.src_inserts, c.src_removals, s);
	out_str(out, "Fragments\n");
	out_current(out, "current entries", c.fragments);
	out_three(out, c.fragment_searches, c.fragment_inserts,
	    c.fragment_removals, s);
	out_str(out, "Counters\n");
	for (int i = 0; i < PFK_NREASONS; i++)
		out_counter(out, pfk_reason_name((enum pfk_reason)i),
		    c.reasons[i], s);
	out_str(out, "Limit Counters\n");
	for (unsigned i = 0; pfk_limit_counter_name(i) != NULL; i++)
		out_counter(out, pfk_limit_counter_name(i), c.limits[i], s);
}
