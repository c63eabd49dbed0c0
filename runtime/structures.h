/*
 * What an engine has made of rules to find the one that decides: the parts of
 * a block or a strip and the memory they take.  disasm.c shows them.
 */
#ifndef RUNTIME_STRUCTURES_H
#define RUNTIME_STRUCTURES_H

#include <stddef.h>
#include <stdint.h>

struct block;
struct strip;

/* "hash tables, IPv4": n "tables", so many bytes. */
struct structure {
	const char	*name;
	uint32_t	 n;
	const char	*of;
	size_t		 bytes;
};
typedef void (*structure_fn)(void *ctx, const struct structure *);

/* Parts that are not there are not told.  All bytes together. */
size_t	block_structures(const struct block *, structure_fn, void *ctx);
/* What has been asked for besides, so that arrays begin at lines or huge pages;
 * little of it is touched. */
size_t	block_around_arrays(const struct block *);
size_t	strip_structures(const struct strip *, structure_fn, void *ctx);
/* What is made later, for each kind of packet (class) that comes. */
size_t	block_class_size(const struct block *);
size_t	strip_class_size(void);
uint32_t block_rules(const struct block *);

#endif
