/*
 * Link headers: where the IP packet of a captured frame begins.
 *
 * Each link type has a small function that moves a cursor over its header and
 * says which protocol follows, as an EtherType; VLAN tags (any number, 802.1Q
 * and 802.1ad) are taken off wherever an EtherType stands.  Types that carry
 * bare IP give 0: the version nibble decides.
 */
#include <string.h>

#include "runtime/pkt.h"

enum { LINKTYPE_NULL = 0, LINKTYPE_ETHERNET = 1, LINKTYPE_RAW_BSD = 12,
    LINKTYPE_RAW_OLD = 14, LINKTYPE_RAW = 101, LINKTYPE_LOOP = 108,
    LINKTYPE_LINUX_SLL = 113, LINKTYPE_PFLOG = 117, LINKTYPE_IPV4 = 228,
    LINKTYPE_IPV6 = 229, LINKTYPE_LINUX_SLL2 = 276 };
enum { ETHERTYPE_IP = 0x0800, ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IPV6 = 0x86dd, ETHERTYPE_QINQ = 0x88a8 };
#define TYPE_BY_VERSION	0

struct cursor {
	const uint8_t	*p;
	uint32_t	 off, len;	/* len: bytes captured */
};

/* The next n bytes, or NULL. */
static const uint8_t *
take(struct cursor *c, uint32_t n)
{
	const uint8_t *p = c->p + c->off;

	if (c->len - c->off < n)
		return NULL;
	c->off += n;
	return p;
}

/* An EtherType and the tags that may stand before it. */
static bool
ethertype(struct cursor *c, uint16_t *type)
{
	const uint8_t *p;

	if ((p = take(c, 2)) == NULL)
		return false;
	*type = get16(p);
	while (*type == ETHERTYPE_VLAN || *type == ETHERTYPE_QINQ) {
		if ((p = take(c, 4)) == NULL)
			return false;
		*type = get16(p + 2);
	}
	return true;
}

static bool
link_ethernet(struct cursor *c, uint16_t *type)
{
	return take(c, 12) != NULL && ethertype(c, type);
}

/* The family numbers of the systems that write such captures. */
static uint16_t
family_type(uint32_t family)
{
	switch (family) {
	case 2:
		return ETHERTYPE_IP;
	case 10:		/* Linux */
	case 24:		/* NetBSD, OpenBSD */
	case 28:		/* FreeBSD */
	case 30:		/* macOS */
		return ETHERTYPE_IPV6;
	default:
		return 0xffff;
	}
}

/* The family in the byte order of the machine that captured. */
static bool
link_null(struct cursor *c, uint16_t *type)
{
	const uint8_t *p = take(c, 4);
	uint32_t family;

	if (p == NULL)
		return false;
	family = get32(p);
	if (family > 0xffff)
		family = (uint32_t)p[1] << 8 | p[0];
	*type = family_type(family);
	return true;
}

static bool
link_loop(struct cursor *c, uint16_t *type)
{
	const uint8_t *p = take(c, 4);

	if (p == NULL)
		return false;
	*type = family_type(get32(p));
	return true;
}

static bool
link_sll(struct cursor *c, uint16_t *type)
{
	return take(c, 14) != NULL && ethertype(c, type);
}

static bool
link_sll2(struct cursor *c, uint16_t *type)
{
	const uint8_t *p = take(c, 20);
	struct cursor tags;

	if (p == NULL)
		return false;
	*type = get16(p);
	if (*type != ETHERTYPE_VLAN && *type != ETHERTYPE_QINQ)
		return true;
	tags = *c;		/* tag, type, as behind an EtherType */
	if (take(&tags, 2) == NULL || !ethertype(&tags, type))
		return false;
	*c = tags;
	return true;
}

static bool
link_raw(struct cursor *c, uint16_t *type)
{
	(void)c;
	*type = TYPE_BY_VERSION;
	return true;
}

/* The length in the header's first byte, rounded up. */
static bool
link_pflog(struct cursor *c, uint16_t *type)
{
	const uint8_t *p = c->p;

	if (c->len < 4 || p[0] < 4 || take(c, (p[0] + 3u) & ~3u) == NULL)
		return false;
	*type = TYPE_BY_VERSION;
	return true;
}

static const struct link_type {
	uint16_t	linktype;
	bool		(*header)(struct cursor *, uint16_t *type);
} link_types[] = {
	{ LINKTYPE_ETHERNET,	link_ethernet },
	{ LINKTYPE_RAW,		link_raw },
	{ LINKTYPE_RAW_BSD,	link_raw },
	{ LINKTYPE_RAW_OLD,	link_raw },
	{ LINKTYPE_IPV4,	link_raw },
	{ LINKTYPE_IPV6,	link_raw },
	{ LINKTYPE_NULL,	link_null },
	{ LINKTYPE_LOOP,	link_loop },
	{ LINKTYPE_LINUX_SLL,	link_sll },
	{ LINKTYPE_LINUX_SLL2,	link_sll2 },
	{ LINKTYPE_PFLOG,	link_pflog },
};

static const struct link_type *
link_find(uint16_t linktype)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(*link_types); i++)
		if (link_types[i].linktype == linktype)
			return &link_types[i];
	return NULL;
}

bool
pfk_link_known(uint16_t linktype)
{
	return link_find(linktype) != NULL;
}

/* The version that the type announces, or that the packet has. */
static uint8_t
network_af(const struct cursor *c, uint16_t type)
{
	if (type == ETHERTYPE_IP)
		return PFK_AF_INET;
	if (type == ETHERTYPE_IPV6)
		return PFK_AF_INET6;
	if (type == TYPE_BY_VERSION && c->off < c->len)
		switch (c->p[c->off] >> 4) {
		case 4:
			return PFK_AF_INET;
		case 6:
			return PFK_AF_INET6;
		}
	return PFK_AF_UNSPEC;
}

bool
pfk_link_decode(uint16_t linktype, const uint8_t *data, uint32_t caplen,
    uint32_t wirelen, struct pfk_network *net)
{
	const struct link_type *lt = link_find(linktype);
	struct cursor c = { data, 0, caplen };
	uint16_t type;
	uint8_t af;

	if (lt == NULL || !lt->header(&c, &type) ||
	    (af = network_af(&c, type)) == PFK_AF_UNSPEC)
		return false;
	net->af = af;
	net->off = c.off;
	net->caplen = caplen - c.off;
	net->wirelen = wirelen > c.off ? wirelen - c.off : 0;
	if (net->wirelen < net->caplen)
		net->wirelen = net->caplen;
	return true;
}

/*
 * The fields of pflog(4)'s header that tell where a packet was.
 *
 *	0	4	   20	       36    40    44	  60   61
 *	| len.. | ifname[16] | ruleset | nr  | sub | ids  | dir
 */
bool
pfk_pflog_decode(const uint8_t *p, uint32_t len, struct pfk_pflog *out)
{
	if (len < 61 || p[0] < 61)
		return false;
	memcpy(out->ifname, p + 4, 16);
	out->ifname[16] = '\0';
	out->dir = p[60] == PFK_OUT ? PFK_OUT : PFK_IN;
	out->action = p[2];
	out->reason = p[3];
	out->rule = get32(p + 36);
	return true;
}
