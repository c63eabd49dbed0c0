/*
 * pfk_compile(): what pfctl does with a file, from reading it to printing it.
 *
 *	read		the main file, statement by statement (sema.c)
 *	queues		are joined into trees, if this is not for an anchor
 *	load		optimise, number, print (load.c)
 *	load anchors	the same for each `load anchor` file, in turn
 *
 * The first step that fails ends it, with what was printed until then.
 *
 * Memory: a ruleset is one allocation that owns two arenas.  When memory runs
 * out, both are given back and a new, empty ruleset says so; only if there is
 * no room even for that the caller gets nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "compiler/load.h"
#include "compiler/osfp.h"
#include "compiler/sema.h"
#include "parser/render.h"

#define MAX_MEMORY	UINT64_C(0x100000000)	/* of options.max_memory 0 */

const char *
pfk_strerror(int error)
{
	switch (error) {
	case PFK_OK:
		return "no error";
	case PFK_ERR_NOMEM:
		return "out of memory";
	case PFK_ERR_INVALID:
		return "the ruleset is wrong";
	case PFK_ERR_IO:
		return "the ruleset cannot be read";
	case PFK_ERR_IMAGE:
		return "not an image, or a damaged one";
	case PFK_ERR_LIMIT:
		return "a limit of the exact analysis is reached";
	case PFK_ERR_STOPPED:
		return "stopped";
	default:
		return "unknown error";
	}
}

/* --- chance --- */

/* Of the system if it has any; else of the clock. */
static uint64_t
system_seed(void)
{
	FILE *f = fopen("/dev/urandom", "re");
	uint64_t seed = 0;
	size_t n = 0;

	if (f != NULL) {
		n = fread(&seed, sizeof(seed), 1, f);
		(void)fclose(f);
	}
	return n == 1 ? seed : (uint64_t)time(NULL);
}

/* splitmix64 (Steele, Lea, Flood, 2014) */
uint32_t
compile_random(struct pfk_ruleset *rs)
{
	uint64_t z;

	rs->random_state += UINT64_C(0x9e3779b97f4a7c15);
	z = rs->random_state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

const char *
compile_automatic_name(struct pfk_ruleset *rs, struct arena *a, unsigned n)
{
	if (!rs->opts->loaded)
		return arena_printf(a, "__automatic_%u", n);
	while (rs->automatic_id == 0)
		rs->automatic_id = compile_random(rs);
	return arena_printf(a, "__automatic_%x_%u", rs->automatic_id, n);
}

/* --- messages --- */

static struct diag *
say(struct pfk_ruleset *rs, enum severity severity, const char *code,
    enum plain_form plain, const char *fmt, ...)
    __attribute__((__format__(__printf__, 5, 6)));

static struct diag *
say(struct pfk_ruleset *rs, enum severity severity, const char *code,
    enum plain_form plain, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = diag_vadd(&rs->diags, severity, code, fmt, ap);
	va_end(ap);
	d->plain = plain;
	return d;
}

/*
 * pfctl says so with -vv; people are told if nothing is wrong, as a macro may
 * just be misspelt where it is used.
 */
static void
warn_unused_macros(struct pfk_ruleset *rs, bool good)
{
	struct macro_use *unused;
	size_t n = parser_unused_macros(rs->parser, &unused);
	struct diag *d;

	for (size_t i = 0; i < n; i++) {
		if (rs->verbose < 2 && (!good || unused[i].command_line))
			continue;
		d = say(rs, DIAG_WARNING, "unused-macro", rs->verbose > 1 ?
		    PLAIN_BARE : PLAIN_NONE, "warning: macro '%s' not used",
		    unused[i].name);
		d->span = unused[i].def;
		d->cascade = unused[i].misspelt;
	}
}

/* --- reading a file --- */

/* false: it cannot be read, and that has been said. */
static bool
read_top_file(struct pfk_ruleset *rs, const char *path, struct span at,
    const char **text, size_t *len)
{
	int error = compile_read_file(rs, &rs->arena, path, text, len);
	struct diag *d;

	if (error == 0)
		return true;
	d = say(rs, DIAG_ERROR, "file", PLAIN_PFCTL, "pushfile: %s: %s", path,
	    strerror(error));
	d->span = at;
	d = say(rs, DIAG_ERROR, "file", PLAIN_PFCTL,
	    "cannot open the main config file!: %s", strerror(error));
	d->cascade = true;
	return false;
}

static bool
parse(struct pfk_ruleset *rs, const char *path, const char *text, size_t len,
    struct span included_at)
{
	unsigned errors;

	errors = parser_parse(rs->parser,
	    strcmp(path, "-") == 0 ? "stdin" : path, text, len, included_at);
	if (rs->sema->fatal)
		return false;
	warn_unused_macros(rs, errors == 0);
	return errors == 0;
}

static struct parser *
new_parser(struct pfk_ruleset *rs)
{
	const struct parse_options o = {
		.arena = &rs->arena,
		.sources = &rs->sources,
		.diags = &rs->diags,
		.read_file = compile_read_file,
		.read_ctx = rs,
		.max_include_depth = rs->opts->max_include_depth,
	};
	struct parse_options with = o;

	with.listener.event = sema_event;
	with.listener.ctx = rs->sema;
	return parser_new(&with);
}

/* --- load anchor --- */

static struct anchor *
root_anchor(struct pfk_ruleset *rs, const char *path)
{
	const char *slash = strrchr(path, '/');

	return anchor_new(&rs->arena, slash != NULL ? slash + 1 : path, path);
}

/*
 * One file.  Its `set` statements count for nothing but this file, and some
 * of the main file's do not count for it.
 */
static bool
load_anchor_file(struct pfk_ruleset *rs, const struct load_anchor *l,
    struct anchor *a)
{
	const struct ruleset_options opts = rs->flat.opts;
	const char *text;
	size_t len;
	bool good;

	if (rs->verbose > 0)
		say(rs, DIAG_NOTE, "load-anchor", PLAIN_BARE,
		    "\nLoading anchor %s from %s", l->name, l->file)
		    ->cascade = true;
	if (!read_top_file(rs, l->file, l->span, &text, &len))
		return false;
	rs->sema->block_policy = RULE_DROP;
	rs->flat.opts.reassemble = true;
	sema_anchor_start(rs->sema, a);
	good = parse(rs, l->file, text, len, l->span);
	if (good) {
		sema_anchor_finish(rs->sema, a);
		good = load_rules(rs, a);
		rs->sema->fatal |= !good;
	}
	rs->flat.opts = opts;
	return good;
}

static bool
load_anchors(struct pfk_ruleset *rs)
{
	const struct load_anchor *l = sema_load_anchors(rs->sema);
	struct anchor **tail = &rs->flat.loaded;

	for (; l != NULL; l = l->next) {
		struct anchor *a = root_anchor(rs, l->name);

		a->loaded = true;
		*tail = a;
		tail = &a->sibling;
		if (load_anchor_file(rs, l, a))
			continue;
		if (!rs->sema->fatal)
			say(rs, DIAG_ERROR, "load-anchor", PLAIN_PFCTL,
			    "load anchors")->cascade = true;
		return false;
	}
	return true;
}

/* --- the whole --- */

static int
compile_main(struct pfk_ruleset *rs)
{
	struct sema *s = rs->sema;
	const char *text;
	size_t len;

	if (!read_top_file(rs, rs->opts->path, (struct span){ 0, 0, 0 }, &text,
	    &len))
		return PFK_ERR_IO;
	sema_anchor_start(s, rs->flat.root);
	if (!parse(rs, rs->opts->path, text, len, (struct span){ 0, 0, 0 }))
		return PFK_ERR_INVALID;
	sema_anchor_finish(s, rs->flat.root);
	if (rs->flat.root->path[0] == '\0' && !sema_queue_finish(s))
		return PFK_ERR_INVALID;
	if (!load_rules(rs, rs->flat.root) || !load_anchors(rs) ||
	    !sema_set_finish(s))
		return PFK_ERR_INVALID;
	sema_uses_finish(s);
	return PFK_OK;
}

/* pfctl's check of -a, beyond what main() does. */
static bool
check_anchor_path(struct pfk_ruleset *rs, const char *path)
{
	size_t n = strlen(path);

	if (n == 0 || path[n - 1] != '/')
		return true;
	say(rs, DIAG_ERROR, "anchor-name", PLAIN_PFCTL,
	    "pfctl_rules: bad anchor name %s", path);
	return false;
}

static int
compile(struct pfk_ruleset *rs)
{
	const struct pfk_compile_options *o = rs->opts;
	const char *anchor = o->anchor != NULL ? o->anchor : "";

	rs->flat.root = root_anchor(rs, arena_strdup(&rs->arena, anchor));
	rs->flat.opts.optimize = o->optimize == PFK_OPT_FROM_FILE ?
	    OPTIMIZE_BASIC : (int)o->optimize;
	rs->sema = sema_new(rs);
	rs->sema->optimize_set = o->optimize != PFK_OPT_FROM_FILE;
	rs->sema->parser = rs->parser = new_parser(rs);
	for (const char *const *d = o->defines; d != NULL && *d != NULL; d++)
		(void)parser_define(rs->parser, *d);
	if (rs->verbose > 1 && anchor[0] == '\0')
		osfp_load_host(rs);
	if (!check_anchor_path(rs, anchor))
		return PFK_ERR_INVALID;
	return compile_main(rs);
}

static void
start(struct pfk_ruleset *rs, const struct pfk_compile_options *o,
    const struct pfk_allocator *alloc, size_t limit)
{
	memset(rs, 0, sizeof(*rs));
	arena_init(&rs->arena, alloc, &rs->oom);
	rs->arena.limit = limit;
	rs->opts = o;
	rs->host = o->host;
	rs->verbose = o->verbose;
	rs->random_state = o->random ? system_seed() : o->seed;
}

/* => rs->oom is set. */
static void
start_tables(struct pfk_ruleset *rs)
{
	source_map_init(&rs->sources, &rs->arena);
	diag_queue_init(&rs->diags, &rs->arena);
	strbuf_init(&rs->echo, &rs->arena);
}

static size_t
memory_limit(const struct pfk_compile_options *o)
{
	if (o->max_memory != 0)
		return o->max_memory;
	return MAX_MEMORY > SIZE_MAX ? SIZE_MAX : (size_t)MAX_MEMORY;
}

static void
free_arenas(struct pfk_ruleset *rs)
{
	arena_free(&rs->arena);
	if (rs->scratch.alloc != NULL)
		arena_free(&rs->scratch);
}

/* Where the compilation was: "pf.conf:12", or "". */
static void
remember_place(const struct pfk_ruleset *rs, char *buf, size_t size)
{
	const char *file;

	buf[0] = '\0';
	if (rs->parser == NULL || rs->sema == NULL)
		return;
	if ((file = parser_plain_file(rs->parser)) != NULL)
		(void)snprintf(buf, size, "%s:%u: ", file,
		    (unsigned)parser_plain_line(rs->parser));
}

/*
 * Memory is out: the ruleset becomes an empty one that says so and where.
 * false: there is no room even for that.
 */
static bool
say_out_of_memory(struct pfk_ruleset *rs)
{
	const struct pfk_compile_options *o = rs->opts;
	const struct pfk_allocator *alloc = rs->arena.alloc;
	char place[256];

	remember_place(rs, place, sizeof(place));
	free_arenas(rs);
	start(rs, o, alloc, 0);
	if (setjmp(rs->oom) != 0) {
		free_arenas(rs);
		return false;
	}
	start_tables(rs);
	say(rs, DIAG_ERROR, "memory", PLAIN_PFCTL, "%sout of memory "
	    "(max_memory is %zu)", place, memory_limit(rs->opts));
	return true;
}

int
pfk_compile(const struct pfk_compile_options *o, struct pfk_ruleset **out)
{
	const struct pfk_allocator *alloc = o->allocator != NULL ?
	    o->allocator : &pfk_allocator_libc;
	struct pfk_ruleset *rs;
	int error;

	rs = alloc->fn(alloc->ctx, NULL, 0, sizeof(*rs));
	if (rs == NULL)
		return PFK_ERR_NOMEM;
	start(rs, o, alloc, memory_limit(o));
	if (setjmp(rs->oom) == 0) {
		start_tables(rs);
		error = compile(rs);
		rs->valid = error == PFK_OK;
	} else {
		error = PFK_ERR_NOMEM;
		if (!say_out_of_memory(rs)) {
			alloc->fn(alloc->ctx, rs, sizeof(*rs), 0);
			return error;
		}
	}
	rs->opts = NULL;
	*out = rs;
	return error;
}

void
pfk_ruleset_free(struct pfk_ruleset *rs)
{
	const struct pfk_allocator *alloc;

	if (rs == NULL)
		return;
	alloc = rs->arena.alloc;
	free_arenas(rs);
	alloc->fn(alloc->ctx, rs, sizeof(*rs), 0);
}

/* --- what came out --- */

const char *
pfk_ruleset_text(struct pfk_ruleset *rs, size_t *len)
{
	*len = rs->echo.len;
	return rs->echo.s != NULL ? rs->echo.s : "";
}

static void
render(struct pfk_ruleset *rs, enum pfk_render form, struct strbuf *sb)
{
	switch (form) {
	case PFK_RENDER_PLAIN:
		render_plain(&rs->diags, sb);
		break;
	case PFK_RENDER_RICH:
	case PFK_RENDER_RICH_COLOR:
		render_rich(&rs->diags, &rs->sources,
		    form == PFK_RENDER_RICH_COLOR, sb);
		break;
	case PFK_RENDER_JSON:
		render_json(&rs->diags, &rs->sources, rs->valid, sb);
		break;
	}
}

const char *
pfk_ruleset_diagnostics(struct pfk_ruleset *rs, enum pfk_render form,
    size_t *len)
{
	struct strbuf sb;
	const char *text;

	*len = 0;
	if (setjmp(rs->oom) != 0)
		return "";
	strbuf_init(&sb, &rs->arena);
	render(rs, form, &sb);
	text = strbuf_str(&sb);
	*len = sb.len;
	return text;
}

unsigned
pfk_ruleset_errors(const struct pfk_ruleset *rs)
{
	return rs->diags.errors;
}

unsigned
pfk_ruleset_warnings(const struct pfk_ruleset *rs)
{
	return rs->diags.warnings;
}
