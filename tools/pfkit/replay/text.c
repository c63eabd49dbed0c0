/*
 * See text.h.  IPv4 addresses are written by hand: they stand in every line.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../common/report.h"
#include "text.h"

static char *
put_byte(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

const char *
addr_text(uint8_t af, const uint8_t *addr, char *text)
{
	char *p = text;

	if (af == 6)
		return inet_ntop(AF_INET6, addr, text, ADDR_TEXT);
	for (int i = 0; i < 4; i++) {
		p = put_byte(p, addr[i]);
		*p++ = '.';
	}
	p[-1] = '\0';
	return text;
}

void
out_addr(struct out *o, uint8_t af, const uint8_t *addr)
{
	char text[ADDR_TEXT];

	out_str(o, addr_text(af, addr, text));
}

void
out_endpoint(struct out *o, uint8_t af, const struct pfk_endpoint *e,
    bool port)
{
	out_addr(o, af, e->addr);
	if (!port)
		return;
	out_char(o, af == 6 ? '[' : ':');
	out_number(o, ntohs(e->port));
	if (af == 6)
		out_char(o, ']');
}

void
out_flow(struct out *o, const struct pfk_flow *f)
{
	out_endpoint(o, f->af, &f->src, f->has_ports);
	out_str(o, " > ");
	out_endpoint(o, f->af, &f->dst, f->has_ports);
}

void
out_rule(struct out *o, const struct pfk_engine *e, uint32_t rule)
{
	struct pfk_rule_info info;

	if (rule == PFK_RULE_NONE) {
		out_char(o, '-');
		return;
	}
	if (rule == PFK_RULE_DEFAULT) {
		out_str(o, "default");
		return;
	}
	pfk_engine_rule(e, rule, &info);
	if (info.anchor != NULL && *info.anchor != '\0') {
		out_str(o, info.anchor);
		out_char(o, ':');
	}
	out_number(o, info.nr);
}

void
out_rule_text(struct out *o, const struct pfk_engine *e, uint32_t rule)
{
	char small[512], *text = small;
	size_t len = pfk_engine_rule_text(e, rule, small, sizeof(small));

	if (len >= sizeof(small)) {
		text = xcalloc(1, len + 1);
		(void)pfk_engine_rule_text(e, rule, text, len + 1);
	}
	out_bytes(o, text, len);
	if (text != small)
		free(text);
}

/* A blank before all but the first. */
static void
separate(struct out *o, bool *any)
{
	if (*any)
		out_char(o, ' ');
	*any = true;
}

/* After af-to such numbers are not those of the same header. */
static bool
told(struct out *o, const struct pfk_decision *d, unsigned which, bool *any)
{
	if ((d->changed & which) == 0 || (d->changed & PFK_CHANGED_AF) != 0)
		return false;
	separate(o, any);
	return true;
}

bool
out_changes(struct out *o, const struct pfk_decision *d)
{
	bool any = false;

	if ((d->changed & PFK_CHANGED_FLOW) != 0) {
		separate(o, &any);
		out_flow(o, &d->after);
	}
	if (told(o, d, PFK_CHANGED_TTL, &any))
		out_printf(o, "ttl=%u", d->ttl);
	if (told(o, d, PFK_CHANGED_TOS, &any))
		out_printf(o, "tos=0x%02x", d->tos);
	if (told(o, d, PFK_CHANGED_DF, &any))
		out_printf(o, "df=%u", d->df);
	if (told(o, d, PFK_CHANGED_MSS, &any))
		out_printf(o, "mss=%u", d->mss);
	if ((d->changed & PFK_CHANGED_QUOTE) != 0) {
		separate(o, &any);
		out_str(o, "quoting ");
		out_flow(o, &d->quote);
	}
	return any;
}

static void
out_reply(struct out *o, const struct pfk_reply *r)
{
	static const char *const names[] = { "rst", "synack", "ack", "syn",
	    "icmp", "icmp6" };
	bool icmp = r->kind == PFK_REPLY_ICMP || r->kind == PFK_REPLY_ICMP6;

	out_str(o, names[r->kind]);
	if (icmp)
		out_printf(o, " %u/%u", r->icmp_type, r->icmp_code);
	else if (r->ttl != 64)
		out_printf(o, " ttl=%u", r->ttl);
}

bool
out_replies(struct out *o, const struct pfk_decision *d)
{
	for (unsigned i = 0; i < d->nreplies; i++) {
		if (i > 0)
			out_char(o, ',');
		out_reply(o, &d->replies[i]);
	}
	return d->nreplies > 0;
}

const char *
state_use_name(enum pfk_state_use use)
{
	switch (use) {
	case PFK_STATE_NEW:
		return "new";
	case PFK_STATE_MATCH:
		return "match";
	case PFK_STATE_NONE:
		break;
	}
	return "none";
}

const char *
time_text(uint64_t ns, char *text)
{
	time_t seconds = (time_t)(ns / UINT64_C(1000000000));
	struct tm tm;
	size_t n = 0;

	if (gmtime_r(&seconds, &tm) != NULL)
		n = strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, TIME_TEXT - n, ".%06" PRIu64 "Z",
	    ns / 1000 % 1000000);
	return text;
}
