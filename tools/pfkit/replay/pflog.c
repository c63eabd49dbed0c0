/*
 * --pflog: what pflog(4) would show, as a capture of link type PFLOG:
 *
 *	length:8 af:8 action:8 reason:8 ifname[16] ruleset[16]
 *	rule:32 subrule:32 uid:32 pid:32 rule uid:32 rule pid:32
 *	dir:8 rewritten:8 naf:8 pad:8
 *	source[16] destination[16] source port:16 destination port:16
 *	and the packet from its IP header on.
 *
 * Numbers of rules are in network order; users and processes, which a
 * capture does not know, have the numbers that mean nobody.
 */
#include <string.h>

#include "../pfkit.h"
#include "pcap_out.h"
#include "replay.h"

#define LINKTYPE_PFLOG	117
#define PFLOG_LEN	100
#define PFLOG_NAME	16
#define NO_RULE		UINT32_MAX
#define NO_UID		UINT32_MAX
#define NO_PID		100000
#define AF_BSD(af)	((af) == 4 ? 2 : 24)	/* OpenBSD's numbers */

static void
out_name(struct out *out, const char *name)
{
	char field[PFLOG_NAME] = "";

	if (name != NULL)
		strncpy(field, name, sizeof(field) - 1);
	out_bytes(out, field, sizeof(field));
}

/* The rule's number in its ruleset. */
static uint32_t
number_of(const struct pfk_engine *e, uint32_t rule, const char **anchor)
{
	struct pfk_rule_info info;

	if (rule == PFK_RULE_DEFAULT || rule == PFK_RULE_NONE)
		return NO_RULE;
	pfk_engine_rule(e, rule, &info);
	*anchor = info.anchor;
	return info.nr;
}

static void
out_owners(struct out *out)
{
	out_le32(out, NO_UID);
	out_le32(out, NO_PID);
	out_le32(out, 0);
	out_le32(out, 0);
}

static void
out_header(struct out *out, const struct pfk_engine *e,
    const struct pfk_log *l)
{
	const char *anchor = NULL, *unused = NULL;
	uint32_t rule = number_of(e, l->rule, &unused);
	uint32_t subrule = number_of(e, l->subrule, &anchor);
	const uint8_t start[] = { PFLOG_LEN, AF_BSD(l->af), l->action,
	    l->reason };
	const uint8_t middle[] = { l->dir, l->rewritten, AF_BSD(l->flow.af),
	    0 };

	out_bytes(out, start, sizeof(start));
	out_name(out, pfk_engine_ifname(e, l->ifid));
	out_name(out, anchor);
	out_be32(out, rule);
	out_be32(out, subrule);
	out_owners(out);
	out_bytes(out, middle, sizeof(middle));
	out_bytes(out, l->flow.src.addr, 16);
	out_bytes(out, l->flow.dst.addr, 16);
	out_bytes(out, &l->flow.src.port, 2);
	out_bytes(out, &l->flow.dst.port, 2);
}

static void
logged(struct output *o, const struct pfk_log *l)
{
	pcap_record(o->out, l->time, PFLOG_LEN + l->iplen,
	    PFLOG_LEN + l->iplen);
	out_header(o->out, o->replay->engine, l);
	out_bytes(o->out, l->ip, l->iplen);
}

/* The header of the file, before the first or instead of any packet. */
struct pflog { struct output output; bool started; };

static void
start(struct output *o)
{
	struct pflog *p = (struct pflog *)o;

	if (!p->started)
		pcap_header(o->out, LINKTYPE_PFLOG);
	p->started = true;
}

static void
log_packet(struct output *o, const struct pfk_log *l)
{
	start(o);
	logged(o, l);
}

static void
header(struct output *o, uint16_t linktype, bool write)
{
	(void)linktype;
	if (write)
		start(o);
	((struct pflog *)o)->started = true;
}

struct output *
pflog_new(void)
{
	struct pflog *p = xcalloc(1, sizeof(*p));

	p->output.log = log_packet;
	p->output.end = start;
	p->output.header = header;
	return &p->output;
}
