/*
 * set ...: options of the whole ruleset.
 *
 * Each kind of statement has a function in a table; those whose parts are
 * checked while they are read (timeouts, limits, numbers, syncookies) have
 * one for the part as well.  What pfctl -v echoes is appended to rs->echo.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compiler/names.h"
#include "compiler/optimize.h"
#include "compiler/osfp.h"
#include "compiler/sema.h"

#define DEBUG_DEFAULT		3	/* syslog's err */
#define SYNCOOKIES_START	25	/* percent of the states limit */
#define HOST_FINGERPRINTS	"/etc/pf.os"

/* What was set explicitly, as far as a later check asks. */
struct sema_settings {
	bool	timeout[TMO_COUNT];
	bool	limit[LIMIT_COUNT];
};

typedef enum ast_result set_fn(struct sema *, struct ast *);

void
sema_set_init(struct sema *s)
{
	static const uint32_t limits[] = {
		[LIMIT_STATES] = 100000, [LIMIT_SRC_NODES] = 10000,
		[LIMIT_FRAGS] = 65536, [LIMIT_TABLES] = 1000,
		[LIMIT_TABLE_ENTRIES] = 200000,
		[LIMIT_PKTDELAY_PKTS] = 10000, [LIMIT_ANCHORS] = 512,
	};
	struct ruleset_options *o = &s->rs->flat.opts;

	_Static_assert(sizeof(limits) / sizeof(*limits) == LIMIT_COUNT,
	    "a default for each limit");
	s->settings = arena_new(&s->rs->arena, struct sema_settings);
	for (unsigned i = 0; i < TMO_COUNT; i++)
		o->timeout[i] = timeout_default(i);
	memcpy(o->limit, limits, sizeof(limits));
	o->debug = DEBUG_DEFAULT;
	o->reassemble = true;
}

/*
 * Adaptive timeouts follow the limit of states, unless the ruleset says
 * what they are.
 */
bool
sema_set_finish(struct sema *s)
{
	struct ruleset_options *o = &s->rs->flat.opts;
	const struct sema_settings *set = s->settings;

	if (set->limit[LIMIT_STATES] && !set->timeout[TMO_ADAPTIVE_START] &&
	    !set->timeout[TMO_ADAPTIVE_END]) {
		o->timeout[TMO_ADAPTIVE_START] =
		    o->limit[LIMIT_STATES] / 10 * 6;
		o->timeout[TMO_ADAPTIVE_END] =
		    o->limit[LIMIT_STATES] / 10 * 12;
	}
	return true;
}

/* What pfctl prints as "pfctl: text"; the real error follows it. */
static struct diag *
pfctl_message(struct sema *s, const struct ast *n, const char *text)
{
	struct diag *d;

	d = sema_message(s, n, "set", PLAIN_PFCTL, "%s", text);
	d->cascade = true;
	return d;
}

/* An error with what was perhaps meant. */
static enum ast_result
unknown(struct sema *s, const struct ast *n, const char *what,
    const char *word, const char *const *candidates)
{
	sema_blame(s, parser_error(s->parser, n, "set", "%s %s", what, word),
	    word, suggest(word, candidates));
	return AST_REFUSED;
}

#define echo(s, ...) do {						\
	if ((s)->rs->verbose > 0)					\
		strbuf_printf(&(s)->rs->echo, __VA_ARGS__);		\
} while (0)

static enum ast_result
yes_or_no(struct sema *s, struct ast *n)
{
	if (strcmp(n->str, "yes") == 0 || strcmp(n->str, "no") == 0)
		return AST_OK;
	return sema_error(s, n, "set", "invalid value '%s', expected 'yes' "
	    "or 'no'", n->str);
}

static enum ast_result
set_reassemble(struct sema *s, struct ast *n)
{
	struct ruleset_options *o = &s->rs->flat.opts;
	bool on = strcmp(n->kid[0]->str, "yes") == 0;

	o->reassemble = on;
	o->reassemble_no_df = on && n->num != 0;
	echo(s, "set reassemble %s %s\n", on ? "yes" : "no",
	    n->num != 0 ? "no-df" : "");
	return AST_OK;
}

/* The TCP timeouts that `set optimization` stands for. */
enum { HINTS = 7 };
static const uint8_t hint_timeouts[HINTS] = {
	TMO_TCP_FIRST, TMO_TCP_OPENING, TMO_TCP_ESTABLISHED, TMO_TCP_CLOSING,
	TMO_TCP_FINWAIT, TMO_TCP_CLOSED, TMO_TS_DIFF
};
static const uint32_t hint_seconds[][HINTS] = {
	/*  first	open	estab.	closing	finwait	closed	tsdiff */
	{   120,	30,	86400,	900,	45,	90,	30 },
	{   180,	35,	86400,	905,	50,	95,	60 },
	{   180,	35,	86400,	905,	50,	95,	60 },
	{   3600,	900,	432000,	3600,	600,	180,	60 },
	{   30,		5,	18000,	60,	30,	30,	10 },
};
static const char *const hint_names[] = {
	"normal", "satellite", "high-latency", "conservative", "aggressive",
	NULL
};

static enum ast_result
set_optimization(struct sema *s, struct ast *n)
{
	size_t i, k;

	for (i = 0; hint_names[i] != NULL; i++)
		if (strcasecmp(n->str, hint_names[i]) == 0)
			break;
	if (hint_names[i] == NULL) {
		(void)pfctl_message(s, n,
		    "invalid state timeouts optimization");
		return unknown(s, n, "unknown optimization", n->str,
		    hint_names);
	}
	for (k = 0; k < HINTS; k++) {
		s->rs->flat.opts.timeout[hint_timeouts[k]] =
		    hint_seconds[i][k];
		s->settings->timeout[hint_timeouts[k]] = true;
	}
	echo(s, "set optimization %s\n", n->str);
	return AST_OK;
}

static enum ast_result
set_ruleset_optimization(struct sema *s, struct ast *n)
{
	static const char *const names[] = {
		[OPTIMIZE_NONE] = "none", [OPTIMIZE_BASIC] = "basic",
		[OPTIMIZE_PROFILE] = "profile", NULL
	};
	int i;

	for (i = 0; names[i] != NULL && strcmp(n->str, names[i]) != 0; i++)
		;
	if (names[i] == NULL)
		return unknown(s, n, "unknown ruleset-optimization", n->str,
		    names);
	if (!s->optimize_set) {
		s->optimize_set = true;
		s->rs->flat.opts.optimize = i;
	}
	return AST_OK;
}

static bool
fits_unsigned(const struct ast *n)
{
	return n->num >= 0 && n->num <= UINT32_MAX;
}

static enum ast_result
set_timeout(struct sema *s, struct ast *n)
{
	int i;

	if (!fits_unsigned(n))
		return sema_error(s, n, "range",
		    "only positive values permitted");
	if ((i = timeout_number(n->str)) == -1) {
		(void)pfctl_message(s, n, "Bad timeout name.");
		return unknown(s, n, "unknown timeout", n->str,
		    timeout_names());
	}
	s->rs->flat.opts.timeout[i] = (uint32_t)n->num;
	s->settings->timeout[i] = true;
	echo(s, "set timeout %s %d\n", n->str, (int32_t)n->num);
	return AST_OK;
}

static enum ast_result
set_limit(struct sema *s, struct ast *n)
{
	int i;

	if (!fits_unsigned(n))
		return sema_error(s, n, "range",
		    "only positive values permitted");
	if ((i = limit_number(n->str)) == -1) {
		(void)pfctl_message(s, n, "Bad pool name.");
		sema_blame(s, parser_error(s->parser, n, "set",
		    "unable to set limit %s %" PRId64, n->str, n->num), n->str,
		    suggest(n->str, limit_names()));
		return AST_REFUSED;
	}
	s->rs->flat.opts.limit[i] = (uint32_t)n->num;
	s->settings->limit[i] = true;
	echo(s, "set limit %s %d\n", n->str, (int32_t)n->num);
	return AST_OK;
}

static enum ast_result
set_loginterface(struct sema *s, struct ast *n)
{
	s->rs->flat.opts.loginterface = strcmp(n->str, "none") == 0 ? NULL :
	    n->str;
	echo(s, "set loginterface %s\n", n->str);
	return AST_OK;
}

/* A number that may be written as C writes it; its value becomes n->num. */
static enum ast_result
number(struct sema *s, struct ast *n)
{
	const struct ast *word = n->kid[0];
	unsigned long long value;
	char *end;

	if (word->kind == AST_NUM) {
		n->num = word->num;
		return AST_OK;
	}
	errno = 0;
	value = strtoull(word->str, &end, 0);
	if (*word->str == '\0' || *end != '\0' || errno == ERANGE)
		return sema_error(s, n, "number", "%s is not a number",
		    word->str);
	n->num = (int64_t)value;
	return AST_OK;
}

static enum ast_result
set_hostid(struct sema *s, struct ast *n)
{
	int64_t id = n->kid[0]->num;

	if (id == 0 || id > UINT32_MAX)
		return sema_error(s, n, "range", "hostid must be non-zero");
	s->rs->flat.opts.hostid = (uint32_t)id;
	echo(s, "set hostid 0x%08x\n", (unsigned)(uint32_t)id);
	return AST_OK;
}

static enum ast_result
set_block_policy(struct sema *s, struct ast *n)
{
	bool drop = n->num == AST_BLOCK_DROP;

	s->block_policy = drop ? RULE_DROP : RULE_RETURN;
	echo(s, "set block-policy %s\n", drop ? "drop" : "return");
	return AST_OK;
}

/*
 * The firewall's own /etc/pf.os is a host fact; any other file is read here
 * and now.
 */
static int
load_fingerprints(struct sema *s, const char *path)
{
	struct pfk_ruleset *rs = s->rs;
	const char *text;
	size_t len;
	int error;

	if (strcmp(path, HOST_FINGERPRINTS) == 0)
		text = pfk_host_fingerprints(rs->host, NULL);
	else if ((error = compile_read_file(rs, &rs->arena, path, &text,
	    &len)) != 0)
		return error;
	osfp_load(rs, path, text);
	rs->flat.opts.fingerprints = path;
	return 0;
}

static enum ast_result
set_fingerprints(struct sema *s, struct ast *n)
{
	int error;

	echo(s, "set fingerprints \"%s\"\n", n->str);
	if (s->here->path[0] != '\0')
		return AST_OK;
	if ((error = load_fingerprints(s, n->str)) != 0) {
		sema_message(s, n, "file", PLAIN_PFCTL, "%s: %s", n->str,
		    strerror(error))->cascade = true;
		return sema_error(s, n, "file", "error loading fingerprints "
		    "%s", n->str);
	}
	return AST_OK;
}

static enum ast_result
set_state_policy(struct sema *s, struct ast *n)
{
	s->if_bound = n->num != 0;
	echo(s, "set state-policy %s\n", s->if_bound ? "if-bound" :
	    "floating");
	return AST_OK;
}

static enum ast_result
set_debug(struct sema *s, struct ast *n)
{
	static const char *const levels[] = { "emerg", "alert", "crit", "err",
	    "warning", "notice", "info", "debug", NULL };
	int level = debug_level(n->str);

	if (level == -1) {
		sema_message(s, n, "set", PLAIN_PFCTL,
		    "unknown debug level \"%s\"", n->str)->cascade = true;
		return unknown(s, n, "error setting debuglevel", n->str,
		    levels);
	}
	s->rs->flat.opts.debug = level;
	echo(s, "set debug %s\n", n->str);
	return AST_OK;
}

/* One interface of `set skip`; false if it may not stand there. */
static bool
skip_interface(struct sema *s, const struct ast *i)
{
	struct ruleset_options *o = &s->rs->flat.opts;

	echo(s, " %s", i->str != NULL ? i->str : "");
	if (i->neg) {
		(void)sema_error(s, i, "skip",
		    "skip on ! <interface> is not supported");
		return false;
	}
	if (i->str == NULL) {
		(void)sema_error(s, i, "skip",
		    "skip on rdomain <num> is not supported");
		return false;
	}
	vec_push(&s->rs->arena, &o->skip, i->str);
	return true;
}

static enum ast_result
set_skip(struct sema *s, struct ast *n)
{
	const struct ast *list = n->kid[0], *i;
	const struct ast *one = list != NULL ? list->first : NULL;
	bool good = true;

	if (one == NULL || (one->next == NULL && !one->neg &&
	    one->str != NULL && strcmp(one->str, "none") == 0)) {
		s->rs->flat.opts.skip.n = 0;
		echo(s, "set skip on none\n");
		return AST_OK;
	}
	echo(s, "set skip on {");
	for (i = one; i != NULL; i = i->next)
		good &= skip_interface(s, i);
	echo(s, " }\n");
	return good ? AST_OK : sema_error(s, n, "skip",
	    "error setting skip interface(s)");
}

/* Nodes are gone after their statement; these are wanted later. */
static struct ast *
keep_list(struct sema *s, const struct ast *n)
{
	struct arena *a = &s->rs->arena;
	struct ast *list = arena_memdup(a, n, sizeof(*n)), **tail;

	tail = &list->first;
	for (n = n->first; n != NULL; n = n->next) {
		*tail = list->last = arena_memdup(a, n, sizeof(*n));
		tail = &list->last->next;
	}
	return list;
}

static enum ast_result
set_state_defaults(struct sema *s, struct ast *n)
{
	if (s->state_defaults != NULL)
		return sema_error(s, n, "redefined",
		    "cannot redefine state-defaults");
	s->state_defaults = keep_list(s, n);
	return AST_OK;
}

static const char *const syncookie_modes[] = {
	[SYNCOOKIES_NEVER] = "never", [SYNCOOKIES_ALWAYS] = "always",
	[SYNCOOKIES_ADAPTIVE] = "adaptive", NULL
};

static enum ast_result
syncookie_mode(struct sema *s, struct ast *n)
{
	for (int i = 0; syncookie_modes[i] != NULL; i++)
		if (strcmp(n->str, syncookie_modes[i]) == 0) {
			n->num = i;
			return AST_OK;
		}
	parser_error(s->parser, n, "set", "illegal value for syncookies")
	    ->suggestion = suggest(n->str, syncookie_modes);
	return AST_REFUSED;
}

/* start or end = percentage; num is the percentage, cut to an integer. */
static enum ast_result
syncookie_option(struct sema *s, struct ast *n)
{
	char *end;
	double value = strtod(n->str2, &end);

	if (strcmp(end, "%") != 0) {
		/* pfctl refuses this without a word. */
		(void)sema_message(s, n, "set", PLAIN_NONE,
		    "expected a percentage, as in 25%%");
		return AST_REFUSED;
	}
	if (!(value > 0 && value <= 100))
		return sema_error(s, n, "range", "illegal percentage value");
	n->num = (int64_t)value;
	if (strcmp(n->str, "start") != 0 && strcmp(n->str, "end") != 0)
		return sema_error(s, n, "set", "illegal syncookie option");
	return AST_OK;
}

/* Takes start and end of adaptive syncookies; false if they do not fit. */
static bool
syncookie_watermarks(struct sema *s, const struct ast *list)
{
	struct ruleset_options *o = &s->rs->flat.opts;
	uint8_t start = 0, end = 0;

	for (const struct ast *i = list->first; i != NULL; i = i->next)
		*(strcmp(i->str, "start") == 0 ? &start : &end) =
		    (uint8_t)i->num;
	if (start == 0)
		start = SYNCOOKIES_START;
	if (end == 0)
		end = start / 2;
	if (end >= start) {
		(void)pfctl_message(s, list, "start must be higher than end");
		return false;
	}
	o->syncookies_hi = start;
	o->syncookies_lo = end;
	return true;
}

static enum ast_result
set_syncookies(struct sema *s, struct ast *n)
{
	struct ruleset_options *o = &s->rs->flat.opts;
	int64_t mode = n->kid[0]->num;
	const struct ast *list = n->kid[1];
	bool good = true;

	if (list != NULL && mode != SYNCOOKIES_ADAPTIVE) {
		(void)pfctl_message(s, n,
		    "syncookies start/end only apply to adaptive");
		good = false;
	} else if (list != NULL)
		good = syncookie_watermarks(s, list);
	if (!good)
		return sema_error(s, n, "set", "error setting syncookies");
	o->syncookies = (uint8_t)mode;
	if (mode == SYNCOOKIES_ADAPTIVE && o->syncookies_hi != 0)
		echo(s, "set syncookies adaptive (start %u%%, end %u%%)\n",
		    o->syncookies_hi, o->syncookies_lo);
	else
		echo(s, "set syncookies %s\n", syncookie_modes[mode]);
	return AST_OK;
}

static const struct { enum ast_kind kind; set_fn *check; } set_checks[] = {
	{ AST_YESNO,		yes_or_no },
	{ AST_NUMBER,		number },
	{ AST_TIMEOUT,		set_timeout },
	{ AST_LIMIT,		set_limit },
	{ AST_SYNCOOKIE_MODE,	syncookie_mode },
	{ AST_SYNCOOKIE_OPT,	syncookie_option },
	{ AST_SET_REASSEMBLE,	set_reassemble },
	{ AST_SET_OPTIMIZATION,	set_optimization },
	{ AST_SET_RULESET_OPT,	set_ruleset_optimization },
	{ AST_SET_LOGINTERFACE,	set_loginterface },
	{ AST_SET_HOSTID,	set_hostid },
	{ AST_SET_BLOCK_POLICY,	set_block_policy },
	{ AST_SET_FINGERPRINTS,	set_fingerprints },
	{ AST_SET_STATE_POLICY,	set_state_policy },
	{ AST_SET_DEBUG,	set_debug },
	{ AST_SET_SKIP,		set_skip },
	{ AST_SET_STATE_DEFAULTS, set_state_defaults },
	{ AST_SET_SYNCOOKIES,	set_syncookies },
};

enum ast_result
sema_set(struct sema *s, struct ast *n)
{
	for (size_t i = 0; i < sizeof(set_checks) / sizeof(*set_checks); i++)
		if (set_checks[i].kind == n->kind)
			return set_checks[i].check(s, n);
	return AST_OK;	/* SET_TIMEOUT, SET_LIMIT: their parts did it */
}
