/*
 * Images: a compiled ruleset as one block of bytes, ready to run.
 *
 * An image comes out of a compilation (pfk_ruleset_image(), in libpfkit) or
 * out of a .pfi file or memory (pfk_image_open(), pfk_image_load(), in
 * libpfkit-rt).  Either way it is checked whole before anyone sees it: a
 * damaged or hostile one is refused with a message.
 *
 * An image is immutable and may be shared by engines and threads; it must
 * outlive the engines that run it.
 */
#ifndef PFKIT_IMAGE_H
#define PFKIT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <pfkit/alloc.h>
#include <pfkit/compile.h>		/* enum pfk_error */

struct pfk_image;

#define PFK_IMAGE_MAGIC	"PFKIT\r\n\032" /* an image's first 8 bytes */
#define PFK_IMAGE_ERRLEN	256	/* size of errbuf; may be NULL */

/* Which form of the rules the code has (the records are the same). */
enum pfk_lowering { PFK_LOWER_AUTO, PFK_LOWER_PLAIN, PFK_LOWER_FAST };

/*
 * From a valid ruleset.  PFK_OK, PFK_ERR_NOMEM, or PFK_ERR_INVALID if the
 * ruleset has errors.  The image does not refer to the ruleset.
 */
int	 pfk_ruleset_image(struct pfk_ruleset *, enum pfk_lowering,
	    struct pfk_image **);

/* Maps a file; PFK_ERR_IO (errbuf: why) or PFK_ERR_IMAGE (errbuf: where). */
int	 pfk_image_open(const char *path, const struct pfk_allocator *,
	    struct pfk_image **, char *errbuf);
/* From bytes, which are copied. */
int	 pfk_image_load(const void *, size_t, const struct pfk_allocator *,
	    struct pfk_image **, char *errbuf);
void	 pfk_image_free(struct pfk_image *);	/* NULL is fine */

/* The bytes, as they stand in a file. */
const void *pfk_image_bytes(const struct pfk_image *, size_t *len);

/*
 * The disassembly: a line for each instruction, a heading for each anchor, the
 * rule's text as a comment.  In memory from the image's allocator; free it
 * with pfk_image_free_text().  NULL: out of memory.
 */
char	*pfk_image_disassemble(const struct pfk_image *, size_t *len);
void	 pfk_image_free_text(const struct pfk_image *, char *);

/* What the engine cannot do yet with this ruleset: "synproxy (pf.conf:12)". */
size_t	 pfk_image_not_enforced(const struct pfk_image *, const char *const **);

/* Rules, as pfctl shows them; number from 0 over all anchors, in order. */
struct pfk_rule_info {
	const char	*anchor;	/* path, "" for the main ruleset */
	uint32_t	 nr;		/* as pfctl numbers it */
	const char	*text;		/* "pass in all flags S/SA" */
	const char	*label;		/* or NULL */
	const char	*file;		/* where it is written */
	uint32_t	 line;
	int		 opens_anchor;	/* text is followed by the body of ... */
	const char	*body;		/* ... this anchor; "" if none */
};
size_t	 pfk_image_rules(const struct pfk_image *);
void	 pfk_image_rule(const struct pfk_image *, size_t, struct pfk_rule_info *);

/* Options of the ruleset that the filter shows. */
struct pfk_settings {
	int		 debug;		/* syslog level */
	uint32_t	 hostid;	/* 0: not set, random */
	const char	*loginterface;	/* "": none */
	uint32_t	 states_limit;
	uint32_t	 syncookies[2];	/* watermarks: states at start, end */
	int		 reassemble;	/* rules never see a fragment */
};
void	 pfk_image_settings(const struct pfk_image *, struct pfk_settings *);
/* The names after `set skip on', from 0 on; NULL: there are no more. */
const char *pfk_image_skipped(const struct pfk_image *, size_t);

#endif
