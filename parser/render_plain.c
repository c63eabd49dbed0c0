/*
 * What pfctl prints.
 */
#include "parser/render.h"

void
render_plain(const struct diag_queue *q, struct strbuf *out)
{
	for (const struct diag *d = q->first; d != NULL; d = d->next) {
		switch (d->plain) {
		case PLAIN_AT:
			strbuf_printf(out, "%s:%u: ", d->plain_file,
			    d->plain_line);
			break;
		case PLAIN_PFCTL:
			strbuf_puts(out, "pfctl: ");
			break;
		case PLAIN_BARE:
			break;
		case PLAIN_NONE:
			continue;
		}
		strbuf_puts(out, d->text);
		strbuf_putc(out, '\n');
	}
}
