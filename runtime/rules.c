/*
 * Rules at run time: from an image's records to what the engine knows of
 * each, and loading other rules into an anchor.
 *
 * e->rules holds the image's rules in its order, then those of images loaded
 * later, and last of all the default rule, which passes everything and moves
 * up when rules are added.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/block.h"
#include "runtime/far.h"
#include "runtime/miss.h"
#include "runtime/rules.h"
#include "runtime/strip.h"
#include "runtime/table.h"
#include "runtime/translate.h"

/* What decides when no rule does. */
static const struct img_rule default_record = {
	.action = IMG_PASS, .nr = UINT32_MAX, .onrdomain = -1, .rtable = -1,
	.nat = IMG_NONE, .rdr = IMG_NONE, .route = IMG_NONE,
	.overload = IMG_NONE, .source = IMG_NONE, .call = IMG_NONE,
};

/* --- tags --- */

uint16_t
tag_intern(struct pfk_engine *e, const char *name)
{
	size_t size = strlen(name) + 1;
	const char **v;
	uint32_t i;
	char *copy;

	for (i = 1; i < e->ntags; i++)
		/* one for which there was no memory has no name */
		if (e->tags[i] != NULL && strcmp(e->tags[i], name) == 0)
			return (uint16_t)i;
	if (i > UINT16_MAX)
		return 0;
	v = e_realloc(e, e->tags, e->ntags * sizeof(*v),
	    (i + 1) * sizeof(*v));
	if (v == NULL)
		return 0;
	v[0] = NULL;
	e->tags = v;
	e->ntags = i;			/* index 0 is there now */
	copy = e_alloc(e, size);
	v[i] = copy;
	if (copy == NULL) {
		v[i] = NULL;
		e->ntags = i + 1;
		return 0;
	}
	memcpy(copy, name, size);
	e->ntags = i + 1;
	return (uint16_t)i;
}

const char *
tag_name(const struct pfk_engine *e, uint16_t tag)
{
	return tag > 0 && tag < e->ntags ? e->tags[tag] : NULL;
}

/* --- what a rule refers to --- */

static const struct attached *
attached_of(const struct pfk_engine *e, const struct pfk_image *im)
{
	for (uint32_t i = e->nattached; i-- > 0;)
		if (e->attached[i].image == im)
			return &e->attached[i];
	return NULL;
}

uint32_t
rule_table(const struct pfk_engine *e, const struct rt_rule *rr,
    const struct img_addr *a)
{
	const struct attached *at = rr->image != e->image ?
	    attached_of(e, rr->image) : NULL;

	return at != NULL ? at->tables[a->ref] : a->ref;
}

static bool
intern_name(struct pfk_engine *e, const struct pfk_image *im, uint32_t name,
    uint16_t *id)
{
	int n;

	*id = 0;
	if (name == 0)
		return true;
	n = iface_intern(e, image_string(im, name));
	*id = (uint16_t)n;
	return n > 0;
}

static bool
intern_tag(struct pfk_engine *e, const struct pfk_image *im, uint32_t name,
    uint16_t *id)
{
	*id = 0;
	if (name == 0)
		return true;
	*id = tag_intern(e, image_string(im, name));
	return *id != 0;
}

static uint16_t
queue_id(const struct pfk_image *im, uint32_t name)
{
	if (name == 0)
		return 0;
	for (uint32_t i = 0; i < im->nqueues && i < UINT16_MAX; i++)
		if (im->queues[i].name == name)
			return (uint16_t)(i + 1);
	return 0;
}

static uint32_t
count_reference(struct pfk_engine *e, const uint32_t *tables, uint32_t table)
{
	if (table == IMG_NONE)
		return IMG_NONE;
	if (tables != NULL)
		table = tables[table];
	e->tables[table].references++;
	return table;
}

static uint32_t
addr_table(struct pfk_engine *e, const uint32_t *tables,
    const struct img_addr *a)
{
	return a->kind != IMG_ADDR_TABLE ? IMG_NONE :
	    count_reference(e, tables, a->ref);
}

static void
pool_reference(struct pfk_engine *e, const struct pfk_image *im,
    const uint32_t *tables, uint32_t pool)
{
	if (pool != IMG_NONE)
		(void)addr_table(e, tables, &im->pools[pool].addr);
}

static uint32_t
dynamic_name(const struct img_addr *a)
{
	return a->kind == IMG_ADDR_DYNAMIC ? a->ref : 0;
}

static bool
resolve(struct pfk_engine *e, struct rt_rule *rr, const uint32_t *tables)
{
	const struct img_rule *r = rr->r;
	const struct pfk_image *im = rr->image;

	rr->src_table = addr_table(e, tables, &r->src);
	rr->dst_table = addr_table(e, tables, &r->dst);
	table_is_asked(e, rr->src_table, SRC);
	table_is_asked(e, rr->dst_table, DST);
	rr->overload = count_reference(e, tables, r->overload);
	pool_reference(e, im, tables, r->nat);
	pool_reference(e, im, tables, r->rdr);
	pool_reference(e, im, tables, r->route);
	rr->qid = queue_id(im, r->qname);
	rr->pqid = queue_id(im, r->pqname);
	rate_init(&rr->rate, r->pktrate[0], r->pktrate[1]);
	rr->rate.last = e->uptime;
	if (r->os != 0)
		rr->os = osfp_name(e, image_string(im, r->os));
	return intern_name(e, im, r->ifname, &rr->if_index) &&
	    intern_name(e, im, r->rcv_ifname, &rr->rcvif_index) &&
	    intern_name(e, im, dynamic_name(&r->src), &rr->src_if) &&
	    intern_name(e, im, dynamic_name(&r->dst), &rr->dst_if) &&
	    intern_tag(e, im, r->tag, &rr->tag) &&
	    intern_tag(e, im, r->match_tag, &rr->match_tag);
}

/*
 * Adds the image's rules.  anchors, tables: what its own numbers mean; NULL:
 * the same.
 */
bool
rules_append(struct pfk_engine *e, const struct pfk_image *im,
    const uint32_t *anchors, const uint32_t *tables, uint32_t *base)
{
	uint32_t old = e->nrules, n = old + im->nrules;
	size_t size = sizeof(*e->rules);
	uint32_t pools = 0;
	struct rt_rule *v;

	if (old != 0 && pools_add(e, im, &pools) != 0)
		return false;
	v = far_alloc(e, ((size_t)n + 1) * size);
	if (v == NULL)
		return false;
	memcpy(v, e->rules, old * size);
	v[n] = e->rules[old];		/* the default rule moves up */
	far_free(e, e->rules, ((size_t)old + 1) * size);
	e->rules = v;
	e->nrules = e->default_rule = n;
	*base = old;
	for (uint32_t i = 0; i < im->nrules; i++) {
		const struct img_rule *r = &im->rules[i];
		struct rt_rule *rr = &v[old + i];

		rr->r = r;
		rr->image = im;
		rr->nat = r->nat == IMG_NONE ? IMG_NONE : pools + r->nat;
		rr->rdr = r->rdr == IMG_NONE ? IMG_NONE : pools + r->rdr;
		rr->route = r->route == IMG_NONE ? IMG_NONE :
		    pools + r->route;
		rr->anchor = anchors != NULL ? anchors[r->anchor] : r->anchor;
		if (r->flags & IMG_R_ANCHOR)
			rr->calls = anchors != NULL ? anchors[r->call] :
			    r->call;
		if (!resolve(e, rr, tables))
			return false;
		rr->plain = rule_plain(rr);
		rr->state_flags = rule_state_flags(r);
	}
	return true;
}

static bool
make_default_rule(struct pfk_engine *e)
{
	e->rules = far_alloc(e, sizeof(*e->rules));
	if (e->rules == NULL)
		return false;
	*e->rules = (struct rt_rule){
		.r = &default_record, .image = e->image,
		.src_table = IMG_NONE, .dst_table = IMG_NONE,
		.overload = IMG_NONE, .nat = IMG_NONE, .rdr = IMG_NONE,
		.route = IMG_NONE, .plain = PLAIN_PASS,
	};
	return true;
}

/* The anchor's rules are those of the image's anchor now. */
static bool
set_code(struct pfk_engine *e, uint32_t anchor, const struct pfk_image *im,
    uint32_t img_anchor, uint32_t base)
{
	struct anchor_rt *a = &e->anchors[anchor];
	const struct img_anchor *from = &im->anchors[img_anchor];

	a->code = im->code + from->code;
	a->base = base;
	a->rule0 = base + from->rule0;
	a->nrules = from->nrules;
	if (!blocks_add(e, a->code, from->ncode, base) ||
	    !strips_add(e, a->code, from->ncode, base))
		return false;
	if (anchor == 0) {
		e->ahead = block_first(e, a->code, from->ncode, base);
		e->front = strip_at(e, a->code);
	}
	return true;
}

int
rules_init(struct pfk_engine *e)
{
	uint32_t base;

	if (!make_default_rule(e) || !anchors_init(e) ||
	    !rules_append(e, e->image, NULL, NULL, &base))
		return -1;
	for (uint32_t i = 0; i < e->image->nanchors; i++)
		if (!set_code(e, i, e->image, i, base))
			return -1;
	strips_learn_calls(e);
	return 0;
}

static void
free_attached(struct pfk_engine *e, struct attached *at)
{
	e_free(e, at->tables, (at->image->ntables + 1) * sizeof(uint32_t));
	e_free(e, at->anchors, at->image->nanchors * sizeof(uint32_t));
}

void
rules_free(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nattached; i++)
		free_attached(e, &e->attached[i]);
	e_free(e, e->attached, e->nattached * sizeof(*e->attached));
	for (uint32_t i = 1; i < e->ntags; i++)
		if (e->tags[i] != NULL) {
			union { const char *c; char *s; } tag =
			    { .c = e->tags[i] };

			e_free(e, tag.s, strlen(tag.c) + 1);
		}
	e_free(e, e->tags, e->ntags * sizeof(*e->tags));
	anchors_free(e);
	blocks_free(e);
	strips_free(e);
	far_free(e, e->rules, ((size_t)e->nrules + 1) * sizeof(*e->rules));
	e->rules = NULL;
}

/* --- loading into an anchor --- */

/* "a" and "b/c": "a/b/c"; either may be "". */
static bool
join_path(char *buf, size_t size, const char *a, const char *b)
{
	int n = snprintf(buf, size, "%s%s%s", a, *a != '\0' && *b != '\0' ?
	    "/" : "", b);

	return n >= 0 && (size_t)n < size;
}

/*
 * Rules compiled for the anchor (-a) have its path already, and nothing is in
 * their main ruleset.
 */
static bool
is_absolute(const struct pfk_image *im, const char *anchor)
{
	if (im->anchors[0].nrules != 0)
		return false;
	for (uint32_t i = 1; i < im->nanchors; i++)
		if (strcmp(image_string(im, im->anchors[i].path), anchor) == 0)
			return true;
	return false;
}

static bool
map_anchors(struct pfk_engine *e, struct attached *at, const char *prefix)
{
	const struct pfk_image *im = at->image;
	char path[1024];

	for (uint32_t i = 0; i < im->nanchors; i++) {
		if (!join_path(path, sizeof(path), prefix,
		    image_string(im, im->anchors[i].path)))
			return false;
		at->anchors[i] = anchor_make(e, path);
		if (at->anchors[i] == IMG_NONE)
			return false;
	}
	return true;
}

static bool
map_tables(struct pfk_engine *e, struct attached *at)
{
	const struct pfk_image *im = at->image;

	for (uint32_t i = 0; i < im->ntables; i++) {
		const struct img_table *t = &im->tables[i];
		uint32_t j = table_make(e,
		    e->anchors[at->anchors[t->anchor]].path,
		    image_string(im, t->name));

		if (j == IMG_NONE)
			return false;
		at->tables[i] = j;
		if (!(t->flags & IMG_T_DEFINED))
			continue;
		table_clear(e, &e->tables[j]);
		e->tables[j].flags = t->flags;
		if (!table_fill(e, j, im, t))
			return false;
	}
	return true;
}

/* The rules that were in the anchor are no longer in force. */
static void
retire(struct pfk_engine *e, const struct anchor_rt *a)
{
	for (uint32_t i = 0; i < a->nrules; i++)
		e->rules[a->rule0 + i].replaced = true;
}

static bool
attach(struct pfk_engine *e, struct attached *at, const char *anchor)
{
	const struct pfk_image *im = at->image;
	bool absolute = is_absolute(im, anchor);

	if (!map_anchors(e, at, absolute ? "" : anchor) ||
	    !map_tables(e, at) ||
	    !rules_append(e, im, at->anchors, at->tables, &at->base))
		return false;
	for (uint32_t i = absolute ? 1 : 0; i < im->nanchors; i++) {
		/* anchors that are only on the way to others are left alone */
		if (i != 0 && im->anchors[i].nrules == 0)
			continue;
		retire(e, &e->anchors[at->anchors[i]]);
		if (!set_code(e, at->anchors[i], im, i, at->base))
			return false;
	}
	return true;
}

int
pfk_engine_load_anchor(struct pfk_engine *e, const char *anchor,
    const struct pfk_image *im)
{
	size_t size = sizeof(*e->attached);
	struct attached *v, *at;
	bool done;

	v = e_realloc(e, e->attached, e->nattached * size,
	    (e->nattached + 1) * size);
	if (v == NULL)
		return PFK_ERR_NOMEM;
	e->attached = v;
	at = &v[e->nattached++];
	*at = (struct attached){ .image = im };
	at->tables = e_alloc(e, (im->ntables + 1) * sizeof(uint32_t));
	at->anchors = e_alloc(e, im->nanchors * sizeof(uint32_t));
	if (at->tables == NULL || at->anchors == NULL)
		return PFK_ERR_NOMEM;
	done = attach(e, at, anchor);
	strips_learn_calls(e);
	return done ? PFK_OK : PFK_ERR_NOMEM;
}

/* --- what programs see --- */

size_t
pfk_engine_rules(const struct pfk_engine *e)
{
	return e->nrules;
}

void
pfk_engine_rule(const struct pfk_engine *e, size_t i,
    struct pfk_rule_info *info)
{
	const struct rt_rule *rr = &e->rules[i];

	pfk_image_rule(rr->image, (size_t)(rr->r - rr->image->rules), info);
	info->anchor = rr->replaced ? NULL : e->anchors[rr->anchor].path;
	if (info->opens_anchor)
		info->body = e->anchors[rr->calls].path;
}

const struct pfk_image *
pfk_engine_rule_image(const struct pfk_engine *e, size_t i, size_t *rule)
{
	const struct rt_rule *rr = &e->rules[i];

	*rule = (size_t)(rr->r - rr->image->rules);
	return rr->image;
}

/* Where a number belongs, and what it is; false: nowhere. */
static bool
shown_count(const struct pfk_engine *e, const struct rt_rule *rr, unsigned i,
    char *buf, size_t size)
{
	const struct img_rule *r = rr->r;
	unsigned n;
	const uint32_t pools[] = { r->nat, r->rdr, r->route };
	const struct img_addr *a = i == 0 ? &r->src : i == 1 ? &r->dst :
	    pools[i - 2] != IMG_NONE ? &rr->image->pools[pools[i - 2]].addr :
	    NULL;
	uint32_t name;

	if (r->count_at[i] == 0 || a == NULL)
		return false;
	if (a->kind == IMG_ADDR_TABLE &&
	    table_active(e, rule_table(e, rr, a)) == NULL)
		(void)snprintf(buf, size, ":*");
	else if (a->kind == IMG_ADDR_TABLE)
		(void)snprintf(buf, size, ":%zu",
		    table_count_addrs(e, rule_table(e, rr, a), 0));
	else if (a->kind == IMG_ADDR_DYNAMIC) {
		name = iface_find(e, image_string(rr->image, a->ref));
		n = iface_addr_count(e, name, a, r->af);
		(void)snprintf(buf, size, n > 0 ? ":%u" : ":*", n);
	} else
		return false;
	return true;
}

/* Adds to a text that may be cut off; *len counts all of it. */
static void
put(char *buf, size_t size, size_t *len, const char *s, size_t n)
{
	size_t room = *len < size ? size - *len : 0;

	if (room > 0)
		memcpy(buf + *len, s, n < room ? n : room);
	*len += n;
}

size_t
pfk_engine_rule_text(const struct pfk_engine *e, size_t i, char *buf,
    size_t size)
{
	const struct rt_rule *rr = &e->rules[i];
	const char *text = image_string(rr->image, rr->r->text);
	size_t at = 0, len = 0;
	char count[24];

	for (unsigned k = 0; k < IMG_NCOUNTS; k++) {
		size_t next = rr->r->count_at[k];

		if (next < at || !shown_count(e, rr, k, count, sizeof(count)))
			continue;
		put(buf, size, &len, text + at, next - at);
		put(buf, size, &len, count, strlen(count));
		at = next;
	}
	put(buf, size, &len, text + at, strlen(text + at));
	if (size > 0)
		buf[len < size ? len : size - 1] = '\0';
	return len;
}
