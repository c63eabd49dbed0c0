/*
 * Where the build has no diagrams: expectations about one packet, which the
 * engine is asked about.  Of others it is said that they cannot be decided.
 */
#include <string.h>

#include "../pfkit.h"
#include "exact.h"

static bool
has_interface(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->nifs; i++)
		if (strcmp(r->ifs[i].name, name) == 0)
			return true;
	return false;
}

static void
cannot(struct test *t, const struct pfk_rule_info *info)
{
	t->status = TEST_FAILS;
	textbuf_printf(&t->why, "not decided: this is about many packets, for "
	    "which pfkit must be built with libbdd (%s)", info->text);
}

/* The packet through the engine; false: that ends it. */
static bool
try_packet(struct test *t, const struct pfk_exact_packet *p)
{
	struct run *r = t->setting->run;
	struct textbuf words = { NULL, 0, 0 };
	const char *wrong;
	struct outcome o;
	struct packet k;

	packet_of_set(&k, p);
	o = *probe(r, &k, k.dir);
	probe_forget(r);
	if ((wrong = verdict_wrong(t, &o)) == NULL)
		wrong = effects_missing(r, t, &o, &words);
	if (wrong != NULL)
		failure(r, t, &k, &o, wrong);
	textbuf_free(&words);
	return wrong == NULL;
}

static bool
try_through(struct test *t, const struct pfk_exact_packet *p)
{
	struct run *r = t->setting->run;
	struct decision d = { .run = r, .test = t };
	uint32_t second = r->first[TEXT_SECOND][t->line];
	struct pfk_exact_packet out;
	struct packet k;

	if (second == 0 || !pfk_rule_packet(r->wanted, second - 1, &out))
		return true;
	packet_of_set(&k, p);
	through_one(&d, out.ifname, &k);
	return t->status == TEST_WAITS;
}

void
decide_one(struct test *t)
{
	struct run *r = t->setting->run;
	struct pfk_exact_packet p;
	struct pfk_rule_info info;
	uint32_t i = r->first[TEXT_FIRST][t->line];

	if (i == 0)
		test_wrong(t, t->off,
		    "this could not fail: no rule comes of it");
	for (; i != 0; i = r->next[i - 1]) {
		pfk_image_rule(r->wanted, i - 1, &info);
		if (!pfk_rule_packet(r->wanted, i - 1, &p)) {
			cannot(t, &info);
			return;
		}
		if (!has_interface(r, p.ifname)) {
			test_wrong(t, t->off, "this could not fail: no packet "
			    "is described by it, the host has no such "
			    "interface (%s)", info.text);
			return;
		}
		if (!(t->through ? try_through(t, &p) : try_packet(t, &p)))
			return;
	}
	if (t->status == TEST_WAITS)
		t->status = TEST_HOLDS;
}
