/*
 * Verifying an image: sources, uses of macros, where rules and tables come
 * from.  They decide nothing, but are read as freely as the rest.
 */
#include <stdarg.h>
#include <stdio.h>

#include <pfkit/origin.h>

#include "runtime/image.h"

static bool
refuse(char *errbuf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(errbuf, PFK_IMAGE_ERRLEN, fmt, ap);
	va_end(ap);
	return false;
}

static bool
fits(const struct pfk_image *im, const struct img_span *s)
{
	const struct img_source *source;

	if (s->source == IMG_NONE)
		return true;
	if (s->source >= im->nsources)
		return false;
	source = &im->sources[s->source];
	return s->off <= source->len && s->len <= source->len - s->off;
}

/* Lines begin in order, the first at 0. */
static bool
check_lines(const struct pfk_image *im, const struct img_source *s)
{
	const uint32_t *line = im->lines + s->line0;

	if (s->nlines == 0 || s->line0 > im->nlines ||
	    s->nlines > im->nlines - s->line0 || line[0] != 0)
		return false;
	for (uint32_t i = 1; i < s->nlines; i++)
		if (line[i] <= line[i - 1] || line[i] > s->len)
			return false;
	return true;
}

static bool
check_source(const struct pfk_image *im, const struct img_source *s)
{
	return (s->text == IMG_NONE || (s->text <= im->ntexts &&
	    s->len <= im->ntexts - s->text)) && check_lines(im, s) &&
	    fits(im, &s->included_at);
}

static bool
check_macro(const struct pfk_image *im, uint32_t i)
{
	const struct img_macro *m = &im->macros[i];

	return fits(im, &m->use) && fits(im, &m->def) &&
	    (m->outer == IMG_NONE || m->outer < i);
}

/* Whether what was read is a good element; of the part, if it must be. */
static bool
check_element(const struct origin_reader *r, const struct origin_element *e)
{
	return !r->bad && fits(r->im, &e->span) && fits(r->im, &e->value) &&
	    (e->part & IMG_O_PART) < PFK_NPARTS &&
	    (e->macro == IMG_NONE || e->macro < r->im->nmacros);
}

/*
 * How many addresses the table has that is meant by that side of the rule; an
 * optimiser's table is the main ruleset's, also for an anchor's rule.
 */
static uint32_t
merged_at_most(const struct pfk_image *im, const struct img_rule *r,
    unsigned how)
{
	long table = image_table_meant(im, how == PFK_ORIGIN_SOURCE ?
	    &r->src : &r->dst);

	return table < 0 ? 0 : im->tables[table].naddrs;
}

/* Addresses of tables that the origins of a rule have come to, and have. */
struct merged { uint32_t n, most[2]; };

static bool
check_origin(struct origin_reader *r, struct merged *m)
{
	struct origin_element statement, e;
	uint8_t head = origin_byte(r);
	int last = -1;

	origin_element(r, NULL, &statement);
	if (!check_element(r, &statement))
		return false;
	for (unsigned i = 0; i < head >> 2; i++) {
		origin_element(r, &statement.span, &e);
		if (!check_element(r, &e) || (e.part & IMG_O_PART) <= last)
			return false;
		last = e.part & IMG_O_PART;
	}
	return (head & 3) < PFK_ORIGIN_SOURCE ||
	    m->n++ < m->most[(head & 3) != PFK_ORIGIN_SOURCE];
}

static bool
check_rule(const struct pfk_image *im, uint32_t i)
{
	struct origin_reader r = { im, im->rule_origins[i],
	    im->rule_origins[i + 1], false };
	struct merged m = { 0, { merged_at_most(im, &im->rules[i],
	    PFK_ORIGIN_SOURCE), merged_at_most(im, &im->rules[i],
	    PFK_ORIGIN_DESTINATION) } };

	while (r.off < r.end)
		if (!check_origin(&r, &m))
			return false;
	return true;
}

static bool
check_table(const struct pfk_image *im, uint32_t i)
{
	struct origin_reader r = { im, im->table_origins[i],
	    im->table_origins[i + 1], false };
	struct origin_element statement, e;
	uint32_t left = im->tables[i].naddrs, n;

	if (r.off == r.end)
		return true;
	origin_element(&r, NULL, &statement);
	if (!check_element(&r, &statement))
		return false;
	while (r.off < r.end) {
		n = origin_number(&r);
		origin_element(&r, &statement.span, &e);
		if (n == 0 || n > left || !check_element(&r, &e))
			return false;
		left -= n;
	}
	return true;
}

/* n + 1 places in IMG_ORIGINS, in order. */
static bool
check_index(const struct pfk_image *im, const uint32_t *v, uint32_t have,
    uint32_t n)
{
	if (have != n + 1 || v[n] > im->norigins)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (v[i] > v[i + 1])
			return false;
	return true;
}

bool
image_verify_origins(const struct pfk_image *im, char errbuf[PFK_IMAGE_ERRLEN])
{
	for (uint32_t i = 0; i < im->nsources; i++)
		if (!check_source(im, &im->sources[i]))
			return refuse(errbuf, "source %u is wrong", i);
	for (uint32_t i = 0; i < im->nmacros; i++)
		if (!check_macro(im, i))
			return refuse(errbuf, "macro %u is wrong", i);
	if (!check_index(im, im->rule_origins, im->nrule_origins,
	    im->nrules) || !check_index(im, im->table_origins,
	    im->ntable_origins, im->ntables))
		return refuse(errbuf, "the index of origins is wrong");
	for (uint32_t i = 0; i < im->nrules; i++)
		if (!check_rule(im, i))
			return refuse(errbuf, "origin of rule %u is wrong", i);
	for (uint32_t i = 0; i < im->ntables; i++)
		if (!check_table(im, i))
			return refuse(errbuf, "origin of table %u is wrong",
			    i);
	return true;
}
