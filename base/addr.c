/*
 * Addresses, masks, and their text.
 *
 * The text forms are inet_pton(3)'s and inet_ntop(3)'s; the system's
 * functions do the work for IPv6, since RFC 5952's rules are theirs to know.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/addr.h"

static size_t
addr_len(enum pfk_af af)
{
	return af == PFK_AF_INET ? 4 : 16;
}

unsigned
addr_bits(enum pfk_af af)
{
	return af == PFK_AF_INET ? 32 : 128;
}

void
addr_prefix_mask(struct pfk_addr *m, unsigned bits)
{
	if (bits > 128)
		bits = 128;
	memset(m, 0, sizeof(*m));
	memset(m->b, 0xff, bits / 8);
	if (bits % 8 != 0)
		m->b[bits / 8] = (uint8_t)(0xff << (8 - bits % 8));
}

unsigned
addr_mask_bits(const struct pfk_addr *m)
{
	unsigned bits = 0;

	while (bits < 128 && m->b[bits / 8] == 0xff)
		bits += 8;
	while (bits < 128 && (m->b[bits / 8] & (0x80u >> bits % 8)) != 0)
		bits++;
	return bits;
}

bool
addr_mask_contiguous(const struct pfk_addr *m, enum pfk_af af)
{
	struct pfk_addr run;

	addr_prefix_mask(&run, addr_mask_bits(m));
	return memcmp(run.b, m->b, addr_len(af)) == 0;
}

bool
addr_is_zero(const struct pfk_addr *a, enum pfk_af af)
{
	static const struct pfk_addr zero;

	return addr_equal(a, &zero, af);
}

bool
addr_equal(const struct pfk_addr *a, const struct pfk_addr *b, enum pfk_af af)
{
	return memcmp(a->b, b->b, addr_len(af)) == 0;
}

int
addr_cmp(const struct pfk_addr *a, const struct pfk_addr *b, enum pfk_af af)
{
	return memcmp(a->b, b->b, addr_len(af));
}

void
addr_and(struct pfk_addr *a, const struct pfk_addr *mask)
{
	for (size_t i = 0; i < sizeof(a->b); i++)
		a->b[i] &= mask->b[i];
}

bool
addr_match_mask(const struct pfk_addr *a, const struct pfk_addr *mask,
    const struct pfk_addr *b, enum pfk_af af)
{
	for (size_t i = 0; i < addr_len(af); i++)
		if (((a->b[i] ^ b->b[i]) & mask->b[i]) != 0)
			return false;
	return true;
}

static int
system_af(enum pfk_af af)
{
	return af == PFK_AF_INET ? AF_INET : AF_INET6;
}

bool
addr_parse(const char *s, enum pfk_af af, struct pfk_addr *out)
{
	struct pfk_addr a;

	memset(&a, 0, sizeof(a));
	if (inet_pton(system_af(af), s, a.b) != 1)
		return false;
	*out = a;
	return true;
}

/* Long rulesets are printed address by address: printf is too slow. */
static void
format_quad(const uint8_t *b, char *p)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*p++ = '.';
		if (b[i] >= 100)
			*p++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*p++ = (char)('0' + b[i] / 10 % 10);
		*p++ = (char)('0' + b[i] % 10);
	}
	*p = '\0';
}

const char *
addr_format(const struct pfk_addr *a, enum pfk_af af,
    char buf[PFK_ADDRSTRLEN])
{
	if (af == PFK_AF_INET)
		format_quad(a->b, buf);
	else if (inet_ntop(AF_INET6, a->b, buf, PFK_ADDRSTRLEN) == NULL)
		buf[0] = '\0';
	return buf;
}

/* A decimal number of at most max at *s, which moves behind it; or -1. */
static int
decimal(const char **s, int max)
{
	int v = 0;

	if (**s < '0' || **s > '9')
		return -1;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		v = v * 10 + (**s - '0');
		if (v > max)
			return -1;
	}
	return v;
}

/*
 * inet_net_pton(3) for the decimal notations.  Without a length the classes
 * of old decide, but at least the bytes given count.
 */
bool
addr_parse_net4(const char *s, struct pfk_addr *out, unsigned *bits)
{
	struct pfk_addr a;
	unsigned n = 0;
	int v, len = -1;

	memset(&a, 0, sizeof(a));
	for (;;) {
		if (n == 4 || (v = decimal(&s, 255)) == -1)
			return false;
		a.b[n++] = (uint8_t)v;
		if (*s != '.')
			break;
		s++;
	}
	if (*s == '/') {
		s++;
		if ((len = decimal(&s, 32)) == -1)
			return false;
	}
	if (*s != '\0')
		return false;
	if (len == -1) {
		len = a.b[0] >= 240 ? 32 : a.b[0] >= 224 ? 8 :
		    a.b[0] >= 192 ? 24 : a.b[0] >= 128 ? 16 : 8;
		if (len < (int)n * 8)
			len = (int)n * 8;
		if (len == 8 && a.b[0] == 224)
			len = 4;	/* all of class D */
	}
	*out = a;
	*bits = (unsigned)len;
	return true;
}
