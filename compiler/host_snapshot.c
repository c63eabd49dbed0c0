/*
 * What `pfkit snapshot` prints: the shell lines that gather the facts about
 * a host, to be run there.
 *
 * Plain sh and what every BSD has in its base system.  OpenBSD tells labels
 * of routes with -v, and its other routing tables one by one.
 */
#include <pfkit/host.h>

static const char snapshot[] =
    "#!/bin/sh\n"
    "# Run this on the firewall: it makes a folder that tells pfkit what\n"
    "# the ruleset means there.  Then: pfctl --host FOLDER -nvf pf.conf\n"
    "set -e\n"
    "dir=${1:-pfkit-host}\n"
    "mkdir -p \"$dir\"\n"
    "case $(uname -s) in\n"
    "OpenBSD)\n"
    "\tifconfig -A >\"$dir/ifconfig\"\n"
    "\tfor table in $(netstat -R |\n"
    "\t    sed -n 's/.*Routing tables*: *//p'); do\n"
    "\t\techo \"rtable $table\"\n"
    "\t\tnetstat -rnv -T \"$table\"\n"
    "\tdone >\"$dir/netstat-rn\"\n"
    "\t;;\n"
    "*)\n"
    "\tifconfig -a >\"$dir/ifconfig\"\n"
    "\tnetstat -rn >\"$dir/netstat-rn\"\n"
    "\t;;\n"
    "esac\n"
    "for file in hosts services protocols passwd group pf.os; do\n"
    "\tif [ -f \"/etc/$file\" ]; then\n"
    "\t\tcp \"/etc/$file\" \"$dir/$file\"\n"
    "\tfi\n"
    "done\n";

const char *
pfk_host_snapshot(void)
{
	return snapshot;
}
