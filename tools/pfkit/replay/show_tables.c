/*
 * --tables: each table as pfctl -vvsT shows it, then its addresses as
 * pfctl -vT show does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "replay.h"
#include "text.h"

static const char *const directions[] = { "In", "Out" };
static const char *const columns[] = { "Block", "Match", "Pass", "XPass" };

/* n columns of each direction. */
static void
out_traffic(struct out *out, const uint64_t *packets, const uint64_t *bytes,
    int n)
{
	char name[16];

	for (int i = 0; i < 2 * n; i++) {
		snprintf(name, sizeof(name), "%s/%s:", directions[i / n],
		    columns[i % n]);
		out_printf(out, "\t%-12s [ Packets: %-18" PRIu64 " Bytes: %-18"
		    PRIu64 " ]\n", name, packets[i], bytes[i]);
	}
}

static void
out_cleared(struct out *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / UINT64_C(1000000000));
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
	out_printf(out, "\tCleared:     %s\n", text);
}

static bool
show_entry(void *arg, const struct pfk_table_entry *e)
{
	struct output *o = arg;

	out_str(o->out, e->neg ? "  !" : "   ");
	out_addr(o->out, e->af, e->addr);
	if (e->bits < (e->af == 4 ? 32 : 128))
		out_printf(o->out, "/%u", e->bits);
	out_char(o->out, '\n');
	out_cleared(o->out, e->since);
	out_traffic(o->out, e->packets[0], e->bytes[0], 3);
	return true;
}

static void
show_table(struct output *o, size_t i)
{
	struct pfk_table_info t;
	struct pfk_counters c;

	pfk_engine_table(o->replay->engine, i, &t);
	if (!t.active && t.references == 0)
		return;
	pfk_engine_counters(o->replay->engine, &c);
	out_printf(o->out, "%c%c%c%c%c%c%c\t%s", t.is_const ? 'c' : '-',
	    t.persist ? 'p' : '-', t.active ? 'a' : '-', '-',
	    t.references > 0 ? 'r' : '-', '-', t.counters ? 'C' : '-', t.name);
	if (*t.anchor != '\0')
		out_printf(o->out, "\t%s", t.anchor);
	out_printf(o->out, "\n\tAddresses:   %zu\n", t.naddrs);
	out_cleared(o->out, c.started);
	out_printf(o->out, "\tReferences:  [ Anchors: %-18u Rules: %-18" PRIu32
	    " ]\n", 0u, t.references);
	out_printf(o->out, "\tEvaluations: [ NoMatch: %-18" PRIu64
	    " Match: %-18" PRIu64 " ]\n", t.nomatch, t.match);
	out_traffic(o->out, t.packets[0], t.bytes[0], 4);
	pfk_engine_table_entries(o->replay->engine, i, show_entry, o);
}

void
show_tables(struct output *o)
{
	size_t n = pfk_engine_tables(o->replay->engine);

	for (size_t i = 0; i < n; i++)
		show_table(o, i);
}
