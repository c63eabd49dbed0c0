/*
 * --sources: source tracking as pfctl -vsS shows it.
 */
#include <inttypes.h>
#include <string.h>

#include "replay.h"
#include "text.h"

static const char *const kinds[] = { NULL, "nat-to", "rdr-to", "route-to" };

static void
out_span(struct out *out, const char *what, uint32_t s)
{
	out_printf(out, "%s%.2" PRIu32 ":%.2" PRIu32 ":%.2" PRIu32, what,
	    s / 3600, s / 60 % 60, s % 60);
}

static bool
show_source(void *arg, const struct pfk_src_node *n)
{
	static const uint8_t none[16];
	struct output *o = arg;
	struct out *out = o->out;
	struct pfk_rule_info info;

	out_addr(out, n->af, n->addr);
	if (n->type < 4 && kinds[n->type] != NULL &&
	    memcmp(n->raddr, none, sizeof(none)) != 0) {
		out_printf(out, " %s ", kinds[n->type]);
		out_addr(out, n->af, n->raddr);
	}
	out_printf(out, " ( states %" PRIu32 ", connections %" PRIu32
	    ", rate %" PRIu32 ".%" PRIu32 "/%" PRIu32 "s )\n", n->states,
	    n->connections, n->rate_count / 1000, n->rate_count % 1000 / 100,
	    n->rate_seconds);
	out_span(out, "   age ", n->age);
	if (n->states == 0)
		out_span(out, ", expires in ", n->expires);
	out_printf(out, ", %" PRIu64 " pkts, %" PRIu64 " bytes",
	    n->packets[0] + n->packets[1], n->bytes[0] + n->bytes[1]);
	if (n->rule < PFK_RULE_NONE) {
		pfk_engine_rule(o->replay->engine, n->rule, &info);
		out_printf(out, ", rule %" PRIu32, info.nr);
	}
	out_char(out, '\n');
	return true;
}

void
show_sources(struct output *o)
{
	pfk_engine_src_nodes(o->replay->engine, show_source, o);
}
