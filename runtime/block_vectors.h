/*
 * Bit vectors of a block (block_vectors.c makes them, block_and.c asks).
 *
 * Of each piece of a field's values there is a vector: a bit for each rule that
 * takes such values.  What all of a packet's vectors have in common are the
 * rules that match (Lakshman and Stiliadis, 1998): the same few instructions
 * for every packet, however much rules overlap, and nothing to guess for the
 * processor.  Memory grows with the square of the rules, so that blocks of
 * more rules have hash tables instead.
 */
#ifndef RUNTIME_BLOCK_VECTORS_H
#define RUNTIME_BLOCK_VECTORS_H

#include "runtime/block_int.h"

#define VECTORS_RULES	1024u	/* blocks have no more */
#define VECTOR_WORDS	(VECTORS_RULES / 64)
#define VECTOR_STEP	8u	/* words that are looked at together */
#define VECTOR_UNIT	4u	/* they are counted by so many words */
#define VECTOR_NONE	0u	/* of no rule */

/* Ports: what a page says of their lower byte, and which page the upper. */
struct port_pieces {
	uint16_t	page[256];
	uint16_t	(*pages)[256];
	uint32_t	npages, cappages;
	uint64_t	*piece;		/* words, see below */
	uint32_t	n;
};

/*
 * Where a rule leads whose vectors tell all that it asks for: by the first
 * misfit, in pf's order, or JUMP_FITS.
 */
enum { JUMP_SRC, JUMP_DST, JUMP_FLAGS, JUMP_SPORT, JUMP_DPORT, JUMP_FITS,
    JUMPS };
#define JUMP_UNKNOWN	UINT16_MAX	/* or out of the block */
struct block_jumps { uint16_t to[JUMPS]; };

struct block_vectors {
	unsigned	words;		/* of each; some steps */
	bool		quick, last;	/* there are such rules */
	uint64_t	*others;	/* bits of rules that are not quick */
	uint64_t	*checks;	/* of which tests are left */
	struct block_jumps *jumps;
	const uint64_t	*v;
	uint32_t	n;		/* vectors */
	void		*memory;	/* where they are */
	size_t		size;
	struct port_pieces ports[2];
};

/*
 * What is known of a piece, in a word:
 *
 *	63	  48 47		32 31		0
 *	first of	vector, in	list of rules to be asked
 *	the list	units
 */
#define PIECE_VECTOR	32
#define PIECE_FIRST	48
static inline uint64_t
piece_word(const struct known *k, const uint32_t *ids)
{
	return k->list | (uint64_t)k->set[0] << PIECE_VECTOR |
	    (uint64_t)(uint16_t)ids[k->list] << PIECE_FIRST;
}

static inline uint64_t
port_piece(const struct port_pieces *p, uint16_t port)
{
	return p->piece[p->pages[p->page[port >> 8]][port & 0xff]];
}

static inline const uint64_t *
piece_vector(const struct block_vectors *x, uint64_t piece)
{
	return x->v + (piece >> PIECE_VECTOR & 0xffff) * VECTOR_UNIT;
}

/* The vectors and the rest of what the block looks up; false: no memory. */
bool	vectors_make(const struct pfk_engine *, struct block *,
	    const struct box *, struct span_list spans[SPANS_COUNT]);
void	vectors_free(const struct pfk_engine *, struct block *);

#endif
