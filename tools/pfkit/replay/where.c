/*
 * Where packets were seen.  Who is asked, in this order, for the interface
 * and for the direction (the first that knows wins):
 *
 *	1. --directions: the packet's line
 *	2. IFACE[:DIR]=FILE: the capture's
 *	3. -i, -d: for all packets
 *	4. the capture: pcapng's interface name and flags, pflog's header
 *	5. the first interface that is not a loopback; the source address:
 *	   one of --local (else of the host's own) goes out
 *
 * Interfaces are numbers to the engine; what a name was last time is kept
 * for each interface of each capture, so that names are rarely looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "where.h"

#define LINKTYPE_PFLOG	117
#define LINKTYPE_ETHERNET 1
#define UNKNOWN		(-1)
#define OWN_BITS	12

struct name { char *name; int id; };

struct where {
	const struct replay_options *o;
	struct pfk_engine *engine;
	const struct pfk_host *host;
	int		 all;		/* -i, or UNKNOWN */
	int		 usual;		/* the fifth answer */
	FILE		*lines;		/* --directions, or NULL */
	char		*line;
	size_t		 line_size;
	uint64_t	 line_number;
	struct name	*names;		/* that the engine was asked for */
	size_t		 nnames;
	struct pfk_engine *const *others; /* where_share() */
	size_t		 nothers;
	void		(*quiet)(void *);
	void		*quiet_arg;
	char		 last_name[32];	/* of a line or pflog header */
	int		 last_id;
	uint8_t		 own[(1 << OWN_BITS) / 8];
	/* --local's networks of IPv4, in the packets' byte order */
	struct net4	{ uint32_t addr, mask; } *nets;
	size_t		 nnets;
};

static void
check_id(const char *name, int id)
{
	if (id < 0 || id > UINT16_MAX)
		fatal("%s: %s", name, id < 0 ? strerror(ENOMEM) :
		    "too many interfaces");
}

static void
tell_others(const struct where *w, const char *name, int id)
{
	for (size_t i = 0; i < w->nothers; i++)
		if (pfk_engine_interface(w->others[i], name) != id)
			check_id(name, -1);
}

/* A name that was not met before. */
static int
new_interface(struct where *w, const char *name)
{
	int id;

	if (w->quiet != NULL)
		w->quiet(w->quiet_arg);
	id = pfk_engine_interface(w->engine, name);
	check_id(name, id);
	tell_others(w, name, id);
	w->names = xrealloc(w->names, (w->nnames + 1) * sizeof(*w->names));
	w->names[w->nnames++] = (struct name){ xstrdup(name), id };
	return id;
}

static int
interface_id(struct where *w, const char *name)
{
	for (size_t i = 0; i < w->nnames; i++)
		if (strcmp(w->names[i].name, name) == 0)
			return w->names[i].id;
	return new_interface(w, name);
}

/* Names that stand with each packet: mostly the same as before. */
static int
cached_id(struct where *w, const char *name)
{
	size_t len = strlen(name);

	if (len >= sizeof(w->last_name))
		return interface_id(w, name);
	if (w->last_id == UNKNOWN || strcmp(name, w->last_name) != 0) {
		w->last_id = interface_id(w, name);
		memcpy(w->last_name, name, len + 1);
	}
	return w->last_id;
}

/* The first interface that is not a loopback; any, if there is no such. */
static const char *
usual_interface(const struct pfk_host *host)
{
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(host, &n);

	for (size_t i = 0; i < n; i++)
		if ((ifs[i].flags & PFK_IFF_LOOPBACK) == 0)
			return ifs[i].name;
	return n > 0 ? ifs[0].name : "em0";
}

/* A bit for each of the host's own IPv4 addresses, in front of the engine. */
static unsigned
own_bit(uint32_t addr)
{
	return (addr * UINT32_C(0x9e3779b1)) >> (32 - OWN_BITS);
}

static void
note_own(struct where *w)
{
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(w->host, &n);
	uint32_t addr;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < ifs[i].naddrs; j++) {
			memcpy(&addr, ifs[i].addrs[j].addr, sizeof(addr));
			w->own[own_bit(addr) / 8] |=
			    (uint8_t)(1 << own_bit(addr) % 8);
		}
}

static void
note_nets(struct where *w)
{
	const struct replay_options *o = w->o;

	w->nets = xcalloc(o->nlocal + 1, sizeof(*w->nets));
	for (size_t i = 0; i < o->nlocal; i++) {
		const struct pfk_net *n = &o->local[i];
		struct net4 *to = &w->nets[w->nnets];

		if (n->af != 4)
			continue;
		memcpy(&to->addr, n->addr, sizeof(to->addr));
		to->mask = htonl(n->bits == 0 ? 0 :
		    UINT32_MAX << (32 - n->bits));
		w->nnets++;
	}
}

struct where *
where_new(const struct replay_options *o, struct pfk_engine *engine,
    const struct pfk_host *host)
{
	struct where *w = xcalloc(1, sizeof(*w));

	w->o = o;
	w->engine = engine;
	w->host = host;
	w->last_id = UNKNOWN;
	w->all = o->interface != NULL ? interface_id(w, o->interface) : UNKNOWN;
	w->usual = interface_id(w, usual_interface(host));
	note_own(w);
	note_nets(w);
	if (o->directions != NULL) {
		w->lines = fopen(o->directions, "r");
		if (w->lines == NULL)
			fatal("%s: %s", o->directions, strerror(errno));
	}
	return w;
}

void
where_share(struct where *w, struct pfk_engine *const *others, size_t n,
    void (*quiet)(void *), void *arg)
{
	w->others = others;
	w->nothers = n;
	for (size_t i = 0; i < w->nnames; i++)
		tell_others(w, w->names[i].name, w->names[i].id);
	w->quiet = quiet;
	w->quiet_arg = arg;
}

void
where_free(struct where *w)
{
	if (w == NULL)
		return;
	if (w->lines != NULL)
		fclose(w->lines);
	for (size_t i = 0; i < w->nnames; i++)
		free(w->names[i].name);
	free(w->names);
	free(w->nets);
	free(w->line);
	free(w);
}

/* 1. */
static bool
read_line(struct where *w, struct pfk_packet *p)
{
	ssize_t len = getline(&w->line, &w->line_size, w->lines);
	char *word = w->line, *name;
	size_t n;

	w->line_number++;
	if (len == -1) {
		warning("%s: no line for packet %" PRIu64, w->o->directions,
		    p->number);
		return false;
	}
	word[strcspn(word, "\n")] = '\0';
	n = strcspn(word, " \t");
	name = word + n + strspn(word + n, " \t");
	name[strcspn(name, " \t\r")] = '\0';
	p->dir = parse_direction(word, n);
	if (p->dir == 0 || *name == '\0') {
		warning("%s:%" PRIu64 ": not `in em0', `out em0' or "
		    "`fwd em0'", w->o->directions, w->line_number);
		return false;
	}
	p->ifid = (uint16_t)cached_id(w, name);
	return true;
}

/* The engine's number of an interface of a capture; UNKNOWN: no name. */
static int
capture_if(struct where *w, struct input *in, uint32_t n)
{
	const char *name;

	if (n >= in->nifids) {
		in->ifids = xrealloc(in->ifids, (n + 1) * sizeof(int));
		while (in->nifids <= n) {
			name = in->ifname != NULL ? in->ifname :
			    capture_ifname(in->capture, in->nifids);
			in->ifids[in->nifids++] = name != NULL ?
			    interface_id(w, name) : UNKNOWN;
		}
	}
	return in->ifids[n];
}

/* 4., of frames with pflog's header: what is unknown so far. */
static void
ask_pflog(struct where *w, const struct pfk_packet *p, int *id, uint8_t *dir)
{
	struct pfk_pflog log;

	if ((*id != UNKNOWN && *dir != 0) ||
	    !pfk_pflog_decode(p->data, p->caplen, &log))
		return;
	if (*id == UNKNOWN)
		*id = cached_id(w, log.ifname);
	if (*dir == 0)
		*dir = log.dir;
}

static bool
is_own(const struct where *w, uint8_t af, const uint8_t *addr)
{
	uint32_t v;

	memcpy(&v, addr, sizeof(v));
	return (w->own[own_bit(v) / 8] >> own_bit(v) % 8 & 1) != 0 &&
	    pfk_engine_is_local(w->engine, af, addr);
}

static bool
is_local(const struct where *w, uint8_t af, const uint8_t *addr)
{
	if (!w->o->have_local)
		return is_own(w, af, addr);
	for (size_t i = 0; i < w->o->nlocal; i++)
		if (net_contains(&w->o->local[i], af, addr))
			return true;
	return false;
}

static inline bool
is_local4(const struct where *w, const uint8_t *addr)
{
	uint32_t v;

	if (!w->o->have_local)
		return is_own(w, 4, addr);
	memcpy(&v, addr, sizeof(v));
	for (size_t i = 0; i < w->nnets; i++)
		if (((v ^ w->nets[i].addr) & w->nets[i].mask) == 0)
			return true;
	return false;
}

/* 5.  The header may be broken: only the source is of interest. */
static uint8_t
ask_any_address(const struct where *w, const struct pfk_packet *p)
{
	struct pfk_network net;
	const uint8_t *ip;

	if (!pfk_link_decode(p->linktype, p->data, p->caplen, p->wirelen,
	    &net))
		return PFK_IN;
	ip = p->data + net.off;
	if (net.af == 4)
		return net.caplen >= 16 && is_local(w, 4, ip + 12) ?
		    PFK_OUT : PFK_IN;
	return net.caplen >= 24 && is_local(w, 6, ip + 8) ? PFK_OUT : PFK_IN;
}

/* Most are of IPv4 in Ethernet. */
static inline uint8_t
ask_address(const struct where *w, const struct pfk_packet *p)
{
	if (p->linktype == LINKTYPE_ETHERNET && p->caplen >= 34 &&
	    p->data[12] == 0x08 && p->data[13] == 0)
		return is_local4(w, p->data + 26) ? PFK_OUT : PFK_IN;
	return ask_any_address(w, p);
}

/*
 * The fifth answer for frames of IPv4 in Ethernet about which no other is
 * known, as long as they follow each other; how many.
 */
static size_t
find_plain(const struct where *w, uint16_t id, struct pfk_packet *p, size_t n)
{
	const struct net4 *nets = w->nets, *end = nets + w->nnets, *net;
	size_t i;
	uint32_t v;

	for (i = 0; i < n; i++) {
		const uint8_t *b = p[i].data;

		if (p[i].linktype != LINKTYPE_ETHERNET || p[i].caplen < 34 ||
		    b[12] != 0x08 || b[13] != 0 || p[i].dir != 0)
			return i;
		memcpy(&v, b + 26, sizeof(v));
		for (net = nets; net < end; net++)
			if (((v ^ net->addr) & net->mask) == 0)
				break;
		p[i].ifid = id;
		p[i].dir = net < end ? PFK_OUT : PFK_IN;
	}
	return i;
}

/* 2. to 5. */
static inline void
find(struct where *w, struct input *in, int id, uint8_t dir,
    struct pfk_packet *p)
{
	if (id == UNKNOWN)
		id = capture_if(w, in, p->ifid);
	if (dir == 0)
		dir = p->dir;
	if (p->linktype == LINKTYPE_PFLOG)
		ask_pflog(w, p, &id, &dir);
	p->ifid = (uint16_t)(id != UNKNOWN ? id : w->usual);
	p->dir = dir != 0 ? dir : ask_address(w, p);
}

size_t
where_burst(struct where *w, struct input *in, struct pfk_packet *p, size_t n)
{
	int id = in->ifname != NULL ? UNKNOWN : w->all;
	uint8_t dir = in->dir != 0 ? in->dir : w->o->dir;
	bool plain = id != UNKNOWN && dir == 0 && w->o->have_local;
	size_t i = 0;

	while (w->lines != NULL && i < n && read_line(w, &p[i]))
		i++;
	while (w->lines == NULL && i < n) {
		if (plain)
			i += find_plain(w, (uint16_t)id, p + i, n - i);
		if (i < n)
			find(w, in, id, dir, &p[i++]);
	}
	return i;
}

bool
where_find(struct where *w, struct input *in, const struct record *r,
    struct pfk_packet *p)
{
	p->ifid = (uint16_t)r->interface;
	p->dir = r->dir;
	return where_burst(w, in, p, 1) == 1;
}
