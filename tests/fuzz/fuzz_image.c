/*
 * Images from hostile hands.
 *
 * An image that the compiler made is changed as the input says (three bytes
 * of place, one of value, up to three times), its checksum is made right, and
 * it is loaded.  It must be refused with a message, or be as good as any: it
 * is disassembled, and an engine runs packets through its rules.
 */
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>
#include <pfkit/origin.h>

#include "base/hash.h"
#include "runtime/image.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char ruleset[] =
	"ports = \"{ 22 80 }\"\nset skip on lo0\nset fingerprints \"/etc/pf.os\"\n"
	"table <t> const { 10.0.0.0/8 !10.0.0.2 2001:db8::/32 }\n"
	"table <u> persist counters\n"
	"block return log all\n"
	"match in on em0 inet tag A\n"
	"match out inet from 10.0.0.0/8 nat-to 192.0.2.1\n"
	"anchor \"x/*\" in\n"
	"anchor x {\n"
	"	anchor y quick proto tcp {\n"
	"		pass proto tcp from <t> to port $ports flags S/SA\n"
	"		pass quick proto tcp from any os OpenBSD tagged A\n"
	"		block from urpf-failed\n"
	"	}\n"
	"}\n"
	"block quick proto tcp to port { 1 2 3 4 5 6 7 8 9 }\n"
	"pass in proto udp to (em0) port 53 max-pkt-rate 3/1\n"
	"pass in inet proto icmp icmp-type echoreq code 0 probability 50%\n"
	"pass in inet6 from 2001:db8::1 - 2001:db8::9 to no-route once\n"
	"pass out inet from any to route wan route-to 192.0.2.9\n"
	"pass in proto tcp from any to any port >= 1000 received-on any "
	"keep state (max 2, source-track rule, max-src-conn-rate 2/3, "
	"overload <u> flush)\n";

static uint8_t *original;
static size_t original_size;

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)ctx;
	(void)path;
	*len = sizeof(ruleset) - 1;
	*text = a->fn(a->ctx, NULL, 0, sizeof(ruleset));
	if (*text == NULL)
		return 12;
	memcpy(*text, ruleset, sizeof(ruleset));
	return 0;
}

static void
set_up(void)
{
	const struct pfk_files files = { read_text, NULL };
	struct pfk_compile_options o = { .files = &files, .path = "pf.conf" };
	struct pfk_ruleset *rs;
	struct pfk_image *im;
	struct pfk_host *host = pfk_host_new(NULL);
	const void *bytes;

	o.host = host;
	if (host == NULL || pfk_compile(&o, &rs) != PFK_OK ||
	    pfk_ruleset_image(rs, PFK_LOWER_FAST, &im) != PFK_OK)
		abort();
	bytes = pfk_image_bytes(im, &original_size);
	original = malloc(original_size);
	memcpy(original, bytes, original_size);
	pfk_image_free(im);
	pfk_ruleset_free(rs);
	pfk_host_free(host);
}

/* Packets of the protocols that rules ask about, from the input's bytes. */
static void
run_packets(struct pfk_engine *e, const uint8_t *data, size_t size)
{
	static const uint8_t base[60] = { 0x45, 0, 0, 60, 0, 1, 0, 0, 64, 6,
	    0, 0, 10, 0, 0, 1, 192, 0, 2, 1, 0x10, 0x20, 0, 80, 0, 0, 0, 1,
	    0, 0, 0, 0, 0xa0, 2, 0x40, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4, 1, 1, 4,
	    2, 1, 3, 3, 0 };
	static const uint8_t protos[] = { 6, 17, 1, 50 };
	struct pfk_packet p = { .caplen = 60, .wirelen = 60, .linktype = 101 };
	uint8_t bytes[60];

	p.ifid = (uint16_t)pfk_engine_interface(e, "em0");
	for (size_t i = 0; i < 12; i++) {
		memcpy(bytes, base, sizeof(bytes));
		bytes[9] = protos[i % 4];
		for (size_t j = 0; j < 4 && size > 0; j++)
			bytes[12 + (j * 7 + i) % 40] =
			    data[(i * 4 + j) % size];
		p.data = bytes;
		p.time = i * 300000000;
		p.dir = (uint8_t)(PFK_IN + i / 2 % 2);
		pfk_engine_run(e, &p, 1);
	}
}

static bool
seen(void *ctx, const struct pfk_table_address *a)
{
	(void)ctx;
	return a->element.at.line < UINT32_MAX;
}

/* Where rules and tables come from. */
static void
read_origins(const struct pfk_image *im)
{
	struct pfk_origins all;
	struct pfk_origin o;
	struct pfk_source s;
	struct pfk_macro m;

	for (size_t i = 0; i < pfk_image_sources(im); i++)
		pfk_image_source(im, i, &s);
	for (size_t i = 0; i < pfk_image_macros(im); i++)
		pfk_image_macro(im, (uint32_t)i, &m);
	for (size_t i = 0; i < pfk_image_rules(im); i++) {
		pfk_image_origins(im, i, &all);
		while (pfk_image_next_origin(&all, &o))
			;
	}
	for (size_t i = 0; i < pfk_image_tables(im); i++)
		pfk_image_table_addresses(im, i, seen, NULL);
}

static void
use_image(struct pfk_image *im, const uint8_t *data, size_t size)
{
	struct pfk_engine_options o = { .image = im };
	struct pfk_engine *e;
	struct pfk_rule_info info;
	size_t len;
	char *text = pfk_image_disassemble(im, &len);

	pfk_image_free_text(im, text);
	for (size_t i = 0; i < pfk_image_rules(im); i++)
		pfk_image_rule(im, i, &info);
	read_origins(im);
	if (pfk_engine_new(&o, &e) != PFK_OK)
		return;
	run_packets(e, data, size);
	pfk_engine_free(e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char errbuf[PFK_IMAGE_ERRLEN] = "";
	struct pfk_image *im;
	uint32_t crc;
	uint8_t *copy;

	if (original == NULL)
		set_up();
	copy = malloc(original_size);
	if (copy == NULL)
		return 0;
	memcpy(copy, original, original_size);
	/* few changes: more are never accepted */
	for (size_t i = 0; i + 4 <= size && i < 12; i += 4)
		copy[((uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 |
		    data[i + 2]) % original_size] = data[i + 3];
	crc = crc32c(0, copy + sizeof(struct img_header),
	    original_size - sizeof(struct img_header));
	memcpy(copy + offsetof(struct img_header, crc), &crc, sizeof(crc));
	if (pfk_image_load(copy, original_size, NULL, &im, errbuf) == PFK_OK) {
		use_image(im, data, size);
		pfk_image_free(im);
	} else if (errbuf[0] == '\0')
		abort();
	free(copy);
	return 0;
}
