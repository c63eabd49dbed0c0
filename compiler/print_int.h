/*
 * What the printers of rules share: what is printed, where to, and how.
 */
#ifndef COMPILER_PRINT_INT_H
#define COMPILER_PRINT_INT_H

#include "compiler/print.h"

struct printer {
	struct strbuf	*sb;
	const struct pfk_host *host;
	const struct rule *r;
	unsigned	 flags;		/* enum print_flags */
};

/* One printer for each name in rule_fields.def's print column. */
typedef void	 field_printer(const struct printer *);

field_printer	 print_fromto;		/* print_addr.c */
field_printer	 print_divert;
field_printer	 print_translation;
field_printer	 print_route;
field_printer	 print_set;		/* print_opts.c */
field_printer	 print_state;
field_printer	 print_probability;
field_printer	 print_state_options;
field_printer	 print_scrub;

/* An operator with its numbers as words: " = ssh", " 1024:2048". */
void	 print_op(struct strbuf *, uint8_t op, const char *, const char *);
void	 print_u32(struct strbuf *, uint32_t);
/* The number as text at the end of the buffer; its start is returned. */
#define U32_TEXT	11
const char *format_u32(uint32_t, char buf[U32_TEXT]);
/* The number's decimal text, somewhere in buf. */
#define U32_TEXT_SIZE	11
const char *u32_text(uint32_t, char buf[U32_TEXT_SIZE]);

/*
 * Lists in parentheses: list_item() opens the parenthesis before the first
 * item and puts the separator before each other; list_end() closes it.
 */
struct list_printer {
	struct strbuf	*sb;
	const char	*open, *separator;
	unsigned	 n;
};

void	 list_item(struct list_printer *);
void	 list_end(struct list_printer *);

#endif
