/*
 * Reading and writing golden cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

#define MARK	"=== "

static const struct heading {
	const char *word;
	bool	 has_arg;
} headings[] = {
	[SECTION_FILE] =	{ "file", true },
	[SECTION_CAPTURE] =	{ "capture", true },
	[SECTION_REPLAY] =	{ "replay", false },
	[SECTION_RUN] =		{ "run", false },
	[SECTION_STDOUT] =	{ "stdout", false },
	[SECTION_STDERR] =	{ "stderr", false },
	[SECTION_OUTPUT] =	{ "output", true },
	[SECTION_STATUS] =	{ "status", true },
	[SECTION_NOT_FIXED] =	{ "not-fixed", true }
};
#define NHEADINGS	(sizeof(headings) / sizeof(headings[0]))

void *
xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (p == NULL) {
		perror("golden");
		exit(2);
	}
	return p;
}

char *
xstrndup(const char *s, size_t len)
{
	char *copy = xrealloc(NULL, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

struct text
read_file(const char *path)
{
	struct text t = { xstrndup("", 0), 0 };
	FILE *f = fopen(path, "r");
	char block[8192];
	size_t n;

	if (f == NULL)
		return t;
	while ((n = fread(block, 1, sizeof(block), f)) > 0) {
		t.s = xrealloc(t.s, t.len + n + 1);
		memcpy(t.s + t.len, block, n);
		t.s[t.len += n] = '\0';
	}
	fclose(f);
	return t;
}

bool
write_file(const char *path, const char *s, size_t len)
{
	FILE *f = fopen(path, "w");
	bool ok;

	if (f == NULL)
		return false;
	ok = fwrite(s, 1, len, f) == len;
	return fclose(f) == 0 && ok;
}

/* A part of pattern up to the next %% must match here; the rest follows. */
bool
text_matches(const char *pattern, const char *actual)
{
	const char *star = strstr(pattern, "%%");
	size_t fixed = star == NULL ? strlen(pattern) + 1 :
	    (size_t)(star - pattern);

	if (strncmp(pattern, actual, fixed) != 0)
		return false;
	if (star == NULL)
		return true;
	for (actual += fixed; *actual != '\0' &&
	    strchr(" \t\n", *actual) == NULL; )
		if (text_matches(star + 2, ++actual))
			return true;
	return false;
}

/* The heading of a line that begins a section; -1 if it is none. */
static int
find_heading(const char *line, size_t len, const char **arg, size_t *arglen)
{
	const char *end = line + len;
	size_t word;

	line += strlen(MARK);
	word = strcspn(line, " \n");
	for (size_t i = 0; i < NHEADINGS; i++) {
		if (strlen(headings[i].word) != word ||
		    strncmp(line, headings[i].word, word) != 0)
			continue;
		line += word;
		while (line < end && *line == ' ')
			line++;
		*arg = line;
		*arglen = (size_t)(end - line);
		return (int)i;
	}
	return -1;
}

void
golden_insert(struct golden *g, size_t at, enum section_kind kind,
    const char *arg, struct text body)
{
	struct section *s;

	g->sections = xrealloc(g->sections,
	    (g->nsections + 1) * sizeof(*g->sections));
	s = &g->sections[at];
	memmove(s + 1, s, (g->nsections++ - at) * sizeof(*s));
	s->kind = kind;
	s->arg = xstrndup(arg, strlen(arg));
	s->body = body;
}

void
golden_remove(struct golden *g, size_t at)
{
	struct section *s = &g->sections[at];

	free(s->arg);
	free(s->body.s);
	memmove(s, s + 1, (--g->nsections - at) * sizeof(*s));
}

static void
append(struct text *t, const char *s, size_t len)
{
	t->s = xrealloc(t->s, t->len + len + 1);
	memcpy(t->s + t->len, s, len);
	t->s[t->len += len] = '\0';
}

static bool
add_heading(struct golden *g, const char *line, size_t len, unsigned number)
{
	struct text empty = { xstrndup("", 0), 0 };
	const char *arg;
	size_t arglen;
	char *copy;
	int kind = find_heading(line, len, &arg, &arglen);

	if (kind == -1 || (headings[kind].has_arg && arglen == 0)) {
		fprintf(stderr, "%s:%u: not a heading: %.*s\n", g->path,
		    number, (int)len, line);
		free(empty.s);
		return false;
	}
	copy = xstrndup(arg, arglen);
	golden_insert(g, g->nsections, (enum section_kind)kind, copy, empty);
	free(copy);
	return true;
}

bool
golden_read(struct golden *g, const char *path)
{
	struct text all = read_file(path);
	const char *line = all.s, *end;
	unsigned number = 1;
	bool ok = true;

	memset(g, 0, sizeof(*g));
	g->path = path;
	g->about.s = xstrndup("", 0);
	for (; ok && *line != '\0'; line = end, number++) {
		end = line + strcspn(line, "\n");
		if (strncmp(line, MARK, strlen(MARK)) == 0) {
			ok = add_heading(g, line, (size_t)(end - line),
			    number);
			end += *end == '\n';
			continue;
		}
		end += *end == '\n';
		append(g->nsections == 0 ? &g->about :
		    &g->sections[g->nsections - 1].body, line,
		    (size_t)(end - line));
	}
	if (ok && g->nsections == 0) {
		fprintf(stderr, "%s: no case, or not readable\n", path);
		ok = false;
	}
	free(all.s);
	return ok;
}

bool
golden_write(const struct golden *g)
{
	FILE *f = fopen(g->path, "w");

	if (f == NULL)
		return false;
	fputs(g->about.s, f);
	for (size_t i = 0; i < g->nsections; i++) {
		const struct section *s = &g->sections[i];

		fprintf(f, MARK "%s%s%s\n", headings[s->kind].word,
		    *s->arg == '\0' ? "" : " ", s->arg);
		fputs(s->body.s, f);
		if (s->body.len > 0 && s->body.s[s->body.len - 1] != '\n')
			fputc('\n', f);
	}
	return fclose(f) == 0;
}

void
golden_free(struct golden *g)
{
	while (g->nsections > 0)
		golden_remove(g, g->nsections - 1);
	free(g->sections);
	free(g->about.s);
}

size_t
golden_next_step(const struct golden *g, size_t i)
{
	while (++i < g->nsections)
		if (g->sections[i].kind <= SECTION_RUN)
			break;
	return i;
}

bool
golden_has(const struct golden *g, enum section_kind kind)
{
	for (size_t i = 0; i < g->nsections; i++)
		if (g->sections[i].kind == kind)
			return true;
	return false;
}

struct expected
golden_expected(const struct golden *g, size_t i)
{
	struct expected e = { NULL, NULL, 0 };
	size_t end = golden_next_step(g, i);

	for (i++; i < end; i++) {
		const struct section *s = &g->sections[i];

		if (s->kind == SECTION_STDOUT)
			e.out = s;
		else if (s->kind == SECTION_STDERR)
			e.err = s;
		else if (s->kind == SECTION_STATUS)
			e.status = atoi(s->arg);
	}
	return e;
}
