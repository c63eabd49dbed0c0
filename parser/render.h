/*
 * Diagnostics as text.
 *
 * plain	to the letter what pfctl prints
 * rich		for people: one message per root cause, with the line, carets,
 *		where macros and includes come from, and what was perhaps meant
 * json		for programs:
 *
 *	{ "format_version": 1, "valid": false,
 *	  "error_count": 1, "warning_count": 0,
 *	  "diagnostics": [ {
 *	    "severity": "error" | "warning" | "note",
 *	    "code": "syntax",
 *	    "message": "...",
 *	    "file": "pf.conf" | null,
 *	    "range": { "start": { "line": 1, "column": 9, "byte": 8 },
 *		       "end": { ... } } | null,
 *	    "notes": [ { "message": "...", "file": ..., "range": ... } ],
 *	    "suggestion": "keep" | null,
 *	    "rendered": "what rich prints" } ] }
 *
 * Lines and columns count from 1, columns and bytes in bytes, bytes from the
 * start of the file; the end is the first byte behind.  What came out of a
 * macro is reported where the macro is used; notes tell where it was defined.
 *
 * Diagnostics that only follow from another, and repetitions at the same
 * place, are not shown by rich and json and not counted.
 */
#ifndef PARSER_RENDER_H
#define PARSER_RENDER_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/source.h"
#include "base/strbuf.h"

void	 render_plain(const struct diag_queue *, struct strbuf *);
void	 render_rich(const struct diag_queue *, struct source_map *,
	    bool color, struct strbuf *);
void	 render_json(const struct diag_queue *, struct source_map *,
	    bool valid, struct strbuf *);

/* --- what rich and json share: render_rich.c --- */

/* Whether it is shown; `shown` are those before. */
struct shown { const struct diag *recent[8]; unsigned n; };
bool	 diag_is_shown(struct shown *, const struct diag *);
/* Where it is: the use of the outermost macro if it came out of one. */
struct span diag_place(const struct diag *);
const char *diag_message(const struct diag *);
const char *severity_name(enum severity);
/* One diagnostic as rich prints it. */
void	 render_rich_one(const struct diag *, struct source_map *, bool color,
	    struct strbuf *);

/*
 * The notes of a diagnostic, given ones and those that its macros and
 * includes make; calls for each.
 */
typedef void note_fn(void *ctx, struct span, const char *text);
void	 diag_each_note(const struct diag *, struct source_map *,
	    struct arena *, note_fn *, void *ctx);

#endif
