/*
 * Memory: every allocation of the library goes through one of these, so that
 * a program can count, bound or (in tests) fail them.
 *
 * fn(ctx, ptr, osize, nsize) behaves as realloc: ptr NULL allocates, nsize 0
 * frees and returns NULL.  osize is the size asked for before (0 for NULL).
 * The memory returned is aligned for any type.  A NULL allocator anywhere in
 * the interface means pfk_allocator_libc.
 */
#ifndef PFKIT_ALLOC_H
#define PFKIT_ALLOC_H

#include <stddef.h>

struct pfk_allocator {
	void	*(*fn)(void *ctx, void *ptr, size_t osize, size_t nsize);
	void	*ctx;
};

extern const struct pfk_allocator pfk_allocator_libc;

#endif
