/*
 * Memory of which any place may be asked next (far.c).
 */
#ifndef RUNTIME_FAR_H
#define RUNTIME_FAR_H

#include "runtime/engine_int.h"

#define FAR_LINE	64u
#define FAR_PAGE	((size_t)2 << 20)	/* of huge pages, mostly */

/*
 * Zeroed, at the beginning of a line, or of a huge page if it is worth one.
 * NULL: no memory.  It is freed by far_free() only.
 */
void	*far_alloc(const struct pfk_engine *, size_t);
void	 far_free(const struct pfk_engine *, void *, size_t);
/* What the allocator is asked for; what is more than the caller has asked for
 * is not touched, mostly. */
size_t	 far_size(size_t);

#endif
