/*
 * Interfaces, groups, `any`, (dynamic) addresses; and the routes.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/rules_int.h"

static const char *const egress[] = { "egress", NULL };
static const struct pfk_ifaddr em0_addrs[] = {
	{ .af = PFK_AF_INET6, .prefixlen = 64, .addr = { 0xfe, 0x80,
	    [15] = 1 } },
	{ .af = PFK_AF_INET, .prefixlen = 24, .has_broadcast = 1,
	    .addr = { 192, 0, 2, 9 }, .broadcast = { 192, 0, 2, 255 } },
	{ .af = PFK_AF_INET, .prefixlen = 32, .addr = { 192, 0, 2, 1 } },
	{ .af = PFK_AF_INET6, .prefixlen = 64, .addr = { 0x20, 1,
	    [15] = 9 } },
};
static const struct pfk_ifaddr gif_addrs[] = {
	{ .af = PFK_AF_INET, .prefixlen = 32, .has_peer = 1,
	    .addr = { 10, 0, 0, 1 }, .peer = { 10, 0, 0, 2 } },
};
static const struct pfk_interface ifs[] = {
	{ .name = "lo0", .flags = PFK_IFF_LOOPBACK },
	{ .name = "em0", .groups = egress, .flags = PFK_IFF_BROADCAST,
	    .addrs = em0_addrs, .naddrs = 4, .rdomain = 3 },
	{ .name = "gif0", .flags = PFK_IFF_POINTOPOINT, .addrs = gif_addrs,
	    .naddrs = 1 },
};

/* `set skip on { lo0 egress }`: one after the other from offset 1. */
static const char strings[] = "\0lo0\0egress";
static const struct img_options options;
static const struct pfk_image image = { .strings = strings,
    .nstrings = sizeof(strings), .options = &options };

static void
engine_set_up(struct pfk_engine *e, uint32_t nskip)
{
	memset(e, 0, sizeof(*e));
	e->alloc = pfk_allocator_libc;
	e->image = &image;
	e->opts.skip = 1;
	e->opts.nskip = nskip;
	ck_assert_int_eq(ifaces_init(e, ifs, 3), 0);
}

static bool
is(struct pfk_engine *e, const char *packet, const char *rule)
{
	return iface_is(e, (uint16_t)pfk_engine_interface(e, packet),
	    (uint32_t)iface_intern(e, rule));
}

START_TEST(names)
{
	struct pfk_engine e;

	engine_set_up(&e, 0);
	ck_assert(is(&e, "em0", "em0"));
	ck_assert(is(&e, "em0", "egress"));
	ck_assert(is(&e, "em0", "all"));
	ck_assert(is(&e, "em0", "any"));
	ck_assert(!is(&e, "em0", "em1"));
	ck_assert(!is(&e, "lo0", "egress"));
	ck_assert(is(&e, "lo0", "all"));
	ck_assert(!is(&e, "lo0", "any"));
	ck_assert(is(&e, "tun7", "any"));	/* never heard of before */
	ck_assert(is(&e, "tun7", "tun7"));
	ck_assert_uint_eq(iface_rdomain(&e,
	    (uint16_t)pfk_engine_interface(&e, "em0")), 3);
	ck_assert_str_eq(pfk_engine_ifname(&e,
	    (unsigned)pfk_engine_interface(&e, "em0")), "em0");
	ck_assert(pfk_engine_is_local(&e, PFK_AF_INET, em0_addrs[1].addr));
	ck_assert(!pfk_engine_is_local(&e, PFK_AF_INET,
	    em0_addrs[1].broadcast));
	ifaces_free(&e);
}
END_TEST

START_TEST(skip)
{
	struct pfk_engine e;

	engine_set_up(&e, 2);
	ck_assert(iface_skipped(&e,
	    (uint16_t)pfk_engine_interface(&e, "lo0")));
	ck_assert(iface_skipped(&e,
	    (uint16_t)pfk_engine_interface(&e, "em0")));
	ck_assert(!iface_skipped(&e,
	    (uint16_t)pfk_engine_interface(&e, "gif0")));
	ifaces_free(&e);
}
END_TEST

/* What (name:mods) stands for, as "addr/bits addr/bits". */
static const char *
dynamic(struct pfk_engine *e, const char *name, uint8_t mods, uint8_t af)
{
	static char text[512];
	struct img_addr a = { .kind = IMG_ADDR_DYNAMIC, .ifmods = mods };
	uint32_t id = (uint32_t)iface_intern(e, name);
	struct pfk_addr addr, mask;
	char buf[PFK_ADDRSTRLEN];
	unsigned n = 0;

	addr_prefix_mask(&a.mask, 128);
	text[0] = '\0';
	for (; iface_addr(e, id, &a, af, n, &addr, &mask); n++) {
		ck_assert(iface_addr_match(e, id, &a, af, &addr));
		(void)snprintf(text + strlen(text), 60, "%s%s/%u",
		    n > 0 ? " " : "", addr_format(&addr, (enum pfk_af)af,
		    buf), addr_mask_bits(&mask));
	}
	ck_assert_uint_eq(iface_addr_count(e, id, &a, af), n);
	return text;
}

START_TEST(dynamic_addresses)
{
	struct pfk_engine e;

	engine_set_up(&e, 0);
	ck_assert_str_eq(dynamic(&e, "em0", 0, PFK_AF_INET),
	    "192.0.2.1/32 192.0.2.9/32");
	ck_assert_str_eq(dynamic(&e, "em0", IMG_IF_NOALIAS, PFK_AF_INET),
	    "192.0.2.9/32");
	ck_assert_str_eq(dynamic(&e, "em0", IMG_IF_NETWORK, PFK_AF_INET),
	    "192.0.2.0/24 192.0.2.1/32");
	ck_assert_str_eq(dynamic(&e, "em0", IMG_IF_NETWORK, PFK_AF_INET6),
	    "2001::/64");
	ck_assert_str_eq(dynamic(&e, "egress", 0, PFK_AF_INET6),
	    "2001::9/128 fe80::1/128");
	ck_assert_str_eq(dynamic(&e, "em0", IMG_IF_BROADCAST |
	    IMG_IF_NOALIAS, PFK_AF_INET), "192.0.2.255/32");
	ck_assert_str_eq(dynamic(&e, "gif0", IMG_IF_PEER, PFK_AF_INET),
	    "10.0.0.2/32");
	ck_assert_str_eq(dynamic(&e, "em0", IMG_IF_PEER, PFK_AF_INET), "");
	ck_assert_str_eq(dynamic(&e, "self", 0, PFK_AF_INET),
	    "10.0.0.1/32 192.0.2.1/32 192.0.2.9/32");
	ck_assert_str_eq(dynamic(&e, "nowhere", 0, PFK_AF_INET), "");
	ifaces_free(&e);
}
END_TEST

/* --- routes --- */

static const struct pfk_route routes[] = {
	{ .af = PFK_AF_INET, .prefixlen = 0, .ifname = "em0",
	    .has_gateway = 1, .gateway = { 192, 0, 2, 254 },
	    .label = "world" },
	{ .af = PFK_AF_INET, .prefixlen = 8, .dst = { 10 },
	    .ifname = "gif0" },
	{ .af = PFK_AF_INET, .prefixlen = 8, .dst = { 10 },
	    .ifname = "em0" },
	{ .af = PFK_AF_INET, .prefixlen = 16, .dst = { 10, 9 },
	    .ifname = "lo0", .flags = PFK_RTF_REJECT },
	{ .af = PFK_AF_INET, .prefixlen = 0, .rtable = 7, .ifname = "gif0" },
};

START_TEST(lookups)
{
	struct pfk_addr ten = { { 10, 1 } }, far = { { 203, 0, 113, 1 } };
	struct pfk_addr nine = { { 10, 9, 9, 9 } }, six = { { 0x20 } };
	struct route_entry r;
	struct pfk_engine e;
	uint16_t em0, gif0;

	engine_set_up(&e, 0);
	ck_assert_int_eq(routes_init(&e, routes, 5), 0);
	em0 = (uint16_t)pfk_engine_interface(&e, "em0");
	gif0 = (uint16_t)pfk_engine_interface(&e, "gif0");
	ck_assert(route_lookup(&e, PFK_AF_INET, &far, 0, &r));
	ck_assert_str_eq(r.label, "world");
	ck_assert(r.has_gateway && r.ifid == em0 && !r.reject);
	ck_assert(route_lookup(&e, PFK_AF_INET, &ten, 0, &r));
	ck_assert_uint_eq(r.ifid, gif0);
	ck_assert(route_urpf_ok(&e, PFK_AF_INET, &ten, gif0, 0));
	ck_assert(route_urpf_ok(&e, PFK_AF_INET, &ten, em0, 0));
	ck_assert(!route_urpf_ok(&e, PFK_AF_INET, &far, gif0, 0));
	ck_assert(route_lookup(&e, PFK_AF_INET, &nine, 0, &r));
	ck_assert(r.reject);
	ck_assert(!route_lookup(&e, PFK_AF_INET6, &six, 0, &r));
	/* tables 1 to 3 are copies, 7 is its own, there are no others */
	ck_assert(route_lookup(&e, PFK_AF_INET, &ten, 3, &r));
	ck_assert_uint_eq(r.ifid, gif0);
	ck_assert(!route_lookup(&e, PFK_AF_INET, &ten, 4, &r));
	ck_assert(route_lookup(&e, PFK_AF_INET, &far, 7, &r));
	ck_assert_uint_eq(r.ifid, gif0);
	ck_assert(!route_lookup(&e, PFK_AF_INET, &far, 9999, &r));
	routes_free(&e);
	ifaces_free(&e);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("iface");
	TCase *tc = tcase_create("iface");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, names);
	tcase_add_test(tc, skip);
	tcase_add_test(tc, dynamic_addresses);
	tcase_add_test(tc, lookups);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
