/*
 * Printing the options that stand in parentheses: set (...), the state
 * options, scrub (...).
 */
#include <stdio.h>
#include <string.h>

#include "compiler/names.h"
#include "compiler/print_int.h"

static void
print_set_prio(struct list_printer *l, const struct rule *r)
{
	const uint8_t *prio = r->set_prio.prio;

	if (!r->set_prio_on)
		return;
	list_item(l);
	if (prio[0] == prio[1])
		strbuf_printf(l->sb, "prio %u", prio[0]);
	else
		strbuf_printf(l->sb, "prio(%u, %u)", prio[0], prio[1]);
}

static void
print_set_queue(struct list_printer *l, const struct rule *r)
{
	if (r->qname == NULL)
		return;
	list_item(l);
	if (r->pqname != NULL)
		strbuf_printf(l->sb, "queue(%s, %s)", r->qname, r->pqname);
	else
		strbuf_printf(l->sb, "queue %s", r->qname);
}

void
print_set(const struct printer *p)
{
	struct list_printer l = { p->sb, " set (", ", ", 0 };
	const struct rule *r = p->r;

	print_set_prio(&l, r);
	print_set_queue(&l, r);
	if (r->set_tos_on) {
		list_item(&l);
		strbuf_printf(p->sb, "tos 0x%02x", r->set_tos);
	}
	if (r->set_delay_on) {
		list_item(&l);
		strbuf_printf(p->sb, "delay %u", r->delay);
	}
	list_end(&l);
}

static bool
has_timeouts(const struct rule *r)
{
	for (unsigned i = 0; i < TMO_COUNT; i++)
		if (r->timeout->v[i] != 0)
			return true;
	return false;
}

static bool
has_state_options(const struct rule *r)
{
	return r->max_states != 0 || r->max_src_nodes != 0 ||
	    r->max_src_states != 0 || r->no_sync || r->src_track ||
	    r->if_bound || r->sloppy || r->pflow || has_timeouts(r);
}

/* Plain `keep state` is the default: said only to hang options on it. */
void
print_state(const struct printer *p)
{
	const struct rule *r = p->r;

	switch ((enum rule_state)r->keep_state) {
	case RULE_NO_STATE:
		if (r->action == RULE_PASS && r->anchor.call == NULL)
			strbuf_puts(p->sb, " no state");
		break;
	case RULE_KEEP_STATE:
		if (has_state_options(r))
			strbuf_puts(p->sb, " keep state");
		break;
	case RULE_MODULATE_STATE:
		strbuf_puts(p->sb, " modulate state");
		break;
	case RULE_SYNPROXY_STATE:
		strbuf_puts(p->sb, " synproxy state");
		break;
	}
}

/* Six decimals without the zeros at their end. */
void
print_probability(const struct printer *p)
{
	char buf[20], *end;

	if (p->r->prob == 0)
		return;
	snprintf(buf, sizeof(buf), "%f", p->r->prob * 100.0 / 4294967296.0);
	end = buf + strlen(buf);
	while (end > buf + 1 && end[-1] == '0')
		end--;
	if (end > buf + 1 && end[-1] == '.')
		end--;
	*end = '\0';
	strbuf_printf(p->sb, " probability %s%%", buf);
}

static void
print_number_option(struct list_printer *l, const char *word, uint32_t n)
{
	if (n == 0)
		return;
	list_item(l);
	strbuf_printf(l->sb, "%s %u", word, n);
}

static void
print_flag_option(struct list_printer *l, const char *word, bool on)
{
	if (!on)
		return;
	list_item(l);
	strbuf_puts(l->sb, word);
}

static void
print_source_tracking(struct list_printer *l, const struct rule *r)
{
	print_flag_option(l, r->src_track == RULE_TRACK_RULE ?
	    "source-track rule" : "source-track global",
	    r->src_track != RULE_TRACK_NONE);
	print_number_option(l, "max-src-states", r->max_src_states);
	print_number_option(l, "max-src-conn", r->max_src_conn);
	if (r->max_src_conn_rate.limit != 0) {
		list_item(l);
		strbuf_printf(l->sb, "max-src-conn-rate %u/%u",
		    r->max_src_conn_rate.limit, r->max_src_conn_rate.seconds);
	}
	print_number_option(l, "max-src-nodes", r->max_src_nodes);
	if (r->overload != NULL) {
		list_item(l);
		strbuf_printf(l->sb, "overload <%s>%s%s", r->overload,
		    r->flush ? " flush" : "", r->flush & 2 ? " global" : "");
	}
}

void
print_state_options(const struct printer *p)
{
	struct list_printer l = { p->sb, " (", ", ", 0 };
	const struct rule *r = p->r;

	if (!has_state_options(r))
		return;
	print_number_option(&l, "max", r->max_states);
	print_flag_option(&l, "no-sync", r->no_sync);
	print_source_tracking(&l, r);
	print_flag_option(&l, "if-bound", r->if_bound);
	print_flag_option(&l, "sloppy", r->sloppy);
	print_flag_option(&l, "pflow", r->pflow);
	for (unsigned i = 0; i < TMO_COUNT; i++)
		print_number_option(&l, timeout_name(i), r->timeout->v[i]);
	list_end(&l);
}

void
print_scrub(const struct printer *p)
{
	struct list_printer l = { p->sb, " scrub (", " ", 0 };
	const struct rule *r = p->r;

	print_flag_option(&l, "no-df", r->no_df);
	print_flag_option(&l, "random-id", r->random_id);
	print_number_option(&l, "min-ttl", r->min_ttl);
	print_flag_option(&l, "reassemble tcp", r->reassemble_tcp);
	print_number_option(&l, "max-mss", r->max_mss);
	list_end(&l);
}
