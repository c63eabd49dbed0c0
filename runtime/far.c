/*
 * Memory of which any place may be asked next.
 *
 * Of large arrays each packet touches other lines, so that the processor would
 * have to look up the translation of a page for each of them, too, and would
 * mostly not find it.  They are therefore made of huge pages, where the system
 * has such and gives them to those who ask.
 *
 * That works only where a whole huge page is ours and nothing of it has been
 * touched: memory that malloc() hands out again usually has been.  So arrays
 * begin at a huge page, and what lies in their pages, which nobody wants any
 * more, is given back before they are touched.  The end of an array has a huge
 * page if it fills half of it; so little memory is wasted.
 *
 *	| raw | ...		| page		| page		| rest |
 *				^ what the caller gets; before it, `raw'
 */
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "runtime/far.h"

/* How much of it lies in huge pages. */
static size_t
in_pages(size_t n)
{
	return (n + FAR_PAGE / 2) / FAR_PAGE * FAR_PAGE;
}

static size_t
align_of(size_t n)
{
	return in_pages(n) != 0 ? FAR_PAGE : FAR_LINE;
}

size_t
far_size(size_t n)
{
	return (in_pages(n) > n ? in_pages(n) : n) + align_of(n) +
	    sizeof(void *);
}

static void
ask_pages(void *p, size_t n)
{
#if defined(MADV_HUGEPAGE) && defined(MADV_DONTNEED)
	if (n == 0)
		return;
	(void)madvise(p, n, MADV_DONTNEED);
	(void)madvise(p, n, MADV_HUGEPAGE);
#else
	(void)p;
	(void)n;
#endif
}

void *
far_alloc(const struct pfk_engine *e, size_t n)
{
	unsigned char *raw = e_realloc(e, NULL, 0, far_size(n)), *p;

	if (raw == NULL)
		return NULL;
	p = raw + sizeof(raw);
	p += (0 - (uintptr_t)p) & (align_of(n) - 1);
	ask_pages(p, in_pages(n));
	memcpy(p - sizeof(raw), &raw, sizeof(raw));
	return memset(p, 0, n);
}

void
far_free(const struct pfk_engine *e, void *p, size_t n)
{
	void *raw;

	if (p == NULL)
		return;
	memcpy(&raw, (unsigned char *)p - sizeof(raw), sizeof(raw));
	e_free(e, raw, far_size(n));
}
