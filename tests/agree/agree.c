/*
 * usage: agree [-v] [-H host] [-n packets] [-k kind] [-p each] [-s seed]
 *		[file ...]
 *
 * Do all ways through a ruleset come to the same answers?  (agree.h)
 *
 *	-n	packets of all rulesets made by chance together
 *	-p	packets of each ruleset (a file's: twice as many)
 *	-s	seed of the first ruleset; the others have the next ones
 *	-k	only this kind: 0 to 10
 *	-H	folder of host facts
 *	-v	a line for each ruleset
 *	file	a pf.conf; one that is no valid ruleset is counted apart
 *
 * One in five is optimised as pfctl does.  A ruleset about which they do not
 * agree is written to agree.SEED.conf in $TMPDIR, and what differs to standard
 * error.  The last line is "N passed, M failed": rulesets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "tests/agree/agree.h"

#define OTHERS	3	/* rulesets that are loaded into anchors */

static struct {
	struct pfk_host	*host;
	uint64_t	 packets, each, seed;
	int		 kind;
	bool		 verbose;
	unsigned	 passed, failed, refused;
	uint64_t	 total;
	struct tally	 tally;
	struct pfk_image *other[OTHERS][2];
} set = { .packets = 100000, .each = 4000, .seed = 1, .kind = -1 };

/* ---- rulesets ---- */

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	const struct text *t = ctx;

	(void)path;
	*len = t->len;
	*text = a->fn(a->ctx, NULL, 0, t->len + 1);
	if (*text == NULL)
		return 12;
	memcpy(*text, t->p, t->len);
	(*text)[t->len] = '\0';
	return 0;
}

/* t NULL: from the file path.  false: it is not valid. */
static bool
compile(const char *path, const struct text *t, bool complain, bool optimize,
    struct pfk_image *im[2])
{
	struct pfk_files files = { read_text, (void *)(uintptr_t)t };
	struct pfk_compile_options o = { .host = set.host, .path = path,
	    .files = t != NULL ? &files : NULL, .loaded = true,
	    .optimize = optimize ? PFK_OPT_BASIC : PFK_OPT_NONE };
	struct pfk_ruleset *rs = NULL;
	bool ok;
	size_t len;

	im[0] = im[1] = NULL;
	ok = pfk_compile(&o, &rs) == PFK_OK &&
	    pfk_ruleset_image(rs, PFK_LOWER_PLAIN, &im[0]) == PFK_OK &&
	    pfk_ruleset_image(rs, PFK_LOWER_FAST, &im[1]) == PFK_OK;
	if (!ok && complain)
		fprintf(stderr, "%s", rs == NULL ? "no memory" :
		    pfk_ruleset_diagnostics(rs, PFK_RENDER_PLAIN, &len));
	pfk_ruleset_free(rs);
	if (!ok) {
		pfk_image_free(im[0]);
		pfk_image_free(im[1]);
	}
	return ok;
}

static void
free_images(struct pfk_image *im[2])
{
	pfk_image_free(im[0]);
	pfk_image_free(im[1]);
}

static bool
tell(struct pfk_image *im[2], uint64_t seed, uint64_t packets)
{
	struct pfk_image **other = set.other[seed % OTHERS];
	struct tale tale = { .plain = im[0], .fast = im[1],
	    .other = other[0], .other_fast = other[1],
	    .host = set.host, .seed = seed, .packets = packets,
	    .tally = &set.tally };

	set.total += packets;
	return story_tell(&tale);
}

/* ---- by chance ---- */

static void
keep(const struct text *t, uint64_t seed)
{
	const char *dir = getenv("TMPDIR");
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/agree.%llu.conf", dir != NULL ? dir :
	    "/tmp", (unsigned long long)seed);
	if ((f = fopen(path, "w")) != NULL) {
		fwrite(t->p, 1, t->len, f);
		fclose(f);
		fprintf(stderr, "the ruleset is in %s\n", path);
	}
}

static void
one_by_chance(uint64_t seed, uint64_t packets)
{
	struct pfk_image *im[2];
	struct text t = { 0 };
	struct random r;
	const char *kind;
	bool ok;

	random_seed(&r, seed);
	kind = recipe_write(&t, set.kind >= 0 ? (unsigned)set.kind :
	    (unsigned)seed, &r);
	ok = compile("pf.conf", &t, true, seed % 5 == 0, im);
	if (ok) {
		ok = tell(im, seed, packets);
		free_images(im);
	}
	if (!ok) {
		fprintf(stderr, "%s, seed %llu: they do not agree\n", kind,
		    (unsigned long long)seed);
		keep(&t, seed);
	}
	if (set.verbose)
		printf("%s %s %llu\n", ok ? "ok" : "FAIL", kind,
		    (unsigned long long)seed);
	set.passed += ok;
	set.failed += !ok;
	text_free(&t);
}

/* Loaded into anchors: a few rules, many simple ones, some of any kind. */
static void
make_others(void)
{
	static char few[] =
	    "pass in quick inet proto tcp from 10.0.0.0/24 to any port 22\n"
	    "match in inet tag A\nblock in inet6 from 2001:db8::/64\n"
	    "pass out quick from any to <t0>\nblock in proto udp\n"
	    "pass proto icmp\npass in inet from 10.0.0.2 no state\n"
	    "block out quick inet to 192.0.2.9\npass from 10.0.0.3 once\n";
	static const unsigned many[OTHERS] = { 0, 500, 60 };

	for (unsigned i = 0; i < OTHERS; i++) {
		struct text t = { 0 };
		struct random r;
		struct author a = { .t = &t, .r = &r, .simple = i == 1,
		    .stateless = i == 1 };

		random_seed(&r, i);
		text_add(&t, "%s", i == 0 ? few : "");
		for (unsigned n = many[i]; n > 0; n--)
			rule_write(&a);
		if (!compile("other", &t, true, false, set.other[i]))
			die("the rules for anchors are wrong");
		text_free(&t);
	}
}

static void
all_by_chance(void)
{
	uint64_t end = set.total + set.packets;

	for (uint64_t seed = set.seed; set.total < end; seed++) {
		uint64_t left = end - set.total;

		one_by_chance(seed, set.each < left ? set.each : left);
	}
}

/* ---- files ---- */

static void
one_file(const char *path)
{
	struct pfk_image *im[2];
	bool ok;

	if (!compile(path, NULL, set.verbose, false, im)) {
		set.refused++;
		return;
	}
	ok = tell(im, set.seed, 2 * set.each);
	if (!ok)
		fprintf(stderr, "%s: they do not agree\n", path);
	if (set.verbose)
		printf("%s %s\n", ok ? "ok" : "FAIL", path);
	set.passed += ok;
	set.failed += !ok;
	free_images(im);
}

static void
options(int argc, char **argv)
{
	const char *dir = "tests/golden/host";
	char error[PFK_HOST_ERRLEN];
	int c;

	while ((c = getopt(argc, argv, "H:k:n:p:s:v")) != -1) {
		switch (c) {
		case 'H': dir = optarg; break;
		case 'k': set.kind = atoi(optarg); break;
		case 'n': set.packets = strtoull(optarg, NULL, 10); break;
		case 'p': set.each = strtoull(optarg, NULL, 10); break;
		case 's': set.seed = strtoull(optarg, NULL, 10); break;
		case 'v': set.verbose = true; break;
		default: exit(2);
		}
	}
	set.host = pfk_host_new(NULL);
	if (set.host == NULL || pfk_host_load_dir(set.host, dir, error) != 0)
		die("%s", error);
	for (unsigned i = 1; i < 4; i++)
		pfk_host_add_rtable(set.host, i);
}

static void
tell_sum(void)
{
	const struct tally *n = &set.tally;

	printf("%llu packets, %llu decisions: %llu passed, %llu blocked, "
	    "%llu dropped, %llu others\n%llu states made, %llu met, %llu "
	    "translations, %llu logged\n", (unsigned long long)set.total,
	    (unsigned long long)n->decisions, (unsigned long long)n->passed,
	    (unsigned long long)n->blocked, (unsigned long long)n->dropped,
	    (unsigned long long)n->other, (unsigned long long)n->made,
	    (unsigned long long)n->met, (unsigned long long)n->translated,
	    (unsigned long long)n->logs);
	if (set.refused != 0)
		printf("%u files are no valid rulesets\n", set.refused);
	printf("%u passed, %u failed\n", set.passed, set.failed);
}

int
main(int argc, char **argv)
{
	options(argc, argv);
	make_others();
	for (int i = optind; i < argc; i++)
		one_file(argv[i]);
	all_by_chance();
	for (unsigned i = 0; i < OTHERS; i++)
		free_images(set.other[i]);
	pfk_host_free(set.host);
	tell_sum();
	return set.failed != 0;
}
