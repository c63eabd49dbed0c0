/*
 * libpcap's own loop over a capture, which does nothing with the packets: what
 * a replay is measured against, and how fast this machine is.
 */
#include <pcap.h>

#include "bench/bench.h"

struct times
capture_loop(const char *path, uint64_t most, uint64_t *packets)
{
	char error[PCAP_ERRBUF_SIZE];
	double start = now(), cpu = cpu_now();
	pcap_t *p = pcap_open_offline(path, error);
	struct pcap_pkthdr *h;
	const u_char *data;

	if (p == NULL)
		die("%s", error);
	*packets = 0;
	while (*packets < most && pcap_next_ex(p, &h, &data) == 1)
		(*packets)++;
	pcap_close(p);
	if (*packets == 0)
		die("%s: no packets", path);
	return (struct times){ now() - start, cpu_now() - cpu };
}
