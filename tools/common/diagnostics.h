/*
 * How diagnostics are shown: --diagnostics, or what suits the terminal.
 */
#ifndef COMMON_DIAGNOSTICS_H
#define COMMON_DIAGNOSTICS_H

#include <stdbool.h>

#include <pfkit/compile.h>

enum diagnostics { DIAGNOSTICS_AUTO, DIAGNOSTICS_PLAIN, DIAGNOSTICS_RICH,
    DIAGNOSTICS_JSON };

/* false: no such form. */
bool	 diagnostics_parse(const char *word, enum diagnostics *);
/*
 * The form for standard error.  What AUTO means where that is no terminal
 * the caller decides: PLAIN or RICH.
 */
enum pfk_render diagnostics_form(enum diagnostics, enum diagnostics otherwise);

#endif
