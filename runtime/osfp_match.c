/*
 * Passive fingerprints: which system a SYN may come from.
 *
 * The first fingerprint in pf.os that fits decides, together with those of
 * the same signature.  Each line counts for IPv6 as well: then with 20 bytes
 * more and "don't fragment"; pf does not ask whether the packet is IPv6.
 * What a rule asks for is worked out once: a bit for each fingerprint.
 */
#include <string.h>
#include <strings.h>

#include "runtime/osfp.h"

#define MAX_TTL_DISTANCE 40	/* hops that a packet may have made */
#define SMART_MSS	1460	/* what routers on the way may set it to */
#define HEADERS		40	/* IPv4 and TCP without options */
#define IPV6_MORE	20

enum { TCPOPT_EOL, TCPOPT_NOP, TCPOPT_MAXSEG, TCPOPT_WINDOW,
    TCPOPT_SACK_PERMITTED, TCPOPT_TIMESTAMP = 8 };

static bool
add_print(struct pfk_engine *e, struct osfp_db *db, const struct osfp_print *p)
{
	uint32_t cap = db->cap == 0 ? 128 : db->cap * 2;
	struct osfp_print *v;

	if (db->n == db->cap) {
		v = e_realloc(e, db->v, db->cap * sizeof(*v),
		    cap * sizeof(*v));
		if (v == NULL)
			return false;
		db->v = v;
		db->cap = cap;
	}
	db->v[db->n++] = *p;
	return true;
}

int
osfp_init(struct pfk_engine *e, const char *text)
{
	struct osfp_print p;

	if (e->osfp == NULL && (e->osfp = e_alloc(e, sizeof(*e->osfp))) ==
	    NULL)
		return -1;
	for (; *text != '\0'; text += *text == '\n') {
		size_t len = strcspn(text, "\n");
		bool good = osfp_parse(text, len, &p);

		text += len;
		if (good && !add_print(e, e->osfp, &p))
			return -1;
		p.df = p.inet6 = true;
		p.size.value = (uint16_t)(p.size.value + IPV6_MORE);
		if (good && !add_print(e, e->osfp, &p))
			return -1;
	}
	return 0;
}

void
osfp_free(struct pfk_engine *e)
{
	struct osfp_db *db = e->osfp;

	if (db == NULL)
		return;
	for (uint32_t i = 1; i < db->nnames; i++)
		e_free(e, db->names[i].prints, db->n / 8 + 1);
	e_free(e, db->names, db->nnames * sizeof(*db->names));
	e_free(e, db->v, db->cap * sizeof(*db->v));
	e_free(e, db, sizeof(*db));
	e->osfp = NULL;
}

/* The first fingerprint with that signature is the one that is found. */
static uint32_t
first_of(const struct osfp_db *db, uint32_t i)
{
	uint32_t j = 0;

	while (j < i && !osfp_same(&db->v[j], &db->v[i]))
		j++;
	return j;
}

uint32_t
osfp_name(struct pfk_engine *e, const char *name)
{
	struct osfp_db *db = e->osfp;
	struct osfp_name *v;
	uint32_t id;

	if (db == NULL)
		return 0;
	id = db->nnames == 0 ? 1 : db->nnames;
	v = e_realloc(e, db->names, db->nnames * sizeof(*v),
	    (id + 1) * sizeof(*v));
	if (v == NULL)
		return 0;
	db->names = v;
	memset(v + db->nnames, 0, (id + 1 - db->nnames) * sizeof(*v));
	db->nnames = id + 1;
	v[id].unknown = strcasecmp(name, "unknown") == 0;
	v[id].prints = e_alloc(e, db->n / 8 + 1);
	if (v[id].prints == NULL)
		return 0;
	for (uint32_t i = 0; i < db->n; i++) {
		uint32_t first;

		if (!osfp_is(&db->v[i], name))
			continue;
		first = first_of(db, i);
		v[id].prints[first / 8] |= (uint8_t)(1u << first % 8);
	}
	return id;
}

/* --- packets --- */

/* What the packet shows; its numbers are all exact. */
static bool
take_option(struct osfp_print *p, const uint8_t *o, unsigned len)
{
	uint64_t kind;

	switch (o[0]) {
	case TCPOPT_MAXSEG:
		kind = OSFP_MAXSEG;
		if (len >= 4)
			p->mss.value = get16(o + 2);
		break;
	case TCPOPT_WINDOW:
		kind = OSFP_WSCALE;
		if (len >= 3)
			p->wscale.value = o[2];
		break;
	case TCPOPT_SACK_PERMITTED:
		kind = OSFP_SACK;
		break;
	case TCPOPT_TIMESTAMP:
		kind = OSFP_TS;
		if (len >= 10 && get32(o + 2) == 0)
			p->ts0 = true;
		break;
	default:
		return false;
	}
	p->options = p->options << 3 | kind;
	return true;
}

static bool
take_options(struct osfp_print *p, const uint8_t *o, unsigned left)
{
	unsigned len;

	for (; left > 0 && o[0] != TCPOPT_EOL; left -= len, o += len) {
		p->noptions++;
		len = 1;
		if (o[0] == TCPOPT_NOP) {
			p->options = p->options << 3 | OSFP_NOP;
			continue;
		}
		if (left < 2 || o[1] < 2 || o[1] > left)
			return false;
		len = o[1];
		if (!take_option(p, o, len))
			return false;
	}
	return true;
}

/* The signature of a SYN; false: it is none. */
static bool
take_print(struct pkt *pkt, struct osfp_print *p)
{
	const uint8_t *ip, *th;
	unsigned hdrlen;

	memset(p, 0, sizeof(*p));
	if ((pkt->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return false;
	if ((th = pkt_bytes(pkt, pkt->hdrlen, 20)) == NULL)
		return false;
	hdrlen = (th[12] >> 4) * 4u;
	if (hdrlen < 20 ||
	    (th = pkt_bytes(pkt, pkt->hdrlen, hdrlen)) == NULL)
		return false;
	p->window.value = get16(th + 14);
	if (!take_options(p, th + 20, hdrlen - 20))
		return false;
	p->ttl = pkt->ttl;
	p->size.value = (uint16_t)pkt->len;
	p->df = true;
	if (pkt->af == PFK_AF_INET) {
		if ((ip = pkt_bytes(pkt, 0, 20)) == NULL)
			return false;
		p->df = (ip[6] & 0x40) != 0;
	}
	return true;
}

static bool
number_fits(struct osfp_number n, struct osfp_number v)
{
	if (n.how == OSFP_ANY)
		return true;
	if (n.how == OSFP_MODULO)
		return n.value != 0 && v.value % n.value == 0;
	return n.value == v.value;
}

/* The window as so many times a unit. */
static bool
times(uint16_t window, uint32_t unit, uint16_t n)
{
	return unit != 0 && window % unit == 0 && window / unit == n;
}

static bool
window_fits(const struct osfp_print *f, const struct osfp_print *p)
{
	uint16_t window = p->window.value, n = f->window.value;
	uint32_t more = f->window.how == OSFP_MTU ? HEADERS : 0;

	if (f->window.how != OSFP_MSS && f->window.how != OSFP_MTU)
		return number_fits(f->window, p->window);
	return p->mss.value != 0 && (times(window, p->mss.value + more, n) ||
	    times(window, SMART_MSS + more, n));
}

static bool
print_fits(const struct osfp_print *f, const struct osfp_print *p)
{
	return f->options == p->options && f->noptions == p->noptions &&
	    f->ttl >= p->ttl && f->ttl - p->ttl <= MAX_TTL_DISTANCE &&
	    f->df == p->df && f->ts0 == p->ts0 &&
	    number_fits(f->size, p->size) && number_fits(f->mss, p->mss) &&
	    number_fits(f->wscale, p->wscale) && window_fits(f, p);
}

bool
osfp_match(struct pkt *pkt, uint32_t name)
{
	const struct osfp_db *db = pkt->e->osfp;
	struct osfp_print p;
	uint32_t i = 0;

	if (db == NULL || name == 0)
		return false;
	if (!take_print(pkt, &p))
		i = db->n;
	while (i < db->n && !print_fits(&db->v[i], &p))
		i++;
	if (i == db->n)
		return db->names[name].unknown;
	return db->names[name].prints[i / 8] >> i % 8 & 1;
}
