/*
 * Saved engines that were damaged.  The input is a list of changes, each a
 * place (16 bits), what is done there (8 bits), a value (8 bits), made to what
 * an engine really saved after some traffic; an input that begins with 'R' is
 * given to the engine as it is instead.  What is accepted has to work: time
 * passes, packets come, everything is shown, and it can be saved again.
 */
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>

#include "base/hash.h"

#define MAX_SAVED	(1 << 16)
#define CHANGE		4

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char rules[] =
	"set timeout { tcp.first 5, udp.first 3, frag 9 }\n"
	"table <t> persist counters { 10.0.0.0/8 !10.1.0.0/16 }\n"
	"block in\n"
	"pass in proto tcp to port 80 keep state (max 5, source-track rule, "
	"max-src-states 3, max-src-conn-rate 2/9, overload <t>)\n"
	"pass in inet proto udp from <t> to port 53 rdr-to 10.0.0.9\n"
	"pass out inet proto udp nat-to { 192.0.2.1 192.0.2.2 } "
	"sticky-address\n"
	"anchor \"a\" {\npass in inet proto icmp once\n}\n";

static struct pfk_host *host;
static struct pfk_image *image;
static uint8_t saved[MAX_SAVED];
static size_t saved_len;

static int
read_rules(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)ctx;
	(void)path;
	*len = sizeof(rules) - 1;
	*text = a->fn(a->ctx, NULL, 0, sizeof(rules));
	if (*text != NULL)
		memcpy(*text, rules, sizeof(rules));
	return *text == NULL;
}

static struct pfk_engine *
new_engine(void)
{
	struct pfk_engine_options o = { .image = image, .seed = 1, .debug = -1 };
	struct pfk_engine *e;

	o.interfaces = pfk_host_interfaces(host, &o.ninterfaces);
	o.routes = pfk_host_routes(host, &o.nroutes);
	if (pfk_engine_new(&o, &e) != PFK_OK)
		abort();
	return e;
}

/* An IPv4 packet: TCP, UDP, ICMP, or a first fragment. */
static void
send_packet(struct pfk_engine *e, unsigned i, uint64_t time)
{
	static const uint8_t protos[] = { 6, 17, 1, 17 };
	uint8_t p[44] = { 0x45, 0, 0, sizeof(p), 0, (uint8_t)i, 0, 0, 64,
	    protos[i % 4], 0, 0, 10, 0, 0, (uint8_t)(i % 7), 192, 0, 2, 9 };
	struct pfk_packet packet = { .time = time, .data = p,
	    .caplen = sizeof(p), .wirelen = sizeof(p), .linktype = 101,
	    .dir = i % 5 == 0 ? PFK_OUT : PFK_IN, .number = i };
	uint32_t sum = 0;

	p[6] = i % 4 == 3 ? 0x20 : 0;
	p[20] = (uint8_t)i;
	p[23] = p[9] == 6 ? 80 : 53;
	if (p[9] == 1)
		p[20] = 8;
	p[25] = p[9] == 17 ? 24 : 0;
	p[32] = 0x50;
	p[33] = i % 3 == 0 ? 0x10 : 0x02;
	for (int k = 0; k < 20; k += 2)
		sum += (uint32_t)(p[k] << 8 | p[k + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
	packet.ifid = (uint16_t)pfk_engine_interface(e, "em0");
	pfk_engine_run(e, &packet, 1);
}

static bool
see_state(void *ctx, const struct pfk_state *s)
{
	*(uint64_t *)ctx += s->id + s->rule + strlen(s->ifname);
	return true;
}

static bool
see_node(void *ctx, const struct pfk_src_node *n)
{
	*(uint64_t *)ctx += n->rule + n->states;
	return true;
}

static bool
see_entry(void *ctx, const struct pfk_table_entry *entry)
{
	*(uint64_t *)ctx += entry->bits;
	return true;
}

/* Everything that can be asked. */
static void
look(struct pfk_engine *e)
{
	struct pfk_rule_counters c;
	struct pfk_table_info t;
	uint64_t sum = 0;

	pfk_engine_states(e, see_state, &sum);
	pfk_engine_src_nodes(e, see_node, &sum);
	for (size_t i = 0; i < pfk_engine_rules(e); i++)
		pfk_engine_rule_counters(e, (uint32_t)i, &c);
	for (size_t i = 0; i < pfk_engine_tables(e); i++) {
		pfk_engine_table(e, i, &t);
		pfk_engine_table_entries(e, i, see_entry, &sum);
	}
}

static void
save(struct pfk_engine *e)
{
	void *data;
	size_t len;

	if (pfk_engine_save(e, &data, &len) != PFK_OK)
		abort();
	if (saved_len == 0 && len <= sizeof(saved)) {
		memcpy(saved, data, len);
		saved_len = len;
	}
	pfk_engine_free_data(e, data, len);
}

static void
prepare(void)
{
	struct pfk_files files = { read_rules, NULL };
	struct pfk_compile_options o = { .files = &files, .path = "pf.conf" };
	char error[PFK_HOST_ERRLEN];
	struct pfk_ruleset *rs;
	struct pfk_engine *e;

	host = pfk_host_new(NULL);
	if (host == NULL || pfk_host_load_dir(host, "tests/golden/host",
	    error) != 0)
		abort();
	o.host = host;
	if (pfk_compile(&o, &rs) != PFK_OK ||
	    pfk_ruleset_image(rs, PFK_LOWER_AUTO, &image) != PFK_OK)
		abort();
	pfk_ruleset_free(rs);
	e = new_engine();
	for (unsigned i = 0; i < 40; i++)
		send_packet(e, i, UINT64_C(1000000000) * (100 + i / 10));
	save(e);
	pfk_engine_free(e);
	if (saved_len == 0)
		abort();
}

static void
change(uint8_t *data, size_t *len, const uint8_t *how)
{
	size_t at = (size_t)(how[0] << 8 | how[1]) % *len;

	switch (how[2] % 5) {
	case 0:
		data[at] = how[3];
		break;
	case 1:
		data[at] ^= (uint8_t)(1u << how[3] % 8);
		break;
	case 2:
		data[at] = (uint8_t)(data[at] + how[3]);
		break;
	case 3:
		memset(data + at, how[3] & 1 ? 0xff : 0,
		    *len - at < 8 ? *len - at : 8);
		break;
	default:
		*len = at + 1;
		break;
	}
}

/* The checksum at the end is made right again: it is not what is tested. */
static void
seal(uint8_t *data, size_t len)
{
	uint32_t crc;

	if (len < 4)
		return;
	crc = crc32c(0, data, len - 4);
	for (int i = 0; i < 4; i++)
		data[len - 4 + (size_t)i] = (uint8_t)(crc >> 8 * i);
}

static void
try(const uint8_t *data, size_t len)
{
	char error[PFK_IMAGE_ERRLEN] = "";
	struct pfk_engine *e = new_engine();
	int result = pfk_engine_restore(e, data, len, error);

	if (result == PFK_ERR_IMAGE && error[0] == '\0')
		abort();
	look(e);
	for (unsigned i = 0; i < 20; i++)
		send_packet(e, i, UINT64_C(1000000000) * (104 + i));
	look(e);
	save(e);
	pfk_engine_free(e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t copy[MAX_SAVED];
	size_t len;

	if (image == NULL)
		prepare();
	if (size > 0 && data[0] == 'R') {
		try(data + 1, size - 1);
		return 0;
	}
	len = saved_len;
	memcpy(copy, saved, len);
	for (; size >= CHANGE && len > 0; data += CHANGE, size -= CHANGE)
		change(copy, &len, data);
	seal(copy, len);
	try(copy, len);
	return 0;
}
