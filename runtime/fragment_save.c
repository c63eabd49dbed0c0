/*
 * Fragments that wait, saved and restored: packets from the longest unused
 * on, each with its parts as they were cut.
 *
 * Restoring goes through the same insertion that packets use, so that damaged
 * data cannot leave anything behind that packets could not.
 */
#include <string.h>

#include "runtime/fragment.h"
#include "runtime/save.h"

#define MAX_PART	(65535 + 40 + 8)

static void
save_part(struct saver *sv, const struct frag_entry *f)
{
	uint32_t kept = f->part.off == 0 ? f->part.hdrlen : 0;

	save_u32(sv, f->part.off);
	save_u32(sv, f->part.len);
	save_u8(sv, f->part.more);
	save_u32(sv, kept);
	save_u32(sv, f->part.extoff);
	save_bytes(sv, f->data + f->skip - kept, kept + f->part.len);
}

static uint32_t
count_parts(const struct frag_packet *k)
{
	uint32_t n = 0;

	for (const struct frag_entry *f = k->first; f != NULL; f = f->next)
		n++;
	return n;
}

void
frags_save(const struct pfk_engine *e, struct saver *sv)
{
	const struct frag_packet *k;
	uint32_t n = 0;

	for (k = e->frags->oldest; k != NULL; k = k->newer)
		n++;
	save_mark(sv, "frag");
	save_u32(sv, n);
	for (k = e->frags->oldest; k != NULL; k = k->newer) {
		save_u8(sv, k->node->flow.af);
		save_u8(sv, k->node->flow.proto);
		save_bytes(sv, k->node->flow.src.b, 16);
		save_bytes(sv, k->node->flow.dst.b, 16);
		save_u32(sv, k->id);
		save_u32(sv, k->since);
		save_u32(sv, k->node->generation);
		save_u32(sv, k->generation);
		save_u32(sv, count_parts(k));
		for (const struct frag_entry *f = k->first; f != NULL;
		    f = f->next)
			save_part(sv, f);
	}
}

static bool
load_part(struct pfk_engine *e, struct saver *sv, const struct frag_flow *flow,
    uint32_t id, struct frag_packet **k)
{
	struct frag_part part;
	uint32_t size;

	part.off = load_u32(sv);
	part.len = load_u32(sv);
	part.more = load_u8(sv) != 0;
	part.hdrlen = load_u32(sv);
	part.extoff = load_u32(sv);
	if (sv->bad || part.len > 65535 || part.hdrlen > 65535 ||
	    part.off > 65535 || (part.hdrlen != 0 && part.off != 0) ||
	    part.extoff >= 65535)
		return false;
	size = part.hdrlen + part.len;
	/* a first part has a whole header; what extoff names lies in it */
	if (size > MAX_PART || (part.off == 0 && (part.hdrlen <
	    (flow->af == PFK_AF_INET6 ? 48u : 20u) ||
	    part.extoff + 8 > part.hdrlen)))
		return false;
	load_bytes(sv, e->scratch, size);
	return !sv->bad && frag_put(e, flow, id, &part, e->scratch, k) ==
	    FRAG_WAITS;
}

static bool
load_packet(struct pfk_engine *e, struct saver *sv)
{
	struct frag_packet *k = NULL;
	struct frag_flow flow;
	uint32_t id, since, generation[2], n;

	memset(&flow, 0, sizeof(flow));
	flow.af = load_u8(sv);
	flow.proto = load_u8(sv);
	load_bytes(sv, flow.src.b, 16);
	load_bytes(sv, flow.dst.b, 16);
	id = load_u32(sv);
	since = load_u32(sv);
	generation[0] = load_u32(sv);
	generation[1] = load_u32(sv);
	n = load_u32(sv);
	if (flow.af != PFK_AF_INET && flow.af != PFK_AF_INET6)
		return false;
	while (n-- > 0)
		if (!load_part(e, sv, &flow, id, &k))
			return false;
	if (k == NULL)
		return false;
	k->since = since;
	k->node->generation = generation[0];
	k->generation = generation[1];
	return true;
}

bool
frags_restore(struct pfk_engine *e, struct saver *sv)
{
	struct pfk_counters before = e->counters;
	uint32_t n;
	bool ok = true;

	while (e->frags->oldest != NULL)
		frag_packet_free(e, e->frags->oldest);
	e->counters.fragments = 0;
	load_mark(sv, "frag");
	n = load_u32(sv);
	while (ok && n-- > 0 && !sv->bad)
		ok = load_packet(e, sv);
	e->counters.fragment_searches = before.fragment_searches;
	e->counters.fragment_inserts = before.fragment_inserts;
	e->counters.fragment_removals = before.fragment_removals;
	return ok && !sv->bad;
}
