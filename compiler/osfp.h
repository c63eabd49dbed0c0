/*
 * Names of operating systems, as `from any os "Linux 2.6"` uses them.
 *
 * The compiler needs only the names in pf.os: whether one is known, and how
 * pfctl would print it.  Matching packets is the runtime's business.
 */
#ifndef COMPILER_OSFP_H
#define COMPILER_OSFP_H

#include "compiler/compile.h"

#define OSFP_NOMATCH	"nomatch"	/* printed for a name nobody knows */

/*
 * Reads the names of a pf.os text; those read before are forgotten.  Lines
 * that are wrong are skipped, with pfctl's message.  With -vv what pfctl
 * says about the number of fingerprints is echoed.
 * => text lives as long as the ruleset: an image is given it.
 */
void	 osfp_load(struct pfk_ruleset *, const char *path, const char *text);
/*
 * The host's own, unless something is loaded already.  pfctl does so before
 * it reads the main ruleset (not for an anchor, -a); with less than -vv and
 * a pf.os without mistakes nobody can tell, and osfp_lookup() does it.
 */
void	 osfp_load_host(struct pfk_ruleset *);

/*
 * The name as pfctl prints it ("linux 2.6.18" gives "Linux 2.6.18"), or NULL
 * if there is none such; the rule then holds OSFP_NOMATCH.
 */
const char *osfp_lookup(struct pfk_ruleset *, const char *name);

/* NULL-terminated list of the classes, for suggestions. */
const char *const *osfp_classes(struct pfk_ruleset *);

#endif
