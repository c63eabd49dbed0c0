/*
 * Anchors at run time.
 *
 * They begin as those of the image, with equal indexes; more come when
 * `pfctl -a anchor -f file` names one that is not there, and what is in one
 * may be replaced.  Rules that were replaced stay in e->rules, because states
 * refer to them, but no code leads to them any more.
 */
#include <string.h>

#include "runtime/bytecode.h"
#include "runtime/rules.h"

const uint32_t rules_no_code[1] = { OP_END };

static bool
reserve(struct pfk_engine *e)
{
	uint32_t n = e->nanchors, cap = n == 0 ? 8 : n * 2;
	struct anchor_rt *v;

	if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
		return true;
	v = e_realloc(e, e->anchors, n * sizeof(*v), cap * sizeof(*v));
	if (v == NULL)
		return false;
	e->anchors = v;
	return true;
}

/* Puts the anchor into its parent's list, which is sorted by path. */
static bool
add_child(struct pfk_engine *e, uint32_t child)
{
	struct anchor_rt *p = &e->anchors[e->anchors[child].parent];
	size_t size = sizeof(*p->children);
	uint32_t *v, i;

	v = e_realloc(e, p->children, p->nchildren * size,
	    (p->nchildren + 1) * size);
	if (v == NULL)
		return false;
	p->children = v;
	for (i = p->nchildren++; i > 0; i--) {
		if (strcmp(e->anchors[v[i - 1]].path,
		    e->anchors[child].path) <= 0)
			break;
		v[i] = v[i - 1];
	}
	v[i] = child;
	return true;
}

static uint32_t
append(struct pfk_engine *e, const char *path, size_t len, uint32_t parent)
{
	struct anchor_rt *a;

	if (!reserve(e))
		return IMG_NONE;
	a = &e->anchors[e->nanchors];
	memset(a, 0, sizeof(*a));
	a->code = rules_no_code;
	a->parent = parent;
	a->path = e_alloc(e, len + 1);
	if (a->path == NULL)
		return IMG_NONE;
	memcpy(a->path, path, len);
	e->nanchors++;
	if (parent != IMG_NONE && !add_child(e, e->nanchors - 1))
		return IMG_NONE;
	return e->nanchors - 1;
}

static uint32_t
make(struct pfk_engine *e, const char *path, size_t len)
{
	uint32_t i, parent;
	size_t up = len;

	for (i = 0; i < e->nanchors; i++)
		if (strlen(e->anchors[i].path) == len &&
		    memcmp(e->anchors[i].path, path, len) == 0)
			return i;
	while (up > 0 && path[up - 1] != '/')
		up--;
	parent = make(e, path, up > 0 ? up - 1 : 0);
	return parent == IMG_NONE ? IMG_NONE : append(e, path, len, parent);
}

uint32_t
anchor_make(struct pfk_engine *e, const char *path)
{
	return make(e, path, strlen(path));
}

bool
anchors_init(struct pfk_engine *e)
{
	const struct pfk_image *im = e->image;

	for (uint32_t i = 0; i < im->nanchors; i++) {
		const char *path = image_string(im, im->anchors[i].path);

		if (append(e, path, strlen(path), im->anchors[i].parent) ==
		    IMG_NONE)
			return false;
	}
	return true;
}

void
anchors_free(struct pfk_engine *e)
{
	uint32_t cap = 8;

	for (uint32_t i = 0; i < e->nanchors; i++) {
		struct anchor_rt *a = &e->anchors[i];

		e_free(e, a->path, strlen(a->path) + 1);
		e_free(e, a->children, a->nchildren * sizeof(*a->children));
	}
	while (cap < e->nanchors)
		cap *= 2;
	if (e->anchors != NULL)
		e_free(e, e->anchors, cap * sizeof(*e->anchors));
	e->anchors = NULL;
	e->nanchors = 0;
}
