/*
 * Addresses of both families, masks and ranges.  Bytes are in network order;
 * an IPv4 address stands in the first four.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pfk_af { PFK_AF_UNSPEC = 0, PFK_AF_INET = 4, PFK_AF_INET6 = 6 };

struct pfk_addr {
	uint8_t		b[16];
};

#define PFK_ADDRSTRLEN	46

/* Bits of an address of that family: 32 or 128. */
unsigned addr_bits(enum pfk_af);

/* The mask of the first `bits` bits. */
void	addr_prefix_mask(struct pfk_addr *, unsigned bits);

/* Leading one bits of a mask; trailing garbage is not looked at. */
unsigned addr_mask_bits(const struct pfk_addr *);

/* Whether the mask is one run of ones from the left. */
bool	addr_mask_contiguous(const struct pfk_addr *, enum pfk_af);

bool	addr_is_zero(const struct pfk_addr *, enum pfk_af);
bool	addr_equal(const struct pfk_addr *, const struct pfk_addr *,
	    enum pfk_af);
int	addr_cmp(const struct pfk_addr *, const struct pfk_addr *,
	    enum pfk_af);
void	addr_and(struct pfk_addr *, const struct pfk_addr *mask);
/* (a & mask) == (b & mask) */
bool	addr_match_mask(const struct pfk_addr *a, const struct pfk_addr *mask,
	    const struct pfk_addr *b, enum pfk_af);

/* inet_pton/inet_ntop in both directions, without the system's families. */
bool	addr_parse(const char *, enum pfk_af, struct pfk_addr *);
/* inet_net_pton's IPv4: "10", "10.1", "10/8", "10.1.2.3/16"; *bits = length. */
bool	addr_parse_net4(const char *, struct pfk_addr *, unsigned *bits);
const char *addr_format(const struct pfk_addr *, enum pfk_af,
	    char buf[PFK_ADDRSTRLEN]);

#endif
