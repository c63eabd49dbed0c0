/*
 * From expectations to rules.
 *
 * The compiler reads the ruleset and, as if it ended in an `include', a text
 * in which all of a test file is blank but the macros, the tables and the
 * rules in its expectations, every one where it is in the file.  So a mistake
 * has its place; the line that has one is told, taken out, and the others are
 * compiled again.  Further texts have what else must be compiled: rules of
 * second crossings, addresses of translations.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "run.h"

/* ---- reading ---- */

static int
give(const struct textbuf *b, const struct pfk_allocator *a, char **text,
    size_t *len)
{
	*text = a->fn(a->ctx, NULL, 0, b->len + 1);
	if (*text == NULL)
		return ENOMEM;
	memcpy(*text, b->len > 0 ? b->text : "", b->len + 1);
	*len = b->len;
	return 0;
}

static int
read_disk(const char *path, const struct pfk_allocator *a, char **text,
    size_t *len)
{
	struct source *s = source_read(path);
	struct textbuf b;
	int error;

	if (s == NULL)
		return errno;
	b = (struct textbuf){ s->text, s->len, 0 };
	error = give(&b, a, text, len);
	source_free(s);
	return error;
}

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	struct run *r = ctx;

	if (strcmp(path, r->o.compile.path) == 0 && r->main_text.len > 0)
		return give(&r->main_text, a, text, len);
	for (int i = 0; i < NTEXTS; i++)
		if (strcmp(path, r->names[i]) == 0)
			return give(&r->texts[i], a, text, len);
	if (strcmp(path, r->facts_name) == 0)
		return give(&r->facts, a, text, len);
	return read_disk(path, a, text, len);
}

/* ---- texts ---- */

/* A text of blanks, with the file's lines. */
static void
blank_text(const struct source *s, struct textbuf *b)
{
	textbuf_free(b);
	textbuf_bytes(b, s->text, s->len);
	for (size_t i = 0; i < b->len; i++)
		if (b->text[i] != '\n')
			b->text[i] = ' ';
}

static void
show(const struct source *s, struct textbuf *b, size_t off, size_t end)
{
	memcpy(b->text + off, s->text + off, end - off);
}

static void
hide(struct textbuf *b, size_t off, size_t end)
{
	for (size_t i = off; i < end; i++)
		if (b->text[i] != '\n' && (b->text[i] != '\\' ||
		    (b->text[i + 1] != '\n' && b->text[i + 1] != '\r')))
			b->text[i] = ' ';
}

/* "in on em1" where "through em1 em0" was: it is shorter */
static void
put_crossing(const struct test *t, struct textbuf *b, const char *words,
    const struct span *name)
{
	size_t off = t->through_at.off, len = strlen(words);

	memcpy(b->text + off, words, len);
	memcpy(b->text + off + len, t->source->text + name->off,
	    name->end - name->off);
}

static void
show_rule(const struct test *t, struct textbuf *b)
{
	show(t->source, b, t->off, t->end);
	for (size_t i = 0; i < t->nblanks; i++)
		hide(b, t->blanks[i].off, t->blanks[i].end);
}

static bool
is_of(const struct run *r, const struct test *t)
{
	return t->setting == r->setting && t->status == TEST_WAITS &&
	    (t->kind == TEST_PASS || t->kind == TEST_BLOCK);
}

/* Text of several lines as one. */
static void
put_joined(struct textbuf *b, const char *p, size_t len)
{
	bool comment = false;

	for (size_t i = 0; i < len; i++) {
		comment = p[i] == '#' || (comment && p[i] != '\n');
		if (!comment && p[i] != '\\')
			textbuf_bytes(b, p[i] == '\n' ? " " : p + i, 1);
	}
}

/* The addresses of translations as those of rules, on the tests' lines. */
static void
show_addresses(struct run *r, const struct test *first, int kind)
{
	struct textbuf *b = &r->texts[TEXT_NAT + kind];
	uint32_t line = 1;

	textbuf_free(b);
	for (const struct test *t = first; t != NULL; t = t->next) {
		const struct translation *x = &t->want.translation[kind];

		if (!is_of(r, t) || x->wanted != YES)
			continue;
		for (; line < t->line; line++)
			textbuf_str(b, "\n");
		textbuf_str(b, kind == NAT ? "block from " : "block to ");
		put_joined(b, t->source->text + x->off, x->end - x->off);
	}
	textbuf_str(b, "\n");
}

static void
make_texts(struct run *r, struct test *first)
{
	const struct setting *s = r->setting;

	blank_text(s->source, &r->texts[TEXT_FIRST]);
	blank_text(s->source, &r->texts[TEXT_SECOND]);
	show_addresses(r, first, NAT);
	show_addresses(r, first, RDR);
	for (size_t i = 0; i < s->nspans; i++)
		show(s->source, &r->texts[TEXT_FIRST], s->spans[i].off,
		    s->spans[i].end);
	for (struct test *t = first; t != NULL; t = t->next) {
		if (!is_of(r, t))
			continue;
		show_rule(t, &r->texts[TEXT_FIRST]);
		if (t->through) {
			put_crossing(t, &r->texts[TEXT_FIRST], "in on ",
			    &t->in_if);
			show_rule(t, &r->texts[TEXT_SECOND]);
			put_crossing(t, &r->texts[TEXT_SECOND], "out on ",
			    &t->out_if);
		}
	}
}

static void
make_names(struct run *r)
{
	const char *name = r->setting->source->name;
	struct textbuf b = { NULL, 0, 0 };

	for (int i = 0; i < NTEXTS; i++) {
		for (int k = 0; k < i; k++)
			textbuf_str(&b, name[0] == '/' ? "/" : "./");
		textbuf_str(&b, name);
		r->names[i] = b.text;
		memset(&b, 0, sizeof(b));
	}
	textbuf_printf(&b, "%s" COVER_TEST_TABLES, name);
	r->facts_name = b.text;
}

/* ---- compiling ---- */

static void
add_include(struct textbuf *b, const char *name)
{
	textbuf_str(b, "include \"");
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			textbuf_str(b, "\\");
		textbuf_bytes(b, name, 1);
	}
	textbuf_str(b, "\"\n");
}

static bool
add_address(void *ctx, const struct pfk_table_address *a)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(a->af == 6 ? AF_INET6 : AF_INET, a->addr, text,
	    sizeof(text));
	textbuf_printf(ctx, " %s%s/%u", a->neg ? "!" : "", text, a->bits);
	return true;
}

/* Of an image there is no text: its tables are what can be named. */
static void
make_main_of_image(struct run *r)
{
	struct pfk_table_origin o;
	struct textbuf list = { NULL, 0, 0 };

	for (size_t i = 0; i < pfk_image_tables(r->image); i++) {
		pfk_image_table(r->image, i, &o);
		textbuf_free(&list);
		pfk_image_table_addresses(r->image, i, add_address, &list);
		if (o.anchor[0] != '\0' || o.name[0] == '_')
			continue;
		textbuf_printf(&r->main_text, "table <%s> persist {%s }\n",
		    o.name, list.len > 0 ? list.text : "");
	}
	textbuf_free(&list);
}

/* The ruleset's text, then what is included behind it. */
static bool
make_main(struct run *r, bool tests)
{
	struct source *s = NULL;

	textbuf_free(&r->main_text);
	if (is_image_file(r->o.compile.path))
		make_main_of_image(r);
	else if ((s = source_read(r->o.compile.path)) == NULL) {
		warning("%s: %s", r->o.compile.path, strerror(errno));
		return false;
	} else
		textbuf_bytes(&r->main_text, s->text, s->len);
	source_free(s);
	textbuf_str(&r->main_text, "\n");
	for (int i = 0; tests && i < NTEXTS; i++)
		add_include(&r->main_text, r->names[i]);
	if (!tests)
		add_include(&r->main_text, r->facts_name);
	return true;
}

static bool
has_tables(const struct setting *s)
{
	for (size_t i = 0; i < s->nspans; i++)
		if (strncmp(s->source->text + s->spans[i].off, "table", 5) == 0)
			return true;
	return false;
}

static bool
is_used(const struct run *r, int text)
{
	for (size_t i = 0; i < r->texts[text].len; i++)
		if (r->texts[text].text[i] != ' ' &&
		    r->texts[text].text[i] != '\n')
			return true;
	return false;
}

/*
 * The ruleset with the addresses that the test file supposes in its tables.
 * What is wrong with those is told with the tests.
 */
static void
fill_tables(struct run *r)
{
	struct pfk_files files = { read_text, r };
	struct pfk_compile_options o = r->o.compile;
	struct pfk_ruleset *rs = NULL;
	struct pfk_image *image = NULL;

	if (!make_main(r, false))
		return;
	o.files = &files;
	if (pfk_compile(&o, &rs) == PFK_OK && pfk_ruleset_image(rs,
	    r->o.lowering, &image) == PFK_OK) {
		pfk_image_free(r->image);
		r->image = image;
	}
	pfk_ruleset_free(rs);
	textbuf_free(&r->main_text);
}

bool
compile_ruleset(struct run *r)
{
	const struct setting *s = r->setting;

	make_names(r);
	blank_text(s->source, &r->facts);
	for (size_t i = 0; i < s->nspans; i++)
		show(s->source, &r->facts, s->spans[i].off, s->spans[i].end);
	r->files = (struct pfk_files){ read_text, r };
	r->o.compile.files = &r->files;
	r->image = ruleset_image(&r->o, r->host);
	if (r->image != NULL && has_tables(s) &&
	    !is_image_file(r->o.compile.path))
		fill_tables(r);
	return r->image != NULL;
}

/* The test that the line is of; NULL: none. */
static struct test *
test_of_line(const struct run *r, struct test *first, uint32_t line)
{
	for (struct test *t = first; t != NULL; t = t->next) {
		uint32_t end, column;

		if (!is_of(r, t))
			continue;
		source_place(t->source, t->end, &end, &column);
		if (line >= t->line && line <= end)
			return t;
	}
	return NULL;
}

/*
 * "file:line: message" of one of our texts, whose number is set; where the
 * message is, or NULL.
 */
static const char *
our_message(const struct run *r, const char *line, size_t len,
    uint32_t *number, int *which)
{
	for (int i = NTEXTS - 1; i >= 0; i--) {
		size_t n = strlen(r->names[i]);
		char *end;

		if (len <= n || strncmp(line, r->names[i], n) != 0 ||
		    line[n] != ':')
			continue;
		*number = (uint32_t)strtoul(line + n + 1, &end, 10);
		*which = i;
		if (*end == ':' && end[1] == ' ')
			return end + 2;
	}
	return NULL;
}

/*
 * What the other form of messages says of the line, "file:line:column: error:
 * text", which may know more; false: nothing.
 */
static bool
rich_message(const char *name, uint32_t line, struct pfk_ruleset *rs,
    uint32_t *column, struct textbuf *text)
{
	size_t len;
	const char *p = pfk_ruleset_diagnostics(rs, PFK_RENDER_RICH, &len);
	struct textbuf start = { NULL, 0, 0 };
	const char *nl, *end = p + len;
	bool found = false;
	char *word;

	textbuf_printf(&start, "%s:%u:", name, (unsigned)line);
	for (; p < end && !found; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl == NULL ? end : nl;
		if ((size_t)(nl - p) <= start.len ||
		    strncmp(p, start.text, start.len) != 0)
			continue;
		*column = (uint32_t)strtoul(p + start.len, &word, 10);
		found = strncmp(word, ": error: ", 9) == 0;
		if (found)
			textbuf_bytes(text, word + 9, (size_t)(nl - word - 9));
	}
	textbuf_free(&start);
	return found;
}

/* Where the column of the test's line is in its file. */
static size_t
offset_of(const struct test *t, uint32_t line, uint32_t column)
{
	size_t off = t->source->lines[line - 1] + column - 1;

	return off >= t->off && off <= t->end ? off : t->off;
}

static void
tell_test(struct run *r, struct test *t, struct pfk_ruleset *rs, int which,
    uint32_t line, const char *text, size_t len)
{
	struct textbuf rich = { NULL, 0, 0 };
	uint32_t column;

	if (which <= TEXT_SECOND && rich_message(r->names[which], line, rs,
	    &column, &rich))
		test_wrong(t, offset_of(t, line, column), "%s", rich.text);
	else
		test_wrong(t, t->off, "%.*s", (int)len, text);
	textbuf_free(&rich);
}

static void
all_wrong(const struct run *r, struct test *first, uint32_t line,
    const char *text, size_t len)
{
	for (struct test *t = first; t != NULL; t = t->next) {
		if (!is_of(r, t))
			continue;
		if (line > 0 && line <= t->source->nlines)
			test_wrong(t, t->source->lines[line - 1], "%.*s",
			    (int)len, text);
		else
			test_wrong(t, t->off, "%.*s", (int)len, text);
	}
}

/* Every message becomes a test's; whether any did. */
static bool
tell_tests(struct run *r, struct test *first, struct pfk_ruleset *rs)
{
	size_t len, n;
	const char *p = pfk_ruleset_diagnostics(rs, PFK_RENDER_PLAIN, &len);
	bool told = false;
	int which = 0;

	for (const char *end = p + len; p < end; p += n + 1) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *text;
		uint32_t line = 0;
		struct test *t;

		n = nl != NULL ? (size_t)(nl - p) : (size_t)(end - p);
		text = our_message(r, p, n, &line, &which);
		if (text == NULL)
			continue;
		t = test_of_line(r, first, line);
		if (t != NULL)
			tell_test(r, t, rs, which, line, text, n -
			    (size_t)(text - p));
		else if (!told)
			all_wrong(r, first, line, text, n - (size_t)(text -
			    p));
		told = true;
	}
	return told;
}

/* One round: true if the image is there, or nothing more can be done. */
static bool
compile_round(struct run *r, struct test *first)
{
	struct pfk_files files = { read_text, r };
	struct pfk_compile_options o = r->o.compile;
	struct pfk_ruleset *rs = NULL;
	int error;

	make_texts(r, first);
	for (int i = 1; i < NTEXTS; i++)
		if (!is_used(r, i))
			textbuf_free(&r->texts[i]);
	if (!make_main(r, true))
		return true;
	o.files = &files;
	o.host = r->host;
	o.optimize = PFK_OPT_NONE;
	o.loaded = true;
	error = pfk_compile(&o, &rs);
	if (error == PFK_OK)
		error = pfk_ruleset_image(rs, PFK_LOWER_PLAIN, &r->wanted);
	else if (rs != NULL && tell_tests(r, first, rs)) {
		pfk_ruleset_free(rs);
		return false;
	}
	if (error != PFK_OK) {
		const char *why = pfk_strerror(error);

		all_wrong(r, first, 0, why, strlen(why));
	}
	pfk_ruleset_free(rs);
	return true;
}

/* Which of the compiled rules are which line's. */
static void
find_rules(struct run *r)
{
	struct pfk_rule_info info;

	size_t nrules = pfk_image_rules(r->wanted);

	r->next = xcalloc(nrules + 1, sizeof(*r->next));
	for (int i = 0; i < NTEXTS; i++)
		r->first[i] = xcalloc(r->setting->source->nlines + 2,
		    sizeof(uint32_t));
	for (size_t n = nrules; n-- > 0;) {
		pfk_image_rule(r->wanted, n, &info);
		if (info.file == NULL || info.line >
		    r->setting->source->nlines)
			continue;
		for (int i = 0; i < NTEXTS; i++)
			if (strcmp(info.file, r->names[i]) == 0) {
				r->next[n] = r->first[i][info.line];
				r->first[i][info.line] = (uint32_t)n + 1;
			}
	}
}

static size_t
count_waiting(const struct run *r, const struct test *first)
{
	size_t n = 0;

	for (const struct test *t = first; t != NULL; t = t->next)
		n += is_of(r, t);
	return n;
}

/* Each round without an image takes a test out; or it was the last. */
void
compile_tests(struct run *r, struct test *first)
{
	size_t before, left = count_waiting(r, first);

	do
		before = left;
	while (!compile_round(r, first) &&
	    (left = count_waiting(r, first)) > 0 && left < before);
	if (r->wanted == NULL)
		return;
	find_rules(r);
}
