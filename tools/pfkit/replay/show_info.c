/*
 * --info: counters as pfctl -vsi prints them.  The filter was enabled with
 * the first packet.  pfctl's line with the checksum of the loaded rules is
 * left out: it says nothing here.
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
out_status(struct out *out, const struct pfk_settings *set, uint64_t seconds)
{
	static const char *const levels[] = { "emerg", "alert", "crit", "err",
	    "warning", "notice", "info", "debug" };
	char line[64], debug[16];

	snprintf(line, sizeof(line), "Status: Enabled for %" PRIu64
	    " days %.2u:%.2u:%.2u", seconds / 86400,
	    (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
	    (unsigned)(seconds % 60));
	snprintf(debug, sizeof(debug), "Debug: %s", levels[set->debug & 7]);
	out_printf(out, "%-44s%15s\n\nHostid:   0x%08" PRIx32 "\n\n", line,
	    debug, set->hostid);
}

/* IPv4 and IPv6 side by side. */
static void
out_pair(struct out *out, const char *name, const uint64_t pair[2])
{
	out_printf(out, "  %-25s %14" PRIu64 " %16" PRIu64 "\n", name, pair[0],
	    pair[1]);
}

static void
out_interface(struct out *out, const struct pfk_if_counters *c,
    const char *name)
{
	static const char *const ways[] = { "In", "Out" };
	char text[32];

	out_printf(out, "Interface Stats for %-16s %5s %16s\n", name, "IPv4",
	    "IPv6");
	for (int way = 0; way < 2; way++) {
		uint64_t sum[2];

		for (int v6 = 0; v6 < 2; v6++)
			sum[v6] = c->bytes[way][0][v6] + c->bytes[way][1][v6];
		snprintf(text, sizeof(text), "Bytes %s", ways[way]);
		out_pair(out, text, sum);
	}
	for (int way = 0; way < 2; way++) {
		out_printf(out, "  Packets %s\n", ways[way]);
		out_pair(out, "  Passed", c->packets[way][0]);
		out_pair(out, "  Blocked", c->packets[way][1]);
	}
	out_char(out, '\n');
}

/* What `set loginterface' asks for. */
static void
out_loginterface(struct output *o, const char *name)
{
	struct pfk_if_counters c;
	int id = *name != '\0' ?
	    pfk_engine_interface(o->replay->engine, name) : -1;

	if (id < 0)
		return;
	pfk_engine_if_counters(o->replay->engine, (unsigned)id, &c);
	out_interface(o->out, &c, name);
}

static void
out_watermarks(struct out *out, const struct pfk_settings *set)
{
	out_str(out, "Adaptive Syncookies Watermarks\n");
	out_printf(out, "  %-25s %14" PRIu32 " states\n", "start",
	    set->syncookies[0]);
	out_printf(out, "  %-25s %14" PRIu32 " states\n", "end",
	    set->syncookies[1]);
}

void
show_info(struct output *o)
{
	struct out *out = o->out;
	struct pfk_settings set;
	struct pfk_counters c;
	uint64_t s;

	pfk_image_settings(o->replay->image, &set);
	if (o->replay->o->debug >= 0)
		set.debug = o->replay->o->debug;
	pfk_engine_counters(o->replay->engine, &c);
	s = c.now > c.started ? (c.now - c.started) / SECOND : 0;
	out_status(out, &set, s);
	out_loginterface(o, set.loginterface);
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
	out_watermarks(out, &set);
}
