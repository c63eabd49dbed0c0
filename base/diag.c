/*
 * The queue of diagnostics, and the nearest of some words.
 */
#include <stdint.h>
#include <string.h>

#include "base/diag.h"

#define WORD_MAX_LEN	40	/* longer words get no suggestion */

void
diag_queue_init(struct diag_queue *q, struct arena *arena)
{
	memset(q, 0, sizeof(*q));
	q->arena = arena;
	q->tail = &q->first;
}

struct diag *
diag_vadd(struct diag_queue *q, enum severity severity, const char *code,
    const char *fmt, va_list ap)
{
	struct diag *d = arena_new(q->arena, struct diag);

	d->severity = severity;
	d->code = code;
	d->text = arena_vprintf(q->arena, fmt, ap);
	d->notes_tail = &d->notes;
	*q->tail = d;
	q->tail = &d->next;
	if (severity == DIAG_ERROR)
		q->errors++;
	else if (severity == DIAG_WARNING)
		q->warnings++;
	return d;
}

struct diag *
diag_add(struct diag_queue *q, enum severity severity, const char *code,
    const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = diag_vadd(q, severity, code, fmt, ap);
	va_end(ap);
	return d;
}

void
diag_note(struct diag_queue *q, struct diag *d, struct span span,
    const char *fmt, ...)
{
	struct diag_note *n = arena_new(q->arena, struct diag_note);
	va_list ap;

	va_start(ap, fmt);
	n->text = arena_vprintf(q->arena, fmt, ap);
	va_end(ap);
	n->span = span;
	*d->notes_tail = n;
	d->notes_tail = &n->next;
}

/*
 * Distance of two words in insertions, deletions, substitutions and swaps of
 * neighbours; three rows of the usual table are enough.
 */
static unsigned
distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX_LEN + 1], *two = rows[0], *one = rows[1];
	unsigned *now = rows[2], *reuse, d;

	for (size_t j = 0; j <= blen; j++)
		one[j] = (unsigned)j;
	for (size_t i = 1; i <= alen; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			d = one[j - 1] + (a[i - 1] != b[j - 1]);
			if (one[j] + 1 < d)
				d = one[j] + 1;
			if (now[j - 1] + 1 < d)
				d = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && two[j - 2] + 1 < d)
				d = two[j - 2] + 1;
			now[j] = d;
		}
		reuse = two;
		two = one;
		one = now;
		now = reuse;
	}
	return one[blen];
}

const char *
suggest(const char *word, const char *const *candidates)
{
	size_t len = strlen(word), clen;
	unsigned best = UINT32_MAX, d;
	const char *nearest = NULL;

	if (len == 0 || len > WORD_MAX_LEN)
		return NULL;
	for (; *candidates != NULL; candidates++) {
		clen = strlen(*candidates);
		if (clen > WORD_MAX_LEN)
			continue;
		d = distance(word, len, *candidates, clen);
		if (d < best) {
			best = d;
			nearest = *candidates;
		}
	}
	/* A third of the word, but one slip in a short one. */
	return best > 0 && best <= (len < 3 ? 0 : len / 3) ? nearest : NULL;
}
