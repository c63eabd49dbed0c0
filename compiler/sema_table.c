/*
 * table <name> ...: flags, addresses, files.
 *
 * Addresses come in three steps: sema_host.c has resolved each element of a
 * list; the list is checked as a whole when its '}' is read; when the
 * statement ends, files are read and the table is made and echoed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "compiler/combination.h"
#include "compiler/print.h"
#include "compiler/sema.h"

#define MAX_TOKEN	256		/* in a table file */
#define MAX_WEIGHT	65535

/* What stands between the braces of the table being made. */
struct making {
	struct sema	*s;
	struct table	*table;
	struct table_init *first, **tail;
};

static enum ast_result
check_flag(struct sema *s, const struct ast *n)
{
	static const char *const flags[] = { "const", "persist", "counters",
	    NULL };

	for (size_t i = 0; flags[i] != NULL; i++)
		if (strcmp(n->str, flags[i]) == 0)
			return AST_OK;
	parser_error(s->parser, n, "table-option",
	    "invalid table option '%s'", n->str)->suggestion =
	    suggest(n->str, flags);
	return AST_REFUSED;
}

/* What pfctl says about an address that no table can hold; NULL: it can. */
static const char *
misfit(enum rule_addrkind kind)
{
	switch (kind) {
	case RULE_ADDR_RANGE:
		return "address ranges are not permitted inside tables";
	case RULE_ADDR_DYNAMIC:
		return "dynamic addresses are not permitted inside tables";
	case RULE_ADDR_TABLE:
		return "tables cannot contain tables";
	case RULE_ADDR_NO_ROUTE:
		return "\"no-route\" is not permitted inside tables";
	case RULE_ADDR_URPF_FAILED:
		return "\"urpf-failed\" is not permitted inside tables";
	case RULE_ADDR_ROUTE_LABEL:
		return "unknown address type 4";
	case RULE_ADDR_ANY:
	case RULE_ADDR_MASK:
	case RULE_ADDR_NONE:
		break;
	}
	return NULL;
}

static enum ast_result
check_addresses(struct sema *s, const struct ast *list)
{
	for (const struct ast *n = list->first; n != NULL; n = n->next) {
		const struct host_list *hosts = sema_hosts(n);
		const struct host_item *h;

		for (h = hosts ? hosts->first : NULL; h != NULL; h = h->next) {
			const char *why = misfit(h->addr.kind);

			if (why != NULL)
				return sema_error(s, n, "table-address", "%s",
				    why);
		}
	}
	return AST_OK;
}

/* One address into the table; false: its mask is too long. */
static bool
add_address(struct making *m, const struct rule_addr *addr, bool neg)
{
	struct table_addr a = { .addr = addr->addr, .af = addr->af,
	    .neg = neg };
	unsigned bits = addr_mask_bits(&addr->mask);

	if (bits > addr_bits(addr->af))
		return false;
	a.bits = (uint8_t)bits;
	vec_push(&m->s->rs->arena, &m->table->addrs, a);
	return true;
}

static bool
add_hosts(struct making *m, const struct host_list *hosts, bool neg)
{
	for (const struct host_item *h = hosts->first; h != NULL; h = h->next)
		if (!add_address(m, &h->addr, h->neg != neg))
			return false;
	return true;
}

static void
add_init(struct making *m, const char *file, const struct host_item *hosts)
{
	struct table_init *i = arena_new(&m->s->rs->arena, struct table_init);

	i->file = file;
	i->hosts = hosts;
	*m->tail = i;
	m->tail = &i->next;
}

static enum ast_result
take_list(struct making *m, const struct ast *list)
{
	for (const struct ast *n = list->first; n != NULL; n = n->next) {
		const struct host_list *hosts = sema_hosts(n);
		size_t before = m->table->addrs.n;

		if (hosts == NULL)
			continue;
		add_init(m, NULL, hosts->first);
		if (!add_hosts(m, hosts, false))
			return sema_error(m->s, n, "netmask",
			    "cannot create address buffer: %s",
			    strerror(EINVAL));
		table_note_element(m->s, m->table, n, before);
	}
	return AST_OK;
}

/*
 * A table file: words between white space; "#" at the start of a word is a
 * comment to the end of the line.
 */
struct words { const char *p, *end; };

static bool
is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word into buf: 1, 0 at the end, or -1 if it is too long. */
static int
next_word(struct words *w, char buf[MAX_TOKEN])
{
	size_t n = 0;

	for (;; w->p++) {
		while (w->p < w->end && is_white(*w->p))
			w->p++;
		if (w->p == w->end)
			return 0;
		if (*w->p != '#')
			break;
		while (w->p < w->end && *w->p != '\n')
			w->p++;
		if (w->p == w->end)
			return 0;
	}
	for (; w->p < w->end && !is_white(*w->p); w->p++)
		if (n < MAX_TOKEN)
			buf[n++] = *w->p;
	if (n == MAX_TOKEN)
		return -1;
	buf[n] = '\0';
	return 1;
}

/*
 * Plain addresses are most of a long file: without a detour over lists.
 * Anything unusual is left to resolve_host().
 */
static bool
plain_address(const char *word, struct rule_addr *addr)
{
	char text[PFK_ADDRSTRLEN];
	size_t n = strcspn(word, "/");
	unsigned bits = 0;

	if (n >= sizeof(text))
		return false;
	memcpy(text, word, n);
	text[n] = '\0';
	memset(addr, 0, sizeof(*addr));
	if (addr_parse(text, PFK_AF_INET, &addr->addr))
		addr->af = PFK_AF_INET;
	else if (addr_parse(text, PFK_AF_INET6, &addr->addr))
		addr->af = PFK_AF_INET6;
	else
		return false;
	if (word[n] == '\0')
		bits = addr_bits(addr->af);
	else {
		const char *p = word + n + 1;

		if (*p == '\0')
			return false;
		for (; *p >= '0' && *p <= '9' && bits <= 128; p++)
			bits = bits * 10 + (unsigned)(*p - '0');
		if (*p != '\0' || bits > addr_bits(addr->af))
			return false;
	}
	addr->kind = RULE_ADDR_MASK;
	addr_prefix_mask(&addr->mask, bits);
	addr_and(&addr->addr, &addr->mask);
	return true;
}

/* Words may be "weight" with a number, for the address before. */
static int
take_weight(struct making *m, const struct ast *n, const char *word)
{
	size_t last = m->table->addrs.n;
	char *end;
	long weight;

	errno = 0;
	weight = strtol(word, &end, 10);
	if (end != word && *end == '\0' && weight >= 1 &&
	    weight <= MAX_WEIGHT) {
		if (last > 0)
			m->table->addrs.v[last - 1].weight = (uint16_t)weight;
		return 0;
	}
	(void)sema_message(m->s, n, "weight", PLAIN_BARE,
	    "failed to convert weight %s", word);
	return end != word && *end == '\0' ? ERANGE : EINVAL;
}

#define BAD_DATA	(-1)

/* One word of a file: 0, an errno value, or BAD_DATA. */
static int
take_word(struct making *m, const struct ast *n, const char *word)
{
	const struct host_list *hosts;
	struct rule_addr addr;
	bool neg = false;

	for (; *word == '!'; word++)
		neg = !neg;
	if (plain_address(word, &addr))
		return add_address(m, &addr, neg) ? 0 : EINVAL;
	if ((hosts = resolve_host(m->s->rs, n, word)) == NULL)
		return BAD_DATA;
	return add_hosts(m, hosts, neg) ? 0 : EINVAL;
}

static int
take_words(struct making *m, const struct ast *n, struct words *w)
{
	char word[MAX_TOKEN];
	bool weight = false;
	int error = 0, rv;

	while (error == 0 && (rv = next_word(w, word)) != 0) {
		if (rv == -1)
			return EINVAL;
		if (weight)
			error = take_weight(m, n, word);
		else if (strcmp(word, "weight") != 0)
			error = take_word(m, n, word);
		weight = !weight && strcmp(word, "weight") == 0;
	}
	return error == 0 && weight ? BAD_DATA : error;
}

/* What the system says, but as OpenBSD words it. */
static const char *
error_text(int error)
{
	return error == ERANGE ? "Result too large" : strerror(error);
}

static enum ast_result
take_file(struct making *m, const struct ast *n)
{
	struct pfk_ruleset *rs = m->s->rs;
	size_t len, before = m->table->addrs.n;
	const char *text;
	int error;

	add_init(m, n->str, NULL);
	error = compile_read_file(rs, &rs->arena, n->str, &text, &len);
	if (error == 0) {
		struct words w = { text, text + len };

		error = take_words(m, n, &w);
	}
	if (error == BAD_DATA)
		return sema_error(m->s, n, "table-file",
		    "file \"%s\" contains bad data", n->str);
	if (error != 0)
		return sema_error(m->s, n, "table-file",
		    "cannot load \"%s\": %s", n->str, error_text(error));
	table_note_element(m->s, m->table, n, before);
	return AST_OK;
}

static void
take_flag(struct table *t, const char *flag)
{
	t->is_const |= strcmp(flag, "const") == 0;
	t->persist |= strcmp(flag, "persist") == 0;
	t->counters |= strcmp(flag, "counters") == 0;
}

/* All files and lists of the statement, in their order. */
static enum ast_result
take_options(struct making *m, const struct ast *options)
{
	enum ast_result r = AST_OK;

	for (const struct ast *n = options->first; n != NULL && r == AST_OK;
	    n = n->next) {
		if (n->kind == AST_TABLE_FLAG) {
			take_flag(m->table, n->str);
			continue;
		}
		m->table->has_init = true;
		r = n->kind == AST_TABLE_FILE ? take_file(m, n) :
		    take_list(m, n);
	}
	return r;
}

/* Where the name is, or would be.  => There is an empty slot. */
static struct table **
named_slot(const struct table_index *x, const char *name)
{
	uint32_t i = hash_fnv1a(name, strlen(name)) & (x->nslots - 1);

	while (x->slots[i] != NULL && strcmp(x->slots[i]->name, name) != 0)
		i = (i + 1) & (x->nslots - 1);
	return &x->slots[i];
}

static void
named_grow(struct arena *arena, struct table_index *x)
{
	struct table_index old = *x;

	x->nslots = old.nslots == 0 ? 16 : old.nslots * 2;
	x->slots = arena_alloc(arena, x->nslots * sizeof(*x->slots));
	for (uint32_t i = 0; i < old.nslots; i++)
		if (old.slots[i] != NULL)
			*named_slot(x, old.slots[i]->name) = old.slots[i];
}

/* Tables that have joined the list meanwhile; the first of a name counts. */
static void
named_update(struct arena *arena, struct anchor *a)
{
	struct table_index *x = &a->named;
	struct table *t = x->last == NULL ? a->tables : x->last->next, **slot;

	for (; t != NULL; t = t->next) {
		x->last = t;
		if ((x->n + 1) * 2 > x->nslots)
			named_grow(arena, x);
		if (*(slot = named_slot(x, t->name)) == NULL) {
			*slot = t;
			x->n++;
		}
	}
}

/* Into the anchor; a later definition takes the place of an earlier one. */
static void
install(struct arena *arena, struct anchor *here, struct table *t)
{
	struct table *old;

	named_update(arena, here);
	old = here->named.n == 0 ? NULL : *named_slot(&here->named, t->name);
	if (old != NULL) {
		t->next = old->next;
		*old = *t;
		return;
	}
	*here->tables_tail = t;
	here->tables_tail = &t->next;
}

static enum ast_result
define_table(struct sema *s, struct ast *n)
{
	struct making m = { .s = s, .tail = &m.first };
	struct table *t;

	if (strlen(n->str) >= RULE_TABLE_NAME_SIZE)
		return sema_error(s, n, "too-long",
		    "table name too long, max %d chars",
		    RULE_TABLE_NAME_SIZE - 1);
	m.table = t = arena_new(&s->rs->arena, struct table);
	t->name = n->str;
	t->anchor = s->here;
	t->span = n->span;
	t->via = n->via;
	if (n->kid[0] != NULL && take_options(&m, n->kid[0]) != AST_OK)
		return AST_REFUSED;
	if (s->rs->verbose > 0)
		print_table(&s->rs->echo, t, m.first);
	install(&s->rs->arena, s->here, t);
	return AST_OK;
}

enum ast_result
sema_table(struct sema *s, struct ast *n)
{
	if (n->kind == AST_TABLE_FLAG)
		return check_flag(s, n);
	if (n->kind == AST_TABLE_ADDRS)
		return check_addresses(s, n);
	if (n->kind == AST_TABLE)
		return define_table(s, n);
	return AST_OK;		/* TABLE_FILE: when the statement ends */
}
