/*
 * The page: one file without anything from elsewhere.
 *
 *	page.c		head, sums, filters, legend
 *	page_lines.c	the texts, line by line
 *	page_items.c	what is marked in them, as a table
 *	page_chart.c	verdicts over time
 *	page_style.c	how it looks, and the little that it does
 *
 * Whatever comes from a ruleset or a file name goes through html_text().
 * Without scripts everything is there but the filters.
 */
#ifndef COVER_PAGE_H
#define COVER_PAGE_H

#include "../replay/out.h"
#include "model.h"

extern const char page_style[], page_script[];	/* of the page alone */

void	 html_bytes(struct out *, const char *, size_t);
void	 html_text(struct out *, const char *);

void	 page_lines(struct out *, const struct model *, uint32_t source);
void	 page_items(struct out *, const struct model *, uint32_t source);
/* For the filters: what each row and element did on which interface. */
void	 page_data(struct out *, const struct model *);
void	 page_charts(struct out *, const struct model *);

/* What each status is called, and its sign: not all see colours. */
struct page_status { const char *name, *sign, *text; };
extern const struct page_status page_statuses[NSTATUS];

#endif
