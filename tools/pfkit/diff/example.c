/*
 * One packet of a difference, through both rulesets, as `pfkit trace' shows it:
 * an engine that explains, and has never seen a packet.
 *
 * What the packet alone does not decide (probability, the system of its
 * sender) the engine decides as it happens to; the difference says that it
 * rests on it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "../pfkit.h"
#include "../trace/trace.h"
#include "diff.h"

/* What the old firewall calls an interface of the new one. */
static const char *
name_on(const struct diff *d, unsigned which, const char *ifname)
{
	for (size_t i = 0; which == OLD && i < d->o->nmap; i++)
		if (strcmp(d->o->map[i].to, ifname) == 0)
			return d->o->map[i].from;
	return ifname;
}

static void
packet_of(struct packet *k, const struct pfk_exact_packet *p,
    const char *ifname)
{
	memset(k, 0, sizeof(*k));
	k->dir = p->dir;
	snprintf(k->ifname, sizeof(k->ifname), "%s", ifname);
	k->af = p->af;
	k->proto = p->proto;
	memcpy(k->src.addr, p->src, sizeof(k->src.addr));
	memcpy(k->dst.addr, p->dst, sizeof(k->dst.addr));
	k->src.port = htons(p->sport);
	k->dst.port = htons(p->dport);
	k->tcp_flags = p->flags;
	k->icmp_type = p->icmp_type;
	k->icmp_code = p->icmp_code;
	k->ttl = 64;
	k->tos = p->tos;
	k->seq = 1000;
	k->fragment = p->fragment;
	k->options = p->options;
}

static const unsigned short_kinds = 1u << PFK_EXPLAIN_HEADERS |
    1u << PFK_EXPLAIN_RULES | 1u << PFK_EXPLAIN_MATCHES |
    1u << PFK_EXPLAIN_ENTER;

/* The lines, behind the name of the ruleset. */
static void
indent(struct out *out, struct out *memory, unsigned which)
{
	const char *before = which == OLD ? "      old  " : "      new  ";
	size_t len;
	const char *text = out_collected(memory, &len), *end;

	for (; len > 0; len -= (size_t)(end - text), text = end) {
		end = memchr(text, '\n', len);
		end = end == NULL ? text + len : end + 1;
		out_str(out, before);
		out_bytes(out, text, (size_t)(end - text));
		before = "           ";
	}
}

void
diff_trace(struct diff *d, unsigned which, const struct pfk_exact_packet *p)
{
	struct trace_options o = { .json = d->o->json, .every = true };
	struct trace t = { .o = &o, .image = d->image[which],
	    .host = d->host[which], .out = out_memory(),
	    .quotes = quotes_new(), .show = d->o->json ? trace_json_object :
	    d->o->trace ? trace_text : trace_short };
	struct packet k;

	o.ruleset.seed = d->o->ruleset.seed;
	packet_of(&k, p, name_on(d, which, p->ifname));
	trace_engine(&t);
	steps_start(&t);
	if (!d->o->trace)
		pfk_explain_only(t.engine, short_kinds);
	trace_packet(&t, &k, k.dir, 1);
	if (d->o->json)
		out_copy(d->out, t.out, 0, out_length(t.out));
	else
		indent(d->out, t.out, which);
	(void)out_close(t.out);
	steps_free(&t);
	quotes_free(t.quotes);
	pfk_engine_free(t.engine);
}
