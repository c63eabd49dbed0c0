/*
 * --json: an object for each decision, one a line.  What there is not is
 * left out.  Names and values are those of --verdicts.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "../pfkit.h"
#include "replay.h"
#include "text.h"

static void
json_field(struct out *out, const char *name, const char *value)
{
	out_printf(out, ",\"%s\":", name);
	out_json_string(out, value);
}

static void
json_end_of_flow(struct out *out, const char *name, const struct pfk_flow *f,
    const struct pfk_endpoint *e)
{
	char addr[ADDR_TEXT];

	out_printf(out, "\"%s\":{\"address\":\"%s\"", name,
	    addr_text(f->af, e->addr, addr));
	if (f->has_ports)
		out_printf(out, ",\"port\":%u", ntohs(e->port));
	out_char(out, '}');
}

static void
json_flow(struct out *out, const char *name, const struct pfk_flow *f)
{
	out_printf(out, ",\"%s\":{\"family\":%u,\"protocol\":%u,", name, f->af,
	    f->proto);
	json_end_of_flow(out, "source", f, &f->src);
	out_char(out, ',');
	json_end_of_flow(out, "destination", f, &f->dst);
	out_char(out, '}');
}

static void
json_rule(struct out *out, const struct pfk_engine *e, uint32_t rule)
{
	struct pfk_rule_info info;

	if (rule == PFK_RULE_NONE)
		return;
	if (rule == PFK_RULE_DEFAULT) {
		out_str(out, ",\"rule\":{\"default\":true}");
		return;
	}
	pfk_engine_rule(e, rule, &info);
	out_printf(out, ",\"rule\":{\"number\":%" PRIu32, info.nr);
	if (info.anchor != NULL && *info.anchor != '\0')
		json_field(out, "anchor", info.anchor);
	if (info.label != NULL)
		json_field(out, "label", info.label);
	json_field(out, "text", info.text);
	if (info.file != NULL && *info.file != '\0') {
		json_field(out, "file", info.file);
		out_printf(out, ",\"line\":%" PRIu32, info.line);
	}
	out_char(out, '}');
}

static void
json_change(struct out *out, const struct pfk_decision *d, unsigned which,
    const char *name, unsigned value)
{
	if ((d->changed & which) != 0 && (d->changed & PFK_CHANGED_AF) == 0)
		out_printf(out, ",\"%s\":%u", name, value);
}

static void
json_changes(struct out *out, const struct pfk_decision *d)
{
	if (d->verdict != PFK_PASS || d->changed == 0)
		return;
	if ((d->changed & PFK_CHANGED_FLOW) != 0)
		json_flow(out, "becomes", &d->after);
	if ((d->changed & PFK_CHANGED_QUOTE) != 0)
		json_flow(out, "quoting", &d->quote);
	json_change(out, d, PFK_CHANGED_TTL, "ttl", d->ttl);
	json_change(out, d, PFK_CHANGED_TOS, "tos", d->tos);
	json_change(out, d, PFK_CHANGED_DF, "df", d->df);
	json_change(out, d, PFK_CHANGED_MSS, "mss", d->mss);
}

static void
json_replies(struct out *out, const struct pfk_decision *d)
{
	static const char *const kinds[] = { "rst", "synack", "ack", "syn",
	    "icmp", "icmp6" };

	if (d->nreplies == 0)
		return;
	out_str(out, ",\"answers\":[");
	for (unsigned i = 0; i < d->nreplies; i++) {
		const struct pfk_reply *r = &d->replies[i];

		out_printf(out, "%s{\"kind\":\"%s\",\"ttl\":%u",
		    i > 0 ? "," : "", kinds[r->kind], r->ttl);
		if (r->kind == PFK_REPLY_ICMP || r->kind == PFK_REPLY_ICMP6)
			out_printf(out, ",\"type\":%u,\"code\":%u",
			    r->icmp_type, r->icmp_code);
		out_char(out, '}');
	}
	out_char(out, ']');
}

static void
json_object(struct output *o, const struct pfk_decision *d)
{
	const struct pfk_engine *e = o->replay->engine;
	struct out *out = o->out;
	char time[TIME_TEXT];

	out_printf(out, "{\"packet\":%" PRIu64 ",\"time\":\"%s\"", d->number,
	    time_text(d->time, time));
	if (d->second)
		out_str(out, ",\"second\":true");
	json_field(out, "direction", d->dir == PFK_OUT ? "out" : "in");
	json_field(out, "interface", pfk_engine_ifname(e, d->ifid));
	json_field(out, "verdict", pfk_verdict_name(d->verdict));
	if (d->verdict == PFK_PASS || d->verdict == PFK_BLOCK ||
	    d->verdict == PFK_DROP)
		json_field(out, "reason", pfk_reason_name(d->reason));
	json_rule(out, e, d->rule);
	json_field(out, "state", state_use_name(d->state));
	if (d->state_id != 0) {
		out_str(out, ",\"state_id\":\"");
		out_state_id(out, d->state_id);
		out_char(out, '"');
	}
	if (d->before.af != 0)
		json_flow(out, "flow", &d->before);
	json_changes(out, d);
	json_replies(out, d);
	out_str(out, "}\n");
}

struct output *
json_new(void)
{
	struct output *o = xcalloc(1, sizeof(*o));

	o->decision = json_object;
	return o;
}
