/*
 * MD5 (RFC 1321), by which pf makes a key of the words after source-hash.
 */
#ifndef COMPILER_MD5_H
#define COMPILER_MD5_H

#include <stddef.h>
#include <stdint.h>

void	 md5(const void *, size_t, uint8_t digest[16]);

#endif
