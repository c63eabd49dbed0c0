/*
 * The default allocator: libc's.
 */
#include <stdlib.h>

#include <pfkit/alloc.h>

static void *
libc_fn(void *ctx, void *ptr, size_t osize, size_t nsize)
{
	(void)ctx;
	(void)osize;
	if (nsize == 0) {
		free(ptr);
		return NULL;
	}
	return realloc(ptr, nsize);
}

const struct pfk_allocator pfk_allocator_libc = { libc_fn, NULL };
