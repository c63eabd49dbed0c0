/*
 * Lowering: a flat ruleset becomes an image.
 *
 * Records first (anchors, tables, rules with their pools), then the code of
 * each anchor, then the block.  Enums are equal on both sides, so a field is
 * copied as it is; bytes depend on nothing but the ruleset.
 */
#include <string.h>

#include <pfkit/image.h>

#include "compiler/image_write.h"
#include "compiler/osfp.h"
#include "compiler/print.h"

_Static_assert((int)RULE_MATCH == IMG_MATCH &&
    (int)RULE_RETURN_ICMP == IMG_RETURN_ICMP && (int)RULE_OUT == IMG_OUT &&
    (int)RULE_LOG_USER == IMG_LOG_USER &&
    (int)RULE_SYNPROXY_STATE == IMG_SYNPROXY_STATE &&
    (int)RULE_TRACK_RULE == IMG_TRACK_RULE &&
    (int)RULE_DUP_TO == IMG_DUP_TO &&
    (int)RULE_DIVERT_PACKET == IMG_DIVERT_PACKET &&
    (int)RULE_POOL_LEAST_STATES == IMG_POOL_LEAST_STATES &&
    (int)RULE_OP_RRG == IMG_OP_RRG &&
    (int)RULE_ADDR_NONE == IMG_ADDR_NONE &&
    (int)RULE_IF_NOALIAS == IMG_IF_NOALIAS &&
    (int)TMO_COUNT == IMG_TMO_COUNT && (int)LIMIT_COUNT == IMG_LIMIT_COUNT &&
    (int)SYNCOOKIES_ADAPTIVE == IMG_SYNCOOKIES_ADAPTIVE,
    "enums of rule.h and image.h differ");

static void
lower_addr(struct image_writer *w, const struct img_rule *r,
    struct img_addr *to, const struct rule_addr *from)
{
	to->kind = from->kind;
	to->af = from->af;
	to->ifmods = from->ifmods;
	to->addr = from->addr;
	to->mask = from->mask;
	/* to pf, a full mask and none are the same in a rule of IPv4, too */
	if (from->kind == RULE_ADDR_DYNAMIC && r->af == PFK_AF_INET &&
	    addr_mask_bits(&to->mask) == 32)
		addr_prefix_mask(&to->mask, 128);
	if (from->kind == RULE_ADDR_TABLE)
		to->ref = lower_table(w, r->anchor, from->name);
	else if (from->kind == RULE_ADDR_DYNAMIC ||
	    from->kind == RULE_ADDR_ROUTE_LABEL)
		to->ref = write_string(w, from->name);
}

static void
lower_peer(struct image_writer *w, const struct img_rule *r,
    struct img_addr *to, const struct rule_peer_addr *from)
{
	lower_addr(w, r, to, &from->addr);
	to->neg = from->neg != 0;
}

static uint32_t
lower_pool(struct image_writer *w, const struct img_rule *r,
    const struct rule_pool *p)
{
	struct img_pool *to;
	struct img_addr addr;

	if (p->addr.kind == RULE_ADDR_NONE)
		return IMG_NONE;
	memset(&addr, 0, sizeof(addr));
	lower_addr(w, r, &addr, &p->addr);
	to = vec_add(w->arena, &w->pools);
	memset(to, 0, sizeof(*to));
	to->addr = addr;
	memcpy(to->key, p->key, sizeof(to->key));
	to->ifname = write_string(w, p->ifname);
	to->weight = p->weight;
	to->port[0] = p->port[0];
	to->port[1] = p->port[1];
	to->port_op = p->port_op;
	to->type = p->type;
	to->sticky = p->sticky != 0;
	to->static_port = p->static_port != 0;
	return (uint32_t)w->pools.n - 1;
}

static uint32_t
rule_flags(const struct rule *r)
{
	const struct { uint8_t set; uint32_t flag; } flags[] = {
		{ r->quick, IMG_R_QUICK },
		{ r->ifnot, IMG_R_IFNOT },
		{ r->rcvifnot, IMG_R_RCVIFNOT },
		{ r->no_sync, IMG_R_NOSYNC },
		{ r->if_bound, IMG_R_IFBOUND },
		{ r->sloppy, IMG_R_SLOPPY },
		{ r->pflow, IMG_R_PFLOW },
		{ r->fragment, IMG_R_FRAGMENT },
		{ r->no_df, IMG_R_NODF },
		{ r->random_id, IMG_R_RANDOMID },
		{ r->reassemble_tcp, IMG_R_REASSEMBLE_TCP },
		{ r->allow_opts, IMG_R_ALLOW_OPTS },
		{ r->once, IMG_R_ONCE },
		{ r->match_tag_not, IMG_R_MATCH_TAG_NOT },
		{ r->set_tos_on, IMG_R_SET_TOS },
		{ r->set_prio_on, IMG_R_SET_PRIO },
		{ r->set_delay_on, IMG_R_SET_DELAY },
		{ r->af_to, IMG_R_AFTO },
		{ r->anchor.call != NULL, IMG_R_ANCHOR },
		{ r->anchor.wildcard, IMG_R_WILDCARD },
	};
	uint32_t v = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].set)
			v |= flags[i].flag;
	return v;
}

static void
lower_criteria(struct image_writer *w, struct img_rule *to,
    const struct rule *r)
{
	to->af = r->af;
	lower_peer(w, to, &to->src, &r->src);
	lower_peer(w, to, &to->dst, &r->dst);
	memcpy(to->src_port, r->src_port.port, sizeof(to->src_port));
	memcpy(to->dst_port, r->dst_port.port, sizeof(to->dst_port));
	to->src_port_op = r->src_port.op;
	to->dst_port_op = r->dst_port.op;
	memcpy(to->uid, r->uid.id, sizeof(to->uid));
	memcpy(to->gid, r->gid.id, sizeof(to->gid));
	to->uid_op = r->uid.op;
	to->gid_op = r->gid.op;
	to->ifname = write_string(w, r->ifname);
	to->rcv_ifname = write_string(w, r->rcv_ifname);
	to->os = write_string(w, r->os);
	to->onrdomain = r->onrdomain;
	to->match_tag = write_string(w, r->match_tag);
	to->prob = r->prob;
	to->icmp_type = r->icmp_type;
	to->icmp_code = r->icmp_code;
	to->direction = r->direction;
	to->proto = r->proto;
	to->tcp_flags = r->flags;
	to->tcp_flagset = r->flagset;
	to->tos = r->tos;
	to->prio = r->prio;
}

/* Rules of one statement have theirs in one place. */
static uint32_t
lower_timeouts(struct image_writer *w, const struct rule_timeouts *from)
{
	struct img_timeouts t;

	if (from == &rule_no_timeouts)
		return 0;
	if (from != w->last_timeouts) {
		memcpy(t.v, from->v, sizeof(t.v));
		vec_push(w->arena, &w->timeouts, t);
		w->last_timeouts = from;
	}
	return (uint32_t)w->timeouts.n;
}

static void
lower_limits(struct image_writer *w, struct img_rule *to, const struct rule *r)
{
	to->max_states = r->max_states;
	to->max_src_nodes = r->max_src_nodes;
	to->max_src_states = r->max_src_states;
	to->max_src_conn = r->max_src_conn;
	to->max_src_conn_rate[0] = r->max_src_conn_rate.limit;
	to->max_src_conn_rate[1] = r->max_src_conn_rate.seconds;
	to->pktrate[0] = r->pktrate.limit;
	to->pktrate[1] = r->pktrate.seconds;
	to->timeouts = lower_timeouts(w, r->timeout);
	to->overload = IMG_NONE;
	to->flush = r->flush;
	to->src_track = r->src_track;
	if (r->overload == NULL)
		return;
	/* pf makes such a table active, defined or not */
	to->overload = lower_table(w, to->anchor, r->overload);
	w->tables.v[to->overload].flags |= IMG_T_DEFINED;
}

static void
lower_actions(struct image_writer *w, struct img_rule *to,
    const struct rule *r)
{
	to->action = r->action;
	to->block = r->block;
	to->log = r->log;
	to->logif = r->logif;
	to->tag = write_string(w, r->tag);
	to->label = write_string(w, r->label);
	to->qname = write_string(w, r->qname);
	to->pqname = write_string(w, r->pqname);
	to->nat = lower_pool(w, to, r->nat);
	to->rdr = lower_pool(w, to, r->rdr);
	to->route = lower_pool(w, to, r->route);
	to->rtable = r->rtable;
	to->divert = r->divert.type;
	to->divert_af = r->divert.af;
	to->divert_addr = r->divert.addr;
	to->divert_port = r->divert.port;
	to->return_icmp = r->return_icmp;
	to->return_icmp6 = r->return_icmp6;
	to->return_ttl = r->return_ttl;
	to->max_mss = r->max_mss;
	to->min_ttl = r->min_ttl;
	to->delay = r->delay;
	to->set_tos = r->set_tos;
	memcpy(to->set_prio, r->set_prio.prio, sizeof(to->set_prio));
	to->keep_state = r->keep_state;
	to->naf = r->naf;
	to->rt = r->rt;
}

static bool
has_count(const struct rule_addr *a)
{
	return a->kind == RULE_ADDR_TABLE || a->kind == RULE_ADDR_DYNAMIC;
}

/*
 * Places in the text where a number of addresses may be shown: where the text
 * with numbers has two characters more.
 */
static void
find_counts(struct image_writer *w, struct img_rule *to, const struct rule *r,
    const char *text)
{
	const struct rule_addr *const shown[IMG_NCOUNTS] = { &r->src.addr,
	    &r->dst.addr, &r->nat->addr, &r->rdr->addr, &r->route->addr };
	const char *numbered, *p = text;
	struct strbuf sb;
	unsigned i = 0;

	strbuf_init(&sb, w->scratch);
	print_rule(&sb, w->rs->host, r, PRINT_NR);
	numbered = strchr(strbuf_str(&sb), ' ') + 1;
	for (; *p != '\0' && p - text <= UINT16_MAX; p++, numbered++) {
		if (*p == *numbered)
			continue;
		while (i < IMG_NCOUNTS && !has_count(shown[i]))
			i++;
		if (i == IMG_NCOUNTS)
			break;
		to->count_at[i++] = (uint16_t)(p - text);
		numbered += 2;
	}
}

static void
lower_text(struct image_writer *w, struct img_rule *to, const struct rule *r)
{
	struct arena_mark mark = arena_mark(w->scratch);
	struct strbuf sb;
	const char *text;

	strbuf_init(&sb, w->scratch);
	print_rule(&sb, w->rs->host, r, 0);
	text = strbuf_str(&sb);
	if (has_count(&r->src.addr) || has_count(&r->dst.addr) ||
	    has_count(&r->nat->addr) || has_count(&r->rdr->addr) ||
	    has_count(&r->route->addr))
		find_counts(w, to, r, text);
	to->text = write_string(w, text);
	arena_release(w->scratch, mark);
}

static void
lower_span(struct image_writer *w, struct img_rule *to, const struct rule *r)
{
	to->source = r->span.file != 0 ? r->span.file - 1 : IMG_NONE;
	to->off = r->span.off;
	to->len = r->span.len;
	if (r->span.file != 0)
		to->line = source_position(&w->rs->sources, r->span.file,
		    r->span.off).line;
}

static void
lower_rule(struct image_writer *w, uint32_t anchor, const struct rule *r)
{
	struct img_rule *to = vec_add(w->arena, &w->rules);

	memset(to, 0, sizeof(*to));
	to->anchor = anchor;
	to->nr = r->nr;
	to->flags = rule_flags(r);
	to->call = r->anchor.call != NULL ? lower_called(w, r, anchor) :
	    IMG_NONE;
	lower_criteria(w, to, r);
	lower_limits(w, to, r);
	lower_actions(w, to, r);
	lower_text(w, to, r);
	lower_span(w, to, r);
	lower_origin(w, r);
}

static void
lower_rules(struct image_writer *w)
{
	for (uint32_t i = 0; i < w->tree.n; i++) {
		const struct anchor *body = w->tree.v[i].body;

		w->anchors.v[i].rule0 = (uint32_t)w->rules.n;
		for (const struct rule *r = body != NULL ? body->rules : NULL;
		    r != NULL; r = r->next)
			lower_rule(w, i, r);
		w->anchors.v[i].nrules = (uint32_t)w->rules.n -
		    w->anchors.v[i].rule0;
	}
	for (uint32_t i = 0; i < w->tree.n; i++)
		lower_code(w, i);
}

static void
lower_queues(struct image_writer *w)
{
	for (const struct queue *q = w->rs->flat.queues; q != NULL;
	    q = q->next) {
		struct img_queue *to = vec_add(w->arena, &w->queues);

		memset(to, 0, sizeof(*to));
		to->name = write_string(w, q->name);
	}
}

/* The text of pf.os is kept only if a rule asks for a system. */
static const char *
fingerprints(const struct image_writer *w)
{
	const char *name;

	for (size_t i = 0; i < w->rules.n; i++)
		if (w->rules.v[i].os != 0)
			return w->rs->fingerprints != NULL ?
			    w->rs->fingerprints :
			    pfk_host_fingerprints(w->rs->host, &name);
	return NULL;
}

static void
lower_skip_list(struct image_writer *w, struct img_options *to,
    const struct ruleset_options *o)
{
	to->skip = (uint32_t)w->strings.n;
	to->nskip = (uint32_t)o->skip.n;
	for (size_t i = 0; i < o->skip.n; i++)
		for (const char *s = o->skip.v[i];; s++) {
			vec_push(w->arena, &w->strings, *s);
			if (*s == '\0')
				break;
		}
}

static void
lower_options(struct image_writer *w)
{
	const struct ruleset_options *o = &w->rs->flat.opts;
	struct img_options *to = &w->options;

	memcpy(to->timeout, o->timeout, sizeof(to->timeout));
	memcpy(to->limit, o->limit, sizeof(to->limit));
	to->hostid = o->hostid;
	to->debug = o->debug;
	to->loginterface = write_string(w, o->loginterface);
	to->reassemble = o->reassemble;
	to->reassemble_no_df = o->reassemble_no_df;
	to->syncookies = o->syncookies;
	to->syncookies_hi = o->syncookies_hi;
	to->syncookies_lo = o->syncookies_lo;
	to->lowering = w->blocks;
	to->fingerprints = write_string(w, fingerprints(w));
	lower_skip_list(w, to, o);
}

static void *
lower(struct pfk_ruleset *rs, bool blocks, struct arena *arena,
    struct arena *scratch, const struct pfk_allocator *alloc, size_t *size)
{
	struct image_writer w = { .arena = arena, .scratch = scratch,
	    .rs = rs, .blocks = blocks };

	(void)write_string(&w, "");
	lower_sources(&w);
	lower_tree(&w);
	lower_tables(&w);
	lower_rules(&w);
	lower_origins_end(&w);
	lower_queues(&w);
	lower_options(&w);
	return write_image(&w, alloc, size);
}

int
pfk_ruleset_image(struct pfk_ruleset *rs, enum pfk_lowering lowering,
    struct pfk_image **out)
{
	const struct pfk_allocator *alloc = rs->arena.alloc != NULL ?
	    rs->arena.alloc : &pfk_allocator_libc;
	struct arena arena, scratch;
	void *volatile block = NULL;
	jmp_buf oom;
	size_t size;
	int error = PFK_ERR_NOMEM;

	if (!rs->valid)
		return PFK_ERR_INVALID;
	arena_init(&arena, alloc, &oom);
	arena_init(&scratch, alloc, &oom);
	if (setjmp(oom) == 0)
		block = lower(rs, lowering != PFK_LOWER_PLAIN, &arena,
		    &scratch, alloc, &size);
	arena_free(&scratch);
	arena_free(&arena);
	if (block == NULL)
		return PFK_ERR_NOMEM;
	error = image_adopt(alloc, block, size, out, NULL);
	if (error != PFK_OK)
		(void)alloc->fn(alloc->ctx, block, size, 0);
	return error;
}
