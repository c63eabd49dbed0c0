/*
 * What pf does to single packets: the last word on fragments, flags that
 * cannot be, and what `scrub` and `set tos` ask for.
 */
#include <string.h>

#include "runtime/fragment.h"
#include "runtime/normalize.h"
#include "runtime/translate.h"

#define IP_RESERVED	0x8000
#define IP_DF		0x4000
#define IP_MF		0x2000
#define IP_OFFSET	0x1fff

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

static bool
set_ip_off(struct pkt *p, uint16_t off)
{
	uint8_t two[2];

	put16(two, off);
	return rewrite_ip(p, 6, two, 2);
}

/*
 * A fragment that says it must not be fragmented contradicts itself; with
 * no-df the bit is taken to be an accident.
 */
static enum outcome
normalize_fragment4(struct pkt *p)
{
	const struct img_options *o = &p->e->opts;
	uint16_t off = get16(p->ip + 6);

	if ((off & IP_DF) != 0) {
		if (!o->reassemble_no_df)
			return drop(p, PFK_REASON_FRAG);
		if (!set_ip_off(p, off & (uint16_t)~IP_DF))
			return drop(p, PFK_REASON_MEMORY);
	}
	return o->reassemble ? frag_reassemble(p) : PKT_PASS;
}

static enum outcome
normalize_ip4(struct pkt *p)
{
	enum outcome out;
	uint16_t off = get16(p->ip + 6);

	if ((off & (IP_MF | IP_OFFSET)) != 0) {
		out = normalize_fragment4(p);
		if (out != PKT_PASS || !p->e->opts.reassemble)
			return out;
		off = get16(p->ip + 6);
	}
	if ((off & IP_RESERVED) != 0 && !set_ip_off(p, off & IP_DF))
		return drop(p, PFK_REASON_MEMORY);
	return PKT_PASS;
}

enum outcome
normalize_ip(struct pkt *p)
{
	if (p->af == PFK_AF_INET)
		return normalize_ip4(p);
	if (p->fragoff == 0 || !p->e->opts.reassemble)
		return PKT_PASS;
	return frag_reassemble(p);
}

/* What the flags should have been; false: no TCP sends such a thing. */
static bool
sane_flags(uint8_t *flags)
{
	if ((*flags & TCP_SYN) != 0) {
		if ((*flags & TCP_RST) != 0)
			return false;
		*flags &= (uint8_t)~TCP_FIN;
	} else if ((*flags & (TCP_ACK | TCP_RST)) == 0)
		return false;
	return (*flags & TCP_ACK) != 0 ||
	    (*flags & (TCP_FIN | TCP_PUSH | TCP_URG)) == 0;
}

enum outcome
normalize_tcp(struct pkt *p)
{
	static const uint8_t no_urgent[2];
	const uint8_t *th = p->ip + p->hdrlen;
	uint8_t word[2];

	word[0] = th[12] & 0xf0;
	word[1] = th[13];
	if (!sane_flags(&word[1]))
		return drop(p, PFK_REASON_NORM);
	if (!rewrite_transport(p, p->hdrlen + 12, word, 2))
		return drop(p, PFK_REASON_MEMORY);
	if ((word[1] & TCP_URG) == 0 &&
	    !rewrite_transport(p, p->hdrlen + 18, no_urgent, 2))
		return drop(p, PFK_REASON_MEMORY);
	return PKT_PASS;
}

bool
scrub_mss(struct pkt *p, uint16_t max_mss)
{
	uint32_t end = p->hdrlen + (p->ip[p->hdrlen + 12] >> 4) * 4u;
	uint32_t i = p->hdrlen + 20;
	uint8_t two[2];

	put16(two, max_mss);
	while (i + 4 <= end) {
		uint8_t kind = p->ip[i], len = p->ip[i + 1];

		if (kind <= 1) {	/* padding */
			i++;
			continue;
		}
		if (kind == 2 && len >= 4 && get16(p->ip + i + 2) > max_mss &&
		    !rewrite_transport(p, i + 2, two, 2))
			return false;
		i += len > 2 ? len : 2;
	}
	return true;
}

uint16_t
scrub_random_id(struct pfk_engine *e)
{
	return (uint16_t)(e_random_below(e, 0xffff) + 1);
}

static bool
scrub_ip4(struct pkt *p, uint16_t flags)
{
	uint16_t off = get16(p->ip + 6);
	uint8_t id[2];

	if ((flags & PFK_STATE_F_NODF) != 0 && (off & IP_DF) != 0) {
		off &= (uint16_t)~IP_DF;
		if (!set_ip_off(p, off))
			return false;
	}
	/* fragments belong together by their id */
	if ((flags & PFK_STATE_F_RANDOMID) == 0 || (off & ~IP_DF) != 0)
		return true;
	put16(id, scrub_random_id(p->e));
	return rewrite_ip(p, 4, id, 2);
}

bool
scrub_apply(struct pkt *p, const struct actions *a)
{
	if (p->af == PFK_AF_INET && !scrub_ip4(p, a->flags))
		return false;
	if (p->ttl < a->min_ttl && !rewrite_ttl(p, a->min_ttl))
		return false;
	return (a->flags & PFK_STATE_F_SETTOS) == 0 ||
	    rewrite_tos(p, a->set_tos);
}
