/*
 * Printing what is defined besides rules: tables and queues.
 */
#include "compiler/print_int.h"

static void
print_hosts(struct strbuf *sb, const struct host_item *h)
{
	for (; h != NULL; h = h->next) {
		strbuf_puts(sb, h->neg ? " !" : " ");
		print_addr(sb, &h->addr, h->af, 0);
	}
}

/* Neighbouring lists are printed as one. */
static const struct table_init *
print_lists(struct strbuf *sb, const struct table_init *i)
{
	strbuf_puts(sb, " {");
	for (; i != NULL && i->file == NULL; i = i->next)
		print_hosts(sb, i->hosts);
	strbuf_puts(sb, " }");
	return i;
}

void
print_table(struct strbuf *sb, const struct table *t,
    const struct table_init *i)
{
	strbuf_printf(sb, "table <%s>%s%s%s", t->name,
	    t->is_const ? " const" : "", t->persist ? " persist" : "",
	    t->counters ? " counters" : "");
	if (i == NULL && t->has_init)
		strbuf_puts(sb, " { }");
	while (i != NULL) {
		if (i->file == NULL) {
			i = print_lists(sb, i);
			continue;
		}
		strbuf_printf(sb, " file \"%s\"", i->file);
		i = i->next;
	}
	strbuf_putc(sb, '\n');
}

/*
 * The largest unit that leaves a whole number; without one, a space.  pfctl
 * divides once more than it has letters for, so that 1000G is "1\0".
 */
static void
print_bandwidth(struct strbuf *sb, const char *prefix, uint64_t rate)
{
	static const char units[] = " KMG";
	unsigned i = 0;

	if (rate == 0)
		return;
	for (; rate >= 1000 && rate % 1000 == 0 && i < 4; i++)
		rate /= 1000;
	strbuf_printf(sb, "%s%llu%c", prefix, (unsigned long long)rate,
	    units[i]);
}

static void
print_curve(struct strbuf *sb, const char *prefix,
    const struct queue_curve *c)
{
	print_bandwidth(sb, prefix, c->m2);
	if (c->d == 0)
		return;
	strbuf_puts(sb, " burst ");
	print_bandwidth(sb, "", c->m1);
	strbuf_printf(sb, " for %ums", c->d);
}

static void
print_number(struct strbuf *sb, const char *prefix, uint32_t n)
{
	if (n != 0)
		strbuf_printf(sb, "%s%u", prefix, n);
}

void
print_queue(struct strbuf *sb, const struct queue *q)
{
	strbuf_printf(sb, "queue %s", q->name);
	if (q->parent != NULL)
		strbuf_printf(sb, " parent %s", q->parent);
	else if (q->ifname != NULL)
		strbuf_printf(sb, " on %s", q->ifname);
	if (q->is_flowqueue) {
		strbuf_printf(sb, " flows %u", q->flows);
		print_number(sb, " quantum ", q->quantum);
	}
	if (q->linkshare.m1 != 0 || q->linkshare.m2 != 0) {
		print_curve(sb, " bandwidth ", &q->linkshare);
		print_curve(sb, ", min ", &q->realtime);
		print_curve(sb, ", max ", &q->upperlimit);
	}
	if (q->is_default)
		strbuf_puts(sb, " default");
	print_number(sb, " qlimit ", q->qlimit);
	strbuf_putc(sb, '\n');
}
