/*
 * Source text and places in it.
 *
 * Every file read (pf.conf, includes, `load anchor` files, the -D options and
 * macro bodies as texts of their own) is a source, kept whole in memory.  A
 * span names bytes of one of them; line and column are computed only when
 * something is printed.
 *
 * A token that came out of a macro keeps where the macro was used and where
 * it was defined (struct expansion), and so does everything built of it.
 */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"

struct span {
	uint32_t	file;		/* index in source_map; 0 is "none" */
	uint32_t	off, len;	/* bytes */
};

struct expansion {
	const char	*macro;		/* name without '$' */
	struct span	 use;		/* the `$name` */
	struct span	 def;		/* the `name = value` */
	const struct expansion *outer;	/* the use itself came from a macro */
};

struct source {
	const char	*name;		/* as pfctl names it: "stdin", a path */
	const char	*text;
	uint32_t	 len;
	struct span	 included_at;	/* file 0 if the main file */
	VEC(uint32_t)	 lines;		/* offsets of line starts, lazily */
};

struct source_map {
	struct arena	*arena;
	VEC(struct source *) files;	/* files.v[0] is NULL */
};

void	 source_map_init(struct source_map *, struct arena *);
/* text is not copied and must live as long as the map. */
uint32_t source_add(struct source_map *, const char *name, const char *text,
	    uint32_t len, struct span included_at);
const struct source *source_get(const struct source_map *, uint32_t file);

struct position { uint32_t line, column; };	/* from 1; column in bytes */
struct position source_position(struct source_map *, uint32_t file,
	    uint32_t off);
/* The text of a line without its newline. */
const char *source_line(struct source_map *, uint32_t file, uint32_t line,
	    uint32_t *len);

/* From the start of a to the end of b; a if they lie in different files. */
struct span span_join(struct span a, struct span b);

#endif
