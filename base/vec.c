/*
 * Growing of vectors: see vec.h.
 */
#include <stdint.h>
#include <string.h>

#include "base/vec.h"

void *
vec_grow_(struct arena *a, void *old, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap == 0 ? 8 : *cap * 2;
	char *grown;

	if (want > SIZE_MAX / size)
		longjmp(*a->oom, 1);
	grown = arena_grow(a, old, n * size, want * size);
	memset(grown + n * size, 0, (want - n) * size);
	*cap = want;
	return grown;
}
