/*
 * Saving and restoring (pfk_engine_save()): each room writes its part with
 * these and reads it back in the same order.  Numbers are little-endian.
 * Reading past the end or a wrong mark makes `bad` true and gives zeros, so
 * a room may read all and check once; a room refuses values out of range.
 */
#ifndef RUNTIME_SAVE_H
#define RUNTIME_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pfk_engine;

struct saver {
	const struct pfk_engine *e;
	uint8_t		*data;		/* writing: grows */
	size_t		 len, cap;
	const uint8_t	*in;		/* reading */
	size_t		 left;
	bool		 bad;		/* no memory, or damaged */
};

void	 save_u8(struct saver *, uint8_t);
void	 save_u16(struct saver *, uint16_t);
void	 save_u32(struct saver *, uint32_t);
void	 save_u64(struct saver *, uint64_t);
void	 save_bytes(struct saver *, const void *, size_t);
void	 save_mark(struct saver *, const char four[4]);

uint8_t	 load_u8(struct saver *);
uint16_t load_u16(struct saver *);
uint32_t load_u32(struct saver *);
uint64_t load_u64(struct saver *);
void	 load_bytes(struct saver *, void *, size_t);
void	 load_mark(struct saver *, const char four[4]);

#endif
