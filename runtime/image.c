/*
 * Images: opening, mapping, copying, and reading what is in one.
 *
 * The sections are used where they lie, so an image costs its bytes and
 * nothing else; a file is mapped.  Nothing is believed before image_verify()
 * has looked at all of it.
 */
#include "runtime/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

/* No padding that could differ from one compiler to another. */
_Static_assert(sizeof(struct img_header) == 24 + 8 * IMG_NSECTIONS, "header");
_Static_assert(sizeof(struct img_addr) == 40, "img_addr");
_Static_assert(sizeof(struct img_pool) == 72, "img_pool");
_Static_assert(sizeof(struct img_rule) == 304, "img_rule");
_Static_assert(sizeof(struct img_anchor) == 32, "img_anchor");
_Static_assert(sizeof(struct img_table) == 24, "img_table");
_Static_assert(sizeof(struct img_table_addr) == 24, "img_table_addr");
_Static_assert(sizeof(struct img_source) == 40, "img_source");
_Static_assert(sizeof(struct img_macro) == 32, "img_macro");
_Static_assert(sizeof(struct img_options) == 152, "img_options");

static int
fail(char *errbuf, int error, const char *text)
{
	if (errbuf != NULL)
		(void)snprintf(errbuf, PFK_IMAGE_ERRLEN, "%s", text);
	return error;
}

static void *
image_realloc(const struct pfk_allocator *a, void *p, size_t osize,
    size_t nsize)
{
	if (a == NULL)
		a = &pfk_allocator_libc;
	return a->fn(a->ctx, p, osize, nsize);
}

static bool
little_endian(void)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return first == 1;
}

/* Where each section begins, and how many records it has. */
bool
image_sections(struct pfk_image *im, char errbuf[PFK_IMAGE_ERRLEN])
{
	const struct img_header *h = (const void *)im->bytes;
	const struct {
		const void **base;
		uint32_t *n;
		uint32_t size;
	} sections[IMG_NSECTIONS] = {
#define SECTION(name, base, count) \
	[IMG_##name] = { (const void **)&im->base, count, sizeof(*im->base) }
		SECTION(STRINGS, strings, &im->nstrings),
		SECTION(CODE, code, &im->ncode),
		SECTION(RULES, rules, &im->nrules),
		SECTION(ANCHORS, anchors, &im->nanchors),
		SECTION(POOLS, pools, &im->npools),
		SECTION(TABLES, tables, &im->ntables),
		SECTION(TABLE_ADDRS, table_addrs, &im->ntable_addrs),
		SECTION(QUEUES, queues, &im->nqueues),
		SECTION(OPTIONS, options, NULL),
		SECTION(SOURCES, sources, &im->nsources),
		SECTION(TEXTS, texts, &im->ntexts),
		SECTION(LINES, lines, &im->nlines),
		SECTION(MACROS, macros, &im->nmacros),
		SECTION(ORIGINS, origins, &im->norigins),
		SECTION(RULE_ORIGINS, rule_origins, &im->nrule_origins),
		SECTION(TABLE_ORIGINS, table_origins, &im->ntable_origins),
		SECTION(TIMEOUTS, timeouts, &im->ntimeouts),
#undef SECTION
	};

	for (unsigned i = 0; i < IMG_NSECTIONS; i++) {
		const struct img_extent *x = &h->section[i];

		if (x->off % 8 != 0 || x->off < sizeof(*h) ||
		    x->off > im->size || x->len > im->size - x->off ||
		    x->len % sections[i].size != 0) {
			(void)snprintf(errbuf, PFK_IMAGE_ERRLEN,
			    "section %u does not fit", i);
			return false;
		}
		*sections[i].base = im->bytes + x->off;
		if (sections[i].n != NULL)
			*sections[i].n = x->len / sections[i].size;
	}
	if (h->section[IMG_OPTIONS].len != sizeof(struct img_options)) {
		(void)snprintf(errbuf, PFK_IMAGE_ERRLEN,
		    "the options have the wrong size");
		return false;
	}
	return true;
}

/* What can be said of a block before any of its numbers are believed. */
static const char *
check_header(const uint8_t *bytes, size_t size)
{
	const struct img_header *h = (const void *)bytes;

	if (size < sizeof(*h) || memcmp(h->magic, IMG_MAGIC, 8) != 0)
		return "not a pfkit image";
	if (!little_endian())
		return "this machine is big-endian and cannot run images: "
		    "compile the ruleset here";
	if (h->version != IMG_VERSION)
		return "an image of another version of pfkit: compile the "
		    "ruleset again";
	if (h->size != size || h->nsections != IMG_NSECTIONS)
		return "the image is cut off or damaged";
	if (h->crc != crc32c(0, bytes + sizeof(*h), size - sizeof(*h)))
		return "the image is damaged (checksum)";
	return NULL;
}

/* What rules may ask for that the engine does not do. */
static const struct unenforced {
	const char	*what;
	uint32_t	 flag;		/* IMG_R_*, or: */
	size_t		 field;		/* a uint32_t of the rule, not 0 */
	uint8_t		 divert;	/* img_rule.divert */
} unenforced[] = {
	{ "queues: packets are never delayed", 0,
	    offsetof(struct img_rule, qname), 0 },
	{ "set delay", IMG_R_SET_DELAY, 0, 0 },
	{ "divert-packet: packets go on at once", 0, 0, IMG_DIVERT_PACKET },
	{ "pflow: flows are not exported", IMG_R_PFLOW, 0, 0 },
};

static bool
asks_for(const struct img_rule *r, const struct unenforced *u)
{
	uint32_t value = 0;

	if (u->field != 0)
		memcpy(&value, (const uint8_t *)r + u->field, sizeof(value));
	return value != 0 || (r->flags & u->flag) != 0 ||
	    (u->divert != 0 && r->divert == u->divert);
}

/*
 * Fills the list of what is not enforced, each with the first rule that asks
 * for it.  The texts and the pointers to them are one block.
 */
#define UNENFORCED_TEXT	256
static int
list_unenforced(struct pfk_image *im)
{
	const size_t n = sizeof(unenforced) / sizeof(unenforced[0]);
	size_t size = n * (UNENFORCED_TEXT + sizeof(char *));
	char *text;

	im->not_enforced = image_realloc(&im->alloc, NULL, 0, size);
	if (im->not_enforced == NULL)
		return PFK_ERR_NOMEM;
	im->not_enforced_size = size;
	text = (char *)(im->not_enforced + n);
	for (size_t i = 0; i < n; i++) {
		const struct img_rule *r = im->rules;
		const struct img_rule *end = r + im->nrules;

		while (r < end && !asks_for(r, &unenforced[i]))
			r++;
		if (r == end)
			continue;
		(void)snprintf(text, UNENFORCED_TEXT, "%s (%s:%u)",
		    unenforced[i].what,
		    r->source < im->nsources ?
		    image_string(im, im->sources[r->source].name) : "?",
		    r->line);
		im->not_enforced[im->nnot_enforced++] = text;
		text += UNENFORCED_TEXT;
	}
	return PFK_OK;
}

static int
check_image(struct pfk_image *im, char errbuf[PFK_IMAGE_ERRLEN])
{
	const char *why = check_header(im->bytes, im->size);

	if (why != NULL)
		return fail(errbuf, PFK_ERR_IMAGE, why);
	if (!image_sections(im, errbuf) || !image_verify(im, errbuf))
		return PFK_ERR_IMAGE;
	return list_unenforced(im);
}

/* An image around the block; the block stays the caller's on failure. */
static int
image_make(const struct pfk_allocator *a, const void *block, size_t size,
    size_t mapped, struct pfk_image **out, char *errbuf)
{
	char own[PFK_IMAGE_ERRLEN];
	struct pfk_image *im;
	int error;

	im = image_realloc(a, NULL, 0, sizeof(*im));
	if (im == NULL)
		return fail(errbuf, PFK_ERR_NOMEM, "out of memory");
	memset(im, 0, sizeof(*im));
	im->alloc = a != NULL ? *a : pfk_allocator_libc;
	im->bytes = block;
	im->size = size;
	im->mapped = mapped;
	error = check_image(im, errbuf != NULL ? errbuf : own);
	if (error != PFK_OK) {
		if (error == PFK_ERR_NOMEM)
			(void)fail(errbuf, error, "out of memory");
		(void)image_realloc(a, im, sizeof(*im), 0);
		return error;
	}
	*out = im;
	return PFK_OK;
}

int
image_adopt(const struct pfk_allocator *a, void *block, size_t size,
    struct pfk_image **out, char *errbuf)
{
	return image_make(a, block, size, 0, out, errbuf);
}

int
pfk_image_load(const void *bytes, size_t size, const struct pfk_allocator *a,
    struct pfk_image **out, char *errbuf)
{
	void *copy;
	int error;

	if (size < sizeof(struct img_header))
		return fail(errbuf, PFK_ERR_IMAGE, "not a pfkit image");
	copy = image_realloc(a, NULL, 0, size);
	if (copy == NULL)
		return fail(errbuf, PFK_ERR_NOMEM, "out of memory");
	memcpy(copy, bytes, size);
	error = image_adopt(a, copy, size, out, errbuf);
	if (error != PFK_OK)
		(void)image_realloc(a, copy, size, 0);
	return error;
}

/* Maps a regular file that has at least a header. */
static int
map_file(int fd, void **map, size_t *size, char *errbuf)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return fail(errbuf, PFK_ERR_IO, strerror(errno));
	if (!S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(struct img_header) ||
	    (uintmax_t)st.st_size > UINT32_MAX)
		return fail(errbuf, PFK_ERR_IMAGE, "not a pfkit image");
	*size = (size_t)st.st_size;
	*map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (*map == MAP_FAILED)
		return fail(errbuf, PFK_ERR_IO, strerror(errno));
	return PFK_OK;
}

int
pfk_image_open(const char *path, const struct pfk_allocator *a,
    struct pfk_image **out, char *errbuf)
{
	void *map;
	size_t size;
	int error, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return fail(errbuf, PFK_ERR_IO, strerror(errno));
	error = map_file(fd, &map, &size, errbuf);
	(void)close(fd);
	if (error != PFK_OK)
		return error;
	error = image_make(a, map, size, size, out, errbuf);
	if (error != PFK_OK)
		(void)munmap(map, size);
	return error;
}

void
pfk_image_free(struct pfk_image *im)
{
	struct pfk_allocator a;

	if (im == NULL)
		return;
	a = im->alloc;
	(void)image_realloc(&a, im->not_enforced, im->not_enforced_size, 0);
	if (im->mapped != 0) {
		union { const void *c; void *v; } map = { .c = im->bytes };

		(void)munmap(map.v, im->mapped);
	} else {
		union { const void *c; void *v; } block = { .c = im->bytes };

		(void)image_realloc(&a, block.v, im->size, 0);
	}
	(void)image_realloc(&a, im, sizeof(*im), 0);
}

const void *
pfk_image_bytes(const struct pfk_image *im, size_t *len)
{
	*len = im->size;
	return im->bytes;
}

size_t
pfk_image_not_enforced(const struct pfk_image *im, const char *const **texts)
{
	*texts = im->not_enforced;
	return im->nnot_enforced;
}

size_t
pfk_image_rules(const struct pfk_image *im)
{
	return im->nrules;
}

void
pfk_image_rule(const struct pfk_image *im, size_t i, struct pfk_rule_info *info)
{
	const struct img_rule *r = &im->rules[i];

	memset(info, 0, sizeof(*info));
	info->anchor = image_string(im, im->anchors[r->anchor].path);
	info->nr = r->nr;
	info->text = image_string(im, r->text);
	info->label = r->label != 0 ? image_string(im, r->label) : NULL;
	info->file = r->source < im->nsources ?
	    image_string(im, im->sources[r->source].name) : "";
	info->line = r->line;
	info->opens_anchor = (r->flags & IMG_R_ANCHOR) != 0;
	info->body = info->opens_anchor ?
	    image_string(im, im->anchors[r->call].path) : "";
}

void
pfk_image_settings(const struct pfk_image *im, struct pfk_settings *s)
{
	const struct img_options *o = im->options;
	uint64_t limit = o->limit[IMG_LIMIT_STATES];
	unsigned hi = o->syncookies_hi, lo = o->syncookies_lo;

	if (hi == 0) {			/* pf's own */
		hi = 25;
		lo = 12;
	}
	s->debug = o->debug;
	s->hostid = o->hostid;
	s->loginterface = image_string(im, o->loginterface);
	s->states_limit = (uint32_t)limit;
	s->syncookies[0] = (uint32_t)(limit * hi / 100);
	s->syncookies[1] = (uint32_t)(limit * lo / 100);
	s->reassemble = o->reassemble != 0;
}

const char *
pfk_image_skipped(const struct pfk_image *im, size_t i)
{
	const char *name = image_string(im, im->options->skip);

	if (i >= im->options->nskip)
		return NULL;
	while (i-- > 0)
		name += strlen(name) + 1;
	return name;
}
