/*
 * One packet through the engine, as if it were the first one ever.
 */
#include <string.h>

#include "../pfkit.h"
#include "run.h"

#define LINKTYPE_RAW	101
#define START		UINT64_C(1000000000000000000)	/* some time */
#define SECOND		UINT64_C(1000000000)

static void
keep_outcome(struct outcome *o, const struct pfk_decision *d)
{
	uint32_t at = d->after.af == 4 ? 24 : 44;

	o->verdict = d->verdict;
	o->reason = d->reason;
	o->rule = d->rule;
	o->state = d->state;
	o->changed = d->changed;
	o->ifid = d->ifid;
	o->before = d->before;
	o->after = d->after;
	for (o->nreplies = 0; o->nreplies < d->nreplies && o->nreplies <
	    REPLIES_MAX; o->nreplies++)
		o->replies[o->nreplies] = d->replies[o->nreplies].kind;
	o->iplen = d->iplen <= sizeof(o->ip) ? d->iplen : 0;
	if (o->iplen > 0)
		memcpy(o->ip, d->ip, o->iplen);
	if (o->iplen >= at + 2)
		memcpy(&o->icmp_id, o->ip + at, 2);
	o->seq = packet_segment(o->ip, o->iplen).seq;
}

/* Log lines come before the decision that they are about. */
static void
decided(void *ctx, const struct pfk_decision *d)
{
	struct run *r = ctx;

	if (r->cover != NULL)
		cover_decided(r->cover, r->engine, d);
	r->second.logged = false;
	keep_outcome(d->second ? &r->second : &r->outcome, d);
	r->sent_on |= d->second;
	if (d->second)
		r->second.logged = r->logged;
	else
		r->outcome.logged = r->logged;
	r->logged = false;
}

static void
logged(void *ctx, const struct pfk_log *l)
{
	struct run *r = ctx;

	(void)l;
	r->logged = true;
}

static bool
wears_off(const struct run *r)
{
	struct pfk_rule_info info;

	for (size_t i = 0; i < pfk_image_rules(r->image); i++) {
		pfk_image_rule(r->image, i, &info);
		if (strstr(info.text, " once") != NULL)
			return true;
	}
	return false;
}

void
probe_start(struct run *r)
{
	struct pfk_sink sink = { .ctx = r, .decision = decided,
	    .log = logged };
	struct pfk_engine_options o = { .image = r->image, .debug = 0,
	    .seed = r->o.seed, .sink = &sink };

	o.interfaces = pfk_host_interfaces(r->host, &o.ninterfaces);
	o.routes = pfk_host_routes(r->host, &o.nroutes);
	if (pfk_engine_new(&o, &r->engine) != PFK_OK)
		fatal("out of memory");
	if (wears_off(r) && pfk_engine_save(r->engine, &r->unused,
	    &r->unused_len) != PFK_OK)
		fatal("out of memory");
	if (r->options->cover_out == NULL)
		return;
	r->cover = r->options->cover;
	cover_image(r->cover, r->image);
	cover_attach(r->cover, r->engine);
}

void
probe_end(struct run *r)
{
	if (r->cover != NULL && r->engine != NULL)
		cover_evaluations(r->cover, r->engine);
	if (r->unused != NULL)
		pfk_engine_free_data(r->engine, r->unused, r->unused_len);
	pfk_engine_free(r->engine);
}

static const struct outcome *
run_packet(struct run *r, const uint8_t *bytes, uint32_t len,
    const char *ifname, uint8_t dir)
{
	struct pfk_packet p = { .time = START + ++r->packets * SECOND,
	    .data = bytes, .caplen = len, .wirelen = len,
	    .linktype = LINKTYPE_RAW, .dir = dir, .number = r->packets };
	int id = pfk_engine_interface(r->engine, ifname);

	if (id < 0)
		fatal("out of memory");
	p.ifid = (uint16_t)id;
	memset(&r->outcome, 0, sizeof(r->outcome));
	memset(&r->second, 0, sizeof(r->second));
	r->sent_on = r->logged = false;
	r->outcome.verdict = PFK_IGNORE;
	r->outcome.rule = PFK_RULE_NONE;
	pfk_engine_run(r->engine, &p, 1);
	return &r->outcome;
}

const struct outcome *
probe(struct run *r, const struct packet *k, uint8_t dir)
{
	uint8_t bytes[PACKET_SIZE];
	uint32_t len = packet_build(k, bytes);

	return run_packet(r, bytes, len, k->ifname, dir);
}

const struct outcome *
probe_ip(struct run *r, const struct outcome *o, const char *ifname,
    uint8_t dir)
{
	uint8_t bytes[sizeof(o->ip)];

	memcpy(bytes, o->ip, o->iplen);
	return run_packet(r, bytes, o->iplen, ifname, dir);
}

void
probe_forget(struct run *r)
{
	static const struct pfk_net any;

	if (r->unused != NULL) {
		if (pfk_engine_restore(r->engine, r->unused, r->unused_len,
		    NULL) != PFK_OK)
			fatal("out of memory");
		return;
	}
	if (pfk_engine_nstates(r->engine) == 0)
		return;
	(void)pfk_engine_kill_states(r->engine, &any, &any, NULL, NULL);
	pfk_engine_flush_src_nodes(r->engine);
}

bool
outcome_passes(const struct outcome *o)
{
	return o->verdict == PFK_PASS || o->verdict == PFK_SKIP;
}
