/*
 * Coverage in files (data.h tells the format).
 *
 * A file is data from anywhere: every number is held against what the image
 * has, and the image is verified when it is loaded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "../replay/out.h"
#include "data_int.h"

#define MAGIC		"pfkit-cover "
#define FORMAT		2
#define MAX_FILE	((size_t)1 << 31)

/* ---- writing ---- */

static void
put_name(struct out *o, const char *name)
{
	for (; *name != '\0'; name++)
		if (*name == '\n')
			out_str(o, "\\n");
		else if (*name == '\\')
			out_str(o, "\\\\");
		else
			out_char(o, *name);
	out_char(o, '\n');
}

static void
put_run(struct out *o, const struct cover_run *r)
{
	out_printf(o, "run %s ", r->kind);
	put_name(o, r->name);
	out_printf(o, "packets %" PRIu64 "\n", r->packets);
	if (r->nstretches == 0)
		return;
	out_printf(o, "verdicts %" PRIu64 " %" PRIu64 "\n", r->start,
	    r->width);
	for (uint32_t i = 0; i < r->nstretches; i++)
		out_printf(o, "v %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		    "\n", r->stretch[i][COVER_PASS],
		    r->stretch[i][COVER_BLOCK], r->stretch[i][COVER_DROP],
		    r->stretch[i][COVER_OTHER]);
}

/* Which of n owners (rules, tables) the number belongs to. */
static uint32_t
owner_of(const uint32_t *first, uint32_t n, uint32_t number)
{
	uint32_t lo = 0, hi = n, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (first[mid] <= number)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

int
cover_slot_compare(const void *a, const void *b)
{
	const struct cover_slot *x = a, *y = b;

	if (x->image != y->image)
		return x->image < y->image ? -1 : 1;
	if (x->origin != y->origin)
		return x->origin < y->origin ? -1 : 1;
	if (x->interface != y->interface)
		return x->interface < y->interface ? -1 : 1;
	return x->by < y->by ? -1 : x->by > y->by;
}

/* In order, so that the same counts are the same file. */
static void
put_slots(struct out *o, const struct cover *c)
{
	struct cover_slot *v = xcalloc(c->used + 1, sizeof(*v));
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->nslots; i++)
		if (c->slots[i].interface != 0)
			v[n++] = c->slots[i];
	qsort(v, n, sizeof(*v), cover_slot_compare);
	for (uint32_t i = 0; i < n; i++) {
		const struct cover_ruleset *rs = &c->rulesets[v[i].image];
		bool entry = v[i].origin >= COVER_ENTRY;
		const uint32_t *first = entry ? rs->entry0 : rs->first;
		uint32_t number = v[i].origin - (entry ? COVER_ENTRY : 0);
		uint32_t owner = owner_of(first, entry ? rs->ntables :
		    rs->nrules, number);

		out_printf(o, "%s %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32
		    " %d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    entry ? "entry" : "hit", v[i].image, owner,
		    number - first[owner], v[i].interface - 1, (int)v[i].by,
		    v[i].counts.n[COVER_DECIDED], v[i].counts.n[COVER_MATCHED],
		    v[i].counts.n[COVER_STATE]);
	}
	free(v);
}

static void
put_evaluations(struct out *o, const struct cover *c)
{
	for (uint32_t i = 0; i < c->nrulesets; i++)
		for (uint32_t r = 0; r < c->rulesets[i].nrules; r++)
			if (c->rulesets[i].evaluations[r] > 0)
				out_printf(o, "rule %" PRIu32 " %" PRIu32 " %"
				    PRIu64 "\n", i, r,
				    c->rulesets[i].evaluations[r]);
}

void
cover_write_to(const struct cover *c, struct out *o)
{
	const void *bytes;
	size_t len;

	out_printf(o, MAGIC "%d\n", FORMAT);
	for (uint32_t i = 0; i < c->nruns; i++)
		if (c->runs[i].kind[0] != '\0')	/* none: what reads */
			put_run(o, &c->runs[i]);
	for (uint32_t i = 0; i < c->ninterfaces; i++) {
		out_str(o, "interface ");
		put_name(o, c->interfaces[i]);
	}
	for (uint32_t i = 0; i < c->nrulesets; i++) {
		(void)pfk_image_bytes(c->rulesets[i].image, &len);
		out_printf(o, "image %zu\n", len);
	}
	put_evaluations(o, c);
	put_slots(o, c);
	out_str(o, "end\n");
	for (uint32_t i = 0; i < c->nrulesets; i++) {
		bytes = pfk_image_bytes(c->rulesets[i].image, &len);
		out_bytes(o, bytes, len);
	}
}

int
cover_write(const struct cover *c, const char *path)
{
	struct out *o = out_open(path);

	cover_write_to(c, o);
	return out_close(o);
}

/* ---- reading ---- */

struct reading {
	struct cover	*c;
	const char	*path;
	unsigned	 line;		/* for messages */
	uint64_t	 format;
	char		*p, *end;	/* what is left of the file */
	/* numbers of the file to those of the cover */
	uint32_t	 image0, nimages;
	uint32_t	*interface;
	uint32_t	 ninterfaces;
	struct cover_run *run;
};

static int bad(const struct reading *, const char *, ...)
    __attribute__((__format__(__printf__, 2, 3)));

static int
bad(const struct reading *r, const char *fmt, ...)
{
	char text[PFK_IMAGE_ERRLEN];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	warning("%s:%u: %s", r->path, r->line, text);
	return 1;
}

/* The next line without its newline; NULL: there is none. */
static char *
next_line(struct reading *r)
{
	char *line = r->p, *nl;

	nl = memchr(line, '\n', (size_t)(r->end - line));
	if (nl == NULL)
		return NULL;
	*nl = '\0';
	r->p = nl + 1;
	r->line++;
	return line;
}

/* Exactly n numbers; false: it is something else. */
static bool
numbers(const char *s, uint64_t *v, unsigned n)
{
	char *end;

	for (unsigned i = 0; i < n; i++) {
		if (*s < '0' || *s > '9')
			return false;
		errno = 0;
		v[i] = strtoull(s, &end, 10);
		if (errno != 0 || *end != (i + 1 < n ? ' ' : '\0'))
			return false;
		s = end + 1;
	}
	return true;
}

/* The rest of a line as it was before it was written. */
static char *
unescape(char *name)
{
	char *to = name;

	for (const char *s = name; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0')
			*to++ = *++s == 'n' ? '\n' : *s;
		else
			*to++ = *s;
	}
	*to = '\0';
	return name;
}

static int
read_run(struct reading *r, char *rest)
{
	char *name = strchr(rest, ' ');
	struct cover *c = r->c;
	bool first = r->run == NULL;

	if (name == NULL)
		return bad(r, "a run without a name");
	*name++ = '\0';
	c->runs = xrealloc(c->runs, (c->nruns + 1) * sizeof(*c->runs));
	r->run = &c->runs[c->nruns++];
	memset(r->run, 0, sizeof(*r->run));
	r->run->kind = xstrdup(rest);
	if (first)
		c->by = cover_by_kind(rest);
	r->run->name = xstrdup(unescape(name));
	return 0;
}

static int
read_packets(struct reading *r, char *rest)
{
	if (r->run == NULL || !numbers(rest, &r->run->packets, 1))
		return bad(r, "not a number of packets");
	return 0;
}

static int
read_verdicts(struct reading *r, char *rest)
{
	uint64_t v[2];

	if (r->run == NULL || !numbers(rest, v, 2) || v[1] == 0 ||
	    v[1] > UINT64_MAX / COVER_STRETCHES / 2)
		return bad(r, "not a start and a width");
	r->run->start = v[0];
	r->run->width = v[1];
	return 0;
}

static int
read_stretch(struct reading *r, char *rest)
{
	if (r->run == NULL || r->run->width == 0 ||
	    r->run->nstretches == COVER_STRETCHES ||
	    !numbers(rest, r->run->stretch[r->run->nstretches],
	    COVER_VERDICTS))
		return bad(r, "not a stretch of time");
	r->run->nstretches++;
	return 0;
}

static int
read_interface(struct reading *r, char *rest)
{
	r->interface = xrealloc(r->interface,
	    (r->ninterfaces + 1) * sizeof(*r->interface));
	r->interface[r->ninterfaces++] = cover_interface(r->c,
	    unescape(rest));
	return 0;
}

/* The ruleset of a number in the file, or NULL. */
static struct cover_ruleset *
ruleset_of(const struct reading *r, uint64_t image)
{
	return image < r->nimages ? &r->c->rulesets[r->image0 + image] : NULL;
}

static int
read_rule(struct reading *r, char *rest)
{
	struct cover_ruleset *rs;
	uint64_t v[3];

	if (!numbers(rest, v, 3) || (rs = ruleset_of(r, v[0])) == NULL ||
	    v[1] >= rs->nrules)
		return bad(r, "not a rule and its evaluations");
	rs->evaluations[v[1]] += v[2];
	return 0;
}

/* Of a rule, or of a table. */
static int
read_counts(struct reading *r, const char *rest, bool entry)
{
	const struct cover_ruleset *rs;
	const uint32_t *first;
	struct cover_counts *k;
	unsigned n = r->format == 1 ? 7 : 8;	/* numbers of a line */
	uint64_t v[8];

	if (!numbers(rest, v, n) || (rs = ruleset_of(r, v[0])) == NULL)
		return bad(r, "not what a rule was hit by");
	first = entry ? rs->entry0 : rs->first;
	if (v[1] >= (entry ? rs->ntables : rs->nrules) ||
	    v[2] >= first[v[1] + 1] - first[v[1]] || v[3] >= r->ninterfaces ||
	    (n == 8 && v[4] >= COVER_BYS))
		return bad(r, "not what a rule was hit by");
	if (n == 8)
		r->c->by = (enum cover_by)v[4];
	k = cover_slot(r->c, r->image0 + (uint32_t)v[0], first[v[1]] +
	    (uint32_t)v[2] + (entry ? COVER_ENTRY : 0), r->interface[v[3]]);
	for (int i = 0; i <= COVER_STATE; i++)
		k->n[i] += v[n - 3 + (unsigned)i];
	return 0;
}

static int
read_hit(struct reading *r, char *rest)
{
	return read_counts(r, rest, false);
}

static int
read_entry(struct reading *r, char *rest)
{
	return read_counts(r, rest, true);
}

static const struct {
	const char *word;
	int	(*read)(struct reading *, char *);
} words[] = {
	{ "run ", read_run }, { "packets ", read_packets },
	{ "verdicts ", read_verdicts }, { "v ", read_stretch },
	{ "interface ", read_interface }, { "rule ", read_rule },
	{ "hit ", read_hit }, { "entry ", read_entry },
	{ "image ", NULL },		/* read before */
};

static int
read_line(struct reading *r, char *line)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(line, words[i].word, n) == 0)
			return words[i].read != NULL ?
			    words[i].read(r, line + n) : 0;
	}
	return bad(r, "not a line of coverage");
}

/* An image at the end of the file. */
static int
read_image(struct reading *r, const char *bytes, size_t len)
{
	char error[PFK_IMAGE_ERRLEN];
	struct pfk_image *im;
	uint32_t i;

	if (pfk_image_load(bytes, len, NULL, &im, error) != PFK_OK)
		return bad(r, "%s", error);
	i = cover_ruleset(r->c, im);
	r->c->rulesets[i].owned = im;
	r->nimages++;
	return 0;
}

/*
 * The images, of which lines say how long they are: they must be there before
 * the lines about them are read.
 */
static int
read_images(struct reading *r)
{
	const char *end = NULL, *lines_end, *p;
	uint64_t len;
	char word[32];

	for (p = r->p; p < r->end; p++) {
		if (r->end - p >= 4 && memcmp(p, "end\n", 4) == 0)
			end = p + 4;
		p = memchr(p, '\n', (size_t)(r->end - p));
		if (p == NULL || end != NULL)
			break;
	}
	if (end == NULL)
		return bad(r, "the file is cut off");
	lines_end = end;
	for (p = r->p; p < lines_end; p = (const char *)memchr(p, '\n',
	    (size_t)(lines_end - p)) + 1) {
		if (strncmp(p, "image ", 6) != 0)
			continue;
		(void)snprintf(word, sizeof(word), "%.*s",
		    (int)strcspn(p + 6, "\n"), p + 6);
		if (!numbers(word, &len, 1) || len > (size_t)(r->end - end))
			return bad(r, "the file is cut off");
		if (read_image(r, end, (size_t)len) != 0)
			return 1;
		end += len;
	}
	return end == r->end ? 0 : bad(r, "there is more than it should be");
}

static int
read_lines(struct reading *r)
{
	char *line = next_line(r);

	if (line == NULL || strncmp(line, MAGIC, strlen(MAGIC)) != 0 ||
	    !numbers(line + strlen(MAGIC), &r->format, 1))
		return bad(r, "not a file of coverage");
	if (r->format < 1 || r->format > FORMAT)
		return bad(r, "a format that this pfkit does not read");
	if (read_images(r) != 0)
		return 1;
	while ((line = next_line(r)) != NULL && strcmp(line, "end") != 0)
		if (read_line(r, line) != 0)
			return 1;
	return 0;
}

/* All of the file and a NUL; NULL: told. */
static char *
read_all(const char *path, size_t *len)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	size_t size = 1 << 16, n;
	char *data;

	if (f == NULL) {
		warning("%s: %s", path, strerror(errno));
		return NULL;
	}
	data = xrealloc(NULL, size);
	*len = 0;
	while ((n = fread(data + *len, 1, size - *len - 1, f)) > 0) {
		*len += n;
		if (size - *len == 1 && size < MAX_FILE)
			data = xrealloc(data, size *= 2);
	}
	data[*len] = '\0';
	if (ferror(f)) {
		warning("%s: %s", path, strerror(errno));
		free(data);
		data = NULL;
	}
	if (f != stdin)
		fclose(f);
	return data;
}

int
cover_parse(struct cover *c, const char *name, char *data, size_t len)
{
	struct reading r = { .c = c, .path = name, .image0 = c->nrulesets,
	    .p = data, .end = data + len };
	int status = read_lines(&r);

	free(r.interface);
	return status;
}

int
cover_read(struct cover *c, const char *path)
{
	size_t len;
	char *data = read_all(path, &len);
	int status;

	if (data == NULL)
		return 1;
	status = cover_parse(c, path, data, len);
	free(data);
	return status;
}
