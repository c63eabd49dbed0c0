/*
 * Differences for programs: an object a line.
 */
#include <inttypes.h>

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
put_rule(struct diff *d, unsigned which, uint32_t rule)
{
	struct pfk_rule_info info;

	if (rule == PFK_EXACT_DEFAULT) {
		out_str(d->out, "null");
		return;
	}
	pfk_image_rule(d->image[which], rule, &info);
	out_str(d->out, "{\"anchor\":");
	out_json_string(d->out, info.anchor);
	out_printf(d->out, ",\"nr\":%" PRIu32 ",\"file\":", info.nr);
	out_json_string(d->out, info.file);
	out_printf(d->out, ",\"line\":%" PRIu32 ",\"text\":", info.line);
	out_json_string(d->out, info.text);
	out_char(d->out, '}');
}

static void
put_side(struct diff *d, const struct difference *x, unsigned which)
{
	out_str(d->out, which == OLD ? "\"old\":{\"effects\":" :
	    ",\"new\":{\"effects\":");
	out_json_string(d->out, x->effects[which]);
	if (x->outcome[which] != NULL) {
		out_str(d->out, ",\"rule\":");
		put_rule(d, which, x->outcome[which]->rule);
	}
	out_char(d->out, '}');
}

void
diff_json(struct diff *d, const struct difference *x)
{
	struct list l = { d->out, "" };
	char packet[256];
	bool more;

	out_char(d->out, '{');
	put_side(d, x, OLD);
	put_side(d, x, NEW);
	out_str(d->out, ",\"packets\":[");
	pfk_set_describe(d->exact, x->set, d->scope, d->o->lines, put_string,
	    &l, &more);
	out_printf(d->out, "],\"more\":%s,\"rests_on\":[",
	    more ? "true" : "false");
	l.between = "";
	pfk_set_questions(d->exact, x->set, put_string, &l);
	out_str(d->out, "],\"example\":");
	pfk_exact_packet_text(&x->example, packet, sizeof(packet));
	out_json_string(d->out, packet);
	out_str(d->out, "}\n");
}
