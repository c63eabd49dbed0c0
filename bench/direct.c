/*
 * The rules without bytecode: a walk over the image's records, as the unit
 * tests have it.  What a decision costs when nothing is compiled.
 */
#include "tests/unit/direct.h"

#include "bench/bench.h"

struct walk {
	struct direct	 d;
	struct world	 world;
};

struct walk *
walk_new(const struct pfk_image *image)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (w == NULL)
		die("no memory");
	w->d.im = image;
	w->d.world = &w->world;
	w->d.rules = calloc(pfk_image_rules(image) + 1, sizeof(*w->d.rules));
	if (w->d.rules == NULL)
		die("no memory");
	return w;
}

void
walk_free(struct walk *w)
{
	free(w->d.rules);
	free(w);
}

static uint16_t
host16(uint16_t v)
{
	const uint8_t *b = (const uint8_t *)&v;

	return (uint16_t)(b[0] << 8 | b[1]);
}

/* => IPv4, whole; TCP, UDP or an echo request. */
uint32_t
walk_packet(struct walk *w, const struct pfk_packet *p)
{
	struct direct_packet d = { .ifname = "em0", .dir = p->dir };
	struct pfk_network net;
	struct pfk_flow flow;

	if (!pfk_link_decode(p->linktype, p->data, p->caplen, p->wirelen,
	    &net) || !pfk_flow_decode(p->data + net.off, net.caplen, &flow))
		return IMG_NONE;
	d.af = flow.af;
	d.proto = flow.proto;
	memcpy(&d.addr[0], flow.src.addr, 16);
	memcpy(&d.addr[1], flow.dst.addr, 16);
	d.port[0] = host16(flow.src.port);
	d.port[1] = host16(flow.dst.port);
	d.flags = flow.proto == 6 ? p->data[net.off + 33] : 0;
	d.icmp_type = 8;
	direct_run(&w->d, &d);
	return w->d.rule;
}
