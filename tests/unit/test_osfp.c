/*
 * Fingerprints: lines, names, and packets; and the rates of max-pkt-rate.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/osfp.h"

static const char pf_os[] =
	"# comment\n"
	"16384:64:1:60:M*,N,W0,N,N,T:OpenBSD:3.0-3.9::OpenBSD 3.0-3.9\n"
	"S4:64:1:60:M*,S,T,N,W7:Linux:2.6:18-20:Linux 2.6.18-20\n"
	"%8192:128:1:48:M*,N,N,S:Windows:XP:SP1:Windows XP\n"
	"%8192:128:1:48:M*,N,N,S:Windows:2000::the same signature\n"
	"T2:64:0:44:M1460:@Old:::an old one\n"
	"broken line\n"
	"16384:64:1:60:Q:Wrong:::no such option\n";

static bool
line_is(const char *line, const char *name)
{
	struct osfp_print p;

	ck_assert(osfp_parse(line, strlen(line), &p));
	return osfp_is(&p, name);
}

START_TEST(names)
{
	static const char linux[] = "S4:64:1:60:M*,S,T,N,W7:Linux:2.6:18-20:x";
	static const char bsd[] =
	    "16384:64:1:60:M*,N,W0,N,N,T:OpenBSD:3.0-3.9::x";

	ck_assert(line_is(bsd, "OpenBSD"));
	ck_assert(line_is(bsd, "openbsd 3.0-3.9"));
	ck_assert(line_is(bsd, "OpenBSD 3.4"));
	ck_assert(!line_is(bsd, "OpenBSD 3.10"));
	ck_assert(!line_is(bsd, "OpenBSD 4.4"));
	ck_assert(!line_is(bsd, "OpenBS"));
	ck_assert(line_is(linux, "Linux 2.6"));
	ck_assert(line_is(linux, "Linux 2.6.19"));
	ck_assert(line_is(linux, "Linux 2.6 18-20"));
	ck_assert(!line_is(linux, "Linux 2.6.21"));
	ck_assert(!line_is(linux, "Linux 2.4"));
}
END_TEST

START_TEST(lines)
{
	static const char *const wrong[] = { "", "#", "a:64:1:60:.:X::",
	    "1:256:1:60:.:X::", "1:64:2:60:.:X::", "1:64:1:S60:.:X::",
	    "1:64:1:60:M:X::", "1:64:1:60:M%:X::", "1:64:1:60:N,:X::",
	    "1:64:1:60:.", "*5:64:1:60:.:X::", "%:64:1:60:.:X::" };
	struct osfp_print p;

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (i != 8)	/* an empty option at the end is none */
			ck_assert_msg(!osfp_parse(wrong[i], strlen(wrong[i]),
			    &p), "%s", wrong[i]);
	ck_assert(osfp_parse("*:255:0:%9:.:X::", 16, &p));
	ck_assert_uint_eq(p.window.how, OSFP_ANY);
	ck_assert_uint_eq(p.size.how, OSFP_MODULO);
	ck_assert_uint_eq(p.size.value, 9);
}
END_TEST

/* An engine with fingerprints, and a SYN of IPv4 with these options. */
struct syn { uint8_t b[100]; unsigned len; };

static void
make_syn(struct syn *s, uint16_t window, uint8_t ttl, bool df,
    const uint8_t *options, unsigned n)
{
	memset(s, 0, sizeof(*s));
	s->len = 40 + n;
	s->b[0] = 0x45;
	put16(s->b + 2, (uint16_t)s->len);
	s->b[6] = df ? 0x40 : 0;
	s->b[8] = ttl;
	s->b[9] = PROTO_TCP;
	s->b[32] = (uint8_t)((20 + n) / 4 << 4);
	s->b[33] = TCP_SYN;
	put16(s->b + 34, window);
	memcpy(s->b + 40, options, n);
}

static bool
fits(struct pfk_engine *e, struct syn *s, const char *name)
{
	static uint8_t scratch[WORK_SIZE];
	struct pkt p;

	e->scratch = scratch;
	memset(&p, 0, sizeof(p));
	p.e = e;
	p.ip = s->b;
	p.len = p.have = s->len;
	p.hdrlen = 20;
	p.plen = s->len - 20;
	p.af = PFK_AF_INET;
	p.ttl = s->b[8];
	p.proto = PROTO_TCP;
	p.vproto = PROTO_TCP;
	p.tcp_flags = s->b[33];
	return osfp_match(&p, osfp_name(e, name));
}

START_TEST(packets)
{
	static const uint8_t bsd[] = { 2, 4, 5, 0xb4, 1, 3, 3, 0, 1, 1, 8, 10,
	    0, 0, 0, 1, 0, 0, 0, 0 };
	static const uint8_t linux[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0,
	    1, 0, 0, 0, 0, 1, 3, 3, 7 };
	static const uint8_t windows[] = { 2, 4, 5, 0xb4, 1, 1, 4, 2 };
	static const uint8_t old[] = { 2, 4, 5, 0xb4 };
	struct pfk_engine e;
	struct syn s;

	memset(&e, 0, sizeof(e));
	e.alloc = pfk_allocator_libc;
	ck_assert_int_eq(osfp_init(&e, pf_os), 0);
	make_syn(&s, 16384, 60, true, bsd, sizeof(bsd));
	ck_assert(fits(&e, &s, "OpenBSD"));
	ck_assert(fits(&e, &s, "OpenBSD 3.3"));
	ck_assert(!fits(&e, &s, "Linux"));
	ck_assert(!fits(&e, &s, "unknown"));
	ck_assert(!fits(&e, &s, "nomatch"));
	make_syn(&s, 16384, 10, true, bsd, sizeof(bsd));	/* too far */
	ck_assert(!fits(&e, &s, "OpenBSD"));
	ck_assert(fits(&e, &s, "unknown"));
	make_syn(&s, 16384, 60, false, bsd, sizeof(bsd));	/* no DF */
	ck_assert(!fits(&e, &s, "OpenBSD"));
	make_syn(&s, 4 * 1460, 64, true, linux, sizeof(linux));
	ck_assert(fits(&e, &s, "Linux 2.6.18"));
	make_syn(&s, 5 * 1460, 64, true, linux, sizeof(linux));
	ck_assert(!fits(&e, &s, "Linux"));
	make_syn(&s, 3 * 8192, 128, true, windows, sizeof(windows));
	ck_assert(fits(&e, &s, "Windows XP"));
	ck_assert(fits(&e, &s, "Windows 2000"));
	make_syn(&s, 3000, 64, false, old, sizeof(old));
	ck_assert(fits(&e, &s, "Old"));
	s.b[33] = TCP_SYN | TCP_ACK;		/* only SYNs tell */
	ck_assert(!fits(&e, &s, "Old"));
	ck_assert(fits(&e, &s, "unknown"));
	osfp_free(&e);
}
END_TEST

START_TEST(rates)
{
	struct rate r;

	rate_init(&r, 2, 10);
	for (unsigned i = 0; i < 2; i++) {
		rate_add(&r, 5);
		ck_assert(!rate_over(&r));
	}
	rate_add(&r, 5);
	ck_assert(rate_over(&r));
	rate_add(&r, 10);		/* half of it is forgotten: 2.5 */
	ck_assert(rate_over(&r));
	rate_add(&r, 20);
	ck_assert(!rate_over(&r));
	ck_assert_uint_eq(r.count, 1000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("osfp");
	TCase *tc = tcase_create("osfp");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, names);
	tcase_add_test(tc, lines);
	tcase_add_test(tc, packets);
	tcase_add_test(tc, rates);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
