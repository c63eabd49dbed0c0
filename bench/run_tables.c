/*
 * Rules that ask a table: `block in quick from <t>', packets from addresses
 * of which half are in it.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "runtime/prefix_int.h"
#include "runtime/table.h"

#define AHEAD	PREFIX_SOME
#define RULES	"set limit table-entries 2000000\n" \
		"table <t> persist file \"table\"\n" \
		"block in quick from <t>\npass in no state\n"
#define NO_TABLE "block in quick from { 0.0.0.0/1 2000::/5 }\n" \
		"pass in no state\n"

/*
 * Addresses are drawn before they are measured, or else drawing them, all over
 * the entries, would be what fills the cache.
 */
#define DRAWN	(1u << 20)
struct lookups {
	const struct pfk_table_entry *e;
	uint32_t n;
	uint8_t	 af;
	uint8_t	(*drawn)[16];
};

/* An address below the entry, or (one in two) any of the family. */
static void
draw(const struct lookups *l, struct random *r, uint8_t addr[16])
{
	const struct pfk_table_entry *e;
	uint64_t x = random_u64(r), y = random_u64(r);
	bool inside = x & 1;

	do
		e = &l->e[random_below(r, l->n)];
	while (e->af != l->af);
	memcpy(addr, &x, 8);
	memcpy(addr + 8, &y, 8);
	if (!inside)
		addr[0] = l->af == 4 ? (uint8_t)(1 + addr[0] % 223) :
		    (uint8_t)(0x20 | (addr[0] & 0x0b));
	for (unsigned i = 0; inside && i < e->bits; i += 8) {
		uint8_t mask = e->bits - i >= 8 ? 0xff :
		    (uint8_t)(0xff00 >> (e->bits - i));

		addr[i / 8] = (uint8_t)((addr[i / 8] & ~mask) |
		    (e->addr[i / 8] & mask));
	}
}

static void
draw_all(struct lookups *l)
{
	struct random r;

	random_seed(&r, 3);
	l->drawn = malloc(DRAWN * sizeof(*l->drawn));
	if (l->drawn == NULL)
		die("no memory");
	for (uint32_t i = 0; i < DRAWN; i++)
		draw(l, &r, l->drawn[i]);
}

static void
fill_lookups(struct feed *f, size_t n)
{
	static const uint8_t to6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	const struct lookups *l = f->ctx;

	for (size_t i = 0; i < n; i++) {
		struct header h = { { 0, 0xc6120001 }, { 1024, 80 }, 17 };
		const uint8_t *a = l->drawn[f->next++ % DRAWN];

		h.addr[0] = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 |
		    (uint32_t)a[2] << 8 | a[3];
		if (l->af == 4)
			frame_v4(f, i, PFK_IN, &h, NULL);
		else
			frame_v6(f, i, PFK_IN, a, to6, &h, NULL);
	}
}

static void
packets(struct bench *b, struct pfk_engine *e, const struct lookups *l,
    const char *name, double limit)
{
	struct feed *f = feed_new(e, 3);
	struct samples s = { .n = 0 };

	f->ctx = l;
	f->fill = fill_lookups;
	feed_for(f, b->seconds / 4, b->burst);
	for (unsigned i = 0; i < b->repeats; i++)
		samples_add(&s, feed_for(f, b->seconds, b->burst));
	report(b, "tables", name, "ns", &s, limit, NULL);
	feed_free(f);
}

/*
 * The lookup alone, over all that was drawn: one after the other, some at a
 * time as a burst does it, and down the trie that the table is kept as.
 */
enum way { WAY_PLAIN, WAY_FETCHED, WAY_TRIE, NWAYS };

static uint32_t
ask_ahead(const struct prefix_tree *tree, uint8_t af, const struct pfk_addr *a)
{
	struct prefix_keys key;
	struct prefix_found found;
	uint32_t in;

	for (uint32_t k = 0; k < AHEAD; k++) {
		struct key one = key_of(af, &a[k]);

		key.hi[k] = one.hi;
		key.lo[k] = one.lo;
	}
	prefix_find_some(tree, &key, AHEAD, af == 6, &found);
	in = prefix_contain_some(tree, &key, AHEAD, &found);
	return (uint32_t)__builtin_popcount(in);
}

static uint32_t
ask_some(struct pfk_engine *e, uint32_t t, uint8_t af,
    const struct pfk_addr *a, enum way way)
{
	const struct prefix_tree *tree = &e->tables[t].tree[af == 6];
	uint32_t found = 0;

	if (way == WAY_FETCHED)
		return ask_ahead(tree, af, a);
	for (uint32_t k = 0; k < AHEAD; k++)
		found += way == WAY_TRIE ? prefix_match(tree, af, &a[k]) & 1 :
		    table_contains(e, t, af, &a[k]);
	return found;
}

static double
ask(struct pfk_engine *e, uint32_t t, uint8_t af, const struct pfk_addr *a,
    enum way way)
{
	double start = cpu_now();
	volatile uint32_t end;
	uint32_t found = 0, n = way == WAY_TRIE ? DRAWN / 16 : DRAWN;

	for (uint32_t i = 0; i < n; i += AHEAD)
		found += ask_some(e, t, af, &a[i], way);
	end = found;
	(void)end;
	return (cpu_now() - start) * 1e9 / n;
}

static void
alone(struct bench *b, struct pfk_engine *e, const struct lookups *l,
    const char *what, double limit)
{
	static const char *const ways[] = { "alone", "alone, fetched ahead",
	    "alone, the trie" };
	struct pfk_addr *a = calloc(DRAWN, sizeof(*a));
	uint32_t t = (uint32_t)pfk_engine_find_table(e, "", "t", false);
	struct samples s[NWAYS] = { { .n = 0 } };
	char name[128];

	if (a == NULL)
		die("no memory");
	memcpy(a, l->drawn, DRAWN * sizeof(*a));
	for (uint32_t i = 0; l->af == 4 && i < DRAWN; i++)
		memset(a[i].b + 4, 0, 12);
	for (unsigned i = 0; i < b->repeats; i++)
		for (enum way w = 0; w < NWAYS; w++)
			samples_add(&s[w], ask(e, t, l->af, a, w));
	for (enum way w = 0; w < NWAYS; w++) {
		snprintf(name, sizeof(name), "%s, %s", what, ways[w]);
		report(b, "tables", name, "ns", &s[w],
		    w == WAY_TRIE ? 0 : limit, NULL);
	}
	free(a);
}

/* Out and in again, while in use. */
static void
updates(struct bench *b, struct pfk_engine *e, const struct lookups *l,
    const char *name)
{
	long t = pfk_engine_find_table(e, "", "t", false);
	struct samples s = { .n = 0 };
	struct random r;

	random_seed(&r, 9);
	for (unsigned i = 0; i < b->repeats; i++) {
		double start = cpu_now();

		for (unsigned k = 0; k < 1000; k++) {
			const struct pfk_table_entry *x =
			    &l->e[random_below(&r, l->n)];

			if (pfk_engine_table_delete(e, (size_t)t, x) != 1 ||
			    pfk_engine_table_add(e, (size_t)t, x) != 1)
				die("a table's entry was not changed");
		}
		samples_add(&s, (cpu_now() - start) * 1e9 / 2000);
	}
	report(b, "tables", name, "ns", &s, 0, NULL);
}

/* Engines that have the table: how long one takes, what it needs. */
static struct pfk_engine *
build(struct bench *b, const struct pfk_image *image, uint32_t n,
    const char *what)
{
	struct samples s = { .n = 0 };
	struct pfk_engine *e = NULL;
	struct meter m;
	char name[80];

	for (unsigned i = 0; i < b->repeats; i++) {
		double start;

		pfk_engine_free(e);
		meter_init(&m);
		start = cpu_now();
		e = engine_for(image, &m.allocator, NULL);
		samples_add(&s, cpu_now() - start);
	}
	snprintf(name, sizeof(name), "%s: build", what);
	report(b, "tables", name, "s", &s, 0, NULL);
	snprintf(name, sizeof(name), "%s: memory of an entry", what);
	report_one(b, "tables", name, "bytes", (double)m.now / n, 0, NULL);
	pfk_engine_free(e);
	return engine_for(image, NULL, NULL);
}

static void
lookups(struct bench *b, struct pfk_engine *e, struct lookups *l,
    const char *what, double limit)
{
	char name[80];

	draw_all(l);
	snprintf(name, sizeof(name), "%s: IPv%u, a packet", what, l->af);
	packets(b, e, l, name, limit);
	if (limit > 0) {
		snprintf(name, sizeof(name), "%s: IPv%u", what, l->af);
		alone(b, e, l, name, limit);
	}
	free(l->drawn);
}

/* The same packets, of which half are blocked by an address in the rule. */
static void
no_table(struct bench *b)
{
	struct pfk_table_entry *entries = prefixes_new(100000, false, 100000);
	struct lookups four = { entries, 100000, 4, NULL };
	struct lookups six = { entries, 100000, 6, NULL };
	struct text rules = { 0 };
	struct compiled c;
	struct pfk_engine *e;

	text_add(&rules, NO_TABLE);
	compile_text(&rules, NULL, PFK_LOWER_AUTO, NULL, &c);
	e = engine_for(c.image, NULL, NULL);
	lookups(b, e, &four, "no table", 0);
	lookups(b, e, &six, "no table", 0);
	pfk_engine_free(e);
	pfk_image_free(c.image);
	text_free(&rules);
	free(entries);
}

static void
table(struct bench *b, uint32_t n, bool hosts, const char *what,
    double limit)
{
	struct text rules = { 0 }, file = { 0 };
	struct pfk_table_entry *entries = prefixes_new(n, hosts, n);
	struct lookups four = { entries, n, 4, NULL };
	struct lookups six = { entries, n, 6, NULL };
	struct compiled c;
	struct pfk_engine *e;
	char name[80];

	prefixes_text(entries, n, &file);
	text_add(&rules, RULES);
	compile_text(&rules, &file, PFK_LOWER_AUTO, NULL, &c);
	snprintf(name, sizeof(name), "%s: compile", what);
	report_one(b, "tables", name, "s", c.seconds, 0, NULL);
	e = build(b, c.image, n, what);
	lookups(b, e, &four, what, limit);
	if (!hosts)
		lookups(b, e, &six, what, limit);
	snprintf(name, sizeof(name), "%s: add or delete", what);
	updates(b, e, &four, name);
	pfk_engine_free(e);
	pfk_image_free(c.image);
	text_free(&rules);
	text_free(&file);
	free(entries);
}

void
run_tables(struct bench *b)
{
	no_table(b);
	table(b, 100000, true, "100,000 hosts", 40);
	table(b, 100000, false, "100,000 prefixes", 40);
	if (b->quick)
		report_skipped(b, "tables", "1,000,000 prefixes", "quick");
	else
		table(b, 1000000, false, "1,000,000 prefixes", 80);
}

/* 0 prefixes: no table. */
void
tables_alone(uint32_t n, uint8_t af, size_t npackets, size_t burst)
{
	struct text rules = { 0 }, file = { 0 };
	uint32_t drawn = n != 0 ? n : 100000;
	struct pfk_table_entry *entries = prefixes_new(drawn, false, drawn);
	struct lookups l = { entries, drawn, af, NULL };
	struct compiled c;
	struct feed *f;

	prefixes_text(entries, n, &file);
	text_add(&rules, n != 0 ? RULES : NO_TABLE);
	compile_text(&rules, &file, PFK_LOWER_AUTO, NULL, &c);
	f = feed_new(engine_for(c.image, NULL, NULL), 3);
	draw_all(&l);
	f->ctx = &l;
	f->fill = fill_lookups;
	measured_packets(f, npackets, burst);
	pfk_engine_free(f->engine);
	pfk_image_free(c.image);
	feed_free(f);
	free(l.drawn);
	text_free(&rules);
	text_free(&file);
	free(entries);
}
