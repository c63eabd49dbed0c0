/*
 * A test file's text: its lines, and its statements cut into words, where
 * pf.conf would cut them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "test.h"

#define FILE_MAX_BYTES	(64u << 20)

/* ---- files ---- */

static bool
read_all(FILE *f, struct textbuf *b)
{
	char part[8192];
	size_t n;

	textbuf_bytes(b, "", 0);
	while ((n = fread(part, 1, sizeof(part), f)) > 0) {
		if (b->len + n > FILE_MAX_BYTES) {
			errno = EFBIG;
			return false;
		}
		textbuf_bytes(b, part, n);
	}
	return !ferror(f);
}

static void
find_lines(struct source *s)
{
	const char *nl, *p = s->text;
	size_t room = 0;

	do {
		if (s->nlines == room) {
			room = room * 2 + 64;
			s->lines = xrealloc(s->lines, room *
			    sizeof(*s->lines));
		}
		s->lines[s->nlines++] = (uint32_t)(p - s->text);
		nl = memchr(p, '\n', s->len - (size_t)(p - s->text));
		p = nl != NULL ? nl + 1 : NULL;
	} while (p != NULL);
}

/* It can be read once, and may be wanted several times. */
static bool
read_standard(struct textbuf *b)
{
	static struct textbuf kept;
	static bool done, good;

	if (!done)
		good = read_all(stdin, &kept);
	done = true;
	textbuf_bytes(b, kept.len > 0 ? kept.text : "", kept.len);
	return good;
}

struct source *
source_read(const char *name)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *f = standard ? stdin : fopen(name, "rb");
	struct textbuf b = { NULL, 0, 0 };
	struct source *s;
	bool good;

	if (f == NULL)
		return NULL;
	good = standard ? read_standard(&b) : read_all(f, &b);
	if (!standard)
		fclose(f);
	if (!good) {
		textbuf_free(&b);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->name = xstrdup(standard ? "stdin" : name);
	s->text = b.text;
	s->len = b.len;
	find_lines(s);
	return s;
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s->text);
	free(s->lines);
	free(s);
}

void
source_place(const struct source *s, size_t off, uint32_t *line,
    uint32_t *column)
{
	uint32_t low = 0, high = s->nlines, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (s->lines[mid] <= off)
			low = mid;
		else
			high = mid;
	}
	*line = low + 1;
	*column = (uint32_t)off - s->lines[low] + 1;
}

char *
source_path(const struct source *s, const char *name)
{
	const char *slash = strrchr(s->name, '/');
	struct textbuf b = { NULL, 0, 0 };

	if (name[0] != '/' && slash != NULL)
		textbuf_bytes(&b, s->name, (size_t)(slash - s->name) + 1);
	textbuf_str(&b, name);
	return b.text;
}

/* ---- words ---- */

struct cutter {
	struct words	*w;
	const char	*text;
	size_t		 at, len;
	unsigned	 depth, braces;
	size_t		 opened;	/* the outermost brace */
};

static void
add_word(struct cutter *c, enum word_kind kind, size_t from, size_t end)
{
	struct words *w = c->w;
	size_t quote = kind == WORD_STRING ? 1 : 0, n;
	struct word *word;

	if (w->n + 1 >= w->room) {
		w->room = w->room * 2 + 16;
		w->word = xrealloc(w->word, w->room * sizeof(*w->word));
	}
	word = &w->word[w->n++];
	n = end - from - 2 * quote;
	*word = (struct word){ kind, from, end - from, c->depth, NULL };
	word->text = xcalloc(1, n + 1);
	memcpy(word->text, c->text + from + quote, n);
}

/* Whether the line goes on at `at', and how many bytes that takes. */
static size_t
continuation(const struct cutter *c)
{
	const char *p = c->text + c->at;

	if (p[0] != '\\')
		return 0;
	if (p[1] == '\r' && p[2] == '\n')
		return 3;
	return p[1] == '\n' ? 2 : 0;
}

static void
skip_comment(struct cutter *c)
{
	size_t n;

	while (c->at < c->len && c->text[c->at] != '\n') {
		n = continuation(c);
		c->at += n > 0 ? n : 1;
	}
}

static bool
cut_string(struct cutter *c)
{
	size_t from = c->at, end = from + 1;
	char quote = c->text[from];

	while (end < c->len && c->text[end] != quote) {
		if (c->text[end] == '\\' && end + 1 < c->len)
			end++;
		end++;
	}
	if (end >= c->len)
		return false;
	c->at = end + 1;
	add_word(c, WORD_STRING, from, c->at);
	return true;
}

static bool
is_name(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_' || ch == '-' ||
	    ch == '.';
}

/* "<name>" is one word; else 0. */
static size_t
table_length(const struct cutter *c)
{
	size_t n = 1;

	if (c->text[c->at] != '<')
		return 0;
	while (is_name(c->text[c->at + n]))
		n++;
	return n > 1 && c->text[c->at + n] == '>' ? n + 1 : 0;
}

static void
cut_sign(struct cutter *c)
{
	size_t from = c->at, n = table_length(c);
	char ch = c->text[from];

	if (n > 0) {
		c->at += n;
		add_word(c, WORD_PLAIN, from, c->at);
		return;
	}
	c->at++;
	if (ch == '}' || ch == ')')
		c->depth -= c->depth > 0;
	if (strchr("<>=!", ch) != NULL)
		while (c->text[c->at] != '\0' &&
		    strchr("<>=!", c->text[c->at]) != NULL)
			c->at++;
	add_word(c, WORD_SIGN, from, c->at);
	if (ch == '{' || ch == '(')
		c->depth++;
	if (ch == '{' && c->braces++ == 0)
		c->opened = from;
	if (ch == '}')
		c->braces -= c->braces > 0;
}

static void
cut_plain(struct cutter *c)
{
	size_t from = c->at;

	while (c->at < c->len && strchr(" \t\r\n\"'{}(),<>=!#",
	    c->text[c->at]) == NULL && continuation(c) == 0)
		c->at++;
	if (c->at == from)
		c->at++;		/* a NUL byte */
	add_word(c, WORD_PLAIN, from, c->at);
}

/* false: the statement has ended, or *wrong is set. */
static bool
cut(struct cutter *c, const char **wrong, size_t *wrong_at)
{
	size_t n = continuation(c);
	char ch = c->text[c->at];

	if (n > 0 || ch == ' ' || ch == '\t' || ch == '\r')
		c->at += n > 0 ? n : 1;
	else if (ch == '\n') {
		c->at++;
		return c->w->n == 0 || c->braces > 0;
	} else if (ch == '#')
		skip_comment(c);
	else if (ch == '"' || ch == '\'') {
		*wrong_at = c->at;
		if (!cut_string(c)) {
			*wrong = "this quote is never closed";
			return false;
		}
	} else if (strchr("{}(),<>=!", ch) != NULL && ch != '\0')
		cut_sign(c);
	else
		cut_plain(c);
	return true;
}

static void
words_clear(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->word[i].text);
	w->n = w->at = 0;
}

bool
words_next(struct words *w, size_t *off, const char **wrong, size_t *wrong_at)
{
	struct cutter c = { w, w->source->text, *off, w->source->len, 0, 0,
	    0 };

	words_clear(w);
	*wrong = NULL;
	while (c.at < c.len && cut(&c, wrong, wrong_at))
		;
	if (*wrong == NULL && c.braces > 0) {
		*wrong = "this brace is never closed";
		*wrong_at = c.opened;
	}
	*off = *wrong != NULL ? c.len : c.at;
	if (w->n == 0)
		return *wrong != NULL;
	w->off = w->word[0].off;
	w->end = w->word[w->n - 1].off + w->word[w->n - 1].len;
	w->word[w->n] = (struct word){ WORD_END, w->end, 0, 0, NULL };
	return true;
}

void
words_free(struct words *w)
{
	words_clear(w);
	free(w->word);
	memset(w, 0, sizeof(*w));
}

bool
word_is(const struct word *w, const char *text)
{
	return (w->kind == WORD_PLAIN || w->kind == WORD_SIGN) &&
	    strcmp(w->text, text) == 0;
}

char *
words_text(const struct words *w, size_t from)
{
	struct textbuf b = { NULL, 0, 0 };

	textbuf_str(&b, "");
	for (size_t i = from; i < w->n; i++) {
		if (i > from && w->word[i].off > w->word[i - 1].off +
		    w->word[i - 1].len)
			textbuf_str(&b, " ");
		textbuf_bytes(&b, w->source->text + w->word[i].off,
		    w->word[i].len);
	}
	return b.text;
}
