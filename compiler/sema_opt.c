/*
 * Filter options: each as it is read.
 *
 * Most may stand in a rule once; `clashes` says which exclude which, and
 * sema_rules.given remembers what the open rule has.  What is wrong with an
 * option alone is said by the function of its kind in `checks`.  Values are
 * left in the nodes (see sema_int.h) until the rule is complete:
 * sema_apply.c takes them from there.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compiler/names.h"
#include "compiler/sema_int.h"

#define MAX_PRIO	7	/* of an interface queue */
#define MAX_RTABLE	RULE_RTABLE_MAX
#define NO_TOS		256

typedef enum ast_result option_fn(struct sema *, struct ast *);

/* An option of `kind` may not follow one of the kinds from first to last. */
static const struct clash {
	enum ast_kind	 kind, first, last;
	const char	*text;
} clashes[] = {
	{ AST_OPT_FLAGS, AST_OPT_FLAGS, AST_OPT_FLAGS,
	    "flags cannot be redefined" },
	{ AST_OPT_ICMP, AST_OPT_ICMP, AST_OPT_ICMP,
	    "icmp-type cannot be redefined" },
	{ AST_OPT_PRIO, AST_OPT_PRIO, AST_OPT_PRIO,
	    "prio cannot be redefined" },
	{ AST_OPT_TOS, AST_OPT_TOS, AST_OPT_TOS, "tos cannot be redefined" },
	{ AST_OPT_STATE, AST_OPT_STATE, AST_OPT_STATE,
	    "modulate or keep cannot be redefined" },
	{ AST_OPT_LABEL, AST_OPT_LABEL, AST_OPT_LABEL,
	    "label cannot be redefined" },
	{ AST_OPT_QUEUE, AST_OPT_QUEUE, AST_OPT_QUEUE,
	    "queue cannot be redefined" },
	{ AST_OPT_DIVERT_TO, AST_OPT_DIVERT_TO, AST_OPT_DIVERT_PACKET,
	    "more than one divert option" },
	{ AST_OPT_DIVERT_REPLY, AST_OPT_DIVERT_TO, AST_OPT_DIVERT_PACKET,
	    "more than one divert option" },
	{ AST_OPT_DIVERT_PACKET, AST_OPT_DIVERT_TO, AST_OPT_DIVERT_PACKET,
	    "more than one divert option" },
	{ AST_OPT_NAT_TO, AST_OPT_NAT_TO, AST_OPT_BINAT_TO,
	    "cannot respecify nat-to/binat-to" },
	{ AST_OPT_NAT_TO, AST_OPT_AF_TO, AST_OPT_AF_TO,
	    "cannot respecify nat-to/binat-to" },
	{ AST_OPT_BINAT_TO, AST_OPT_NAT_TO, AST_OPT_BINAT_TO,
	    "cannot respecify nat-to/binat-to" },
	{ AST_OPT_BINAT_TO, AST_OPT_AF_TO, AST_OPT_AF_TO,
	    "cannot respecify nat-to/binat-to" },
	{ AST_OPT_AF_TO, AST_OPT_NAT_TO, AST_OPT_BINAT_TO,
	    "cannot respecify af-to" },
	{ AST_OPT_AF_TO, AST_OPT_AF_TO, AST_OPT_AF_TO,
	    "cannot respecify af-to" },
	{ AST_OPT_RDR_TO, AST_OPT_RDR_TO, AST_OPT_AF_TO,
	    "cannot respecify rdr-to" },
	{ AST_OPT_RECEIVED_ON, AST_OPT_RECEIVED_ON, AST_OPT_RECEIVED_ON,
	    "cannot respecify received-on" },
	{ AST_OPT_MAX_PKT_RATE, AST_OPT_MAX_PKT_RATE, AST_OPT_MAX_PKT_RATE,
	    "cannot respecify max-pkt-rate" },
	{ AST_OPT_SET_PRIO, AST_OPT_SET_PRIO, AST_OPT_SET_PRIO,
	    "prio cannot be redefined" },
	{ AST_OPT_SET_TOS, AST_OPT_SET_TOS, AST_OPT_SET_TOS,
	    "tos cannot be respecified" },
	{ AST_OPT_SET_DELAY, AST_OPT_SET_DELAY, AST_OPT_SET_DELAY,
	    "delay cannot be respecified" },
};

static enum ast_result
clash(struct sema *s, const struct ast *n, const struct ast *earlier,
    const char *text)
{
	struct diag *d = parser_error(s->parser, n, "redefined", "%s", text);

	diag_note(&s->rs->diags, d, earlier->span, "given here before");
	return AST_REFUSED;
}

static enum ast_result
check_clashes(struct sema *s, const struct ast *n)
{
	const struct ast *const *given = sema_rules(s)->given.by_kind;

	for (size_t i = 0; i < sizeof(clashes) / sizeof(*clashes); i++) {
		const struct clash *c = &clashes[i];

		if (c->kind != n->kind)
			continue;
		for (int k = (int)c->first; k <= (int)c->last; k++)
			if (given[k - OPT_FIRST] != NULL)
				return clash(s, n, given[k - OPT_FIRST],
				    c->text);
	}
	return AST_OK;
}

static bool
fits_unsigned(int64_t n)
{
	return n >= 0 && n <= UINT32_MAX;
}

/* --- options that have something to check --- */

static enum ast_result
bad_prio(struct sema *s, const struct ast *n)
{
	return sema_error(s, n, "range", "prio must be 0 - %d", MAX_PRIO);
}

static enum ast_result
prio(struct sema *s, struct ast *n)
{
	return n->num < 0 || n->num > MAX_PRIO ? bad_prio(s, n) : AST_OK;
}

static enum ast_result
rtable(struct sema *s, struct ast *n)
{
	if (n->num < 0 || n->num > MAX_RTABLE)
		return sema_error(s, n, "range", "invalid rtable id");
	if (!pfk_host_has_rtable(s->rs->host, (unsigned)n->num))
		return sema_error(s, n, "unknown-rtable",
		    "rtable %" PRId64 " does not exist", n->num);
	return AST_OK;
}

static enum ast_result
divert_port(struct sema *s, const struct ast *n)
{
	const struct port_range *port = n->kid[0]->sem;

	if (port->a == 0)
		return sema_error(s, n->kid[0], "range",
		    "invalid divert port: 0");
	return AST_OK;
}

static enum ast_result
divert_to(struct sema *s, struct ast *n)
{
	if ((n->sem = resolve_host(s->rs, n, n->str)) == NULL) {
		parser_error(s->parser, n, "host", "could not parse divert "
		    "address: %s", n->str)->cascade = true;
		return AST_REFUSED;
	}
	return divert_port(s, n);
}

/* Where packets are reassembled, diverting them reassembles TCP (num2). */
static enum ast_result
divert_packet(struct sema *s, struct ast *n)
{
	n->num2 = s->rs->flat.opts.reassemble;
	return divert_port(s, n);
}

static uint8_t
pool_af(const struct ast *pool)
{
	const struct stmt_pool *p = pool->sem;

	return p->hosts->first->af;
}

static enum ast_result
af_to(struct sema *s, struct ast *n)
{
	const struct ast *from = n->kid[0], *to = n->kid[1];

	if (n->num == PFK_AF_UNSPEC && to == NULL)
		return sema_error(s, n, "af-to",
		    "no target address family specified");
	if (n->num == PFK_AF_UNSPEC)
		return sema_error(s, n, "af-to",
		    "no address family specified");
	if (to != NULL && ((pool_af(from) != 0 && pool_af(from) != n->num) ||
	    (pool_af(to) != 0 && pool_af(to) != n->num)))
		return sema_error(s, n, "af-to", "af-to addresses must be in "
		    "the target address family");
	return AST_OK;
}

static enum ast_result
max_pkt_rate(struct sema *s, struct ast *n)
{
	if (!fits_unsigned(n->num) || !fits_unsigned(n->num2))
		return sema_error(s, n, "range",
		    "only positive values permitted");
	return AST_OK;
}

static enum ast_result
set_delay(struct sema *s, struct ast *n)
{
	if (n->num < 0 || n->num > UINT16_MAX)
		return sema_error(s, n, "range", "illegal delay value %"
		    PRId64 " (0-%d)", n->num, UINT16_MAX);
	return AST_OK;
}

/* num2 becomes the share of 2^32 - 1; what is too small to say is 1. */
static enum ast_result
probability(struct sema *s, struct ast *n)
{
	double value = *(const double *)n->kid[0]->sem;
	double share = floor(value * UINT32_MAX + 0.5);

	if (share < 0 || share > UINT32_MAX)
		return sema_error(s, n, "range", "invalid probability: %g%%",
		    value * 100);
	n->num2 = share >= 1 ? (int64_t)share : 1;
	return AST_OK;
}

static const struct {
	enum ast_kind	 kind;
	option_fn	*check;
} option_checks[] = {
	{ AST_OPT_PRIO, prio }, { AST_OPT_PROBABILITY, probability },
	{ AST_OPT_RTABLE, rtable }, { AST_OPT_DIVERT_TO, divert_to },
	{ AST_OPT_DIVERT_PACKET, divert_packet }, { AST_OPT_AF_TO, af_to },
	{ AST_OPT_SET_DELAY, set_delay },
};

/* Zero is as good as not given for these. */
static bool
says_nothing(const struct ast *n)
{
	return (n->kind == AST_OPT_SET_DELAY ||
	    n->kind == AST_OPT_MAX_PKT_RATE) && n->num == 0;
}

static enum ast_result
option(struct sema *s, struct ast *n)
{
	struct rule_opts *given = &sema_rules(s)->given;
	enum ast_result r;

	/* This one's range is checked first. */
	if (n->kind == AST_OPT_MAX_PKT_RATE && max_pkt_rate(s, n) != AST_OK)
		return AST_REFUSED;
	r = check_clashes(s, n);
	for (size_t i = 0; r == AST_OK &&
	    i < sizeof(option_checks) / sizeof(*option_checks); i++)
		if (option_checks[i].kind == n->kind)
			r = option_checks[i].check(s, n);
	if (r == AST_OK && !says_nothing(n))
		given->by_kind[n->kind - OPT_FIRST] = n;
	return r;
}

/* --- parts of options --- */

static enum ast_result
prio_pair(struct sema *s, struct ast *n)
{
	return n->num < 0 || n->num > MAX_PRIO || n->num2 < 0 ||
	    n->num2 > MAX_PRIO ? bad_prio(s, n) : AST_OK;
}

static int64_t
tos_value(const char *word)
{
	int value = tos_number(word);
	char *end;

	if (value != -1)
		return value;
	if (strncmp(word, "0x", 2) == 0) {
		unsigned long long n = strtoull(word, &end, 16);

		if (*end == '\0' && n < NO_TOS)
			return (int64_t)n;
	}
	return NO_TOS;
}

static enum ast_result
tos(struct sema *s, struct ast *n)
{
	const struct ast *word = n->kid[0];

	n->num2 = word->kind == AST_NUM ? word->num : tos_value(word->str);
	if (n->num2 < 0 || n->num2 >= NO_TOS)
		return sema_error(s, n, "tos", "illegal tos value %s",
		    word->str);
	return AST_OK;
}

static enum ast_result
flags(struct sema *s, struct ast *n)
{
	if ((n->num2 = tcp_flags_parse(n->str)) == -1)
		return sema_error(s, n, "flags", "bad flags %s", n->str);
	return AST_OK;
}

static enum ast_result
probability_value(struct sema *s, struct ast *n)
{
	double *value = arena_new(&s->rs->scratch, double);
	const struct ast *word = n->kid[0];
	char *end;

	n->sem = value;
	if (word->kind == AST_NUM) {
		*value = (double)word->num;
		return AST_OK;
	}
	*value = strtod(word->str, &end);
	if (*end == '%') {
		*value *= 0.01;
		end++;
	}
	if (*end != '\0')
		return sema_error(s, n, "probability",
		    "invalid probability: %s", word->str);
	return AST_OK;
}

static enum ast_result
queue_names(struct sema *s, struct ast *n)
{
	const char *names[] = { n->str, n->str2 };

	for (int i = 0; i < 2; i++)
		if (names[i] != NULL && !sema_queue_exists(s, names[i])) {
			sema_blame(s, parser_error(s->parser, n,
			    "unknown-queue", "queue %s is not defined",
			    names[i]), names[i],
			    suggest(names[i], sema_queue_names(s)));
			return AST_REFUSED;
		}
	return AST_OK;
}

/* --- users and groups --- */

#define ID_UNKNOWN	(-1)

static enum ast_result
id(struct sema *s, struct ast *n)
{
	const struct ast *word = n->kid[0];
	bool user = n->num == 0;
	uint32_t value;

	if (word->kind == AST_NUM) {
		n->num2 = word->num;
		if (word->num < 0 || word->num >= UINT32_MAX)
			return sema_error(s, n, "range", "illegal %cid value %"
			    PRId64, user ? 'u' : 'g', word->num);
		return AST_OK;
	}
	n->num2 = ID_UNKNOWN;
	if (strcmp(word->str, "unknown") == 0)
		return AST_OK;
	if (!(user ? pfk_host_user : pfk_host_group)(s->rs->host, word->str,
	    &value))
		return sema_error(s, n, "unknown-id", "unknown %s %s",
		    user ? "user" : "group", word->str);
	n->num2 = value;
	return AST_OK;
}

static enum ast_result
id_item(struct sema *s, struct ast *n)
{
	const struct ast *a = n->kid[0], *b = n->kid[1] ? n->kid[1] : a;
	struct stmt_id *item;

	if (n->kind != AST_ID_EQ && n->num != AST_OP_EQ &&
	    n->num != AST_OP_NE &&
	    (a->num2 == ID_UNKNOWN || b->num2 == ID_UNKNOWN))
		return sema_error(s, n, "unknown-id", "%s unknown requires "
		    "operator = or !=", a->num == 0 ? "user" : "group");
	n->sem = item = arena_new(&s->rs->scratch, struct stmt_id);
	item->node = n;
	item->ids.op = n->kind == AST_ID_EQ ? RULE_OP_EQ : (uint8_t)n->num;
	item->ids.id[0] = (uint32_t)a->num2;
	item->ids.id[1] = (uint32_t)b->num2;
	return AST_OK;
}

/* --- ICMP --- */

static const char *
icmp_word(enum pfk_af af)
{
	return af == PFK_AF_INET6 ? "icmp6" : "icmp";
}

static enum ast_result
icmp_type(struct sema *s, struct ast *n)
{
	enum pfk_af af = (enum pfk_af)n->num;
	const struct ast *word = n->kid[0];

	if (word->kind == AST_NUM) {
		n->num2 = word->num;
		if (word->num < 0 || word->num > UINT8_MAX)
			return sema_error(s, n, "range", "illegal %s-type %"
			    PRId64, icmp_word(af), word->num);
		return AST_OK;
	}
	if ((n->num2 = icmp_type_number(af, word->str)) == -1) {
		parser_error(s->parser, n, "icmp", "unknown %s-type %s",
		    icmp_word(af), word->str)->suggestion =
		    suggest(word->str, icmp_type_names(af));
		return AST_REFUSED;
	}
	return AST_OK;
}

/* The code of an item, plus one; 0: none; -1: wrong, message queued. */
static int
icmp_code(struct sema *s, const struct ast *n)
{
	enum pfk_af af = (enum pfk_af)n->num;
	const struct ast *word = n->kid[1];
	int code;

	if (word == NULL)
		return 0;
	if (word->kind == AST_NUM) {
		if (word->num >= 0 && word->num <= UINT8_MAX)
			return (int)word->num + 1;
		(void)sema_error(s, word, "range", "illegal icmp-code %"
		    PRId64, word->num);
		return -1;
	}
	code = icmp_code_number(af, (unsigned)n->kid[0]->num2, word->str);
	if (code == -1) {
		(void)sema_error(s, word, "icmp", "unknown %s-code %s",
		    icmp_word(af), word->str);
		return -1;
	}
	return code + 1;
}

static enum ast_result
icmp_item(struct sema *s, struct ast *n)
{
	struct stmt_icmp *item;
	int code = icmp_code(s, n);

	if (code == -1)
		return AST_REFUSED;
	n->sem = item = arena_new(&s->rs->scratch, struct stmt_icmp);
	item->node = n;
	item->proto = n->num == PFK_AF_INET6 ? SEMA_ICMP6 : SEMA_ICMP;
	item->type = (uint16_t)(n->kid[0]->num2 + 1);
	item->code = (uint16_t)code;
	return AST_OK;
}

/* --- scrub --- */

static enum ast_result
scrub_value(struct sema *s, const struct ast *n)
{
	bool ttl = n->kind == AST_SCRUB_MIN_TTL;

	if ((ttl || n->kind == AST_SCRUB_MAX_MSS) &&
	    (n->num < 0 || n->num > (ttl ? UINT8_MAX : UINT16_MAX)))
		return sema_error(s, n, "range", "illegal %s value %" PRId64,
		    ttl ? "min-ttl" : "max-mss", n->num);
	return AST_OK;
}

static enum ast_result
scrub(struct sema *s, struct ast *n)
{
	static const char *const names[] = {
		[AST_SCRUB_NO_DF - AST_SCRUB_BEGIN] = "no-df",
		[AST_SCRUB_MIN_TTL - AST_SCRUB_BEGIN] = "min-ttl",
		[AST_SCRUB_MAX_MSS - AST_SCRUB_BEGIN] = "max-mss",
		[AST_SCRUB_REASSEMBLE - AST_SCRUB_BEGIN] = "reassemble tcp",
		[AST_SCRUB_RANDOM_ID - AST_SCRUB_BEGIN] = "random-id",
	};
	bool *given = sema_rules(s)->scrub_given;
	int k = (int)n->kind - AST_SCRUB_BEGIN;

	if (n->kind == AST_SCRUB_BEGIN) {
		memset(given, 0, sizeof(s->rules->scrub_given));
		return AST_OK;
	}
	if (n->kind == AST_SCRUB_REASSEMBLE && strcasecmp(n->str, "tcp") != 0)
		return sema_error(s, n, "scrub", "scrub reassemble supports "
		    "only tcp, not '%s'", n->str);
	if (given[k])
		return sema_error(s, n, "redefined",
		    "%s cannot be respecified", names[k]);
	given[k] = true;
	return scrub_value(s, n);
}

/* --- */

static const struct {
	enum ast_kind	 kind;
	option_fn	*check;
} part_checks[] = {
	{ AST_PRIO_PAIR, prio_pair }, { AST_TOS, tos }, { AST_FLAGS, flags },
	{ AST_PROBABILITY, probability_value }, { AST_QNAME, queue_names },
	{ AST_ID_EQ, id_item }, { AST_ID_UNARY, id_item },
	{ AST_ID_BINARY, id_item }, { AST_ID, id },
	{ AST_ICMP_ITEM, icmp_item }, { AST_ICMP_TYPE, icmp_type },
};

enum ast_result
sema_option(struct sema *s, struct ast *n)
{
	if (n->kind == AST_FILTER_OPTS_BEGIN) {
		memset(&sema_rules(s)->given, 0, sizeof(s->rules->given));
		return AST_OK;
	}
	if (n->kind >= OPT_FIRST && n->kind <= OPT_LAST)
		return option(s, n);
	if (n->kind >= AST_SCRUB_BEGIN && n->kind <= AST_SCRUB_RANDOM_ID)
		return scrub(s, n);
	for (size_t i = 0; i < sizeof(part_checks) / sizeof(*part_checks);
	    i++)
		if (part_checks[i].kind == n->kind)
			return part_checks[i].check(s, n);
	return AST_OK;
}
