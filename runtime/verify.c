/*
 * Verifying an image: records.  Instructions: verify_code.c.
 *
 * Every reference must lead to something, every number that means something
 * must mean it, every text must end.  What is checked here, the engine takes
 * for granted.  Checks of the fields of a record are tables, so that a new
 * field is a line and not a function.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/image.h"

struct verifier {
	const struct pfk_image *im;
	char		*errbuf;
	const char	*what;		/* kind of record, for messages */
	uint32_t	 index;
};

static bool
refuse(struct verifier *v, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(v->errbuf, PFK_IMAGE_ERRLEN, "%s %u: ", v->what,
	    v->index);
	if (n < 0 || n >= PFK_IMAGE_ERRLEN)
		return false;
	va_start(ap, fmt);
	(void)vsnprintf(v->errbuf + n, PFK_IMAGE_ERRLEN - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

/* Fields of a record that are checked alike: where, how wide, how much. */
enum check {
	CHECK_MAX,	/* a number up to max */
	CHECK_STRING,	/* offset of a string shorter than max */
	CHECK_POOL, CHECK_TABLE,	/* index or IMG_NONE */
	CHECK_ANCHOR	/* index */
};
struct field {
	const char	*name;
	uint16_t	 off;
	uint8_t		 size;
	uint8_t		 check;
	uint32_t	 max;
};
#define FIELD(type, name, check, max) \
	{ #name, (uint16_t)offsetof(struct type, name), \
	    (uint8_t)sizeof(((struct type *)0)->name), check, max }

static uint32_t
field_value(const void *record, const struct field *f)
{
	const uint8_t *p = (const uint8_t *)record + f->off;
	uint16_t v16;
	uint32_t v32;

	if (f->size == 1)
		return *p;
	if (f->size == 2) {
		memcpy(&v16, p, sizeof(v16));
		return v16;
	}
	memcpy(&v32, p, sizeof(v32));
	return v32;
}

/* A string that begins in the section and ends there, after max bytes. */
static bool
check_string(const struct pfk_image *im, uint32_t off, uint32_t max)
{
	uint32_t left;

	if (off >= im->nstrings)
		return false;
	left = im->nstrings - off;
	return memchr(im->strings + off, '\0', left < max ? left : max) !=
	    NULL;
}

static bool
check_field(struct verifier *v, const void *record, const struct field *f)
{
	const struct pfk_image *im = v->im;
	uint32_t value = field_value(record, f);
	bool good = false;

	switch ((enum check)f->check) {
	case CHECK_MAX:
		good = value <= f->max;
		break;
	case CHECK_STRING:
		good = check_string(im, value, f->max);
		break;
	case CHECK_POOL:
		good = value == IMG_NONE || value < im->npools;
		break;
	case CHECK_TABLE:
		good = value == IMG_NONE || value < im->ntables;
		break;
	case CHECK_ANCHOR:
		good = value < im->nanchors;
		break;
	}
	return good || refuse(v, "%s is %u", f->name, value);
}

static bool
check_fields(struct verifier *v, const void *record, const struct field *f,
    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!check_field(v, record, &f[i]))
			return false;
	return true;
}
#define CHECK_FIELDS(v, record, fields) \
	check_fields(v, record, fields, sizeof(fields) / sizeof(fields[0]))

static bool
is_family(uint8_t af)
{
	return af == PFK_AF_UNSPEC || af == PFK_AF_INET || af == PFK_AF_INET6;
}

static bool
is_bool(uint8_t b)
{
	return b <= 1;
}

#define IFNAME_LEN	16
#define PATH_LEN	1024
#define NAME_LEN	64
#define MAX_TABLES	(1u << 16)	/* they are found by name */
#define TEXT_LEN	(1u << 20)

static bool
check_addr(struct verifier *v, const struct img_addr *a, const char *name)
{
	const struct pfk_image *im = v->im;
	bool good = a->kind <= IMG_ADDR_NONE && is_family(a->af) &&
	    is_bool(a->neg) && a->ifmods <= 15;

	switch ((enum img_addrkind)a->kind) {
	case IMG_ADDR_TABLE:
		good = good && a->ref < im->ntables;
		break;
	case IMG_ADDR_DYNAMIC:
		good = good && a->ref != 0 &&
		    check_string(im, a->ref, NAME_LEN);
		break;
	case IMG_ADDR_ROUTE_LABEL:
		good = good && check_string(im, a->ref, NAME_LEN);
		break;
	case IMG_ADDR_MASK:
	case IMG_ADDR_RANGE:
	case IMG_ADDR_ANY:
	case IMG_ADDR_NO_ROUTE:
	case IMG_ADDR_URPF_FAILED:
	case IMG_ADDR_NONE:
		break;
	}
	return good || refuse(v, "the address `%s' is wrong", name);
}

static const struct field rule_fields[] = {
#define F(name, check, max)	FIELD(img_rule, name, check, max)
	F(src_port_op, CHECK_MAX, IMG_OP_RRG),
	F(dst_port_op, CHECK_MAX, IMG_OP_RRG),
	F(uid_op, CHECK_MAX, IMG_OP_RRG),
	F(gid_op, CHECK_MAX, IMG_OP_RRG),
	F(action, CHECK_MAX, IMG_MATCH),
	F(block, CHECK_MAX, IMG_RETURN_ICMP),
	F(direction, CHECK_MAX, IMG_OUT),
	F(log, CHECK_MAX, 15),
	F(icmp_type, CHECK_MAX, 256),
	F(icmp_code, CHECK_MAX, 256),
	F(keep_state, CHECK_MAX, IMG_SYNPROXY_STATE),
	F(src_track, CHECK_MAX, IMG_TRACK_RULE),
	F(flush, CHECK_MAX, 3),
	F(rt, CHECK_MAX, IMG_DUP_TO),
	F(divert, CHECK_MAX, IMG_DIVERT_PACKET),
	F(flags, CHECK_MAX, (IMG_R_WILDCARD << 1) - 1),
	F(ifname, CHECK_STRING, IFNAME_LEN),
	F(rcv_ifname, CHECK_STRING, IFNAME_LEN),
	F(os, CHECK_STRING, 3 * NAME_LEN),
	F(match_tag, CHECK_STRING, NAME_LEN),
	F(tag, CHECK_STRING, NAME_LEN),
	F(label, CHECK_STRING, NAME_LEN),
	F(qname, CHECK_STRING, NAME_LEN),
	F(pqname, CHECK_STRING, NAME_LEN),
	F(text, CHECK_STRING, TEXT_LEN),
	F(anchor, CHECK_ANCHOR, 0),
	F(overload, CHECK_TABLE, 0),
	F(nat, CHECK_POOL, 0),
	F(rdr, CHECK_POOL, 0),
	F(route, CHECK_POOL, 0),
#undef F
};

static bool
check_rule(struct verifier *v, const struct img_rule *r)
{
	const struct pfk_image *im = v->im;

	if (!CHECK_FIELDS(v, r, rule_fields) ||
	    !check_addr(v, &r->src, "src") || !check_addr(v, &r->dst, "dst"))
		return false;
	if (r->src.kind == IMG_ADDR_NONE || r->dst.kind == IMG_ADDR_NONE)
		return refuse(v, "an address is missing");
	if (!is_family(r->af) || !is_family(r->naf) ||
	    !is_family(r->divert_af))
		return refuse(v, "an address family is wrong");
	if (r->onrdomain < -1 || r->onrdomain > 255 || r->rtable < -1 ||
	    r->rtable > 255)
		return refuse(v, "a routing table is wrong");
	if (r->source != IMG_NONE && r->source >= im->nsources)
		return refuse(v, "source is %u", r->source);
	if (r->timeouts > im->ntimeouts)
		return refuse(v, "timeouts are %u", r->timeouts);
	if ((r->flags & IMG_R_ANCHOR) != 0 && r->call >= im->nanchors)
		return refuse(v, "call is %u", r->call);
	if ((r->flags & IMG_R_AFTO) != 0 &&
	    (r->af == 0 || r->naf == 0 || r->af == r->naf))
		return refuse(v, "af-to without families");
	if (r->rt != IMG_RT_NONE && r->route == IMG_NONE)
		return refuse(v, "route-to without addresses");
	for (unsigned i = 0; i < IMG_NCOUNTS; i++)
		if (r->count_at[i] > strlen(image_string(im, r->text)))
			return refuse(v, "a count lies outside of the text");
	if (r->pktrate[0] != 0 && r->pktrate[1] == 0)
		return refuse(v, "a rate of no seconds");
	if (r->max_src_conn_rate[0] != 0 && r->max_src_conn_rate[1] == 0)
		return refuse(v, "a rate of no seconds");
	return true;
}

/* [first, first + n) of what there are total of. */
static bool
check_range(struct verifier *v, uint32_t first, uint32_t n, uint32_t total,
    const char *name)
{
	return (first <= total && n <= total - first) ||
	    refuse(v, "%s do not fit", name);
}

static bool
check_anchor(struct verifier *v, const struct img_anchor *a)
{
	const struct pfk_image *im = v->im;

	if (!check_string(im, a->path, PATH_LEN))
		return refuse(v, "no path");
	if (v->index == 0 ? a->parent != IMG_NONE || a->path != 0 :
	    a->parent >= v->index)
		return refuse(v, "its parent is wrong");
	if (!check_range(v, a->rule0, a->nrules, im->nrules, "rules") ||
	    !check_range(v, a->code, a->ncode, im->ncode, "instructions") ||
	    !check_range(v, a->child0, a->nchildren, im->nanchors,
	    "children"))
		return false;
	for (uint32_t i = 0; i < a->nchildren; i++)
		if (im->anchors[a->child0 + i].parent != v->index)
			return refuse(v, "child %u has another parent", i);
	for (uint32_t i = 0; i < a->nrules; i++)
		if (im->rules[a->rule0 + i].anchor != v->index)
			return refuse(v, "rule %u is another's", i);
	return true;
}

static bool
check_pool(struct verifier *v, const struct img_pool *p)
{
	if (!check_addr(v, &p->addr, "addr"))
		return false;
	if (p->addr.kind > IMG_ADDR_TABLE && p->addr.kind != IMG_ADDR_NONE)
		return refuse(v, "such an address is for rules only");
	if (p->type > IMG_POOL_LEAST_STATES || p->port_op > IMG_OP_RRG ||
	    !is_bool(p->sticky) || !is_bool(p->static_port))
		return refuse(v, "its type is wrong");
	return check_string(v->im, p->ifname, IFNAME_LEN) ||
	    refuse(v, "ifname is %u", p->ifname);
}

static bool
check_table(struct verifier *v, const struct img_table *t)
{
	const struct pfk_image *im = v->im;

	if (!check_string(im, t->name, 32) || t->name == 0)
		return refuse(v, "no name");
	if (t->anchor >= im->nanchors || t->flags > 15)
		return refuse(v, "anchor or flags are wrong");
	if (!check_range(v, t->addr0, t->naddrs, im->ntable_addrs,
	    "addresses"))
		return false;
	for (uint32_t i = 0; i < t->naddrs; i++) {
		const struct img_table_addr *a =
		    &im->table_addrs[t->addr0 + i];

		if ((a->af != PFK_AF_INET && a->af != PFK_AF_INET6) ||
		    a->bits > addr_bits((enum pfk_af)a->af) ||
		    !is_bool(a->neg))
			return refuse(v, "address %u is wrong", i);
	}
	return true;
}

static bool
check_options(struct verifier *v, const struct img_options *o)
{
	const struct pfk_image *im = v->im;
	uint32_t off = o->skip;

	if (!is_bool(o->reassemble) || !is_bool(o->reassemble_no_df) ||
	    o->syncookies > IMG_SYNCOOKIES_ADAPTIVE || o->syncookies_hi > 100 ||
	    o->syncookies_lo > 100 || !is_bool(o->lowering))
		return refuse(v, "a setting is out of range");
	if (!check_string(im, o->loginterface, IFNAME_LEN) ||
	    !check_string(im, o->fingerprints, UINT32_MAX))
		return refuse(v, "a string is wrong");
	for (uint32_t i = 0; i < o->nskip; i++) {
		if (!check_string(im, off, IFNAME_LEN))
			return refuse(v, "interface %u to skip is wrong", i);
		off += (uint32_t)strlen(image_string(im, off)) + 1;
	}
	return true;
}

/* Runs a check over the records of a section. */
#define CHECK_ALL(v, name, base, n, fn) do {				\
	(v)->what = name;						\
	for ((v)->index = 0; (v)->index < (n); (v)->index++)		\
		if (!fn((v), &(base)[(v)->index]))			\
			return false;					\
} while (0)

static bool
check_queue(struct verifier *v, const struct img_queue *q)
{
	return check_string(v->im, q->name, NAME_LEN) ||
	    refuse(v, "no name");
}

static bool
check_source(struct verifier *v, const struct img_source *s)
{
	return check_string(v->im, s->name, 4096) || refuse(v, "no name");
}

static bool
check_macro(struct verifier *v, const struct img_macro *m)
{
	return check_string(v->im, m->name, TEXT_LEN) || refuse(v, "no name");
}

static bool
check_records(struct verifier *v)
{
	const struct pfk_image *im = v->im;

	CHECK_ALL(v, "rule", im->rules, im->nrules, check_rule);
	CHECK_ALL(v, "anchor", im->anchors, im->nanchors, check_anchor);
	CHECK_ALL(v, "pool", im->pools, im->npools, check_pool);
	CHECK_ALL(v, "table", im->tables, im->ntables, check_table);
	CHECK_ALL(v, "queue", im->queues, im->nqueues, check_queue);
	CHECK_ALL(v, "source", im->sources, im->nsources, check_source);
	CHECK_ALL(v, "macro", im->macros, im->nmacros, check_macro);
	CHECK_ALL(v, "options", im->options, 1, check_options);
	return true;
}

bool
image_verify(const struct pfk_image *im, char errbuf[PFK_IMAGE_ERRLEN])
{
	struct verifier v = { im, errbuf, "image", 0 };

	if (im->nstrings == 0 || im->strings[0] != '\0' ||
	    im->strings[im->nstrings - 1] != '\0')
		return refuse(&v, "the strings do not end");
	if (im->ntables > MAX_TABLES)
		return refuse(&v, "%u tables are too many", im->ntables);
	if (im->nanchors == 0)
		return refuse(&v, "there is no main ruleset");
	if (!check_records(&v))
		return false;
	return image_verify_origins(im, errbuf) &&
	    image_verify_code(im, errbuf);
}
