/*
 * pf.conf's own lines, with carets under what is meant, and the macros that it
 * came out of:
 *
 *	    7 | pass in on $ext proto tcp to port $web
 *	      |            ^~~~                   ^~~~
 *	      | `em0' is in the value of $ext:
 *	    1 | ext = "em0"
 *	      |        ^~~
 *
 * Texts are those of the image; a long one, which an image does not keep, is
 * read from its file, if that is still the same.
 */
#ifndef COMMON_QUOTE_H
#define COMMON_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

#include <pfkit/origin.h>

struct pfk_flow;

/* Texts that were read; one serves any number of images. */
struct quotes;
struct quotes *quotes_new(void);
void	 quotes_free(struct quotes *);		/* NULL is fine */
/* NULL: it is not to be had. */
const char *quotes_text(struct quotes *, const struct pfk_image *,
	    uint32_t source, size_t *len);

/* Where quotes go; the terminal's colours, if wanted. */
struct quote_sink {
	void	(*put)(void *, const char *, size_t);
	void	*ctx;
	bool	 colour;
};

/* What is marked: elements of lists, and what came out of macros. */
#define QUOTE_LISTED	UINT32_MAX
/*
 * The statement, with carets under the elements of these parts (1 << enum
 * pfk_part; or QUOTE_LISTED), and where their macros are defined.
 * => false: the text is not to be had, and nothing was written.
 */
bool	 quote_origin(struct quotes *, const struct quote_sink *,
	    const struct pfk_image *, const struct pfk_origin *,
	    uint32_t parts);
/* One element of whatever statement. */
bool	 quote_element(struct quotes *, const struct quote_sink *,
	    const struct pfk_image *, const struct pfk_element *);

/*
 * Of the origins of a rule the one that a packet is due to: of merged rules
 * the one whose address it has.  false: the rule has none.
 */
bool	 origin_of_packet(const struct pfk_image *, size_t rule,
	    const struct pfk_flow *, struct pfk_origin *);
/* The element of that part, or NULL. */
const struct pfk_element *origin_element_of(const struct pfk_origin *,
	    enum pfk_part);
/* What the macros gave for it: `value', or `at'. */
const struct pfk_place *element_value(const struct pfk_element *);
/* The place in the statement: if it came out of macros, the outermost use. */
void	 element_place(const struct pfk_image *, const struct pfk_element *,
	    struct pfk_place *);

#endif
