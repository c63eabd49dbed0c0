/*
 * usage: which_rule PF.CONF HOSTDIR IFACE CAPTURE
 * Which rule decides about each packet of a capture?  All come in on IFACE.
 */
#include <pcap.h>
#include <stdio.h>

#include <pfkit/engine.h>

static void
decided(void *image, const struct pfk_decision *d)
{
	struct pfk_rule_info r = { .text = "(no rule)" };

	if (d->rule < PFK_RULE_NONE)
		pfk_image_rule(image, d->rule, &r);
	printf("%llu: %s (%s) %s\n", (unsigned long long)d->number,
	    pfk_verdict_name(d->verdict), pfk_reason_name(d->reason), r.text);
}

int
main(int argc, char **argv)
{
	char error[PFK_HOST_ERRLEN], pcap_error[PCAP_ERRBUF_SIZE];
	struct pfk_host *host = pfk_host_new(NULL);
	struct pfk_compile_options co = { .host = host, .path = argv[1] };
	struct pfk_ruleset *rules;
	struct pfk_image *image;
	struct pfk_engine *engine;
	struct pfk_packet p = { .dir = PFK_IN };
	struct pcap_pkthdr *h;
	pcap_t *pcap;

	if (argc != 5 || pfk_host_load_dir(host, argv[2], error) != 0 ||
	    pfk_compile(&co, &rules) != PFK_OK ||
	    pfk_ruleset_image(rules, PFK_LOWER_AUTO, &image) != PFK_OK ||
	    (pcap = pcap_open_offline(argv[4], pcap_error)) == NULL)
		return 1;
	struct pfk_sink sink = { .ctx = image, .decision = decided };
	struct pfk_engine_options eo = { .image = image, .sink = &sink };
	eo.interfaces = pfk_host_interfaces(host, &eo.ninterfaces);
	if (pfk_engine_new(&eo, &engine) != PFK_OK)
		return 1;
	p.linktype = (uint16_t)pcap_datalink(pcap);
	p.ifid = (uint16_t)pfk_engine_interface(engine, argv[3]);
	for (; pcap_next_ex(pcap, &h, &p.data) == 1; p.number++) {
		p.time = (uint64_t)h->ts.tv_sec * 1000000000 +
		    (uint64_t)h->ts.tv_usec * 1000;
		p.caplen = h->caplen;
		p.wirelen = h->len;
		pfk_engine_run(engine, &p, 1);
	}
	pfk_engine_free(engine);
	pfk_image_free(image);
	pfk_ruleset_free(rules);
	pfk_host_free(host);
	pcap_close(pcap);
	return 0;
}
