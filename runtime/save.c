/*
 * Saving an engine and going on from there.
 *
 *	"pfks" version, CRC of the image, clock, chance, counters,
 *	then each room's part behind its mark; CRC of it all at the end
 *
 * A part is read back by the room that wrote it.  What was saved under another
 * ruleset, or damaged, is refused; if that is found late, the engine can be
 * used, but has forgotten its states.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/normalize.h"
#include "runtime/rules_int.h"
#include "runtime/save.h"
#include "runtime/state_table.h"
#include "runtime/translate.h"

#define SAVE_VERSION	1

/* ---- primitives ---- */

void
save_bytes(struct saver *sv, const void *p, size_t n)
{
	uint8_t *data;
	size_t cap = sv->cap;

	if (sv->bad)
		return;
	while (cap - sv->len < n)
		cap = cap == 0 ? 4096 : cap * 2;
	if (cap != sv->cap) {
		if ((data = e_realloc(sv->e, sv->data, sv->cap, cap)) ==
		    NULL) {
			sv->bad = true;
			return;
		}
		sv->data = data;
		sv->cap = cap;
	}
	if (n > 0)
		memcpy(sv->data + sv->len, p, n);
	sv->len += n;
}

static void
save_number(struct saver *sv, uint64_t v, unsigned n)
{
	uint8_t b[8];

	for (unsigned i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	save_bytes(sv, b, n);
}

void
save_u8(struct saver *sv, uint8_t v)
{
	save_number(sv, v, 1);
}

void
save_u16(struct saver *sv, uint16_t v)
{
	save_number(sv, v, 2);
}

void
save_u32(struct saver *sv, uint32_t v)
{
	save_number(sv, v, 4);
}

void
save_u64(struct saver *sv, uint64_t v)
{
	save_number(sv, v, 8);
}

void
save_mark(struct saver *sv, const char four[4])
{
	save_bytes(sv, four, 4);
}

void
load_bytes(struct saver *sv, void *p, size_t n)
{
	if (sv->bad || sv->left < n) {
		sv->bad = true;
		memset(p, 0, n);
		return;
	}
	memcpy(p, sv->in, n);
	sv->in += n;
	sv->left -= n;
}

static uint64_t
load_number(struct saver *sv, unsigned n)
{
	uint8_t b[8];
	uint64_t v = 0;

	load_bytes(sv, b, n);
	for (unsigned i = n; i-- > 0;)
		v = v << 8 | b[i];
	return v;
}

uint8_t
load_u8(struct saver *sv)
{
	return (uint8_t)load_number(sv, 1);
}

uint16_t
load_u16(struct saver *sv)
{
	return (uint16_t)load_number(sv, 2);
}

uint32_t
load_u32(struct saver *sv)
{
	return (uint32_t)load_number(sv, 4);
}

uint64_t
load_u64(struct saver *sv)
{
	return load_number(sv, 8);
}

void
load_mark(struct saver *sv, const char four[4])
{
	char b[4];

	load_bytes(sv, b, sizeof(b));
	if (memcmp(b, four, sizeof(b)) != 0)
		sv->bad = true;
}

/* ---- the engine's own ---- */

/* Fields of struct pfk_counters are all of 64 or 32 bits: saved by the list. */
static void
counters_move(struct saver *sv, struct pfk_counters *c, bool load)
{
	uint64_t *const wide[] = { &c->packets, &c->bytes, &c->searches,
	    &c->inserts, &c->removals, &c->halfopen, &c->src_searches,
	    &c->src_inserts, &c->src_removals, &c->fragment_searches,
	    &c->fragment_inserts, &c->fragment_removals };
	const struct { uint64_t *v; size_t n; } arrays[] = {
	    { c->reasons, PFK_NREASONS }, { c->limits, 10 } };

	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (load)
			*wide[i] = load_u64(sv);
		else
			save_u64(sv, *wide[i]);
	for (size_t a = 0; a < sizeof(arrays) / sizeof(*arrays); a++)
		for (size_t i = 0; i < arrays[a].n; i++)
			if (load)
				arrays[a].v[i] = load_u64(sv);
			else
				save_u64(sv, arrays[a].v[i]);
}

static void
clock_save(const struct pfk_engine *e, struct saver *sv)
{
	struct pfk_counters c = e->counters;

	save_mark(sv, "clck");
	save_u8(sv, e->started);
	save_u64(sv, e->epoch);
	save_u64(sv, e->now);
	save_u32(sv, e->uptime);
	save_u32(sv, e->swept);
	save_u32(sv, e->next_chores);
	for (int i = 0; i < 4; i++)
		save_u64(sv, e->random[i]);
	counters_move(sv, &c, false);
}

/* Four zeros would be followed by zeros for ever. */
static void
random_restore(struct pfk_engine *e, struct saver *sv)
{
	uint64_t s[4], any = 0;

	for (int i = 0; i < 4; i++)
		any |= s[i] = load_u64(sv);
	sv->bad |= any == 0;
	if (!sv->bad)
		memcpy(e->random, s, sizeof(s));
}

static bool
clock_restore(struct pfk_engine *e, struct saver *sv)
{
	load_mark(sv, "clck");
	e->started = load_u8(sv) != 0;
	e->epoch = load_u64(sv);
	e->now = load_u64(sv);
	e->uptime = load_u32(sv);
	e->swept = load_u32(sv);
	e->next_chores = load_u32(sv);
	random_restore(e, sv);
	counters_move(sv, &e->counters, true);
	return !sv->bad;
}

static void
if_counters_save(const struct pfk_engine *e, struct saver *sv)
{
	save_mark(sv, "ifct");
	save_u32(sv, e->nif_counters);
	for (uint32_t i = 0; i < e->nif_counters; i++) {
		const uint64_t *v = &e->if_counters[i].packets[0][0][0];
		const uint64_t *b = &e->if_counters[i].bytes[0][0][0];

		for (int n = 0; n < 8; n++) {
			save_u64(sv, v[n]);
			save_u64(sv, b[n]);
		}
	}
}

static bool
if_counters_restore(struct pfk_engine *e, struct saver *sv)
{
	struct pfk_if_counters *c = NULL;
	uint32_t n;

	load_mark(sv, "ifct");
	n = load_u32(sv);
	if (sv->bad || n > sv->left / 128)
		return false;
	if (n > 0 && (c = e_alloc(e, n * sizeof(*c))) == NULL)
		return false;
	e_free(e, e->if_counters, e->nif_counters * sizeof(*c));
	e->if_counters = c;
	e->nif_counters = n;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t *v = &c[i].packets[0][0][0];
		uint64_t *b = &c[i].bytes[0][0][0];

		for (int k = 0; k < 8; k++) {
			v[k] = load_u64(sv);
			b[k] = load_u64(sv);
		}
	}
	return !sv->bad;
}

static void
rules_save(const struct pfk_engine *e, struct saver *sv)
{
	rules_settle(e);
	save_mark(sv, "rule");
	save_u32(sv, e->nrules);
	for (uint32_t i = 0; i <= e->nrules; i++) {
		const struct rt_rule *r = &e->rules[i];

		save_u64(sv, r->n.evaluations);
		for (int d = 0; d < 2; d++) {
			save_u64(sv, r->n.packets[d]);
			save_u64(sv, r->n.bytes[d]);
		}
		save_u64(sv, r->n.states_total);
		save_u32(sv, r->n.states);
		save_u32(sv, r->n.source_nodes);
		save_u8(sv, r->n.expired);
		save_u32(sv, r->rate.count);
		save_u32(sv, r->rate.last);
	}
}

static bool
rules_restore(struct pfk_engine *e, struct saver *sv)
{
	load_mark(sv, "rule");
	if (load_u32(sv) != e->nrules)
		return false;
	rules_settle(e);		/* what was counted goes, too */
	for (uint32_t i = 0; i <= e->nrules; i++) {
		struct rt_rule *r = &e->rules[i];

		r->n.evaluations = load_u64(sv);
		for (int d = 0; d < 2; d++) {
			r->n.packets[d] = load_u64(sv);
			r->n.bytes[d] = load_u64(sv);
		}
		r->n.states_total = load_u64(sv);
		r->n.states = load_u32(sv);
		r->n.source_nodes = load_u32(sv);
		r->n.expired = load_u8(sv) != 0;
		r->rate.count = load_u32(sv);
		r->rate.last = load_u32(sv);
	}
	return !sv->bad;
}

/*
 * In the order in which they are read: rules' counters behind the nodes',
 * whose restoring counts.
 */
static const struct part {
	const char	*name;
	void	(*save)(const struct pfk_engine *, struct saver *);
	bool	(*restore)(struct pfk_engine *, struct saver *);
} parts[] = {
	{ "source nodes",	nodes_save,	nodes_restore },
	{ "fragments",		frags_save,	frags_restore },
	{ "timestamps",		tscrubs_save,	tscrubs_restore },
	{ "pools",		pools_save,	pools_restore },
	{ "syncookies",		syncookies_save, syncookies_restore },
	{ "tables",		tables_save,	tables_restore },
	{ "states",		states_save,	states_restore },
	{ "rules",		rules_save,	rules_restore },
	{ "interfaces",		if_counters_save, if_counters_restore },
	{ "clock",		clock_save,	clock_restore },
};
#define NPARTS	(sizeof(parts) / sizeof(*parts))

static uint32_t
image_crc(const struct pfk_engine *e)
{
	return crc32c(0, e->image->bytes, e->image->size);
}

int
pfk_engine_save(const struct pfk_engine *e, void **data, size_t *len)
{
	struct saver sv = { .e = e };

	save_mark(&sv, "pfks");
	save_u32(&sv, SAVE_VERSION);
	save_u32(&sv, image_crc(e));
	for (size_t i = 0; i < NPARTS; i++)
		parts[i].save(e, &sv);
	if (!sv.bad)
		save_u32(&sv, crc32c(0, sv.data, sv.len));
	if (sv.bad || (*data = e_realloc(e, sv.data, sv.cap, sv.len)) ==
	    NULL) {
		e_free(e, sv.data, sv.cap);
		return PFK_ERR_NOMEM;
	}
	*len = sv.len;
	return PFK_OK;
}

void
pfk_engine_free_data(const struct pfk_engine *e, void *data, size_t len)
{
	e_free(e, data, len);
}

static int
refuse(char *errbuf, const char *why)
{
	if (errbuf != NULL)
		snprintf(errbuf, PFK_IMAGE_ERRLEN, "saved state: %s", why);
	return PFK_ERR_IMAGE;
}

static const char *
check_header(struct pfk_engine *e, const void *data, size_t len,
    struct saver *sv)
{
	const uint8_t *p = data;

	*sv = (struct saver){ .e = e, .in = p, .left = len };
	load_mark(sv, "pfks");
	if (sv->bad || len < 16)
		return "not one of pfkit's";
	if (load_u32(sv) != SAVE_VERSION)
		return "of another version";
	sv->left -= 4;
	if (crc32c(0, p, len - 4) != (p[len - 4] |
	    (uint32_t)p[len - 3] << 8 | (uint32_t)p[len - 2] << 16 |
	    (uint32_t)p[len - 1] << 24))
		return "damaged";
	if (load_u32(sv) != image_crc(e))
		return "saved under another ruleset";
	return NULL;
}

/*
 * The rooms say no, whatever the reason: memory that was refused meanwhile is
 * noted here, so that an intact text is not called damaged.
 */
struct noting {
	struct pfk_allocator asked;
	bool		 refused;
};

static void *
note_refusal(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct noting *n = ctx;
	void *q = n->asked.fn(n->asked.ctx, p, osize, nsize);

	if (q == NULL && nsize != 0)
		n->refused = true;
	return q;
}

/* Returns the part that could not be restored, or NULL. */
static const char *
restore_parts(struct pfk_engine *e, struct saver *sv)
{
	for (size_t i = 0; i < NPARTS; i++)
		if (!parts[i].restore(e, sv) || sv->bad)
			return parts[i].name;
	return NULL;
}

int
pfk_engine_restore(struct pfk_engine *e, const void *data, size_t len,
    char *errbuf)
{
	struct noting noting = { e->alloc, false };
	const char *why;
	struct saver sv;
	char text[64];

	if ((why = check_header(e, data, len, &sv)) != NULL)
		return refuse(errbuf, why);
	states_flush(e);
	e->alloc = (struct pfk_allocator){ note_refusal, &noting };
	why = restore_parts(e, &sv);
	e->alloc = noting.asked;
	if (why == NULL)
		return PFK_OK;
	states_flush(e);
	if (noting.refused)
		return PFK_ERR_NOMEM;
	snprintf(text, sizeof(text), "damaged (%s)", why);
	return refuse(errbuf, text);
}
