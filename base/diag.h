/*
 * Diagnostics are data: queued here in the order in which pfctl would say
 * them, rendered elsewhere (parser/render_*.c), printed by the tools.
 *
 * Each has the text that pfctl prints (`text`) with the way pfctl prefixes
 * it, and what pfkit adds: a stable code, spans, notes, a suggestion.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/source.h"

enum severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

enum plain_form {
	PLAIN_AT,	/* "file:line: text"			*/
	PLAIN_BARE,	/* "text"				*/
	PLAIN_PFCTL,	/* "pfctl: text"			*/
	PLAIN_NONE	/* pfctl is silent; rich and json only	*/
};

struct diag_note {
	const char	*text;
	struct span	 span;		/* file 0: no place */
	struct diag_note *next;
};

struct diag {
	enum severity	 severity;
	const char	*code;		/* "syntax", "unknown-macro", ... */
	const char	*text;
	const char	*detail;	/* what rich and json say instead, or
					   NULL */
	enum plain_form	 plain;
	const char	*plain_file;	/* what pfctl calls the file ...   */
	uint32_t	 plain_line;	/* ... and the line it would name  */
	struct span	 span;		/* what is wrong, for the carets   */
	const struct expansion *via;	/* macro chain of the span, or NULL */
	bool		 cascade;	/* follows from an earlier one:
					   not shown by rich and json	   */
	const char	*suggestion;	/* replacement of the span, or NULL */
	struct diag_note *notes, **notes_tail;
	struct diag	*next;
};

struct diag_queue {
	struct arena	*arena;
	struct diag	*first, **tail;
	unsigned	 errors, warnings;	/* all, cascades too */
};

void	 diag_queue_init(struct diag_queue *, struct arena *);
/* Appends and returns it, so that the caller may add span, notes, ... */
struct diag *diag_add(struct diag_queue *, enum severity, const char *code,
	    const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));
struct diag *diag_vadd(struct diag_queue *, enum severity, const char *code,
	    const char *fmt, va_list)
	    __attribute__((__format__(__printf__, 4, 0)));
void	 diag_note(struct diag_queue *, struct diag *, struct span,
	    const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));

/*
 * Of the NULL-terminated candidates the one nearest to word (Damerau-
 * Levenshtein, at most a third of its length), or NULL.
 */
const char *suggest(const char *word, const char *const *candidates);

#endif
