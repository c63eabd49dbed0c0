/*
 * Making an image: the records, gathered in vectors, and the block of bytes.
 *
 *	lower.c		flat rules -> records
 *	lower_tree.c	anchors and tables: which there are, in which order
 *	lower_code.c	a rule -> instructions
 *	lower_skip.c	pf's skip steps
 *	lower_origin.c	where rules come from
 *	image_write.c	strings, sections, the block
 *
 * Everything here lives in an arena of its own that is freed when the block
 * is made.
 */
#ifndef COMPILER_IMAGE_WRITE_H
#define COMPILER_IMAGE_WRITE_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "compiler/compile.h"
#include "runtime/image.h"

/* A string or a pair of strings and numbers already entered. */
struct intern_slot { uint32_t hash, value; };

struct interner {
	struct intern_slot *slots;
	size_t		 nslots, used;	/* nslots: a power of two, or 0 */
};

/* An anchor of the image: where its rules come from. */
struct low_anchor {
	const char	*path;
	const struct anchor *body;	/* NULL: only its children matter */
	uint32_t	 depth;		/* slashes in the path; main is 0 */
};

struct image_writer {
	struct arena	*arena;
	struct arena	*scratch;	/* of one rule's text */
	struct pfk_ruleset *rs;
	bool		 blocks;	/* the fast lowering */
	VEC(char)	 strings;
	struct interner	 string_index;	/* offset of each string */
	struct interner	 table_index;	/* index of each table */
	VEC(struct low_anchor) tree;	/* same indexes as anchors */
	VEC(uint32_t)	 code;
	VEC(struct img_rule) rules;
	VEC(struct img_anchor) anchors;
	VEC(struct img_pool) pools;
	VEC(struct img_table) tables;
	VEC(struct img_table_addr) table_addrs;
	VEC(struct img_queue) queues;
	VEC(struct img_source) sources;
	struct img_options options;
	VEC(char)	 texts;
	VEC(uint32_t)	 lines;
	VEC(struct img_macro) macros;
	struct interner	 macro_index;	/* index of each record */
	const struct expansion *last_via; /* what macro_of() found last ... */
	uint32_t	 last_macro;	/* ... and its record */
	VEC(uint8_t)	 origins;
	VEC(uint32_t)	 rule_origins, table_origins;
	VEC(struct img_timeouts) timeouts;
	const struct rule_timeouts *last_timeouts; /* written last */
	VEC(const struct table *) table_from;	/* of each table, or NULL */
};

/* ---- image_write.c ---- */
/* The offset of a string that is kept once; NULL and "" are 0. */
uint32_t write_string(struct image_writer *, const char *);
/* The block, from the allocator; NULL: no memory.  *size is set. */
void	*write_image(struct image_writer *, const struct pfk_allocator *,
	    size_t *size);

/* ---- lower_tree.c ---- */
void	 lower_tree(struct image_writer *);
/* The anchor of that path; there is one. */
uint32_t lower_find_anchor(const struct image_writer *, const char *path);
/* What an anchor rule that stands in `from` calls. */
uint32_t lower_called(const struct image_writer *, const struct rule *,
	    uint32_t from);
void	 lower_tables(struct image_writer *);
/* The table that a rule of the anchor means; made if there is none. */
uint32_t lower_table(struct image_writer *, uint32_t anchor, const char *name);

/* ---- lower_origin.c ---- */
/* The files that were read; file N of a span is record N - 1. */
void	 lower_sources(struct image_writer *);
void	 lower_origin(struct image_writer *, const struct rule *);
/* When all rules are there: of tables. */
void	 lower_origins_end(struct image_writer *);

/* ---- lower_code.c, lower_skip.c ---- */
/* The instructions of an anchor whose records are there. */
void	 lower_code(struct image_writer *, uint32_t anchor);

enum skip { SKIP_IFACE, SKIP_DIR, SKIP_RDOMAIN, SKIP_AF, SKIP_PROTO,
    SKIP_SRC, SKIP_DST, SKIP_SRC_PORT, SKIP_DST_PORT, SKIP_COUNT };
/*
 * For each of n rules and each field the next rule (n: the end) in which the
 * field differs.
 */
struct skip_steps { uint32_t next[SKIP_COUNT]; };
struct skip_steps *skip_steps(struct arena *, const struct img_rule *,
	    uint32_t n);

#endif
