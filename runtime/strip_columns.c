/*
 * Columns of a strip as functions (strip_columns.h), and whether this processor
 * has the wide ones.
 */
#include "runtime/strip_columns.h"

uint64_t
strip_addrs_plain(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	return addrs_plain(addr, mask, n, a);
}

uint64_t
strip_ports_plain(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	return ports_plain(low, high, n, port);
}

uint64_t
strip_addrs(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	return addrs_narrow(addr, mask, n, a);
}

uint64_t
strip_ports(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	return ports_narrow(low, high, n, port);
}

#ifdef HAVE_WIDE
bool
strip_wide(void)
{
	return __builtin_cpu_supports("avx2") != 0 &&
	    __builtin_cpu_supports("bmi") != 0 &&
	    __builtin_cpu_supports("bmi2") != 0;
}

WIDE uint64_t
strip_addrs_wide(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	return addrs_wide(addr, mask, n, a);
}

WIDE uint64_t
strip_ports_wide(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	return ports_wide(low, high, n, port);
}
#else
bool
strip_wide(void)
{
	return false;
}

uint64_t
strip_addrs_wide(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	return strip_addrs(addr, mask, n, a);
}

uint64_t
strip_ports_wide(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	return strip_ports(low, high, n, port);
}
#endif
