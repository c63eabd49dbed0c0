/*
 * Vectors in an arena: VEC(type) declares one, vec_push() appends.  Growing
 * copies into new arena room and leaves the old; total waste is below the
 * final size.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#define VEC(type)	struct { type *v; size_t n, cap; }

#define vec_push(a, vec, item) do {					\
	if ((vec)->n == (vec)->cap)					\
		(vec)->v = vec_grow_((a), (vec)->v, (vec)->n,		\
		    &(vec)->cap, sizeof(*(vec)->v));			\
	(vec)->v[(vec)->n++] = (item);					\
} while (0)

/* Room for one more, zeroed; a pointer to it. */
#define vec_add(a, vec)							\
	((vec)->n == (vec)->cap ?					\
	    (void)((vec)->v = vec_grow_((a), (vec)->v, (vec)->n,	\
	    &(vec)->cap, sizeof(*(vec)->v))) : (void)0,			\
	    &(vec)->v[(vec)->n++])

void	*vec_grow_(struct arena *, void *, size_t, size_t *, size_t);

#endif
