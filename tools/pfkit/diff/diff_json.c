/*
 * Differences for programs: an object a line.
 */
#include "../pfkit.h"
#include "diff.h"

struct list { struct out *out; const char *between; };

static void
put_string(void *ctx, const char *s)
{
	struct list *l = ctx;

	out_str(l->out, l->between);
	out_json_string(l->out, s);
	l->between = ",";
}

static void
put_effects(struct diff *d, const char *name, const char *effects)
{
	out_printf(d->out, "\"%s\":{\"effects\":", name);
	out_json_string(d->out, effects);
	out_char(d->out, '}');
}

static void
put_packets(struct diff *d, const struct difference *x)
{
	struct list l = { d->out, "" };
	bool more;

	out_str(d->out, ",\"packets\":[");
	more = diff_lines(d, x->set, put_string, &l);
	if (pfk_exact_error(d->exact) != PFK_OK) {
		pfk_exact_resume(d->exact);
		more = true;
	}
	out_printf(d->out, "],\"more\":%s,\"rests_on\":[",
	    more ? "true" : "false");
	l.between = "";
	pfk_set_questions(d->exact, x->set, put_string, &l);
	pfk_exact_resume(d->exact);
	out_char(d->out, ']');
}

static void
put_example(struct diff *d, const struct difference *x)
{
	struct pfk_exact_packet p;
	char packet[256];

	if (!diff_example(d, x->set, &p))
		return;
	pfk_exact_packet_text(&p, packet, sizeof(packet));
	out_str(d->out, ",\"example\":");
	out_json_string(d->out, packet);
	out_str(d->out, ",\"supposed\":[");
	for (size_t i = 0; i < d->nsupposed; i++) {
		out_printf(d->out, "%s{\"%s_in\":", i > 0 ? "," : "",
		    d->supposed[i].side == 0 ? "source" : "destination");
		out_json_string(d->out, d->supposed[i].name);
		out_char(d->out, '}');
	}
	out_str(d->out, "]");
	out_str(d->out, ",\"trace\":{\"old\":[");
	diff_trace(d, OLD, &p);
	out_str(d->out, "],\"new\":[");
	diff_trace(d, NEW, &p);
	out_str(d->out, "]}");
}

void
diff_json(struct diff *d, const struct difference *x)
{
	out_char(d->out, '{');
	put_effects(d, "old", x->effects[OLD]);
	out_char(d->out, ',');
	put_effects(d, "new", x->effects[NEW]);
	put_packets(d, x);
	put_example(d, x);
	out_str(d->out, "}\n");
}

void
diff_json_left_out(struct diff *d, const struct left_out *l)
{
	out_str(d->out, "{\"left_out\":");
	out_json_string(d->out, l->what);
	out_printf(d->out, ",\"why\":\"%s\"}\n", l->why);
}
