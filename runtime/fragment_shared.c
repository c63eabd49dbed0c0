/*
 * Fragments of engines that share one stream of packets (pfkit/shard.h).
 *
 * All fragments between two ends go to one engine, so that each flow is in one
 * cache alone.  What caches have in common is the order by last use, which
 * says where the clock stops looking for packets that have waited too long:
 * numbers of frames tell it; and the limits: there is room for all fragments
 * before they come.
 */
#include "runtime/fragment.h"
#include "runtime/shard.h"

/* The engine with the packet that has been unused for longest; NULL: none. */
static struct pfk_engine *
oldest_of_all(struct pfk_engine *const *e, unsigned n)
{
	struct pfk_engine *found = NULL;

	for (unsigned i = 0; i < n; i++) {
		const struct frag_packet *k = e[i]->frags->oldest;

		if (k != NULL && (found == NULL ||
		    k->used < found->frags->oldest->used))
			found = e[i];
	}
	return found;
}

void
frags_purge(struct pfk_engine *e)
{
	const struct pfk_shards *s = e->shards;
	struct pfk_engine *const *all = s != NULL ? s->e : &e, *from;
	unsigned n = s != NULL ? s->n : 1;
	struct frag_packet *k;

	while ((from = oldest_of_all(all, n)) != NULL) {
		k = from->frags->oldest;
		if (k->since + e->opts.timeout[IMG_TMO_FRAG] > e->uptime)
			break;
		frag_packet_free(from, k);
	}
}

/* Flows and packets; not the list by last use. */
static void
move_chains(struct pfk_engine *to, struct frag_cache *c)
{
	struct frag_packet *k;
	struct frag_node *n;

	for (unsigned i = 0; i < FRAG_BUCKETS; i++) {
		while ((n = c->nodes[i]) != NULL) {
			c->nodes[i] = n->next;
			frag_node_link(to, n);
		}
		while ((k = c->packets[i]) != NULL) {
			c->packets[i] = k->next;
			frag_packet_link(to, k);
		}
	}
	to->frags->bytes += c->bytes;
	c->bytes = 0;
}

void
frags_merge(struct pfk_engine *const *e, unsigned n)
{
	struct frag_cache ages = { .oldest = NULL };
	struct pfk_engine *from;
	struct frag_packet *k;

	while ((from = oldest_of_all(e, n)) != NULL) {
		k = from->frags->oldest;
		frag_age_remove(from->frags, k);
		frag_age_append(&ages, k);
	}
	e[0]->frags->oldest = ages.oldest;
	e[0]->frags->newest = ages.newest;
	for (unsigned i = 1; i < n; i++)
		move_chains(e[0], e[i]->frags);
}
