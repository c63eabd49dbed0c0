/*
 * What is said of an expectation that does not hold: a packet that breaks it,
 * the rule that decided, as it is written, and how to see why.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "run.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

static void
end_words(struct textbuf *b, const struct packet *k, const char *word,
    const struct pfk_endpoint *e)
{
	char text[ADDR_TEXT];

	textbuf_printf(b, " %s %s", word, addr_text(k->af, e->addr, text));
	if (k->proto == TCP || k->proto == UDP)
		textbuf_printf(b, " port %u", ntohs(e->port));
}

void
packet_words(const struct run *r, const struct packet *k, struct textbuf *b)
{
	static const char letters[] = "FSRPAUEW";
	const char *proto = pfk_host_protocol_name(r->host, k->proto);

	textbuf_printf(b, "%s on %s inet%s proto ", k->dir == PFK_OUT ? "out" :
	    "in", k->ifname, k->af == 6 ? "6" : "");
	if (proto != NULL)
		textbuf_str(b, proto);
	else
		textbuf_printf(b, "%u", k->proto);
	end_words(b, k, "from", &k->src);
	end_words(b, k, "to", &k->dst);
	if (k->proto == ICMP || k->proto == ICMP6)
		textbuf_printf(b, " icmp%s-type %u code %u", k->af == 6 ? "6" :
		    "", k->icmp_type, k->icmp_code);
	if (k->proto == TCP && k->tcp_flags != 0)
		textbuf_str(b, " flags ");
	for (unsigned i = 0; k->proto == TCP && i < 8; i++)
		if (k->tcp_flags & 1u << i)
			textbuf_bytes(b, &letters[i], 1);
	if (k->ttl != 64)
		textbuf_printf(b, " ttl %u", k->ttl);
	if (k->tos != 0)
		textbuf_printf(b, " tos %u", k->tos);
}

/* ---- the command line ---- */

static void
shell_word(struct textbuf *b, const char *option, const char *word)
{
	textbuf_printf(b, " %s", option);
	if (*option != '\0' && option[strlen(option) - 1] != '=')
		textbuf_str(b, " ");
	if (word[strcspn(word, " \t\n'\"$&|;<>()*?[]#~`!{}\\")] == '\0' &&
	    *word != '\0') {
		textbuf_str(b, word);
		return;
	}
	textbuf_str(b, "'");
	for (; *word != '\0'; word++)
		if (*word == '\'')
			textbuf_str(b, "'\\''");
		else
			textbuf_bytes(b, word, 1);
	textbuf_str(b, "'");
}

static const struct { int option; const char *word; } fact_options[] = {
	{ OPT_HOST, "--host" },		{ OPT_INTERFACES, "--interfaces" },
	{ OPT_ROUTES, "--routes" },	{ OPT_HOSTS, "--hosts" },
	{ OPT_SERVICES, "--services" },	{ OPT_PROTOCOLS, "--protocols" },
	{ OPT_PASSWD, "--passwd" },	{ OPT_GROUP, "--group" },
	{ OPT_FINGERPRINTS, "--fingerprints" },
};

/* pfk_host_load_dir and its like are what host options keep. */
static void
fact_words(const struct run *r, struct textbuf *b)
{
	for (size_t i = 0; i < r->nfacts; i++)
		for (size_t k = 0; k < sizeof(fact_options) /
		    sizeof(fact_options[0]); k++)
			if (fact_options[k].option == r->facts_of[i].option)
				shell_word(b, fact_options[k].word,
				    r->facts_of[i].value);
}

void
trace_line(const struct run *r, const char *more, struct textbuf *b)
{
	static const char *const levels[] = { "none", "basic", "profile" };

	textbuf_str(b, "pfkit trace");
	shell_word(b, "-f", r->o.compile.path);
	fact_words(r, b);
	for (unsigned i = 0; i < r->o.ndefines; i++)
		shell_word(b, "-D", r->o.defines[i]);
	if (r->o.compile.optimize != PFK_OPT_FROM_FILE)
		textbuf_printf(b, " -o %s", levels[r->o.compile.optimize]);
	if (r->o.compile.anchor != NULL)
		shell_word(b, "-a", r->o.compile.anchor);
	if (r->o.compile.numeric_hosts)
		textbuf_str(b, " -N");
	textbuf_printf(b, " %s", more);
}

/* ---- the rule ---- */

static void
put(void *ctx, const char *text, size_t len)
{
	textbuf_bytes(ctx, text, len);
}

static void
tell_rule(struct run *r, struct test *t, const struct outcome *o)
{
	const struct quote_sink sink = { put, &t->detail, false };
	struct pfk_rule_info info;
	struct pfk_origin origin;

	if (o->rule == PFK_RULE_NONE)
		return;
	if (o->state == PFK_STATE_MATCH && o->verdict == PFK_DROP) {
		textbuf_str(&t->detail,
		    "decided by the state, which refuses it\n");
		return;
	}
	if (o->rule == PFK_RULE_DEFAULT) {
		textbuf_str(&t->detail,
		    "decided by the default rule: pass all\n");
		return;
	}
	pfk_image_rule(r->image, o->rule, &info);
	textbuf_str(&t->rule_file, info.file);
	t->rule_line = info.line;
	textbuf_str(&t->rule_text, info.text);
	textbuf_printf(&t->detail, "decided by @%s%s%" PRIu32 " %s:%" PRIu32
	    ": %s\n", info.anchor, info.anchor[0] != '\0' ? ":" : "", info.nr,
	    info.file, info.line, info.text);
	if (origin_of_packet(r->image, o->rule, &o->before, &origin))
		(void)quote_origin(r->quotes, &sink, r->image, &origin,
		    QUOTE_LISTED);
}

void
failure(struct run *r, struct test *t, const struct packet *k,
    const struct outcome *o, const char *what)
{
	struct textbuf more = { NULL, 0, 0 };

	t->status = TEST_FAILS;
	textbuf_str(&t->why, what);
	packet_words(r, k, &t->packet);
	tell_rule(r, t, o);
	if (o->verdict == PFK_DROP)
		textbuf_printf(&t->detail, "dropped, for the reason %s\n",
		    pfk_reason_name(o->reason));
	if (t->through)
		textbuf_str(&more, "--through ");
	textbuf_str(&more, t->packet.text);
	trace_line(r, more.text, &t->trace);
	textbuf_free(&more);
}
