/*
 * Source texts, and where in them something stands.
 *
 * Lines are counted only when a position is asked for, that is when something
 * is printed; then all line starts of that source are noted once.
 */
#include <string.h>

#include "base/source.h"

void
source_map_init(struct source_map *m, struct arena *arena)
{
	memset(m, 0, sizeof(*m));
	m->arena = arena;
	vec_push(arena, &m->files, NULL);
}

uint32_t
source_add(struct source_map *m, const char *name, const char *text,
    uint32_t len, struct span included_at)
{
	struct source *s = arena_new(m->arena, struct source);

	s->name = arena_strdup(m->arena, name);
	s->text = text;
	s->len = len;
	s->included_at = included_at;
	vec_push(m->arena, &m->files, s);
	return (uint32_t)(m->files.n - 1);
}

const struct source *
source_get(const struct source_map *m, uint32_t file)
{
	return file < m->files.n ? m->files.v[file] : NULL;
}

static void
note_lines(struct source_map *m, struct source *s)
{
	const char *p = s->text, *end = s->text + s->len;

	vec_push(m->arena, &s->lines, 0);
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL)
		vec_push(m->arena, &s->lines, (uint32_t)(++p - s->text));
}

/* The source with its lines noted, or NULL. */
static struct source *
source_lines(struct source_map *m, uint32_t file)
{
	struct source *s = file < m->files.n ? m->files.v[file] : NULL;

	if (s != NULL && s->lines.n == 0)
		note_lines(m, s);
	return s;
}

struct position
source_position(struct source_map *m, uint32_t file, uint32_t off)
{
	struct source *s = source_lines(m, file);
	size_t lo = 0, hi, mid;

	if (s == NULL)
		return (struct position){ 0, 0 };
	/* The last line that starts at or before off. */
	for (hi = s->lines.n; hi - lo > 1; ) {
		mid = lo + (hi - lo) / 2;
		if (s->lines.v[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	return (struct position){ (uint32_t)lo + 1, off - s->lines.v[lo] + 1 };
}

const char *
source_line(struct source_map *m, uint32_t file, uint32_t line, uint32_t *len)
{
	struct source *s = source_lines(m, file);
	uint32_t start, end;

	*len = 0;
	if (s == NULL || line == 0 || line > s->lines.n)
		return "";
	start = s->lines.v[line - 1];
	end = line < s->lines.n ? s->lines.v[line] - 1 : s->len;
	*len = end - start;
	return s->text + start;
}

struct span
span_join(struct span a, struct span b)
{
	if (a.file == b.file && b.off + b.len > a.off + a.len)
		a.len = b.off + b.len - a.off;
	return a;
}
