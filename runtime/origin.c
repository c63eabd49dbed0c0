/*
 * Where rules come from: reading the sections that say so.
 *
 * Every byte has been looked at by verify_origins.c, with the very functions
 * that read here.
 */
#include <string.h>

#include <pfkit/origin.h>

#include "runtime/image.h"

_Static_assert(PFK_NPARTS <= IMG_O_PART + 1, "parts do not fit in a byte");

static const char *const part_names[] = {
	[PFK_PART_INTERFACE] = "interface",
	[PFK_PART_PROTOCOL] = "protocol",
	[PFK_PART_SOURCE] = "source",
	[PFK_PART_SOURCE_PORT] = "source port",
	[PFK_PART_OS] = "os",
	[PFK_PART_DESTINATION] = "destination",
	[PFK_PART_DESTINATION_PORT] = "destination port",
	[PFK_PART_USER] = "user",
	[PFK_PART_GROUP] = "group",
	[PFK_PART_ICMP] = "icmp-type",
	[PFK_PART_FLAGS] = "flags",
	[PFK_PART_TOS] = "tos",
	[PFK_PART_PRIO] = "prio",
	[PFK_PART_FRAGMENT] = "fragment",
	[PFK_PART_ALLOW_OPTS] = "allow-opts",
	[PFK_PART_PROBABILITY] = "probability",
	[PFK_PART_TAGGED] = "tagged",
	[PFK_PART_RECEIVED_ON] = "received-on",
	[PFK_PART_RATE] = "max-pkt-rate",
	[PFK_PART_ONCE] = "once",
	[PFK_PART_STATE] = "state",
	[PFK_PART_LABEL] = "label",
	[PFK_PART_TAG] = "tag",
	[PFK_PART_RTABLE] = "rtable",
	[PFK_PART_QUEUE] = "queue",
	[PFK_PART_SET] = "set",
	[PFK_PART_SCRUB] = "scrub",
	[PFK_PART_DIVERT] = "divert",
	[PFK_PART_NAT] = "nat-to",
	[PFK_PART_RDR] = "rdr-to",
	[PFK_PART_ROUTE] = "route-to",
};
_Static_assert(sizeof(part_names) / sizeof(part_names[0]) == PFK_NPARTS,
    "a part has no name");

const char *
pfk_part_name(enum pfk_part part)
{
	return (unsigned)part < PFK_NPARTS ? part_names[part] : "?";
}

/* FNV-1a, of 64 bits. */
uint64_t
pfk_source_hash(const void *text, size_t len)
{
	const uint8_t *p = text;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* ---- bytes ---- */

uint8_t
origin_byte(struct origin_reader *r)
{
	if (r->off < r->end)
		return r->im->origins[r->off++];
	r->bad = true;
	return 0;
}

uint32_t
origin_number(struct origin_reader *r)
{
	uint64_t v = 0;
	uint8_t b;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		b = origin_byte(r);
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			r->bad |= v > UINT32_MAX;
			return (uint32_t)v;
		}
	}
	r->bad = true;
	return 0;
}

/* An offset beside that of the statement. */
static uint32_t
beside(struct origin_reader *r, uint32_t from)
{
	uint32_t v = origin_number(r), by = v >> 1;

	if ((v & 1) == 0)
		return from + by;
	r->bad |= by > from;
	return from - by;
}

static void
macro_of(struct origin_reader *r, struct origin_element *e)
{
	uint32_t v = origin_number(r);

	e->macro = v >> 1;
	if ((v & 1) == 0)
		return;
	e->value.source = origin_number(r);
	e->value.off = origin_number(r);
	e->value.len = origin_number(r);
}

void
origin_element(struct origin_reader *r, const struct img_span *statement,
    struct origin_element *e)
{
	e->part = origin_byte(r);
	if (e->part & IMG_O_SOURCE) {
		e->span.source = origin_number(r);
		e->span.off = origin_number(r);
	} else if (statement != NULL) {
		e->span.source = statement->source;
		e->span.off = beside(r, statement->off);
	} else {
		e->span.source = IMG_NONE;
		e->span.off = origin_number(r);
	}
	e->span.len = origin_number(r);
	e->macro = IMG_NONE;
	e->value = (struct img_span){ IMG_NONE, 0, 0 };
	if (e->part & IMG_O_MACRO)
		macro_of(r, e);
}

/* ---- places ---- */

/* The line (from 0) of a byte. */
static uint32_t
line_of(const struct pfk_image *im, const struct img_source *s, uint32_t off)
{
	const uint32_t *line = im->lines + s->line0;
	uint32_t lo = 0, hi = s->nlines, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (line[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static void
set_place(const struct pfk_image *im, const struct img_span *span,
    struct pfk_place *p)
{
	const struct img_source *s;
	uint32_t line, last;

	memset(p, 0, sizeof(*p));
	p->source = PFK_NO_SOURCE;
	if (span->source == IMG_NONE)
		return;
	s = &im->sources[span->source];
	p->source = span->source;
	p->off = span->off;
	p->len = span->len;
	line = line_of(im, s, span->off);
	p->line = line + 1;
	p->column = span->off - im->lines[s->line0 + line] + 1;
	last = span->off + (span->len > 0 ? span->len - 1 : 0);
	line = line_of(im, s, last);
	p->end_line = line + 1;
	p->end_column = last - im->lines[s->line0 + line] + 1;
}

static void
set_element(const struct pfk_image *im, const struct origin_element *from,
    struct pfk_element *to)
{
	to->part = (enum pfk_part)(from->part & IMG_O_PART);
	to->listed = (from->part & IMG_O_LISTED) != 0;
	to->macro = from->macro;
	set_place(im, &from->span, &to->at);
	set_place(im, &from->value, &to->value);
}

size_t
pfk_image_sources(const struct pfk_image *im)
{
	return im->nsources;
}

void
pfk_image_source(const struct pfk_image *im, size_t i, struct pfk_source *out)
{
	const struct img_source *s = &im->sources[i];

	out->name = image_string(im, s->name);
	out->text = s->text != IMG_NONE ? im->texts + s->text : NULL;
	out->len = s->len;
	out->nlines = s->nlines;
	out->hash = s->hash[0] | (uint64_t)s->hash[1] << 32;
	set_place(im, &s->included_at, &out->included_at);
}

size_t
pfk_image_macros(const struct pfk_image *im)
{
	return im->nmacros;
}

void
pfk_image_macro(const struct pfk_image *im, uint32_t i, struct pfk_macro *out)
{
	const struct img_macro *m = &im->macros[i];

	out->name = image_string(im, m->name);
	out->outer = m->outer;
	set_place(im, &m->use, &out->use);
	set_place(im, &m->def, &out->def);
}

/* ---- rules ---- */

void
pfk_image_origins(const struct pfk_image *im, size_t rule,
    struct pfk_origins *all)
{
	all->image = im;
	all->rule = (uint32_t)rule;
	all->off = im->rule_origins[rule];
	all->end = im->rule_origins[rule + 1];
	all->merged = 0;
}

/* The address that it has in the table that was made. */
static void
set_merged(struct pfk_origins *all, struct pfk_origin *o)
{
	const struct pfk_image *im = all->image;
	const struct img_rule *r = &im->rules[all->rule];
	const struct img_addr *side = o->how == PFK_ORIGIN_SOURCE ? &r->src :
	    &r->dst;
	const struct img_table *t = &im->tables[image_table_meant(im, side)];
	const struct img_table_addr *a =
	    &im->table_addrs[t->addr0 + all->merged++];

	o->af = a->af;
	o->bits = a->bits;
	memcpy(o->addr, &a->addr, sizeof(o->addr));
}

bool
pfk_image_next_origin(struct pfk_origins *all, struct pfk_origin *o)
{
	struct origin_reader r = { all->image, all->off, all->end, false };
	struct origin_element statement, e;
	uint8_t head;

	if (all->off == all->end)
		return false;
	memset(o, 0, offsetof(struct pfk_origin, element));
	head = origin_byte(&r);
	o->how = (enum pfk_origin_how)(head & 3);
	o->nelements = head >> 2;
	origin_element(&r, NULL, &statement);
	set_element(all->image, &statement, &o->statement);
	for (size_t i = 0; i < o->nelements; i++) {
		origin_element(&r, &statement.span, &e);
		set_element(all->image, &e, &o->element[i]);
	}
	if (o->how >= PFK_ORIGIN_SOURCE)
		set_merged(all, o);
	all->off = r.off;
	return true;
}

/* ---- tables ---- */

size_t
pfk_image_tables(const struct pfk_image *im)
{
	return im->ntables;
}

/* Where the origin of a table is read from, behind its statement. */
static struct origin_reader
table_reader(const struct pfk_image *im, size_t i, struct origin_element *e)
{
	struct origin_reader r = { im, im->table_origins[i],
	    im->table_origins[i + 1], false };

	if (r.off < r.end)
		origin_element(&r, NULL, e);
	else
		*e = (struct origin_element){ .span.source = IMG_NONE,
		    .macro = IMG_NONE, .value.source = IMG_NONE };
	return r;
}

void
pfk_image_table(const struct pfk_image *im, size_t i,
    struct pfk_table_origin *out)
{
	const struct img_table *t = &im->tables[i];
	struct origin_element e;

	(void)table_reader(im, i, &e);
	out->name = image_string(im, t->name);
	out->anchor = image_string(im, im->anchors[t->anchor].path);
	out->defined = (t->flags & IMG_T_DEFINED) != 0;
	out->is_const = (t->flags & IMG_T_CONST) != 0;
	out->persist = (t->flags & IMG_T_PERSIST) != 0;
	out->naddrs = t->naddrs;
	set_element(im, &e, &out->statement);
}

/* pf looks into the main ruleset's table if the anchor has none. */
long
image_table_meant(const struct pfk_image *im, const struct img_addr *a)
{
	const struct img_table *t;

	if (a->kind != IMG_ADDR_TABLE)
		return -1;
	t = &im->tables[a->ref];
	if ((t->flags & IMG_T_DEFINED) != 0 || t->anchor == 0)
		return a->ref;
	for (uint32_t i = 0; i < im->ntables; i++)
		if (im->tables[i].anchor == 0 && strcmp(image_string(im,
		    im->tables[i].name), image_string(im, t->name)) == 0)
			return i;
	return a->ref;
}

void
pfk_image_rule_tables(const struct pfk_image *im, size_t rule, long table[2])
{
	table[0] = image_table_meant(im, &im->rules[rule].src);
	table[1] = image_table_meant(im, &im->rules[rule].dst);
}

void
pfk_image_table_addresses(const struct pfk_image *im, size_t table,
    bool (*fn)(void *, const struct pfk_table_address *), void *ctx)
{
	const struct img_table *t = &im->tables[table];
	struct pfk_table_address out;
	struct origin_element statement, e;
	struct origin_reader r = table_reader(im, table, &statement);
	uint32_t left = 0;

	memset(&out, 0, sizeof(out));
	out.element.at.source = out.element.value.source = PFK_NO_SOURCE;
	out.element.macro = PFK_NO_MACRO;
	for (uint32_t i = 0; i < t->naddrs; i++) {
		const struct img_table_addr *a = &im->table_addrs[t->addr0 + i];

		if (left == 0 && r.off < r.end) {
			left = origin_number(&r);
			origin_element(&r, &statement.span, &e);
			set_element(im, &e, &out.element);
		}
		left--;
		out.af = a->af;
		out.bits = a->bits;
		out.neg = a->neg != 0;
		memcpy(out.addr, &a->addr, sizeof(out.addr));
		if (!fn(ctx, &out))
			return;
	}
}
