/*
 * A ruleset and its firewall, made ready for its tests.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "exact.h"

/* Routing tables that every machine is taken to have. */
#define LAST_RTABLE	3

static void
add_fact(struct run *r, const struct header *h)
{
	r->facts_of[r->nfacts++] = *h;
	(void)host_options_take(&r->o.host, h->option, h->value);
}

/* Another firewall, not more about the same. */
static bool
has_host(const struct test_options *c)
{
	for (size_t i = 0; i < c->nfacts; i++)
		if (c->facts[i].option == OPT_HOST)
			return true;
	return false;
}

/* What the file says, then what the command line says. */
static void
gather_options(struct run *r)
{
	const struct test_options *c = r->options;
	const struct setting *s = r->setting;
	size_t n = s->nheaders + c->nfacts + c->ruleset.ndefines;

	ruleset_options_init(&r->o, TEST_COMMAND, (int)n + 1);
	r->facts_of = xcalloc(n + 1, sizeof(*r->facts_of));
	for (size_t i = 0; i < s->nheaders; i++)
		if (s->headers[i].option == 'D')
			r->o.defines[r->o.ndefines++] = s->headers[i].value;
		else if (s->headers[i].option != OPT_HOST || !has_host(c))
			add_fact(r, &s->headers[i]);
	for (size_t i = 0; i < c->nfacts; i++)
		add_fact(r, &c->facts[i]);
	for (unsigned i = 0; i < c->ruleset.ndefines; i++)
		r->o.defines[r->o.ndefines++] = c->ruleset.defines[i];
	r->o.host.dns = c->ruleset.host.dns;
	r->o.seed = c->ruleset.seed;
	r->o.lowering = c->ruleset.lowering;
	r->o.diagnostics = c->ruleset.diagnostics;
	r->o.compile.path = c->ruleset.compile.path != NULL ?
	    c->ruleset.compile.path : s->ruleset;
	r->o.compile.anchor = c->ruleset.compile.anchor != NULL ?
	    c->ruleset.compile.anchor : s->anchor;
	r->o.compile.optimize = c->ruleset.compile.optimize !=
	    PFK_OPT_FROM_FILE ? c->ruleset.compile.optimize :
	    (enum pfk_optimize)s->optimize;
	r->o.compile.numeric_hosts = c->ruleset.compile.numeric_hosts ||
	    s->numeric;
}

static bool
load_host(struct run *r)
{
	char error[PFK_HOST_ERRLEN];

	r->host = host_options_try(&r->o.host, error);
	if (r->host == NULL) {
		textbuf_printf(&r->setting->unusable,
		    "its firewall cannot be used: %s", error);
		return false;
	}
	for (unsigned i = 1; i <= LAST_RTABLE; i++)
		pfk_host_add_rtable(r->host, i);
	r->ifs = pfk_host_interfaces(r->host, &r->nifs);
	return true;
}

bool
run_start(struct setting *s, const struct test_options *o, struct test *first)
{
	struct run *r = xcalloc(1, sizeof(*r));

	s->run = r;
	r->setting = s;
	r->options = o;
	gather_options(r);
	if (r->o.compile.path == NULL) {
		textbuf_str(&s->unusable,
		    "which ruleset? (a line `ruleset FILE', or -f)");
		return false;
	}
	if (!load_host(r))
		return false;
	r->quotes = quotes_new();
	if (!compile_ruleset(r))
		return false;
	compile_tests(r, first);
	probe_start(r);
	return true;
}

void
run_end(struct setting *s)
{
	struct run *r = s->run;

	if (r == NULL)
		return;
	probe_end(r);
	exact_end(r);
	quotes_free(r->quotes);
	pfk_image_free(r->wanted);
	if (r->cover != NULL)
		s->kept = r->image;
	else
		pfk_image_free(r->image);
	pfk_host_free(r->host);
	for (int i = 0; i < NTEXTS; i++) {
		free(r->names[i]);
		textbuf_free(&r->texts[i]);
		free(r->first[i]);
	}
	free(r->next);
	free(r->facts_name);
	textbuf_free(&r->facts);
	textbuf_free(&r->main_text);
	ruleset_options_free(&r->o);
	free(r->facts_of);
	free(r);
	s->run = NULL;
}
