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
	void *grown;

	if (want > SIZE_MAX / size)
		longjmp(*a->oom, 1);
	grown = arena_alloc(a, want * size);
	if (n != 0)
		memcpy(grown, old, n * size);
	*cap = want;
	return grown;
}
