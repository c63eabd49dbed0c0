/*
 * A compilation in progress: what all rooms of compiler/ share.
 *
 *	pf.conf -> parser -> events -> sema_*.c -> flat rules (rule.h)
 *	        -> optimize*.c -> print*.c / lower*.c
 *
 * Everything that stays lives in `arena`; nothing there is freed singly.
 */
#ifndef COMPILER_COMPILE_H
#define COMPILER_COMPILE_H

#include <setjmp.h>

#include <pfkit/compile.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/source.h"
#include "base/strbuf.h"
#include "compiler/rule.h"
#include "parser/ast.h"

struct sema;			/* sema.c: state of the checks */
struct osfp;			/* osfp.c: names of operating systems */

struct pfk_ruleset {
	struct arena	 arena;
	/*
	 * What a statement needs while it is looked at: lists, what hosts
	 * resolve to.  Used again for the next one, as the nodes are.
	 * sema_new() makes it, with the allocator, limit and `oom` of the
	 * other; freeing it (also if it was never made) is for who frees that.
	 */
	struct arena	 scratch;
	jmp_buf		 oom;
	struct source_map sources;
	struct diag_queue diags;
	struct parser	*parser;
	struct sema	*sema;
	struct osfp	*osfp;		/* NULL until one is needed */
	const char	*fingerprints;	/* the text it was read from */
	const struct pfk_compile_options *opts;	/* valid in pfk_compile() */
	const struct pfk_host *host;
	unsigned	 verbose;	/* as given by -v */
	struct strbuf	 echo;		/* what pfctl wrote to stdout so far */
	struct flat_ruleset flat;
	bool		 valid;
	uint64_t	 random_state;	/* seeded: see compile_random() */
	uint32_t	 automatic_id;	/* HEX of <__automatic_HEX_N>; 0: none
					    yet */
	unsigned	 next_automatic; /* N of the next <__automatic_N>,
					    shared by pools and optimiser */
};

uint32_t compile_random(struct pfk_ruleset *);
/*
 * "__automatic_N", as pfctl -n has it; "__automatic_HEX_N" as a filter has it
 * that such rules were loaded into.
 */
const char *compile_automatic_name(struct pfk_ruleset *, struct arena *,
	    unsigned n);

/*
 * Reads a whole file as options.files says (read_file.c); the text ends with
 * a NUL that is not counted.  Returns 0 or an errno value.  ctx is the
 * ruleset, so that it fits parse_options.read_file.
 */
int	 compile_read_file(void *ctx, struct arena *, const char *path,
	    const char **text, size_t *len);

#endif
